"""Regularizers of the discriminator: extra named terms of its loss.

A regularizer is a small serialisable object with a `name` and a method `penalty(batch) -> scalar`. The batch is a
`kerasgan.core.judged.JudgedBatch`: it shares the discriminator's passes with the loss, gives input gradients through
them in float32, and the seeds of random draws.
"""

import keras
import tensorflow as tf

from kerasgan.losses import mean
from kerasgan.support.configurable import Configurable, lookup


class Regularizer(Configurable):
    """Base class: write `penalty`, and register the class with `keras.saving`, for a regularizer of your own.

    Args:
        weight: what the penalty is multiplied by: a number, or a schedule of `kerasgan.schedules`.
        every: compute the penalty in every so-manieth update only, and count it as often: lazy regularization, Karras
            et al. 2020, section 3.1 (https://arxiv.org/abs/1912.04958). It costs quality on small data sets.

    Raises:
        ValueError: weight is negative, or every is not a positive integer.
    """

    name = "regularizer"

    def __init__(self, weight: float, every: int = 1):
        weight = keras.saving.deserialize_keras_object(weight) if isinstance(weight, dict) else weight
        if not callable(weight) and not weight >= 0:
            raise ValueError(f"{type(self).__name__} needs weight >= 0; received {weight}.")
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"{type(self).__name__} needs a whole number every >= 1; received {every!r}.")
        self.weight = weight
        self.every = every

    def __call__(self, batch) -> tf.Tensor:
        """Return the weighted penalty on a judged batch, a float32 scalar."""
        weight = self.weight(batch.step) if callable(self.weight) else self.weight
        return weight * batch.lazily(self.every, self.penalty)

    def penalty(self, batch) -> tf.Tensor:
        """Return the penalty on a judged batch, a float32 scalar."""
        raise NotImplementedError(f"{type(self).__name__} has to say its penalty(batch).")

    def get_config(self) -> dict:
        """Return the constructor arguments, a schedule serialised."""
        config = super().get_config()
        return config | ({"weight": keras.saving.serialize_keras_object(self.weight)} if callable(self.weight) else {})


@keras.saving.register_keras_serializable("kerasgan")
class R1(Regularizer):
    """Half the squared gradient norm of the logits at real images.

    Mescheder et al. 2018, equation 9 (https://arxiv.org/abs/1801.04406).
    """

    name = "r1"

    def __init__(self, weight: float = 1.0, every: int = 1):
        super().__init__(weight, every)

    def penalty(self, batch):
        """Return E[|grad D(x)|^2] / 2."""
        return 0.5 * mean(batch.squared_gradient_norm("real"))


@keras.saving.register_keras_serializable("kerasgan")
class R2(Regularizer):
    """`R1` at generated images (the same paper, section 4.1)."""

    name = "r2"

    def __init__(self, weight: float = 1.0, every: int = 1):
        super().__init__(weight, every)

    def penalty(self, batch):
        """Return E[|grad D(G(z))|^2] / 2."""
        return 0.5 * mean(batch.squared_gradient_norm("fake"))


@keras.saving.register_keras_serializable("kerasgan")
class GradientPenalty(Regularizer):
    """Gradient norms of 1 at points between real and generated images, one point an image.

    Gulrajani et al. 2017, equation 3 (https://arxiv.org/abs/1704.00028). It needs a discriminator without batch norm,
    which would mix the gradients of the images of a batch.

    Args:
        weight: lambda of the paper.
        every: see `Regularizer`.
        one_sided: leave norms under 1 alone (the paper's section 5 on the two sides).
    """

    name = "gradient_penalty"

    def __init__(self, weight: float = 10.0, every: int = 1, one_sided: bool = False):
        super().__init__(weight, every)
        self.one_sided = one_sided

    def penalty(self, batch):
        """Return E[(|grad D(x)| - 1)^2] at x = real + u (fake - real), u uniform in [0, 1]."""
        shape = tf.concat([tf.shape(batch.real)[:1], tf.ones(len(batch.real.shape) - 1, tf.int32)], 0)
        way = tf.random.stateless_uniform(shape, batch.next_seed(), dtype=batch.real.dtype)
        squared = batch.squared_gradient_norm_at(batch.real + way * (batch.fake - batch.real))
        # Kept from zero, where the root has an infinite slope.
        excess = tf.sqrt(squared + 1e-12) - 1.0
        return mean(tf.square(tf.nn.relu(excess) if self.one_sided else excess))


REGULARIZERS = {"r1": R1, "r2": R2, "gradient_penalty": GradientPenalty}


def get(regularizer: "str | dict | Regularizer") -> Regularizer:
    """Return the regularizer for a name of `REGULARIZERS`, a serialised config, or the object itself.

    Raises:
        ValueError: the name is unknown, or the object cannot be called.
    """
    return lookup(regularizer, REGULARIZERS, "regularizer", methods=("__call__",))
