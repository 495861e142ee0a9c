"""The command line. Nothing here imports TensorFlow until a command needs it: `--help` answers at once."""

import argparse
import re
import sys

import kerasgan
from kerasgan.cli import attributes, generate, make, measure, project, signals, toy, train, translate, zoo
from kerasgan.cli.terminal import plain_output

# In the order that `--help` lists them.
COMMANDS = (
    make.add_demo,
    train.add,
    generate.add,
    translate.add,
    project.add,
    attributes.add,
    measure.add_evaluate,
    make.add_export,
    zoo.add,
    toy.add,
    measure.add_cache,
    make.add_doctor,
)


def main(argv: list[str] | None = None) -> int:
    """Run one command and return the exit status.

    0 done, 1 failed, 2 wrong usage, 130 interrupted (Ctrl-C), 141 nobody reads the output, 143 terminated.
    """
    signals.open_closed_streams()
    arguments = build_parser().parse_args(argv)
    with plain_output(), signals.handled() as noticed:
        try:
            arguments.run(arguments)
            sys.stdout.flush()
        except BrokenPipeError:
            signals.leave_pipe()
            return signals.BROKEN_PIPE
        except KeyboardInterrupt as interrupt:
            noticed.interrupt = noticed.interrupt or interrupt
        except Exception as error:
            if not noticed.interrupt:
                return _told(error)
    if noticed.interrupt:
        print("\nStopped.", file=sys.stderr)
        return signals.status(noticed.interrupt)
    return 0


def entry() -> None:
    """Run one command and end the process with its status."""
    signals.leave(main())


def _told(error: Exception) -> int:
    """Say in one line what the user can do something about; what is a mistake of ours is raised again."""
    # An OSError of a file or folder names it: no space, no permission.
    if not isinstance(error, ValueError | OSError | MemoryError) and not _is_of_tensorflow(error):
        raise error
    lines = str(error).strip().splitlines() or [type(error).__name__]
    text = " ".join(lines) if isinstance(error, ValueError) else lines[0]
    if isinstance(error, MemoryError):
        text = f"Out of memory. {text} Ask for less: a smaller batch, image or model."
    # TensorFlow puts the place in its graph before and behind what happened.
    text = re.sub(r"\{\{.*?\}\}|\[Op:\w+\]( name:)?", "", text)
    print(f"kerasgan: {' '.join(text.split())}", file=sys.stderr)
    return 1


def _is_of_tensorflow(error: Exception) -> bool:
    """Return whether the system refused something to TensorFlow: memory, a file, a full disk."""
    errors = getattr(sys.modules.get("tensorflow"), "errors", None)
    if errors is None:
        return False
    kinds = ("ResourceExhausted", "PermissionDenied", "NotFound", "FailedPrecondition", "OutOfRange")
    return isinstance(error, tuple(getattr(errors, f"{kind}Error") for kind in kinds))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="kerasgan", description="Generative adversarial networks for Keras.")
    parser.add_argument("--version", action="version", version=f"kerasgan {kerasgan.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(commands)
    return parser
