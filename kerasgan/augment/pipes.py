"""Augmentations by a policy: DiffAugment, and the steps of StyleGAN2-ADA by a probability that is steered."""

from typing import ClassVar

import keras
import tensorflow as tf

from kerasgan.augment import adaptive, difference
from kerasgan.augment.base import Augmentation
from kerasgan.schedules import Schedule
from kerasgan.support.configurable import lookup, unknown_name


class Pipe(Augmentation):
    """Steps, one after another, each on an image with the present probability. A subclass says which, and how often.

    Args:
        policy: words out of `steps`, separated by commas. `word:0.5` takes half the probability for that step.

    Raises:
        ValueError: policy holds another word, or none, or a share outside of [0, 1].
    """

    # Word of the policy -> function (images, seed, probability).
    steps: ClassVar[dict] = {}

    def __init__(self, policy: str, **settings):
        super().__init__(**settings)
        self.policy = policy
        self._chosen = [self._step(word) for word in policy.split(",")]

    def _step(self, word: str) -> tuple:
        word, colon, share = (part.strip() for part in word.partition(":"))
        if word not in self.steps:
            raise ValueError(unknown_name("step of an augmentation", word, self.steps))
        try:
            share = float(share) if colon else 1.0
        except ValueError:
            share = -1.0
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"In the policy {self.policy!r}, the share of {word} must be a number from 0 to 1.")
        return self.steps[word], share

    def present(self) -> tf.Tensor:
        """Return the present probability, a float32 scalar in [0, 1]."""
        raise NotImplementedError

    def moves(self) -> bool:
        """Return whether a step moves pixels, so that an image no longer lies over another one that it fits."""
        return any(step not in (difference.color, difference.cutout, adaptive.color) for step, _ in self._chosen)

    def call(self, images, seed):
        """Return the images, each changed by every step with its probability."""
        probability = self.present()
        for number, (step, share) in enumerate(self._chosen):
            images = step(images, tf.random.experimental.stateless_fold_in(seed, number), share * probability)
        return images

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"policy": self.policy}


@keras.saving.register_keras_serializable("kerasgan")
class DiffAugment(Pipe):
    """Colour, translation and cutout on every image, as strong as in the paper.

    It pays where images are few (hundreds to some ten thousands), and costs a little where they are many. Zhao et al.
    2020, section 3.2 (https://arxiv.org/abs/2006.10738).

    Args:
        policy: words out of "color", "translation", "cutout" and "flip", which is not the paper's; see `Pipe`.

    Raises:
        ValueError: policy holds another word, or none.
    """

    steps: ClassVar[dict] = {
        "color": difference.color,
        "translation": difference.translation,
        "cutout": difference.cutout,
        "flip": difference.flip,
    }

    def __init__(self, policy: str = "color,translation,cutout", **settings):
        super().__init__(policy, **settings)

    def present(self):
        """Return 1."""
        return tf.ones(())


class _Steered(Pipe):
    """The steps of StyleGAN2-ADA, with a probability that is worth to be watched."""

    observations: ClassVar[tuple[str, ...]] = ("augment_probability",)
    steps: ClassVar[dict] = {
        "blit": adaptive.blit,
        "geometry": adaptive.geometry,
        "color": adaptive.color,
        "cutout": difference.cutout,
        "translation": difference.translation,
    }

    def report(self):
        """Return the probability."""
        return {"augment_probability": self.present()}


