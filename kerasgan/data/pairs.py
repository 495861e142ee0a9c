"""Pairs of images: a source, and the target that a model is to make of it."""

import dataclasses
import os
import pathlib

import numpy as np

from kerasgan.data import drawings, folder, options, sources, tfds_images, walk
from kerasgan.data.examples import Examples, Info, Request
from kerasgan.data.parts import Images

# How the two features of a TFDS data set may be called; otherwise they are taken in their order.
_FEATURES = (("input_image", "target_image"), ("source", "target"), ("input", "target"))


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
    swap: bool = False,
    edges: bool = False,
    shuffle: bool | None = None,
    seed: int | None = 0,
    first_epoch: int = 0,
    drop_remainder: bool | None = None,
    limit: int | None = None,
    cache: bool = True,
    data_dir: str | None = None,
    on_error: str = "raise",
):
    """Batches of (source, target): two images each, cropped, resized, moved and flipped alike.

    Args:
        source: A folder of images of two halves side by side, the source on the left; a folder with the folders A and
            B, or trainA and trainB, of files of equal names; a tuple of two arrays, files or folders; or the name of a
            TFDS data set with two images in an example ("facades").
        jitter: Read the images so many pixels larger than image_size, and cut a window of that size out at random.
        swap: Learn the other way: the right half, B or the second image is the source.
        edges: The source holds single images, as `kerasgan.data.load` reads them: pair each with its line drawing, by
            `kerasgan.data.edges`.

    The other arguments are those of `kerasgan.data.load`; size and channels are wanted of each image of a pair.

    Returns:
        A `tf.data.Dataset` of pairs, float32 (b, h, w, c) in [-1, 1] each.

    Raises:
        ValueError: The source is not what is described here; the message says what was found and what to do.

    Example:
        pairs = kerasgan.data.pairs.load("facades", image_size=128, jitter=16, flip=True)
        from_lines = kerasgan.data.pairs.load("PATH/TO/PHOTOS", image_size=64, edges=True)
    """
    request = options.request(split, image_size, channels, crop, limit, cache, data_dir, on_error)
    request = options.enlarged(request, jitter)
    order = options.order(split, batch_size, shuffle, seed, first_epoch, drop_remainder)
    sides = _read(source, request, swap, edges)
    sources.check_in_memory(*sides)
    parts = [Images(side.images, options.within(side.image_shape, jitter), flip, jitter=jitter) for side in sides]
    return options.batches(sides[0].name, parts, order)


def info(
    source,
    *,
    split: str = "train",
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    swap: bool = False,
    edges: bool = False,
    limit: int | None = None,
    data_dir: str | None = None,
    on_error: str = "raise",
) -> Info:
    """What `load` with the same arguments would give; `image_shape` is that of the target."""
    request = options.request(split, image_size, channels, True, limit, False, data_dir, on_error, decode=False)
    source_side, target = _read(source, request, swap, edges)
    arguments = {"image_shape": target.image_shape, "source_shape": source_side.image_shape}
    return Info(target.name, target.num_examples, target.image_shape, arguments=arguments)


def _read(source, request: Request, swap: bool, edges: bool) -> list[Examples]:
    sides = _drawn(source, request) if edges else _sides(source, request)
    first, second = sides
    if first.num_examples != second.num_examples:
        raise ValueError(
            f"Pairs need as many sources as targets; received {first.num_examples} ({first.name}) and "
            f"{second.num_examples} ({second.name})."
        )
    return sides[::-1] if swap else sides


def _drawn(source, request: Request) -> list[Examples]:
    """Images, and before them their drawings: made now where the images are in memory, or as they are read."""
    target = sources.read(source, request)
    sources.check_in_memory(target)
    images = target.images
    if isinstance(images, np.ndarray):
        lines = drawings.edges(images)
    else:
        lines = None if images is None else drawings.Drawings(images)
    shape = (*target.image_shape[:2], 1)
    return [dataclasses.replace(target, name=f"drawings of {target.name}", images=lines, image_shape=shape), target]


