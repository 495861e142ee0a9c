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
    """Squared distance of the logits to 1 (real) and 0 (fake).

    Mao et al. 2017, equation 9 (https://arxiv.org/abs/1611.04076).
    """

    def discriminator(self, real_logits, fake_logits):
        """Return half of E[(D(x) - 1)^2] + E[D(G(z))^2]."""
        return 0.5 * (mean(tf.square(real_logits - 1.0)) + mean(tf.square(fake_logits)))

    def generator(self, fake_logits):
        """Return half of E[(D(G(z)) - 1)^2]."""
        return 0.5 * mean(tf.square(fake_logits - 1.0))


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


LOSSES = {
    "minimax": Minimax,
    "non_saturating": NonSaturating,
    "least_squares": LeastSquares,
    "hinge": Hinge,
    "wasserstein": Wasserstein,
    "relativistic": Relativistic,
}


def get(loss: "str | dict | AdversarialLoss") -> AdversarialLoss:
    """Return the loss object for a name of `LOSSES`, a serialised config, or an object with both methods.

    Raises:
        ValueError: the name is unknown, or the object lacks `discriminator` or `generator`.
    """
    return lookup(loss, LOSSES, "loss", methods=("discriminator", "generator"))


def mean(values: tf.Tensor) -> tf.Tensor:
    """Return the float32 mean of a tensor: half precision loses digits in long sums."""
    return tf.reduce_mean(tf.cast(values, tf.float32))
