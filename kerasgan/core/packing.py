"""Packs: several images that a discriminator judges together, as in PacGAN (https://arxiv.org/abs/1712.04086)."""

import keras
import tensorflow as tf


def pack_images(images: tf.Tensor, count: int) -> tf.Tensor:
    """Return images (n, h, w, c) side by side in their channels: (n / count, h, w, count * c), rounded up.

    Where they do not suffice for the last pack, the first images are used again.
    """
    if count == 1:
        return images
    packs = -(-tf.shape(images)[0] // count)
    chosen = tf.gather(images, tf.range(packs * count) % tf.shape(images)[0])
    height, width, channels = images.shape[1:]
    chosen = tf.reshape(chosen, (packs, count, height, width, channels))
    return tf.reshape(tf.transpose(chosen, (0, 2, 3, 1, 4)), (packs, height, width, count * channels))


def check_pack(count: int, discriminator: keras.Model, image_shape: tuple) -> None:
    """Raise a ValueError unless the discriminator takes packs of so many images, and nothing beside them."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"pack must be a positive whole number; received {count!r}.")
    if count == 1:
        return
    expected = (*image_shape[:2], count * image_shape[2])
    if len(discriminator.inputs) != 1 or tuple(discriminator.inputs[0].shape[1:]) != expected:
        found = [tuple(each.shape[1:]) for each in discriminator.inputs]
        raise ValueError(
            f"pack={count} shows the discriminator images of shape {expected} and nothing else; it takes {found}. "
            "Build it for that shape and give it to kerasgan.GAN(generator, discriminator)."
        )
