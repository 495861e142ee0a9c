"""Kind: what all kinds of arrays share. Importing it imports no TensorFlow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

# What a file for all of many can hold, in numbers: a picture of 8,192 x 8,192, or 70 minutes of sound.
NUMBERS_IN_A_FILE = 2**26


@dataclass(frozen=True)
class Kind:
    """Base class: one meaning of an array whose first axis counts examples."""

    # The word for many of them, in messages and as the name of a part of the data.
    name: ClassVar[str] = "arrays"
    dtype: ClassVar[str] = "float32"
    # Whether a model can make them up. What it cannot comes from the caller, or from the model's examples.
    drawn: ClassVar[bool] = False
    # How far `error` may be between processors, and after an export in float32.
    golden_tolerance: ClassVar[float] = 1e-3
    # The range that a peak signal-to-noise ratio is of; None where there is no such range.
    peak_to_peak: ClassVar[float | None] = None
    # The precisions that a sampler of these can be exported in; less precise ones are judged by that ratio.
    quantizations: ClassVar[tuple[str, ...]] = ("float32",)
    # How many a model keeps as examples, where it cannot make them up: a grid of sixteen shows what it does.
    examples: ClassVar[int] = 16
    # How many are made to show a model by, where nobody says.
    most_shown: ClassVar[int] = 64
    # The ending of a file that holds many of them.
    suffix: ClassVar[str] = ".npy"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one of them."""
        raise NotImplementedError

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The smallest and the largest value allowed, or None. NaN is outside of any bounds."""
        return None

    @property
    def bounds_message(self) -> str:
        """What to say where a value is out of bounds."""
        low, high = self.bounds
        return f"{self.name.capitalize()} must be in {low}..{high}."

    def counted(self, n: int) -> str:
        """Return "1 image" or "3 images"."""
        return f"{n} {self.name.removesuffix('s') if n == 1 else self.name}"

    def describe(self) -> str:
        """Return the size of one in a few characters, for tables: "28x28x1"."""
        return "x".join(str(side) for side in self.shape)

    def describe_values(self) -> str:
        """Return dtype and range in a few words, for cards."""
        return self.dtype

    # Making them up, or taking what is given

    def draw(self, n, seed) -> Any:
        """Return a tensor of n of them that depends on n and the seed only.

        Args:
            n: how many; an integer, or a scalar tensor.
            seed: two integers in a tensor.
        """
        raise ValueError(f"Nobody can make up {self.name}.")

    def take(self, given, n: int, name: str, owner: str) -> np.ndarray:
        """Return what a caller gave for n of them as an array of this kind's dtype, checked.

        Args:
            given: array or tensor (n, *shape).
            n: how many are wanted.
            name: of the input, for the message.
            owner: of the input, for the message.

        Raises:
            ValueError: the number, the shape, the dtype or a value does not fit.
        """
        array = np.asarray(given)
        if array.ndim == 0 or len(array) != n:
            count = len(array) if array.ndim else "one value"
            raise ValueError(f"{owner} needs {name}= for each of the {n} that it makes; received {count}.")
        self.check(array, owner)
        self.check_values(array)
        return array.astype(self.dtype)

    # Checks

    def check(self, array, owner: str = "The model") -> None:
        """Raise a ValueError unless an array or tensor (batch, *shape) has this kind's shape and sort of dtype."""
        if tuple(array.shape[1:]) != self.shape:
            raise ValueError(
                f"{owner} was built for {self.name} of shape {self.shape}; received a batch of shape "
                f"{tuple(array.shape)}."
            )
        wanted = "integers" if self.dtype.startswith("int") else "floating point"
        if sort_of(array) != wanted:
            raise ValueError(f"{self.name.capitalize()} must be {wanted}; received {dtype_name(array)}.")

    def check_values(self, array: np.ndarray) -> None:
        """Raise a ValueError where a value is out of bounds."""
        if self.bounds is None or not array.size:
            return
        smallest, largest = array.min(), array.max()
        if not (smallest >= self.bounds[0] and largest <= self.bounds[1]):
            raise ValueError(f"{self.bounds_message} Smallest {smallest}, largest {largest}.")

    def checked(self, tensor, owner: str = "The model"):
        """Return a batch in the graph as this kind's dtype, checked for shape, dtype and bounds.

        The bounds are checked where the step runs, except under XLA, which drops assertions.
        """
        import tensorflow as tf

        self.check(tensor, owner)
        tensor = tf.convert_to_tensor(tensor)
        # Whole numbers are compared before they are cast: what does not fit would come out as another.
        found = tf.cast(tensor, "int64" if tensor.dtype.is_integer else self.dtype)
        tensor = tf.cast(tensor, self.dtype)
        if self.bounds is None:
            return tensor
        low, high = (tf.constant(bound, found.dtype) for bound in self.bounds)
        inside = tf.reduce_all((found >= low) & (found <= high))
        check = tf.debugging.assert_equal(inside, True, message=self.bounds_message)
        with tf.control_dependencies([check] if check is not None else []):
            return tf.identity(tensor)

    # Two of the same

    def error(self, actual, expected) -> float:
        """Return how far arrays are from what they should be: the largest difference."""
        return float(np.abs(np.asarray(actual, "float64") - np.asarray(expected, "float64")).max())

    # Keeping and showing them

    def pack(self, array) -> np.ndarray:
        """Return an array as compact as its meaning allows, for files; `unpack` gives it back."""
        return np.asarray(array, self.dtype)

    def unpack(self, packed) -> np.ndarray:
        """Return what `pack` packed."""
        return np.asarray(packed, self.dtype)

    @property
    def most_in_a_file(self) -> int:
        """How many of them `save` puts into one file."""
        return max(1, NUMBERS_IN_A_FILE // max(1, int(np.prod(self.shape))))

    def save(self, path: "str | Path", made, columns: int | None = None, beside=None, enlarge: int = 1) -> None:
        """Write an array of these to one file, whole or not at all.

        Args:
            path: the file, with this kind's suffix.
            made: array (n, *shape).
            columns: of a picture of many.
            beside: images that `made` was made of, shown to their left.
            enlarge: how many pixels of a picture one pixel takes.
        """
        from kerasgan.support import files

        with files.replacing(path) as temporary:
            np.save(temporary, np.asarray(made, self.dtype))

    def save_one(self, path: "str | Path", one) -> None:
        """Write a single one of these (*shape) to a file."""
        self.save(path, np.asarray(one)[None])

    def picture(self, made, columns: int | None = None) -> np.ndarray | None:
        """Return a picture, uint8 (height, width, 1 or 3), of what is no picture itself; None where there is none."""
        del made, columns

    def save_each(self, folder: "str | Path", made, first: int = 0) -> None:
        """Write an array of these to numbered files in a folder, the first one with the number `first`."""
        for number, one in enumerate(np.asarray(made), first):
            self.save_one(Path(folder) / f"{number:05d}{self.suffix}", one)

    def summarize(self, tag: str, made, step: int, description=None, columns=None, beside=None) -> None:
        """Write an array of these to TensorBoard's current event file; what has diverged is shown, not refused."""
        import tensorflow as tf

        del columns, beside
        tf.summary.histogram(tag, np.nan_to_num(np.asarray(made)), step=step, description=description)


def dtype_name(array) -> str:
    """Return the name of an array's or tensor's dtype."""
    return getattr(array.dtype, "name", str(array.dtype))


def sort_of(array) -> str:
    """Return "floating point", "integers", or the name of a dtype that is neither."""
    name = dtype_name(array)
    if name.startswith(("float", "bfloat")):
        return "floating point"
    return "integers" if name.startswith(("int", "uint")) else name
