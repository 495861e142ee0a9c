"""kerasgan: generative adversarial networks for Keras 3.

Public names are resolved on first use (PEP 562): importing kerasgan does not import TensorFlow. Where Keras is already
imported, the models are registered with it, so that `keras.models.load_model` knows them; import keras first.
"""

import importlib
import sys
from typing import Any

__version__ = "0.1.0"

_MODULES = (
    "augment",
    "callbacks",
    "constraints",
    "data",
    "distribution",
    "export",
    "images",
    "kinds",
    "layers",
    "likelihoods",
    "losses",
    "metrics",
    "models",
    "networks",
    "optimizers",
    "presets",
    "projection",
    "regularizers",
    "schedules",
    "testing",
    "toys",
    "walk",
)
# Name -> the module that defines it.
_NAMES = {
    "GAN": "core.gan",
    "VanillaGAN": "models",
    "DCGAN": "models",
    "LSGAN": "models",
    "WGAN": "models",
    "WGANGP": "models",
    "ConditionalGAN": "models",
    "SNGAN": "models",
    "SAGAN": "models",
    "R3GAN": "models",
    "StyleGAN2": "models",
    "SemiSupervisedGAN": "models",
    "SeqGAN": "models",
    "ACGAN": "models",
    "InfoGAN": "models",
    "Pix2Pix": "models",
    "CycleGAN": "models",
    "WaveGAN": "models",
    "TextToImageGAN": "models",
    "VAE": "models",
    "NaiveBayes": "models",
    "RBM": "models",
    "DBM": "models",
    "from_preset": "presets",
    "list_presets": "presets",
    "save_preset": "presets",
    # Not of "presets": once it is imported, the module of that name is there in place of the function.
    "transfer": "presets.transfer",
    "precision": "distribution",
    "strategy": "distribution",
}

__all__ = ["__version__", *_MODULES, *_NAMES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"kerasgan.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"kerasgan.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'kerasgan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


if "keras" in sys.modules:
    importlib.import_module("kerasgan.models")
