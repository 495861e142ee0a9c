"""The restricted Boltzmann machine: a baseline that learns probabilities without a decoder or an opponent."""

from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from kerasgan.boltzmann.model import BoltzmannModel
from kerasgan.boltzmann.parameters import draw, fold, uniform
from kerasgan.core import replicas
from kerasgan.core.optimizers import apply_gradients


@keras.saving.register_keras_serializable("kerasgan")
class RBM(BoltzmannModel):
    """Restricted Boltzmann machine of black-and-white images, trained by contrastive divergence.

    Naive Bayes takes pixels as independent; here hidden units, each of which sees all pixels, tie them together. The
    price is that the probabilities do not sum to one by themselves: the sum can only be estimated, and samples are
    drawn in many small steps. That is what GANs did away with, and the probabilities with it.

    A step lowers the free energy of the images and raises that of the model's own samples. These come from chains that
    persist from step to step, are saved with the model, and are what `generate` starts from: Tieleman 2008
    (https://www.cs.toronto.edu/~tijmen/pcd/pcd.pdf). Without persistent chains they start at the images: Hinton 2002,
    contrastive divergence. `free_energy` far lower in training than in validation tells overfitting; the reconstruction
    error is watched but not minimised, and may fall while the likelihood does.

    Hinton's guide (https://www.cs.toronto.edu/~hinton/absps/guideTR.pdf) advises batches of 10 to 100; momentum and
    learning rate are constant unless the optimizer has a schedule.

    Args:
        image_shape: (height, width, channels).
        hidden: number of hidden units.
        persistent: whether the chains persist; else they start at the images in every step.
        gibbs_steps: steps of the chains in a step of training: the k of CD-k.
        chains: how many persist, and serve for sampling.
        sampling_steps: Gibbs steps from a chain to a sample.
        l2: weight of the squared couplings' half sum in the loss.
        threshold: pixels at least so bright are white.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name; the machine itself computes in float32 whatever it is.
    """

    terms: ClassVar[tuple[str, ...]] = ("contrastive_loss", "l2_loss")
    observations: ClassVar[tuple[str, ...]] = ("free_energy", "pseudo_log_likelihood", "reconstruction_error")

    def __init__(
        self, image_shape=(28, 28, 1), hidden=512, *, persistent=True, gibbs_steps=1, chains=100, sampling_steps=5,
        l2=1e-5, threshold=0.0, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        super().__init__(
            image_shape, (hidden,), chains=chains, sampling_steps=sampling_steps, gibbs_steps=gibbs_steps, l2=l2,
            threshold=threshold, seed=seed, name=name, dtype=dtype,
        )  # fmt: skip
        self.hidden = hidden
        self.persistent = persistent

    def train_step(self, data) -> dict:
        """Take one step down the free energy of the images, and up that of the model's samples."""
        data, share = replicas.shard(data)
        images, seed = self.unpack(data), self.next_seed()
        pixels = self.binary(images)
        self.begin(pixels, fold(seed, 0), share)
        model_pixels, middle = self.samples(pixels, fold(seed, 1))
        self.machine.remember(middle)
        with tf.GradientTape() as tape:
            terms = self.loss_terms(pixels, model_pixels)
            objective = self.optimizer.scale_loss(self.total(terms) * share)
        observed = self.observe(pixels, fold(seed, 2))
        apply_gradients(tape, objective, self, self.optimizer)
        self.clock.tick(images, share)
        return self.track(terms | observed, share)

    def test_step(self, data) -> dict:
        """Report the same terms on a batch, with the chains as they are."""
        data, share = replicas.shard(data)
        pixels, seed = self.binary(self.unpack(data)), self.evaluation_seed()
        model_pixels, _ = self.samples(pixels, fold(seed, 1))
        return self.track(self.loss_terms(pixels, model_pixels) | self.observe(pixels, fold(seed, 2)), share)

    def samples(self, pixels, seed) -> tuple[tf.Tensor, tf.Tensor]:
        """Return pixels drawn from the model, and the hidden state that follows them.

        The pixels are drawn, not their probabilities; in the loss the hidden units then count with their expectation.
        """
        if self.persistent:
            middle = tf.convert_to_tensor(self.machine.chains)
        else:
            logits = self.machine.parameters.middle_logits([pixels])
            middle = draw(logits, uniform(tf.shape(pixels)[0], self.hidden, fold(seed, 0)))
        (model_pixels,), middle = self.machine.parameters.chain(middle, self.gibbs_steps, fold(seed, 1))
        return model_pixels, middle

    def loss_terms(self, pixels, model_pixels) -> dict[str, tf.Tensor]:
        """Return the terms whose gradient is that of contrastive divergence."""
        parameters = self.machine.parameters
        real, fake = (tf.reduce_mean(parameters.free_energy([each])) for each in (pixels, model_pixels))
        return {"contrastive_loss": real - fake, "l2_loss": self.penalty(parameters.couplings)}

    def observe(self, pixels, seed) -> dict[str, tf.Tensor]:
        """Return what is watched: means over images, energies and likelihoods in nats."""
        parameters = self.machine.parameters
        free_energy = parameters.free_energy([pixels])
        # One pixel an image, turned over, stands for all.
        number = tf.random.stateless_uniform((tf.shape(pixels)[0],), seed, maxval=pixels.shape[1], dtype=tf.int32)
        turned = tf.abs(pixels - tf.one_hot(number, pixels.shape[1]))
        conditional = tf.math.log_sigmoid(parameters.free_energy([turned]) - free_energy)
        (logits,) = parameters.outer_logits(tf.sigmoid(parameters.middle_logits([pixels])))
        return {
            "free_energy": tf.reduce_mean(free_energy),
            "pseudo_log_likelihood": pixels.shape[1] * tf.reduce_mean(conditional),
            "reconstruction_error": tf.reduce_mean(tf.square(pixels - tf.sigmoid(logits))),
        }

    def negative_log_weight(self, pixels) -> tf.Tensor:
        """Return the free energy of pixels."""
        return self.machine.parameters.free_energy([pixels])

    def free_energy(self, images) -> np.ndarray:
        """Return -log p(image) - log Z of images after they were made black and white, float32 (n,)."""
        self.check_images(images)
        return np.asarray(self.negative_log_weight(self.binary(images)))

    def free_energy_gap(self, training_images, other_images) -> float:
        """Return how much higher the free energy of other images is than that of training images, in nats.

        log Z cancels. A growing gap is overfitting: Hinton's guide, section 6.
        """
        return float(self.free_energy(other_images).mean() - self.free_energy(training_images).mean())

    def log_prob(self, images, log_z: float | None = None) -> np.ndarray:
        """Return the log-likelihood of images after they were made black and white, nats, (n,).

        Args:
            images: float array (n, height, width, channels) in [-1, 1].
            log_z: what `estimate_log_z` gave; None estimates it.
        """
        log_z = self.estimate_log_z().value if log_z is None else log_z
        return -self.free_energy(images).astype("float64") - log_z

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return {"hidden": self.hidden, "persistent": self.persistent} | super().get_config()
