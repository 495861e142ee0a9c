"""Sliced Wasserstein distance between two sets of images: no network, no extractor, only pixels."""

import numpy as np


def sliced_wasserstein(first: np.ndarray, second: np.ndarray, projections: int = 512, seed: int = 0) -> float:
    """Return the sliced Wasserstein-2 distance between two equally large sets of images.

    Images are projected on random directions; in one dimension the distance is that of the sorted values. It is 0 for
    equal sets and grows with any difference in brightness, shape or variety, but it is blind to much that people
    see: a coarse, honest measure. Rabin et al. 2012, equation 8.

    Args:
        first: float array (n, height, width, channels) in [-1, 1].
        second: the same shape.
        projections: number of random directions.
        seed: of the directions.

    Raises:
        ValueError: the shapes differ, a set is empty, or a value is not finite.
    """
    if first.shape != second.shape or not len(first):
        raise ValueError(
            f"Compare equally many images of one shape, at least one; received {first.shape} and {second.shape}."
        )
    first, second = (np.asarray(images, "float64").reshape(len(images), -1) for images in (first, second))
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("The images hold values that are not finite.")
    directions = np.random.default_rng(seed).normal(size=(first.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    difference = np.sort(first @ directions, axis=0) - np.sort(second @ directions, axis=0)
    return float(np.sqrt(np.mean(difference**2)))
