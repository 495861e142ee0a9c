"""Reads a data source, whatever it is, into uint8 examples."""

import contextlib
import os
import pathlib
import re
import zipfile
import zlib
from dataclasses import replace

import numpy as np

from kerasgan import images as image_module
from kerasgan.data import coloured, folder, mnist_mini, stacked, tfds_images
from kerasgan.data.examples import Examples, Request, check_split
from kerasgan.data.transform import Transform
from kerasgan.support import files


def read(source, request: Request) -> Examples:
    """Finds out what kind of source this is, and reads it."""
    if isinstance(source, str | os.PathLike):
        return _read_named(os.fspath(source), request)
    # The caller says which split an array is; a misspelt word is still an error.
    check_split("An array", request.split, ("train", "validation", "test"))
    images, labels = source if isinstance(source, tuple) and len(source) == 2 else (source, None)
    return from_arrays("the array", images, labels, request)


def path_of(source: str | os.PathLike) -> pathlib.Path:
    """Returns the path that a source means if it is not the name of a data set; ValueError if it is empty."""
    if not os.fspath(source).strip():
        raise ValueError(f"The source is {source!r}. Give the name of a data set, a folder, a file, or an array.")
    return pathlib.Path(source).expanduser()


def is_local(source: str | os.PathLike) -> bool:
    """Returns whether a source can only be a path or the embedded data set, not a TFDS name."""
    text = os.fspath(source)
    looks_like_a_path = pathlib.Path(text).is_absolute() or text.startswith((".", "~")) or "\\" in text
    return (
        looks_like_a_path
        or text in ("mnist_mini", "stacked_mnist_mini", "coloured_mnist_mini")
        or pathlib.Path(text).suffix in (".npy", ".npz")
    )


def check_in_memory(*examples: Examples) -> None:
    """Raises ValueError if examples are a stream, which only single images can be."""
    if any(some.stream is not None for some in examples):
        raise ValueError(
            f"cache=False streams single images of a TFDS data set only; read {examples[0].name!r} with cache=True."
        )


def _read_named(source: str, request: Request) -> Examples:
    if source == "mnist_mini":
        check_split(source, request.split, mnist_mini.SPLITS)
        images, labels = mnist_mini.arrays(request.split)
        return from_arrays(source, images, labels, request, mnist_mini.CLASS_NAMES)
    if source in stacked.SOURCES:
        return _read_stacked(source, request)
    if source in coloured.SOURCES:
        return _read_coloured(source, request)
    path = path_of(source)
    if path.suffix in (".npy", ".npz"):
        return _read_numpy(path, request)
    if path.is_dir():
        _check_ungrouped(source, request)
        return folder.read(path, request)
    if path.exists():
        raise ValueError(
            f"{path} is neither a folder of images nor a .npy or .npz file. Give the folder that holds the images."
        )
    if is_local(source):
        raise ValueError(f"There is no file or folder {path}.")
    return tfds_images.read(source, request)


def _read_coloured(source: str, request: Request) -> Examples:
    digits = read_plain(coloured.SOURCES[source], request)
    return from_arrays(source, coloured.colour(digits.images), digits.labels, request, digits.class_names)


def read_plain(source: str, request: Request) -> Examples:
    """All pictures as they are, whatever is wanted of those that are made of them."""
    plain = replace(
        request, transform=Transform(None, None, request.transform.crop), limit=None, cache=True, decode=True
    )
    return _read_named(source, plain)


def _read_stacked(source: str, request: Request) -> Examples:
    digits = read_plain(stacked.SOURCES[source], request)
    count = stacked.COUNT if request.limit is None else min(request.limit, stacked.COUNT)
    pictures, labels = stacked.stack(digits.images, digits.labels, count)
    return from_arrays(source, pictures, labels, request, tuple(f"{number:03}" for number in range(1000)))


def _read_numpy(path: pathlib.Path, request: Request) -> Examples:
    if path.suffix == ".npy":
        check_split(str(path), request.split, ("train",))
        images, labels = mapped(path), None
    else:
        check_file(path)
        # The file is opened here because NumPy leaves a damaged archive open.
        with files.open_regular(path) as file:
            with _plain_numbers(path):
                archive = np.load(file)
                keys = list(archive)
            image_key, label_key = _npz_keys(path, keys, request.split)
            with _plain_numbers(path):
                images = archive[image_key]
                labels = archive[label_key] if label_key else None
    return from_arrays(str(path), images, labels, request)


def mapped(path: pathlib.Path) -> np.ndarray:
    """Returns the array of a .npy file, which is mapped, so that one larger than the memory can be used."""
    check_file(path)
    with _plain_numbers(path):
        return np.load(path, mmap_mode="r")


def check_file(path: pathlib.Path) -> None:
    """Raises ValueError unless `path` is an ordinary file that may be read."""
    try:
        files.open_regular(path).close()
    except FileNotFoundError as error:
        raise ValueError(f"There is no file {path}.") from error
    except OSError as error:
        raise ValueError(f"The file {path} cannot be read ({type(error).__name__}: {error.strerror}).") from error


