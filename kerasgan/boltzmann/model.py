"""BoltzmannModel: what a restricted and a deep Boltzmann machine share as models of the zoo."""

import math

import keras
import numpy as np
import tensorflow as tf

from kerasgan.boltzmann import annealing
from kerasgan.boltzmann.machine import BoltzmannMachine, sampler
from kerasgan.core.likelihood import LogLikelihood
from kerasgan.core.single import SingleOptimizer
from kerasgan.core.sizes import is_count
from kerasgan.kinds import Latents

CHAINS, TEMPERATURES = 100, 10_000


class BoltzmannModel(SingleOptimizer):
    """A model of black-and-white images by the energies of a `BoltzmannMachine`.

    Grey images are made black and white first: what is at least `threshold` is white.

    A sample is the mean image of the last step of a chain: one of the model's persistent chains, chosen by lot, goes on
    for `sampling_steps` Gibbs steps. The random numbers that drive it are the sampler's input, uniform in [0, 1), so
    the sampler can be exported. Samples are as diverse as the chains: of many more samples than chains, some start
    alike. Chains that start from noise would take thousands of steps to get anywhere.

    A subclass sets `metric` and defines `negative_log_weight`.
    """

    # The name of what `negative_log_weight` and log Z make together.
    metric = "log_likelihood"

    def __init__(
        self, image_shape, hidden, *, chains, sampling_steps, gibbs_steps, l2, threshold, seed, name, dtype
    ):  # fmt: skip
        if not all(map(is_count, hidden)):
            raise ValueError(f"hidden layers must have whole numbers of units, at least 1; received {list(hidden)}.")
        if l2 < 0:
            raise ValueError(f"l2 must be at least 0; received {l2}.")
        machine = BoltzmannMachine((math.prod(image_shape), *hidden), chains, sampling_steps, seed, name="machine")
        super().__init__(image_shape=image_shape, latent_dim=machine.noise_size, seed=seed, name=name, dtype=dtype)
        self.machine = machine
        self.chains, self.sampling_steps, self.gibbs_steps = chains, sampling_steps, gibbs_steps
        self.l2, self.threshold = l2, threshold
        self._sampler = sampler(machine, self.image_shape)
        self.built = True

    @property
    def sampler(self):
        """From uniform numbers to the mean image of a chain's last step, in [-1, 1]."""
        return self._sampler

    @property
    def networks(self):
        """The one network of a trained model: its machine, in its sampler."""
        return {"generator": self._sampler}

    @property
    def takes(self):
        """Uniform numbers, which choose a chain and drive its steps."""
        return {"latents": Latents(self.latent_dim, "unit")}

    def default_optimizer(self):
        """Return gradient descent with a learning rate of 0.05 and a momentum of 0.5."""
        return keras.optimizers.SGD(0.05, momentum=0.5)

    def binary(self, images) -> tf.Tensor:
        """Return images (batch, height, width, channels) in [-1, 1] as pixels 0 or 1, float32 (batch, pixels)."""
        pixels = tf.reshape(tf.convert_to_tensor(images), (-1, self.machine.units[0]))
        return tf.cast(pixels >= tf.cast(self.threshold, pixels.dtype), tf.float32)

    def begin(self, pixels, seed, share) -> None:
        """Set biases and chains at the first step of training, by its batch."""
        # By its own state: a preset holds the machine, but not how often it was trained.
        untrained = tf.reduce_all(tf.equal(tf.convert_to_tensor(self.machine.base), 0.0))
        self.machine.begin(pixels, seed, untrained, share)

    def penalty(self, couplings) -> tf.Tensor:
        """Return the l2 penalty of couplings."""
        return self.l2 * tf.add_n([tf.nn.l2_loss(each) for each in couplings])

    # Likelihood

    def negative_log_weight(self, pixels) -> tf.Tensor:
        """Return what, with log Z, makes minus the log-likelihood of pixels or a bound on it, (batch,) in nats."""
        raise NotImplementedError

    def estimate_log_z(self, n_chains: int = CHAINS, n_temperatures: int = TEMPERATURES, seed: int = 0):
        """Return an estimate of log Z by annealed importance sampling, a `kerasgan.boltzmann.annealing.LogZ`.

        Args:
            n_chains: number of chains, at least 2.
            n_temperatures: steps of each chain; more of them make the standard error smaller.
            seed: of the chains.
        """
        base = tf.convert_to_tensor(self.machine.base)
        return annealing.estimate_log_z(self.machine.parameters, base, n_chains, n_temperatures, seed)

    def log_likelihoods(self, images, seed: int = 0, batch_size: int = 500) -> LogLikelihood:
        """Return the log-likelihood of images after they were made black and white, or a lower bound on it.

        The sum of exp(-energy) is estimated, see `estimate_log_z`; its standard error is that of all values together.

        Args:
            images: float array (n, height, width, channels) in [-1, 1].
            seed: of the estimate.
            batch_size: images processed at a time.
        """
        self.check_images(images)
        log_z = self.estimate_log_z(seed=seed)
        weight = tf.function(self.negative_log_weight)
        batches = [images[start : start + batch_size] for start in range(0, len(images), batch_size)]
        weights = np.concatenate([np.asarray(weight(self.binary(batch)), "float64") for batch in batches])
        settings = {"chains": log_z.chains, "temperatures": log_z.temperatures, "spread": "standard error of log Z"}
        return LogLikelihood(self.metric, -weights - log_z.value, log_z.standard_error, settings)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        own = {
            name: getattr(self, name) for name in ("chains", "sampling_steps", "gibbs_steps", "l2", "threshold")
        }  # fmt: skip
        return {"image_shape": list(self.image_shape)} | own | super().get_config()
