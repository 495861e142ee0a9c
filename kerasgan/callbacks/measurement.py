"""Measurement: the base of callbacks that add numbers to the logs of an epoch."""

import keras

from kerasgan.callbacks.summaries import integer
from kerasgan.distribution import is_chief


class Measurement(keras.callbacks.Callback):
    """Adds what `measure` returns to the logs of every epoch, where callbacks further down the list find it.

    It measures after the first epoch of a `fit`, after every `every` epochs and after the last. The epochs in between
    repeat the last values, so that a callback that monitors one of them always finds it.

    Args:
        every: epochs from one measurement to the next.
    """

    def __init__(self, every: int):
        super().__init__()
        self.every = integer("every", every, "epochs", least=1)
        self._values: dict[str, float] = {}

    def measure(self, epoch: int) -> dict[str, float]:
        """Return the numbers to log, by name; `epoch` counts from 0."""
        raise NotImplementedError

    def on_train_begin(self, logs=None) -> None:
        """Forget what an earlier `fit` measured."""
        self._values = {}

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Measure where it is due, and log."""
        last = epoch + 1 == self.params.get("epochs")
        if not self._values or last or (epoch + 1) % self.every == 0:
            self._values = self.measure(epoch)
        if logs is not None:
            # Keras hands one dict to all callbacks in turn, History after the user's.
            logs.update(self._values)

    def say(self, message: str) -> None:
        """Print a line, in the chief only."""
        if is_chief(self.model.distribute_strategy):
            # A progress bar has not ended its line yet.
            print(f"\n{message}" if self.params.get("verbose") == 1 else message, flush=True)
