"""What `load` asks a source for, what the source gives, and what `info` says of it."""

import dataclasses

import numpy as np

from kerasgan.data.transform import Transform


@dataclasses.dataclass(frozen=True)
class Info:
    """What a source holds, after the transforms that were asked for.

    Attributes:
        name: What to call the source in messages.
        num_examples: Examples in an epoch.
        image_shape: (height, width, channels), or None where there are no images. Of pairs, that of the target.
        num_classes: Number of classes, or None where the source has no labels.
        class_names: Name of each class, or None.
        arguments: What the data decide of a model: constructor arguments by name, such as `image_shape` and
            `num_classes` of images, or `length`, `vocabulary` and `words` of tokens.
    """

    name: str
    num_examples: int
    image_shape: tuple[int, int, int] | None = None
    num_classes: int | None = None
    class_names: tuple[str, ...] | None = None
    arguments: dict | None = None

    def __post_init__(self):
        if self.arguments is None:
            of_images = {"image_shape": self.image_shape, "num_classes": self.num_classes}
            object.__setattr__(self, "arguments", of_images)


@dataclasses.dataclass
class Examples:
    """Transformed images, ready to be batched.

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
        files: Path of each image within its folder, with "/" between the parts; None where there are no files.
    """

    name: str
    num_examples: int
    image_shape: tuple[int, int, int]
    images: object = None
    labels: np.ndarray | None = None
    num_classes: int | None = None
    class_names: tuple[str, ...] | None = None
    stream: object = None
    files: tuple[str, ...] | None = None


@dataclasses.dataclass(frozen=True)
class Request:
    """What `load` was asked to read of a source of images; see there for the meaning of each.

    Besides, `decode` says whether the pixels are wanted, and `only` which files of a folder, as in `Examples.files`.
    """

    split: str
    transform: Transform
    limit: int | None = None
    cache: bool = True
    data_dir: str | None = None
    on_error: str = "raise"
    decode: bool = True
    only: frozenset[str] | None = None
    group: str | None = None


def check_split(name: str, split: str, splits) -> None:
    """Raises ValueError unless `split` is one of `splits`."""
    if split not in splits:
        raise ValueError(f"{name} has no split {split!r}. Use split={' or '.join(map(repr, splits))}.")
