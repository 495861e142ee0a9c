"""Layers that Keras does not have, or that it has in a slower form; one idea a file."""

from kerasgan.layers.batch_norm import BatchNormalization
from kerasgan.layers.convolutions import Conv2D, Conv2DTranspose

__all__ = ["BatchNormalization", "Conv2D", "Conv2DTranspose"]
