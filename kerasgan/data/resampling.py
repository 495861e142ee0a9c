"""Sounds brought to another rate, by SciPy's polyphase filter, which keeps out what the new rate cannot hold."""

import math

import numpy as np


class Resampled:
    """Rows of sounds of any rates, read as sounds of one rate.

    Args:
        rows: the sounds.
        rates: samples a second of each row, whole numbers.
        rate: samples a second that they are brought to.
    """

    def __init__(self, rows, rates: list[int], rate: int):
        self._rows, self._rates, self._rate = rows, rates, rate

    def __len__(self) -> int:
        return len(self._rows)

    def length(self, row: int) -> int:
        """Returns the frames of a sound at the new rate."""
        return -(-self._rows.length(row) * self._rate // self._rates[row])

    def piece(self, row: int, start: int, stop: int | None) -> np.ndarray:
        """Returns a piece of a sound at the new rate; those of another are read as a whole for it."""
        if self._rates[row] == self._rate:
            return self._rows.piece(row, start, stop)
        return resample(self._rows.piece(row, 0, None), self._rates[row], self._rate)[start:stop]


def resample(sound: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Returns a sound (frames, channels), int16 or float32 in [-1, 1], at another rate: float32 in [-1, 1].

    Raises:
        ValueError: SciPy is not installed.
    """
    try:
        from scipy.signal import resample_poly
    except ImportError:
        raise ValueError(
            f"Bringing sounds of {rate} samples a second to {wanted} takes SciPy, which is not installed: "
            "`pip install 'kerasgan[sound]'`, or convert them, for example with `ffmpeg -i in.wav -ar "
            f"{wanted} out.wav`."
        ) from None
    sound = sound / np.float32(2**15) if sound.dtype == np.int16 else sound
    common = math.gcd(rate, wanted)
    # Steep filters swing over the edges of loud sounds.
    return np.clip(resample_poly(sound, wanted // common, rate // common, axis=0), -1, 1).astype(np.float32)
