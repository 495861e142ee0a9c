"""Read the sets of images that are compared, and their features, cached for real ones."""

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasgan.metrics import image_sets
from kerasgan.metrics.extractors import Extractor, Features
from kerasgan.metrics.features import extract, stream
from kerasgan.metrics.gaussian import GaussianStatistics
from kerasgan.metrics.image_sets import ImageSet
from kerasgan.support import cache, files

# Rows of features that are turned into float64 at once.
BLOCK = 4096


class Observed(NamedTuple):
    """What is known of a set of images, and the set itself, to read pixels from.

    Args:
        features: of all images; None where only their statistics were gathered.
        images: the set.
        statistics: mean and covariance of the features, where they were gathered in place of them.
    """

    features: Features | None
    images: ImageSet
    statistics: GaussianStatistics | None = None

    def gaussian(self) -> GaussianStatistics:
        """Return mean and covariance of the features."""
        return self.statistics or _statistics([self.features])


class RealSets(NamedTuple):
    """Real images to compare with, others in place of generated ones, and all of a training split apart from both.

    Args:
        real: to compare with.
        other: as many, none of which is in `real`.
        training: None where `real` was taken from the training images, or may have been.
    """

    real: ImageSet
    other: ImageSet
    training: ImageSet | None


def observe(
    images: ImageSet,
    extractor: Extractor,
    cached: bool = False,
    progress: bool = False,
    statistics_only: bool = False,
) -> Observed:
    """Return the features of a set of images, or only their mean and covariance.

    Args:
        images: what to read.
        extractor: what to run over it.
        cached: look in the cache first, and keep what was made there; a cache that cannot be written only warns. The
            key is the content of the images, and the extractor's weights and resize, so nothing stale is found.
        progress: show a progress bar.
        statistics_only: gather mean and covariance batch by batch, in memory that does not grow with the images.

    Raises:
        ValueError: the images cannot be read, or there are not as many as the set says.
    """
    path = _cached_path(images, extractor) if cached and extractor.sha256 else None
    features = path and _read(path, _read_features)
    if features is not None:
        return Observed(features, images)
    if statistics_only:
        statistics = _gather(images, extractor, path and path.with_suffix(".statistics.npz"), progress)
        return Observed(None, images, statistics)
    features = _extract(images, extractor, progress)
    if path:
        _keep(path, lambda temporary: _write_features(temporary, features))
    return Observed(features, images)


def _cached_path(images: ImageSet, extractor: Extractor) -> Path:
    identity = f"{extractor.name} {extractor.sha256} {extractor.resize} {images.fingerprint}"
    key = hashlib.sha256(identity.encode()).hexdigest()
    return cache.folder() / "features" / f"{extractor.name}-{key}.npz"


def _gather(images: ImageSet, extractor: Extractor, path: Path | None, progress: bool) -> GaussianStatistics:
    """Return mean and covariance of a set's features from the cache, or made batch by batch."""
    statistics = path and _read(path, GaussianStatistics.load)
    if not statistics:
        statistics = _statistics(stream(extractor, images.read(), images.count, progress))
        _check_count(images, statistics.count)
        if path:
            _keep(path, statistics.save)
    return statistics


def _statistics(parts: Iterable[Features]) -> GaussianStatistics:
    statistics = None
    for part in parts:
        for start in range(0, len(part.features), BLOCK):
            block = part.features[start : start + BLOCK]
            statistics = statistics or GaussianStatistics(block.shape[1])
            statistics.update(block)
    return statistics


def real_sets(source, n: int, split: str | None = None, **data) -> RealSets:
    """Return n real images to compare with, as many others for the real-versus-real value, and the training images.

    The first come from `split`, "test" where it is None and there is one; the others from "train". An array, a part of
    "train" and data without a "train" have no others: every second image is compared with those between.

    Raises:
        ValueError: the source or the split does not exist, or holds a single image to be halved.
    """
    named = isinstance(source, str | os.PathLike)
    if split is None:
        split = "test" if named and _find(source, "test", data) is not None else "train"
    # An array is whatever split it is said to be: its "train" would be the same images again.
    apart = named and "train" not in split and split != "all"
    training = _find(source, "train", data) if apart else None
    if training is None:
        halves = (image_sets.dataset(source, split, n, half, **data) for half in (0, 1))
        return RealSets(*halves, training=None)
    real = image_sets.dataset(source, split, n, **data)
    other = image_sets.dataset(source, "train", real.count, **data)
    return RealSets(real.head(other.count), other, training)


def _find(source, split: str, data: dict) -> ImageSet | None:
    """Return a split of a data source; None where there is no such split."""
    try:
        return image_sets.dataset(source, split, **data)
    except ValueError as error:
        if f"split {split!r}" in str(error):
            return None
        raise


def _extract(images: ImageSet, extractor: Extractor, progress: bool) -> Features:
    features = extract(extractor, images.read(), images.count, progress)
    _check_count(images, len(features.features))
    return features


def _check_count(images: ImageSet, found: int) -> None:
    if found != images.count:
        raise ValueError(
            f"{images.name} was to have {images.count} images and gave {found}. Remove damaged files from a folder; a "
            "model's generate(n) must return n images."
        )


def _read(path: Path, read: Callable):
    """Return what is cached; None where there is nothing or the file is damaged."""
    try:
        return read(path)
    # A damaged archive may raise any of many errors.
    except Exception:
        return None


def _read_features(path: Path) -> Features:
    # Opened here because NumPy leaves a damaged archive open.
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
        return Features(arrays["features"], arrays.get("probabilities"))


def _write_features(path: Path, features: Features) -> None:
    np.savez(path, **{name: array for name, array in features._asdict().items() if array is not None})


def _keep(path: Path, write: Callable) -> None:
    """Write to the cache; what was computed is not lost where that fails."""
    try:
        cache.part("features")
        with files.replacing(path) as temporary:
            write(temporary)
    except (OSError, ValueError) as error:
        warnings.warn(f"The features of the real images are not kept for the next time. {error}", stacklevel=3)
