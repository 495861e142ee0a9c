"""The arguments that all readers share: checked, and put together."""

import dataclasses
import secrets

import numpy as np

from kerasgan.data.examples import Request
from kerasgan.data.parts import Order, Part
from kerasgan.data.transform import Transform


def order(split: str, batch_size, shuffle, seed, first_epoch, drop_remainder) -> Order:
    """Returns the checked order of the batches, with its defaults filled in."""
    check_reading(split, None)
    check_count("batch_size", batch_size)
    for name, number in (("first_epoch", first_epoch), ("seed", 0 if seed is None else seed)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number < 2**32:
            raise ValueError(f"{name} must be a whole number from 0 to 2**32 - 1; received {number!r}.")
    for name, choice in (("shuffle", shuffle), ("drop_remainder", drop_remainder)):
        if choice not in (None, True, False):
            raise ValueError(f"{name} must be True, False or None; received {choice!r}.")
    shuffle = split.startswith("train") if shuffle is None else bool(shuffle)
    drop_remainder = shuffle if drop_remainder is None else bool(drop_remainder)
    seed = secrets.randbits(31) if seed is None else int(seed)
    return Order(int(batch_size), shuffle, seed, int(first_epoch), drop_remainder)


def request(split, image_size, channels, crop, limit, cache, data_dir, on_error, decode=True, group=None) -> Request:
    """Returns what to read of a source of images, checked."""
    if image_size is not None:
        pair = (image_size, image_size) if np.ndim(image_size) == 0 else tuple(image_size)
        if len(pair) != 2:
            raise ValueError(f"image_size must be one number or (height, width); received {image_size!r}.")
        image_size = tuple(check_count("image_size", number) for number in pair)
    if channels not in (None, 1, 3):
        raise ValueError(f"channels must be 1 (grey), 3 (RGB) or None; received {channels!r}.")
    check_reading(split, limit, on_error)
    if group is not None and (not isinstance(group, str) or not group):
        raise ValueError(f"group must be the name of a feature of a TFDS data set; received {group!r}.")
    transform = Transform(image_size, channels, crop)
    return Request(split, transform, limit, cache, data_dir, on_error, decode, group=group)


def enlarged(request: Request, jitter) -> Request:
    """Returns the request for images so many pixels larger each way, in which windows can move.

    Raises:
        ValueError: jitter is not a whole number from 0 on, or there is no size to go by.
    """
    if isinstance(jitter, bool) or not isinstance(jitter, int | np.integer) or jitter < 0:
        raise ValueError(f"jitter must be a number of pixels, at least 0; received {jitter!r}.")
    if not jitter:
        return request
    if request.transform.size is None:
        raise ValueError(f"jitter={jitter} moves a window of image_size over a larger image. Give image_size=.")
    size = tuple(side + int(jitter) for side in request.transform.size)
    return dataclasses.replace(request, transform=dataclasses.replace(request.transform, size=size))


def within(shape: tuple, jitter: int) -> tuple:
    """Returns the shape of the windows that are cut out of images read with `enlarged`."""
    return (shape[0] - jitter, shape[1] - jitter, shape[2])


def check_reading(split, limit, on_error: str = "raise") -> None:
    """Raises ValueError if these are not what `load` takes."""
    if not isinstance(split, str):
        raise ValueError(f"split must be a word such as 'train' or 'test'; received {split!r}.")
    if limit is not None:
        check_count("limit", limit)
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip'; received {on_error!r}.")


def check_count(name: str, number) -> int:
    """Returns `number`, or raises ValueError unless it is a positive whole number."""
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
        raise ValueError(f"{name} must be a positive whole number; received {number!r}.")
    return int(number)


def batches(name: str, parts: list[Part], order: Order, num_examples: int | None = None, stream=None):
    """Returns the batches as a `tf.data.Dataset`: of tuples of the parts, or of the part if there is one only.

    Args:
        name: What to call the source in messages.
        parts: Of an example.
        order: Of the batches.
        num_examples: In an epoch. Default: as many as the longest part has.
        stream: A `tf.data.Dataset` of the rows of the parts, where they are not in memory.

    Raises:
        ValueError: No batch is left.
    """
    count = max(map(len, parts)) if num_examples is None else num_examples
    if order.drop_remainder and order.batch_size > count:
        raise ValueError(
            f"batch_size={order.batch_size} is larger than the data set ({name}: {count} examples), and incomplete "
            f"batches are dropped, so no batch is left. Use a batch_size of at most {count}, or drop_remainder=False."
        )
    from kerasgan.data import pipeline

    return pipeline.build(pipeline.Batches(tuple(parts), count, order), stream)
