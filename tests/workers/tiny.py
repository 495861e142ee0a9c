"""Tiny models and data for the worker scripts."""

import hashlib

import keras
import numpy as np
import tensorflow as tf

import kerasgan
from kerasgan.core.judged import Batch

SHAPE = (16, 16, 1)


def images(n: int) -> np.ndarray:
    return np.random.default_rng(n).uniform(-1, 1, (n, *SHAPE)).astype("float32")


@keras.saving.register_keras_serializable("kerasgan_tests")
class LatentsFromImages(kerasgan.VanillaGAN):
    """A GAN whose latents follow from the real images, however these are split over devices."""

    def synthesize(self, real, given, seed, training=True):
        latents = tf.reshape(real, (tf.shape(real)[0], 256))[:, : self.latent_dim]
        return Batch(real, self.generator(latents, training=training), latents, given, seed)


def latents_from_images(**settings) -> LatentsFromImages:
    dtype = settings.pop("dtype", None)
    gan = LatentsFromImages(SHAPE, latent_dim=8, hidden=(16,), dropout=0.0, ema_decay=0.9, seed=1, dtype=dtype)
    sgd = keras.optimizers.SGD
    gan.compile(**{"d_optimizer": sgd(0.1), "g_optimizer": sgd(0.1), "regularizers": ["r1"]} | settings)
    return gan


def dcgan(seed=1, **arguments) -> kerasgan.DCGAN:
    gan = kerasgan.DCGAN(SHAPE, latent_dim=8, base_filters=4, seed=seed, **arguments)
    gan.compile()
    return gan


def state(gan) -> list:
    """Return every variable that training moves, but the metrics."""
    optimizers = [gan.d_optimizer, gan.g_optimizer] if hasattr(gan, "d_optimizer") else [gan.optimizer]
    return gan.weights + [variable for optimizer in optimizers for variable in optimizer.variables]


def digest(gan) -> str:
    return hashlib.sha256(b"".join(np.asarray(each.value).tobytes() for each in state(gan))).hexdigest()


def finite(history) -> bool:
    return bool(np.isfinite(list(history.history.values())).all())
