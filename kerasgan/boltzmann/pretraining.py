"""Contrastive divergence for the two machines that become a deep one.

Each yields states of the data and of the model, after one Gibbs step from there: pairs of a visible and a hidden layer,
of which the hidden one is an expectation. Salakhutdinov and Hinton 2009, section 3.1
(http://proceedings.mlr.press/v5/salakhutdinov09a.html).
"""

import tensorflow as tf

from kerasgan.boltzmann.parameters import Parameters, draw, fold, uniform


def first_statistics(parameters: Parameters, pixels, middle, seed) -> tuple[tuple, tuple]:
    """Return (pixels, middle) of the data and of the model, for the first machine.

    The pixels count twice for the middle layer, which in the deep machine also hears from the top.

    Args:
        parameters: of the deep machine.
        pixels: 0 or 1, (batch, pixels).
        middle: state of the middle layer, drawn given the pixels.
        seed: two integers.
    """
    coupling = parameters.couplings[0]
    logits = parameters.biases[0] + tf.matmul(middle, coupling, transpose_b=True)
    drawn = draw_units(logits, seed)
    real, fake = (tf.sigmoid(parameters.biases[1] + 2.0 * tf.matmul(each, coupling)) for each in (pixels, drawn))
    return (pixels, real), (drawn, fake)


def second_statistics(parameters: Parameters, middle, seed) -> tuple[tuple, tuple]:
    """Return (middle, top) of the data and of the model, for the second machine.

    The top layer counts twice for the middle one, which in the deep machine also hears from the pixels.

    Args:
        parameters: of the deep machine.
        middle: state of the middle layer, drawn given the pixels.
        seed: two integers.
    """
    coupling = parameters.couplings[1]

    def up(state):
        return parameters.biases[2] + tf.matmul(state, coupling)

    top = draw_units(up(middle), fold(seed, 0))
    logits = parameters.biases[1] + 2.0 * tf.matmul(top, coupling, transpose_b=True)
    drawn = draw_units(logits, fold(seed, 1))
    return (middle, tf.sigmoid(up(middle))), (drawn, tf.sigmoid(up(drawn)))


def draw_units(logits, seed) -> tf.Tensor:
    """Return states drawn with these logits, 0 or 1, with a seed of two integers."""
    return draw(logits, uniform(tf.shape(logits)[0], logits.shape[1], seed))
