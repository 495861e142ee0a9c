"""The command `attributes`: learn what the named directions of a trained model's latent space are."""

from kerasgan.cli.start import DATA_DIR_HELP, command, start_tensorflow


def add(commands) -> None:
    """Add the command `attributes`."""
    parser = command(
        commands, "attributes", _attributes, "learn the directions of a VAE or StyleGAN2, such as smiling, from a table"
    )
    parser.add_argument("folder", metavar="RUN", help="folder of a run whose model names attributes")
    parser.add_argument(
        "--table", required=True, metavar="CSV", help="a column of 1 and 0 for each, a row for each training image"
    )
    parser.add_argument("--data-dir", help=DATA_DIR_HELP)


def _attributes(arguments) -> None:
    start_tensorflow()
    from kerasgan.runs.attributes import learn_attributes

    counts = learn_attributes(arguments.folder, arguments.table, arguments.data_dir)
    for name, count in counts.items():
        print(f"{name}: learned from {count} images with it")
