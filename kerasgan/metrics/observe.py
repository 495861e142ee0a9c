"""Read the sets of images that are compared, and their features, cached for real ones."""

import hashlib
import os
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasgan import cache, files
from kerasgan.metrics import image_sets
from kerasgan.metrics.features import Extractor, Features, extract
from kerasgan.metrics.image_sets import ImageSet


class Observed(NamedTuple):
    """What is known of a set of images: the features of all, and the set itself, to read pixels from."""

    features: Features
    images: ImageSet


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


def observe(images: ImageSet, extractor: Extractor, cached: bool = False, progress: bool = False) -> Observed:
    """Return the features of a set of images.

    Args:
        images: what to read.
        extractor: what to run over it.
        cached: look in the cache first, and keep the features there; a cache that cannot be written only warns. The
            key is the content of the images, and the extractor's weights and resize, so nothing stale is found.
        progress: show a progress bar.

    Raises:
        ValueError: the images cannot be read, or there are not as many as the set says.
    """
    if not cached or extractor.sha256 is None:
        return Observed(_extract(images, extractor, progress), images)
    identity = f"{extractor.name} {extractor.sha256} {extractor.resize} {images.fingerprint}"
    key = hashlib.sha256(identity.encode()).hexdigest()
    path = cache.folder() / "features" / f"{extractor.name}-{key}.npz"
    features = _read(path)
    if features is None:
        features = _extract(images, extractor, progress)
        _keep(path, features)
    return Observed(features, images)


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
    found = len(features.features)
    if found != images.count:
        raise ValueError(
            f"{images.name} was to have {images.count} images and gave {found}. Remove damaged files from a folder; a "
            "model's generate(n) must return n images."
        )
    return features


def _read(path: Path) -> Features | None:
    """Return cached features; None where there are none or the file is damaged."""
    try:
        # Opened here because NumPy leaves a damaged archive open.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Features(arrays["features"], arrays.get("probabilities"))
    # A damaged archive may raise any of many errors.
    except Exception:
        return None


def _keep(path: Path, features: Features) -> None:
    """Write features to the cache; what was computed is not lost where that fails."""
    arrays = {name: array for name, array in features._asdict().items() if array is not None}
    try:
        cache.part("features")
        with files.replacing(path) as temporary:
            np.savez(temporary, **arrays)
    except (OSError, ValueError) as error:
        warnings.warn(f"The features of the real images are not kept for the next time. {error}", stacklevel=3)
