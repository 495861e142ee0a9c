"""The contract between what is compared and how: an extractor turns uint8 images into feature vectors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


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
        neighbours: what tells how near two images are: "pixels", or "features" where they see more than the task that
            the network was trained for.
        batch_size: images that the function handles best at once.
    """

    name: str
    function: Callable
    resize: str = "none"
    sha256: str | None = None
    dimensions: int | None = None
    image_shape: tuple[int, int, int] | None = None
    rgb: bool = False
    neighbours: str = "pixels"
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
                f"The extractor {self.name!r} needs images of {shape_text(self.image_shape)}; received "
                f"{shape_text(images.shape[1:])}. 'efficientnet_lite0' takes any size."
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


def shape_text(shape) -> str:
    """Return (28, 28, 1) as 28x28x1."""
    return "x".join(str(size) for size in shape)
