"""Checks of the contract on training: who moves, who learns, what is reported."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core.dealing import join_batches
from kerasgan.core.judged import Update, frozen_state
from kerasgan.kinds import Tokens
from kerasgan.testing.case import Case
from kerasgan.testing.tools import (
    assert_finite,
    assert_same,
    compiled,
    count_different,
    playing,
    snapshot,
    state,
    straight_run,
    train,
)

FAST = 2e-3  # A learning rate at which tiny networks learn in tens of steps.


def update_isolation(case: Case) -> None:
    """An update of one network moves nothing of the other: weights, batch statistics, dropout seeds."""
    model = playing(case, learning_rate=FAST)
    moved = {"generator": False, "discriminator": False}
    after = []
    update = model.update_discriminator

    def watched(*arguments):
        generator = snapshot(model.generator.variables)
        terms = update(*arguments)
        assert_same(snapshot(model.generator.variables), generator, "the generator after a discriminator update")
        after.append(snapshot(model.discriminator.variables))
        return terms

    model.update_discriminator = watched
    before = {name: snapshot(getattr(model, name).variables) for name in moved}
    for _ in range(2):
        model.train_step(case.batch())
        assert after, "train_step never called update_discriminator"
        assert_same(snapshot(model.discriminator.variables), after[-1], "the discriminator after a generator update")
    for name, values in before.items():
        assert count_different(snapshot(getattr(model, name).variables), values), f"the {name} did not move"

    for still, moving, d, g in (("discriminator", "generator", 0.0, FAST), ("generator", "discriminator", FAST, 0.0)):
        _set_rates(model, d=d, g=g)
        before = {name: snapshot(getattr(model, name).trainable_variables) for name in moved}
        for _ in range(2):
            model.train_step(case.batch())
        now = {name: snapshot(getattr(model, name).trainable_variables) for name in moved}
        assert_same(now[still], before[still], f"the {still} at learning rate 0")
        assert count_different(now[moving], before[moving]), f"the {moving} did not move beside a frozen {still}"


def each_side_learns_alone(case: Case) -> None:
    """With the opponent frozen, a network's own loss falls."""
    batch, model = case.batch(16), playing(case)
    step = tf.function(model.train_step, reduce_retracing=True)
    # In this order: the generator needs an opponent that has something to say.
    for learner, d, g, steps in (("discriminator", FAST, 0.0, 20), ("generator", 0.0, FAST, 30)):
        _set_rates(model, d=d, g=g)
        before = after = _objective(model, learner, batch)
        while steps and before - after < 0.1 * abs(before):
            for _ in range(10):
                step(batch)
            after, steps = _objective(model, learner, batch), steps - 10
        assert np.isfinite(after), f"the loss of the {learner} is {after}"
        fall = before - after
        assert fall > 0.02 * abs(before), f"the {learner}'s loss went from {before:.4f} to {after:.4f}, alone"


def fits_toy(case: Case) -> None:
    """Training at least halves the distance of generated images to a simple distribution, within 400 steps."""
    model = compiled(case, learning_rate=FAST)
    distances = [distance(model, case)]
    data = case.dataset(256, 32).repeat()
    while len(distances) <= 8 and distances[-1] > 0.5 * distances[0]:
        model.fit(data, steps_per_epoch=50, verbose=0)
        distances.append(distance(model, case))
    found = ", ".join(f"{value:.2f}" for value in distances)
    assert distances[-1] <= 0.5 * distances[0], f"distance to the toy images every 50 steps: {found}"


def distance(model: keras.Model, case: Case, n: int = 240) -> float:
    """Return the distance of what is generated to what is real in mean and standard deviation, in the worst group.

    Groups are of equal labels or captions.
    """
    given = case.given(n)
    kind = case.declared.makes
    real, fake = (_numbers(kind, each) for each in (case.target(n), model.generate(n, seed=5, **given)))
    groups = _groups(n, [part for part in given.values() if np.issubdtype(part.dtype, np.integer)])
    return max(
        float(
            np.linalg.norm(real[group].mean(axis=0) - fake[group].mean(axis=0))
            + np.linalg.norm(real[group].std(axis=0) - fake[group].std(axis=0))
        )
        for group in groups
    )


