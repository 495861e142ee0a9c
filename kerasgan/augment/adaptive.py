"""The steps of StyleGAN2-ADA: Karras et al. 2020, appendix B (https://arxiv.org/abs/2006.06676).

Each is a function of images (batch, height, width, channels), a seed, and the probability with which every operation
of the step, by a coin of its own, changes an image. Distributions are those of the paper. Below a probability of 1 each
operation leaves what is learned unspoilt: no two distributions of images come out alike.
"""

import math

import tensorflow as tf

from kerasgan.augment.base import Draws, choose, read_rows, turned

# How far images are moved, in parts of their sides: at most, and by whole pixels; and the deviation, by parts of them.
REACH = 0.125
# Deviation of the logarithm of a size or a proportion, of contrast, and of saturation.
SIZE, CONTRAST, SATURATION = 0.2 * math.log(2), 0.5 * math.log(2), math.log(2)
BRIGHTNESS = 0.2


def blit(images, seed, probability):
    """Return the images mirrored, turned by right angles, and moved by whole pixels: all pixels keep their values.

    What is moved in from outside is the mirror image at the border. Images that are no squares are turned by half turns
    only.
    """
    square = images.shape[1] == images.shape[2]
    draws = Draws(images, seed)
    mirrored = draws.often(probability, draws.integer(0, 2), 0) == 1
    quarters = draws.often(probability, draws.integer(0, 4) if square else 2 * draws.integer(0, 2), 0)
    if square:
        images = choose(quarters % 2 == 1, turned(images), images)
    # A quarter turn exchanges the axes, then one of the two is read backwards.
    upside_down = (quarters == 1) | (quarters == 2)
    backwards = (quarters == 2) | (quarters == 3)
    for reversed_ in (upside_down, tf.not_equal(backwards, mirrored)):
        side = images.shape[1]
        moves = draws.often(probability, tf.cast(tf.round(draws.uniform(-REACH, REACH) * side), tf.int32), 0)
        source = _mirrored_into(tf.range(side)[None] - moves[:, :, 0, 0], side)
        images = turned(read_rows(images, tf.where(reversed_[:, :, 0, 0], side - 1 - source, source)))
    return images


def geometry(images, seed, probability):
    """Return the images larger or smaller, rotated, stretched and moved, in one bilinear reading of their pixels.

    The paper reads through a wavelet filter at twice the resolution, which spares fine detail; small images have hardly
    any, and this is what a CPU can afford. Borders are mirrored.
    """
    height, width = images.shape[1:3]
    draws = Draws(images, seed)
    # Two rotations, before and after the stretching, which together happen with the probability.
    each = 1.0 - tf.sqrt(1.0 - probability)
    x = tf.range(width, dtype=tf.float32)[None, None, :, None] - (width - 1) / 2
    y = tf.range(height, dtype=tf.float32)[None, :, None, None] - (height - 1) / 2
    # From where an image's points go to where they come from. Each draw is as likely as its inverse.
    x -= draws.often(probability, draws.normal(REACH), 0) * width
    y -= draws.often(probability, draws.normal(REACH), 0) * height
    x, y = _rotated(x, y, draws.often(each, draws.uniform(-math.pi, math.pi), 0))
    stretch = tf.exp(draws.often(probability, draws.normal(SIZE), 0))
    x, y = x * stretch, y / stretch
    x, y = _rotated(x, y, draws.often(each, draws.uniform(-math.pi, math.pi), 0))
    size = tf.exp(draws.often(probability, draws.normal(SIZE), 0))
    x, y = x * size + (width - 1) / 2, y * size + (height - 1) / 2
    return _read(images, _mirrored_into(y, height), _mirrored_into(x, width))


def color(images, seed, probability):
    """Return the images in other brightness, contrast, light for dark, hue and saturation; the last two of RGB only.

    All are turns and lengths around the axis of greys: what is grey and what is colour are changed each on its own.
    """
    draws = Draws(images, seed)
    brightness = draws.often(probability, draws.normal(BRIGHTNESS), 0)
    contrast = tf.exp(draws.often(probability, draws.normal(CONTRAST), 0))
    exchanged = tf.cast(1 - 2 * draws.often(probability, draws.integer(0, 2), 0), tf.float32)
    grey = tf.reduce_mean(images, axis=3, keepdims=True) if images.shape[3] == 3 else images
    # As differences, so that what is not changed stays as it is to the last bit.
    changed = images + (contrast * exchanged - 1.0) * grey + contrast * exchanged * brightness
    if images.shape[3] != 3:
        return changed
    angle = draws.often(probability, draws.uniform(-math.pi, math.pi), 0)
    strength = contrast * tf.exp(draws.often(probability, draws.normal(SATURATION), 0))
    colors = images - grey
    red, green, blue = tf.split(colors, 3, axis=3)
    across = tf.concat([blue - green, red - blue, green - red], axis=3) / math.sqrt(3.0)
    return changed + (strength * tf.cos(angle) - 1.0) * colors + strength * tf.sin(angle) * across


def _rotated(x, y, angle) -> tuple:
    return tf.cos(angle) * x - tf.sin(angle) * y, tf.sin(angle) * x + tf.cos(angle) * y


def _mirrored_into(places: tf.Tensor, side: int) -> tf.Tensor:
    """Return places, in pixels, folded into [0, side - 1] as by mirrors on the first and the last pixel."""
    last = side - 1
    return last - tf.abs(places % max(2 * last, 1) - last)


def _read(images, rows, columns) -> tf.Tensor:
    """Return the pixels at places (batch, height, width, 1) between those of the images, bilinearly."""
    height, width, channels = images.shape[1:]
    pixels = tf.reshape(images, (-1, height * width, channels))
    top, left = tf.floor(rows), tf.floor(columns)
    down, right = rows - top, columns - left

    def at(row, column):
        place = tf.minimum(row, height - 1.0) * width + tf.minimum(column, width - 1.0)
        place = tf.reshape(tf.cast(place, tf.int32), (-1, height * width))
        return tf.reshape(read_rows(pixels, place), (-1, height, width, channels))

    upper = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right
    lower = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right
    return upper * (1.0 - down) + lower * down
