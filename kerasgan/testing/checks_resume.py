"""Checks of the contract on repeatability: seeds, saving, going on after an interruption."""

import os
import random
import signal
import tempfile
from pathlib import Path

import keras
import numpy as np

from kerasgan.testing.case import Case
from kerasgan.testing.tools import (
    assert_same,
    compiled,
    count_different,
    state,
    straight_run,
    train,
    warnings_are_errors,
)
from kerasgan.testing.worker import CONTEXT, run_in_worker


def seeded(case: Case) -> None:
    """The same seed gives the same run; `generate` and `evaluate` leave the training's random state alone."""
    run = straight_run(case)
    model = compiled(case)
    begun = state(model)
    first = train(model, case, epochs=1)
    python_state = random.getstate()
    model.generate(3, seed=8, **case.given(3))
    assert random.getstate() == python_state, "generate(seed=) draws from Python's random numbers"
    model.evaluate(case.dataset(), verbose=0)
    second = train(model, case, epochs=1)
    assert first == {name: values[:1] for name, values in run.history.items()}, "a second run differs"
    assert second == {name: values[1:] for name, values in run.history.items()}, (
        "generate or evaluate changed the training that followed"
    )
    assert_same(state(model), run.state, "a second run with the same seed")
    assert count_different(state(compiled(case, seed=1)), begun), "another seed gives the same model"


def save_load_resume(case: Case) -> None:
    """Two epochs equal one epoch, saved, loaded in another process, and one epoch more: bitwise, without warnings."""
    run = straight_run(case)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(run.saved)
        loaded, resumed, made = run_in_worker(_resume, case, str(path))
    assert_same(loaded, run.saved_state, "the loaded model")
    assert_same(resumed, run.state, "the resumed model")
    assert np.array_equal(made, run.made), "the resumed model makes something else"


def resume_after_kill(case: Case) -> None:
    """Training killed in its second epoch and resumed by `BackupAndRestore` ends as if never stopped."""
    run = straight_run(case)
    with tempfile.TemporaryDirectory() as folder:
        process = CONTEXT.Process(target=_train_until_killed, args=(case, folder))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL, f"the training ended with {process.exitcode} before it was killed"
        resumed = compiled(case)
        rest = train(resumed, case, epochs=2, callbacks=[keras.callbacks.BackupAndRestore(folder)])
    assert rest == {name: values[1:] for name, values in run.history.items()}, f"after the restart came {rest}"
    assert_same(state(resumed), run.state, "the model resumed after kill -9")


def _resume(case: Case, path: str) -> tuple:
    with warnings_are_errors():
        model = keras.models.load_model(path)
        loaded = state(model)
        train(model, case, epochs=2, initial_epoch=1)
    return loaded, state(model), model.generate(3, seed=1, **case.given(3))


def _train_until_killed(case: Case, folder: str) -> None:
    def die(epoch, logs=None):
        if epoch == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    backup = keras.callbacks.BackupAndRestore(folder)
    train(compiled(case), case, epochs=2, callbacks=[backup, keras.callbacks.LambdaCallback(on_epoch_begin=die)])
