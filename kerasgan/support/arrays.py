"""Arrays of `.npz` files from outside, read with suspicion."""

import zipfile
from typing import BinaryIO

import numpy as np


def read_npz(file: BinaryIO, most: int) -> dict[str, np.ndarray]:
    """Return the arrays of an `.npz` file, numbers all, each no larger than the bytes that it has in the file.

    Args:
        file: open for reading.
        most: bytes that they may unpack to.

    Raises:
        ValueError: it is damaged, too large, or holds what is no number; the message is the reason alone.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > most:
                raise ValueError(f"it unpacks to more than {most:,} bytes")
            for member in archive.infolist():
                _check_array(archive, member)
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except Exception as error:  # zipfile and NumPy raise what the damaged byte happens to mean.
        raise ValueError(" ".join(str(error).split())) from error


def _check_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Compare an array's shape with its bytes: NumPy takes the memory for it before it reads."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    numbers = 1
    for size in shape:
        numbers *= size
    if dtype.kind not in "fiu":
        raise ValueError(f"{member.filename} is of {dtype}")
    if numbers * dtype.itemsize > member.file_size:
        raise ValueError(f"{member.filename} claims the shape {shape}")
