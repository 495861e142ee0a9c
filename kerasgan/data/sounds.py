"""Where sounds come from: folders of WAV files, arrays, TFDS data sets."""

import collections
import os
import pathlib
import re
from typing import NamedTuple, Protocol

import numpy as np

from kerasgan.data import sources, walk, wav
from kerasgan.data.apart import Apart
from kerasgan.data.examples import check_split
from kerasgan.data.resampling import Resampled
from kerasgan.data.tfds_source import Split

SUFFIXES = (".wav", ".wave")
# Recordings that are the test set by their makers' word, where TFDS has one split only. Of the spoken digits these are
# the first five that each speaker made of each digit: "7_jackson_3.wav".
HELD_OUT = {"spoken_digit": Apart("audio/filename", lambda name: bool(re.search(rb"_[0-4]\.wav$", name)))}


class Wanted(NamedTuple):
    """What to read; see `audio.load` for the meaning of each."""

    split: str
    channels: int | None
    rate: int | None
    limit: int | None
    cache: bool
    data_dir: str | None
    on_error: str


class Sounds(NamedTuple):
    """Sounds of one rate, of different lengths."""

    name: str
    rows: "Rows"
    rate: int
    channels: int
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None


class Rows(Protocol):
    """Sounds of different lengths, one a row."""

    def __len__(self) -> int: ...

    def length(self, row: int) -> int:
        """Returns the frames of a sound."""

    def piece(self, row: int, start: int, stop: int | None) -> np.ndarray:
        """Returns a piece of a sound (frames, channels): int16, or float32 in [-1, 1]."""


class ArrayRows:
    """Sounds in memory: arrays (frames, channels) of int16, or of float32 in [-1, 1]."""

    def __init__(self, arrays):
        self._arrays = arrays

    def __len__(self) -> int:
        return len(self._arrays)

    def length(self, row: int) -> int:
        """Returns the frames of a sound."""
        return len(self._arrays[row])

    def piece(self, row: int, start: int, stop: int | None) -> np.ndarray:
        """Returns a piece of a sound."""
        return self._arrays[row][start:stop]


class FileRows:
    """Sounds that stay in their files."""

    def __init__(self, files: list[pathlib.Path], lengths: list[int]):
        self._files = files
        self._lengths = lengths

    def __len__(self) -> int:
        return len(self._files)

    def length(self, row: int) -> int:
        """Returns the frames of a sound."""
        return self._lengths[row]

    def piece(self, row: int, start: int, stop: int | None) -> np.ndarray:
        """Reads a piece of a sound; ValueError names a file that became unreadable."""
        try:
            return wav.read(self._files[row], start, stop)
        except OSError as error:
            raise ValueError(_unreadable(self._files[row], error)) from error


def read(source, wanted: Wanted) -> Sounds:
    """Finds out what kind of source this is, and reads it."""
    if not isinstance(source, str | os.PathLike):
        check_split("An array", wanted.split, ("train", "validation", "test"))
        sounds, labels = source if isinstance(source, tuple) and len(source) == 2 else (source, None)
        return _read_arrays(sounds, labels, wanted)
    path = sources.path_of(source)
    if path.is_dir():
        return _read_folder(path, wanted)
    if path.exists() or sources.is_local(source):
        raise ValueError(f"{source} is not a folder of WAV files. Give the folder that holds them.")
    return _read_tfds(os.fspath(source), wanted)


def _read_arrays(sounds, labels, wanted: Wanted) -> Sounds:
    sounds = np.asarray(sounds)[: wanted.limit]
    sounds = sounds[..., None] if sounds.ndim == 2 else sounds
    if sounds.ndim != 3 or sounds.shape[2] not in (1, 2) or 0 in sounds.shape:
        raise ValueError(
            "An array of sounds is shaped (n, samples), or (n, samples, channels) with 1 or 2 channels; received shape "
            f"{sounds.shape}."
        )
    if wanted.rate is None:
        raise ValueError("An array does not say how many samples a second it holds: give rate=.")
    classes = None
    if labels is not None:
        labels = sources.check_labels("The array", np.asarray(labels)[: wanted.limit], len(sounds))
        classes = tuple(str(number) for number in range(int(labels.max()) + 1))
    return Sounds("the array", ArrayRows(_checked("The array", sounds)), wanted.rate, sounds.shape[2], labels, classes)


