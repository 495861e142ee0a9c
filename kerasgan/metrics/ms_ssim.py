"""Multi-scale structural similarity of images, and the variety of a generator's images measured by it."""

import numpy as np

from kerasgan.metrics.checks import check_at_least

# Wang et al. 2003, section 3.2: found by viewers, finest scale first.
WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
TAPS, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
# Pairs compared at once.
BLOCK = 32


def scales_for(height: int, width: int) -> int:
    """Return how many of the five scales fit an image: its smaller side, halved each time, stays at least 11 pixels.

    5 from 161 pixels, 2 for 28 and for 32, 1 below 21.

    Raises:
        ValueError: the image is smaller than 11 pixels.
    """
    side, scales = min(height, width), 0
    while side >= TAPS and scales < len(WEIGHTS):
        side, scales = -(-side // 2), scales + 1
    if not scales:
        raise ValueError(f"Images must be at least {TAPS} pixels high and wide; received {height}x{width}.")
    return scales


def ms_ssim(first: np.ndarray, second: np.ndarray, max_value: float = 255.0) -> np.ndarray:
    """Return the multi-scale structural similarity of each pair of images: 1 for equal ones.

    Wang et al. 2003 (https://doi.org/10.1109/ACSSC.2003.1292216), equation 7, with a Gaussian window of 11 taps and
    standard deviation 1.5; negative terms count as 0 and channels are averaged, as in TensorFlow. Images too small for
    five scales use the first `scales_for(height, width)`, their weights made to sum to 1: name that number beside the
    result.

    Args:
        first: (n, height, width, channels), uint8 or float in [0, max_value].
        second: the same shape.
        max_value: the largest value a pixel can have.

    Returns:
        float64 (n,) in [0, 1].

    Raises:
        ValueError: the shapes differ, or a value is out of range.
    """
    first, second = _check_images("first", first, max_value), _check_images("second", second, max_value)
    if first.shape != second.shape:
        raise ValueError(f"Compare images of one shape; received {first.shape} and {second.shape}.")
    blocks = [slice(start, start + BLOCK) for start in range(0, len(first), BLOCK)]
    return np.concatenate([_ms_ssim(first[block], second[block], max_value) for block in blocks])


def diversity(images: np.ndarray, pairs: int = 1000, seed: int = 0) -> tuple[float, float]:
    """Return the mean MS-SSIM over random pairs of images: the lower, the more varied they are.

    Odena et al. 2017, section 4.2 (https://arxiv.org/abs/1610.09585), who measure it within one class at a time and set
    it beside that of real images.

    Args:
        images: uint8 (n, height, width, channels).
        pairs: different pairs of different images, at most n (n - 1) / 2.
        seed: of the pairs.

    Returns:
        The mean and its standard error.

    Raises:
        ValueError: there are too few images for so many pairs, or they are no images.
    """
    images = np.asarray(images)
    check_at_least("pairs", pairs, 2)
    available = len(images) * (len(images) - 1) // 2
    if pairs > available:
        raise ValueError(f"{len(images)} images make {available} pairs; received pairs={pairs}. Take more images.")
    numbers = np.random.default_rng(seed).choice(available, pairs, replace=False)
    # Pairs (i, j), i < j, are numbered row by row: 0 is (0, 1), then (0, 2), (1, 2), (0, 3), ...
    j = ((1 + np.sqrt(1 + 8 * numbers)) // 2).astype("int64")
    i = numbers - j * (j - 1) // 2
    similarities = ms_ssim(images[i], images[j])
    return float(similarities.mean()), float(similarities.std(ddof=1) / np.sqrt(pairs))


def _check_images(name: str, images: np.ndarray, max_value: float) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 4 or not images.size:
        raise ValueError(f"{name} must be images (n, height, width, channels); received shape {images.shape}.")
    # Written so that NaN fails as well.
    if not (images.min() >= 0 and images.max() <= max_value):
        raise ValueError(
            f"{name} must hold values in [0, {max_value:g}]; received {images.min():g} to {images.max():g}. Convert "
            "with kerasgan.images.to_uint8 or set max_value."
        )
    return images


def _ms_ssim(first: np.ndarray, second: np.ndarray, max_value: float) -> np.ndarray:
    scales = scales_for(*first.shape[1:3])
    weights = WEIGHTS[:scales]
    # All five stay as published, though rounded to a sum of 1.0001: so does TensorFlow.
    if scales < len(WEIGHTS):
        weights = weights / weights.sum()
    # Channels first: then filters are matrix products over the last two axes.
    first, second = (np.moveaxis(images, 3, 1).astype("float64") for images in (first, second))
    result = np.ones(first.shape[:2])
    for scale, weight in enumerate(weights):
        if scale:
            first, second = _halve(first), _halve(second)
        luminance, contrast = _terms(first, second, max_value)
        # Luminance counts at the coarsest scale only.
        term = luminance * contrast if scale == scales - 1 else contrast
        result *= np.maximum(term.mean(axis=(2, 3)), 0.0) ** weight
    return result.mean(axis=1)


def _terms(first: np.ndarray, second: np.ndarray, max_value: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the maps of luminance and of contrast times structure (n, channels, height - 10, width - 10)."""
    c1, c2 = (K1 * max_value) ** 2, (K2 * max_value) ** 2
    mean_1, mean_2 = _blur(first), _blur(second)
    product, squares = mean_1 * mean_2, mean_1**2 + mean_2**2
    covariance = _blur(first * second) - product
    variances = _blur(first**2 + second**2) - squares
    return (2.0 * product + c1) / (squares + c1), (2.0 * covariance + c2) / (variances + c2)


def _blur(images: np.ndarray) -> np.ndarray:
    """Return the Gaussian-weighted mean around every pixel whose window lies inside the image."""
    return _window(images.shape[2]) @ images @ _window(images.shape[3]).T


def _window(size: int) -> np.ndarray:
    """Return the matrix (size - 10, size) that a 1-D Gaussian filter is."""
    taps = np.exp(-0.5 * ((np.arange(TAPS) - TAPS // 2) / SIGMA) ** 2)
    taps /= taps.sum()
    return sum(tap * np.eye(size - TAPS + 1, size, k=offset) for offset, tap in enumerate(taps))


def _halve(images: np.ndarray) -> np.ndarray:
    """Return 2x2 means; an odd side repeats its last row or column first."""
    n, channels, height, width = images.shape
    images = np.pad(images, ((0, 0), (0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    return images.reshape(n, channels, (height + 1) // 2, 2, (width + 1) // 2, 2).mean(axis=(3, 5))
