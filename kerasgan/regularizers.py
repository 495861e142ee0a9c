"""Regularizers: extra named terms of the discriminator's loss, of the generator's, or of both.

A regularizer is a small serialisable object with a `name` and a method `penalty(batch) -> scalar`. The batch is a
`kerasgan.core.judged.JudgedBatch`: it shares the discriminator's passes with the loss, gives input gradients through
them in float32, and the seeds of random draws. Its `players` say whose loss it belongs to.
"""

import keras
import tensorflow as tf

from kerasgan.augment import DiffAugment
from kerasgan.layers.running_mean import RunningMean
from kerasgan.layers.tracked_mean import TrackedMean
from kerasgan.losses import feature_matching, mean
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
    # Whose loss it is a term of. In both, the terms are called `d_` and `g_` with the name.
    players = ("discriminator",)
    # Whether the penalty makes images of its own, which a lazy one of the generator's has to.
    makes_images = False

    def __init__(self, weight: float, every: int = 1):
        weight = keras.saving.deserialize_keras_object(weight) if isinstance(weight, dict) else weight
        if not callable(weight) and not weight >= 0:
            raise ValueError(f"{type(self).__name__} needs weight >= 0; received {weight}.")
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"{type(self).__name__} needs a whole number every >= 1; received {every!r}.")
        if every > 1 and "generator" in self.players and not self.makes_images:
            # A lazy term takes its gradient in a branch of its own, where the images are made already.
            raise ValueError(f"{type(self).__name__} is a term of the generator's, which needs every=1; got {every}.")
        self.weight = weight
        self.every = every

    def __call__(self, batch) -> tf.Tensor:
        """Return the weighted penalty on a judged batch, a float32 scalar."""
        weight = self.weight(batch.step) if callable(self.weight) else self.weight
        return weight * batch.lazily(self.every, self.penalty)

    def remember(self, networks: dict) -> list[keras.layers.Layer]:
        """Return the layers that hold its memory, made anew in `compile`; the model saves them.

        Args:
            networks: player -> the network that it trains.
        """
        del networks
        return []

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
        excess = _norm(batch, batch.real + way * (batch.fake - batch.real)) - 1.0
        return mean(tf.square(tf.nn.relu(excess) if self.one_sided else excess))


@keras.saving.register_keras_serializable("kerasgan")
class DRAGAN(Regularizer):
    """Gradient norms of 1 in the neighbourhood of real images, whatever the loss.

    A discriminator that is steep around real images pulls all generated ones to a few of them. Kodali et al. 2017,
    algorithm 1 (https://arxiv.org/abs/1705.07215), with the noise of the authors' code
    (https://github.com/kodalinaveen3/DRAGAN): never negative, half as wide as the standard deviation of the whole
    batch, and of that a random part an image. Where several devices share a batch, each takes the deviation of its
    part.

    Args:
        weight: lambda of the paper.
        every: see `Regularizer`.
    """

    name = "dragan"

    def __init__(self, weight: float = 10.0, every: int = 1):
        super().__init__(weight, every)

    def penalty(self, batch):
        """Return E[(|grad D(y)| - 1)^2] at y = x + a u std(x) / 2.

        Uniform in [0, 1] are a, one an image, and u, one a pixel.
        """
        real = batch.real
        shape = tf.concat([tf.shape(real)[:1], tf.ones(len(real.shape) - 1, tf.int32)], 0)
        noise = tf.random.stateless_uniform(tf.shape(real), batch.next_seed())
        way = tf.random.stateless_uniform(shape, batch.next_seed())
        deviation = tf.math.reduce_std(tf.cast(real, tf.float32))
        near = real + tf.cast(0.5 * deviation * way * noise, real.dtype)
        return mean(tf.square(_norm(batch, near) - 1.0))


@keras.saving.register_keras_serializable("kerasgan")
class FeatureMatching(Regularizer):
    """A term of the generator's loss: `kerasgan.losses.feature_matching` of the output named "features".

    The discriminator returns a dict with `logits` and `features`. Salimans et al. 2016, section 3.1
    (https://arxiv.org/abs/1606.03498), where it takes the place of the generator's loss; here it is added. It costs
    the generator's update a pass of the discriminator on the real images.

    Args:
        weight: what it is multiplied by.
    """

    name = "feature_matching"
    players = ("generator",)

    def __init__(self, weight: float = 1.0):
        super().__init__(weight)

    def penalty(self, batch):
        """Return |E[f(x)] - E[f(G(z))]|^2."""
        return feature_matching(batch.real_outputs["features"], batch.fake_outputs["features"])


@keras.saving.register_keras_serializable("kerasgan")
class HistoricalAveraging(Regularizer):
    """The squared distance of each player's weights from the mean of all they have been since `compile`.

    Players that run in circles around a solution are drawn to the middle of the circle. Salimans et al. 2016,
    section 3.4 (https://arxiv.org/abs/1606.03498). The means are as large as the networks, and are saved with them.

    Args:
        weight: what it is multiplied by. The paper names none; the distance is a sum over all weights.
    """

    name = "historical_averaging"
    players = ("discriminator", "generator")

    def __init__(self, weight: float = 1e-3):
        super().__init__(weight)
        # Of all models that were compiled with this object.
        self._means = {}

    def remember(self, networks):
        """Return a running mean for each player."""
        means = {id(network): RunningMean(network.trainable_variables) for network in networks.values()}
        self._means |= means
        return list(means.values())

    def penalty(self, batch):
        """Return |theta - mean of theta|^2 of the player whose update it is, and let an update count in the mean."""
        return self._means[id(batch.network)](batch.network.trainable_variables, training=batch.training)


