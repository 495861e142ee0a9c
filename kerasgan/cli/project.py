"""The command `project`: the latents of one's own photographs, and how near a model comes to them."""

import sys
from pathlib import Path

from kerasgan.cli import photos as photo_files
from kerasgan.cli.inputs import integers
from kerasgan.cli.output import check_room, target
from kerasgan.cli.start import MODEL_HELP, command, start_tensorflow

LATENTS = "latents.npz"
PAIRS = "pairs.png"


def add(commands) -> None:
    """Add the command `project`."""
    parser = command(commands, "project", _project, "find the latents whose images look most like your own photos")
    parser.add_argument("model", help=MODEL_HELP)
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help=photo_files.HELP)
    parser.add_argument("--steps", type=int, default=300, help="of the search for each photo (default: 300)")
    parser.add_argument("--space", default="z", help="one of several that the model knows (default: z, its latents)")
    parser.add_argument(
        "--labels", type=integers, help="classes of a conditional model: one for all, or one each; found if left out"
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="of where the search begins (default: 0)")
    parser.add_argument(
        "--out",
        default="projected",
        help="a folder for one file each, pairs.png and latents.npz; or a .png for the pairs, with the latents in an "
        ".npz beside it (default: projected)",
    )


def _project(arguments) -> None:
    if arguments.steps < 1:
        raise ValueError(f"--steps must be a positive integer; received {arguments.steps}.")
    if not arguments.out.strip():
        raise ValueError("--out needs the name of a file or of a folder; received an empty one.")
    start_tensorflow()
    from kerasgan import projection
    from kerasgan.runs import latents, loading

    model = loading.load(arguments.model)
    projection.space_of(model, arguments.space)
    out, one_file = target(arguments.out, model.makes)
    photos = photo_files.find(arguments.photos)
    check_room(model.makes, 2 * len(photos))
    images = photo_files.read(photos, model.makes)
    found = projection.project(
        model,
        images,
        space=arguments.space,
        labels=_labels(arguments.labels),
        steps=arguments.steps,
        seed=arguments.seed,
        progress=sys.stdout.isatty(),
    )
    pairs, kept = (out, out.with_suffix(".npz")) if one_file else (out / PAIRS, out / LATENTS)
    model.makes.save(pairs, found.images, beside=images)
    latents.save(kept, found, arguments.space)
    if not one_file:
        _save_each(model.makes, photos, found, out)
    _tell(photos, found)
    height, width = images.shape[1:3]
    print(f"{len(photos)} photos, cut and resized to {width}x{height}, each beside what is nearest: {pairs}")
    print(f"Their latents, for kerasgan generate --latents: {kept}")


def _labels(given: list[int] | None):
    return given[0] if given and len(given) == 1 else given


def _save_each(kind, photos: list[Path], found, out: Path) -> None:
    for name, image in zip(photo_files.names_of(photos), found.images, strict=True):
        kind.save_one(out / f"{name}_projected{kind.suffix}", image)


def _tell(photos: list[Path], found) -> None:
    for photo, before, after in zip(photos, found.start_distances, found.distances, strict=True):
        print(f"{photo.name}: distance {after:.3f}, of {before:.3f} at the start")
