"""Toy images in black and white, for models of such."""

import numpy as np

from kerasgan.testing.toy_data import toy_images, toy_labelled_images


def black_and_white(n: int, seed: int = 0) -> tuple:
    return (np.sign(toy_images(n, seed)[0]),)


def labelled_black_and_white(n: int, seed: int = 0) -> tuple:
    images, labels = toy_labelled_images(n, seed)
    return np.sign(images), labels
