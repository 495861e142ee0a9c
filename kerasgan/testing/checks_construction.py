"""Checks of the contract on models as built: arguments, configs, outputs, errors."""

import inspect
import json

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core.judged import Batch, Update
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
        assert _structure(again) == _structure(model), f"layers or dtypes changed in a round trip under {policy}"
        settings = json.loads(json.dumps(model.get_compile_config()))
        again.compile_from_config(settings)
        assert json.loads(json.dumps(again.get_compile_config())) == settings, "the compile config changed"


def output(case: Case) -> None:
    """Images have the right shape, dtype and range, and do not depend on the batch they are made in."""
    model = case.make(seed=0)
    labels = case.labels(5)
    images = model.generate(5, seed=1, labels=labels)
    assert images.shape == (5, *model.image_shape), f"generate(5) has shape {images.shape}"
    assert images.dtype == np.float32, f"generate gives {images.dtype}"
    assert np.all(np.isfinite(images)), "generate gives values that are not finite"
    assert np.abs(images).max() <= 1.0, f"generate leaves [-1, 1]: {images.min()}..{images.max()}"
    assert np.ptp(images, axis=0).max() > 0, "all generated images are equal"

    inputs = model.sampler_inputs(5, seed=1, labels=labels)
    called = np.asarray(model(inputs[0] if len(inputs) == 1 else inputs))
    assert np.allclose(called, images, atol=1e-5), "calling the model and generate disagree"
    small = model.generate(5, seed=1, labels=labels, batch_size=2)
    assert np.allclose(small, images, atol=1e-5), "generate depends on batch_size"
    assert np.array_equal(model.generate(5, seed=1, labels=labels), images), "the same seed gives other images"
    assert not np.array_equal(model.generate(5, seed=2, labels=labels), images), "another seed gives the same images"


def logits(case: Case) -> None:
    """The discriminator returns one float32 logit an image, not a probability."""
    for policy in ("float32", "mixed_bfloat16"):
        with dtype_policy(policy):
            policy_model = compiled(case)
        real, given = policy_model.unpack(case.batch(6))
        found = []
        for scale in (1.0, 30.0, 900.0, -1.0, -30.0, -900.0):
            scaled = tf.nest.map_structure(lambda images, scale=scale: scale * images, real)
            found += tf.nest.flatten(policy_model.discriminate(scaled, **given))
        for each in found:
            assert each.dtype == tf.float32, f"logits are {each.dtype.name}; the last layer must be float32"
            # One logit a pack, where several images are judged together.
            assert 6 % each.shape[0] == 0, f"logits have shape {each.shape} for 6 images"
        values = np.concatenate([np.ravel(each) for each in found])
        assert values.min() < 0.0 or values.max() > 1.0, "the discriminator gives probabilities; return logits"


def labels(case: Case) -> None:
    """Labels reach the generator and the discriminator, and wrong ones are refused."""
    model = compiled(case)
    # Classes may be alike to a generator that has learned nothing.
    model.train_step(case.batch())
    first, second = (model.generate(4, seed=1, labels=label) for label in (0, 1))
    assert not np.allclose(first, second), "generate makes the same images for different labels"
    cycled = model.generate(model.num_classes, seed=1)
    assert len(cycled) == model.num_classes
    assert np.allclose(cycled[0], model.generate(model.num_classes, seed=1, labels=0)[0], atol=1e-5)
    real, given = model.unpack(case.batch(4))
    seen = [_discriminator_objective(model, real, given["labels"] * 0 + label) for label in (0, 1)]
    assert seen[0] != seen[1], "the discriminator's terms do not depend on the labels"
    for bad in (model.num_classes, -1, [0, 1], 0.5):
        with expect_error(f"generate(4, labels={bad})", "labels must be", "received"):
            model.generate(4, labels=bad)
    with expect_error("fit without labels", "labels", "received"):
        model.fit(case.dataset().map(lambda images, _: images), verbose=0)


def error_messages(case: Case) -> None:
    """Wrong input is refused in words that say what was received and what was expected."""
    model = case.make(seed=0)
    with expect_error("fit before compile", "compile"):
        model.fit(case.dataset(), verbose=0)
    model.compile()
    height, width, channels = model.image_shape
    expected = f"({height}, {width}, {channels})"
    with expect_error("images of another size", expected, "received", f"{height + 2}"):
        model.fit(_changed(case, lambda x: tf.pad(x, ((0, 0), (1, 1), (0, 0), (0, 0)))), verbose=0)
    with expect_error("byte images", "[-1, 1]", "received uint8"):
        model.fit(_changed(case, lambda x: tf.cast(255 * (x + 1) / 2, "uint8")), verbose=0)
    with expect_error("images in 0..255", "[-1, 1]"):
        model.fit(_changed(case, lambda x: 255 * (x + 1) / 2), verbose=0)
    model.compile(run_eagerly=True)
    with expect_error("NaN images", "finite"):
        model.fit(_changed(case, lambda x: x * float("nan")), verbose=0)
    for bad in (0, -1, 2.5, True):
        with expect_error(f"generate({bad})", "positive integer", "received"):
            model.generate(bad)
    if "conditional" not in case.tags:
        with expect_error("labels for an unconditional model", "unconditional"):
            model.generate(2, labels=[0, 1])


def _discriminator_objective(model: keras.Model, real, labels) -> float:
    batch = Batch(real, -real, None, {"labels": labels}, tf.constant([1, 2]))
    judged = model.judged(batch, Update(model.discriminator, model.d_optimizer, training=False, frozen=True))
    return float(model.total(model.discriminator_terms(judged)))


def _changed(case: Case, function) -> tf.data.Dataset:
    """Return the case's data with all images, and only them, put through a function."""

    def change(*example):
        return tf.nest.map_structure(lambda x: function(x) if x.dtype.is_floating else x, example)

    return case.dataset().map(change)


def _structure(model: keras.Model) -> list:
    # Models and inputs take the global policy, but compute nothing themselves.
    computing = [x for x in model._flatten_layers() if not isinstance(x, keras.Model | keras.layers.InputLayer)]
    layers = [(type(layer).__name__, layer.dtype_policy.name) for layer in computing]
    return layers + [(tuple(variable.shape), str(variable.dtype)) for variable in model.variables]


def _plain(value):
    return list(value) if isinstance(value, tuple | list) else value
