"""Images and captions: what is to be seen on each, as the numbers of its words."""

import csv
import dataclasses
import os
import pathlib
from collections.abc import Sequence

import numpy as np

from kerasgan.data import captioned, folder, options, sources, text, tfds_images, walk
from kerasgan.data.examples import Examples, Info, Request
from kerasgan.data.parts import Images, Part, Place
from kerasgan.support.words import encode
from kerasgan.support.words import split as split_words

TABLES = {"captions.tsv": "\t", "captions.csv": ","}
_HEADINGS = ("file", "filename", "file_name", "image", "image_name")


def load(
    source,
    *,
    split: str = "train",
    batch_size: int = 64,
    caption_length: int | None = None,
    vocabulary: int | None = None,
    words: Sequence[str] | None = None,
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    crop: bool = True,
    flip: bool = False,
    shuffle: bool | None = None,
    seed: int | None = 0,
    first_epoch: int = 0,
    drop_remainder: bool | None = None,
    limit: int | None = None,
    cache: bool = True,
    data_dir: str | None = None,
    on_error: str = "raise",
):
    """Batches of (images, captions).

    Where an image has several captions, one is drawn in each epoch.

    Args:
        source: A folder of images with a table of two columns, file and caption, called captions.tsv or captions.csv
            (an image may stand in several rows), or with a text file of the same name beside each image, one caption a
            line; a tuple of images, as `kerasgan.data.load` takes them, and captions, a string or a list of strings for
            each; the name of a TFDS data set with an image and a text ("noto_emoji"); or "captioned_fashion_mnist",
            clothes with what can be read off them.
        caption_length: Words of a caption: longer ones are cut, shorter ones padded with 0. Default: the longest.
        vocabulary: Most numbers, with those of padding (0) and of unknown words (1). Default: all words of the data.
        words: The word of each number. Default: those of the training split, the commonest first. Other splits need it.
        on_error: "raise", or "skip" to leave out files of a folder that cannot be read or have no caption.

    The other arguments are those of `kerasgan.data.load`. Words are lower-case; punctuation marks are words of
    their own.

    Returns:
        A `tf.data.Dataset` of pairs: float32 (b, h, w, c) in [-1, 1], and int32 (b, caption_length).

    Raises:
        ValueError: The source is not what is described here; the message says what was found and what to do.
    """
    request = options.request(split, image_size, channels, crop, limit, cache, data_dir, on_error)
    order = options.order(split, batch_size, shuffle, seed, first_epoch, drop_remainder)
    examples, texts, words = _read(source, request, caption_length, vocabulary, words)
    sources.check_in_memory(examples)
    images = Images(examples.images, examples.image_shape, flip)
    return options.batches(examples.name, [images, Captions(texts, words, caption_length or _longest(texts))], order)


def info(
    source,
    *,
    split: str = "train",
    caption_length: int | None = None,
    vocabulary: int | None = None,
    words: Sequence[str] | None = None,
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    limit: int | None = None,
    data_dir: str | None = None,
    on_error: str = "raise",
) -> Info:
    """What `load` with the same arguments would give, without reading all the images."""
    request = options.request(split, image_size, channels, True, limit, False, data_dir, on_error, decode=False)
    examples, texts, words = _read(source, request, caption_length, vocabulary, words)
    arguments = {
        "image_shape": examples.image_shape,
        "caption_length": caption_length or _longest(texts),
        "vocabulary": len(words),
        "words": words,
    }
    return Info(examples.name, examples.num_examples, examples.image_shape, arguments=arguments)


class Captions(Part):
    """Several captions for each image, of which a batch gets one: int32 (b, length)."""

    def __init__(self, texts: list[list[list[str]]], words: tuple[str, ...], length: int):
        super().__init__(encode([caption for captions in texts for caption in captions], words, length), (length,))
        self._counts = np.array([len(captions) for captions in texts])
        self._starts = np.cumsum(self._counts) - self._counts

    def __len__(self) -> int:
        return len(self._counts)

    def batch(self, chosen: np.ndarray, place: Place) -> np.ndarray:
        """Returns a caption, drawn anew in each epoch, of each of the images `chosen`."""
        drawn = place.rng(0, 1).random(len(chosen)) * self._counts[chosen]
        return self.rows[self._starts[chosen] + drawn.astype(int)]


def _longest(texts) -> int:
    return max(1, max(len(caption) for captions in texts for caption in captions))


def _read(source, request: Request, length, vocabulary, words) -> tuple[Examples, list, tuple[str, ...]]:
    """The images, for each its captions as lists of words, and the words that have numbers."""
    for name, number in (("caption_length", length), ("vocabulary", vocabulary)):
        if number is not None:
            options.check_count(name, number)
    examples, captions = _captioned(source, request)
    texts = [[split_words(caption) for caption in some] for some in captions]
    flat = [caption for some in texts for caption in some]
    return examples, texts, text.known_words(examples.name, flat, words, vocabulary, request.split)


