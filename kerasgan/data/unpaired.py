"""Two domains of images that have nothing to do with one another, as CycleGAN learns from."""

import dataclasses
import os

from kerasgan.data import options, sources, tfds_images, walk
from kerasgan.data.examples import Examples, Info, Request
from kerasgan.data.parts import Images


def load(
    source,
    *,
    split: str = "train",
    batch_size: int = 1,
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    crop: bool = True,
    flip: bool = False,
    jitter: int = 0,
    shuffle: bool | None = None,
    seed: int | None = 0,
    first_epoch: int = 0,
    drop_remainder: bool | None = None,
    limit: int | None = None,
    cache: bool = True,
    data_dir: str | None = None,
    on_error: str = "raise",
):
    """Batches of (a, b): an image of each domain, in orders of their own.

    An epoch is one pass over the larger domain. The smaller one is gone through again and again meanwhile, each time in
    a new order, which is a function of (seed, epoch) as all orders are.

    Args:
        source: A folder with the folders trainA and trainB (testA, testB, ...), or A and B; a tuple of two sources,
            each of which `kerasgan.data.load` takes; or the name of a TFDS data set with such splits
            ("cycle_gan/facades").
        jitter: Read the images so many pixels larger than image_size, and cut a window of that size out at random.
        limit: Use only so many images of each domain.

    The other arguments are those of `kerasgan.data.load`.

    Returns:
        A `tf.data.Dataset` of pairs, float32 (b, h, w, c) in [-1, 1] each.

    Raises:
        ValueError: The source is not what is described here, or the domains differ in shape; the message says what was
            found and what to do.

    Example:
        both = kerasgan.data.unpaired.load(("photos/", "paintings/"), image_size=128, flip=True)
    """
    request = options.request(split, image_size, channels, crop, limit, cache, data_dir, on_error)
    request = options.enlarged(request, jitter)
    order = options.order(split, batch_size, shuffle, seed, first_epoch, drop_remainder)
    sides = _read(source, request)
    sources.check_in_memory(*sides)
    parts = [
        Images(side.images, options.within(side.image_shape, jitter), flip, side=number, jitter=jitter)
        for number, side in enumerate(sides)
    ]
    return options.batches(f"{sides[0].name} and {sides[1].name}", parts, order)


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
    """What `load` with the same arguments would give; the examples of an epoch are those of the larger domain."""
    request = options.request(split, image_size, channels, True, limit, False, data_dir, on_error, decode=False)
    a, b = _read(source, request)
    name = a.name if a.name == b.name else f"{a.name} and {b.name}"
    count = max(a.num_examples, b.num_examples)
    return Info(name, count, a.image_shape, arguments={"image_shape": a.image_shape})


def _read(source, request: Request) -> list[Examples]:
    sides = _sides(source, request)
    a, b = sides
    if a.image_shape != b.image_shape:
        raise ValueError(
            f"Both domains must have images of one shape; received {a.image_shape} ({a.name}) and {b.image_shape} "
            f"({b.name}). Give image_size= and channels=."
        )
    return sides


def _sides(source, request: Request) -> list[Examples]:
    if isinstance(source, tuple | list):
        if len(source) != 2:
            raise ValueError(f"Two domains are read of two sources; received {len(source)}.")
        return [sources.read(side, request) for side in source]
    if not isinstance(source, str | os.PathLike):
        raise ValueError("One array holds one domain: give a tuple of two.")
    path = sources.path_of(source)
    if path.is_dir():
        two = walk.two_sides(path, request.split)
        if two is None:
            raise ValueError(
                f"{path} has no folders {request.split}A and {request.split}B, nor A and B: these hold the domains."
            )
        return [sources.read(side, dataclasses.replace(request, split=two[2])) for side in two[:2]]
    if path.exists() or sources.is_local(source):
        raise ValueError(
            f"{source} is not two domains: give a tuple of two sources, or a folder with trainA and trainB."
        )
    splits = [
        tfds_images.Split(os.fspath(source), request.split, request.data_dir, request.limit, side) for side in "AB"
    ]
    return [tfds_images.read_feature(split, request) for split in splits]