def _sides(source, request: Request) -> list[Examples]:
    if isinstance(source, tuple | list):
        if len(source) != 2:
            raise ValueError(f"Pairs are read of two sources, or of one of pairs; received {len(source)}.")
        if all(isinstance(side, str | os.PathLike) and sources.path_of(side).is_dir() for side in source):
            return _named_alike(*map(sources.path_of, source), request)
        return [sources.read(side, request) for side in source]
    if not isinstance(source, str | os.PathLike):
        return _halves(source, request)
    path = sources.path_of(source)
    if path.is_dir():
        two = walk.two_sides(path, request.split)
        if two is None:
            return _halves(source, request)
        return _named_alike(*two[:2], dataclasses.replace(request, split=two[2]))
    if path.exists() or sources.is_local(source):
        return _halves(source, request)
    return _two_features(os.fspath(source), request)


def _halves(source, request: Request) -> list[Examples]:
    transforms = [dataclasses.replace(request.transform, half=half) for half in ("left", "right")]
    return [sources.read(source, dataclasses.replace(request, transform=transform)) for transform in transforms]


def _two_features(name: str, request: Request) -> list[Examples]:
    import tensorflow_datasets as tfds

    source = tfds_images.Split(name, request.split, request.data_dir, request.limit)
    keys = source.keys(tfds.features.Image)
    named = next((pair for pair in _FEATURES if set(pair) <= set(keys)), keys)
    if len(named) != 2:
        raise ValueError(
            f"The TFDS data set {name!r} has no pairs of images; its features are {sorted(source.features)}. Give one "
            "with two images in an example, or use kerasgan.data.unpaired."
        )
    return [tfds_images.read_feature(source, request, key) for key in named]


def _named_alike(a: pathlib.Path, b: pathlib.Path, request: Request) -> list[Examples]:
    """The images of two folders, by their names without the endings."""
    names = [_names(side, request) for side in (a, b)]
    alone = sorted(names[0].keys() ^ names[1].keys())
    if alone and request.on_error == "raise":
        there, missing = (a, b) if alone[0] in names[0] else (b, a)
        raise ValueError(
            f"{there} holds an image {alone[0]!r} and {missing} none of that name ({len(alone)} such in all). Two "
            "folders of pairs hold files of equal names; pass on_error='skip' to leave out the others, or use "
            "kerasgan.data.unpaired."
        )
    walk.warn_of_skipped(a.parent, {pathlib.Path(name): "it is in one of the two folders only" for name in alone})
    both = names[0].keys() & names[1].keys()
    requests = [dataclasses.replace(request, only=frozenset(side[name] for name in both)) for side in names]
    sides = [folder.read(side, wanted) for side, wanted in zip((a, b), requests, strict=True)]
    return _without_the_skipped(sides) if request.on_error == "skip" else sides


def _names(side: pathlib.Path, request: Request) -> dict[str, str]:
    """{name without its ending: path within the folder}."""
    base = walk.split_folder(side, request.split)
    files = [
        file.relative_to(base) for file in walk.find(base, folder.SUFFIXES, {} if request.on_error == "skip" else None)
    ]
    names = {file.with_suffix("").as_posix(): file.as_posix() for file in files}
    if len(names) < len(files):
        twice = next(file for file in files if names[file.with_suffix("").as_posix()] != file.as_posix())
        raise ValueError(f"{base} holds two images called {twice.with_suffix('').as_posix()!r}; a pair needs one.")
    return names


def _without_the_skipped(sides: list[Examples]) -> list[Examples]:
    """Leaves out the partners of files that could not be read."""
    names = [[str(pathlib.PurePosixPath(file).with_suffix("")) for file in side.files] for side in sides]
    both = set(names[0]) & set(names[1])
    kept = [[number for number, name in enumerate(some) if name in both] for some in names]
    return [_take(side, np.array(numbers, int)) for side, numbers in zip(sides, kept, strict=True)]


def _take(side: Examples, numbers: np.ndarray) -> Examples:
    if len(numbers) == side.num_examples:
        return side
    images = side.images
    if images is not None:
        images = images.take(numbers) if isinstance(images, folder.FileImages) else images[numbers]
    return dataclasses.replace(
        side, num_examples=len(numbers), images=images, files=tuple(side.files[n] for n in numbers)
    )
