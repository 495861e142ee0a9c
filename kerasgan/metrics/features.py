"""Feature extractors: uint8 images in, the feature vectors that most metrics compare out.

`get` finds an extractor by name or wraps your own function; `extract` runs it over batches of images.
"""

import re
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from kerasgan.metrics.classifiers import NAMES as CLASSIFIERS
from kerasgan.metrics.extractors import Extractor, Features, check_images, shape_text
from kerasgan.support.configurable import unknown_name

INCEPTION = ("inception", "inception_64", "inception_192", "inception_768")
NAMES = (*CLASSIFIERS, "efficientnet_lite0", *INCEPTION, "keras_inception")


def get(extractor: "str | Extractor | Callable") -> Extractor:
    """Return the extractor for a name of `NAMES`, the extractor itself, or one made from your function.

    Args:
        extractor: a name; an `Extractor`; or a function of uint8 (n, height, width, channels) that returns features
            (n, d), or features and class probabilities (n, classes).

    Raises:
        ValueError: the name is unknown, its weights are not there and cannot be fetched, or it is no function.
    """
    if isinstance(extractor, Extractor):
        return extractor
    if isinstance(extractor, str):
        return _load(extractor)
    if callable(extractor) and not isinstance(extractor, type):
        return Extractor(_name(extractor), extractor)
    raise ValueError(
        f"An extractor must be one of {', '.join(NAMES)}, or a function from uint8 images to features (n, d); "
        f"received {extractor!r}."
    )


def extract(extractor: Extractor, batches: Iterable, total: int | None = None, progress: bool = False) -> Features:
    """Return the features of all images of an iterable of batches.

    Args:
        extractor: what `get` returns.
        batches: uint8 arrays or tensors (n, height, width, 1 or 3) of one image size, or one such array.
        total: number of images, for the progress bar.
        progress: whether to show a progress bar.

    Raises:
        ValueError: a batch is not of that kind, there are no images, or the extractor gives NaN or infinity.
    """
    results = list(stream(extractor, batches, total, progress))
    features, probabilities = zip(*results, strict=True)
    return Features(np.concatenate(features), None if probabilities[0] is None else np.concatenate(probabilities))


def stream(
    extractor: Extractor, batches: Iterable, total: int | None = None, progress: bool = False
) -> Iterator[Features]:
    """Yield what `extract` returns, batch by batch in the extractor's batch size: memory stays bounded."""
    bar = _progress_bar(total) if progress else None
    done = 0
    for images in _rebatch(_checked(batches), extractor.batch_size):
        result = extractor(images)
        _check_finite(result, done, extractor.name)
        done += len(images)
        if bar:
            bar.update(done)
        yield result
    if not done:
        raise ValueError("There are no images to extract features from; expected at least one batch.")
    if bar and done != total:
        bar.update(done, finalize=True)


def _load(name: str) -> Extractor:
    if name in CLASSIFIERS:
        from kerasgan.metrics import classifiers

        return classifiers.load(name)
    if name == "efficientnet_lite0":
        from kerasgan.metrics import efficientnet

        return efficientnet.load()
    if name in INCEPTION:
        from kerasgan.metrics import inception

        return inception.load(name)
    if name == "keras_inception":
        from kerasgan.metrics import keras_inception

        return keras_inception.load()
    raise ValueError(unknown_name("extractor", name, NAMES))


def _name(function: Callable) -> str:
    name = getattr(function, "__name__", None) or getattr(function, "name", None) or type(function).__name__
    name = re.sub(r"\W+", "_", str(name)).strip("_") or "custom"
    # A function of the user's never passes for a known network.
    return f"custom_{name}" if name in NAMES else name


def _checked(batches: Iterable) -> Iterator[np.ndarray]:
    size = None
    for batch in [batches] if isinstance(batches, np.ndarray) else batches:
        images = check_images(batch)
        size = size or images.shape[1:]
        if images.shape[1:] != size:
            raise ValueError(
                f"The batches hold images of mixed sizes, {shape_text(size)} and "
                f"{shape_text(images.shape[1:])}: resize them to one size first."
            )
        yield images


def _rebatch(batches: Iterator[np.ndarray], size: int) -> Iterator[np.ndarray]:
    waiting, count = [], 0
    for images in batches:
        waiting.append(images)
        count += len(images)
        if count >= size:
            joined = np.concatenate(waiting)
            whole = count - count % size
            yield from (joined[start : start + size] for start in range(0, whole, size))
            waiting, count = [joined[whole:]], count - whole
    if count:
        yield np.concatenate(waiting)


def _check_finite(result: Features, first: int, name: str) -> None:
    for what, array in zip(Features._fields, result, strict=True):
        bad = [] if array is None else np.flatnonzero(~np.isfinite(array).all(axis=1))
        if len(bad):
            raise ValueError(
                f"The {what} that the extractor {name!r} gave for image {first + bad[0]} (counted from 0) hold NaN or "
                "infinite values."
            )


def _progress_bar(total: int | None):
    import keras

    return keras.utils.Progbar(total, unit_name="image")
