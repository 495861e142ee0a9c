"""Read the sets of images that are compared: features of all, cached for real ones, and the first few as they are."""

import hashlib
import os
import zipfile
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


def observe(images: ImageSet, extractor: Extractor, cached: bool = False, progress: bool = False) -> Observed:
    """Return the features of a set of images.

    Args:
        images: what to read.
        extractor: what to run over it.
        cached: look in the cache first, and keep the features there. The key is the content of the images and the
            extractor's weights, so nothing stale is found.
        progress: show a progress bar.
    """
    if not cached or extractor.sha256 is None:
        return Observed(extract(extractor, images.read(), images.count, progress), images)
    key = hashlib.sha256(f"{extractor.name} {extractor.sha256} {images.fingerprint}".encode()).hexdigest()
    path = cache.part("features") / f"{extractor.name}-{key}.npz"
    features = _read(path)
    if features is None:
        features = extract(extractor, images.read(), images.count, progress)
        _write(path, features)
    return Observed(features, images)


def real_sets(source, n: int, split: str | None = None, **data) -> tuple[ImageSet, ImageSet]:
    """Return n real images to compare with, and as many others for the real-versus-real value.

    The first come from `split`, "test" where it is None and there is one; the others from "train". Where the data have
    one split only, the first half is compared with the second.

    Raises:
        ValueError: the source or the split does not exist.
    """
    if split is None:
        # An array is whatever split it is said to be: it has one.
        named = isinstance(source, str | os.PathLike)
        split = "test" if named and _has_split(source, "test", data) else "train"
    if split == "train":
        half = min(n, image_sets.dataset(source, "train", **data).count // 2)
        return tuple(image_sets.dataset(source, "train", start=start, n=half, **data) for start in (0, half))
    real = image_sets.dataset(source, split, n=n, **data)
    other = image_sets.dataset(source, "train", n=real.count, **data)
    return real.head(other.count), other


def _has_split(source, split: str, data: dict) -> bool:
    from kerasgan.data import info

    try:
        info(source, split=split, **{key: data[key] for key in ("data_dir",) if key in data})
    except ValueError as error:
        if f"no split {split!r}" in str(error):
            return False
        raise
    return True


def _read(path) -> Features | None:
    """Return cached features; None where there are none or the file is damaged."""
    try:
        # Opened here because NumPy leaves a damaged archive open.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Features(arrays["features"], arrays.get("probabilities"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(path, features: Features) -> None:
    arrays = {name: array for name, array in features._asdict().items() if array is not None}
    with files.replacing(path) as temporary:
        np.savez(temporary, **arrays)
