"""Kernel Inception distance: an unbiased distance between two sets of features, also for few samples."""

import numpy as np

from kerasgan.metrics.checks import check_at_least, check_pair


def kid(
    first: np.ndarray,
    second: np.ndarray,
    subsets: int = 100,
    subset_size: int = 1000,
    degree: int = 3,
    gamma: float | None = None,
    coefficient: float = 1.0,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the squared maximum mean discrepancy under a polynomial kernel, averaged over random subsets.

    The kernel is (gamma x.y + coefficient)^degree; the estimate is unbiased, so it can be a little negative for equal
    distributions. Binkowski et al. 2018, section 4 (https://arxiv.org/abs/1801.01401); the estimator is that of Gretton
    et al. 2012, equation 3.

    Args:
        first: features (n, d).
        second: features (m, d).
        subsets: random subsets of each side, at least 2; drawn without replacement within a subset.
        subset_size: samples of each side in a subset, at least 2.
        degree: of the polynomial, a positive integer.
        gamma: factor of the inner product; 1 / d by default.
        coefficient: added to it.
        seed: of the subsets.

    Returns:
        The mean over the subsets, and its standard error across them. Subsets share samples where a side has fewer than
        subsets * subset_size, and the error leaves that out.

    Raises:
        ValueError: a side is not finite, the dimensions differ, or a side is smaller than subset_size.
    """
    first, second = check_pair(("first", "second"), first, second)
    for name, value, least in (("subsets", subsets, 2), ("subset_size", subset_size, 2), ("degree", degree, 1)):
        check_at_least(name, value, least)
    if subset_size > min(len(first), len(second)):
        raise ValueError(
            f"subset_size {subset_size} is more than a side has: first {len(first)}, second {len(second)} samples. "
            "Take more samples or a smaller subset_size, and name it beside the result."
        )
    gamma = 1.0 / first.shape[1] if gamma is None else gamma
    random = np.random.default_rng(seed)

    def subset(features: np.ndarray) -> np.ndarray:
        return features[random.choice(len(features), subset_size, replace=False)].astype("float64")

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        base = gamma * (x @ y.T) + coefficient
        result = base.copy()
        # Several times faster than a power of floats.
        for _ in range(degree - 1):
            result *= base
        return result

    def squared_mmd(x: np.ndarray, y: np.ndarray) -> float:
        return _mean_off_diagonal(kernel(x, x)) + _mean_off_diagonal(kernel(y, y)) - 2.0 * kernel(x, y).mean()

    estimates = [squared_mmd(subset(first), subset(second)) for _ in range(subsets)]
    return float(np.mean(estimates)), float(np.std(estimates, ddof=1) / np.sqrt(subsets))


def _mean_off_diagonal(matrix: np.ndarray) -> float:
    n = len(matrix)
    return (matrix.sum() - np.trace(matrix)) / (n * (n - 1))
