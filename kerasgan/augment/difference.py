"""The steps of DiffAugment, as strong as in Zhao et al. 2020, section 3.2 (https://arxiv.org/abs/2006.10738).

Each is a function of images (batch, height, width, channels), a seed, and the probability with which an image is
changed.
"""

import functools

import tensorflow as tf

from kerasgan.augment.base import Draws, choose, read_rows, turned


def _at_times(change):
    """Return the step that makes a change, a function of images and their draws, with a probability an image."""

    @functools.wraps(change)
    def step(images, seed, probability):
        draws = Draws(images, seed)
        return choose(draws.coin(probability), change(images, draws), images)

    return step


@_at_times
def flip(images, draws):
    """Return half of the images with left and right exchanged."""
    return choose(draws.coin(0.5), images[:, :, ::-1], images)


@_at_times
def color(images, draws):
    """Return the images brighter or darker, with more or less saturation, and with more or less contrast."""
    images += draws.uniform(-0.5, 0.5)
    grey = tf.reduce_mean(images, axis=3, keepdims=True)
    images = grey + draws.uniform(0.0, 2.0) * (images - grey)
    middle = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return middle + draws.uniform(0.5, 1.5) * (images - middle)


@_at_times
def translation(images, draws):
    """Return the images moved by up to an eighth of their sides, with zeros where nothing was."""
    for _ in range(2):
        side = images.shape[1]
        reach = side // 8
        moves = draws.integer(-reach, reach + 1)[:, :, 0, 0]
        # A border of one zero, which everything outside of the image reads.
        padded = tf.pad(images, [[0, 0], [1, 1], [0, 0], [0, 0]])
        images = turned(read_rows(padded, tf.clip_by_value(tf.range(side)[None] + 1 + moves, 0, side + 1)))
    return images


@_at_times
def cutout(images, draws):
    """Return the images with a rectangle of half their sides set to zero, anywhere, partly outside as it comes."""
    height, width = images.shape[1:3]
    rows = tf.abs(tf.range(height)[None, :, None, None] - draws.integer(0, height)) < height // 4
    columns = tf.abs(tf.range(width)[None, None, :, None] - draws.integer(0, width)) < width // 4
    return images * tf.cast(~(rows & columns), images.dtype)
