"""The deep Boltzmann machine: two hidden layers that explain an image together."""

from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from kerasgan.boltzmann.mean_field import infer, variational_free_energy
from kerasgan.boltzmann.model import BoltzmannModel
from kerasgan.boltzmann.parameters import fold
from kerasgan.boltzmann.pretraining import draw_units, first_statistics, second_statistics
from kerasgan.core import replicas
from kerasgan.core.optimizers import apply_gradients

PHASES = ("first layer", "second layer", "joint")


@keras.saving.register_keras_serializable("kerasgan")
class DBM(BoltzmannModel):
    """Deep Boltzmann machine of black-and-white images: Salakhutdinov and Hinton 2009.

    One hidden layer can say which strokes an image has, hardly which of them go together; a second one over it can. The
    price is that the hidden units of an image are not independent any more: what they are has to be iterated (mean
    field), and the likelihood, besides the sum over all states, becomes a lower bound.

    Training goes through three phases, counted in epochs over all calls of `fit`. Each of the two machines is first
    trained alone by contrastive divergence, the first with its input to the hidden layer doubled and the second with
    its input to its visible layer doubled, since joined, the middle layer hears from both sides. Then all weights are
    trained together: the images' hidden units by mean field, the model's own samples from chains that persist, are
    saved with the model, and are what `generate` starts from. A preset goes on in the third phase.

    The bound is what to compare; `contrastive_loss` is only what is descended: in the joint phase its images count with
    the entropy of the top layer, and the chains, whose top layer is drawn, without. `free_energy` is the
    variational one of the images; in pretraining, the mean energy of their states.

    http://proceedings.mlr.press/v5/salakhutdinov09a.html, sections 2 and 3.

    Args:
        image_shape: (height, width, channels).
        hidden: numbers of units of the two hidden layers.
        pretraining: epochs of the first and of the second phase.
        mean_field_steps: passes over both layers when the hidden units of images are inferred.
        gibbs_steps: steps of the chains in a step of training.
        chains: how many persist, and serve for sampling.
        sampling_steps: Gibbs steps from a chain to a sample.
        l2: weight of the squared couplings' half sum in the loss.
        threshold: pixels at least so bright are white.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name; the machine itself computes in float32 whatever it is.
    """

    terms: ClassVar[tuple[str, ...]] = ("contrastive_loss", "l2_loss")
    observations: ClassVar[tuple[str, ...]] = ("free_energy", "reconstruction_error")
    metric = "log_likelihood_bound"

    def __init__(
        self, image_shape=(28, 28, 1), hidden=(512, 512), *, pretraining=(8, 8), mean_field_steps=10, gibbs_steps=2,
        chains=100, sampling_steps=5, l2=1e-5, threshold=0.0, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        for label, value in {"hidden": hidden, "pretraining": pretraining}.items():
            if len(value) != 2:
                raise ValueError(f"{label} must be two numbers, one a hidden layer; received {value!r}.")
        super().__init__(
            image_shape, hidden, chains=chains, sampling_steps=sampling_steps, gibbs_steps=gibbs_steps, l2=l2,
            threshold=threshold, seed=seed, name=name, dtype=dtype,
        )  # fmt: skip
        self.hidden = tuple(hidden)
        self.pretraining = tuple(pretraining)
        self.mean_field_steps = mean_field_steps

    @property
    def phase(self):
        """What is trained in the present epoch: "first layer", "second layer" or "joint"."""
        first, second = self.pretraining
        return PHASES[(self.epochs_done >= first) + (self.epochs_done >= first + second)]

    def adopt_networks(self) -> None:
        """Let training go on in the joint phase: pretraining would undo it."""
        super().adopt_networks()
        self.clock.epochs.assign(sum(self.pretraining))

    def train_step(self, data) -> dict:
        """Take one step of the present phase."""
        data, share = replicas.shard(data)
        images, seed = self.unpack(data), self.next_seed()
        pixels = self.binary(images)
        self.begin(pixels, fold(seed, 0), share)
        if self.phase == "joint":
            reported = self._joint_update(pixels, fold(seed, 1), share)
        else:
            reported = self._pretraining_update(pixels, fold(seed, 1), share)
        self.clock.tick(images, share)
        return self.track(reported, share)

    def test_step(self, data) -> dict:
        """Report the terms of the joint phase on a batch, with the chains as they are."""
        data, share = replicas.shard(data)
        pixels = self.binary(self.unpack(data))
        outer, _ = self._model_samples(self.evaluation_seed())
        return self.track(self._joint_terms(pixels, self.infer(pixels), outer), share)

    def infer(self, pixels) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the probabilities of the middle and the top layer given pixels, by mean field."""
        return infer(self.machine.parameters, tf.sigmoid(self.machine.up_logits(pixels)), pixels, self.mean_field_steps)

    def _joint_update(self, pixels, seed, share) -> dict:
        inferred = self.infer(pixels)
        outer, middle = self._model_samples(seed)
        self.machine.remember(middle)
        with tf.GradientTape() as tape:
            reported = self._joint_terms(pixels, inferred, outer)
            objective = self.optimizer.scale_loss(self.total(reported) * share)
        apply_gradients(tape, objective, self, self.optimizer)
        return reported

    def _model_samples(self, seed) -> tuple[list, tf.Tensor]:
        return self.machine.parameters.chain(tf.convert_to_tensor(self.machine.chains), self.gibbs_steps, seed)

    def _joint_terms(self, pixels, inferred, outer) -> dict:
        """Return the terms of images and their inferred hidden units against the outer layers of the chains."""
        parameters, (middle, top) = self.machine.parameters, inferred
        free_energy = tf.reduce_mean(variational_free_energy(parameters, pixels, middle, top))
        return {
            "contrastive_loss": free_energy - tf.reduce_mean(parameters.free_energy(outer)),
            "l2_loss": self.penalty(parameters.couplings),
            "free_energy": free_energy,
            "reconstruction_error": _error(pixels, parameters.outer_logits(middle)[0]),
        }

    def _pretraining_update(self, pixels, seed, share) -> dict:
        """Train one of the two machines by contrastive divergence; the chains take the hidden states of the images."""
        machine = self.machine
        middle = draw_units(machine.up_logits(pixels), fold(seed, 0))
        machine.remember(middle)
        first = self.phase == "first layer"
        if first:
            variables = [machine.biases[0], machine.biases[1], machine.couplings[0]]
            real, fake = first_statistics(machine.parameters, pixels, middle, fold(seed, 1))
        else:
            variables = [machine.biases[2], machine.couplings[1]]
            real, fake = second_statistics(machine.parameters, middle, fold(seed, 1))
        coupling = machine.couplings[0 if first else 1]
        with tf.GradientTape() as tape:
            energies = [tf.reduce_mean(self._pair_energy(pair, first)) for pair in (real, fake)]
            terms = {
                "contrastive_loss": energies[0] - energies[1],
                "l2_loss": self.penalty([tf.convert_to_tensor(coupling)]),
            }
            objective = self.optimizer.scale_loss(self.total(terms) * share)
        observed = {
            "free_energy": energies[0],
            "reconstruction_error": tf.reduce_mean(tf.square(real[0] - fake[0])),
        }
        apply_gradients(tape, objective, self, self.optimizer, variables)
        return terms | observed

    def _pair_energy(self, pair, first: bool):
        """Return the energy of the states of one of the two machines."""
        visible, hidden = pair
        biases, couplings = self.machine.parameters
        below, above, coupling = (*biases[:2], couplings[0]) if first else (*biases[1:], couplings[1])
        inputs = tf.matmul(visible, coupling) + above
        return -tf.linalg.matvec(visible, below) - tf.reduce_sum(hidden * inputs, axis=1)

    def negative_log_weight(self, pixels) -> tf.Tensor:
        """Return the variational free energy of pixels."""
        return variational_free_energy(self.machine.parameters, pixels, *self.infer(pixels))

    def variational_bound(self, images, log_z: float | None = None) -> np.ndarray:
        """Return a lower bound on the log-likelihood of images after they were made black and white, nats, (n,).

        Args:
            images: float array (n, height, width, channels) in [-1, 1].
            log_z: what `estimate_log_z` gave; None estimates it.
        """
        self.check_images(images)
        log_z = self.estimate_log_z().value if log_z is None else log_z
        return -np.asarray(self.negative_log_weight(self.binary(images)), "float64") - log_z

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        own = {"hidden": list(self.hidden), "pretraining": list(self.pretraining)}
        return own | {"mean_field_steps": self.mean_field_steps} | super().get_config()


def _error(pixels, logits) -> tf.Tensor:
    return tf.reduce_mean(tf.square(pixels - tf.sigmoid(logits)))
