"""Annealed importance sampling: an estimate of log Z, by which an energy becomes a probability."""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerasgan.boltzmann.parameters import Parameters, draw, fold, uniform


class LogZ(NamedTuple):
    """An estimate of log Z in nats, its standard error, and with how many chains and temperatures it was made."""

    value: float
    standard_error: float
    chains: int
    temperatures: int


def estimate_log_z(parameters: Parameters, base, chains: int, temperatures: int, seed: int) -> LogZ:
    """Return an estimate of the log of the sum of exp(-energy) over all states.

    Chains go from a machine without couplings, whose sum is known, to this one. Salakhutdinov and Murray 2008, section
    4.1 (https://www.cs.toronto.edu/~rsalakhu/papers/dbn_ais.pdf). exp(estimate) has the right expectation, so the
    estimate of the logarithm tends to be too low, and a log-likelihood made of it too high, where the error is large.

    Args:
        parameters: of the machine.
        base: biases of the pixels where the chains start; near the logits of the images' mean pixels.
        chains: number of chains, at least 2.
        temperatures: inverse temperatures that each chain goes through, both ends included; at least 2.
        seed: of the chains.
    """
    if chains < 2 or temperatures < 2:
        raise ValueError(f"An estimate takes at least 2 chains and temperatures; received {chains}, {temperatures}.")
    log_weights = np.asarray(_anneal(parameters, base, schedule(temperatures), chains, tf.constant([seed, 0])))
    top = log_weights.max()
    weights = np.exp(log_weights - top)
    # Z where nothing is coupled: two states of weight 1 for a hidden unit.
    hidden = sum(bias.shape[0] for bias in parameters.biases[1:])
    start = float(tf.reduce_sum(tf.nn.softplus(tf.cast(base, tf.float64)))) + hidden * math.log(2.0)
    error = weights.std(ddof=1) / (weights.mean() * math.sqrt(chains))
    return LogZ(float(start + top + np.log(weights.mean())), float(error), chains, temperatures)


def schedule(temperatures: int) -> tf.Tensor:
    """Return inverse temperatures from 0 to 1, the closest together near 1, where most of the difference is made."""
    known = (0.0, 0.1, 0.4, 1.0), (0.0, 0.5, 0.9, 1.0)
    return tf.constant(np.interp(np.linspace(0.0, 1.0, temperatures), *known), tf.float32)


@tf.function
def _anneal(parameters, base, betas, chains, seed):
    """Return the log of the importance weight of every chain, float64 (chains,)."""
    middle = draw(
        tf.zeros((chains, parameters.biases[1].shape[0])), uniform(chains, parameters.biases[1].shape[0], seed)
    )
    log_weights = tf.zeros((chains,), tf.float64)
    for step in tf.range(1, tf.size(betas)):
        before, after = (parameters.annealed(betas[number], base) for number in (step - 1, step))
        gain = after.middle_log_weight(middle) - before.middle_log_weight(middle)
        log_weights += tf.cast(gain, tf.float64)
        _, middle = after.chain(middle, 1, fold(seed, step))
    return log_weights
