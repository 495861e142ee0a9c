"""The sampler of a model, made ready for export: in float32, with named inputs and outputs."""

import functools

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core.attributes import Attributes
from kerasgan.core.sampling import Sampling, as_input
from kerasgan.kinds import Latents

_LOW_PRECISION = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


def check_model(model) -> None:
    """Raise a ValueError unless the model has what an export needs, examples included."""
    if not isinstance(model, Sampling):
        raise ValueError(
            "Export takes a kerasgan model, such as kerasgan.from_preset(...) returns, or one of its directions; "
            f"received {model!r}{', which has no weights: it is a class' if isinstance(model, type) else ''}."
        )
    missing = [name for name, kind in model.takes.items() if not kind.drawn and name not in model.examples]
    if missing:
        raise ValueError(
            f"The {' and '.join(missing)} that {type(model).__name__} takes cannot be made up, and exports are checked "
            f"on real ones. Give it some: model.examples = {{{', '.join(f'{name!r}: array' for name in missing)}}}."
        )


def check_quantization(model, quantization: str) -> None:
    """Raise a ValueError where a quantization makes no sense for what the model makes."""
    if quantization not in model.makes.quantizations:
        raise ValueError(
            f"{type(model).__name__} makes {model.makes.name}, which {quantization} weights would make others of, not "
            f"less exact ones. Export it in {' or '.join(model.makes.quantizations)}."
        )


def describe_source(model) -> dict:
    """Return what a report says about the exported model."""
    return {
        "class": type(getattr(model, "model", model)).__name__,
        "name": model.name,
        "makes": model.makes.describe(),
        "dtype_policies": sorted({layer.dtype_policy.name for layer in _layers(model.sampler)}),
        "parameters": int(model.sampler.count_params()),
        **_attributes(model),
    }


def _attributes(model) -> dict:
    """Return the named directions of a model's latents, for sliders beside a file; nothing where none was learned."""
    # A file takes latents: directions of another space are nothing to add to them.
    moved = isinstance(model, Attributes) and model.attribute_space == "z"
    directions = model.attribute_directions() if moved else {}
    rounded = {name: [round(float(x), 5) for x in direction] for name, direction in directions.items()}
    return {"attributes": rounded} if any(map(any, rounded.values())) else {}


def facts(model, name: str) -> dict:
    """Return what a report says of an input's numbers: how random ones are drawn, which words tokens stand for."""
    kind = model.takes[name]
    if isinstance(kind, Latents):
        return {"drawn": kind.distribution}
    return {"words": list(kind.words)} if getattr(kind, "words", None) else {}


def float32_sampler(model) -> keras.Model:
    """Return the model's sampler in float32, with the same weights."""
    return in_float32(model.sampler)


def in_float32(sampler: keras.Model) -> keras.Model:
    """Return a network in float32, with the same weights.

    One that already computes in float32 on one device is returned as it is. One with a
    mixed or low precision policy is rebuilt from its config: phones and browsers have no
    bfloat16. So is one whose variables are spread over several devices.
    """
    policies = {layer.dtype_policy.name for layer in _layers(sampler)}
    spread = any(isinstance(variable.value, tf.distribute.DistributedValues) for variable in sampler.variables)
    if not spread and policies.isdisjoint(_LOW_PRECISION):
        return sampler
    config = _in_float32(keras.saving.serialize_keras_object(sampler))
    # Outside of any strategy scope the copy's variables are plain ones.
    copy = keras.saving.deserialize_keras_object(config)
    copy.set_weights([_as_float32(weight) for weight in sampler.get_weights()])
    return copy


class BoundedTanh(keras.layers.Layer):
    """Tanh of an input that is first cut at -4, where tanh is within 0.0007 of -1.

    A trained generator drives its background to -100 and beyond. 8-bit integers over that range are steps wider than
    all that tanh tells apart. The cut is a ReLU, which the converter fuses into the layer before.
    """

    bound = 4.0

    def call(self, inputs):
        """Return tanh(max(inputs, -4))."""
        # One number a channel: with a single one, the converter makes a single number of equal biases before it, and
        # then refuses that as a bias.
        bounds = tf.fill([inputs.shape[-1]], tf.constant(self.bound, inputs.dtype))
        return tf.tanh(tf.nn.relu(inputs + bounds) - self.bound)

    def compute_output_shape(self, input_shape):
        """Return the input's shape."""
        return input_shape


