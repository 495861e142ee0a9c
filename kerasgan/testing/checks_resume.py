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
from kerasgan.testing.tools import assert_same, compiled, count_different, optimizers, state, straight_run, train
from kerasgan.testing.worker import CONTEXT, run_in_worker


def seeded(case: Case) -> None:
    """The same seed gives the same run; `generate` and `evaluate` leave the training's random state alone."""
    history, expected = straight_run(case)
    model = compiled(case)
    first = train(model, case, epochs=1)
    python_state = random.getstate()
    model.generate(3, seed=8, **case.given(3))
    assert random.getstate() == python_state, "generate(seed=) draws from Python's random numbers"
    model.evaluate(case.dataset(), verbose=0)
    second = train(model, case, epochs=1)
    assert first == {name: values[:1] for name, values in history.items()}, "a second run with the same seed differs"
    assert second == {name: values[1:] for name, values in history.items()}, (
        "generate or evaluate changed the training that followed"
    )
    assert_same(state(model), expected, "a second run with the same seed")
    one, other = compiled(case, seed=1), compiled(case, seed=2)
    assert count_different(state(one), state(other)), "another seed gives the same model"


def save_load_resume(case: Case) -> None:
    """Two epochs equal one epoch, saved, loaded in another process, and one epoch more: bitwise, without warnings."""
    _, expected = straight_run(case)
    stopped = compiled(case)
    train(stopped, case, epochs=1)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.keras")
        with _warnings_are_errors():
            stopped.save(path)
        steps, images, resumed = run_in_worker(_resume, case, path)
    assert steps == [int(optimizer.iterations) for optimizer in optimizers(stopped)], "optimizers lost their steps"
    assert np.array_equal(images, stopped.generate(3, seed=1, **case.given(3))), "the loaded model differs"
    assert_same(resumed, expected, "the resumed model")


def resume_after_kill(case: Case) -> None:
    """Training killed in its second epoch and resumed by `BackupAndRestore` ends as if never stopped."""
    history, expected = straight_run(case)
    with tempfile.TemporaryDirectory() as folder:
        process = CONTEXT.Process(target=_train_until_killed, args=(case, folder))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL, f"the training ended with {process.exitcode} before it was killed"
        resumed = compiled(case)
        rest = train(resumed, case, epochs=2, callbacks=[keras.callbacks.BackupAndRestore(folder)])
    assert rest == {name: values[1:] for name, values in history.items()}, f"after the restart came {rest}"
    assert_same(state(resumed), expected, "the model resumed after kill -9")


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
        images = model.generate(3, seed=1, **case.given(3))
        train(model, case, epochs=2, initial_epoch=1)
    return steps, images, state(model)


def _train_until_killed(case: Case, folder: str) -> None:
    def die(epoch, logs=None):
        if epoch == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    backup = keras.callbacks.BackupAndRestore(folder)
    train(compiled(case), case, epochs=2, callbacks=[backup, keras.callbacks.LambdaCallback(on_epoch_begin=die)])
