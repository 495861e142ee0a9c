"""What toys learn: one normal distribution on a line, and mixtures of Gaussians in the plane whose modes are counted.

The ring of eight and the grid of 25 are those of Srivastava et al. 2017 (VEEGAN), section 4.1
(https://arxiv.org/abs/1705.07761), and of Lin et al. 2018 (PacGAN), section 4.1 (https://arxiv.org/abs/1712.04086).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

import numpy as np

from kerasgan.metrics.modes import ToyModes, toy_modes

# What both papers count on.
SAMPLES = 2500
WITHIN = 3.0


class Toy(Protocol):
    """A distribution of points.

    Attributes:
        name: of the toy.
        size: numbers in a point.
        scale: about the standard deviation of a coordinate, by which networks rescale.
    """

    name: str
    size: int
    scale: float

    def draw(self, n: int, seed: int) -> np.ndarray:
        """Return n points, float32 (n, size), the same for the same seed."""


@dataclass(frozen=True)
class Normal:
    """A normal distribution on a line: what the figure of 2014 learns.

    Attributes:
        mean: of the distribution.
        scale: its standard deviation.
        name: of the toy.
        size: numbers in a point.
    """

    mean: float = 2.0
    scale: float = 0.5
    name: str = "gaussian"
    size: int = 1

    def draw(self, n: int, seed: int) -> np.ndarray:
        """Return n points, float32 (n, 1), the same for the same seed."""
        return np.random.default_rng(seed).normal(self.mean, self.scale, (n, 1)).astype("float32")

    def density(self, x: np.ndarray) -> np.ndarray:
        """Return the density at each of the numbers."""
        return np.exp(-0.5 * ((x - self.mean) / self.scale) ** 2) / (self.scale * math.sqrt(2 * math.pi))

    def distance(self, points: np.ndarray) -> float:
        """Return the Wasserstein-1 distance of points (n, 1) to the distribution: how far a point moves, on average."""
        shares = (np.arange(len(points)) + 0.5) / len(points)
        quantiles = np.array([NormalDist(self.mean, self.scale).inv_cdf(share) for share in shares])
        return float(np.abs(np.sort(points[:, 0]) - quantiles).mean())


@dataclass(frozen=True, eq=False)
class Mixture:
    """Equally likely round Gaussians in the plane.

    Attributes:
        name: of the toy.
        centers: (modes, 2).
        standard_deviation: of each mode and coordinate. The variance is its square.
        places: where the centers are, in words.
    """

    name: str
    centers: np.ndarray
    standard_deviation: float
    places: str

    @property
    def modes(self) -> int:
        """How many Gaussians there are."""
        return len(self.centers)

    @property
    def size(self) -> int:
        """How many numbers a point has."""
        return self.centers.shape[1]

    @property
    def scale(self) -> float:
        """The standard deviation of a coordinate over the whole mixture."""
        return float(np.sqrt(self.centers.var(axis=0).mean() + self.standard_deviation**2))

    @property
    def protocol(self) -> str:
        """What belongs beside every count of modes."""
        return (
            f"{self.modes} Gaussians, {self.places}, standard deviation {self.standard_deviation:g}; "
            f"{SAMPLES:,} samples; high quality within {WITHIN:g} standard deviations of the nearest centre; a mode is "
            "covered by at least 1 such sample; JSD in nats of those samples' shares to uniform"
        )

    def draw(self, n: int, seed: int) -> np.ndarray:
        """Return n points, float32 (n, 2), the same for the same seed."""
        random = np.random.default_rng(seed)
        chosen = self.centers[random.integers(self.modes, size=n)]
        return (chosen + random.normal(0.0, self.standard_deviation, chosen.shape)).astype("float32")

    def score(self, points: np.ndarray) -> ToyModes:
        """Return how points (n, 2) spread over the modes; those that are not finite are near none."""
        finite = np.isfinite(points).all(axis=1)
        if not finite.any():
            return ToyModes(0, 0.0, math.inf, math.log(2))
        found = toy_modes(points[finite], self.centers, self.standard_deviation, WITHIN)
        return found._replace(high_quality=found.high_quality * float(finite.mean()))


def ring(modes: int = 8, radius: float = 1.0, standard_deviation: float = 0.01) -> Mixture:
    """Return Gaussians on a circle. The circle ends where it begins: the last centre is one step before the first."""
    angles = 2 * math.pi * np.arange(modes) / modes
    centers = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Mixture("ring", centers, standard_deviation, f"on a circle of radius {radius:g}")


def grid(side: int = 5, spacing: float = 2.0, standard_deviation: float = 0.05) -> Mixture:
    """Return Gaussians on a square grid about the origin; by default their centres are {-4, -2, 0, 2, 4} squared."""
    places = spacing * (np.arange(side) - (side - 1) / 2)
    centers = np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1).reshape(-1, 2)
    return Mixture("grid", centers, standard_deviation, f"on a grid of spacing {spacing:g}")


MIXTURES = {"ring": ring(), "grid": grid()}
