"""Whether a translation shows what its source shows, where a classifier can tell."""

import numpy as np

from kerasgan.data import coloured
from kerasgan.images import in_channels
from kerasgan.metrics.extractors import Extractor
from kerasgan.metrics.features import extract, get

CLASSIFIER = "mnist"


def _grey(images: np.ndarray) -> np.ndarray:
    return in_channels(images, 1)


# Data set -> how its digits, uint8 (n, height, width, channels), become light grey ones on black.
DIGITS = {"mnist": _grey, "mnist_mini": _grey} | dict.fromkeys(coloured.SOURCES, coloured.uncolour)


def can_tell(sources) -> bool:
    """Return whether both domains of a model are digits in one way or another, 28 pixels a side."""
    return isinstance(sources, list | tuple) and all(isinstance(each, str) and each in DIGITS for each in sources)


def accuracy(images: np.ndarray, labels: np.ndarray, source: str, classifier: Extractor | None = None) -> float:
    """Return the share of images that the classifier of MNIST sees as their labels.

    Args:
        images: uint8 (n, 28, 28, channels), as the data set `source` has them.
        labels: integers (n,).
        source: a name of `DIGITS`.
        classifier: if not that one.
    """
    digits = DIGITS[source](images)
    found = extract(
        classifier or get(CLASSIFIER), (digits[start : start + 500] for start in range(0, len(digits), 500))
    )
    return float(np.mean(found.probabilities.argmax(axis=1) == labels))


def labels_of(source: str, split: str, n: int, **data) -> np.ndarray:
    """Return the labels of the first n images of a split, in their stored order."""
    from kerasgan.data import load

    batches = load(
        source, split=split, labels=True, limit=n, batch_size=500, shuffle=False, drop_remainder=False, **data
    )
    return np.concatenate([labels for _, labels in batches.as_numpy_iterator()])
