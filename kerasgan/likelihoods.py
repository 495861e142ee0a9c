"""Likelihoods of a VAE's pixels, as `tensorflow_probability` distributions over images in [-1, 1].

Each has `distribution(logits, scale)`: the distribution of images (batch, h, w, c) whose mean image is
tanh(logits / 2); `scale` is one learned positive number. `bytes_per_nat_offset` turns its log-likelihood into that of
8-bit images, so that bits per dimension can be compared.
"""

import math

import keras
import tensorflow as tf

from kerasgan.support.configurable import Configurable, lookup


class Likelihood(Configurable):
    """Base class of the three likelihoods."""

    has_scale = True
    # Added to a log-likelihood, once a value, to make it the log-probability of the 8-bit value.
    log_bin_width = 0.0

    def log_prob(self, images: tf.Tensor, logits: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
        """Return the log-likelihood of each image in nats, float32 of shape (batch,)."""
        import tensorflow_probability as tfp

        distribution = tfp.distributions.Independent(self.pixels(logits, scale), reinterpreted_batch_ndims=3)
        return distribution.log_prob(self.targets(images))

    def pixels(self, logits: tf.Tensor, scale: tf.Tensor):
        """Return the distribution of the single values, batch shape (batch, h, w, c)."""
        raise NotImplementedError

    def targets(self, images: tf.Tensor) -> tf.Tensor:
        """Return images in [-1, 1] as the values the distribution is over."""
        return images


@keras.saving.register_keras_serializable("kerasgan")
class Bernoulli(Likelihood):
    """Black or white pixels: the likelihood of binarised images.

    Grey pixels are taken as probabilities, the usual practice; the result is a log-likelihood only for images
    that are binary (`kerasgan.data.load(..., binarize=True)`).
    """

    has_scale = False

    def pixels(self, logits, scale):
        """Return Bernoulli pixels with these logits."""
        import tensorflow_probability as tfp

        return tfp.distributions.Bernoulli(logits=logits, dtype=tf.float32)

    def targets(self, images):
        """Return the images in [0, 1]."""
        return (images + 1.0) / 2.0


@keras.saving.register_keras_serializable("kerasgan")
class Gaussian(Likelihood):
    """Normal pixels with one learned standard deviation (Rybkin et al. 2021, https://arxiv.org/abs/2006.13202)."""

    log_bin_width = math.log(2.0 / 255.0)

    def pixels(self, logits, scale):
        """Return Normal pixels around the mean image."""
        import tensorflow_probability as tfp

        return tfp.distributions.Normal(tf.tanh(logits / 2.0), scale)


@keras.saving.register_keras_serializable("kerasgan")
class DiscretizedLogistic(Likelihood):
    """The probability of each byte under a logistic with one learned scale.

    Kingma et al. 2016, section 5.2 (https://arxiv.org/abs/1606.04934).
    """

    def pixels(self, logits, scale):
        """Return logistic values quantized to 0..255."""
        import tensorflow_probability as tfp

        bytes_ = (tf.tanh(logits / 2.0) + 1.0) * 127.5
        # The quantized distribution rounds up, so half a step less is rounding to nearest.
        continuous = tfp.distributions.Logistic(bytes_ - 0.5, scale * 127.5)
        return tfp.distributions.QuantizedDistribution(continuous, low=0.0, high=255.0)

    def targets(self, images):
        """Return the images as whole numbers in 0..255."""
        return tf.round((images + 1.0) * 127.5)


LIKELIHOODS = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "discretized_logistic": DiscretizedLogistic,
}


def get(likelihood: "str | dict | Likelihood") -> Likelihood:
    """Return the likelihood for a name of `LIKELIHOODS`, a serialised config, or the object itself.

    Raises:
        ValueError: the name is unknown.
    """
    return lookup(likelihood, LIKELIHOODS, "likelihood", methods=("log_prob",))
