"""Reads a folder of image files; class sub-folders become labels."""

import collections
import concurrent.futures
import os
import pathlib
import warnings

import numpy as np
from PIL import Image, ImageOps

from kerasgan.data.examples import Examples, Request, check_split
from kerasgan.data.transform import Transform

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_SPLIT_FOLDERS = {"train": ("train",), "validation": ("validation", "val"), "test": ("test",)}
_EXIF_ORIENTATION = 0x0112
_LISTED = 50


def read(root: pathlib.Path, request: Request) -> Examples:
    """Reads one split of the folder `root`; every file is decoded once here to check it."""
    base = _split_folder(root, request.split)
    files = _image_files(base)
    if not files:
        raise ValueError(
            f"The folder {base} holds no images ({', '.join(SUFFIXES)}), in itself or in "
            "sub-folders. Give the folder that holds them; if a TFDS data set of the same name "
            "was meant, call load() from another working folder."
        )
    class_names = _class_names(base, files)
    if request.limit is not None and request.limit < len(files):
        # Evenly spaced, so that a limit does not leave out the last classes.
        chosen = np.arange(request.limit) * len(files) // request.limit
        files = [files[index] for index in chosen]

    skipped: dict[pathlib.Path, str] = {}
    files, shapes = _headers(files, request, skipped)
    files, shape = _common_shape(files, shapes, request, skipped)
    # Without `channels`, a folder is grey only if all its files are.
    transform = Transform(request.transform.size, shape[2], request.transform.crop)
    images = None
    if request.decode:
        files, images = _decode_all(files, shape, transform, request, skipped)
    if skipped:
        warnings.warn(_skip_message(root, skipped), stacklevel=5)
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
    )


class FileImages:
    """Image files, indexed with an array of numbers like a uint8 NHWC array."""

    def __init__(self, files: list[pathlib.Path], shape, transform: Transform):
        self.files = files
        self.shape = (len(files), *shape)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, indices) -> np.ndarray:
        """Decodes the files `indices`; ValueError names one that became unreadable."""
        images = np.empty((len(indices), *self.shape[1:]), np.uint8)
        for place, index in enumerate(indices):
            try:
                images[place] = self.transform.image(_open(self.files[index]))
            except Exception as error:
                raise ValueError(_unreadable(self.files[index], error)) from error
        return images


def _split_folder(root: pathlib.Path, split: str) -> pathlib.Path:
    folders = {path.name for path in root.iterdir() if path.is_dir() and path.name[0] != "."}
    split_names = {name for names in _SPLIT_FOLDERS.values() for name in names}
    if "train" in folders and folders <= split_names:
        present = [s for s, names in _SPLIT_FOLDERS.items() if folders & set(names)]
        check_split(f"The folder {root}", split, present)
        return root / next(name for name in _SPLIT_FOLDERS[split] if name in folders)
    check_split(f"The folder {root}", split, ("train",))
    return root


def _image_files(base: pathlib.Path) -> list[pathlib.Path]:
    files = []
    for folder, folders, names in os.walk(base, followlinks=True):
        # Hidden files include the "._name.jpg" companions that macOS writes.
        folders[:] = [name for name in folders if name[0] != "." and name != "__MACOSX"]
        files += [pathlib.Path(folder, name) for name in names if name[0] != "." and name.lower().endswith(SUFFIXES)]
    # By parts, so that the order does not depend on the platform's separator.
    return sorted(files, key=lambda path: path.relative_to(base).parts)


def _class_names(base: pathlib.Path, files: list[pathlib.Path]) -> tuple[str, ...] | None:
    parts = [file.relative_to(base).parts for file in files]
    if any(len(part) == 1 for part in parts):
        return None
    return tuple(sorted({part[0] for part in parts}))


def _unreadable(file: pathlib.Path, error: Exception) -> str:
    return (
        f"The image file {file} cannot be read ({type(error).__name__}: {error}). Repair or "
        "delete it, or pass on_error='skip' to leave out such files."
    )


def _headers(files, request: Request, skipped) -> tuple[list, list]:
    """The readable files, and the (height, width, channels) that each header promises."""
    readable, shapes = [], []
    for file in files:
        try:
            with Image.open(file) as image:
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
            image = transform.image(_open(files[index]))
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


def _open(file: pathlib.Path) -> Image.Image:
    """A file as a Pillow image of mode L or RGB, upright, transparency over white."""
    with Image.open(file) as image:
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16"):
            # convert() would clip 16-bit levels instead of scaling them.
            return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        if image.mode in ("I", "F"):
            raise ValueError(f"its pixels are of Pillow mode {image.mode!r}, not 8-bit colour")
        if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
            image = image.convert("RGBA")
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image).convert("RGB")
        return image.convert("L") if image.mode in ("1", "L") else image.convert("RGB")


def _skip_message(root: pathlib.Path, skipped: dict[pathlib.Path, str]) -> str:
    lines = [f"  {file}: {reason}" for file, reason in sorted(skipped.items())]
    if len(lines) > _LISTED:
        lines[_LISTED:] = [f"  ... and {len(lines) - _LISTED} more"]
    plural = "file" if len(skipped) == 1 else "files"
    return f"Skipped {len(skipped)} {plural} of {root}:\n" + "\n".join(lines)
