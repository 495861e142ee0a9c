"""Images between the two forms kerasgan uses, float32 in [-1, 1] inside, uint8 outside; and image files.

Every image file that kerasgan reads is opened by `open_image`. Only NumPy and Pillow are needed here; TensorFlow is
never imported. Arrays are NHWC.
"""

import contextlib
import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from kerasgan.support import files

if TYPE_CHECKING:
    from PIL.Image import Image

# A generator with a linear output may overshoot a little; anything beyond this is another scale.
_FAR_OUTSIDE = 1.5
# What may be opened. Pillow knows more formats, and runs a program for one of them: Ghostscript, for EPS.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
# A photograph of any camera has fewer, but a small file may unpack to more than the memory holds.
MAX_PIXELS = 64_000_000
# Sixteen bits in four channels, uncompressed, of so many pixels.
_MAX_BYTES = 8 * MAX_PIXELS


def to_float(images) -> np.ndarray:
    """uint8 levels 0..255 as float32 `x / 127.5 - 1`.

    Args:
        images: uint8 array or tensor of any shape.

    Returns:
        float32 NumPy array of the same shape, in [-1, 1].

    Raises:
        ValueError: The dtype is not uint8.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise ValueError(
            f"to_float() converts uint8 images; received dtype {images.dtype}. Images that are "
            "already float32 in [-1, 1] need no conversion."
        )
    scaled = images.astype(np.float32)
    scaled /= np.float32(127.5)
    scaled -= np.float32(1)
    return scaled


def to_uint8(images) -> np.ndarray:
    """Floats in [-1, 1] as the nearest of 256 levels: the exact inverse of `to_float`.

    Args:
        images: Floating-point array or tensor of any shape. Values slightly outside [-1, 1]
            are clipped.

    Returns:
        uint8 NumPy array of the same shape.

    Raises:
        ValueError: The dtype is not floating point, a value is NaN or infinite, or values lie
            so far outside [-1, 1] that the images must be on another scale.
    """
    images = np.asarray(images)
    # bfloat16 is not a NumPy subtype of floating, so it is named.
    if not (np.issubdtype(images.dtype, np.floating) or images.dtype.name == "bfloat16"):
        raise ValueError(f"to_uint8() converts floating-point images in [-1, 1]; received dtype {images.dtype}.")
    images = images.astype(np.float32)
    if images.size:
        low, high = float(images.min()), float(images.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            bad = int(np.count_nonzero(~np.isfinite(images)))
            raise ValueError(
                f"to_uint8() received images with {bad} NaN or infinite values out of "
                f"{images.size}. A generator that returns them has diverged."
            )
        if low < -_FAR_OUTSIDE or high > _FAR_OUTSIDE:
            raise ValueError(
                f"to_uint8() expects images in [-1, 1]; received values from {low:g} to "
                f"{high:g}. Rescale them first: images on 0..255 with `x / 127.5 - 1`."
            )
    images += np.float32(1)
    images *= np.float32(127.5)
    np.clip(images, 0, 255, out=images)
    return np.rint(images, out=images).astype(np.uint8)


def _as_uint8(images) -> np.ndarray:
    images = np.asarray(images)
    return images if images.dtype == np.uint8 else to_uint8(images)


def in_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Images (n, h, w, any) with so many channels, dtype kept: their mean in each, unless they have as many already."""
    if images.shape[-1] == channels:
        return images
    return np.repeat(images.mean(axis=-1, keepdims=True).astype(images.dtype), channels, axis=-1)


def grid(images, columns: int | None = None, padding: int = 2) -> np.ndarray:
    """Lays images out row by row on one canvas.

    Args:
        images: (n, h, w, c) with c 1 or 3; uint8, or float in [-1, 1].
        columns: Images in a row. Default: as square as possible.
        padding: Pixels of mid-grey background around and between the images. Cells of the
            last row that are left over are background too.

    Returns:
        uint8 array (height, width, c).

    Raises:
        ValueError: Wrong rank or channels, no images, or columns < 1 or padding < 0.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise ValueError(
            "grid() expects at least one image, shaped (n, height, width, channels) with 1 or 3 "
            f"channels; received shape {images.shape}."
        )
    images = _as_uint8(images)
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count)) if columns is None else columns
    if columns < 1 or padding < 0:
        raise ValueError(f"grid() needs columns >= 1 and padding >= 0; received columns={columns}, padding={padding}.")
    rows = math.ceil(count / columns)
    cell_height, cell_width = height + padding, width + padding
    shape = (padding + rows * cell_height, padding + columns * cell_width, channels)
    canvas = np.full(shape, 128, np.uint8)
    for index, image in enumerate(images):
        top = padding + index // columns * cell_height
        left = padding + index % columns * cell_width
        canvas[top : top + height, left : left + width] = image
    return canvas


def save_png(path: str | os.PathLike, image) -> None:
    """Writes one image as a PNG file, whole or not at all.

    Args:
        path: The file. Missing parent folders are made.
        image: (h, w), (h, w, 1) or (h, w, 3); uint8, or float in [-1, 1].

    Raises:
        ValueError: The shape, dtype or range is none of these.
    """
    from PIL import Image

    image = np.asarray(image)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[-1] not in (1, 3)):
        raise ValueError(
            "save_png() expects one image shaped (height, width) or (height, width, 1 or 3); "
            f"received shape {image.shape}. Use grid() to put several on one canvas."
        )
    image = _as_uint8(image)
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[:, :, 0]
    with files.replacing(path) as temporary:
        Image.fromarray(np.ascontiguousarray(image)).save(temporary, format="PNG", optimize=True)


@contextlib.contextmanager
def open_image(path: str | os.PathLike) -> "Iterator[Image]":
    """Opens an image file, and reads no more than its header: the one way into kerasgan for image files.

    Args:
        path: A PNG, JPEG, WebP or BMP file, whatever its name ends in.

    Yields:
        The Pillow image. Its pixels are read when they are first used, within the `with` block.

    Raises:
        ValueError: It is not an ordinary file, not in one of these formats, or has more than `MAX_PIXELS` pixels.
        OSError: It cannot be read.
    """
    from PIL import Image, UnidentifiedImageError

    with files.open_regular(path, _MAX_BYTES) as file:
        try:
            image = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError as error:
            raise ValueError(f"{path} is not a PNG, JPEG, WebP or BMP image, or is damaged.") from error
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise ValueError(f"{path} has too many pixels ({error}); at most {MAX_PIXELS:,} are read.") from error
        with image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise ValueError(
                    f"{path} is {width}x{height}, that is {width * height:,} pixels; at most {MAX_PIXELS:,} are read. "
                    "Make it smaller first."
                )
            yield image


def read_image(path: str | os.PathLike) -> "Image":
    """Reads an image file as a Pillow image of mode L or RGB: upright, and over white where it is transparent.

    Args:
        path: What `open_image` takes.

    Raises:
        ValueError: `open_image` refuses it, or its levels are not those of an image.
        OSError: It cannot be read, or is damaged.
    """
    from PIL import Image, ImageOps

    with open_image(path) as image:
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
