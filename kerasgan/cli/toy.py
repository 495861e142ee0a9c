"""The command `toy`: small problems that show why a family of GANs exists, to watch and to count."""

from pathlib import Path

from kerasgan.cli.start import command, start_tensorflow

NAMES = ("gaussian", "ring", "grid", "stacked_mnist", "table")


def add(commands) -> None:
    """Add the command `toy`."""
    parser = command(commands, "toy", _toy, "watch small GANs learn, count the modes they cover, compare their losses")
    parser.add_argument("name", choices=NAMES, help="what is learned; `table` is every variant on ring and grid")
    parser.add_argument(
        "--model",
        help="a loss and what is added to it, such as non_saturating, wasserstein+gp or relativistic+r1+r2; for "
        "stacked_mnist a trained model",
    )
    parser.add_argument("--seeds", type=int, help="how many trainings, from seeds 0, 1, ... (default: 1; table: 5)")
    parser.add_argument("--out", help="folder for what is made (default: toys/NAME); a table goes on where it was left")


def _toy(arguments) -> None:
    seeds = arguments.seeds
    if seeds is not None and seeds < 1:
        raise ValueError(f"--seeds must be a positive integer; received {seeds}.")
    if arguments.name == "stacked_mnist":
        _stacked_mnist(arguments)
        return
    from kerasgan.support import files
    from kerasgan.toys import drawing, variants

    drawing.require_matplotlib()
    if arguments.model is not None:
        variants.parse(arguments.model)
    folder = Path(arguments.out or f"toys/{arguments.name}")
    files.check_writable(folder)
    if arguments.name != "table" and folder.is_dir() and any(folder.iterdir()):
        raise ValueError(f"{str(folder)!r} is not empty. Give another folder: --out toys/second")
    start_tensorflow()
    from kerasgan import toys

    if arguments.name == "table":
        toys.table.run(folder, seeds or toys.table.SEEDS, models=arguments.model and [arguments.model])
        toys.pictures.draw(folder)
    elif arguments.name == "gaussian":
        toys.gaussian.run(arguments.model or toys.gaussian.MODEL, seeds or 1, folder)
    else:
        toys.plane.run(arguments.name, arguments.model or toys.plane.MODEL, seeds or 1, folder)
    print(f"Made in {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")


def _stacked_mnist(arguments) -> None:
    ignored = [name for name in ("seeds", "out") if getattr(arguments, name) is not None]
    if arguments.model is None or ignored:
        raise ValueError(
            "toy stacked_mnist counts the modes of a trained model, and takes --model and nothing else: the path of a "
            "run, such as of `kerasgan train dcgan --data stacked_mnist`, a preset folder or a .keras file."
        )
    start_tensorflow()
    from kerasgan.runs import loading
    from kerasgan.toys import stacked_mnist

    print(stacked_mnist.measure(loading.load(arguments.model)))
