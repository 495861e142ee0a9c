"""Adversarial losses: what each player of the game minimises, from the discriminator's logits.

Logits are high for images the discriminator believes real, everywhere in kerasgan. Every loss is a
small serialisable object with two methods, both returning a float32 scalar averaged over the batch:

    loss.discriminator(real_logits, fake_logits)
    loss.generator(fake_logits)

A loss that sets `sees_real` is asked for `loss.generator(fake_logits, real_logits)`.
"""

import keras
import tensorflow as tf

from kerasgan.support.configurable import Configurable, lookup


class AdversarialLoss(Configurable):
    """Base class: subclass it and register it with `keras.saving` to write your own loss."""

    # Whether `generator` takes the logits of the real images too, which costs a pass of the discriminator.
    sees_real = False

    def discriminator(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Return the discriminator's loss, a scalar, from logits of shape (batch, 1)."""
        raise NotImplementedError

    def generator(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """Return the generator's loss, a scalar, from logits of shape (batch, 1)."""
        raise NotImplementedError


@keras.saving.register_keras_serializable("kerasgan")
class Minimax(AdversarialLoss):
    """The zero-sum game of the original GAN: the generator maximises the discriminator's loss on fakes.

    Its gradient vanishes when the discriminator wins; see `NonSaturating`. Goodfellow et al. 2014,
    equation 1 (https://arxiv.org/abs/1406.2661).
    """

    def discriminator(self, real_logits, fake_logits):
        """Return -E[log D(x)] - E[log(1 - D(G(z)))] in nats."""
        return mean(tf.nn.softplus(-real_logits)) + mean(tf.nn.softplus(fake_logits))

    def generator(self, fake_logits):
        """Return E[log(1 - D(G(z)))] in nats, which is never positive."""
        return -mean(tf.nn.softplus(fake_logits))


@keras.saving.register_keras_serializable("kerasgan")
class NonSaturating(Minimax):
    """The generator maximises log D(G(z)), which keeps its gradient when the discriminator wins.

    Goodfellow et al. 2014, section 3 (https://arxiv.org/abs/1406.2661); one-sided label smoothing from
    Salimans et al. 2016, section 3.4 (https://arxiv.org/abs/1606.03498).

    Args:
        label_smoothing: the real label becomes 1 - label_smoothing; in [0, 0.5).
    """

    def __init__(self, label_smoothing: float = 0.0):
        if not 0.0 <= label_smoothing < 0.5:
            raise ValueError(f"label_smoothing must be in [0, 0.5); received {label_smoothing}.")
        self.label_smoothing = label_smoothing

    def discriminator(self, real_logits, fake_logits):
        """Return the cross-entropy of real against 1 - label_smoothing and of fake against 0."""
        # softplus(-x) + s * x is the cross-entropy of logit x against the target 1 - s.
        real = tf.nn.softplus(-real_logits) + self.label_smoothing * real_logits
        return mean(real) + mean(tf.nn.softplus(fake_logits))

    def generator(self, fake_logits):
        """Return -E[log D(G(z))] in nats."""
        return mean(tf.nn.softplus(-fake_logits))


@keras.saving.register_keras_serializable("kerasgan")
class LeastSquares(AdversarialLoss):
    """Squared distance of the logits to a target: a generated image far on the right side still has a gradient.

    Mao et al. 2017, equation 2 (https://arxiv.org/abs/1611.04076). The default targets are those of equation 9, where
    the generator aims at what real images get; `LeastSquares(a=-1, b=1, c=0)` is equation 8, where the game minimises
    the Pearson chi-squared divergence. The logits are taken as they are: no sigmoid belongs before them.

    Args:
        a: target of the discriminator for generated images.
        b: its target for real images; above a.
        c: what the generator wants its images to get; above a, and at most b.

    Raises:
        ValueError: the targets are in another order, and would teach the players the opposite.
    """

    def __init__(self, a: float = 0.0, b: float = 1.0, c: float = 1.0):
        if not a < c <= b:
            raise ValueError(f"LeastSquares needs targets a < c <= b; received a={a}, b={b}, c={c}.")
        self.a, self.b, self.c = a, b, c

    def discriminator(self, real_logits, fake_logits):
        """Return half of E[(D(x) - b)^2] + E[(D(G(z)) - a)^2]."""
        return 0.5 * (mean(tf.square(real_logits - self.b)) + mean(tf.square(fake_logits - self.a)))

    def generator(self, fake_logits):
        """Return half of E[(D(G(z)) - c)^2]."""
        return 0.5 * mean(tf.square(fake_logits - self.c))


@keras.saving.register_keras_serializable("kerasgan")
class Hinge(AdversarialLoss):
    """Margin loss: the discriminator stops caring once real > 1 and fake < -1.

    Lim and Ye 2017, section 2 (https://arxiv.org/abs/1705.02894).
    """

    def discriminator(self, real_logits, fake_logits):
        """Return E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]."""
        return mean(tf.nn.relu(1.0 - real_logits)) + mean(tf.nn.relu(1.0 + fake_logits))

    def generator(self, fake_logits):
        """Return -E[D(G(z))]."""
        return -mean(fake_logits)


@keras.saving.register_keras_serializable("kerasgan")
class Wasserstein(AdversarialLoss):
    """The critic's estimate of the Wasserstein-1 distance; it needs a Lipschitz critic.

    Arjovsky et al. 2017, equation 2 (https://arxiv.org/abs/1701.07875).
    """

    def discriminator(self, real_logits, fake_logits):
        """Return E[D(G(z))] - E[D(x)]."""
        return mean(fake_logits) - mean(real_logits)

    def generator(self, fake_logits):
        """Return -E[D(G(z))]."""
        return -mean(fake_logits)


@keras.saving.register_keras_serializable("kerasgan")
class Relativistic(AdversarialLoss):
    """Each generated image shall look more real than the real one it is paired with, and the other way round.

    Two separate terms would be another loss: the difference of the logits stands inside of one softplus.
    Jolicoeur-Martineau 2018, section 4.1 (https://arxiv.org/abs/1807.00734); Huang et al. 2024, equation 2
    (https://arxiv.org/abs/2501.05441).
    """

    sees_real = True

    def discriminator(self, real_logits, fake_logits):
        """Return E[softplus(D(G(z)) - D(x))]."""
        return mean(tf.nn.softplus(fake_logits - real_logits))

    def generator(self, fake_logits, real_logits):
        """Return E[softplus(D(x) - D(G(z)))]."""
        return mean(tf.nn.softplus(real_logits - fake_logits))


@keras.saving.register_keras_serializable("kerasgan")
class RelativisticAverage(AdversarialLoss):
    """Each image shall look more real than the other side's images do on average.

    `Relativistic` compares image with image, one pair each; here the average stands inside of the softplus.
    Jolicoeur-Martineau 2018, section 4.2 (https://arxiv.org/abs/1807.00734). Where several devices share a batch, the
    average is over a device's part of it.
    """

    sees_real = True

    def discriminator(self, real_logits, fake_logits):
        """Return E[softplus(E[D(G(z))] - D(x))] + E[softplus(D(G(z)) - E[D(x)])]."""
        return _above_average(real_logits, fake_logits)

    def generator(self, fake_logits, real_logits):
        """Return the same with the sides exchanged."""
        return _above_average(fake_logits, real_logits)


def _above_average(high, low):
    return mean(tf.nn.softplus(mean(low) - tf.cast(high, tf.float32))) + mean(
        tf.nn.softplus(tf.cast(low, tf.float32) - mean(high))
    )


LOSSES = {
    "minimax": Minimax,
    "non_saturating": NonSaturating,
    "least_squares": LeastSquares,
    "hinge": Hinge,
    "wasserstein": Wasserstein,
    "relativistic": Relativistic,
    "relativistic_average": RelativisticAverage,
}


def get(loss: "str | dict | AdversarialLoss") -> AdversarialLoss:
    """Return the loss object for a name of `LOSSES`, a serialised config, or an object with both methods.

    Raises:
        ValueError: the name is unknown, or the object lacks `discriminator` or `generator`.
    """
    return lookup(loss, LOSSES, "loss", methods=("discriminator", "generator"))


def feature_matching(real_features: tf.Tensor, fake_features: tf.Tensor) -> tf.Tensor:
    """Return how far apart the mean features of real and generated images are, squared: a float32 scalar.

    For the generator: it matches what the discriminator's features say of the data as a whole, and need not fool it
    image by image. Salimans et al. 2016, section 3.1 (https://arxiv.org/abs/1606.03498).

    Args:
        real_features: (batch, ...), an inner layer of the discriminator on real images.
        fake_features: (batch, ...), the same on generated ones, as many or not.
    """
    means = (tf.reduce_mean(tf.cast(each, tf.float32), axis=0) for each in (real_features, fake_features))
    return tf.reduce_sum(tf.math.squared_difference(*means))


def mean(values: tf.Tensor) -> tf.Tensor:
    """Return the float32 mean of a tensor: half precision loses digits in long sums."""
    return tf.reduce_mean(tf.cast(values, tf.float32))
