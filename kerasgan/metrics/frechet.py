"""Frechet distance between Gaussians fitted to features: FID, and FID without the bias of finite samples."""

import numpy as np

from kerasgan.metrics.checks import check_at_least, check_features, check_pair
from kerasgan.metrics.gaussian import GaussianStatistics, check_dimensions

__all__ = ["GaussianStatistics", "fid", "fid_infinity", "frechet_distance", "require_full_rank"]


def frechet_distance(first: GaussianStatistics, second: GaussianStatistics) -> float:
    """Return the squared Frechet distance between two Gaussians.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)): Dowson and Landau 1982; Heusel et al. 2017, equation 6
    (https://arxiv.org/abs/1706.08500). Covariances may be singular; `require_full_rank` refuses those of too few
    samples, for which the number says more about their count than about the images.

    Returns:
        The distance in squared units of the features, never negative.

    Raises:
        ValueError: the dimensions differ, or a side has fewer than two samples.
    """
    covariances = first.covariance, second.covariance
    check_dimensions(first.mean, second.mean)
    shift = first.mean - second.mean
    traces = sum(np.trace(covariance) for covariance in covariances)
    # Rounding can leave equal Gaussians at about -1e-15 of the traces.
    return max(0.0, float(shift @ shift + traces - 2.0 * _trace_of_root(*covariances)))


def require_full_rank(dimensions: int, **counts: int) -> None:
    """Raise a ValueError where a side has too few samples for a covariance of full rank: d + 1 are needed.

    Args:
        dimensions: d of the features.
        **counts: samples of each side, by its name.
    """
    if min(counts.values()) <= dimensions:
        received = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ValueError(
            f"{dimensions} feature dimensions need at least {dimensions + 1} samples on each side; received {received}."
            " With fewer the covariance is singular and the distance meaningless: take more samples, an extractor with "
            "fewer dimensions, or a metric that does without, such as kid."
        )


def fid(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Frechet distance between Gaussians fitted to two sets of features.

    With Inception features this is the FID of Heusel et al. 2017 (https://arxiv.org/abs/1706.08500).

    Args:
        first: (n, d).
        second: (m, d).

    Raises:
        ValueError: a side is not finite, the dimensions differ, or n or m is at most d.
    """
    first, second = check_pair(("first", "second"), first, second)
    require_full_rank(first.shape[1], first=len(first), second=len(second))
    return frechet_distance(_gaussian(first), _gaussian(second))


def fid_infinity(
    generated: np.ndarray,
    real_statistics: GaussianStatistics,
    points: int = 15,
    seed: int = 0,
    smallest: int | None = None,
) -> tuple[float, float]:
    """Return what FID would be with endlessly many generated samples, and the standard error of that.

    FID of N samples is too large by nearly a constant over N. It is measured on random subsets of `points` sizes,
    evenly spaced from `smallest` to all, and a straight line in 1/N is followed to 1/N = 0: Chong and Forsyth 2020,
    section 4 (https://arxiv.org/abs/1911.07023). Only the generated side is extrapolated: the bias of the real
    statistics' own sample count stays. The subsets share samples, so the error, that of the line's intercept, is a
    lower bound.

    Args:
        generated: features (n, d).
        real_statistics: of the real images, by the same extractor.
        points: subset sizes, at least 3.
        seed: of the subsets, each drawn without replacement.
        smallest: the smallest subset; by default n / 10 or 2 d, whichever is larger, where the line is straight.

    Raises:
        ValueError: there are too few samples for the sizes asked for, or the dimensions differ.
    """
    generated = check_features("generated", generated)
    check_at_least("points", points, 3)
    n, d = generated.shape
    check_dimensions(generated[0], real_statistics.mean)
    require_full_rank(d, generated=n, real=real_statistics.count)
    smallest = max(n // 10, 2 * d) if smallest is None else smallest
    if not d < smallest <= n - points + 1:
        raise ValueError(
            f"With {n} samples of {d} dimensions and {points} subset sizes, smallest must be in "
            f"({d}, {n - points + 1}]; received {smallest}. Generate more samples or set smallest."
        )
    random = np.random.default_rng(seed)
    sizes = np.linspace(smallest, n, points).round().astype(int)
    subsets = (random.choice(n, size, replace=False) for size in sizes)
    distances = [frechet_distance(_gaussian(generated[rows]), real_statistics) for rows in subsets]
    return _intercept(1.0 / sizes, np.array(distances))


def _gaussian(features: np.ndarray) -> GaussianStatistics:
    statistics = GaussianStatistics(features.shape[1])
    statistics.update(features)
    return statistics


def _trace_of_root(first: np.ndarray, second: np.ndarray) -> float:
    """Return tr((C1 C2)^(1/2)) of two covariances (d, d).

    With C1 = L L^T, C1 C2 has the eigenvalues of the symmetric L^T C2 L: far cheaper than the root of a matrix that is
    not symmetric.
    """
    factors = _cholesky(first), _cholesky(second)
    if all(factor is not None for factor in factors):
        eigenvalues = np.linalg.eigvalsh(factors[0].T @ second @ factors[0])
        return float(np.sqrt(eigenvalues.clip(0.0)).sum())
    # Roots of eigenvalues that are zero but for rounding would add up; singular values have no such roots.
    first, second = _low_rank(first), _low_rank(second)
    return float(np.linalg.svd(first.T @ second, compute_uv=False).sum())


def _cholesky(covariance: np.ndarray) -> np.ndarray | None:
    """Return the Cholesky factor; None where the covariance is singular up to rounding."""
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return None
    singular = np.diag(factor).min() ** 2 <= _rounding(covariance) * np.diag(covariance).max()
    return None if singular else factor


def _low_rank(covariance: np.ndarray) -> np.ndarray:
    """Return F (d, rank) with F F^T = covariance."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > _rounding(covariance) * values[-1]
    return vectors[:, kept] * np.sqrt(values[kept])


def _rounding(matrix: np.ndarray) -> float:
    return len(matrix) * np.finfo("float64").eps


def _intercept(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return where the least-squares line through (x, y) meets x = 0, and the standard error of that."""
    centred = x - x.mean()
    spread = centred @ centred
    slope = centred @ y / spread
    intercept = y.mean() - slope * x.mean()
    residuals = y - intercept - slope * x
    variance = residuals @ residuals / (len(x) - 2)
    return float(intercept), float(np.sqrt(variance * (1 / len(x) + x.mean() ** 2 / spread)))
