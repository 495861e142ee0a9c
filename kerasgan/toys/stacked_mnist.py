"""Stacked MNIST: how many of its thousand sorts of picture a model makes, and how evenly.

The protocol of Srivastava et al. 2017 (VEEGAN), section 4.2 (https://arxiv.org/abs/1705.07761): 26,000 samples, each
channel read by a classifier of MNIST; modes with at least one sample, and KL(shares || uniform). Train a model on the
source "stacked_mnist", as by the recipe `docs/toys/stacked_mnist.toml`.
"""

import numpy as np

from kerasgan import images
from kerasgan.metrics import classifiers
from kerasgan.metrics.modes import Modes, mode_statistics

SAMPLES = 26_000
MODES = 1000


def read_triples(pictures: np.ndarray, batch_size: int = 500) -> np.ndarray:
    """Return what the digits of pictures are, 100 red + 10 green + blue, by the classifier that comes with kerasgan.

    Args:
        pictures: (n, 28, 28, 3), uint8, or floats in [-1, 1].
        batch_size: pictures read at a time.

    Raises:
        ValueError: they have another shape.
    """
    pictures = np.asarray(pictures)
    if pictures.shape[1:] != (28, 28, 3):
        raise ValueError(f"Stacked digits have the shape (n, 28, 28, 3); received {pictures.shape}.")
    if pictures.dtype != np.uint8:
        pictures = images.to_uint8(pictures)
    read = classifiers.load("mnist")
    digits = [
        [
            read(pictures[start : start + batch_size, ..., channel : channel + 1]).probabilities.argmax(axis=1)
            for channel in range(3)
        ]
        for start in range(0, len(pictures), batch_size)
    ]
    red, green, blue = (np.concatenate([batch[channel] for batch in digits]) for channel in range(3))
    return 100 * red + 10 * green + blue


def count_modes(pictures: np.ndarray) -> Modes:
    """Return how pictures (n, 28, 28, 3) spread over the thousand sorts."""
    return mode_statistics(read_triples(pictures), MODES)


def measure(model, n: int = SAMPLES, seed: int = 0) -> str:
    """Return in one line how many modes a trained model covers.

    Raises:
        ValueError: the model does not make pictures of stacked digits.
    """
    if tuple(model.image_shape or ()) != (28, 28, 3):
        raise ValueError(
            f"Stacked digits have the shape (28, 28, 3); {type(model).__name__} makes {model.image_shape}. Train one "
            'with the source "stacked_mnist".'
        )
    modes = count_modes(model.generate(n, seed=seed))
    accuracy = classifiers.card("mnist")["test_accuracy"]
    return (
        f"{modes.covered} of {MODES} modes, KL to uniform {modes.kl:.3f} nats ({n:,} samples; a mode is covered by at "
        f"least 1 of them; read by a classifier that is right on {accuracy:.1%} of MNIST's test split)"
    )