@keras.saving.register_keras_serializable("kerasgan")
class Consistency(Regularizer):
    """The same logits for an image and for what an augmentation makes of it.

    Where an image lies, and which way it looks, shall not decide whether it is real. Zhang et al. 2020, equation 3
    (https://arxiv.org/abs/1910.12027), on real images; `balanced`, Zhao et al. 2020
    (https://arxiv.org/abs/2002.04724), on generated ones too, without which these may show traces of the augmentation.
    It costs a pass of the discriminator for either.

    Args:
        weight: lambda of the papers.
        every: see `Regularizer`.
        balanced: at generated images too.
        policy: of `kerasgan.augment.DiffAugment`: what is to make no difference. Leave out "flip" for letters.

    Raises:
        ValueError: the policy is none.
    """

    name = "consistency"

    def __init__(self, weight: float = 10.0, every: int = 1, balanced: bool = False, policy: str = "flip,translation"):
        super().__init__(weight, every)
        self.balanced, self.policy = balanced, policy
        self._change = DiffAugment(policy)

    def penalty(self, batch):
        """Return E[(D(x) - D(T(x)))^2], and the same of G(z)."""
        penalty = self._distance(batch, batch.real, batch.real_logits)
        return penalty + self._distance(batch, batch.fake, batch.fake_logits) if self.balanced else penalty

    def _distance(self, batch, images, logits):
        outputs = batch.judge(self._change(images, batch.next_seed()))
        others = outputs["logits"] if isinstance(outputs, dict) else outputs
        return mean(tf.math.squared_difference(tf.cast(logits, tf.float32), tf.cast(others, tf.float32)))


@keras.saving.register_keras_serializable("kerasgan")
class PathLength(Regularizer):
    """Equal steps of w make equal changes of the image, wherever w is and whichever way they go.

    A term of the loss of a generator with styles (`kerasgan.StyleGAN2`). Karras et al. 2020, section 3.2
    (https://arxiv.org/abs/1912.04958), lazily and on half of the batch, as the authors do; they leave it out for small
    images. The length that is asked for is the mean of those seen, which is saved with the model.

    Args:
        weight: what it is multiplied by.
        every: see `Regularizer`.
    """

    name = "path_length"
    players = ("generator",)
    makes_images = True

    def __init__(self, weight: float = 2.0, every: int = 4):
        super().__init__(weight, every)
        # Of all models that were compiled with this object.
        self._means = {}

    def remember(self, networks):
        """Return the mean of the lengths."""
        mean = TrackedMean(0.99, dtype="float32", name="path_length")
        mean.build((None,))
        self._means[id(networks["generator"])] = mean
        return [mean]

    def penalty(self, batch):
        """Return E[(length - mean)^2], and let the lengths count in the mean."""
        mapping, synthesis = (batch.network.get_layer(name) for name in ("mapping", "synthesis"))
        half = (tf.shape(batch.latents)[0] + 1) // 2
        labels = [] if batch.labels is None else [batch.labels[:half]]
        latents, noise = batch.latents[:half], batch.given["noise"][:half]
        with keras.StatelessScope():  # Only the pass that made the batch moves the generator's state.
            w = mapping([latents, *labels] if labels else latents)
            styles = tf.repeat(w[:, None], synthesis.inputs[0].shape[1], axis=1)
            lengths = path_lengths(synthesis, styles, noise, batch.next_seed())
        usual = self._means[id(batch.network)]
        usual(lengths, training=batch.training)
        return mean(tf.square(lengths - tf.convert_to_tensor(usual.mean)))


def path_lengths(synthesis, styles, noise, seed) -> tf.Tensor:
    """Return how much images change with their styles: float32 (batch,).

    It is the root mean square over styles of the length of the slope of the image's product with normal noise, which
    is as wide as makes that independent of the number of pixels.

    Args:
        synthesis: network from styles (batch, n, d) and noise to images.
        styles: of the images.
        noise: of the images.
        seed: two integers, of the normal noise.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(styles)
        images = synthesis([styles, noise], training=True)
        directions = tf.random.stateless_normal(tf.shape(images), seed)
        projected = tf.reduce_sum(images * directions) / (images.shape[1] * images.shape[2]) ** 0.5
    slopes = tf.cast(tape.gradient(projected, styles), tf.float32)
    return tf.sqrt(tf.reduce_mean(tf.reduce_sum(tf.square(slopes), axis=2), axis=1) + 1e-12)


def _norm(batch, images) -> tf.Tensor:
    """Return |grad D(x)| at images, kept from zero, where the root has an infinite slope."""
    return tf.sqrt(batch.squared_gradient_norm_at(images) + 1e-12)


REGULARIZERS = {
    "r1": R1,
    "r2": R2,
    "gradient_penalty": GradientPenalty,
    "dragan": DRAGAN,
    "feature_matching": FeatureMatching,
    "historical_averaging": HistoricalAveraging,
    "consistency": Consistency,
    "path_length": PathLength,
}


def get(regularizer: "str | dict | Regularizer") -> Regularizer:
    """Return the regularizer for a name of `REGULARIZERS`, a serialised config, or the object itself.

    Raises:
        ValueError: the name is unknown, or the object cannot be called.
    """
    return lookup(regularizer, REGULARIZERS, "regularizer", methods=("__call__",))


def terms_of(player: str, chosen) -> dict:
    """Return name of the term -> regularizer, for those that belong to a player's loss.

    Args:
        player: "discriminator" or "generator".
        chosen: the regularizers; one that does not say its `players` is the discriminator's.
    """
    terms = {}
    for each in chosen:
        players = getattr(each, "players", Regularizer.players)
        if player in players:
            terms[each.name if len(players) == 1 else f"{player[0]}_{each.name}"] = each
    return terms