def _captioned(source, request: Request) -> tuple[Examples, list[list[str]]]:
    if isinstance(source, tuple | list):
        if len(source) != 2:
            raise ValueError(f"Captions are read of a tuple (images, captions); received {len(source)} parts.")
        return _given(*source, request)
    if not isinstance(source, str | os.PathLike):
        raise ValueError("An array of images has no captions: give a tuple (images, captions).")
    if source in captioned.SOURCES:
        return _described(source, request)
    path = sources.path_of(source)
    if path.is_dir():
        return _read_folder(path, request)
    if path.exists() or sources.is_local(source):
        raise ValueError(f"{source} is not a folder of images and captions.")
    return _read_tfds(os.fspath(source), request)


def _given(images, captions, request: Request) -> tuple[Examples, list[list[str]]]:
    examples = sources.read(images, request)
    listed = [[caption] if isinstance(caption, str) else list(caption) for caption in captions][: request.limit]
    if len(listed) != examples.num_examples:
        raise ValueError(
            f"Each image needs a caption; received {examples.num_examples} images and {len(listed)} captions."
        )
    bare = next((number for number, some in enumerate(listed) if not some), None)
    if bare is not None or not all(isinstance(caption, str) for some in listed for caption in some):
        raise ValueError(f"Captions are strings, or lists of strings; image {bare or 0} has {listed[bare or 0]!r}.")
    return examples, listed


def _described(source: str, request: Request) -> tuple[Examples, list[list[str]]]:
    """The pictures of a source of `captioned`, which says what is on each."""
    plain = sources.read_plain(captioned.SOURCES[source], request)
    texts = captioned.captions(plain.images[: request.limit], plain.labels[: request.limit])
    return sources.from_arrays(source, plain.images, None, request), [[text] for text in texts]


def _read_tfds(name: str, request: Request) -> tuple[Examples, list[list[str]]]:
    import tensorflow_datasets as tfds

    source = tfds_images.Split(name, request.split, request.data_dir, request.limit)
    key = source.key(tfds.features.Text, ("text", "caption", "captions", "description"))
    return tfds_images.read_feature(source, request), [[caption] for caption in source.texts(key)]


def _read_folder(root: pathlib.Path, request: Request) -> tuple[Examples, list[list[str]]]:
    base = walk.split_folder(root, request.split)
    skipping = request.on_error == "skip"
    found = walk.find(base, folder.SUFFIXES, {} if skipping else None)
    present = [file.relative_to(base).as_posix() for file in found]
    captions = _table(base, set(present), skipping) or _beside(base, present)
    bare = [name for name in present if not captions.get(name)]
    if len(bare) == len(present) or (bare and not skipping):
        raise ValueError(
            f"{base} holds no caption of {bare[0] if bare else 'any image'} ({len(bare)} such in all). Write a table "
            f"{' or '.join(TABLES)} with the columns file and caption, or a text file of the same name beside each "
            "image; or pass on_error='skip' to leave such images out."
        )
    walk.warn_of_skipped(base, {pathlib.Path(name): "it has no caption" for name in bare})
    only = frozenset(present) - frozenset(bare)
    examples = folder.read(root, dataclasses.replace(request, only=only))
    return examples, [captions[name] for name in examples.files]


def _table(base: pathlib.Path, present: set[str], skipping: bool) -> dict[str, list[str]] | None:
    """{image: its captions} of the table of a folder, if there is one."""
    name = next((name for name in TABLES if (base / name).exists()), None)
    if name is None:
        return None
    captions: dict[str, list[str]] = {}
    # Quotes are letters in a .tsv, where tabs part the columns.
    quoting = csv.QUOTE_NONE if TABLES[name] == "\t" else csv.QUOTE_MINIMAL
    rows = csv.reader(text.read(base / name).splitlines(), delimiter=TABLES[name], quoting=quoting)
    for number, row in enumerate(rows, 1):
        if not row or (number == 1 and row[0].strip().lower() in _HEADINGS):
            continue
        if len(row) != 2 or not row[1].strip():
            raise ValueError(f"{base / name}, line {number}: a row is a file and a caption; received {row!r}.")
        file = row[0].strip()
        if file not in present and not skipping:
            raise ValueError(f"{base / name}, line {number}: there is no image {file!r} in {base}.")
        captions.setdefault(file, []).append(row[1].strip())
    return captions


def _beside(base: pathlib.Path, present: list[str]) -> dict[str, list[str]]:
    """{image: its captions} of the text file beside each image, where there is one."""
    files = {name: (base / name).with_suffix(".txt") for name in present}
    return {name: text.lines(file) for name, file in files.items() if file.exists()}
