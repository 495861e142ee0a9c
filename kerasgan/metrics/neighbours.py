"""What nearest neighbours tell: precision, recall, density, coverage, and copies of training images.

Distances are Euclidean, from matrix products in float64, a block of rows at a time: no n x m matrix is ever held.
"""

from typing import NamedTuple

import numpy as np

from kerasgan.metrics.checks import check_at_least, check_pair

# A matrix product's rounding error in a squared distance is below this part of the squared lengths.
ROUNDING = 1e-12


class PRDC(NamedTuple):
    """Fidelity (precision, density) and variety (recall, coverage); all in [0, 1] but density, which may exceed 1."""

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(real: np.ndarray, generated: np.ndarray, k: int = 5, block: int = 2048) -> PRDC:
    """Return precision, recall, density and coverage of generated features.

    Around every sample lies a ball that reaches to its k-th nearest neighbour of the same set, itself not counted.

    precision: share of generated samples in at least one real ball; recall: share of real samples in at least one
    generated ball. Kynkaanniemi et al. 2019, equations 1 and 2 (https://arxiv.org/abs/1904.06991).
    density: real balls that a generated sample lies in, on average, over k; coverage: share of real balls that hold a
    generated sample. Naeem et al. 2020, equations 3 and 4 (https://arxiv.org/abs/2002.09797).

    Args:
        real: (n, d).
        generated: (m, d).
        k: which neighbour, below both n and m.
        block: rows worked on at once; memory is about 24 bytes * block * max(n, m), and float64 copies of both sets.

    Raises:
        ValueError: a side is not finite or has at most k samples, or the dimensions differ.
    """
    real, generated = check_pair(("real", "generated"), real, generated)
    check_at_least("k", k, 1)
    check_at_least("block", block, 1)
    if k >= min(len(real), len(generated)):
        raise ValueError(
            f"Each side needs more than k = {k} samples; received {len(real)} real and {len(generated)} generated."
        )
    centre = real.mean(axis=0, dtype="float64")
    real, generated = real - centre, generated - centre
    real_balls, generated_balls = _balls(real, k, block), _balls(generated, k, block)
    in_real = np.zeros(len(generated), "int64")
    real_ball_holds, in_generated = np.zeros(len(real), bool), np.zeros(len(real), bool)
    for start in range(0, len(generated), block):
        rows = slice(start, start + block)
        squared = _squared_distances(generated[rows], real)
        inside = squared <= real_balls
        in_real[rows] = inside.sum(axis=1)
        real_ball_holds |= inside.any(axis=0)
        in_generated |= (squared <= generated_balls[rows, None]).any(axis=0)
    return PRDC(
        precision=float((in_real > 0).mean()),
        recall=float(in_generated.mean()),
        density=float(in_real.mean() / k),
        coverage=float(real_ball_holds.mean()),
    )


def nearest(queries: np.ndarray, base: np.ndarray, k: int = 1, block: int = 2048) -> tuple[np.ndarray, np.ndarray]:
    """Return the k rows of `base` nearest to each query, nearest first.

    Args:
        queries: (n, d).
        base: (m, d).
        k: at most m.
        block: rows of either side worked on at once.

    Returns:
        Indices into base, int64 (n, k), and Euclidean distances, float64 (n, k), exactly 0 for exact copies.

    Raises:
        ValueError: a side is not finite, the dimensions differ, or base has fewer than k rows.
    """
    queries, base = check_pair(("queries", "base"), queries, base)
    check_at_least("k", k, 1)
    check_at_least("block", block, 1)
    if k > len(base):
        raise ValueError(f"k = {k} neighbours are more than the {len(base)} rows of base.")
    # In the precision of base: subtracting float64 would double it in memory.
    centre = base.mean(axis=0, dtype="float64").astype(base.dtype)
    # Twice as fast as in float64; the distances of the candidates are computed again, exactly.
    centred = (base - centre).astype("float32", copy=False)
    found = [
        _nearest_of_block(queries[start : start + block], base, centred, centre, k, block)
        for start in range(0, len(queries), block)
    ]
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


def _nearest_of_block(queries, base, centred_base, centre, k: int, block: int) -> tuple[np.ndarray, np.ndarray]:
    # Spare candidates: among near ties the rounded distances may be in the wrong order.
    candidates = min(k + 4, len(base))
    indices = np.empty((len(queries), 0), "int64")
    squared = np.empty((len(queries), 0), "float32")
    centred = (queries - centre).astype("float32")
    for start in range(0, len(base), block):
        distances = _squared_distances(centred, centred_base[start : start + block])
        found = np.broadcast_to(np.arange(start, start + distances.shape[1]), distances.shape)
        indices, squared = np.hstack([indices, found]), np.hstack([squared, distances])
        if squared.shape[1] > candidates:
            best = np.argpartition(squared, candidates - 1, axis=1)[:, :candidates]
            indices, squared = np.take_along_axis(indices, best, 1), np.take_along_axis(squared, best, 1)
    distances = np.stack([_distances(queries, base[column]) for column in indices.T], axis=1)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(indices, order, 1), np.take_along_axis(distances, order, 1)


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the exact distances between rows of equal number."""
    return np.linalg.norm(np.subtract(first, second, dtype="float64"), axis=1)


def _balls(features: np.ndarray, k: int, block: int) -> np.ndarray:
    """Return the squared radius of every sample's ball, enlarged by what rounding may hide: (n,).

    A copy of a ball's outermost sample has to lie inside, as does a copy of the centre of a ball of radius 0.
    """
    radii = np.empty(len(features))
    for start in range(0, len(features), block):
        squared = _squared_distances(features[start : start + block], features)
        rows = np.arange(len(squared))
        squared[rows, start + rows] = np.inf
        squared.partition(k - 1, axis=1)
        radii[start : start + block] = squared[:, k - 1]
    return radii + ROUNDING * (radii + _squared_lengths(features))


def _squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the squared distances (n, m) between rows of arrays near the origin, in their precision."""
    squared = (-2.0 * first) @ second.T
    squared += _squared_lengths(first)[:, None]
    squared += _squared_lengths(second)
    return np.maximum(squared, 0.0, out=squared)


def _squared_lengths(features: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", features, features)
