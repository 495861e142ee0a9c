"""Mean field: the hidden layers of a deep machine, inferred from pixels."""

import tensorflow as tf

from kerasgan.boltzmann.parameters import Parameters


def infer(parameters: Parameters, middle, pixels, steps: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return probabilities of the middle and the top layer under which, apart, they fit pixels best.

    The two layers take turns, and none of the turns makes the bound worse. Salakhutdinov and Hinton 2009, equations 10
    and 11 (http://proceedings.mlr.press/v5/salakhutdinov09a.html).

    Args:
        parameters: of a deep machine.
        middle: probabilities of the middle layer to start from, (batch, middle).
        pixels: 0 or 1, (batch, pixels).
        steps: turns of each layer.
    """
    below = tf.matmul(pixels, parameters.couplings[0]) + parameters.biases[1]
    for _ in range(steps):
        top = tf.sigmoid(tf.matmul(middle, parameters.couplings[1]) + parameters.biases[2])
        middle = tf.sigmoid(below + tf.matmul(top, parameters.couplings[1], transpose_b=True))
    return middle, tf.sigmoid(tf.matmul(middle, parameters.couplings[1]) + parameters.biases[2])


def variational_free_energy(parameters: Parameters, pixels, middle, top) -> tf.Tensor:
    """Return -(bound on log p(pixels)) - log Z in nats, (batch,).

    It is the expected energy less the entropy of hidden units that are independent, with these probabilities. Where
    they are constants, its gradient is that of the expected energy.
    """
    return parameters.energy([pixels, top], middle) - entropy(middle) - entropy(top)


def entropy(probabilities) -> tf.Tensor:
    """Return the entropy in nats of independent units, (batch,)."""
    bits = (probabilities, 1.0 - probabilities)
    return -tf.add_n([tf.reduce_sum(tf.math.xlogy(each, each), axis=1) for each in bits])
