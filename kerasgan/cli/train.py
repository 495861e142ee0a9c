"""The command `train`: a model or a recipe, with options put over it, into a folder."""

import sys
from pathlib import Path

from kerasgan.cli.start import DATA_DIR_HELP, command, start_tensorflow
from kerasgan.presets.files import METADATA

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
STRATEGIES = ("default", "mirrored", "multi_worker")


def add(commands) -> None:
    """Add the command `train`."""
    parser = command(commands, "train", _train, "train a model, or a recipe, into a folder")
    parser.add_argument("what", nargs="?", help="gan, dcgan, vae, a recipe (.toml), or a preset to take the recipe of")
    parser.add_argument(
        "--data",
        nargs="+",
        help="mnist_mini, a TFDS name, a folder of images, or a .npy/.npz file; two for translators",
    )
    parser.add_argument("--out", help="folder of the run (default: runs/MODEL-DATA)")
    parser.add_argument("--resume", metavar="RUN", nargs="?", const="", help="go on with a run that stopped")
    parser.add_argument("--epochs", type=int, help="passes over the data")
    parser.add_argument("--batch-size", type=int, help="images in a batch")
    parser.add_argument("--image-size", type=int, help="resize images to this many pixels a side")
    parser.add_argument("--channels", type=int, choices=(1, 3), help="1 for grey, 3 for colour")
    parser.add_argument("--seed", type=int, help="of weights, data order and latents")
    parser.add_argument(
        "--start", metavar="MODEL", help="a preset or a run whose weights to go on from, where they fit"
    )
    parser.add_argument("--decay", choices=("cosine", "linear"), help="let the learning rates fall to 0 by the end")
    parser.add_argument("--precision", choices=PRECISIONS, help="auto picks by hardware")
    parser.add_argument("--strategy", choices=STRATEGIES, help="devices to train on")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="any key of the recipe: model.base_filters=32"
    )
    parser.add_argument("--log-dir", help="TensorBoard folder (default: logs in the run's folder)")
    parser.add_argument("--data-dir", help=DATA_DIR_HELP)
    parser.add_argument("--dry-run", action="store_true", help="print the resolved recipe and stop")


def _train(arguments) -> None:
    start_tensorflow()
    from kerasgan.runs import recipes, training

    if arguments.what is None and len(arguments.data or ()) > 1:
        # `--data SOURCE MODEL`: the last word is the model, which the option took along.
        arguments.what = arguments.data.pop()
    recipe, folder = _recipe_and_folder(arguments)
    if arguments.dry_run:
        print(recipes.resolved(recipe).to_toml(), end="")
        return
    log_dir = arguments.log_dir or folder / training.LOGS
    resume = arguments.resume is not None
    # A bar on a terminal, a line an epoch in a log file.
    verbose = 1 if sys.stdout.isatty() else 2
    try:
        model = training.train(
            recipe, folder, resume=resume, data_dir=arguments.data_dir, log_dir=log_dir, verbose=verbose
        )
    except (KeyboardInterrupt, BrokenPipeError):
        if (folder / training.MODEL).is_file():
            print(f"\nStopped; finished epochs are kept. Go on with: kerasgan train --resume {folder}", file=sys.stderr)
        raise
    # By the model, not by looking: another worker may write the files, and not have written them yet.
    samples = f"{training.SAMPLES}{model.makes.suffix}"
    print(f"The run is in {folder}: {samples}, model.keras, history.csv, recipe.toml, logs")
    print(f"  tensorboard --logdir {log_dir}")
    print(f"  kerasgan generate {folder} --out {samples}")
    if getattr(model, "source", None):
        print(f"  kerasgan translate {folder} PHOTO --out translated")
    print(f"  kerasgan export {folder}")


def _recipe_and_folder(arguments):
    """Return the recipe and the run's folder that the options of `train` ask for."""
    from kerasgan.runs import recipes, training

    if arguments.resume is not None:
        folder = _run_to_resume(arguments)
        base = recipes.read_dict(folder / training.RECIPE)
    elif not arguments.what:
        raise ValueError("Say what to train: kerasgan train dcgan --data mnist_mini, or kerasgan train recipe.toml")
    else:
        base = _starting_point(arguments.what)
        named = arguments.data or recipes.sources(base["data"])
        name = "-".join([base["model"]["type"], *(Path(source).stem for source in named)])
        folder = Path(arguments.out or Path("runs") / name)
    return recipes.from_dict(_with_options(base, arguments)), folder


def _run_to_resume(arguments) -> Path:
    named = [name for name in (arguments.resume, arguments.out, arguments.what) if name]
    if len(named) != 1:
        raise ValueError(
            "Name one run to go on with, and nothing else: kerasgan train --resume RUN. "
            f"Received {' and '.join(map(repr, named)) or 'none'}."
        )
    folder = Path(named[0])
    if (folder / METADATA).is_file():
        raise ValueError(f"{named[0]!r} is a preset, not a run. Train its recipe anew: kerasgan train {named[0]}")
    return folder


def _starting_point(what: str) -> dict:
    """Return the recipe, as nested dicts, that `what` names: a file, a preset, or a model with default settings."""
    from kerasgan import presets
    from kerasgan.models import MODELS
    from kerasgan.runs import recipes

    if what in MODELS:
        return {"model": {"type": what}, "data": {"source": "mnist_mini"}}
    if what.endswith(".toml"):
        return recipes.read_dict(what)
    try:
        return recipes.read_dict(presets.preset_folder(what) / "recipe.toml")
    except ValueError:
        from kerasgan.support.configurable import unknown_name

        known = [*MODELS, *presets.list_presets()]
        raise ValueError(unknown_name("model, preset or recipe (.toml)", what, known)) from None


def _with_options(base: dict, arguments) -> dict:
    """Return a recipe with the command line's options put over it."""
    recipe = {key: dict(value) if isinstance(value, dict) else value for key, value in base.items()}
    for key, value in (
        ("data.source", arguments.data and (arguments.data[0] if len(arguments.data) == 1 else arguments.data)),
        ("data.batch_size", arguments.batch_size),
        ("data.image_size", arguments.image_size),
        ("data.channels", arguments.channels),
        ("epochs", arguments.epochs),
        ("seed", arguments.seed),
        ("precision", arguments.precision),
        ("strategy", arguments.strategy),
        ("model.start", arguments.start),
        ("compile.decay", arguments.decay),
    ):
        if value is not None:
            _put(recipe, key, value)
    for setting in arguments.set:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ValueError(f"--set takes KEY=VALUE, such as model.base_filters=32; received {setting!r}.")
        _put(recipe, key, _toml_value(value))
    return recipe


def _put(recipe: dict, key: str, value) -> None:
    *tables, last = key.split(".")
    for table in tables:
        recipe = recipe.setdefault(table, {})
        if not isinstance(recipe, dict):
            raise ValueError(f"--set {key}: {table} is {recipe!r}, not a table with values of its own.")
    recipe[last] = value


def _toml_value(text: str):
    """Return a value as TOML reads it; bare words are strings."""
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
