"""Images for training: one function from a name, path or array to a `tf.data.Dataset`."""

import secrets
from typing import NamedTuple

import numpy as np

from kerasgan.data import sources
from kerasgan.data.examples import Request
from kerasgan.data.transform import Transform

__all__ = ["Info", "info", "load"]


class Info(NamedTuple):
    """What a source holds, after the transforms that were asked for."""

    name: str
    num_examples: int
    image_shape: tuple[int, int, int]
    num_classes: int | None
    class_names: tuple[str, ...] | None


def load(
    source,
    *,
    split: str = "train",
    batch_size: int = 128,
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    crop: bool = True,
    flip: bool = False,
    labels: bool = False,
    binarize: bool = False,
    shuffle: bool | None = None,
    seed: int | None = 0,
    first_epoch: int = 0,
    drop_remainder: bool | None = None,
    limit: int | None = None,
    cache: bool = True,
    data_dir: str | None = None,
    on_error: str = "raise",
):
    """Batches of images, ready for `fit`.

    Args:
        source: "mnist_mini" (embedded in the package), a folder of PNG, JPEG, WebP or BMP images,
            a `.npy` or `.npz` file, the name of a TFDS data set ("mnist", "cifar10", ...), an
            array (n, h, w, c) in uint8 or in floats in [-1, 1], or a tuple (images, labels).
            An existing file or folder is preferred over a TFDS data set of the same name.
        split: Which part. TFDS slices ("train[:90%]") work for TFDS data sets. A folder is one
            "train" split, unless all its sub-folders are named train, validation (or val), test.
            An array is whatever split it is said to be.
        batch_size: Images in a batch.
        image_size: Wanted size: (height, width), or one number for a square. Default: as it is.
        channels: 1 for grey, 3 for RGB. Default: as it is.
        crop: Cut the centre to the wanted aspect ratio before resizing, instead of stretching.
        flip: Mirror each image left to right with probability 1/2, anew in every epoch.
        labels: Return (images, labels). In a folder, each sub-folder is a class, in the order of
            the sorted names.
        binarize: Set each value to -1 or +1, whichever is nearer.
        shuffle: Draw a new order in every epoch. Default: True for the training split.
        seed: Seed of order and flips; None for a different one in each call.
        first_epoch: Number of the first epoch. Each new iteration over the dataset is the next
            epoch, and what epoch k holds depends on (seed, k) only: a run that goes on after
            3 epochs with `first_epoch=3` sees what it would have seen without the interruption.
        drop_remainder: Leave out the last batch if it is smaller. Default: as `shuffle`.
        limit: Use only so many examples: the first ones, or, in a folder, evenly spaced ones.
        cache: Keep the decoded uint8 images in memory. False is for data that do not fit: a
            folder is then read again in each epoch (but each file is checked once, here), and
            a TFDS data set is streamed and shuffled through a buffer of 10,000 images.
        data_dir: Folder of the TFDS data. Default: the environment variable TFDS_DATA_DIR, then
            TFDS's own default. Data that are not there are downloaded by TFDS.
        on_error: "raise", or "skip" to leave out unreadable and odd-sized files of a folder,
            with one warning that lists them.

    Returns:
        A `tf.data.Dataset` of known length: float32 (b, h, w, c) in [-1, 1], or a pair of that
        and int32 (b,).

    Raises:
        ValueError: The source does not exist or is not what is described here; the message says
            what was found and what to do.

    Example:
        train = kerasgan.data.load("mnist_mini", batch_size=64)
        faces = kerasgan.data.load("photos/", image_size=64, flip=True)
    """
    request = _request(split, image_size, channels, crop, limit, cache, data_dir, on_error)
    _check_count("batch_size", batch_size)
    for name, number in (("first_epoch", first_epoch), ("seed", 0 if seed is None else seed)):
        if not 0 <= number < 2**32:
            raise ValueError(f"{name} must be from 0 to 2**32 - 1; received {number}.")
    shuffle = split.startswith("train") if shuffle is None else shuffle
    drop_remainder = shuffle if drop_remainder is None else drop_remainder
    seed = secrets.randbits(31) if seed is None else seed

    examples = sources.read(source, request)
    count = examples.num_examples
    if labels and examples.num_classes is None:
        raise ValueError(
            f"{examples.name} has no labels. Leave out labels=True, or give a source with labels: "
            "a tuple (images, labels), a folder with a sub-folder for each class, or a TFDS data "
            "set with a class label."
        )
    if drop_remainder and batch_size > count:
        raise ValueError(
            f"batch_size={batch_size} is larger than the data set ({examples.name}: {count} "
            f"images), and incomplete batches are dropped, so no batch is left. Use a batch_size "
            f"of at most {count}, or drop_remainder=False."
        )
    from kerasgan.data import pipeline

    batches = pipeline.Batches(examples, batch_size, seed, shuffle, flip, binarize)
    return pipeline.build(batches, labels=labels, first_epoch=first_epoch, drop_remainder=drop_remainder)


def info(
    source,
    *,
    split: str = "train",
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    limit: int | None = None,
    data_dir: str | None = None,
    on_error: str = "raise",
) -> Info:
    """What `load` with the same arguments would give, without reading all the images."""
    request = _request(split, image_size, channels, True, limit, False, data_dir, on_error, False)
    found = sources.read(source, request)
    return Info(found.name, found.num_examples, found.image_shape, found.num_classes, found.class_names)


def _request(split, image_size, channels, crop, limit, cache, data_dir, on_error, decode=True) -> Request:
    if image_size is not None:
        pair = (image_size, image_size) if np.ndim(image_size) == 0 else tuple(image_size)
        if len(pair) != 2:
            raise ValueError(f"image_size must be one number or (height, width); received {image_size!r}.")
        image_size = tuple(_check_count("image_size", number) for number in pair)
    if channels not in (None, 1, 3):
        raise ValueError(f"channels must be 1 (grey), 3 (RGB) or None; received {channels!r}.")
    if limit is not None:
        _check_count("limit", limit)
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip'; received {on_error!r}.")
    transform = Transform(image_size, channels, crop)
    return Request(split, transform, limit, cache, data_dir, on_error, decode)


def _check_count(name: str, number) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
        raise ValueError(f"{name} must be a positive whole number; received {number!r}.")
    return int(number)
