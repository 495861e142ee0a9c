"""Naive Bayes over pixels: the floor of every metric, and a classifier that needs one pass over the data."""

import math
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core import replicas
from kerasgan.core.base import GenerativeModel
from kerasgan.core.likelihood import LogLikelihood
from kerasgan.kinds import Latents
from kerasgan.networks.pixel_counts import PixelCounts


@keras.saving.register_keras_serializable("kerasgan")
class NaiveBayes(GenerativeModel):
    """Black-and-white images whose pixels are independent once the class is known.

    What a learner compares everything else with: p(pixel | class) is counted in one epoch, probabilities are exact, and
    samples have each pixel drawn on its own: noise in the shape of a digit. All that the other models add is how pixels
    hang together.

    Grey images are made black and white first: what is at least `threshold` is white. Counts are smoothed as if each
    class had had `alpha` white and `alpha` black images more (Laplace; 0.5 is Jeffreys' prior). Counts of
    several epochs are averaged, so that more epochs over the same images change nothing. They are exact up to 16
    million images a class.

    Args:
        image_shape: (height, width, channels).
        num_classes: number of classes.
        alpha: the count that is added to white and black, above 0.
        threshold: pixels at least so bright are white.
        seed: of nothing: there are no initial weights and no draws; kept as in all models.
        dtype: dtype policy or its name; counts are float32 whatever it is.
    """

    terms: ClassVar[tuple[str, ...]] = ("negative_log_likelihood",)
    observations: ClassVar[tuple[str, ...]] = ("accuracy",)

    def __init__(
        self, image_shape=(28, 28, 1), num_classes=10, alpha=0.5, threshold=0.0, *,
        seed=None, name=None, dtype=None,
    ):  # fmt: skip
        if alpha <= 0:
            raise ValueError(f"alpha must be above 0, or what never occurred is impossible; received {alpha}.")
        pixels = math.prod(image_shape)
        super().__init__(
            image_shape=image_shape, latent_dim=pixels, num_classes=num_classes, seed=seed, name=name, dtype=dtype
        )
        self.alpha = alpha
        self.threshold = threshold
        self.counts = PixelCounts(num_classes, pixels, alpha, name="counts")
        self._sampler = _drawn_pixels(self.counts, self.image_shape)
        self.built = True

    @property
    def sampler(self):
        """From uniform numbers and labels to images of -1 and 1."""
        return self._sampler

    @property
    def networks(self):
        """The counts, in their sampler."""
        return {"generator": self._sampler}

    @property
    def takes(self):
        """A uniform number a pixel, and the label."""
        return super().takes | {"latents": Latents(self.latent_dim, "unit")}

    def adopt_networks(self) -> None:
        """Let counting go on: the epochs that the counts are of are done."""
        super().adopt_networks()
        if np.any(keras.ops.convert_to_numpy(self.counts.images)):
            self.clock.epochs.assign(int(keras.ops.convert_to_numpy(self.counts.passes)))

    # Training

    def compile(self, *, run_eagerly=False, steps_per_execution=1, jit_compile="auto"):
        """Configure training; there is no optimizer, since nothing is optimised.

        Args:
            run_eagerly: run Python step by step, for debugging.
            steps_per_execution: batches in one call of the compiled step; always 1 where several devices share a batch.
            jit_compile: compile the step with XLA; "auto" does so where a GPU is present.
        """
        with self.distribute_strategy.scope():
            super().compile(run_eagerly=run_eagerly, steps_per_execution=steps_per_execution, jit_compile=jit_compile)
        self.set_tracked_terms((*self.terms, *self.observed))

    def get_compile_config(self) -> dict | None:
        """Return the settings of `compile`; None before it was called."""
        names = ("run_eagerly", "steps_per_execution", "jit_compile")
        return {name: getattr(self, name) for name in names} if self.compiled else None

    def compile_from_config(self, config: dict) -> None:
        """Compile from what `get_compile_config` gave."""
        self.compile(**config)

    def train_step(self, data) -> dict:
        """Count a batch; what is reported is how well the counts before it foretold it."""
        data, share = replicas.shard(data)
        parts = self.parts(data)
        pixels, labels = self.binary(parts["images"]), parts["labels"]
        reported = self._report(pixels, labels)
        examples = self.clock.tick(parts, share)
        self.counts.add(pixels, labels, examples, share)
        self.counts.passes.assign(tf.cast(tf.convert_to_tensor(self.clock.epochs) + 1, tf.float32))
        return self.track(reported, share)

    def test_step(self, data) -> dict:
        """Report the same terms on a batch."""
        data, share = replicas.shard(data)
        parts = self.parts(data)
        return self.track(self._report(self.binary(parts["images"]), parts["labels"]), share)

    def _report(self, pixels, labels) -> dict:
        joint = self.counts.log_joint(pixels)
        right = tf.equal(tf.argmax(joint, 1, tf.int32), labels)
        return {
            "negative_log_likelihood": -tf.reduce_mean(tf.reduce_logsumexp(joint, axis=1)),
            "accuracy": tf.reduce_mean(tf.cast(right, tf.float32)),
        }

    def binary(self, images) -> tf.Tensor:
        """Return images (batch, height, width, channels) in [-1, 1] as pixels 0 or 1, float32 (batch, pixels)."""
        pixels = tf.reshape(tf.convert_to_tensor(images), (-1, self.latent_dim))
        return tf.cast(pixels >= tf.cast(self.threshold, pixels.dtype), tf.float32)

    # Probabilities

    def log_prob(self, images, labels=None) -> np.ndarray:
        """Return the log-probability of images after they were made black and white, nats, float32 (n,).

        Args:
            images: float array (n, height, width, channels) in [-1, 1].
            labels: n class numbers, or one for all, for log p(image | label); None for log p(image), classes being as
                frequent as in training.
        """
        joint = self._log_joint(images)
        if labels is None:
            return np.asarray(tf.reduce_logsumexp(joint, axis=1))
        labels = self.takes["labels"].take(labels, len(images), "labels", type(self).__name__)
        return np.take_along_axis(joint - self.counts.log_frequencies().numpy(), labels[:, None], axis=1)[:, 0]

    def classify(self, images) -> np.ndarray:
        """Return the most probable class of each image, int32 (n,)."""
        return self._log_joint(images).argmax(axis=1).astype("int32")

    def log_likelihoods(self, images, seed: int = 0) -> LogLikelihood:
        """Return the exact log-likelihood of images after they were made black and white."""
        del seed  # Nothing is drawn.
        return LogLikelihood("log_likelihood", self.log_prob(images).astype("float64"), None, {})

    def _log_joint(self, images) -> np.ndarray:
        self.check_images(images)
        return np.asarray(self.counts.log_joint(self.binary(images)))

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        own = {name: getattr(self, name) for name in ("num_classes", "alpha", "threshold")}
        return {"image_shape": list(self.image_shape)} | own | super().get_config()


def _drawn_pixels(counts: PixelCounts, image_shape: tuple) -> keras.Model:
    """Return uniform numbers (batch, pixels) and labels to images of -1 and 1."""
    noise = keras.Input((math.prod(image_shape),), name="latents")
    labels = keras.Input((), dtype="int32", name="labels")
    images = keras.layers.Reshape(image_shape, dtype="float32")(counts([noise, labels]))
    return keras.Model([noise, labels], images, name="generator")
