"""Digits of several looks, as the classifier of MNIST reads them: whether a translation keeps what its source shows."""

from dataclasses import replace

import numpy as np

from kerasgan.data import coloured
from kerasgan.images import in_channels
from kerasgan.metrics.extractors import Extractor
from kerasgan.metrics.features import extract, get

CLASSIFIER = "mnist"
SIZE = (28, 28)
BATCH_SIZE = 500


def _grey(images: np.ndarray) -> np.ndarray:
    return in_channels(images, 1)


# Data set -> how its digits, uint8 (n, height, width, channels), become light grey ones on black.
DIGITS = {"mnist": _grey, "mnist_mini": _grey} | dict.fromkeys(coloured.SOURCES, coloured.uncolour)


def can_tell(model, sources) -> bool:
    """Return whether a model's two domains are digits in one way or another, of the size that the classifier takes."""
    digits = isinstance(sources, list | tuple) and all(isinstance(each, str) and each in DIGITS for each in sources)
    return digits and model.reads == "unpaired" and tuple(model.image_shape[:2]) == SIZE


def extractor(source: str) -> Extractor:
    """Return the classifier of MNIST for digits as the data set `source`, a name of `DIGITS`, has them."""
    classifier = get(CLASSIFIER)

    def read(images):
        return classifier(DIGITS[source](images))

    return replace(classifier, name=f"{CLASSIFIER}_of_{source}", function=read, image_shape=None)


def accuracy(images: np.ndarray, labels: np.ndarray, source: str) -> float:
    """Return the share of images, uint8 (n, 28, 28, channels), that are seen as their labels, integers (n,)."""
    batches = (images[start : start + BATCH_SIZE] for start in range(0, len(images), BATCH_SIZE))
    found = extract(extractor(source), batches)
    return float(np.mean(found.probabilities.argmax(axis=1) == labels))


def labels_of(source: str, split: str, n: int, **data) -> np.ndarray:
    """Return the labels of the first n images of a split, in their stored order."""
    from kerasgan.data import load

    batches = load(
        source, split=split, labels=True, limit=n, batch_size=BATCH_SIZE, shuffle=False, drop_remainder=False, **data
    )
    return np.concatenate([labels for _, labels in batches.as_numpy_iterator()])
