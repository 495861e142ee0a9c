"""Sound as a kind: kept as 16-bit levels, saved as .wav, shown as TensorBoard's player and as spectrograms."""

import wave
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kerasgan.images import grid
from kerasgan.kinds.kind import Kind, dtype_name, sort_of
from kerasgan.kinds.spectrograms import spectrograms
from kerasgan.support import files

RANGE_TOLERANCE = 1e-3
_LOUDEST = 32767
_MOST_PLAYERS = 8


@dataclass(frozen=True)
class Audio(Kind):
    """Sounds, float32 (samples, channels) in [-1, 1].

    Args:
        samples: length of a sound.
        channels: 1 for mono, 2 for stereo.
        rate: samples a second.
    """

    samples: int
    channels: int = 1
    rate: int = 16_000
    name: ClassVar[str] = "audio"
    peak_to_peak: ClassVar[float] = 2.0
    quantizations: ClassVar[tuple[str, ...]] = ("float32", "float16", "dynamic", "int8")
    # Nobody listens to sixty-four.
    most_shown: ClassVar[int] = 20
    suffix: ClassVar[str] = ".wav"

    @property
    def shape(self):
        """(samples, channels)."""
        return (self.samples, self.channels)

    @property
    def bounds(self):
        """-1 and 1, and a little for rounding."""
        return -1.0 - RANGE_TOLERANCE, 1.0 + RANGE_TOLERANCE

    @property
    def bounds_message(self):
        """What to say where a value is out of range."""
        return "Audio must be finite and in [-1, 1]; received values outside. Divide 16-bit levels by 32768."

    def counted(self, n):
        """Return "1 sound" or "3 sounds"."""
        return f"{n} sound{'s' if n != 1 else ''}"

    def describe(self):
        """Return "16384x1 at 16000 Hz"."""
        return f"{super().describe()} at {self.rate} Hz"

    def describe_values(self):
        """Return "float32 in [-1, 1]"."""
        return "float32 in [-1, 1]"

    def check(self, array, owner="The model"):
        """Raise a ValueError unless these are floating-point sounds of this length."""
        if tuple(array.shape[1:]) == self.shape and sort_of(array) != "floating point":
            raise ValueError(f"Audio must be floating point in [-1, 1]; received {dtype_name(array)}.")
        super().check(array, owner)

    def pack(self, array):
        """Return the sounds as 16-bit levels."""
        return _levels(array)

    def unpack(self, packed):
        """Return 16-bit levels as sounds."""
        return np.asarray(packed).astype("float32") / np.float32(_LOUDEST)

    def save(self, path, made, columns=None, beside=None, enlarge=1):
        """Write one 16-bit .wav file: the sounds one after the other, a quarter of a second of silence between them."""
        levels = _levels(made)
        pause = np.zeros((self.rate // 4, self.channels), levels.dtype)
        parts = [part for sound in levels for part in (pause, sound)][1:]
        with files.replacing(path) as temporary, wave.open(str(temporary), "wb") as file:
            file.setnchannels(self.channels)
            file.setsampwidth(2)
            file.setframerate(self.rate)
            file.writeframes(np.concatenate(parts).tobytes())

    def picture(self, made, columns=None):
        """Return the spectrograms side by side."""
        return grid(spectrograms(made), columns)

    def summarize(self, tag, made, step, description=None, columns=None, beside=None):
        """Write the first eight as players, and all as spectrograms; NaN is silence, loud values are clipped."""
        import tensorflow as tf

        made = np.clip(np.nan_to_num(np.asarray(made, "float32"), nan=0.0), -1.0, 1.0)
        tf.summary.audio(tag, made, self.rate, step=step, max_outputs=_MOST_PLAYERS, description=description)
        picture = self.picture(made, columns)[None]
        about = "Time to the right, pitch upwards, the louder the lighter, over 60 dB."
        tf.summary.image(f"{tag}/spectrograms", picture, step=step, description=about)


def _levels(sounds) -> np.ndarray:
    """Return sounds as little-endian 16-bit levels.

    Raises:
        ValueError: a value is not finite.
    """
    sounds = np.asarray(sounds, "float32")
    if not np.isfinite(sounds).all():
        raise ValueError("These sounds hold values that are not finite. A generator that makes them has diverged.")
    return np.rint(np.clip(sounds, -1.0, 1.0) * _LOUDEST).astype("<i2")
