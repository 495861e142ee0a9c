"""What every statistic demands of its input, and the words it says otherwise."""

import numpy as np


def check_features(name: str, features: np.ndarray) -> np.ndarray:
    """Return features as a float array, after checking that they are a finite, non-empty (n, d) array.

    Args:
        name: of the argument, for the error's text.
        features: (n, d), one row a sample.

    Returns:
        The same values: float32 and float64 as they came, anything else as float64.

    Raises:
        ValueError: features are not 2-D, empty, or hold NaN or infinite values.
    """
    features = np.asarray(features)
    if features.dtype not in (np.float32, np.float64):
        features = features.astype("float64")
    if features.ndim != 2 or not features.size:
        raise ValueError(f"{name} must be a non-empty array (samples, dimensions); received shape {features.shape}.")
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{name}: features hold NaN or infinite values: row {finite.argmin()} is the first of "
            f"{np.count_nonzero(~finite)}. Look at the images, or the extractor, that gave it."
        )
    return features


def check_pair(names: tuple[str, str], first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two sets of features, each checked by `check_features`, after checking that they are equally wide.

    Raises:
        ValueError: either is no set of features, or their dimensions differ.
    """
    first, second = check_features(names[0], first), check_features(names[1], second)
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"{names[0]} and {names[1]} must have equally many dimensions; received {first.shape[1]} and "
            f"{second.shape[1]}. Use the same extractor for both."
        )
    return first, second


def check_at_least(name: str, value: int, least: int) -> None:
    """Raise a ValueError unless value is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}; received {value!r}.")


def held_out_or_train(read, split: str | None) -> tuple:
    """Return a split and what `read(split)` gives: where none is asked for of "test", or, without one, of "train".

    Raises:
        ValueError: what was asked for, or what is there, cannot be read.
    """
    if split is not None:
        return split, read(split)
    try:
        return "test", read("test")
    except ValueError as error:
        if "split 'test'" not in str(error):
            raise
        return "train", read("train")