def _checked(name: str, sound: np.ndarray) -> np.ndarray:
    """Sound as int16, or as float32 in [-1, 1]."""
    low, high = sound.min(initial=0), sound.max(initial=0)
    if np.issubdtype(sound.dtype, np.integer) and low >= -(2**15) and high < 2**15:
        return sound.astype(np.int16, copy=False)
    # The comparison is written so that NaN fails it.
    if np.issubdtype(sound.dtype, np.floating) and low >= -1.001 and high <= 1.001:
        return np.clip(sound, -1, 1).astype(np.float32, copy=False)
    raise ValueError(
        f"{name} must hold sounds as 16-bit integers or as floats in [-1, 1]; received dtype {sound.dtype} with values "
        f"from {low} to {high}."
    )


def _read_tfds(name: str, wanted: Wanted) -> Sounds:
    import tensorflow_datasets as tfds

    source = Split(name, wanted.split, wanted.data_dir, wanted.limit, apart=HELD_OUT.get(name))
    key = source.key(tfds.features.Audio, ("audio", "speech"))
    label_key = next(iter(source.keys(tfds.features.ClassLabel)), None)
    rate = source.features[key].sample_rate or wanted.rate
    if not rate:
        raise ValueError(f"The TFDS data set {name!r} does not say how many samples a second it holds: give rate=.")
    sounds, labels = [], []
    for example in source.stream().as_numpy_iterator():
        sound = example[key]
        sounds.append(_checked(f"The TFDS data set {name!r}", sound if sound.ndim == 2 else sound[:, None]))
        labels.append(example[label_key] if label_key else None)
    rows, channels = ArrayRows(sounds), sounds[0].shape[1]
    if wanted.rate not in (None, rate):
        rows = _in_memory(Resampled(rows, [rate] * len(rows), wanted.rate))
    names = tuple(source.features[label_key].names) if label_key else None
    return Sounds(name, rows, wanted.rate or rate, channels, np.array(labels, np.int32) if names else None, names)


def _in_memory(rows: Rows) -> ArrayRows:
    return ArrayRows([rows.piece(row, 0, None) for row in range(len(rows))])


def _read_folder(root: pathlib.Path, wanted: Wanted) -> Sounds:
    skipped: dict[pathlib.Path, str] = {}
    base = walk.split_folder(root, wanted.split)
    files = walk.find(base, SUFFIXES, skipped if wanted.on_error == "skip" else None)
    if not files:
        raise ValueError(f"The folder {base} holds no WAV files, in itself or in sub-folders.")
    names = walk.class_names(base, files)
    if wanted.limit is not None and wanted.limit < len(files):
        # Evenly spaced, so that a limit does not leave out the last classes.
        files = [files[number] for number in np.arange(wanted.limit) * len(files) // wanted.limit]
    headers = _headers(files, wanted, skipped)
    rate, channels = _in_common(headers, wanted, skipped)
    walk.warn_of_skipped(root, skipped)
    if not headers:
        raise ValueError(f"No WAV file of the folder {base} can be used: all were skipped.")
    files, heads = list(headers), list(headers.values())
    rows = FileRows(files, [head.frames for head in heads])
    rows = Resampled(rows, [head.rate for head in heads], rate) if wanted.rate else rows
    rows = _in_memory(rows) if wanted.cache else rows
    number = {name: index for index, name in enumerate(names or ())}
    labels = np.array([number[file.relative_to(base).parts[0]] for file in files], np.int32) if names else None
    return Sounds(str(root), rows, rate, channels, labels, names)


def _headers(files, wanted: Wanted, skipped: dict) -> dict[pathlib.Path, wav.Header]:
    headers = {}
    for file in files:
        try:
            headers[file] = wav.header(file)
        except (ValueError, OSError) as error:
            if wanted.on_error == "raise":
                raise ValueError(_unreadable(file, error)) from error
            skipped[file] = f"{type(error).__name__}: {error}"
    return headers


def _in_common(headers: dict[pathlib.Path, wav.Header], wanted: Wanted, skipped: dict) -> tuple[int, int]:
    """The rate and channels of all files; those that differ are an error, or are taken out of `headers`."""
    if not headers:
        return 0, 0

    def kind(head):
        return wanted.rate or head.rate, wanted.channels or head.channels

    common = collections.Counter(map(kind, headers.values())).most_common(1)[0][0]
    for file, head in list(headers.items()):
        if kind(head) == common:
            continue
        reason = f"it has {head.channels} channels at {head.rate} samples a second, not {common[1]} at {common[0]}"
        if wanted.on_error == "raise":
            raise ValueError(
                f"The WAV file {file} does not go with the others: {reason}. Give rate= to bring all to one rate, "
                "channels= to mix channels, or pass on_error='skip' to leave out such files."
            )
        skipped[file] = reason
        del headers[file]
    return common


def _unreadable(file: pathlib.Path, error: Exception) -> str:
    return (
        f"The WAV file {file} cannot be read ({type(error).__name__}: {error}). Repair or delete it, or pass "
        "on_error='skip' to leave out such files."
    )
