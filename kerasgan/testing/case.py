"""Case: one model under test, with its data and its tags."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

SHAPE = (16, 16, 1)
TAGS = frozenset({"has_discriminator", "conditional", "image_to_image", "takes_networks"})


def toy_images(n: int, seed: int = 0, shape: tuple = SHAPE) -> tuple:
    """Return (images,): a bright square of random brightness in the middle of a dark image, float32 in [-1, 1]."""
    bright = np.random.default_rng(seed).uniform(0.4, 0.8, (n, 1, 1, 1))
    return (np.where(_square(shape, shape[1] // 4), bright, -0.7).astype("float32"),)


def toy_labelled_images(n: int, seed: int = 0, shape: tuple = SHAPE, num_classes: int = 3) -> tuple:
    """Return (images, int32 labels): the square is bright, and the further right the larger the label."""
    (images,) = toy_images(n, seed, shape)
    labels = (np.arange(n) % num_classes).astype("int32")
    room = shape[1] // 2
    moves = labels * room // max(num_classes - 1, 1) - shape[1] // 4
    return np.stack([np.roll(image, move, axis=1) for image, move in zip(images, moves, strict=True)]), labels


def toy_pairs(n: int, seed: int = 0, shape: tuple = SHAPE) -> tuple:
    """Return ((source, target),): the square on the left and, of other brightness, on the right; not paired."""
    (source,), (target,) = toy_images(n, seed, shape), toy_images(n, seed + 1, shape)
    return ((np.roll(source, -shape[1] // 4, axis=2), np.roll(target, shape[1] // 4, axis=2)),)


def _square(shape, left):
    height, width, _ = shape
    mask = np.zeros(shape, bool)
    mask[height // 4 : height // 4 + height // 2, left : left + width // 2] = True
    return mask


# Compared by identity, so that a case can be the key of what was computed for it.
@dataclass(frozen=True, eq=False)
class Case:
    """One model under test.

    Args:
        id: short name, part of the pytest id.
        make: the model's class or a `functools.partial` of it: called with the keyword `seed`, it returns a new,
            uncompiled model. It has to be importable by name, since some checks call it in another process.
        tags: which checks apply, out of "has_discriminator" (two networks take turns), "conditional" (labels),
            "image_to_image" (the sampler takes images), "takes_networks" (the constructor needs networks, so that it
            cannot be called without arguments).
        data: (n, seed) to the structure `tf.data.Dataset.from_tensor_slices` takes: (images,), (images, labels) or
            ((source, target),). The default fits the tags, for images of 16x16x1. Small distinct distributions
            are what the check `fits_toy` can learn in seconds.
        known_failures: name of a check -> the reason why this model fails it. Strict: it is an error if it passes.
    """

    id: str
    make: Callable
    tags: frozenset = frozenset({"has_discriminator"})
    data: Callable | None = None
    known_failures: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        unknown = set(self.tags) - TAGS
        if unknown:
            raise ValueError(f"Unknown tags {sorted(unknown)} of case {self.id!r}; known: {sorted(TAGS)}.")
        object.__setattr__(self, "tags", frozenset(self.tags))

    def examples(self, n: int, seed: int = 0) -> tuple:
        """Return n training examples as arrays."""
        if self.data is not None:
            return self.data(n, seed)
        if "image_to_image" in self.tags:
            return toy_pairs(n, seed)
        return (toy_labelled_images if "conditional" in self.tags else toy_images)(n, seed)

    def dataset(self, n: int = 12, batch_size: int = 6, seed: int = 0) -> tf.data.Dataset:
        """Return n training examples in batches of a fixed order."""
        return tf.data.Dataset.from_tensor_slices(self.examples(n, seed)).batch(batch_size)

    def batch(self, n: int = 8, seed: int = 0) -> tuple:
        """Return n training examples as tensors: what `train_step` takes."""
        return tf.nest.map_structure(tf.convert_to_tensor, self.examples(n, seed))

    def target_images(self, n: int, seed: int = 0) -> np.ndarray:
        """Return n examples of the images the model should learn to make."""
        images = self.examples(n, seed)[0]
        return images[1] if "image_to_image" in self.tags else images

    def labels(self, n: int) -> "np.ndarray | None":
        """Return the labels of the n examples; None for an unconditional model."""
        return self.examples(n)[1] if "conditional" in self.tags else None
