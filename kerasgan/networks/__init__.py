"""Builders that return functional `keras.Model`s; use them in a `kerasgan.GAN` of your own."""

from kerasgan.networks.dcgan import dcgan_discriminator, dcgan_generator
from kerasgan.networks.mlp import mlp_discriminator, mlp_generator
from kerasgan.networks.points import point_discriminator, point_generator
from kerasgan.networks.resnet import resnet_discriminator, resnet_generator
from kerasgan.networks.semi_supervised import semi_supervised_discriminator, semi_supervised_generator

__all__ = [
    "dcgan_discriminator",
    "dcgan_generator",
    "mlp_discriminator",
    "mlp_generator",
    "point_discriminator",
    "point_generator",
    "resnet_discriminator",
    "resnet_generator",
    "semi_supervised_discriminator",
    "semi_supervised_generator",
]
