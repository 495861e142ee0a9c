"""Weights kept in 16 bits: half the size of a preset, at three digits and a half a number."""

from pathlib import Path

import numpy as np

from kerasgan.support import files


def halve(path: "str | Path") -> None:
    """Keep the float32 arrays of a file of weights (HDF5) as float16, in place. Keras loads them as what it needs.

    Raises:
        ValueError: a number is too large for float16.
    """
    import h5py

    with files.replacing(path) as temporary, h5py.File(path, "r") as old, h5py.File(temporary, "w") as new:

        def copy(name, item):
            if isinstance(item, h5py.Group):
                kept = new.require_group(name)
            else:
                kept = new.create_dataset(name, data=_halved(item[()], name))
            kept.attrs.update(item.attrs)

        new.attrs.update(old.attrs)
        old.visititems(copy)


def _halved(array, name: str) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype != np.float32:
        return array
    largest = np.abs(array).max(initial=0.0)
    if not largest <= np.finfo(np.float16).max:
        raise ValueError(f"The weights {name} reach {largest:.3g}, more than float16 holds; keep them as float32.")
    return array.astype(np.float16)
