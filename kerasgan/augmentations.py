"""Augmentations: what is done to every image, real or generated, before the discriminator sees it in training.

An augmentation is a `keras.layers.Layer` called as `augment(images, seed)`, differentiable in the images. One that
learns keeps its state in weights, which are saved with the model, and moves it in `adapt`.
"""

from typing import ClassVar

import keras
import tensorflow as tf

from kerasgan.support.configurable import lookup, unknown_name


class Augmentation(keras.layers.Layer):
    """Base class: write `call`, and register the class with `keras.saving`, for an augmentation of your own."""

    # Names of what `adapt` and `report` return.
    observations: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, name=None, dtype="float32", **settings):
        super().__init__(name=name, dtype=dtype, **settings)

    def call(self, images, seed):
        """Return images (batch, height, width, channels) changed by draws of a seed of two integers."""
        raise NotImplementedError

    def adapt(self, real_logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """Learn from the logits of real images in an update of the discriminator; return `report()`."""
        return self.report()

    def report(self) -> dict[str, tf.Tensor]:
        """Return name -> scalar to show among the metrics."""
        return {}


@keras.saving.register_keras_serializable("kerasgan")
class DiffAugment(Augmentation):
    """Colour, translation and cutout on every image, as strong as in the paper.

    It pays where images are few (hundreds to some ten thousands), and costs a little where they are many. Zhao et al.
    2020, section 3.2 (https://arxiv.org/abs/2006.10738).

    Args:
        policy: words out of "color", "translation", "cutout", separated by commas.

    Raises:
        ValueError: policy holds another word, or none.
    """

    def __init__(self, policy: str = "color,translation,cutout", **settings):
        super().__init__(**settings)
        self.policy = policy
        self.steps = [_step(word.strip()) for word in policy.split(",")]

    def call(self, images, seed):
        """Return the images, each changed by every step."""
        return _transformed(self.steps, images, seed, 1.0)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"policy": self.policy}


@keras.saving.register_keras_serializable("kerasgan")
class AdaptiveAugment(DiffAugment):
    """The same steps, each on an image with a probability that grows while the discriminator memorises.

    It is certain of real images where the mean sign of their logits is over `target`. The probability then rises, and
    falls where it is not, so that `images` seen take it from 0 to 1 at most. Karras et al. 2020, section 3
    (https://arxiv.org/abs/2006.06676).

    Args:
        policy: see `DiffAugment`.
        target: mean sign of the real logits to aim at, in (-1, 1).
        images: how many images take the probability from 0 to 1.

    Raises:
        ValueError: an argument is none of these.
    """

    observations: ClassVar[tuple[str, ...]] = ("augment_probability",)

    def __init__(
        self, policy: str = "color,translation,cutout", target: float = 0.6, images: int = 500_000, **settings
    ):
        super().__init__(policy, **settings)
        if not -1.0 < target < 1.0 or images < 1:
            raise ValueError(f"AdaptiveAugment needs -1 < target < 1 and images >= 1; received {target}, {images}.")
        self.target, self.images = target, images
        # Of all replicas' wishes the mean is what happens.
        self.probability = self.add_weight(
            shape=(), initializer="zeros", trainable=False, aggregation="mean", name="probability"
        )
        self.built = True

    def call(self, images, seed):
        """Return the images, each changed by every step with the present probability."""
        return _transformed(self.steps, images, seed, tf.convert_to_tensor(self.probability))

    def adapt(self, real_logits):
        """Move the probability by what the discriminator says of real images."""
        logits = tf.cast(real_logits, tf.float32)
        certain = tf.sign(tf.reduce_mean(tf.sign(logits)) - self.target)
        step = tf.cast(tf.shape(logits)[0], tf.float32) / self.images
        self.probability.assign(tf.clip_by_value(self.probability + certain * step, 0.0, 1.0))
        return self.report()

    def report(self):
        """Return the probability."""
        return {"augment_probability": tf.convert_to_tensor(self.probability)}

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"target": self.target, "images": self.images}


AUGMENTATIONS = {"diffaugment": DiffAugment, "adaptive": AdaptiveAugment}


def get(augmentation: "str | dict | Augmentation | None") -> Augmentation | None:
    """Return the augmentation for a name of `AUGMENTATIONS`, a serialised config, or the object itself; None for none.

    Raises:
        ValueError: the name is unknown, or the object lacks `adapt` or `report`.
    """
    if augmentation is None:
        return None
    return lookup(augmentation, AUGMENTATIONS, "augmentation", methods=("__call__", "adapt", "report"))


def _transformed(steps, images, seed, probability):
    """Return the images, each put through each step with a probability."""
    seeds = tf.random.experimental.stateless_split(seed, 2 * len(steps))
    size = tf.shape(images)[0]
    for number, step in enumerate(steps):
        chosen = tf.random.stateless_uniform((size, 1, 1, 1), seeds[2 * number]) < probability
        images = tf.where(chosen, step(images, seeds[2 * number + 1]), images)
    return images


def _color(images, seed):
    """Return the images brighter or darker, with more or less saturation, and with more or less contrast."""
    draws = tf.random.stateless_uniform((3, tf.shape(images)[0], 1, 1, 1), seed, dtype=images.dtype)
    images += draws[0] - 0.5
    grey = tf.reduce_mean(images, axis=3, keepdims=True)
    images = grey + 2.0 * draws[1] * (images - grey)
    middle = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return middle + (0.5 + draws[2]) * (images - middle)


def _translation(images, seed):
    """Return the images moved by up to an eighth of their sides, with zeros where nothing was."""
    for axis in (1, 2):
        side = images.shape[axis]
        reach = side // 8
        draw = tf.random.experimental.stateless_fold_in(seed, axis)
        moves = tf.random.stateless_uniform((tf.shape(images)[0], 1), draw, -reach, reach + 1, tf.int32)
        # A border of one zero, which everything outside of the image reads.
        padded = tf.pad(images, [[1, 1] if each == axis else [0, 0] for each in range(4)])
        source = tf.clip_by_value(tf.range(side)[None] + 1 + moves, 0, side + 1)
        order = (0, 1, 2, 3) if axis == 1 else (0, 2, 1, 3)
        moved = tf.gather(tf.transpose(padded, order), source, axis=1, batch_dims=1)
        images = tf.ensure_shape(tf.transpose(moved, order), images.shape)
    return images


def _cutout(images, seed):
    """Return the images with a rectangle of half their sides set to zero, anywhere, partly outside as it comes."""
    kept = []
    for axis in (1, 2):
        side = images.shape[axis]
        draw = tf.random.experimental.stateless_fold_in(seed, axis)
        centres = tf.random.stateless_uniform((tf.shape(images)[0], 1), draw, 0, side, tf.int32)
        inside = tf.abs(tf.range(side)[None] - centres) < side // 4
        kept.append(inside[:, :, None] if axis == 1 else inside[:, None, :])
    return tf.where((kept[0] & kept[1])[..., None], tf.zeros((), images.dtype), images)


STEPS = {"color": _color, "translation": _translation, "cutout": _cutout}


def _step(word: str):
    if word not in STEPS:
        raise ValueError(unknown_name("step of an augmentation", word, STEPS))
    return STEPS[word]
