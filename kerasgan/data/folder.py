"""Reads a folder of image files; class sub-folders become labels."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import warnings

import numpy as np
from PIL import Image

from kerasgan.data import walk
from kerasgan.data.examples import Examples, Request
from kerasgan.data.transform import Transform
from kerasgan.images import open_image, read_image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_EXIF_ORIENTATION = 0x0112


def read(root: pathlib.Path, request: Request) -> Examples:
    """Reads one split of the folder `root`; every file is decoded once here to check it."""
    skipped: dict[pathlib.Path, str] = {}
    base = walk.split_folder(root, request.split)
    if root.name in ("", "..") and not walk.is_near(base, SUFFIXES):
        # "." may be any folder, also one with all that somebody has.
        raise ValueError(
            f"The folder {root} ({root.absolute()}) holds no images, in itself or directly in its sub-folders. Give "
            "the name of the folder that holds them."
        )
    files = walk.find(base, SUFFIXES, skipped if request.on_error == "skip" else None)
    if not files:
        raise ValueError(
            f"The folder {base} holds no images ({', '.join(SUFFIXES)}), in itself or in "
            "sub-folders. Give the folder that holds them; if a TFDS data set of the same name "
            "was meant, call load() from another working folder."
        )
    if request.only is not None:
        files = [file for file in files if file.relative_to(base).as_posix() in request.only]
    class_names = walk.class_names(base, files)
    if request.limit is not None and request.limit < len(files):
        # Evenly spaced, so that a limit does not leave out the last classes.
        chosen = np.arange(request.limit) * len(files) // request.limit
        files = [files[index] for index in chosen]

    files, shapes = _headers(files, request, skipped)
    files, shape = _common_shape(files, shapes, request, skipped)
    # Without `channels`, a folder is grey only if all its files are.
    transform = dataclasses.replace(request.transform, channels=shape[2])
    images = None
    if request.decode:
        files, images = _decode_all(files, shape, transform, request, skipped)
    walk.warn_of_skipped(root, skipped)
    if not files:
        raise ValueError(f"No image of the folder {base} can be used: all were skipped.")

    labels = None
    if class_names:
        number = {name: index for index, name in enumerate(class_names)}
        labels = np.array([number[f.relative_to(base).parts[0]] for f in files], np.int32)
    return Examples(
        str(root),
        len(files),
        shape,
        images,
        labels,
        len(class_names) if class_names else None,
        class_names,
        files=tuple(file.relative_to(base).as_posix() for file in files),
    )


class FileImages:
    """Image files, indexed with an array of numbers like a uint8 NHWC array."""

    def __init__(self, files: list[pathlib.Path], shape, transform: Transform):
        self.files = files
        self.shape = (len(files), *shape)
        self.transform = transform

    def take(self, numbers) -> "FileImages":
        """Returns the files of these numbers only."""
        return FileImages([self.files[number] for number in numbers], self.shape[1:], self.transform)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, indices) -> np.ndarray:
        """Decodes the files `indices`; ValueError names one that became unreadable."""
        images = np.empty((len(indices), *self.shape[1:]), np.uint8)
        for place, index in enumerate(indices):
            try:
                images[place] = self.transform.image(read_image(self.files[index]))
            except Exception as error:
                raise ValueError(_unreadable(self.files[index], error)) from error
        return images


def _unreadable(file: pathlib.Path, error: Exception) -> str:
    return (
        f"The image file {file} cannot be read ({type(error).__name__}: {error}). Repair or "
        "delete it, or pass on_error='skip' to leave out such files."
    )


@contextlib.contextmanager
def _without_size_warnings():
    """Pillow warns of a size that `open_image` refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


@_without_size_warnings()
def _headers(files, request: Request, skipped) -> tuple[list, list]:
    """The readable files, and the (height, width, channels) that each header promises."""
    readable, shapes = [], []
    for file in files:
        try:
            with open_image(file) as image:
                width, height = image.size
                # Asking a PNG for its orientation decodes all of it, so only where it matters.
                size_matters = request.transform.size is None and width != height
                if size_matters and image.getexif().get(_EXIF_ORIENTATION, 1) >= 5:
                    width, height = height, width
                grey = image.mode in ("1", "L", "LA") or image.mode.startswith("I;16")
        except Exception as error:
            if request.on_error == "raise":
                raise ValueError(_unreadable(file, error)) from error
            skipped[file] = f"{type(error).__name__}: {error}"
            continue
        readable.append(file)
        shapes.append((height, width, 1 if grey else 3))
    return readable, shapes


def _common_shape(files, shapes, request: Request, skipped) -> tuple[list, tuple]:
    """The files that fit together, and the one shape they have after the transform."""
    if not files:
        return [], (0, 0, 1)
    channels = max(shape[2] for shape in shapes)
    sizes = [shape[:2] for shape in shapes]
    wanted = sizes[0]
    if request.transform.size is None and len(set(sizes)) > 1:
        if request.on_error == "raise":
            other = next(i for i, size in enumerate(sizes) if size != sizes[0])
            raise ValueError(
                f"The images are of mixed sizes: {files[0]} is {_by(sizes[0])} and "
                f"{files[other]} is {_by(sizes[other])} (width x height). Give image_size=, for "
                "example image_size=64, or pass on_error='skip' to keep only the commonest size."
            )
        wanted = collections.Counter(sizes).most_common(1)[0][0]
        for file, size in zip(files, sizes, strict=True):
            if size != wanted:
                skipped[file] = f"it is {_by(size)}, most are {_by(wanted)}"
        files = [file for file in files if file not in skipped]
    return files, request.transform.shape_of(*wanted, channels)


def _by(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"


def _decode_all(files, shape, transform, request: Request, skipped) -> tuple[list, object]:
    """Decodes every file: to keep the pixels if they are cached, and to find damaged ones."""
    kept = np.empty((len(files), *shape), np.uint8) if request.cache else None

    def decode(index: int) -> Exception | None:
        try:
            image = transform.image(read_image(files[index]))
            if kept is not None:
                kept[index] = image
        except Exception as error:
            return error
        return None

    # Pillow decodes outside the interpreter lock, so that threads help.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        errors = list(pool.map(decode, range(len(files))))
    for file, error in zip(files, errors, strict=True):
        if error is not None:
            if request.on_error == "raise":
                raise ValueError(_unreadable(file, error)) from error
            skipped[file] = f"{type(error).__name__}: {error}"
    good = [index for index, error in enumerate(errors) if error is None]
    files = [files[index] for index in good]
    if kept is None:
        return files, FileImages(files, shape, transform)
    return files, kept if len(good) == len(kept) else kept[good]
