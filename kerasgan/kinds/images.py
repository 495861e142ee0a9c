"""Images as a kind: checked for [-1, 1], kept as bytes, saved and shown as one picture."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kerasgan import images as image_module
from kerasgan.kinds.kind import NUMBERS_IN_A_FILE, Kind, dtype_name, sort_of

RANGE_TOLERANCE = 1e-3
_PADDING = 2


@dataclass(frozen=True)
class Images(Kind):
    """Images, float32 (height, width, channels) in [-1, 1].

    Args:
        image_shape: (height, width, channels).
    """

    image_shape: tuple[int, int, int]
    name: ClassVar[str] = "images"
    peak_to_peak: ClassVar[float] = 2.0
    quantizations: ClassVar[tuple[str, ...]] = ("float32", "float16", "dynamic", "int8")
    suffix: ClassVar[str] = ".png"

    def __post_init__(self):
        object.__setattr__(self, "image_shape", tuple(self.image_shape))

    @property
    def shape(self):
        """(height, width, channels)."""
        return self.image_shape

    @property
    def bounds(self):
        """-1 and 1, and a little for rounding."""
        return -1.0 - RANGE_TOLERANCE, 1.0 + RANGE_TOLERANCE

    @property
    def bounds_message(self):
        """What to say where a value is out of range."""
        return (
            "Images must be finite and in [-1, 1]; received values outside. "
            "Scale bytes with kerasgan.images.to_float, or load the data with kerasgan.data.load."
        )

    def describe_values(self):
        """Return "float32 in [-1, 1]"."""
        return "float32 in [-1, 1]"

    def check(self, array, owner="The model"):
        """Raise a ValueError unless these are floating-point images of this shape."""
        if tuple(array.shape[1:]) != self.shape:
            raise ValueError(
                f"{owner} was built for images of shape {self.shape}; received a batch of shape "
                f"{tuple(array.shape)}. Load the data with kerasgan.data.load(..., image_size=, channels=), or build "
                "the model with this image_shape."
            )
        if sort_of(array) != "floating point":
            raise ValueError(
                f"Images must be floating point in [-1, 1]; received {dtype_name(array)}. "
                "kerasgan.data.load converts, and so does kerasgan.images.to_float."
            )

    def pack(self, array):
        """Return the images as bytes."""
        return image_module.to_uint8(np.asarray(array, "float32"))

    def unpack(self, packed):
        """Return bytes as images."""
        return image_module.to_float(packed)

    @property
    def most_in_a_file(self):
        """How many images fit on one picture."""
        height, width, channels = self.shape
        return max(1, NUMBERS_IN_A_FILE // ((height + _PADDING) * (width + _PADDING) * min(channels, 3)))

    def save(self, path, made, columns=None, beside=None, enlarge=1):
        """Write one PNG, a grid; the images of `beside` stand each to the left of its own."""
        made = np.asarray(made)
        if beside is not None:
            made, columns = _side_by_side(beside, made)
        canvas = image_module.grid(_visible(made), columns)
        image_module.save_png(path, canvas.repeat(enlarge, axis=0).repeat(enlarge, axis=1))

    def save_one(self, path, one):
        """Write a PNG of a single image, without a border."""
        image_module.save_png(path, _visible(np.asarray(one)))

    def summarize(self, tag, made, step, description=None, columns=None, beside=None):
        """Write one picture; NaN is mid-grey, values outside [-1, 1] are clipped."""
        import tensorflow as tf

        if beside is not None:
            made, columns = _side_by_side(beside, made)
        tf.summary.image(tag, picture(made, columns)[None], step=step, max_outputs=1, description=description)


def picture(made, columns: int | None = None) -> np.ndarray:
    """Return images as one picture, uint8 (height, width, 1 or 3); what has diverged is shown rather than refused."""
    made = np.clip(np.nan_to_num(np.asarray(made, "float32"), nan=0.0), -1.0, 1.0)
    return image_module.grid(_visible(made), columns, _PADDING)


def _visible(made: np.ndarray) -> np.ndarray:
    """Return the channels that a picture can show: three of more, one of two."""
    return made[..., : 3 if made.shape[-1] >= 3 else 1]


def _side_by_side(sources, made) -> tuple[np.ndarray, int]:
    """Return pairs of images in a row, and the columns of a grid of them; a grey source stands by a coloured image."""
    sources, made = np.asarray(sources), np.asarray(made)
    channels = max(sources.shape[-1], made.shape[-1])
    pair = [np.broadcast_to(each, (*each.shape[:-1], channels)) for each in (sources, made)]
    return np.stack(pair, 1).reshape(-1, *pair[1].shape[1:]), 2 * math.ceil(math.sqrt(len(made) / 2))
