"""Checks of the contract on how training is run: precision, compilation, devices."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.testing.case import Case
from kerasgan.testing.tools import assert_close, assert_finite, count_different, dtype_policy, playing, state
from kerasgan.testing.worker import run_in_worker, two_devices


def mixed_precision(case: Case) -> None:
    """Training is finite in half precision; under float16 every optimizer scales its loss."""
    for policy in ("mixed_bfloat16", "mixed_float16"):
        with dtype_policy(policy):
            model = playing(case)
            before = state(model)
            # Eager: compiling is slower than these few steps.
            terms = [model.train_step(case.batch(4))]
            made = model.generate(2, seed=0, **case.given(2))
        assert made.dtype == model.makes.dtype, f"{policy}: generate gives {made.dtype}"
        assert_finite([value for step in terms for value in step.values()], f"a term under {policy}")
        assert_finite(state(model), f"a variable under {policy}")
        assert count_different(state(model), before), f"{policy}: nothing was trained"
        computed = {layer.compute_dtype for layer in model._flatten_layers()}
        half = policy.removeprefix("mixed_")
        assert half in computed, f"{policy}: no layer computes in {half}, only in {computed}"
        if half == "float16":
            named = [model.d_optimizer, model.g_optimizer] if "has_discriminator" in case.tags else [model.optimizer]
            scaled = [isinstance(each, keras.optimizers.LossScaleOptimizer) for each in named]
            assert all(scaled), "under float16 every optimizer must be a LossScaleOptimizer"


def compile_modes(case: Case) -> None:
    """Eager, graph and several steps at once give one result, last partial batch included; XLA trains too."""

    def run(examples=10, **settings):
        model = playing(case, **settings)
        history = model.fit(case.dataset(examples, 4), epochs=1, verbose=0).history
        assert_finite([value for values in history.values() for value in values], f"a term with {settings}")
        return state(model)

    graph = run(jit_compile=False)
    assert count_different(graph, state(playing(case))), "nothing was trained"
    # Adam divides by gradients that may be tiny, which blows up rounding: the tolerance is one update's size.
    assert_close(run(run_eagerly=True), graph, "eager against graph", 1e-3)
    assert_close(run(jit_compile=False, steps_per_execution=2), graph, "steps_per_execution=2 against 1", 1e-3)
    # No partial batch: XLA compiles once for every shape, which is what takes long here.
    assert_finite(run(examples=4, jit_compile=True), "a variable after XLA")


def distribution(case: Case) -> None:
    """On two devices, replicas draw their own numbers, and gradients are averaged once.

    The second is seen with equal data and equal draws on both: a step then equals that of one device, whatever the
    layers.
    """
    run_in_worker(_distribution, case)


def _distribution(case: Case) -> None:
    strategy = two_devices()
    single = _with_plain_descent(case)
    with strategy.scope():
        mirrored = _with_plain_descent(case)
    before = state(single)
    shard = case.examples(4)
    twice = tf.nest.map_structure(lambda x: np.concatenate([x, x]), shard)
    for model in (single, mirrored):
        model.next_seed = lambda: tf.constant([3, 1])
    reported = single.fit(_one_batch(shard), verbose=0).history
    reported_by_two = mirrored.fit(_one_batch(twice), verbose=0).history
    assert count_different(state(single), before), "nothing was trained"
    # Twice the images were seen, with equal effect.
    mirrored.clock.images.assign(single.clock.images)
    assert_close(state(mirrored), state(single), "two devices against one", 1e-5)
    for name, values in reported.items():
        assert np.allclose(values, reported_by_two[name], rtol=1e-4, atol=1e-5), (
            f"{name} is {values} on one device and {reported_by_two[name]} on two"
        )

    if "latents" not in mirrored.takes:
        return
    del mirrored.next_seed
    draws = strategy.run(tf.function(lambda: mirrored.sample_latents(2, mirrored.next_seed())))
    first, second = strategy.experimental_local_results(draws)
    assert not np.allclose(first, second), "both replicas draw the same latents; use next_seed()"


def _with_plain_descent(case: Case) -> keras.Model:
    """Return a compiled model with plain gradient descent, whose step is proportional to the gradient."""
    model = case.make(seed=0)
    model.compile(**{name: keras.optimizers.SGD(0.1) for name in _optimizer_arguments(case)})
    model.clock.epochs.assign(case.plays_after)
    return model


def _optimizer_arguments(case: Case) -> tuple:
    if "no_optimizer" in case.tags:
        return ()
    return ("d_optimizer", "g_optimizer") if "has_discriminator" in case.tags else ("optimizer",)


def _one_batch(examples: tuple) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensors(examples)
