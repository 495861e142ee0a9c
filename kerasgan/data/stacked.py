"""Stacked digits: three random grey digits in the channels of one picture, a thousand sorts of picture in all.

Metz et al. 2017, section 3.3.1 (https://arxiv.org/abs/1611.02163), with the 128,000 pictures of Srivastava et al. 2017
(https://arxiv.org/abs/1705.07761). The triples are drawn once, always the same ones: they are a data set, not an
augmentation.
"""

import numpy as np

COUNT = 128_000
# Name of the source -> that of the digits it is made of.
SOURCES = {"stacked_mnist": "mnist", "stacked_mnist_mini": "mnist_mini"}
_SEED = 1000


def stack(digits: np.ndarray, labels: np.ndarray, count: int = COUNT) -> tuple[np.ndarray, np.ndarray]:
    """Returns pictures of three digits, and their labels: 100 red + 10 green + blue.

    Args:
        digits: uint8 (n, height, width, 1).
        labels: Of the digits, integers in 0..9.
        count: Pictures. The first ones are the same for every count.

    Returns:
        uint8 (count, height, width, 3), and int32 (count,) in 0..999.
    """
    chosen = np.random.default_rng(_SEED).integers(len(digits), size=(count, 3))
    pictures = np.stack([digits[column, ..., 0] for column in chosen.T], axis=-1)
    return pictures, (labels[chosen] @ np.array([100, 10, 1])).astype(np.int32)
