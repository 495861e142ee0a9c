"""Schedules: numbers that change in training, by the rounds played or the images seen so far.

One object does for learning rates, weights of regularizers, the half-life of the averaged generator, and the betas of
`ScheduledAdam`. The model's `compile` shows every schedule the model's clock, so that a discriminator with several
updates a round follows the same course as its generator, and a run of another batch size sees as many images.
"""

import math

import keras
import tensorflow as tf

from kerasgan.optimizers import Adam

UNITS = ("steps", "images")


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Base class: from `start` to `end` in the course of `over` rounds or images, and `end` from then on.

    Args:
        start: the first value.
        end: the last value.
        over: how long the change takes, in `unit`s; more than 0.
        unit: "steps", rounds of the game (batches of a model without opponents), or "images" that were seen.
        after: keep `start` for so many units first.

    Raises:
        ValueError: an argument is none of these.
    """

    def __init__(self, start: float, end: float, over: float, unit: str = "steps", after: float = 0):
        if unit not in UNITS:
            raise ValueError(f"unit must be one of {UNITS}; received {unit!r}.")
        if not over > 0 or after < 0:
            raise ValueError(f"{type(self).__name__} needs over > 0 and after >= 0; received {over} and {after}.")
        self.start, self.end, self.over, self.unit, self.after = start, end, over, unit, after
        self._clock = None

    def bind(self, clock) -> None:
        """Take the time from a model's clock, which has the variables `steps` and `images`, from now on."""
        self._clock = clock

    def __call__(self, step) -> tf.Tensor:
        """Return the present value, a float32 scalar.

        Args:
            step: the time of a schedule that no model was compiled with, in its own units.
        """
        now = step if self._clock is None else getattr(self._clock, self.unit)
        share = (tf.cast(tf.convert_to_tensor(now), tf.float32) - self.after) / self.over
        return self.start + (self.end - self.start) * self.course(tf.clip_by_value(share, 0.0, 1.0))

    def course(self, share: tf.Tensor) -> tf.Tensor:
        """Return how much of the change is done, 0 to 1, when a share of the time, 0 to 1, has gone by."""
        raise NotImplementedError

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return {name: getattr(self, name) for name in ("start", "end", "over", "unit", "after")}


@keras.saving.register_keras_serializable("kerasgan")
class Linear(Schedule):
    """A straight line: constant for `after`, then to `end`, as in CycleGAN and SNGAN."""

    def course(self, share):
        """Return the share itself."""
        return share


@keras.saving.register_keras_serializable("kerasgan")
class Cosine(Schedule):
    """Half a cosine wave: slow at both ends, as in R3GAN's burn-in."""

    def course(self, share):
        """Return (1 - cos(pi share)) / 2."""
        return 0.5 * (1.0 - tf.cos(math.pi * share))


SCHEDULES = {"linear": Linear, "cosine": Cosine}


@keras.saving.register_keras_serializable("kerasgan")
class ScheduledAdam(Adam):
    """`kerasgan.optimizers.Adam` whose betas may be schedules too; Keras's takes fixed numbers only.

    The bias correction takes the present beta, as if it had been in force from the start.

    Args:
        learning_rate: number or schedule.
        beta_1: number or schedule, decay of the mean gradient.
        beta_2: number or schedule, decay of the mean squared gradient.
        **settings: the other arguments of Adam.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, **settings):
        super().__init__(learning_rate, **settings)
        self.beta_1, self.beta_2 = _schedule(beta_1), _schedule(beta_2)

    def update_step(self, gradient, variable, learning_rate):
        """Update a variable with the betas of this step."""
        given = self.beta_1, self.beta_2
        self.beta_1, self.beta_2 = (self._present(beta) for beta in given)
        try:
            super().update_step(gradient, variable, learning_rate)
        finally:
            self.beta_1, self.beta_2 = given

    def _present(self, beta):
        return beta(self.iterations) if callable(beta) else beta

    def get_config(self) -> dict:
        """Return the constructor arguments, schedules serialised."""
        betas = {"beta_1": self.beta_1, "beta_2": self.beta_2}
        serialize = keras.saving.serialize_keras_object
        return super().get_config() | {
            name: serialize(beta) if callable(beta) else beta for name, beta in betas.items()
        }


def _schedule(value):
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value


def bind(clock, *holders) -> None:
    """Show a clock to every `Schedule` among the attributes of objects: optimizers, regularizers, a model."""
    for holder in holders:
        inner = getattr(holder, "inner_optimizer", None)  # Of a LossScaleOptimizer.
        if inner is not None:
            bind(clock, inner)
        for value in list(vars(holder).values()):
            if isinstance(value, Schedule):
                value.bind(clock)