def _numbers(kind, array: np.ndarray) -> np.ndarray:
    """Return an array whose mean and deviation mean something: of tokens, one number a word."""
    return np.eye(kind.vocabulary)[array] if isinstance(kind, Tokens) else array


def _groups(n: int, parts: list) -> list[np.ndarray]:
    """Return a mask for each combination of whole numbers that were given."""
    if not parts:
        return [np.ones(n, bool)]
    rows = np.concatenate([part.reshape(n, -1) for part in parts], axis=1)
    return [np.all(rows == row, axis=1) for row in np.unique(rows, axis=0)]


def reported_terms(case: Case) -> None:
    """History has every metric once, as the average over the epoch's batches."""
    history = straight_run(case).history
    again = compiled(case)
    names = [metric.name for metric in again.metrics]
    assert sorted(history) == sorted(names), f"History has {list(history)}, the metrics are {names}"
    assert set(again.terms) <= set(names), f"{again.terms} are not all among {names}"

    for epoch in range(2):
        steps = []
        again.clock.epochs.assign(epoch)
        for data in _rounds(again, case):
            again.reset_metrics()
            steps.append({name: float(value) for name, value in again.train_step(data).items()})
        for name in names:
            values = [step[name] for step in steps]
            assert np.isclose(history[name][epoch], np.mean(values), rtol=1e-3, atol=1e-4), (
                f"{name} of epoch {epoch + 1} is {history[name][epoch]}, its batches had {values}"
            )
        alike = all(step[names[0]] == steps[0][names[0]] for step in steps)
        assert len(steps) == 1 or not alike, "all batches report the same"


def evaluate_and_predict(case: Case) -> None:
    """`evaluate` repeats itself and changes nothing; `predict` on the sampler's inputs is `generate`."""
    model = compiled(case)
    model.train_step(case.batch())
    before = state(model)
    first = model.evaluate(case.dataset(), verbose=0, return_dict=True)
    second = model.evaluate(case.dataset(), verbose=0, return_dict=True)
    assert_same(state(model), before, "the model after evaluate")
    assert sorted(first) == sorted(metric.name for metric in model.metrics), f"evaluate returns {list(first)}"
    assert_finite(first.values(), "evaluate")
    assert first == second, f"evaluate gave {first}, then {second}"

    given = case.given(7)
    inputs = model.sampler_inputs(7, seed=4, **given)
    inputs = inputs[0] if len(inputs) == 1 else tf.data.Dataset.from_tensor_slices((inputs,)).batch(3)
    predicted = model.predict(inputs, verbose=0)
    assert model.makes.error(predicted, model.generate(7, seed=4, **given)) <= 1e-5, "predict is not generate"
    assert_same(state(model), before, "the model after predict")

    model.run_eagerly = True  # Compiling the training takes longer than its two steps.
    history = train(model, case, epochs=1, validation_data=case.dataset(12, 6, seed=9))
    assert all(f"val_{metric.name}" in history for metric in model.metrics), f"no validation terms: {list(history)}"


def _rounds(model: keras.Model, case: Case) -> tf.data.Dataset:
    """Return the case's data in the batches that `fit` makes of them."""
    return join_batches(case.dataset(), None, getattr(model, "d_steps", 1))[0]


def _set_rates(model: keras.Model, d: float, g: float) -> None:
    model.d_optimizer.learning_rate = d
    model.g_optimizer.learning_rate = g


def _objective(model: keras.Model, side: str, batch) -> float:
    """Return the sum of one side's terms on a batch with fixed latents, as in training, changing nothing."""
    real, given = model.unpack(batch)
    with frozen_state():
        made = model.synthesize(real, given, tf.constant([7, 7]))
    optimizer = model.d_optimizer if side == "discriminator" else model.g_optimizer
    judged = model.judged(made, Update(getattr(model, side), optimizer, frozen=True))
    terms = (model.discriminator_terms if side == "discriminator" else model.generator_terms)(judged)
    return float(model.total(terms))
