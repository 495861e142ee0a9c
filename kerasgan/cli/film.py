"""The options of `generate` that make a film."""

import math

from kerasgan.cli.inputs import labels_of
from kerasgan.cli.output import check_room

TILES, SECONDS, FRAMES_A_SECOND = 16, 6.0, 20


def add_options(parser) -> None:
    """Add the options to the parser of `generate`."""
    parser.add_argument(
        "--video",
        metavar="FILM",
        help=f"a .webp, .gif or, with ffmpeg, .mp4 in which images (default: {TILES}) go round through the latents",
    )
    parser.add_argument("--frames", type=int, help=f"of --video (default: {FRAMES_A_SECOND} a second)")
    parser.add_argument("--seconds", type=float, help=f"of --video (default: {SECONDS:g})")


def check(arguments) -> None:
    """Raise a ValueError where the options make no sense; no TensorFlow is needed."""
    if arguments.video is None:
        for name in ("frames", "seconds"):
            if getattr(arguments, name) is not None:
                raise ValueError(f"--{name} is of a film. Give --video walk.webp, or leave it out.")
        return
    for name in ("out", "interpolate", "latents"):
        if getattr(arguments, name) is not None:
            raise ValueError(f"--video names a file, and goes its own way through the latents. Leave out --{name}.")
    if arguments.seconds is not None and not 0 < arguments.seconds < math.inf:
        raise ValueError(f"--seconds must be a positive number; received {arguments.seconds:g}.")
    from kerasgan import walk

    walk.check(arguments.video, *_length(arguments))


def make(model, arguments, given: dict) -> None:
    """Write the film that the arguments of `generate` ask for."""
    from kerasgan import walk

    count = arguments.n or next(map(len, given.values()), TILES)
    check_room(model.makes, count)
    frames, seconds = _length(arguments)
    labels = labels_of(model, count, arguments.labels)(0, count)
    walk.film(
        model, arguments.video, tiles=count, frames=frames, seconds=seconds, seed=arguments.seed, labels=labels, **given
    )
    print(f"{model.makes.counted(count)} in {frames} frames, {seconds:g} seconds: {arguments.video}")


def _length(arguments) -> tuple[int, float]:
    """Return the frames and seconds of a film."""
    seconds = SECONDS if arguments.seconds is None else arguments.seconds
    return (round(FRAMES_A_SECOND * seconds) if arguments.frames is None else arguments.frames), seconds