@contextlib.contextmanager
def _plain_numbers(path: pathlib.Path):
    try:
        yield
    except (OSError, EOFError, MemoryError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{path} cannot be read as a NumPy file of plain numbers ({error}). It is damaged or "
            "holds objects; write it with numpy.save or numpy.savez from numeric arrays."
        ) from error


def _npz_keys(path, keys: list[str], split: str) -> tuple[str, str | None]:
    """The names of the images and labels of one split, in the layouts in common use."""
    layouts = ((f"{split}_images", f"{split}_labels"), (f"x_{split}", f"y_{split}"))
    if split == "train":
        layouts += (("images", "labels"), ("x", "y"), ("arr_0", "arr_1"))
    for image_key, label_key in layouts:
        if image_key in keys:
            return image_key, label_key if label_key in keys else None
    # A single array of another name; but not one whose name says that it is of another split.
    if split == "train" and len(keys) == 1 and not re.search("(^|_)(test|val|valid|validation)(_|$)", keys[0].lower()):
        return keys[0], None
    raise ValueError(
        f"{path} holds the arrays {keys}, none of which is known to be the images of split "
        f"{split!r}. Name them {' or '.join(repr(images) for images, _ in layouts)}, and the "
        f"labels {' or '.join(repr(labels) for _, labels in layouts)}."
    )


def _check_ungrouped(name: str, request: Request) -> None:
    if request.group is not None:
        raise ValueError(
            f"group={request.group!r} names a feature of a TFDS data set; {name} has none. Leave out group, and keep "
            "groups apart by what you give as train and as test."
        )


def from_arrays(name, images, labels, request: Request, class_names=None) -> Examples:
    """Examples from arrays: checks them, and brings the images to uint8 NHWC."""
    _check_ungrouped(name, request)
    images = np.asanyarray(images)
    if images.ndim == 3 and images.shape[-1] > 4:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        hint = ""
        if images.ndim == 4 and images.shape[1] in (1, 3):
            hint = " These look channels-first: use images.transpose(0, 2, 3, 1)."
        raise ValueError(
            f"{name} must hold at least one image, shaped (n, height, width, channels) with 1 or "
            f"3 channels, or (n, height, width); received shape {images.shape}.{hint}"
        )
    if labels is not None:
        labels = check_labels(name, np.asarray(labels), len(images), smallest=-1)
        labels = labels[: request.limit]
    images = _check_range(name, images[: request.limit])
    num_classes = None
    if labels is not None:
        num_classes = len(class_names) if class_names else int(labels.max()) + 1
    shape = request.transform.shape_of(*images.shape[1:])
    if request.decode:
        images = request.transform.arrays(images)
    return Examples(name, len(images), shape, images, labels, num_classes, class_names)


def _check_range(name, images) -> np.ndarray:
    floating = np.issubdtype(images.dtype, np.floating)
    low, high = images.min(), images.max()
    received = f"received dtype {images.dtype} with values from {low} to {high}."
    if images.dtype == np.uint8:
        if high == 1:
            raise ValueError(f"{name}: uint8 images are read as 0..255, {received} Multiply them by 255.")
        return images
    if not floating:
        fix = "Multiply them by 255 and convert" if images.dtype == bool else "Convert them"
        raise ValueError(
            f"{name} must hold uint8 images in 0..255 or floats in [-1, 1]; {received} "
            f"{fix} with images.astype('uint8')."
        )
    # The comparison is written so that NaN fails it.
    if not (low >= -1.001 and high <= 1.001):
        fix = "Remove the NaN or infinite values."
        if np.isfinite(low) and np.isfinite(high):
            fix = "Rescale them: images on 0..255 with `images / 127.5 - 1`."
        raise ValueError(f"{name}: float images must lie in [-1, 1]; {received} {fix}")
    if low >= 0 and high > low:
        raise ValueError(
            f"{name}: float images must span [-1, 1]; {received} They look like [0, 1]: use `images * 2 - 1`."
        )
    return image_module.to_uint8(images)


def check_labels(name, labels, count, smallest: int = 0) -> np.ndarray:
    """Returns labels as int32 (count,); ValueError if they are not class numbers, one for each example.

    From a `smallest` of -1 on, that stands for a class that is not known; at least one must be.
    """
    if labels.shape == (count, 1):
        labels = labels[:, 0]
    integral = np.issubdtype(labels.dtype, np.integer)
    if labels.shape != (count,) or not integral or labels.min() < smallest or labels.max() < 0:
        unknown = ", or -1 where some are not known" if smallest < 0 else ""
        values = f", {labels.min()} to {labels.max()}" if integral and labels.size else ""
        raise ValueError(
            f"{name}: labels must be non-negative integers{unknown}, of shape ({count},), one for each "
            f"example; received dtype {labels.dtype}, shape {labels.shape}{values}."
        )
    if labels.max() > np.iinfo(np.int32).max:
        raise ValueError(
            f"{name}: labels are class numbers from 0 on; received {labels.max()}, which int32 cannot hold."
        )
    return labels.astype(np.int32)
