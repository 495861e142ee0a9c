"""The mathematics of binary units in two or three layers, of which only neighbours are coupled.

Given the middle layer, the units of the outer ones are independent, and the other way round. A restricted Boltzmann
machine has pixels and a middle layer; a deep one has pixels, a middle and a top layer.
"""

from typing import NamedTuple

import tensorflow as tf


class Parameters(NamedTuple):
    """Biases and couplings of a machine, float32 tensors.

    States are 0 or 1, or probabilities in their place. `outer` is a list of the states of the pixels and, where there
    is one, of the top layer; `middle` is the state of the first hidden layer. All have the shape (batch, units).

    Args:
        biases: of the pixels, the middle and perhaps the top layer: (units,) each.
        couplings: (pixels, middle) and perhaps (middle, top).
    """

    biases: tuple
    couplings: tuple

    @property
    def outer_biases(self) -> tuple:
        """The biases of the pixels and the top layer."""
        return self.biases[::2]

    def outer_logits(self, middle) -> list:
        """Return the logits of the outer layers' units given the middle layer."""
        inputs = [tf.matmul(middle, self.couplings[0], transpose_b=True)]
        inputs += [tf.matmul(middle, coupling) for coupling in self.couplings[1:]]
        return [bias + each for bias, each in zip(self.outer_biases, inputs, strict=True)]

    def middle_logits(self, outer) -> tf.Tensor:
        """Return the logits of the middle layer's units given the outer layers."""
        logits = self.biases[1] + tf.matmul(outer[0], self.couplings[0])
        for state, coupling in zip(outer[1:], self.couplings[1:], strict=True):
            logits += tf.matmul(state, coupling, transpose_b=True)
        return logits

    def energy(self, outer, middle) -> tf.Tensor:
        """Return the energy of states in nats, (batch,); of probabilities, their expected energy."""
        return self._bias_energy(outer) - _dot(middle, self.middle_logits(outer))

    def free_energy(self, outer) -> tf.Tensor:
        """Return minus the log of the summed exp(-energy) over all states of the middle layer, (batch,).

        Of a restricted machine: -log p(pixels) - log Z. Its gradient has expectations in the place of the middle layer.
        """
        return self._bias_energy(outer) - tf.reduce_sum(tf.nn.softplus(self.middle_logits(outer)), axis=1)

    def middle_log_weight(self, middle) -> tf.Tensor:
        """Return the log of the summed exp(-energy) over all states of the outer layers, (batch,)."""
        outer = [tf.reduce_sum(tf.nn.softplus(logits), axis=1) for logits in self.outer_logits(middle)]
        return tf.add_n(outer) + tf.linalg.matvec(middle, self.biases[1])

    def gibbs(self, middle, outer_noise, middle_noise) -> tuple[list, tf.Tensor]:
        """Return the outer states drawn given the middle one, and the middle state drawn given them.

        Args:
            middle: state to start from.
            outer_noise: uniform numbers in [0, 1) for every unit of the outer layers, a list.
            middle_noise: the same for the middle layer.
        """
        outer = [draw(logits, noise) for logits, noise in zip(self.outer_logits(middle), outer_noise, strict=True)]
        return outer, draw(self.middle_logits(outer), middle_noise)

    def chain(self, middle, steps: int, seed) -> tuple[list, tf.Tensor]:
        """Return the last outer and middle states after a number of Gibbs steps, drawn with a seed of two integers."""
        outer = None
        for step in range(steps):
            outer, middle = self.gibbs(middle, *self.noise(tf.shape(middle)[0], fold(seed, step)))
        return outer, middle

    def noise(self, count, seed) -> tuple[list, tf.Tensor]:
        """Return the uniform numbers of one Gibbs step of `count` chains."""
        pixels, middle, *top = [uniform(count, bias.shape[0], fold(seed, i)) for i, bias in enumerate(self.biases)]
        return [pixels, *top], middle

    def annealed(self, beta, base) -> "Parameters":
        """Return the machine between one without couplings, whose pixels have the biases `base`, and this one.

        Args:
            beta: 0 for the former, 1 for this one.
            base: biases of the pixels at 0; the other layers' are 0 there.
        """
        pixels, *hidden = self.biases
        biases = ((1.0 - beta) * base + beta * pixels, *(beta * bias for bias in hidden))
        return Parameters(biases, tuple(beta * coupling for coupling in self.couplings))

    def _bias_energy(self, outer) -> tf.Tensor:
        return -tf.add_n([tf.linalg.matvec(each, bias) for each, bias in zip(outer, self.outer_biases, strict=True)])


def draw(logits, noise) -> tf.Tensor:
    """Return 1 where a uniform number in [0, 1) is below the probability of these logits, else 0; float32."""
    return tf.cast(noise < tf.sigmoid(logits), tf.float32)


def uniform(count, units: int, seed) -> tf.Tensor:
    """Return uniform numbers in [0, 1), float32 (count, units)."""
    return tf.random.stateless_uniform((count, units), seed)


def fold(seed, number: int) -> tf.Tensor:
    """Return another seed for each number."""
    return tf.random.experimental.stateless_fold_in(seed, number)


def _dot(first, second) -> tf.Tensor:
    return tf.reduce_sum(first * second, axis=1)
