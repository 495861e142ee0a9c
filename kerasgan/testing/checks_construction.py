"""Checks of the contract on models as built: arguments, configs, outputs, errors."""

import inspect
import json

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core.judged import Batch, Update
from kerasgan.core.sampling import as_input
from kerasgan.kinds import Latents
from kerasgan.testing.case import Case
from kerasgan.testing.tools import compiled, dtype_policy, expect_error


def default_constructible(case: Case) -> None:
    """Every constructor argument has a default, and is kept under its own name."""
    cls = type(case.make(seed=0))
    parameters = [p for p in inspect.signature(cls.__init__).parameters.values() if p.name != "self"]
    required = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    assert not required, f"{cls.__name__} needs {required}: give every argument a default"
    model = cls()
    # dtype is kept as the dtype policy; None as a name or seed leaves the choice to the model.
    kept = [p for p in parameters if p.name != "dtype" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    for parameter in kept:
        assert hasattr(model, parameter.name), f"{cls.__name__} does not keep its argument {parameter.name}"
        if isinstance(parameter.default, int | float | str | tuple) and not isinstance(parameter.default, bool):
            value = getattr(model, parameter.name)
            if isinstance(value, int | float | str | tuple | list):
                assert _plain(value) == _plain(parameter.default), f"{parameter.name} is {value!r}"


def config_roundtrip(case: Case) -> None:
    """A model made from a config has that config, JSON-identical, and the same layers and dtype policies."""
    for policy in ("float32", "mixed_bfloat16"):
        with dtype_policy(policy):
            model = case.make(seed=3)
            model.compile()
        config = json.loads(json.dumps(model.get_config()))
        again = type(model).from_config(json.loads(json.dumps(config)))
        assert json.loads(json.dumps(again.get_config())) == config, "get_config changed in a round trip"
        settings = json.loads(json.dumps(model.get_compile_config()))
        again.compile_from_config(settings)
        assert _structure(again) == _structure(model), f"layers or dtypes changed in a round trip under {policy}"
        assert json.loads(json.dumps(again.get_compile_config())) == settings, "the compile config changed"


def output(case: Case) -> None:
    """What is made has its kind's shape, dtype and range, and does not depend on the batch it is made in."""
    model, given = case.make(seed=0), case.given(5)
    kind = model.makes
    made = model.generate(5, seed=1, **given)
    assert made.shape == (5, *kind.shape), f"generate(5) has shape {made.shape}"
    assert made.dtype == kind.dtype, f"generate gives {made.dtype}"
    assert np.all(np.isfinite(made)), "generate gives values that are not finite"
    kind.check_values(made)
    assert kind.peak_to_peak is None or np.ptp(made) <= kind.peak_to_peak, f"{made.min()}..{made.max()} is too far"
    assert np.ptp(made, axis=0).max() > 0, "all that is generated is equal"

    called = np.asarray(model(as_input(model.sampler_inputs(5, seed=1, **given))))
    assert kind.error(called, made) <= 1e-5, "calling the model and generate disagree"
    small = model.generate(5, seed=1, **given, batch_size=2)
    assert kind.error(small, made) <= 1e-5, "generate depends on batch_size"
    assert np.array_equal(model.generate(5, seed=1, **given), made), "the same seed gives something else"
    if any(isinstance(each, Latents) for each in model.takes.values()):
        others = model.generate(5, seed=2, **given)
        assert not np.array_equal(others, made), "another seed gives the same"


def logits(case: Case) -> None:
    """The discriminator returns one float32 logit an image, not a probability."""
    for policy in ("float32", "mixed_bfloat16"):
        with dtype_policy(policy):
            policy_model = compiled(case)
        real, given = policy_model.unpack(case.batch(6))
        found = []
        for scale in (1.0, 30.0, 900.0, -1.0, -30.0, -900.0):
            # Tokens have no scale.
            scaled = tf.nest.map_structure(lambda x, scale=scale: scale * x if x.dtype.is_floating else x, real)
            found += tf.nest.flatten(policy_model.discriminate(scaled, **given))
        for each in found:
            assert each.dtype == tf.float32, f"logits are {each.dtype.name}; the last layer must be float32"
            # One logit a pack, where several images are judged together.
            assert 6 % each.shape[0] == 0, f"logits have shape {each.shape} for 6 images"
        values = np.concatenate([np.ravel(each) for each in found])
        # Probabilities that are all next to 0 are no sigmoid's: clipped weights give scores so small.
        unlike = values.min() < 0.0 or values.max() > 1.0 or values.max() < 0.01
        assert unlike, "the discriminator gives probabilities; return logits"


def given_inputs(case: Case) -> None:
    """What is given reaches what is made, and what is missing or wrong is refused."""
    model, given = compiled(case), case.given(4)
    for name, kind in model.takes.items():
        if name in given:
            # Classes may be alike to a generator that has learned nothing.
            model.train_step(case.batch())
            others = given | {name: np.roll(given[name], 1, axis=0)}
            first, second = (model.generate(4, seed=1, **each) for each in (given, others))
            assert not np.array_equal(first, second), f"what is generated does not depend on the {name}"
            with expect_error(f"{name} for another number", "received"):
                model.generate(3, seed=1, **{name: given[name]})
        if not kind.drawn:
            with expect_error(f"generate without {name}", f"give {name}="):
                model.generate(4, **{other: array for other, array in given.items() if other != name})
    with expect_error("an input that there is not", "takes", "received"):
        model.generate(2, nonsense=np.zeros(2))
    for left_out in [name for name in model.learns if name != case.made]:
        rest = {name: part for name, part in case.parts(4).items() if name != left_out}
        with expect_error(f"fit without {left_out}", left_out, "received"):
            model.fit(rest, verbose=0)
    if "labels" in given:
        _labels(case, model)
    elif "labels" not in model.takes:
        with expect_error("labels for a model without them", "unconditional", "labels"):
            model.generate(2, labels=[0, 1])


def _labels(case: Case, model) -> None:
    """Check that labels are cycled through, reach the discriminator, and are checked."""
    classes = model.takes["labels"].num_classes
    cycled = model.generate(classes, seed=1)
    assert np.allclose(cycled[0], model.generate(classes, seed=1, labels=0)[0], atol=1e-5)
    if "has_discriminator" in case.tags:
        real, given = model.unpack(case.batch(4))
        seen = [_discriminator_objective(model, real, given["labels"] * 0 + label) for label in (0, 1)]
        assert seen[0] != seen[1], "the discriminator's terms do not depend on the labels"
    for bad in (classes, -1, [0, 1], 0.5):
        with expect_error(f"generate(4, labels={bad})", "labels must be", "received"):
            model.generate(4, labels=bad)
    with expect_error("fit with a label that is no class", "labels must be"):
        model.fit(case.parts(4) | {"labels": np.full(4, classes)}, verbose=0)


def error_messages(case: Case) -> None:
    """Wrong input is refused in words that say what was received and what was expected."""
    model, kind = case.make(seed=0), case.declared.learns[case.made]
    with expect_error("fit before compile", "compile"):
        model.fit(case.dataset(), verbose=0)
    model.compile()
    with expect_error("another size", f"{kind.shape}", "received", f"{kind.shape[0] + 2}"):
        model.fit(_changed(case, lambda x: tf.concat([x, x[:, :2]], 1)), verbose=0)
    other = "uint8" if kind.dtype == "float32" else "float32"
    with expect_error(f"values as {other}", f"received {other}"):
        model.fit(_changed(case, lambda x: tf.cast(x, other)), verbose=0)
    # Eager: nothing is compiled for what is refused.
    model.compile(run_eagerly=True)
    if kind.bounds is not None:
        with expect_error("values out of bounds", kind.bounds_message):
            model.fit(_changed(case, lambda x: (x + 2) * tf.cast(1e38, x.dtype) if other == "uint8" else x + 999),
                      verbose=0)  # fmt: skip
    if kind.dtype == "float32":
        with expect_error("NaN", "finite"):
            model.fit(_changed(case, lambda x: x * float("nan")), verbose=0)
    with expect_error("sample weights", "takes no sample_weight"):
        model.fit(case.dataset(), sample_weight=np.ones(12), verbose=0)
    with expect_error("class weights", "takes no class_weight"):
        model.fit(case.dataset(), class_weight={0: 1.0}, verbose=0)
    for bad in (0, -1, 2.5, True):
        with expect_error(f"generate({bad})", "positive integer", "received"):
            model.generate(bad)


def _discriminator_objective(model: keras.Model, real, labels) -> float:
    batch = Batch(real, -real, None, {"labels": labels}, tf.constant([1, 2]))
    judged = model.judged(batch, Update(model.discriminator, model.d_optimizer, training=False, frozen=True))
    return float(model.total(model.discriminator_terms(judged)))


def _changed(case: Case, function) -> tf.data.Dataset:
    """Return the case's data, as dicts, with what the model learns to make put through a function."""
    data = tf.data.Dataset.from_tensor_slices(case.parts(12)).batch(6)
    return data.map(lambda parts: parts | {case.made: function(parts[case.made])})


def _structure(model: keras.Model) -> list:
    # Models and inputs take the global policy, but compute nothing themselves.
    computing = [x for x in model._flatten_layers() if not isinstance(x, keras.Model | keras.layers.InputLayer)]
    layers = [(type(layer).__name__, layer.dtype_policy.name) for layer in computing]
    return layers + [(tuple(variable.shape), str(variable.dtype)) for variable in model.variables]


def _plain(value):
    return list(value) if isinstance(value, tuple | list) else value
