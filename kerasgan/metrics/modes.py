"""Which modes a generator covers: classes told by a classifier, or the known centres of a toy distribution."""

import math
from typing import NamedTuple

import numpy as np

from kerasgan.metrics.checks import check_at_least, check_pair
from kerasgan.metrics.neighbours import nearest


class Modes(NamedTuple):
    """How generated samples spread over classes.

    Attributes:
        covered: classes with at least one sample.
        kl: KL(generated shares || reference shares) in nats; infinite where a sample is of a class that the reference
            lacks.
        largest_deviation: the largest |share / reference share - 1| of a class: 0 for perfect balance, at least 1
            where a class is missing.
    """

    covered: int
    kl: float
    largest_deviation: float


class ToyModes(NamedTuple):
    """How generated points spread over the centres of a toy distribution.

    Attributes:
        covered: centres that are nearest to at least one high-quality sample.
        high_quality: share of samples near a centre, in [0, 1].
        kl: KL(shares of the high-quality samples among the centres || uniform) in nats; infinite without any.
        jsd: Jensen-Shannon divergence of the same two in nats, in [0, log 2]; log 2 without any.
    """

    covered: int
    high_quality: float
    kl: float
    jsd: float


def class_histogram(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Return how many samples each class has, int64 (num_classes,).

    Args:
        labels: integers (n,) in [0, num_classes); take the argmax of a classifier's probabilities first.
        num_classes: number of classes.

    Raises:
        ValueError: labels are empty, no integers, not 1-D or out of range.
    """
    check_at_least("num_classes", num_classes, 1)
    labels = np.asarray(labels)
    if labels.ndim != 1 or not labels.size or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"labels must be a non-empty array of integers (n,); received {labels.dtype} of shape {labels.shape}."
        )
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"labels must be in [0, {num_classes}); received values from {labels.min()} to {labels.max()}."
        )
    return np.bincount(labels.astype("int64"), minlength=num_classes)


def mode_statistics(labels: np.ndarray, num_classes: int, reference: np.ndarray | None = None) -> Modes:
    """Return how evenly generated samples spread over classes.

    Args:
        labels: integers (n,), the classes of the generated samples.
        num_classes: number of classes.
        reference: (num_classes,) counts or shares of real images; uniform if left out.

    Raises:
        ValueError: see `class_histogram`; or reference is no histogram of num_classes classes.
    """
    counts = class_histogram(labels, num_classes)
    expected = _reference_shares(num_classes, reference)
    shares = counts / counts.sum()
    present = (shares > 0) | (expected > 0)
    with np.errstate(divide="ignore"):
        deviations = np.abs(shares[present] / expected[present] - 1.0)
    return Modes(int(np.count_nonzero(counts)), _kl(shares, expected), float(deviations.max()))


def toy_modes(samples: np.ndarray, centers: np.ndarray, standard_deviation: float, within: float = 3.0) -> ToyModes:
    """Return how samples spread over the modes of a mixture of Gaussians, such as a ring or a grid.

    A sample is of high quality within `within` standard deviations of the nearest centre: Srivastava et al. 2017
    (VEEGAN), section 4.1 (https://arxiv.org/abs/1705.07761); Lin et al. 2018 (PacGAN), section 4.1
    (https://arxiv.org/abs/1712.04086).

    Args:
        samples: (n, d), in the units of the centres; d is usually 2.
        centers: (modes, d).
        standard_deviation: of each mode.
        within: how many of them a sample may be away.

    Raises:
        ValueError: an array is not finite or not 2-D, the dimensions differ, or a distance is not positive.
    """
    samples, centers = check_pair(("samples", "centers"), samples, centers)
    if not standard_deviation > 0 or not within > 0:
        raise ValueError(f"standard_deviation and within must be positive; received {standard_deviation} and {within}.")
    indices, distances = nearest(samples, centers)
    good = indices[distances <= within * standard_deviation]
    if not good.size:
        return ToyModes(covered=0, high_quality=0.0, kl=float("inf"), jsd=math.log(2))
    modes = mode_statistics(good, len(centers))
    jsd = jensen_shannon(class_histogram(good, len(centers)), np.ones(len(centers)))
    return ToyModes(modes.covered, good.size / len(samples), modes.kl, jsd)


def jensen_shannon(counts: np.ndarray, others: np.ndarray) -> float:
    """Return the Jensen-Shannon divergence of two histograms of the same classes in nats, in [0, log 2].

    Lin 1991, equation 4.1 (https://doi.org/10.1109/18.61115). Unlike KL it is finite where a class is missing.

    Args:
        counts: (num_classes,) counts or shares, not all 0.
        others: the same of the other side.
    """
    shares, expected = (_reference_shares(len(counts), side) for side in (counts, others))
    middle = (shares + expected) / 2
    # Rounding may leave equal histograms a hair below zero.
    return max(0.0, (_kl(shares, middle) + _kl(expected, middle)) / 2)


def _reference_shares(num_classes: int, reference: np.ndarray | None) -> np.ndarray:
    if reference is None:
        return np.full(num_classes, 1.0 / num_classes)
    reference = np.asarray(reference, "float64")
    if reference.shape != (num_classes,) or not (reference >= 0).all() or not 0 < reference.sum() < np.inf:
        raise ValueError(
            f"reference must hold {num_classes} counts or shares, not negative and not all 0; received "
            f"shape {reference.shape}: {reference}."
        )
    return reference / reference.sum()


def _kl(shares: np.ndarray, expected: np.ndarray) -> float:
    present = shares > 0
    with np.errstate(divide="ignore"):
        return float((shares[present] * np.log(shares[present] / expected[present])).sum())
