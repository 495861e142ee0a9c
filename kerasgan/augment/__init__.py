"""Augmentations: what is done to every image, real or generated, before the discriminator sees it in training.

An augmentation is a `keras.layers.Layer` called as `augment(images, seed)`, differentiable in the images. One that
learns keeps its state in weights, which are saved with the model, and moves it in `adapt`. Penalties of slopes
(`kerasgan.regularizers.R1` and the like) are about the images before it, as in StyleGAN2-ADA and R3GAN.

A policy is words separated by commas, each a step:

    flip         DiffAugment   left and right exchanged, or not
    color        DiffAugment   brightness, saturation, contrast; of the others also hue, and light for dark
    translation  all           up to an eighth of the sides, zeros where nothing was
    cutout       all           a rectangle of half the sides, zero
    blit         the others    left and right exchanged, quarter turns, whole pixels up to an eighth; mirrored borders
    geometry     the others    size, proportions, rotation, parts of pixels; mirrored borders
"""

from kerasgan.augment.base import Augmentation
from kerasgan.augment.pipes import AUGMENTATIONS, AdaptiveAugment, DiffAugment, Pipe, ScheduledAugment, get

__all__ = ["AUGMENTATIONS", "AdaptiveAugment", "Augmentation", "DiffAugment", "Pipe", "ScheduledAugment", "get"]
