"""The sampler of a model, made ready for export: in float32, with named inputs and outputs."""

import keras
import numpy as np
import tensorflow as tf

_DEFAULT_INPUT_NAMES = ("latents", "labels")
# Names that Keras gives to inputs nobody named; they change from one process to the next.
_AUTOMATIC_PREFIXES = ("keras_tensor", "input_layer")
_LOW_PRECISION = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


def check_model(model) -> None:
    """Raise a ValueError unless the model has what an export needs."""
    needed = ("sampler", "sampler_inputs", "image_shape")
    missing = [name for name in needed if not hasattr(model, name)]
    if missing or isinstance(model, type):
        raise ValueError(
            f"Export takes a kerasgan model, such as kerasgan.from_preset(...) returns; received "
            f"{model!r}, which has no {', '.join(missing) or 'weights: it is a class'}."
        )


def describe_source(model) -> dict:
    """Return what a report says about the exported model."""
    return {
        "class": type(model).__name__,
        "name": getattr(model, "name", type(model).__name__),
        "image_shape": [int(size) for size in model.image_shape],
        "dtype_policies": sorted({layer.dtype_policy.name for layer in _layers(model.sampler)}),
        "parameters": int(model.sampler.count_params()),
    }


def float32_sampler(model) -> keras.Model:
    """Return the model's sampler in float32, with the same weights.

    A sampler that already computes in float32 on one device is returned as it is. One with a
    mixed or low precision policy is rebuilt from its config: phones and browsers have no
    bfloat16. So is one whose variables are spread over several devices.
    """
    sampler = model.sampler
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
        return tf.tanh(tf.nn.relu(inputs + self.bound) - self.bound)

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


def input_names(sampler: keras.Model) -> list[str]:
    """Return the names of the inputs: the sampler's own, or latents and labels if it has none."""
    names = [tensor.name for tensor in sampler.inputs]
    if len(names) <= len(_DEFAULT_INPUT_NAMES) and any(name.startswith(_AUTOMATIC_PREFIXES) for name in names):
        return list(_DEFAULT_INPUT_NAMES[: len(names)])
    return names


def named_inputs(model, n: int, seed: int) -> dict[str, np.ndarray]:
    """Return inputs of the sampler for n images, by name."""
    arrays = model.sampler_inputs(n, seed=seed)
    return {name: np.asarray(array) for name, array in zip(input_names(model.sampler), arrays, strict=True)}


def serving_function(sampler: keras.Model, names, batch_size: int | None, freeze: bool):
    """Return a concrete function with named inputs and outputs that runs the sampler.

    Args:
        sampler: the float32 network.
        names: names of its inputs, in order.
        batch_size: fixed number of images in a call; None for any.
        freeze: make constants of the weights. The TFLite converter leaves some variables of a
            Keras 3 model as resources, which read as zeros when the file is run.
    """
    # Made outside the trace: constants of the graph rather than captured arguments.
    weights = [
        [np.asarray(variable) for variable in variables]
        for variables in (sampler.trainable_variables, sampler.non_trainable_variables)
    ]

    def serve(**inputs):
        given = [inputs[name] for name in names]
        given = given[0] if len(given) == 1 else given
        if freeze:
            constants = [[tf.constant(array) for array in arrays] for arrays in weights]
            outputs, _ = sampler.stateless_call(*constants, given, training=False)
        else:
            outputs = sampler(given, training=False)
        return {name: tf.cast(output, "float32") for name, output in named_outputs(outputs).items()}

    specs = {
        name: tf.TensorSpec((batch_size, *tensor.shape[1:]), tensor.dtype, name=name)
        for name, tensor in zip(names, sampler.inputs, strict=True)
    }
    return tf.function(serve).get_concrete_function(**specs)


def named_outputs(outputs) -> dict:
    """Return outputs by name: a dict as it is, one tensor as images, several as images_0 ..."""
    if isinstance(outputs, dict):
        return dict(outputs)
    if isinstance(outputs, list | tuple):
        return {f"images_{number}": output for number, output in enumerate(outputs)}
    return {"images": outputs}


def reference_outputs(sampler: keras.Model, inputs: dict[str, np.ndarray]) -> dict:
    """Return what Keras makes of the inputs: float32 arrays by output name.

    Raises:
        ValueError: an output is not finite.
    """
    given = list(inputs.values())
    # On a CPU: a GPU's default matrix products (TF32) are further from float32 than a good export.
    with tf.device("CPU:0"):
        outputs = named_outputs(sampler(given[0] if len(given) == 1 else given, training=False))
    outputs = {name: np.asarray(output, "float32") for name, output in outputs.items()}
    if not all(np.isfinite(output).all() for output in outputs.values()):
        raise ValueError(
            "The model itself makes images that are not finite, so there is nothing to export. "
            "Its weights have diverged: go back to an earlier checkpoint."
        )
    return outputs
