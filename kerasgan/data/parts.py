"""The parts of an example: images, labels and the like; each says what of it goes into a batch."""

from typing import NamedTuple

import numpy as np

from kerasgan import images as image_module


class Order(NamedTuple):
    """Which examples go into which batch."""

    batch_size: int
    shuffle: bool
    seed: int
    first_epoch: int
    drop_remainder: bool


class Place(NamedTuple):
    """Where a batch is: all that is drawn for it is a function of these three numbers."""

    seed: int
    epoch: int
    index: int

    def rng(self, *purpose: int) -> np.random.Generator:
        """Returns random numbers for this batch; another purpose gets others."""
        return np.random.default_rng((self.seed, self.epoch, self.index, *purpose))


class Part:
    """One part of every example.

    Attributes:
        rows: What is indexed with an array of numbers; None if examples are streamed.
        shape: Of this part of one example.
        dtype: Of what `batch` returns.
        side: Parts of one side are in one order; another side has an order, and a length, of its own.
    """

    dtype = np.int32

    def __init__(self, rows, shape: tuple = (), side: int = 0):
        self.rows = rows
        self.shape = tuple(shape)
        self.side = side

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, chosen: np.ndarray, place: Place) -> np.ndarray:
        """Returns this part of the examples `chosen`."""
        return self.finish(self.rows[chosen], place)

    def finish(self, rows: np.ndarray, place: Place) -> np.ndarray:
        """Returns what a batch holds, of rows as they are stored."""
        return rows


# Of the random numbers of a batch: where windows are cut.
_WINDOWS = 11


class Images(Part):
    """uint8 images, cut, flipped and converted: float32 (b, h, w, c) in [-1, 1]. All parts of one side move alike.

    With `jitter`, rows are so many pixels larger than `shape` each way, and a window is cut out at random.
    """

    dtype = np.float32

    def __init__(self, rows, shape: tuple, flip: bool = False, binarize: bool = False, side: int = 0, jitter: int = 0):
        super().__init__(rows, shape, side)
        self.flip = flip
        self.binarize = binarize
        self.jitter = jitter

    def finish(self, rows: np.ndarray, place: Place) -> np.ndarray:
        """Cuts, flips and converts one uint8 batch; the only place where uint8 becomes float."""
        if self.jitter:
            height, width, _ = self.shape
            corners = place.rng(_WINDOWS, self.side).integers(0, self.jitter + 1, size=(len(rows), 2))
            rows = np.stack(
                [row[top : top + height, left : left + width] for row, (top, left) in zip(rows, corners, strict=True)]
            )
        if self.flip:
            flipped = place.rng(*(() if self.side == 0 else (self.side,))).random(len(rows))
            rows = np.where((flipped < 0.5)[:, None, None, None], rows[:, :, ::-1], rows)
        if self.binarize:
            rows = np.where(rows >= 128, np.uint8(255), np.uint8(0))
        return image_module.to_float(rows)
