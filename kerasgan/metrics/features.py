"""Feature extractors: uint8 images in, the feature vectors that most metrics compare out.

`get` finds an extractor by name or wraps your own function; `extract` runs it over batches of images.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kerasgan.configurable import unknown_name
from kerasgan.metrics.classifiers import NAMES as CLASSIFIERS

INCEPTION = ("inception", "inception_64", "inception_192", "inception_768")
NAMES = (*CLASSIFIERS, *INCEPTION, "keras_inception")


class Features(NamedTuple):
    """What an extractor makes of n images.

    Args:
        features: float32 (n, d).
        probabilities: float32 (n, classes), each row summing to 1; None where the extractor is no classifier.
    """

    features: np.ndarray
    probabilities: np.ndarray | None = None


@dataclass
class Extractor:
    """A function from images to features, with what another person needs to repeat it.

    Args:
        name: enters the names of metrics, such as "inception_768".
        function: maps uint8 (n, height, width, channels) to (n, d), or to (n, d) and probabilities (n, classes).
        resize: in words, what the function does to the images' size.
        sha256: of the file of weights; None for a function of the user's.
        dimensions: d; None until the first batch.
        image_shape: the only (height, width, channels) that it takes; None for any.
        rgb: whether grey images are repeated to 3 channels first.
        batch_size: images that the function handles best at once.
    """

    name: str
    function: Callable
    resize: str = "none"
    sha256: str | None = None
    dimensions: int | None = None
    image_shape: tuple[int, int, int] | None = None
    rgb: bool = False
    batch_size: int = 256

    def __call__(self, images: np.ndarray) -> Features:
        """Return the features of one batch.

        Args:
            images: uint8 (n, height, width, 1 or 3), n at least 1.

        Raises:
            ValueError: the images are not of that kind or of `image_shape`, or the function returns no features.
        """
        images = check_images(images)
        if self.image_shape and images.shape[1:] != tuple(self.image_shape):
            raise ValueError(
                f"The extractor {self.name!r} needs images of {_shape(self.image_shape)}; received "
                f"{_shape(images.shape[1:])}. 'inception_768' takes any size."
            )
        if self.rgb and images.shape[-1] == 1:
            images = np.repeat(images, 3, axis=-1)
        result = _as_features(self.function(images), len(images), self.name)
        self.dimensions = self.dimensions or result.features.shape[1]
        if result.features.shape[1] != self.dimensions:
            raise ValueError(
                f"The extractor {self.name!r} gave {result.features.shape[1]} features; expected {self.dimensions}."
            )
        return result


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


def check_images(images) -> np.ndarray:
    """Return a batch of images as a NumPy array after checking that it is uint8 (n, height, width, 1 or 3), n > 0."""
    if isinstance(images, tuple | dict):
        raise ValueError(
            f"A batch must be one array of images; received a {type(images).__name__}. Take the images out of it first."
        )
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise ValueError(
            f"The images must be uint8 0..255; received {images.dtype} {images.shape}: convert them with "
            "kerasgan.images.to_uint8."
        )
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise ValueError(
            f"A batch must be shaped (n, height, width, 1 or 3) and hold an image; received {images.shape}."
        )
    return images


def _load(name: str) -> Extractor:
    if name in CLASSIFIERS:
        from kerasgan.metrics import classifiers

        return classifiers.load(name)
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


def _as_features(result, n: int, name: str) -> Features:
    features, probabilities = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
    features = _matrix(features, n, f"features of the extractor {name!r}")
    if probabilities is None:
        return Features(features)
    probabilities = _matrix(probabilities, n, f"probabilities of the extractor {name!r}")
    # NaN passes: `stream` reports it with the image it belongs to.
    if (probabilities < 0).any() or (abs(probabilities.sum(axis=1) - 1) > 0.01).any():
        raise ValueError(
            f"The probabilities of the extractor {name!r} must be at least 0 and sum to 1 for each image; if they are "
            "logits, return their softmax."
        )
    return Features(features, probabilities)


def _matrix(array, n: int, what: str) -> np.ndarray:
    array = np.asarray(array, "float32")
    if array.ndim != 2 or array.shape[0] != n or not array.shape[1]:
        raise ValueError(f"The {what} must be shaped ({n}, d) for {n} images; received {array.shape}.")
    return array


def _checked(batches: Iterable) -> Iterator[np.ndarray]:
    size = None
    for batch in [batches] if isinstance(batches, np.ndarray) else batches:
        images = check_images(batch)
        size = size or images.shape[1:]
        if images.shape[1:] != size:
            raise ValueError(
                f"The batches hold images of mixed sizes, {_shape(size)} and {_shape(images.shape[1:])}: resize them "
                "to one size first."
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


def _shape(shape) -> str:
    return "x".join(str(size) for size in shape)
