"""The command line. Nothing here imports TensorFlow until a command needs it: `--help` answers at once."""

import argparse
import os
import sys
from pathlib import Path

import kerasgan
from kerasgan.silence import Silence

QUANTIZATIONS = ("float32", "float16", "dynamic", "int8")
PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
ZOO_ACTIONS = ("list", "show", "verify", "measure", "table", "pack")
STRATEGIES = ("default", "mirrored", "multi_worker")
MODEL_HELP = "a preset of the zoo, or the path of a preset folder, a run or a .keras file"


def main(argv: list[str] | None = None) -> int:
    """Run one command and return the exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    arguments = build_parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except ValueError as error:
        print(f"kerasgan: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="kerasgan", description="Generative adversarial networks for Keras.")
    parser.add_argument("--version", action="version", version=f"kerasgan {kerasgan.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (_add_demo, _add_train, _add_generate, _add_evaluate, _add_export, _add_zoo, _add_cache, _add_doctor):
        add(commands)
    return parser


def _add_demo(commands) -> None:
    parser = _command(commands, "demo", _demo, "sample the zoo, then train, evaluate and export a DCGAN in minutes")
    parser.add_argument("--out", default="demo", help="folder for what the demo makes (default: demo)")
    parser.add_argument("--minutes", type=float, default=2.5, help="training time to aim at (default: 2.5)")


def _add_train(commands) -> None:
    parser = _command(commands, "train", _train, "train a model, or a recipe, into a folder")
    parser.add_argument("what", nargs="?", help="gan, dcgan, vae, a recipe (.toml), or a preset to take the recipe of")
    parser.add_argument("--data", help="mnist_mini, a TFDS name, a folder of images, or a .npy/.npz file")
    parser.add_argument("--out", help="folder of the run (default: runs/MODEL-DATA)")
    parser.add_argument("--resume", metavar="RUN", nargs="?", const="", help="go on with a run that stopped")
    parser.add_argument("--epochs", type=int, help="passes over the data")
    parser.add_argument("--batch-size", type=int, help="images in a batch")
    parser.add_argument("--image-size", type=int, help="resize images to this many pixels a side")
    parser.add_argument("--channels", type=int, choices=(1, 3), help="1 for grey, 3 for colour")
    parser.add_argument("--seed", type=int, help="of weights, data order and latents")
    parser.add_argument("--precision", choices=PRECISIONS, help="auto picks by hardware")
    parser.add_argument("--strategy", choices=STRATEGIES, help="devices to train on")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="any key of the recipe: model.base_filters=32"
    )
    parser.add_argument("--log-dir", help="TensorBoard folder (default: logs in the run's folder)")
    parser.add_argument("--data-dir", help="folder of TFDS data (default: TFDS_DATA_DIR)")
    parser.add_argument("--dry-run", action="store_true", help="print the resolved recipe and stop")


def _add_generate(commands) -> None:
    parser = _command(commands, "generate", _generate, "make images with a trained model")
    parser.add_argument("model", help=MODEL_HELP)
    parser.add_argument("-n", type=int, default=64, help="number of images (default: 64)")
    parser.add_argument("--out", default="samples.png", help="a PNG for one grid; a folder for one PNG an image")
    parser.add_argument("--seed", type=int, help="the same seed gives the same images")
    parser.add_argument("--labels", type=_integers, help="classes of a conditional model: 3 or 0,1,2")
    parser.add_argument("--interpolate", type=int, metavar="STEPS", help="rows that morph from one image to another")


def _add_evaluate(commands) -> None:
    parser = _command(commands, "evaluate", _evaluate, "measure a trained model, or a folder of images, by a data set")
    parser.add_argument("model", help=f"{MODEL_HELP}, or a folder of images")
    parser.add_argument("--against", metavar="DATA", help="data set or folder (default: the one it was trained on)")
    parser.add_argument("-n", type=int, default=10_000, help="images on each side (default: 10000, or all there are)")
    parser.add_argument("--seed", type=int, default=0, help="of the generated images (default: 0)")
    parser.add_argument("--split", help="real images to compare with (default: test, where there is one)")
    parser.add_argument("--extractor", help="mnist, fashion_mnist, cifar10, inception, inception_768, keras_inception")
    parser.add_argument("--metrics", type=lambda text: text.split(","), help="fid,kid,prdc,... (default: all)")
    parser.add_argument("--out", help="write the results as JSON")
    parser.add_argument("--neighbours", metavar="PNG", help="draw samples beside their nearest training images")
    parser.add_argument("--data-dir", help="folder of TFDS data (default: TFDS_DATA_DIR)")


def _add_export(commands) -> None:
    parser = _command(commands, "export", _export, "write a generator for phones, browsers and servers")
    parser.add_argument("model", help=MODEL_HELP)
    parser.add_argument("--format", choices=("tflite", "saved_model"), default="tflite")
    parser.add_argument("--quantization", choices=QUANTIZATIONS, default="float32")
    parser.add_argument("--batch-size", type=int, default=1, help="images an invocation makes (tflite; default: 1)")
    parser.add_argument("--out", help="file or folder to write (default: export/MODEL...)")


def _add_zoo(commands) -> None:
    parser = _command(commands, "zoo", _zoo, "list, show and verify the trained models that come with kerasgan")
    parser.add_argument("action", nargs="?", choices=ZOO_ACTIONS, default="list")
    parser.add_argument("name", nargs="?", help="a preset (show, verify, measure), or a run (pack)")
    parser.add_argument("--out", help="preset folder to write (pack), or README to bring up to date (table)")
    parser.add_argument("--all", action="store_true", help="every preset (verify, measure)")
    parser.add_argument("--files-only", action="store_true", help="verify without data: files and golden images")
    parser.add_argument("--data-dir", help="folder of TFDS data (default: TFDS_DATA_DIR)")


def _add_cache(commands) -> None:
    parser = _command(commands, "cache", _cache, "show or clear what kerasgan keeps: weights and features for metrics")
    parser.add_argument("action", nargs="?", choices=("show", "clear"), default="show")


def _add_doctor(commands) -> None:
    _command(commands, "doctor", _doctor, "say what hardware, precision and versions are found")


def _command(commands, name: str, run, summary: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    parser.set_defaults(run=run)
    return parser


# The commands


def _demo(arguments) -> None:
    _start_tensorflow()
    from kerasgan import demo

    demo.run(Path(arguments.out), arguments.minutes)


def _train(arguments) -> None:
    _start_tensorflow()
    from kerasgan import recipes, training

    recipe, folder = _recipe_and_folder(arguments)
    if arguments.dry_run:
        print(recipes.resolved(recipe).to_toml(), end="")
        return
    log_dir = arguments.log_dir or folder / training.LOGS
    resume = arguments.resume is not None
    command = f"kerasgan train --resume {folder}"
    # A bar on a terminal, a line an epoch in a log file.
    verbose = 1 if sys.stdout.isatty() else 2
    try:
        training.train(recipe, folder, resume=resume, data_dir=arguments.data_dir, log_dir=log_dir, verbose=verbose)
    except KeyboardInterrupt:
        if (folder / training.MODEL).is_file():
            print(f"\nStopped; finished epochs are kept. Go on with: {command}", file=sys.stderr)
        raise
    print(f"The run is in {folder}: samples.png, model.keras, history.csv, recipe.toml, logs")
    print(f"  tensorboard --logdir {log_dir}")
    print(f"  kerasgan generate {folder} --out samples.png")
    print(f"  kerasgan export {folder}")


def _recipe_and_folder(arguments):
    """Return the recipe and the run's folder that the options of `train` ask for."""
    from kerasgan import recipes, training

    if arguments.resume is not None:
        folder = Path(arguments.resume or arguments.out or arguments.what or "")
        base = recipes.read_dict(folder / training.RECIPE)
    elif not arguments.what:
        raise ValueError("Say what to train: kerasgan train dcgan --data mnist_mini, or kerasgan train recipe.toml")
    else:
        base = _starting_point(arguments.what)
        name = base["model"]["type"] + "-" + Path(arguments.data or base["data"]["source"]).stem
        folder = Path(arguments.out or Path("runs") / name)
    return recipes.from_dict(_with_options(base, arguments)), folder


