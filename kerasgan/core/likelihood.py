"""LogLikelihood: what a model says of the probability of images, for `kerasgan.metrics`."""

from typing import NamedTuple

import numpy as np


class LogLikelihood(NamedTuple):
    """The log-likelihood of black-and-white images, as a model's `log_likelihoods(images, seed)` returns it.

    Args:
        metric: what the values are: "log_likelihood", or "log_likelihood_bound" where they are lower bounds.
        values: float (n,), nats an image.
        spread: standard error that all values share; None where they are exact.
        settings: what decides what the values mean, for the protocol of a result.
    """

    metric: str
    values: np.ndarray
    spread: float | None
    settings: dict
