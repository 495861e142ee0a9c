"""Line drawings of photographs: any folder of pictures is a set of pairs, from lines to what they are of."""

import numpy as np

from kerasgan import images as image_module

LINE, PAPER = 0, 255


def edges(images, sigma: float = 1.0) -> np.ndarray:
    """Black lines on white where the brightness of images changes most, by Canny's operator (1986) of scikit-image.

    Args:
        images: (n, height, width, 1 or 3), uint8, or floats in [-1, 1].
        sigma: Width in pixels of the Gaussian that smooths them first: the wider, the fewer lines.

    Returns:
        The drawings (n, height, width, 1), of the same sort: uint8, or float32 in [-1, 1].

    Raises:
        ValueError: These are no such images, or scikit-image is not installed.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not sigma >= 0.0:
        raise ValueError(
            "edges() draws images shaped (n, height, width, 1 or 3), with sigma >= 0; received shape "
            f"{images.shape} and sigma={sigma}."
        )
    if images.dtype != np.uint8:
        return image_module.to_float(edges(image_module.to_uint8(images), sigma))
    canny = _canny()
    grey = _grey(images)
    drawings = np.full((*images.shape[:3], 1), PAPER, np.uint8)
    for image, drawing in zip(grey, drawings, strict=True):
        drawing[canny(image, sigma)] = LINE
    return drawings


class Drawings:
    """Drawings of images that are made when they are asked for, indexed like the images themselves.

    Args:
        images: Indexed with an array of numbers like a uint8 array (n, height, width, channels).
    """

    def __init__(self, images):
        self.images = images
        self.shape = (*images.shape[:3], 1)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, indices) -> np.ndarray:
        """Draws the images `indices`."""
        return edges(self.images[indices])


def _canny():
    try:
        from skimage.feature import canny
    except ImportError as error:
        raise ValueError("Line drawings are made with scikit-image: pip install 'kerasgan[edges]'.") from error
    return canny


def _grey(images: np.ndarray) -> np.ndarray:
    """Brightness (n, height, width) in [0, 1] of uint8 images, as television had it (ITU-R BT.601)."""
    weights = np.array([0.299, 0.587, 0.114], "float32") if images.shape[-1] == 3 else np.ones(1, "float32")
    return images.astype("float32") @ weights / np.float32(255)
