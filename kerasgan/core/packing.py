"""Packs: several examples that a discriminator judges together, as in PacGAN (https://arxiv.org/abs/1712.04086)."""

import keras
import tensorflow as tf


def pack_examples(examples: tf.Tensor, count: int) -> tf.Tensor:
    """Return examples (n, ..., c) side by side in their last axis: (n / count, ..., count * c), rounded up.

    Where they do not suffice for the last pack, the first ones are used again.
    """
    if count == 1:
        return examples
    packs = -(-tf.shape(examples)[0] // count)
    chosen = tf.gather(examples, tf.range(packs * count) % tf.shape(examples)[0])
    *places, channels = examples.shape[1:]
    together = tf.reshape(chosen, (packs, count, *places, channels))
    order = (0, *range(2, 2 + len(places)), 1, 2 + len(places))
    return tf.reshape(tf.transpose(together, order), (packs, *places, count * channels))


def packed_shape(shape: tuple, count: int) -> tuple:
    """Return the shape of one pack of examples of a shape: so many times the channels.

    Raises:
        ValueError: count is not a positive whole number.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"pack must be a positive whole number; received {count!r}.")
    return (*shape[:-1], count * shape[-1])


def check_batch(count: int, x, batch_size: int | None) -> None:
    """Raise a ValueError where batches that are known to be so small would show the same example twice in a pack."""
    if hasattr(x, "element_spec"):
        shape = tf.nest.flatten(x.element_spec)[0].shape
        # What has no batches is refused by its kind.
        batch_size = shape[0] if shape.rank else None
    if batch_size is not None and batch_size < count:
        raise ValueError(
            f"A batch of {batch_size} is less than one pack of pack={count} different examples. Make batch_size a "
            f"multiple of {count}, or pack smaller."
        )


def check_pack(count: int, discriminator: keras.Model, shape: tuple) -> None:
    """Raise a ValueError unless the discriminator takes packs of so many examples, and nothing beside them."""
    expected = packed_shape(tuple(shape), count)
    if count == 1:
        return
    if len(discriminator.inputs) != 1 or tuple(discriminator.inputs[0].shape[1:]) != expected:
        found = [tuple(each.shape[1:]) for each in discriminator.inputs]
        raise ValueError(
            f"pack={count} shows the discriminator inputs of shape {expected} and nothing else, so no labels either; "
            f"it takes {found}. Build it for that shape, or leave pack at 1."
        )
