"""The command line. Nothing here imports TensorFlow until a command needs it: `--help` answers at once."""

import argparse
import sys

import kerasgan
from kerasgan.cli import generate, make, measure, train, translate, zoo
from kerasgan.cli.terminal import plain_output

# In the order that `--help` lists them.
COMMANDS = (
    make.add_demo,
    train.add,
    generate.add,
    translate.add,
    measure.add_evaluate,
    make.add_export,
    zoo.add,
    measure.add_cache,
    make.add_doctor,
)


@plain_output()
def main(argv: list[str] | None = None) -> int:
    """Run one command and return the exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    arguments = build_parser().parse_args(argv)
    try:
        arguments.run(arguments)
    # An OSError of a file or folder names it: no space, no permission.
    except (ValueError, OSError) as error:
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
    for add in COMMANDS:
        add(commands)
    return parser
