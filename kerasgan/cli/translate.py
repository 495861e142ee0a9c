"""The command `translate`: images made of images, by a trained translator."""

import functools
import sys
from pathlib import Path

from kerasgan.cli import photos as photo_files
from kerasgan.cli.output import check_room, target, write
from kerasgan.cli.start import MODEL_HELP, command, start_tensorflow
from kerasgan.support.configurable import unknown_name

READ_AT_ONCE = 16


def add(commands) -> None:
    """Add the command `translate`."""
    parser = command(commands, "translate", _translate, "make images of your own photos with a trained translator")
    parser.add_argument("model", help=MODEL_HELP)
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help=photo_files.HELP)
    parser.add_argument("--direction", help="one of several that the model knows, such as b_to_a")
    parser.add_argument("--edges", action="store_true", help="translate line drawings of the photos, not the photos")
    parser.add_argument("--seed", type=int, help="the same seed gives the same images")
    parser.add_argument(
        "--out", default="translated", help="a folder for one file each; a .png for all, each beside its photo"
    )


def direction_of(model, name: str | None):
    """Return the direction of a model with that name; the model itself without one.

    Raises:
        ValueError: it has no such direction.
    """
    directions = model.directions()
    if name is None:
        return model
    if name not in directions:
        raise ValueError(unknown_name("direction", name, directions))
    return directions[name]


def _translate(arguments) -> None:
    if not arguments.out.strip():
        raise ValueError("--out needs the name of a file or of a folder; received an empty one.")
    start_tensorflow()
    from kerasgan.runs import loading

    model = direction_of(loading.load(arguments.model), arguments.direction)
    if getattr(model, "source", None) is None:
        raise ValueError(f"{arguments.model!r} makes {model.makes.name} of {', '.join(model.takes)}, not of images.")
    out, one_file = target(arguments.out, model.makes)
    photos = photo_files.find(arguments.photos)
    read = functools.partial(photo_files.read, kind=model.takes[model.source], edges=arguments.edges)
    if one_file:
        check_room(model.makes, 2 * len(photos))
        _write_pairs(model, read(photos), out, arguments.seed)
    else:
        _write_each(model, photos, read, out, arguments.seed)
    height, width = model.takes[model.source].shape[:2]
    print(f"{model.makes.counted(len(photos))}, of photos cut and resized to {width}x{height}: {out}")


def _write_pairs(model, images, out: Path, seed: int | None) -> None:
    made = model.translate(images, seed)
    fits = images.shape[1:3] == made.shape[1:3]
    write(model.makes, iter([made]), out, True, beside=images if fits else None)


def _write_each(model, photos: list[Path], read, out: Path, seed: int | None) -> None:
    names = photo_files.names_of(photos)
    progress = _progress(len(photos))
    for start in range(0, len(photos), READ_AT_ONCE):
        part = photos[start : start + READ_AT_ONCE]
        made = model.translate(read(part), seed)
        for name, one in zip(names[start : start + READ_AT_ONCE], made, strict=True):
            model.makes.save_one(out / f"{name}{model.makes.suffix}", one)
        progress(start + len(part))


def _progress(count: int):
    """Return what is told how many are done: a bar on a terminal, where there is something to wait for."""
    if count <= READ_AT_ONCE or not sys.stdout.isatty():
        return lambda done: None
    import keras

    return keras.utils.Progbar(count, unit_name="photo").update
