"""What several checks use: compile, train, read every variable, expect an error."""

import contextlib
import functools
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from kerasgan.testing.case import Case


def compiled(case: Case, seed: int = 0, learning_rate: float | None = None, **settings) -> keras.Model:
    """Return a new compiled model of a case, its learning rates scaled to the given one where there is one."""
    model = case.make(seed=seed)
    model.compile(**settings)
    if learning_rate is not None and "no_optimizer" not in case.tags:
        model.optimizer.learning_rate = learning_rate
    return model


def playing(case: Case, **settings) -> keras.Model:
    """Return what `compiled` does, where a model that is trained in phases has come to the game."""
    model = compiled(case, **settings)
    model.clock.epochs.assign(case.plays_after)
    return model


def with_examples(model: keras.Model, case: Case, n: int = 6) -> keras.Model:
    """Return the model with examples of what nobody can make up."""
    parts = case.parts(n)
    model.examples = {name: parts[name] for name in model.kinds_of_examples()}
    return model


def train(model: keras.Model, case: Case, epochs: int = 2, **settings) -> dict[str, list]:
    """Train on twelve examples in two batches an epoch, and return the history."""
    return model.fit(case.dataset(), epochs=epochs, verbose=0, **settings).history


class StraightRun(NamedTuple):
    """Two epochs with seed 0, and what was made after them; the model as it was saved after the first, and its state.

    Nothing is generated in between: that this changes nothing is what a check finds out.
    """

    history: dict[str, list]
    state: list[np.ndarray]
    made: np.ndarray
    saved: bytes
    saved_state: list[np.ndarray]


@functools.cache
def straight_run(case: Case) -> StraightRun:
    """Return two epochs of training, made once: several checks compare with them."""
    model, after_first = compiled(case), []

    def keep(epoch, logs=None):
        if epoch == 0:
            after_first.extend([_saved(model), state(model)])

    history = train(model, case, epochs=2, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=keep)])
    end = state(model)
    return StraightRun(history, end, model.generate(3, seed=1, **case.given(3)), *after_first)


def _saved(model: keras.Model) -> bytes:
    with tempfile.TemporaryDirectory() as folder, warnings_are_errors():
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


@contextlib.contextmanager
def warnings_are_errors() -> Iterator[None]:
    """Raise warnings within the block."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # What third parties will change some day says nothing about the model.
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def optimizers(model: keras.Model) -> list:
    """Return the model's optimizers, in the order of their attributes' names."""
    named = sorted(vars(model).items())
    return [value for _, value in named if isinstance(value, keras.optimizers.Optimizer)]


def state(model: keras.Model) -> list[np.ndarray]:
    """Return copies of all numbers training depends on: weights, averages, statistics, seeds, optimizers."""
    variables = [*model.variables, *(v for optimizer in optimizers(model) for v in optimizer.variables)]
    return snapshot(variables)


def snapshot(variables) -> list[np.ndarray]:
    """Return copies of the values of variables."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def count_different(first: list, second: list) -> int:
    """Return how many arrays of two equally long lists are not bitwise equal."""
    return sum(a.tobytes() != b.tobytes() for a, b in zip(first, second, strict=True))


def assert_same(first: list, second: list, what: str) -> None:
    """Raise an AssertionError unless two lists of arrays are bitwise equal."""
    assert len(first) == len(second), f"{what}: {len(first)} variables against {len(second)}"
    different = count_different(first, second)
    assert different == 0, f"{what}: {different} of {len(first)} variables differ"


def assert_close(first: list, second: list, what: str, tolerance: float) -> None:
    """Raise an AssertionError unless two lists of arrays are equal within an absolute tolerance."""
    assert len(first) == len(second), f"{what}: {len(first)} variables against {len(second)}"
    worst = max((float(np.max(np.abs(a.astype("float64") - b))) for a, b in zip(first, second, strict=True) if a.size))
    assert worst <= tolerance, f"{what}: largest difference {worst:.3g}, allowed {tolerance:.3g}"


def assert_finite(values, what: str) -> None:
    """Raise an AssertionError unless all numbers are finite."""
    for value in values:
        value = np.asarray(value)
        if np.issubdtype(value.dtype, np.floating):
            assert np.all(np.isfinite(value)), f"{what}: {value} is not finite"


@contextlib.contextmanager
def expect_error(situation: str, *words: str) -> Iterator[None]:
    """Raise an AssertionError unless the block raises a ValueError whose text has all the words."""
    raised = None
    try:
        yield
    except Exception as error:
        raised = error
    assert raised is not None, f"{situation}: no error was raised"
    found = f"{type(raised).__name__}: {raised}"
    assert isinstance(raised, ValueError), f"{situation}: expected a ValueError, got {found}"
    missing = [word for word in words if word.lower() not in str(raised).lower()]
    assert not missing, f"{situation}: the error does not mention {missing}: {found}"


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Make models of a dtype policy within the block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
