"""What a model makes up itself: random numbers, and class numbers in turn."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kerasgan.kinds.kind import Kind

DISTRIBUTIONS = ("normal", "uniform", "unit")


@dataclass(frozen=True)
class Latents(Kind):
    """Random numbers, float32 (size,).

    Args:
        size: how many belong to one example.
        distribution: "normal": mean 0, variance 1; "uniform": in [-1, 1); "unit": uniform in [0, 1).
    """

    size: int
    distribution: str = "normal"
    name: ClassVar[str] = "latents"
    drawn: ClassVar[bool] = True

    def __post_init__(self):
        if self.distribution not in DISTRIBUTIONS:
            raise ValueError(f"distribution must be one of {DISTRIBUTIONS}; received {self.distribution!r}.")

    @property
    def shape(self):
        """(size,)."""
        return (self.size,)

    def draw(self, n, seed):
        """Return n random vectors."""
        import tensorflow as tf

        if self.distribution == "normal":
            return tf.random.stateless_normal((n, self.size), seed=seed)
        smallest = -1.0 if self.distribution == "uniform" else 0.0
        return tf.random.stateless_uniform((n, self.size), seed=seed, minval=smallest)

    def path(self, start, end, steps: int) -> np.ndarray:
        """Return the way from one to another, both included: float32 (steps, size).

        Between normal latents it is spherical: points on a straight line are shorter than any latent the model was
        trained on. White 2016, equation 2 (https://arxiv.org/abs/1609.04468).
        """
        start, end = np.asarray(start), np.asarray(end)
        return (spherical_path if self.distribution == "normal" else straight_path)(start, end, steps)

    def loop(self, n: int, steps: int, seed, turns: int = 2):
        """Return n closed ways through the space, float32 tensor (steps, n, size): after the last step comes the first.

        A way of normal latents is a mean of `turns` ellipses, of which the k-th is run through k times; at any time its
        points are distributed like latents that are drawn, so their lengths are typical too. Of uniform latents
        it is such a way, told by the normal distribution function.

        Args:
            n: how many ways.
            steps: points of each.
            seed: two integers in a tensor.
            turns: how many ellipses: the more, the more there is to see on one way.
        """
        import tensorflow as tf

        times = 2.0 * np.pi * np.outer(np.arange(steps), np.arange(1, turns + 1)) / steps
        waves = np.concatenate([np.cos(times), np.sin(times)], axis=1) / np.sqrt(turns)
        axes = tf.random.stateless_normal((2 * turns, n, self.size), seed=seed)
        ways = tf.tensordot(tf.constant(waves, "float32"), axes, 1)
        if self.distribution == "normal":
            return ways
        shares = 0.5 * (1.0 + tf.math.erf(ways / np.sqrt(2.0)))
        return shares if self.distribution == "unit" else 2.0 * shares - 1.0

    def unusual(self, latents):
        """Return how unlike latents that are drawn these are, float32 tensor (n,): 0 where they are typical.

        Of normal ones it is how surprising their length is, in nats: the squared length has the mean `size` and the
        variance 2 * `size`. Of uniform ones it is the square of how far they are out of their range.
        """
        import tensorflow as tf

        if self.distribution == "normal":
            return self.size / 4.0 * tf.square(tf.reduce_mean(tf.square(latents), axis=1) - 1.0)
        low = -1.0 if self.distribution == "uniform" else 0.0
        return tf.reduce_sum(tf.square(latents - tf.clip_by_value(latents, low, 1.0)), axis=1)


@dataclass(frozen=True)
class Labels(Kind):
    """Class numbers, int32. Drawn, they go through the classes in turn.

    Args:
        num_classes: the classes are 0 to num_classes - 1.
        unknown: whether -1 is allowed: of an example whose class is not known.
    """

    num_classes: int
    unknown: bool = False
    name: ClassVar[str] = "labels"
    dtype: ClassVar[str] = "int32"
    drawn: ClassVar[bool] = True

    @property
    def shape(self):
        """(): one number."""
        return ()

    @property
    def bounds(self):
        """The first and the last class, or -1 and the last."""
        return -1 if self.unknown else 0, self.num_classes - 1

    @property
    def bounds_message(self):
        """What to say where a label is no class."""
        low, high = self.bounds
        known = f"labels must be in {low}..{high}{' (-1: not known)' if self.unknown else ''}."
        return f"{known} Number the classes from 0, or build the model with a larger num_classes."

    def describe(self):
        """Return "10 classes"."""
        return f"{self.num_classes} classes"

    def draw(self, n, seed):
        """Return the classes in turn."""
        import tensorflow as tf

        return tf.range(n, dtype="int32") % self.num_classes

    def take(self, given, n, name, owner):
        """Return n labels; one number stands for all."""
        labels = np.asarray(given)
        if labels.ndim == 0:
            labels = np.full(n, labels)
        if labels.shape != (n,) or not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(
                f"{name} must be {n} integers, one for each; received shape {labels.shape}, dtype {labels.dtype}."
            )
        if labels.min() < 0 or labels.max() >= self.num_classes:
            raise ValueError(f"{name} must be in 0..{self.num_classes - 1}; received {labels.min()}..{labels.max()}.")
        return labels.astype("int32")

    def check(self, array, owner="The model"):
        """Raise a ValueError unless these are integers of shape (batch,)."""
        if len(array.shape) != 1:
            raise ValueError(
                f"labels must have the shape (batch,), one an example; received {tuple(array.shape)}. Of one-hot "
                "labels take np.argmax(labels, axis=1)."
            )
        super().check(array, owner)


def straight_path(start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """Return `steps` points of the straight line between two vectors, float32 (steps, dim)."""
    share = np.linspace(0.0, 1.0, steps)[:, None]
    return ((1 - share) * start + share * end).astype("float32")


def spherical_path(start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """Return `steps` points of the great-circle path between two vectors, float32 of shape (steps, dim)."""
    cosine = np.dot(start, end) / (np.linalg.norm(start) * np.linalg.norm(end) + 1e-12)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    if angle < 1e-4:  # Parallel vectors: the sines vanish and the straight line is the path.
        return straight_path(start, end, steps)
    share = np.linspace(0.0, 1.0, steps)[:, None]
    path = (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)
    return path.astype("float32")
