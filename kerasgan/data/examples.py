"""What `load` asks a source for, and what the source gives: the contract between sources and batches."""

import dataclasses

import numpy as np

from kerasgan.data.transform import Transform


@dataclasses.dataclass
class Examples:
    """Transformed examples, ready to be batched.

    Attributes:
        name: What to call the source in messages.
        num_examples: How many there are.
        image_shape: (height, width, channels) of every image.
        images: uint8 NHWC array, or something that is indexed like one; None if `stream` is set.
        labels: int32 (num_examples,) or None.
        num_classes: Number of classes, or None where the source has no labels.
        class_names: Name of each class, or None.
        stream: A `tf.data.Dataset` of (uint8 image, int32 label) pairs that is read anew in each
            epoch, or None.
    """

    name: str
    num_examples: int
    image_shape: tuple[int, int, int]
    images: object = None
    labels: np.ndarray | None = None
    num_classes: int | None = None
    class_names: tuple[str, ...] | None = None
    stream: object = None


@dataclasses.dataclass(frozen=True)
class Request:
    """What `load` was asked to read; see there for the meaning of each."""

    split: str
    transform: Transform
    limit: int | None = None
    cache: bool = True
    data_dir: str | None = None
    on_error: str = "raise"
    decode: bool = True


def check_split(name: str, split: str, splits) -> None:
    """Raises ValueError unless `split` is one of `splits`."""
    if split not in splits:
        raise ValueError(f"{name} has no split {split!r}. Use split={' or '.join(map(repr, splits))}.")
