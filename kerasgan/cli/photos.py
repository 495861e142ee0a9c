"""Photographs that a command is given: found, read, cut and resized to what a model takes."""

from collections.abc import Sequence
from pathlib import Path

HELP = "PNG, JPEG, WebP or BMP, or a folder of these; cut and resized"


def find(named: list[str]) -> list[Path]:
    """Return the photos that arguments name: themselves, or those in the folders that they name.

    Raises:
        ValueError: a folder holds none, or cannot be read.
    """
    return [photo for each in named for photo in _of(Path(each))]


def _of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    from kerasgan.data import folder, walk

    found = walk.find(path, folder.SUFFIXES)
    if not found:
        raise ValueError(f"{path} holds no PNG, JPEG, WebP or BMP image.")
    return found


def read(photos: list[Path], kind, edges: bool = False):
    """Return photos, or drawings of them, cut and resized to fit: float32 (n, height, width, channels) in [-1, 1].

    Args:
        photos: files.
        kind: `kerasgan.kinds.Images` that they shall be.
        edges: whether to return line drawings of them.

    Raises:
        ValueError: a file is no image.
    """
    import numpy as np

    from kerasgan import data, images
    from kerasgan.data.transform import Transform

    # Drawings are made of colours, at the size at which a translator of drawings learned from them.
    transform = Transform(kind.shape[:2], 3 if edges else kind.shape[2])
    read = np.stack([transform.image(images.read_image(photo)) for photo in photos])
    return images.to_float(images.in_channels(data.edges(read), kind.shape[2]) if edges else read)


def names_of(photos: Sequence[Path]) -> list[str]:
    """Return a name for what is made of each photo: its own, numbered where several have the same."""
    names = [photo.stem for photo in photos]
    if len(set(names)) == len(names):
        return names
    return [f"{number:05d}_{name}" for number, name in enumerate(names)]
