"""Sequences of tokens, the numbers of words or characters: out of text files, arrays of numbers and TFDS data sets."""

import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kerasgan.data import options, sources, text, walk
from kerasgan.data.examples import Info, check_split
from kerasgan.data.parts import Part
from kerasgan.data.tfds_source import Split
from kerasgan.support.words import encode
from kerasgan.support.words import split as split_words

CUTS = ("lines", "windows")
UNKNOWN = 1
_SPLIT_FILES = {
    "train": ("train.txt",),
    "validation": ("validation.txt", "valid.txt", "val.txt"),
    "test": ("test.txt",),
}


class Tokens(NamedTuple):
    """Sequences of one length, and what the numbers mean; `words` is None where it is not known."""

    name: str
    rows: np.ndarray
    vocabulary: int
    words: tuple[str, ...] | None


def load(
    source,
    *,
    split: str = "train",
    batch_size: int = 64,
    length: int | None = None,
    vocabulary: int | None = None,
    words: Sequence[str] | None = None,
    level: str = "words",
    cut: str | None = None,
    shuffle: bool | None = None,
    seed: int | None = 0,
    first_epoch: int = 0,
    drop_remainder: bool | None = None,
    limit: int | None = None,
    data_dir: str | None = None,
):
    """Batches of token sequences, all of one length.

    Args:
        source: A text file in UTF-8, or a folder of such files ending in .txt (in train.txt, valid.txt and test.txt, or
            in folders of these names, the splits); a `.npy` file or an array of whole numbers (n, length); or the name
            of a TFDS data set with a text ("tiny_shakespeare").
        length: Tokens of a sequence: longer lines are cut, shorter ones padded with 0. Default: the longest line's.
        vocabulary: Most numbers, with those of padding (0) and of unknown words (1). Default: all words of the data.
        words: The word of each number. Default: those of the training split, the commonest first. Other splits need it.
        level: "words", in lower case, with punctuation marks as words of their own; or "characters".
        cut: "lines" for one sequence a line, or "windows" for a running text that is cut every `length` tokens.
            Default: lines of files, windows of TFDS data sets.
        limit: Use only the first so many sequences, their words included.

    The other arguments are those of `kerasgan.data.load`.

    Returns:
        A `tf.data.Dataset` of known length: int32 (b, length).

    Raises:
        ValueError: The source is not what is described here, or holds none of the words; the message says what was
            found and what to do.
    """
    order = options.order(split, batch_size, shuffle, seed, first_epoch, drop_remainder)
    found = _read(source, split, length, vocabulary, words, level, cut, limit, data_dir)
    return options.batches(found.name, [Part(found.rows, found.rows.shape[1:])], order)


def info(
    source,
    *,
    split: str = "train",
    length: int | None = None,
    vocabulary: int | None = None,
    words: Sequence[str] | None = None,
    level: str = "words",
    cut: str | None = None,
    limit: int | None = None,
    data_dir: str | None = None,
) -> Info:
    """What `load` with the same arguments would give."""
    found = _read(source, split, length, vocabulary, words, level, cut, limit, data_dir)
    arguments = {"length": found.rows.shape[1], "vocabulary": found.vocabulary, "words": found.words}
    return Info(found.name, len(found.rows), arguments=arguments)


def _read(source, split, length, vocabulary, words, level, cut, limit, data_dir) -> Tokens:
    options.check_reading(split, limit)
    for name, number in (("length", length), ("vocabulary", vocabulary)):
        if number is not None:
            options.check_count(name, number)
    if cut not in (None, *CUTS):
        raise ValueError(f"cut must be {' or '.join(map(repr, CUTS))}; received {cut!r}.")
    if not isinstance(source, str | os.PathLike):
        check_split("An array", split, ("train", "validation", "test"))
        return _numbers("the array", np.asarray(source), length, vocabulary, words, limit)
    path = sources.path_of(source)
    if path.suffix == ".npy":
        check_split(str(path), split, ("train",))
        return _numbers(str(path), sources.mapped(path), length, vocabulary, words, limit)
    if path.exists() or sources.is_local(source):
        name, texts, cut = str(path), _texts(path, split), cut or "lines"
    else:
        name, texts, cut = os.fspath(source), _tfds_texts(os.fspath(source), split, data_dir), cut or "windows"
    sequences = _sequences(name, texts, length, level, cut)[:limit]
    words = text.known_words(name, sequences, words, vocabulary, split)
    rows = encode(sequences, words, length or max(map(len, sequences)))
    if rows.max() <= UNKNOWN:
        raise ValueError(
            f"{name} holds none of the {len(words) - 2} words that have a number ({', '.join(words[2:6])}, ...), so "
            f"all would be unknown. Is it in another language, or cut in another way than level={level!r}?"
        )
    return Tokens(name, rows, len(words), words)


def _numbers(name: str, numbers: np.ndarray, length, vocabulary, words, limit) -> Tokens:
    if numbers.ndim != 2 or 0 in numbers.shape or not np.issubdtype(numbers.dtype, np.integer):
        raise ValueError(
            f"{name} must hold at least one sequence of whole numbers, shaped (n, length); received dtype "
            f"{numbers.dtype}, shape {numbers.shape}."
        )
    numbers = numbers[:limit]
    most = len(words) if words is not None else vocabulary or min(int(numbers.max()) + 1, 2**31)
    if numbers.min() < 0 or numbers.max() >= most:
        raise ValueError(f"{name}: tokens must be from 0 to {most - 1}; received {numbers.min()} to {numbers.max()}.")
    if length not in (None, numbers.shape[1]):
        raise ValueError(f"{name} holds sequences of {numbers.shape[1]} tokens; received length={length}.")
    return Tokens(name, numbers.astype(np.int32), most, None if words is None else tuple(words))


def _texts(path: pathlib.Path, split: str) -> list[str]:
    if not path.is_dir():
        check_split(str(path), split, ("train",))
        return [text.read(path)]
    names = {
        word: next((name for name in names if (path / name).exists()), None) for word, names in _SPLIT_FILES.items()
    }
    if names["train"]:
        check_split(f"The folder {path}", split, [word for word, name in names.items() if name])
        return [text.read(path / names[split])]
    files = walk.find(walk.split_folder(path, split), (".txt",))
    if not files:
        raise ValueError(f"The folder {path} holds no text files (.txt), in itself or in sub-folders.")
    return [text.read(file) for file in files]


def _tfds_texts(name: str, split: str, data_dir: str | None) -> list[str]:
    import tensorflow_datasets as tfds

    source = Split(name, split, data_dir)
    return source.texts(source.key(tfds.features.Text, ("text", "sentence")))


def _sequences(name: str, texts: list[str], length: int | None, level: str, cut: str) -> list[list[str]]:
    """The words or characters of each sequence."""
    if cut == "lines":
        lines = [line.strip() for some in texts for line in some.splitlines()]
        sequences = [split_words(line, level) for line in lines if line]
    else:
        if length is None:
            raise ValueError(f"{name} is cut into windows: give length=, the tokens of a window.")
        words = split_words("\n".join(texts), level)
        # What is left at the end is no whole window.
        sequences = [words[start : start + length] for start in range(0, len(words) - length + 1, length)]
    if not sequences:
        raise ValueError(f"{name} holds no {'line with text' if cut == 'lines' else f'window of {length} tokens'}.")
    return sequences
