"""Sounds of one length: out of WAV files, arrays and TFDS data sets."""

import numpy as np

from kerasgan.data import options, sounds
from kerasgan.data.examples import Info
from kerasgan.data.parts import Part, Place
from kerasgan.data.sounds import Sounds

PLACES = ("start", "centre", "random")


def load(
    source,
    *,
    split: str = "train",
    batch_size: int = 64,
    samples: int | None = None,
    channels: int | None = None,
    rate: int | None = None,
    place: str = "centre",
    normalize: bool = False,
    labels: bool = False,
    shuffle: bool | None = None,
    seed: int | None = 0,
    first_epoch: int = 0,
    drop_remainder: bool | None = None,
    limit: int | None = None,
    cache: bool = True,
    data_dir: str | None = None,
    on_error: str = "raise",
):
    """Batches of sounds, all of one length.

    Args:
        source: A folder of WAV files (PCM of 8, 16, 24 or 32 bits, or floats), whose sub-folders may be classes; the
            name of a TFDS data set with sounds ("spoken_digit", which gets the test split of its makers: recordings 0
            to 4 of each speaker and digit); an array (n, samples) or (n, samples, channels) of
            int16 or of floats in [-1, 1]; or a tuple (sounds, labels).
        samples: Length of every sound. Default: that of the longest.
        channels: 1 or 2; the two of a stereo file are averaged, that of a mono file is doubled. Default: as they are.
        rate: Samples a second. What is of another rate is brought to this one, which takes SciPy; without it, files of
            different rates are an error. Of arrays it is the rate that they have.
        place: Which part of a longer sound is taken, and where a shorter one stands in the silence that fills it up:
            "start", "centre", or "random", drawn anew in each epoch.
        normalize: Make every sound as loud as it can be: its largest sample is 1 or -1. Silence stays silence.
        labels: Return (sounds, labels).
        cache: Keep the sounds in memory. False reads the WAV files again in each epoch, of each only what is taken.
        on_error: "raise", or "skip" to leave out files that cannot be read and, without `rate` and `channels`, files of
            another rate or number of channels than most.

    The other arguments are those of `kerasgan.data.load`.

    Returns:
        A `tf.data.Dataset` of known length: float32 (b, samples, channels) in [-1, 1], or a pair of that and int32
        (b,).

    Raises:
        ValueError: The source is not what is described here; the message says what was found and what to do.
    """
    order = options.order(split, batch_size, shuffle, seed, first_epoch, drop_remainder)
    if place not in PLACES:
        raise ValueError(f"place must be {' or '.join(map(repr, PLACES))}; received {place!r}.")
    found, samples, channels = _read(source, split, samples, channels, rate, limit, cache, data_dir, on_error)
    parts = [Audio(found, samples, channels, place, normalize)]
    if labels:
        if found.labels is None:
            raise ValueError(
                f"{found.name} has no labels. Leave out labels=True, or give a tuple (sounds, labels), a folder with a "
                "sub-folder for each class, or a TFDS data set with a class label."
            )
        parts.append(Part(found.labels))
    return options.batches(found.name, parts, order)


def info(
    source,
    *,
    split: str = "train",
    samples: int | None = None,
    channels: int | None = None,
    rate: int | None = None,
    limit: int | None = None,
    data_dir: str | None = None,
    on_error: str = "raise",
) -> Info:
    """What `load` with the same arguments would give; of WAV files, no more than the headers is read."""
    found, samples, channels = _read(source, split, samples, channels, rate, limit, False, data_dir, on_error)
    classes = len(found.class_names) if found.class_names else None
    arguments = {"samples": samples, "channels": channels, "rate": found.rate, "num_classes": classes}
    return Info(found.name, len(found.rows), None, classes, found.class_names, arguments)


def _read(source, split, samples, channels, rate, limit, cache, data_dir, on_error) -> tuple[Sounds, int, int]:
    options.check_reading(split, limit, on_error)
    for name, number in (("samples", samples), ("rate", rate)):
        if number is not None:
            options.check_count(name, number)
    if channels not in (None, 1, 2):
        raise ValueError(f"channels must be 1, 2 or None; received {channels!r}.")
    found = sounds.read(source, sounds.Wanted(split, channels, rate, limit, cache, data_dir, on_error))
    return found, samples or max(map(found.rows.length, range(len(found.rows)))), channels or found.channels


class Audio(Part):
    """Sounds cut, or filled up with silence, to one length: float32 (b, samples, channels)."""

    dtype = np.float32

    def __init__(self, found: Sounds, samples: int, channels: int, place: str, normalize: bool):
        super().__init__(found.rows, (samples, channels))
        self._place, self._normalize = place, normalize

    def batch(self, chosen: np.ndarray, place: Place) -> np.ndarray:
        """Returns the sounds `chosen`, or the pieces of them that were drawn."""
        shares = {"start": np.zeros, "centre": lambda n: np.full(n, 0.5), "random": place.rng(0, 2).random}
        batch = np.zeros((len(chosen), *self.shape), np.float32)
        for sound, row, share in zip(batch, chosen, shares[self._place](len(chosen)), strict=True):
            spare = self.rows.length(row) - self.shape[0]
            offset = int(share * (abs(spare) + 1)) if self._place == "random" else int(share * abs(spare))
            if spare >= 0:
                sound[:] = _mixed(self.rows.piece(row, offset, offset + self.shape[0]), self.shape[1])
            else:
                sound[offset : offset + self.rows.length(row)] = _mixed(self.rows.piece(row, 0, None), self.shape[1])
        return _normalized(batch) if self._normalize else batch


def _normalized(batch: np.ndarray) -> np.ndarray:
    """Sounds (n, samples, channels), each over its largest sample."""
    loudest = np.abs(batch).max((1, 2), keepdims=True)
    return batch / np.where(loudest > 0, loudest, 1)


def _mixed(piece: np.ndarray, channels: int) -> np.ndarray:
    """One piece of sound (frames, channels) as floats, with as many channels as are wanted."""
    piece = piece / np.float32(2**15) if piece.dtype == np.int16 else piece
    return piece.mean(1, keepdims=True) if channels < piece.shape[1] else piece
