"""Coloured digits: MNIST in ink of some colour on white paper, a domain of which it is known what each picture shows.

Colours are drawn once, always the same ones. Both ways between digits and coloured digits, what a picture is of can be
read by a classifier of digits, so that one can count whether a translation keeps it.
"""

import colorsys

import numpy as np

# Name of the source -> that of the digits it is made of.
SOURCES = {"coloured_mnist": "mnist", "coloured_mnist_mini": "mnist_mini"}
_SEED = 1001
_COLOURS = 256


def colour(digits: np.ndarray) -> np.ndarray:
    """Returns digits uint8 (n, height, width, 1), light on black, as pictures (n, height, width, 3), dark on white.

    Each is of one pure hue, half as bright as can be up to fully: one of its channels is the digit's negative.
    """
    chosen = np.random.default_rng(_SEED).integers(_COLOURS, size=len(digits))
    ink, colours = digits.astype("float32") / 255, _inks()
    pictures = np.empty((*digits.shape[:3], 3), np.uint8)
    # In parts: floats of all of MNIST would take a gigabyte.
    for start in range(0, len(digits), 4096):
        part = slice(start, start + 4096)
        inks = colours[chosen[part]][:, None, None]
        pictures[part] = np.rint(255 * (1 - ink[part] * (1 - inks)))
    return pictures


def uncolour(pictures: np.ndarray) -> np.ndarray:
    """Returns what `colour` made the pictures of: how far the darkest channel is from white, (n, height, width, 1)."""
    return 255 - pictures.min(axis=-1, keepdims=True)


def _inks() -> np.ndarray:
    """Colours (n, 3) in [0, 1]: all hues, each with a channel that is 0."""
    hues = np.linspace(0, 1, _COLOURS, endpoint=False)
    values = np.random.default_rng(_SEED).uniform(0.5, 1.0, _COLOURS)
    return np.array(
        [colorsys.hsv_to_rgb(*each) for each in zip(hues, np.ones(_COLOURS), values, strict=True)], "float32"
    )
