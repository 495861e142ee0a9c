"""Checks of the contract on repeatability: seeds, saving, going on after an interruption."""

import contextlib
import os
import random
import signal
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np

from kerasgan.testing.case import Case
from kerasgan.testing.tools import assert_same, compiled, count_different, optimizers, state, train
from kerasgan.testing.worker import CONTEXT, run_in_worker


def seeded(case: Case) -> None:
    """The same seed gives the same run; `generate` leaves the training's random state alone."""
    model = compiled(case, seed=1)
    history = train(model, case, epochs=1)
    python_state = random.getstate()
    model.generate(3, seed=8, labels=case.labels(3))
    assert random.getstate() == python_state, "generate(seed=) draws from Python's random numbers"
    model.evaluate(case.dataset(), verbose=0)
    for name, values in train(model, case, epochs=1).items():
        history[name] += values
    again = compiled(case, seed=1)
    assert train(again, case, epochs=1) == {name: values[:1] for name, values in history.items()}, "runs differ"
    assert train(again, case, epochs=1) == {name: values[1:] for name, values in history.items()}, (
        "generate or evaluate changed the training that followed"
    )
    assert_same(state(again), state(model), "a second run with the same seed")
    other = compiled(case, seed=2)
    assert count_different(state(other), state(compiled(case, seed=1))), "another seed gives the same model"


def save_load_resume(case: Case) -> None:
    """Two epochs equal one epoch, saved, loaded in another process, and one epoch more: bitwise, without warnings."""
    straight = compiled(case)
    train(straight, case, epochs=2)
    stopped = compiled(case)
    train(stopped, case, epochs=1)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.keras")
        with _warnings_are_errors():
            stopped.save(path)
        steps, images, resumed = run_in_worker(_resume, case, path)
    assert steps == [int(optimizer.iterations) for optimizer in optimizers(stopped)], "optimizers lost their steps"
    assert np.array_equal(images, stopped.generate(3, seed=1, labels=case.labels(3))), "the loaded model differs"
    assert_same(resumed, state(straight), "the resumed model")


def resume_after_kill(case: Case) -> None:
    """Training killed in its second epoch and resumed by `BackupAndRestore` ends as if never stopped."""
    straight = compiled(case)
    train(straight, case, epochs=3)
    with tempfile.TemporaryDirectory() as folder:
        process = CONTEXT.Process(target=_train_until_killed, args=(case, folder))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL, f"the training ended with {process.exitcode} before it was killed"
        resumed = compiled(case)
        epochs = train(resumed, case, epochs=3, callbacks=[keras.callbacks.BackupAndRestore(folder)])
    ran = len(next(iter(epochs.values())))
    assert ran == 2, f"one epoch was done, and {ran} of 3 ran after the restart"
    assert_same(state(resumed), state(straight), "the model resumed after kill -9")


@contextlib.contextmanager
def _warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # What third parties will change some day says nothing about the model.
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _resume(case: Case, path: str) -> tuple:
    with _warnings_are_errors():
        model = keras.models.load_model(path)
        steps = [int(optimizer.iterations) for optimizer in optimizers(model)]
        images = model.generate(3, seed=1, labels=case.labels(3))
        train(model, case, epochs=2, initial_epoch=1)
    return steps, images, state(model)


def _train_until_killed(case: Case, folder: str) -> None:
    def die(epoch, logs=None):
        if epoch == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    backup = keras.callbacks.BackupAndRestore(folder)
    train(compiled(case), case, epochs=3, callbacks=[backup, keras.callbacks.LambdaCallback(on_epoch_begin=die)])
