"""Quiet TensorFlow before it starts; the smallest models and data that tests share."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest


@pytest.fixture(autouse=True, scope="module")
def _clean_keras_session():
    """Drop the graphs and names of one module's models before the next."""
    yield
    keras.backend.clear_session()


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """32 images of 16x16x1 in [-1, 1]; do not change them in place."""
    return np.random.default_rng(0).uniform(-1.0, 1.0, (32, 16, 16, 1)).astype("float32")


SMALL = {"image_shape": (16, 16, 1), "latent_dim": 4, "seed": 0}


@pytest.fixture(scope="session")
def make_dcgan():
    """A function that makes the smallest DCGAN; its arguments are the constructor's."""
    from kerasgan.models import DCGAN

    return lambda **settings: DCGAN(**(SMALL | {"base_filters": 4} | settings))


@pytest.fixture(scope="session")
def make_gan():
    """A function that makes the smallest VanillaGAN; its arguments are the constructor's."""
    from kerasgan.models import VanillaGAN

    return lambda **settings: VanillaGAN(**(SMALL | {"hidden": (16,)} | settings))


@pytest.fixture(scope="session")
def make_vae():
    """A function that makes the smallest VAE; its arguments are the constructor's."""
    from kerasgan.models import VAE

    return lambda **settings: VAE(**(SMALL | {"base_filters": 4} | settings))
