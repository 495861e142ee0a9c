"""What the callbacks share: an event file for TensorBoard, and the check of their whole-number arguments."""

import contextlib
import os
from collections.abc import Iterator

import numpy as np
import tensorflow as tf


class EventFile:
    """An event file that is opened at the first write, by the chief alone.

    Args:
        log_dir: folder of its own: TensorBoard follows only the newest of several files in one.
    """

    def __init__(self, log_dir: str | os.PathLike):
        self.log_dir = os.fspath(log_dir)
        self._writer = None

    @contextlib.contextmanager
    def writing(self, model) -> Iterator[None]:
        """Let `tf.summary` write to this file inside the block; in other workers than the chief, to nowhere."""
        if self._writer is None:
            self._writer = self._open(model)
        # A TensorBoard callback with update_freq=n mutes summaries between its own batches.
        with self._writer.as_default(), tf.summary.record_if(True):
            yield
        self._writer.flush()

    def close(self) -> None:
        """Close the file; the next write opens a new one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _open(self, model):
        # Workers that do not write still render: reading a variable may take all of them.
        if model.distribute_strategy.extended.should_save_summary:
            return tf.summary.create_file_writer(self.log_dir)
        return tf.summary.create_noop_writer()


def integer(name: str, value, unit: str = "", least: int | None = None) -> int:
    """Return an argument as an int after checking that it is a whole number of at least `least`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or (least is not None and value < least):
        wanted = "an integer" if least is None else f"an integer of at least {least}"
        raise ValueError(f"{name} must be {wanted}{unit and f', a number of {unit}'}; received {value!r}.")
    return int(value)
