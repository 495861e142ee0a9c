"""Spectrograms: pictures of sounds, time to the right and pitch upwards, the louder the lighter."""

import numpy as np

FRAME = 256
HEIGHT, WIDTH = 64, 96
# Decibels below the loudest place of a sound that are still seen.
RANGE_DB = 60.0


def spectrograms(sounds) -> np.ndarray:
    """Return uint8 pictures (n, 64, 96, 1) of sounds (n, samples, channels); NaN is silence.

    Args:
        sounds: floats, the channels of each are averaged; those shorter than a frame of 256 are filled up.
    """
    mono = np.nan_to_num(np.asarray(sounds, "float32"), posinf=0.0, neginf=0.0).mean(-1)
    mono = np.pad(mono, ((0, 0), (0, max(0, FRAME - mono.shape[1]))))
    starts = np.linspace(0, mono.shape[1] - FRAME, WIDTH).round().astype(int)
    frames = np.stack([mono[:, start : start + FRAME] for start in starts], axis=1) * np.hanning(FRAME)
    power = np.abs(np.fft.rfft(frames)[..., 1:]) ** 2
    power = power.reshape(*power.shape[:2], HEIGHT, -1).mean(-1)
    loudest = power.max((1, 2), keepdims=True)
    decibels = 10 * np.log10(power / np.where(loudest > 0, loudest, 1) + 1e-12)
    lightness = np.clip(1 + decibels / RANGE_DB, 0, 1).transpose(0, 2, 1)[:, ::-1]
    return np.rint(255 * lightness).astype("uint8")[..., None]
