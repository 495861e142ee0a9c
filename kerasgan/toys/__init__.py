"""Toys: problems so small that one sees within minutes why a family of GANs exists.

- `gaussian`: the figure of the paper of 2014, on a line.
- `plane`: `ring` and `grid`, mixtures of Gaussians on which mode collapse is seen and counted.
- `table`: every loss with everything that is added to it, on both; `pictures` draws it.
- `stacked_mnist`: a thousand modes of pictures, counted by a classifier.

Names are resolved on first use, so that a wrong one is told before TensorFlow is started.
"""

import importlib
from typing import Any

_MODULES = (
    "distributions",
    "drawing",
    "gaussian",
    "pictures",
    "plane",
    "stacked_mnist",
    "table",
    "training",
    "variants",
)
# Name -> the module that defines it.
_NAMES = {
    "MIXTURES": "distributions",
    "Mixture": "distributions",
    "Normal": "distributions",
    "Settings": "training",
    "Trainer": "training",
    "Variant": "variants",
    "parse": "variants",
}

__all__ = [*_MODULES, *_NAMES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"kerasgan.toys.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"kerasgan.toys.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'kerasgan.toys' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
