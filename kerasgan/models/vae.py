"""The variational autoencoder: the baseline that GANs are compared with, and a space to do arithmetic in."""

import math
from typing import ClassVar, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from kerasgan import likelihoods
from kerasgan.core import replicas
from kerasgan.core.attributes import Attributes, check_names, direction_network
from kerasgan.core.optimizers import apply_gradients
from kerasgan.core.single import SingleOptimizer
from kerasgan.networks import autoencoder

ARCHITECTURES = ("conv", "mlp")


class Bound(NamedTuple):
    """Bounds on the log-likelihood, means over images: in nats, and in bits per dimension of 8-bit images."""

    elbo: float
    importance_weighted: float
    samples: int
    bits_per_dimension: float


@keras.saving.register_keras_serializable("kerasgan")
class VAE(Attributes, SingleOptimizer):
    """Variational autoencoder with Gaussian prior and posterior.

    `fit` takes images and maximises the ELBO; calling the model takes latents and gives mean images, like a GAN.

    Kingma and Welling 2013, equation 3 (https://arxiv.org/abs/1312.6114); beta: Higgins et al. 2017, equation 4.

    Args:
        image_shape: (height, width, channels); sides in 16..128 for "conv".
        latent_dim: length of a latent vector.
        base_filters: width of the convolutions next to the image ("conv").
        hidden: widths of the encoder's hidden layers, reversed in the decoder ("mlp").
        architecture: "conv" or "mlp".
        likelihood: name or object of `kerasgan.likelihoods`: "bernoulli" for black-and-white images, "gaussian",
            "discretized_logistic" for 8-bit images.
        beta: weight of the KL term.
        attributes: names for directions of the latent space, which `learn_attributes` finds and `move` goes along.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".
    """

    terms: ClassVar[tuple[str, ...]] = ("reconstruction_loss", "kl_loss", "elbo", "bits_per_dimension")
    observations: ClassVar[tuple[str, ...]] = ("elbo", "bits_per_dimension")

    def __init__(
        self, image_shape=(28, 28, 1), latent_dim=16, base_filters=32, hidden=(512, 256), *, architecture="conv",
        likelihood="bernoulli", beta=1.0, attributes=(), seed=None, name=None, dtype=None,
    ):  # fmt: skip
        if architecture not in ARCHITECTURES:
            raise ValueError(f"architecture must be one of {ARCHITECTURES}; received {architecture!r}.")
        if beta < 0:
            raise ValueError(f"beta must be at least 0; received {beta}.")
        super().__init__(image_shape=image_shape, latent_dim=latent_dim, seed=seed, name=name, dtype=dtype)
        self.base_filters = base_filters
        self.hidden = tuple(hidden)
        self.architecture = architecture
        self.likelihood = likelihoods.get(likelihood)
        self.beta = beta
        self.attributes = check_names(attributes)
        self.encoder, self.decoder = self._build_networks(dtype)
        self.attribute_network = direction_network(self.attributes, latent_dim) if self.attributes else None
        self._sampler = _mean_image(self.decoder)
        self.built = True

    def _build_networks(self, dtype):
        seeds = (None, None) if self.seed is None else (self.seed, self.seed + 1)
        if self.architecture == "conv":
            sizes = (self.image_shape, self.latent_dim, self.base_filters, dtype)
            encoder = autoencoder.conv_encoder(*sizes, seeds[0])
            decoder = autoencoder.conv_decoder(*sizes, seeds[1])
        else:
            encoder = autoencoder.mlp_encoder(self.image_shape, self.latent_dim, self.hidden, dtype, seeds[0])
            decoder = autoencoder.mlp_decoder(self.image_shape, self.latent_dim, self.hidden[::-1], dtype, seeds[1])
        return encoder, (autoencoder.with_scale(decoder) if self.likelihood.has_scale else decoder)

    @property
    def sampler(self):
        """The decoder's mean image, in [-1, 1]."""
        return self._sampler

    @property
    def networks(self):
        """The networks of a trained model."""
        networks = {"encoder": self.encoder, "decoder": self.decoder}
        return networks | ({"attributes": self.attribute_network} if self.attributes else {})

    # Training

    def train_step(self, data) -> dict:
        """Take one gradient step on the negative ELBO."""
        data, share = replicas.shard(data)
        images = self.unpack(data)
        with tf.GradientTape() as tape:
            log_likelihood, divergence = self.elbo_parts(images, self.next_seed())
            loss = self.beta * divergence - log_likelihood
            objective = self.optimizer.scale_loss(loss * share)
        apply_gradients(tape, objective, self, self.optimizer)
        self.clock.tick(images, share)
        return self.track(self._report(log_likelihood, divergence), share)

    def test_step(self, data) -> dict:
        """Report the same terms on a batch; evaluating twice gives the same numbers."""
        data, share = replicas.shard(data)
        parts = self.elbo_parts(self.unpack(data), self.evaluation_seed(), training=False)
        return self.track(self._report(*parts), share)

    def elbo_parts(self, images, seed, training=True) -> tuple:
        """Return the two parts of the ELBO, means over images in nats.

        They are log p(image | latents) of one posterior sample an image, and the analytic KL of posterior and prior.
        """
        import tensorflow_probability as tfp

        posterior = self.posterior(images, training)
        latents = posterior.sample(seed=seed)
        divergence = tfp.distributions.kl_divergence(posterior, self.prior())
        return tf.reduce_mean(self.log_likelihood(images, latents, training)), tf.reduce_mean(divergence)

    def _report(self, log_likelihood, divergence) -> dict:
        # The bound counts the KL once, whatever its weight in training.
        elbo = log_likelihood - divergence
        return {
            "reconstruction_loss": -log_likelihood,
            "kl_loss": self.beta * divergence,
            "elbo": elbo,
            "bits_per_dimension": self._bits_per_dimension(elbo),
        }

    def _bits_per_dimension(self, log_likelihood):
        return -(log_likelihood / math.prod(self.image_shape) + self.likelihood.log_bin_width) / math.log(2.0)

    # Distributions

    def prior(self):
        """Return the prior of the latents, a standard normal distribution."""
        import tensorflow_probability as tfp

        return tfp.distributions.MultivariateNormalDiag(tf.zeros(self.latent_dim), tf.ones(self.latent_dim))

    def posterior(self, images, training=False):
        """Return the encoder's distribution of the latents of images (batch, *image_shape)."""
        import tensorflow_probability as tfp

        mean, log_std = self.encoder(images, training=training)
        return tfp.distributions.MultivariateNormalDiag(mean, tf.exp(log_std))

    def log_likelihood(self, images, latents, training=False) -> tf.Tensor:
        """Return log p(image | latents) of each image in nats, float32 (batch,)."""
        decoded = self.decoder(latents, training=training)
        logits, log_scale = decoded if self.likelihood.has_scale else (decoded, tf.zeros(()))
        return self.likelihood.log_prob(images, logits, tf.exp(log_scale))

    def bound(self, images, samples: int = 64, seed: int = 0, batch_size: int = 100) -> Bound:
        """Return the ELBO and the tighter importance-weighted bound of images.

        Burda et al. 2016, equation 8 (https://arxiv.org/abs/1509.00519).

        Args:
            images: float array (n, height, width, channels) in [-1, 1].
            samples: posterior samples an image.
            seed: seed of the samples.
            batch_size: images processed at a time.
        """
        if samples < 1:
            raise ValueError(f"samples must be at least 1; received {samples}.")
        self.check_images(images)
        log_weight = tf.function(self._log_weight)
        rows = []
        for number in range(samples):
            parts = [
                log_weight(
                    tf.convert_to_tensor(images[start : start + batch_size]), tf.constant([seed + start, number])
                )
                for start in range(0, len(images), batch_size)
            ]
            rows.append(tf.concat(parts, axis=0))
        log_weights = tf.stack(rows)
        elbo = float(tf.reduce_mean(log_weights))
        tight = float(tf.reduce_mean(tf.reduce_logsumexp(log_weights, axis=0)) - math.log(samples))
        return Bound(elbo, tight, samples, float(self._bits_per_dimension(tight)))

    def _log_weight(self, images, seed):
        """Return log p(x, z) - log q(z | x) of one posterior sample an image, float32 (batch,)."""
        posterior = self.posterior(images)
        latents = posterior.sample(seed=seed)
        joint = self.log_likelihood(images, latents) + self.prior().log_prob(latents)
        return joint - posterior.log_prob(latents)

    # The latent space

    def encode(self, images) -> np.ndarray:
        """Return the posterior means of images, float32 (n, latent_dim)."""
        self.check_images(images)
        return np.asarray(self.posterior(images).mean())

    def decode(self, latents) -> np.ndarray:
        """Return the mean images of latents (n, latent_dim), float32 in [-1, 1]."""
        return np.asarray(self(tf.convert_to_tensor(latents)))

    def reconstruct(self, images) -> np.ndarray:
        """Return images after encoding and decoding, float32 of the same shape in [-1, 1]."""
        return self.decode(self.encode(images))

    def latent_spaces(self):
        """Return the latents as a space to look for images in, from where the encoder says on."""
        spaces = super().latent_spaces()
        return spaces | {"z": spaces["z"]._replace(encode=self.encode)}

    def attribute_vectors(self, images, labels) -> np.ndarray:
        """Return, for each class, the direction from all other images to the class: float32 (classes, latent_dim).

        Larsen et al. 2016, section 4.2 (https://arxiv.org/abs/1512.09300): add a multiple of row k to a latent to make
        its image more of class k.

        Args:
            images: float array (n, height, width, channels) in [-1, 1].
            labels: n integers; every class from 0 to the largest needs an example, and at least two classes exist.

        Raises:
            ValueError: the labels are not n class numbers, a class has no example, or all images are of one class.
        """
        labels = np.asarray(labels)
        if labels.shape != (len(images),):
            raise ValueError(f"Give one label an image; received {len(images)} images and labels {labels.shape}.")
        if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
            raise ValueError(f"labels must be whole numbers from 0; received {labels.dtype}, smallest {labels.min()}.")
        counts = np.bincount(labels)
        if len(counts) < 2 or not counts.all():
            raise ValueError(
                "Attribute vectors need examples of every class from 0 to the largest, and of two classes at least; "
                f"received these counts: {counts.tolist()}."
            )
        codes = self.encode(images)
        members = labels[:, None] == np.arange(len(counts))
        inside = members.T.astype("float32") @ codes / counts[:, None]
        outside = (~members).T.astype("float32") @ codes / (len(labels) - counts)[:, None]
        return (inside - outside).astype("float32")

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {
            "image_shape": list(self.image_shape),
            "latent_dim": self.latent_dim,
            "base_filters": self.base_filters,
            "hidden": list(self.hidden),
            "architecture": self.architecture,
            "likelihood": keras.saving.serialize_keras_object(self.likelihood),
            "beta": self.beta,
            "attributes": list(self.attributes),
        }

    @classmethod
    def from_config(cls, config: dict) -> "VAE":
        """Return a new model from what `get_config` gave."""
        config = dict(config)
        config["dtype"] = keras.saving.deserialize_keras_object(config["dtype"])
        return cls(**config)


def _mean_image(decoder: keras.Model) -> keras.Model:
    """Return latents to mean images, sharing the decoder's weights."""
    half = keras.layers.Rescaling(0.5, dtype="float32")(decoder.outputs[0])
    return keras.Model(decoder.input, keras.layers.Activation("tanh", dtype="float32")(half), name="generator")
