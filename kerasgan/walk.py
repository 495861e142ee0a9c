"""Walks: films in which what a model makes changes into something else and back, on closed ways through its latents."""

import contextlib
import itertools
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from kerasgan.kinds import Images, Latents
from kerasgan.kinds.images import picture
from kerasgan.support import files

SUFFIXES = (".webp", ".gif", ".mp4")
# Pixels that a film is high at least: small pictures are enlarged.
_HEIGHT = 360
# Frames of a file that is written in one go: they are held until then.
_MOST = 3000
# Colours of a film are counted in so many of its frames.
_COUNTED = 8


def film(
    model, path: "str | Path", *, tiles: int = 16, frames: int = 120, seconds: float = 6.0, seed: int | None = None,
    labels=None, **given,
) -> None:  # fmt: skip
    """Write a film that can be repeated without end, of a walk through a model's latents; whole or not at all.

    Args:
        model: any kerasgan model that makes images of latents.
        path: a .webp or .gif, or, where the program ffmpeg is found, a .mp4.
        tiles: pictures in the film, side by side, each on a way of its own.
        frames: how many.
        seconds: how long the film is.
        seed: the same seed gives the same film.
        labels: of a conditional model: `tiles` classes, or one for all; None shows the classes in turn.
        **given: the sampler's other inputs by their names, one for each tile.

    Raises:
        ValueError: the model does not make images of latents, an argument does not fit, or the film cannot be written.

    Example:
        kerasgan.walk.film(gan, "walk.webp", tiles=9, seed=1)
    """
    check(path, frames, seconds)
    save(path, pictures(model, tiles, frames, seed, labels, **given), frames, seconds)


def check(path: "str | Path", frames: int, seconds: float) -> None:
    """Raise a ValueError where such a film cannot be written."""
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"A film is a file that ends in one of {', '.join(SUFFIXES)}; received {str(path)!r}.")
    if suffix == ".mp4":
        _ffmpeg()
    if frames < 2 or not 0.02 * frames <= seconds < 3600:
        raise ValueError(
            f"A film has at least 2 frames, of 0.02 seconds at least, and lasts up to an hour; received {frames} "
            f"frames in {seconds:g} seconds."
        )
    if suffix != ".mp4" and frames > _MOST:
        raise ValueError(f"A {suffix} holds at most {_MOST:,} frames, an .mp4 any number; received {frames:,}.")


def pictures(
    model, tiles: int = 16, frames: int = 120, seed: int | None = None, labels=None, **given
) -> Iterator[np.ndarray]:
    """Yield the frames of a walk, each a grid of images: uint8 (height, width, 1 or 3).

    All random inputs of the model go round, on ways of `kerasgan.kinds.Latents.loop`; after the last frame comes the
    first. Labels and whatever else the model takes stay the same.

    Args: as `film`.

    Raises:
        ValueError: the model does not make images of latents, or an argument does not fit.
    """
    # Here: to check the name of a file takes no TensorFlow.
    from kerasgan.core.sampling import as_seed

    kinds = list(model.takes.values())
    if "latents" not in model.takes or not isinstance(model.makes, Images):
        raise ValueError(
            f"{type(model).__name__} makes {model.makes.name} of {', '.join(model.takes)}; a walk is for models that "
            "make images of latents."
        )
    inputs = model.sampler_inputs(tiles, seed, labels, **given)
    start = as_seed(seed)
    walked = [
        kind.loop(tiles, frames, start + np.array([0, number], "int32")) if _goes_round(name, kind, given) else None
        for number, (name, kind) in enumerate(zip(model.takes, kinds, strict=True))
    ]
    for frame in range(frames):
        now = [still if ways is None else ways[frame] for still, ways in zip(inputs, walked, strict=True)]
        yield _enlarged(picture(model.sample(now)))


def _goes_round(name: str, kind, given: dict) -> bool:
    return isinstance(kind, Latents) and name not in given


def _enlarged(frame: np.ndarray) -> np.ndarray:
    times = max(1, -(-_HEIGHT // frame.shape[0]))
    return frame.repeat(times, axis=0).repeat(times, axis=1)


def save(path: "str | Path", frames: Iterable[np.ndarray], count: int, seconds: float) -> None:
    """Write frames as a film that repeats for ever; whole or not at all.

    Args:
        path: ends in one of `SUFFIXES`.
        frames: uint8 arrays (height, width, 1 or 3) of one size.
        count: how many they are.
        seconds: how long they last together.

    Raises:
        ValueError: the path has another ending, or ffmpeg is needed and is not there, or fails.
    """
    check(path, count, seconds)
    suffix = Path(path).suffix.lower()
    with files.replacing(path) as temporary:
        if suffix == ".mp4":
            _save_mp4(temporary, frames, count / seconds)
        else:
            _SAVERS[suffix](temporary, frames, _durations(count, seconds))


def _durations(count: int, seconds: float) -> list[int]:
    """Return how long each frame stays, in milliseconds: whole hundredths of a second, as GIF has them."""
    ends = np.rint(100.0 * seconds * np.arange(count + 1) / count).astype(int)
    return (10 * np.diff(ends)).tolist()


def _save_webp(path: Path, frames: Iterable[np.ndarray], durations: list[int]) -> None:
    first, *others = map(_as_image, frames)
    first.save(
        path, format="WEBP", save_all=True, append_images=others, duration=durations, loop=0, quality=85, method=4
    )


def _save_gif(path: Path, frames: Iterable[np.ndarray], durations: list[int]) -> None:
    """Write a GIF with one palette for all frames: with one for each, still areas would flicker."""
    from PIL import Image

    frames = list(frames)
    if frames[0].shape[-1] == 1:
        images = [_as_image(frame) for frame in frames]
    else:
        some = np.concatenate(frames[:: max(1, len(frames) // _COUNTED)])
        palette = Image.fromarray(some).quantize(256)
        images = [_as_image(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    images[0].save(path, format="GIF", save_all=True, append_images=images[1:], duration=durations, loop=0)


_SAVERS = {".webp": _save_webp, ".gif": _save_gif}


def _as_image(frame: np.ndarray):
    from PIL import Image

    return Image.fromarray(frame[..., 0] if frame.shape[-1] == 1 else frame)


def _save_mp4(path: Path, frames: Iterable[np.ndarray], rate: float) -> None:
    """Write a film by ffmpeg, which gets the frames as they are made."""
    frames = iter(frames)
    first = next(frames)
    height, width = first.shape[:2]
    command = [
        _ffmpeg(), "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
        "-r", f"{rate:.6g}", "-i", "-", "-an",
        # Players want colours at half the size, which has to be whole then.
        "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4",
        str(path),
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            # A program that has failed reads no more; what it said is told below.
            with contextlib.suppress(BrokenPipeError):
                for frame in itertools.chain([first], frames):
                    process.stdin.write(np.broadcast_to(frame, (height, width, 3)).tobytes())
            _, said = process.communicate()
        finally:
            process.kill()
    if process.returncode or not path.is_file():
        last = said.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise ValueError(f"ffmpeg could not write the film ({last[0]}). A .webp or .gif needs no ffmpeg.")


def _ffmpeg() -> str:
    found = shutil.which("ffmpeg")
    if found is None:
        raise ValueError("An .mp4 is written by the program ffmpeg, which is not found. Write a .webp or .gif instead.")
    return found
