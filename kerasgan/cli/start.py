"""What the commands share: their parsers, and a quiet start of TensorFlow."""

import argparse
import os
from collections.abc import Callable

from kerasgan.support.silence import Silence

MODEL_HELP = "a preset of the zoo, or the path of a preset folder, a run or a .keras file"
DATA_DIR_HELP = "folder of TFDS data (default: TFDS_DATA_DIR)"


def command(
    commands: "argparse._SubParsersAction", name: str, run: Callable[[argparse.Namespace], None], summary: str
) -> argparse.ArgumentParser:
    """Add a command that calls `run` with the parsed arguments, and return its parser."""
    parser = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def start_tensorflow() -> None:
    """Import TensorFlow with its start-up messages kept off the terminal; Python errors and warnings still show."""
    import logging

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise ValueError(f"kerasgan runs on TensorFlow; received KERAS_BACKEND={backend}. Unset it, or set tensorflow.")
    logging.getLogger("absl").setLevel(logging.ERROR)
    # Native code writes to standard error whatever the log level, until its logging is initialised.
    with Silence():
        import tensorflow as tf

        # The first look for GPUs prints too.
        tf.config.list_physical_devices()
    tf.get_logger().setLevel(logging.ERROR)
