"""The averaged generator: an exponential moving average of weights that samples better than the live one.

Karras et al. 2018, section 4 (https://arxiv.org/abs/1710.10196); Yazici et al. 2019 (https://arxiv.org/abs/1806.04498).
"""

from collections.abc import Iterable

import keras
import tensorflow as tf


def clone_network(network: keras.Model) -> keras.Model:
    """Return a copy of a network with equal weights of its own that no optimizer trains."""
    config = keras.saving.serialize_keras_object(network)
    clone = keras.saving.deserialize_keras_object(config)
    clone.set_weights(network.get_weights())
    clone.trainable = False
    return clone


def average_towards(average: keras.Model, live: keras.Model, decay: tf.Tensor) -> None:
    """Move every floating-point variable of the average, batch-norm statistics included, towards the live one.

    Args:
        average: what moves.
        live: where it moves to.
        decay: share of its old value that a variable keeps, a float32 scalar.
    """
    rate = 1.0 - decay
    for slow, fast in zip(average.variables, live.variables, strict=True):
        if tf.as_dtype(slow.dtype).is_floating:
            slow.assign(slow + tf.cast(rate, slow.dtype) * (fast - slow))


def warmed_up(decay: float, step: tf.Tensor) -> tf.Tensor:
    """Return a decay that grows as (1 + step) / (10 + step) up to the given one: the first steps are soon forgotten."""
    step = tf.cast(step, "float32")
    return tf.minimum(decay, (1.0 + step) / (10.0 + step))


def decay_of_half_life(half_life, images: tf.Tensor) -> tf.Tensor:
    """Return the decay of a step on so many images, by which the weights of `half_life` images ago count half.

    Karras et al. 2020 (https://arxiv.org/abs/2006.06676), appendix B: 0.5^(batch size / half-life).

    Args:
        half_life: in images; at 0 nothing old is kept.
        images: of the step.
    """
    half_life = tf.cast(half_life, "float32")
    return tf.where(half_life > 0, 0.5 ** (tf.cast(images, "float32") / tf.maximum(half_life, 1e-6)), 0.0)


def calibrate_batch_norm(network: keras.Model, inputs: Iterable[tuple]) -> None:
    """Set a network's batch-norm statistics to their means over the given inputs."""
    norms = [layer for layer in network._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    if not norms:
        return
    momenta = [(norm, norm.momentum, norm.trainable) for norm in norms]
    try:
        for number, batch in enumerate(inputs):
            for norm in norms:
                # Momentum k / (k + 1) makes the moving average the plain mean of k + 1 batches.
                norm.momentum, norm.trainable = number / (number + 1), True
            network(batch[0] if len(batch) == 1 else list(batch), training=True)
    finally:
        for norm, momentum, trainable in momenta:
            norm.momentum, norm.trainable = momentum, trainable


class CalibrateAverage(keras.callbacks.Callback):
    """Calibrate the averaged generator at the end of every epoch; `GAN.fit` puts it before all other callbacks."""

    def on_epoch_end(self, epoch, logs=None):
        """Re-estimate the averaged generator's batch-norm statistics."""
        self.model.calibrate()
