"""Inception Score: are single images classified surely, and all of them together into many classes?"""

from itertools import pairwise

import numpy as np

from kerasgan.metrics.checks import check_at_least, check_features


def inception_score(probabilities: np.ndarray, splits: int = 10) -> tuple[float, float]:
    """Return exp(E_x KL(p(y|x) || p(y))), its mean and standard deviation over consecutive parts.

    Salimans et al. 2016, section 4 (https://arxiv.org/abs/1606.03498). At least 1; at most the number of classes.

    Args:
        probabilities: (n, classes), rows that sum to 1, in the order in which the images were generated.
        splits: parts of n // splits rows or one more.

    Returns:
        The mean over the parts and, as published, the population standard deviation.

    Raises:
        ValueError: the rows are no probabilities, or there are fewer than splits.
    """
    probabilities = check_features("probabilities", probabilities).astype("float64")
    check_at_least("splits", splits, 1)
    if len(probabilities) < splits:
        raise ValueError(f"{splits} splits need at least {splits} rows; received {len(probabilities)}.")
    _check_probabilities(probabilities)
    bounds = [len(probabilities) * split // splits for split in range(splits + 1)]
    scores = [_score(probabilities[start:end]) for start, end in pairwise(bounds)]
    return float(np.mean(scores)), float(np.std(scores))


def _score(probabilities: np.ndarray) -> float:
    # p log p, which is 0 at p = 0: the least positive number stands in for it inside the logarithm.
    tiny = np.finfo("float64").tiny
    marginal = probabilities.mean(axis=0)
    logarithms = np.log(probabilities.clip(tiny)) - np.log(marginal.clip(tiny))
    return float(np.exp((probabilities * logarithms).sum(axis=1).mean()))


def _check_probabilities(probabilities: np.ndarray) -> None:
    sums = probabilities.sum(axis=1)
    # Softmax in float32 or bfloat16 sums to 1 within this.
    wrong = (np.abs(sums - 1.0) > 1e-2) | (probabilities < 0.0).any(axis=1)
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"Rows must be probabilities, not negative and summing to 1; row {row} has the sum {sums[row]:.4g} and the "
            f"least value {probabilities[row].min():.4g}. Apply a softmax to logits."
        )