def with_bounded_tanh(sampler: keras.Model) -> keras.Model:
    """Return a copy of a functional sampler, with the same weights, whose tanh activations are bounded for int8."""

    def copied(layer):
        if isinstance(layer, keras.layers.Activation) and layer.activation is keras.activations.tanh:
            return BoundedTanh(name=layer.name, dtype="float32")
        return type(layer).from_config(layer.get_config())

    copy = keras.models.clone_model(sampler, clone_function=copied)
    copy.set_weights(sampler.get_weights())
    return copy


def float_operators(sampler: keras.Model) -> list[str]:
    """Return the TFLite operators that layers of the sampler say must not be computed with 8 bits."""
    return sorted({name for layer in _layers(sampler) for name in getattr(layer, "float_operators", ())})


def _layers(sampler: keras.Model) -> list:
    return [layer for layer in sampler._flatten_layers() if layer is not sampler]


def _in_float32(config):
    """Return a serialised object with every floating-point dtype in it set to float32."""
    if isinstance(config, list | tuple):
        return type(config)(_in_float32(item) for item in config)
    if not isinstance(config, dict):
        return config
    config = {key: _in_float32(value) for key, value in config.items()}
    if config.get("class_name") == "DTypePolicy":
        config["config"] = config["config"] | {"name": "float32"}
    if config.get("dtype") in _LOW_PRECISION:
        config["dtype"] = "float32"
    return config


def _as_float32(weight: np.ndarray) -> np.ndarray:
    return weight.astype("float32") if weight.dtype.name in _LOW_PRECISION else weight


def named_inputs(model, n: int, seed: int) -> dict[str, np.ndarray]:
    """Return inputs of the sampler for n outputs, by name; examples come again and again."""
    given = {
        name: model.examples[name][np.arange(n) % len(model.examples[name])]
        for name, kind in model.takes.items()
        if not kind.drawn
    }
    arrays = model.sampler_inputs(n, seed=seed, **given)
    return {name: np.asarray(array) for name, array in zip(model.takes, arrays, strict=True)}


def serving_function(sampler: keras.Model, model, batch_size: int | None, freeze: bool):
    """Return a concrete function with named inputs and a named output that runs the sampler.

    Args:
        sampler: the float32 network.
        model: what it is the sampler of, which names its inputs and output.
        batch_size: fixed number of outputs of a call; None for any.
        freeze: make constants of the weights, see `frozen`.
    """
    run = frozen(sampler) if freeze else functools.partial(sampler, training=False)

    def serve(**inputs):
        made = run(as_input([inputs[name] for name in model.takes]))
        return {model.makes.name: tf.cast(made, model.makes.dtype)}

    specs = {
        name: tf.TensorSpec((batch_size, *kind.shape), kind.dtype, name=name) for name, kind in model.takes.items()
    }
    return tf.function(serve).get_concrete_function(**specs)


def frozen(network: keras.Model):
    """Return a function of a network's inputs, to be traced, in which the weights are constants.

    The TFLite converter leaves some variables of a Keras 3 model as resources, which read as zeros in the file.
    """
    # Made outside the trace: constants of the graph rather than captured arguments.
    weights = [
        [np.asarray(variable) for variable in variables]
        for variables in (network.trainable_variables, network.non_trainable_variables)
    ]

    def run(given):
        constants = [[tf.constant(array) for array in arrays] for arrays in weights]
        made, _ = network.stateless_call(*constants, given, training=False)
        return made

    return run


def reference_output(sampler: keras.Model, model, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return what Keras makes of the inputs, in the dtype of what the model makes.

    Raises:
        ValueError: the output is not finite.
    """
    # On a CPU: a GPU's default matrix products (TF32) are further from float32 than a good export.
    with tf.device("CPU:0"):
        made = np.asarray(sampler(as_input(list(inputs.values())), training=False), model.makes.dtype)
    if not np.isfinite(made).all():
        raise ValueError(
            f"The model itself makes {model.makes.name} that are not finite, so there is nothing to export. "
            "Its weights have diverged: go back to an earlier checkpoint."
        )
    return made
