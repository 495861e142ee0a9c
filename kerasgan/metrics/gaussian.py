"""Mean and covariance of features, gathered batch by batch."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from kerasgan.metrics.checks import check_at_least, check_features
from kerasgan.support.files import replacing


class GaussianStatistics:
    """Mean and covariance of features, gathered batch by batch in float64.

    Memory is d + d * d numbers however many samples are seen. The updates are those of Chan et al. 1983
    (https://doi.org/10.1080/00031305.1983.10483115), which stay accurate where the mean is far from zero.

    Args:
        dimensions: d of the features.

    Attributes:
        count: samples seen so far.
        mean: float64 (d,); zeros before the first batch.

    Raises:
        ValueError: dimensions is not positive.
    """

    def __init__(self, dimensions: int):
        check_at_least("dimensions", dimensions, 1)
        self.count = 0
        self.mean = np.zeros(dimensions)
        self._scatter = np.zeros((dimensions, dimensions))

    @property
    def covariance(self) -> np.ndarray:
        """The unbiased covariance, float64 (d, d), divided by count - 1.

        Raises:
            ValueError: fewer than two samples were seen.
        """
        if self.count < 2:
            raise ValueError(f"A covariance needs at least 2 samples; {self.count} seen. Call update with more.")
        return self._scatter / (self.count - 1)

    def update(self, features: np.ndarray) -> None:
        """Add a batch of features (n, d).

        Raises:
            ValueError: features are no finite (n, d) array, or of another d.
        """
        features = check_features("features", features).astype("float64")
        check_dimensions(self.mean, features[0])
        mean = features.mean(axis=0)
        features -= mean
        self._add(len(features), mean, features.T @ features)

    def merge(self, other: "GaussianStatistics") -> None:
        """Add all that `other` has seen; `other` stays as it is.

        Raises:
            ValueError: the dimensions differ.
        """
        check_dimensions(self.mean, other.mean)
        if other.count:
            self._add(other.count, other.mean, other._scatter)

    def save(self, path: str | Path) -> None:
        """Write the statistics to an .npz file, whole or not at all.

        Raises:
            ValueError: no sample was seen.
        """
        if not self.count:
            raise ValueError("There are no statistics to save: no batch was given to update.")
        # An open file, because NumPy would add .npz to a path of another ending.
        with replacing(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, count=self.count, mean=self.mean, scatter=self._scatter)

    @classmethod
    def load(cls, path: str | Path) -> "GaussianStatistics":
        """Return the statistics that `save` wrote.

        Raises:
            ValueError: the file is damaged or holds something else.
            FileNotFoundError: there is no such file.
        """
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                count, mean, scatter = int(arrays["count"]), arrays["mean"], arrays["scatter"]
        except (KeyError, ValueError, TypeError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(f"{path} holds no saved GaussianStatistics ({error}). Make it again.") from error
        if count < 1 or mean.ndim != 1 or scatter.shape != mean.shape * 2 or not np.isfinite(scatter).all():
            raise ValueError(f"{path} holds arrays that fit no GaussianStatistics. Make it again.")
        statistics = cls(mean.size)
        statistics._add(count, mean, scatter)
        return statistics

    def _add(self, count: int, mean: np.ndarray, scatter: np.ndarray) -> None:
        total = self.count + count
        shift = mean - self.mean
        self._scatter += scatter
        self._scatter += np.outer(shift, shift * (self.count * count / total))
        self.mean = self.mean + shift * (count / total)
        self.count = total


def check_dimensions(first: np.ndarray, second: np.ndarray) -> None:
    """Raise a ValueError unless two means are of equally many dimensions."""
    if first.size != second.size:
        raise ValueError(
            f"Features of {first.size} and of {second.size} dimensions do not go together: use one extractor."
        )
