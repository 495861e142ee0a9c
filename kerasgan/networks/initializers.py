"""Seeded initializers: the same seed gives the same network, and no two layers share their numbers."""

import itertools
from collections.abc import Iterator

import keras


def normal(seed: int | None, stddev: float = 0.02) -> Iterator[keras.initializers.Initializer]:
    """Yield one normal initializer after another (DCGAN's: Radford et al. 2015, section 4)."""
    return (keras.initializers.RandomNormal(stddev=stddev, seed=each) for each in seeds(seed))


def glorot(seed: int | None) -> Iterator[keras.initializers.Initializer]:
    """Yield one Glorot uniform initializer after another."""
    return (keras.initializers.GlorotUniform(seed=each) for each in seeds(seed))


def seeds(seed: int | None) -> Iterator[int | None]:
    """Yield one layer's seed after another."""
    return itertools.repeat(None) if seed is None else itertools.count(seed * 1000)
