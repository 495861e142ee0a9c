"""Reads WAV files: PCM of 8, 16, 24 or 32 bits, and 32-bit floats."""

import os
import struct
from typing import BinaryIO, NamedTuple

import numpy as np

from kerasgan.support import files

# Three hours of stereo in CD quality.
MOST_BYTES = 2**31
_MOST_CHUNKS = 1000
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_UNKNOWN_LENGTH = 0xFFFFFFFF


class Header(NamedTuple):
    """What a WAV file says of itself."""

    rate: int
    channels: int
    bits: int
    floating: bool
    frames: int
    offset: int


def header(path: str | os.PathLike) -> Header:
    """Reads no more than the header of a file.

    Raises:
        ValueError: It is not a WAV file of a format that is read here, or is damaged.
        OSError: It cannot be read.
    """
    with files.open_regular(path, MOST_BYTES) as file:
        return _header(file, path)


def read(path: str | os.PathLike, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Reads the frames from `start` to `stop`, by default all.

    Returns:
        (frames, channels): int16 of files of 8 or 16 bits, otherwise float32 in [-1, 1].

    Raises:
        ValueError: It is not a WAV file of a format that is read here, or is damaged, or its floats are beyond [-1, 1].
        OSError: It cannot be read.
    """
    with files.open_regular(path, MOST_BYTES) as file:
        head = _header(file, path)
        stop = head.frames if stop is None else min(stop, head.frames)
        width = head.channels * head.bits // 8
        file.seek(head.offset + start * width)
        raw = file.read((stop - start) * width)
    if len(raw) != (stop - start) * width:
        raise ValueError(f"{path} is damaged: it ends before its last sample.")
    return _samples(raw, head, path).reshape(-1, head.channels)


def _header(file: BinaryIO, path) -> Header:
    start = file.read(12)
    if start[:4] != b"RIFF" or start[8:] != b"WAVE":
        raise ValueError(f"{path} is not a WAV file.")
    size = os.fstat(file.fileno()).st_size
    format = None
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            break
        kind, length = struct.unpack("<4sI", head)
        if kind == b"fmt ":
            format = _format(file.read(min(length, 40)), path)
            file.seek(max(0, length - 40), os.SEEK_CUR)
        elif kind == b"data" and format:
            return _data(format, file.tell(), length, size - file.tell(), path)
        else:
            file.seek(length, os.SEEK_CUR)
        file.seek(length % 2, os.SEEK_CUR)
    raise ValueError(f"{path} is damaged: it has no {'sound' if format else 'description of its format'}.")


def _format(chunk: bytes, path) -> tuple[int, int, int, bool]:
    if len(chunk) < 16:
        raise ValueError(f"{path} is damaged: the description of its format is cut.")
    code, channels, rate, _, width, bits = struct.unpack("<HHIIHH", chunk[:16])
    if code == _EXTENSIBLE and len(chunk) >= 26:
        code = struct.unpack("<H", chunk[24:26])[0]
    if (code, bits) not in ((_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32)):
        raise ValueError(
            f"{path} has format {code} with {bits} bits; PCM of 8, 16, 24 or 32 bits and floats of 32 are read. "
            "Convert it, for example with `ffmpeg -i in.wav -c:a pcm_s16le out.wav`."
        )
    if channels not in (1, 2) or rate == 0 or width != channels * bits // 8:
        raise ValueError(f"{path} has {channels} channels at {rate} samples a second; one or two channels are read.")
    return rate, channels, bits, code == _FLOAT


def _data(format: tuple, offset: int, length: int, present: int, path) -> Header:
    # Programs that write to a pipe do not know how much will follow.
    if length > present and length != _UNKNOWN_LENGTH:
        raise ValueError(f"{path} is damaged: it promises {length:,} bytes of sound and holds {present:,}.")
    rate, channels, bits, floating = format
    frames = min(length, present) // (channels * bits // 8)
    if frames == 0:
        raise ValueError(f"{path} holds no sound.")
    return Header(rate, channels, bits, floating, frames, offset)


def _samples(raw: bytes, head: Header, path) -> np.ndarray:
    if head.floating:
        samples = np.frombuffer(raw, "<f4").astype(np.float32)
        # The comparison is written so that NaN fails it.
        if not (np.abs(samples) <= 1.001).all():
            raise ValueError(
                f"{path}: floats of sound must lie in [-1, 1]; received {samples.min()} to {samples.max()}."
            )
        return np.clip(samples, -1, 1)
    if head.bits == 8:  # The only ones without a sign.
        return (np.frombuffer(raw, np.uint8).astype(np.int16) - 128) << 8
    if head.bits == 16:
        return np.frombuffer(raw, "<i2").astype(np.int16)
    if head.bits == 24:
        # As the upper three bytes of 32 bits.
        padded = np.zeros((len(raw) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        raw = padded.tobytes()
    return (np.frombuffer(raw, "<i4") / 2.0**31).astype(np.float32)