def _starting_point(what: str) -> dict:
    """Return the recipe, as nested dicts, that `what` names: a file, a preset, or a model with default settings."""
    from kerasgan import presets, recipes
    from kerasgan.models import MODELS

    if what in MODELS:
        return {"model": {"type": what}, "data": {"source": "mnist_mini"}}
    if what.endswith(".toml"):
        return recipes.read_dict(what)
    try:
        return recipes.read_dict(presets.preset_folder(what) / "recipe.toml")
    except ValueError:
        from kerasgan.configurable import unknown_name

        known = [*MODELS, *presets.list_presets()]
        raise ValueError(unknown_name("model, preset or recipe (.toml)", what, known)) from None


def _with_options(base: dict, arguments) -> dict:
    """Return a recipe with the command line's options put over it."""
    recipe = {key: dict(value) if isinstance(value, dict) else value for key, value in base.items()}
    for key, value in (
        ("data.source", arguments.data),
        ("data.batch_size", arguments.batch_size),
        ("data.image_size", arguments.image_size),
        ("data.channels", arguments.channels),
        ("epochs", arguments.epochs),
        ("seed", arguments.seed),
        ("precision", arguments.precision),
        ("strategy", arguments.strategy),
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
    recipe[last] = value


def _toml_value(text: str):
    """Return a value as TOML reads it; bare words are strings."""
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _generate(arguments) -> None:
    _start_tensorflow()
    import numpy as np

    from kerasgan import images, loading

    model = loading.load(arguments.model)
    if arguments.interpolate:
        ends = np.asarray(model.sample_latents(2 * arguments.n, arguments.seed))
        pairs = zip(ends[::2], ends[1::2], strict=True)
        made = np.concatenate([model.interpolate(*pair, arguments.interpolate) for pair in pairs])
        columns = arguments.interpolate
    else:
        labels = arguments.labels[0] if arguments.labels and len(arguments.labels) == 1 else arguments.labels
        made, columns = model.generate(arguments.n, arguments.seed, labels), None
    out = Path(arguments.out)
    if out.suffix.lower() == ".png":
        images.save_png(out, images.grid(made, columns))
    else:
        for number, image in enumerate(images.to_uint8(made)):
            images.save_png(out / f"{number:05d}.png", image)
    print(f"{len(made)} images: {out}")


def _evaluate(arguments) -> None:
    _start_tensorflow()
    from kerasgan import images, metrics

    model, trained_on = _model_or_images(arguments.model)
    against = arguments.against or trained_on
    if against is None:
        raise ValueError("Say what to compare with: --against DATA.")
    results = metrics.evaluate(
        model,
        against,
        n=arguments.n,
        seed=arguments.seed,
        split=arguments.split,
        extractor=arguments.extractor,
        metrics=arguments.metrics,
        data_dir=arguments.data_dir,
        progress=sys.stdout.isatty(),
    )
    print(metrics.as_text(results))
    if arguments.out:
        metrics.save(arguments.out, results)
    if arguments.neighbours:
        generated = model if isinstance(model, metrics.ImageSet) else metrics.generated(model, 32, arguments.seed)
        height, width, channels = generated.first(1).shape[1:]
        size = {"image_size": (height, width), "channels": channels, "data_dir": arguments.data_dir}
        training = metrics.dataset(against, "train", **size)
        images.save_png(arguments.neighbours, metrics.neighbours_picture(generated, training))
        print(f"Samples, each with its nearest training image to its right: {arguments.neighbours}")


def _model_or_images(name_or_path: str):
    """Return a trained model and its data set's name, or the images of a folder and None."""
    from kerasgan import loading, metrics, preset_files, training

    path = Path(name_or_path)
    trained = any((path / name).is_file() for name in (preset_files.METADATA, training.RECIPE))
    if path.is_dir() and not trained and name_or_path not in preset_files.list_presets():
        return metrics.dataset(path, "train"), None
    return loading.load(name_or_path), loading.trained_on(name_or_path)


def _export(arguments) -> None:
    _start_tensorflow()
    from kerasgan import export, loading

    model = loading.load(arguments.model)
    name = Path(arguments.model).stem
    if arguments.format == "saved_model":
        print(export.saved_model(model, arguments.out or f"export/{name}"))
        return
    suffix = "" if arguments.quantization == "float32" else f"_{arguments.quantization}"
    out = arguments.out or f"export/{name}{suffix}.tflite"
    print(export.tflite(model, out, quantization=arguments.quantization, batch_size=arguments.batch_size))


def _zoo(arguments) -> None:
    from kerasgan import cards, files, preset_files

    if arguments.action == "list":
        print(cards.text_table())
    elif arguments.action == "table" and arguments.out:
        readme = Path(arguments.out)
        files.write_text(readme, cards.readme_with_table(readme.read_text(encoding="utf-8")))
    elif arguments.action == "table":
        print(cards.markdown_table())
    elif arguments.action == "show":
        print(
            (preset_files.preset_folder(_required(arguments, "a preset")) / "README.md").read_text(encoding="utf-8"),
            end="",
        )
    elif arguments.action == "pack":
        _start_tensorflow()
        run = _required(arguments, "a run")
        print(f"Packed: {cards.pack(run, arguments.out or f'{run}-preset', arguments.data_dir)}")
    else:
        _start_tensorflow()
        for name in [arguments.name] if arguments.name else preset_files.list_presets():
            (_verify if arguments.action == "verify" else _measure)(name, arguments)


def _verify(name: str, arguments) -> None:
    from kerasgan import presets
    from kerasgan.metrics.remeasure import remeasure

    found = presets.verify(name)
    print(f"{found.name}: {found.files} files intact, golden images within {found.max_error:.1g}")
    if arguments.files_only:
        return
    pairs = remeasure(name, arguments.data_dir, progress=sys.stdout.isatty())
    for stored, measured in pairs:
        print(f"  {stored.name}: card {stored.value:.6g}, now {measured.value:.6g}")
    moved = [pair.stored.name for pair in pairs if not pair.agrees]
    if moved:
        raise ValueError(
            f"{name}: {', '.join(moved)} moved by more than 2 % plus 0.003 from the card. Its weights are intact, so "
            "the data set, the extractor or the numerics of this machine are others."
        )
    print(f"{found.name}: {len(pairs)} results agree with the card (within 2 % plus 0.003)")


def _measure(name: str, arguments) -> None:
    from kerasgan import cards, metrics

    print(metrics.as_text(cards.measure(name, arguments.data_dir, progress=sys.stdout.isatty())))


def _cache(arguments) -> None:
    from kerasgan import cache

    if arguments.action == "clear":
        print(f"Freed {cache.clear() / 1e6:.1f} MB in {cache.folder()}")
        return
    for path, size in cache.entries():
        print(f"{size / 1e6:8.1f} MB  {path.relative_to(cache.folder())}")
    print(f"{sum(size for _, size in cache.entries()) / 1e6:8.1f} MB in {cache.folder()}")


def _required(arguments, what: str) -> str:
    if not arguments.name:
        raise ValueError(f"kerasgan zoo {arguments.action} needs {what}.")
    return arguments.name


def _doctor(arguments) -> None:
    _start_tensorflow()
    from kerasgan import doctor

    print(doctor.report())


def _integers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _start_tensorflow() -> None:
    """Import TensorFlow with its start-up messages kept off the terminal; Python errors and warnings still show."""
    import logging

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    logging.getLogger("absl").setLevel(logging.ERROR)
    # Native code writes to standard error whatever the log level, until its logging is initialised.
    with Silence():
        import tensorflow as tf

        # The first look for GPUs prints too.
        tf.config.list_physical_devices()
    tf.get_logger().setLevel(logging.ERROR)


if __name__ == "__main__":
    sys.exit(main())