@keras.saving.register_keras_serializable("kerasgan")
class AdaptiveAugment(_Steered):
    """Each operation on an image with a probability that grows while the discriminator memorises.

    It is certain of real images where the mean sign of their logits is over `target`. The probability then rises, and
    falls where it is not, so that `images` seen take it from 0 to 1 at most. Karras et al. 2020, section 3 and appendix
    B (https://arxiv.org/abs/2006.06676). A loss that only compares logits, such as `relativistic`, leaves them no sign
    that means anything: there, take `ScheduledAugment`.

    Args:
        policy: words out of "blit", "geometry", "color", "cutout", "translation"; see `Pipe`. The default is the
            paper's best, which it calls bgc.
        target: mean sign of the real logits to aim at, in (-1, 1).
        images: how many images take the probability from 0 to 1.

    Raises:
        ValueError: an argument is none of these.
    """

    def __init__(self, policy: str = "blit,geometry,color", target: float = 0.6, images: int = 500_000, **settings):
        super().__init__(policy, **settings)
        if not -1.0 < target < 1.0 or images < 1:
            raise ValueError(f"AdaptiveAugment needs -1 < target < 1 and images >= 1; received {target}, {images}.")
        self.target, self.images = target, images
        # Of all replicas' wishes the mean is what happens.
        self.probability = self.add_weight(
            shape=(), initializer="zeros", trainable=False, aggregation="mean", name="probability"
        )
        self.built = True

    def present(self):
        """Return what the probability has come to."""
        return tf.convert_to_tensor(self.probability)

    def adapt(self, real_logits):
        """Move the probability by what the discriminator says of real images."""
        logits = tf.cast(real_logits, tf.float32)
        certain = tf.sign(tf.reduce_mean(tf.sign(logits)) - self.target)
        step = tf.cast(tf.shape(logits)[0], tf.float32) / self.images
        self.probability.assign(tf.clip_by_value(self.probability + certain * step, 0.0, 1.0))
        return self.report()

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"target": self.target, "images": self.images}


@keras.saving.register_keras_serializable("kerasgan")
class ScheduledAugment(_Steered):
    """Each operation on an image with a probability that is given, and may change in the course of training.

    R3GAN, whose logits have no sign to go by, raises it in its burn-in: Huang et al. 2024, table 9
    (https://arxiv.org/abs/2501.05441).

    Args:
        policy: see `AdaptiveAugment`.
        probability: a number in [0, 1], or a schedule of `kerasgan.schedules` between such numbers, as
            `Cosine(0.0, 0.3, over=20_000_000, unit="images")`. From 0.8 on, augmented images are learned as if they
            were real ones (section 2.2 of the paper on `AdaptiveAugment`).

    Raises:
        ValueError: an argument is none of these.
    """

    def __init__(self, policy: str = "blit,geometry,color:0.5,cutout", probability: float = 0.3, **settings):
        super().__init__(policy, **settings)
        if isinstance(probability, dict):
            probability = keras.saving.deserialize_keras_object(probability)
        ends = (probability.start, probability.end) if isinstance(probability, Schedule) else (probability,)
        if not all(0.0 <= end <= 1.0 for end in ends):
            raise ValueError(f"ScheduledAugment needs a probability from 0 to 1; received {', '.join(map(str, ends))}.")
        self.probability = probability
        self.built = True

    def present(self):
        """Return the probability of this round."""
        return self.probability(0) if callable(self.probability) else tf.constant(self.probability, tf.float32)

    def get_config(self) -> dict:
        """Return the constructor arguments, a schedule serialised."""
        serialize = keras.saving.serialize_keras_object
        probability = serialize(self.probability) if callable(self.probability) else self.probability
        return super().get_config() | {"probability": probability}


AUGMENTATIONS = {
    "diffaugment": DiffAugment,
    "ada": AdaptiveAugment,
    "adaptive": AdaptiveAugment,
    "scheduled": ScheduledAugment,
}


def get(augmentation: "str | dict | Augmentation | None") -> Augmentation | None:
    """Return the augmentation for a name of `AUGMENTATIONS`, a serialised config, or the object itself; None for none.

    Raises:
        ValueError: the name is unknown, or the object lacks `adapt` or `report`.
    """
    if augmentation is None:
        return None
    return lookup(augmentation, AUGMENTATIONS, "augmentation", methods=("__call__", "adapt", "report"))
