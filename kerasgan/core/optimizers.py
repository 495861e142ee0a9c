"""Two optimizers in one `keras.Model`: built early, loss-scaled alike, moved by one learning-rate callback."""

import keras
import tensorflow as tf


def prepare_optimizer(optimizer, network: keras.Model, accumulate: int | None = None):
    """Return a built optimizer for a network, loss-scaled where the network computes in float16.

    An optimizer that is not built when weights are loaded would silently keep its empty state.

    With `accumulate`, each player is updated by the mean gradient of so many batches. Rounds, images, schedules and
    averages of batch norm go by batches; `iterations`, and with them Adam's corrections, lazy penalties and the
    warm-up of `ema_decay`, by updates. The players take turns as ever: a discriminator with one update a round makes
    it in the last batch of the so many, before the generator's gradient of that batch and after those of the others.

    Args:
        optimizer: `keras.optimizers.Optimizer`, or its name.
        network: what it trains.
        accumulate: batches of an update; None leaves what the optimizer says.

    Raises:
        ValueError: accumulate is not a positive integer, or the optimizer says otherwise, or several devices share a
            batch.
    """
    optimizer = keras.optimizers.get(optimizer)
    if accumulate is not None:
        _accumulate(getattr(optimizer, "inner_optimizer", optimizer), accumulate)
    if accumulated(optimizer) > 1 and tf.distribute.get_strategy().num_replicas_in_sync > 1:
        raise ValueError("Gradients of several batches are added up on one device only. Leave out accumulate.")
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if computes_in_float16(network) and not scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(network.trainable_variables)
    return optimizer


def _accumulate(optimizer, batches: int) -> None:
    if isinstance(batches, bool) or not isinstance(batches, int) or batches < 1:
        raise ValueError(f"accumulate must be a whole number of batches, at least 1; received {batches!r}.")
    if (optimizer.built and accumulated(optimizer) != batches) or accumulated(optimizer) not in (1, batches):
        raise ValueError(
            f"accumulate={batches}, but the {type(optimizer).__name__} was made for updates of "
            f"{accumulated(optimizer)} batches. Give a new one, without gradient_accumulation_steps."
        )
    optimizer.gradient_accumulation_steps = batches if batches > 1 else None


def accumulated(optimizer) -> int:
    """Return of how many batches an optimizer makes an update."""
    return getattr(optimizer, "inner_optimizer", optimizer).gradient_accumulation_steps or 1


def computes_in_float16(network: keras.Model) -> bool:
    """Return whether any layer of the network computes in float16, whose small gradients vanish unscaled."""
    return any(layer.compute_dtype == "float16" for layer in network._flatten_layers())


def apply_gradients(tape: tf.GradientTape, objective: tf.Tensor, network: keras.Model, optimizer, only=None) -> None:
    """Update one network, or `only` these variables of it, and nothing else, down the gradient of its objective."""
    variables = network.trainable_variables if only is None else only
    gradients = tape.gradient(objective, variables)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        gradients = _agree_on_finite(gradients)
    optimizer.apply(gradients, variables)


def _agree_on_finite(gradients: list) -> list:
    """Make the gradients of all replicas NaN where those of one are not finite.

    The loss scale looks at the first replica only: a NaN on another would reach the weights.
    """
    replica = tf.distribute.get_replica_context()
    present = [gradient for gradient in gradients if gradient is not None]
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in present])
    votes = replica.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(finite, "float32"))
    agreed = tf.equal(votes, float(replica.num_replicas_in_sync))
    return [
        None if gradient is None else tf.where(agreed, gradient, tf.constant(float("nan"), gradient.dtype))
        for gradient in gradients
    ]


class PairedOptimizers:
    """What Keras callbacks see as `gan.optimizer`: the learning rates of both optimizers as one.

    Reading gives the generator's. Assigning sets the generator's and scales the discriminator's by the same factor,
    so that `LearningRateScheduler` and `ReduceLROnPlateau` keep the ratio of the two.
    """

    built = True

    def __init__(self, d_optimizer, g_optimizer):
        self._d_optimizer = d_optimizer
        self._g_optimizer = g_optimizer
        # Through a tensor: under a strategy the rates are mirrored variables, which float() does not take.
        d_rate, g_rate = (float(tf.convert_to_tensor(each.learning_rate)) for each in (d_optimizer, g_optimizer))
        self._ratio = d_rate / max(g_rate, 1e-30)

    @property
    def variables(self) -> list:
        """The variables of both, the discriminator's first; `summary` counts them."""
        return [*self._d_optimizer.variables, *self._g_optimizer.variables]

    @property
    def iterations(self):
        """How many updates the generator has had."""
        return self._g_optimizer.iterations

    @property
    def learning_rate(self):
        """The generator's learning rate."""
        return self._g_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        for name, optimizer in (("g_optimizer", self._g_optimizer), ("d_optimizer", self._d_optimizer)):
            rate = getattr(optimizer, "inner_optimizer", optimizer)._learning_rate
            if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
                raise ValueError(
                    f"The learning rate of {name} follows a {type(rate).__name__}, so no callback can set it. Compile "
                    "with a number there, or leave out the callback that changes learning rates."
                )
        self._g_optimizer.learning_rate = value
        self._d_optimizer.learning_rate = float(value) * self._ratio
