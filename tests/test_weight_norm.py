import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasgan.core.ema import clone_network
from kerasgan.core.judged import frozen_state
from kerasgan.layers import WeightNormalization

to_numpy = keras.ops.convert_to_numpy

IMAGES = np.random.default_rng(0).normal(1.0, 3.0, (64, 6, 6, 2)).astype("float32")


def dense(**settings):
    return WeightNormalization(layers.Dense(5, use_bias=False), **settings)


def convolution(**settings):
    return WeightNormalization(layers.Conv2D(5, 3, 2, use_bias=False), **settings)


def transposed(**settings):
    return WeightNormalization(layers.Conv2DTranspose(5, 4, 2, use_bias=False), **settings)


LAYERS = pytest.mark.parametrize("make", [dense, convolution, transposed])


@LAYERS
def test_a_unit_has_weights_of_the_length_of_its_scale(make):
    """The same as the layer with kernels of unit length, times the scale, plus the bias."""
    layer = make(data_dependent=False)
    layer.build(IMAGES.shape)
    scale, bias = np.array([1.0, 2.0, 3.0, -1.0, 0.5], "float32"), np.arange(5, dtype="float32")
    layer.scale.assign(scale)
    layer.bias.assign(bias)
    kernel = to_numpy(layer.layer.kernel)
    axes, shape = ((0, 1, 3), (1, 1, 5, 1)) if make is transposed else (tuple(range(kernel.ndim - 1)), (5,))
    plain = type(layer.layer).from_config(layer.layer.get_config() | {"use_bias": True})
    plain.build(IMAGES.shape)
    plain.set_weights([kernel / np.sqrt(np.sum(kernel**2, axes, keepdims=True)) * scale.reshape(shape), bias])
    np.testing.assert_allclose(layer(IMAGES), plain(IMAGES), rtol=1e-4, atol=1e-4)


@LAYERS
def test_the_first_batch_in_training_initialises_it_once(make):
    layer = make()
    axes = tuple(range(len(layer(IMAGES).shape) - 1))
    assert float(layer.initialized) == 0.0, "inference initialised it"
    with frozen_state():
        layer(IMAGES, training=True)
    assert float(layer.initialized) == 0.0, "the other network's update initialised it"

    first = np.array(layer(IMAGES, training=True))
    np.testing.assert_allclose(first.mean(axes), 0.0, atol=1e-4)
    np.testing.assert_allclose(first.std(axes), 1.0, atol=1e-3)
    kept = [to_numpy(variable) for variable in layer.variables]
    np.testing.assert_allclose(layer(IMAGES, training=False), first, rtol=1e-5, atol=1e-5)
    other = np.array(layer(2.0 * IMAGES, training=True))
    assert abs(other.std(axes) - 2.0).max() < 1e-2, "a later batch changed it"
    for variable, value in zip(layer.variables, kept, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_a_unit_that_does_not_vary_is_not_stretched():
    layer = dense()
    outputs = layer(np.ones((1, 3), "float32"), training=True)
    np.testing.assert_allclose(outputs, np.zeros((1, 5)), atol=1e-6)
    np.testing.assert_array_equal(layer.deviation, np.ones(5))


def test_the_scale_is_learned_or_left():
    learned, left = dense(), dense(train_scale=False)
    for layer in (learned, left):
        layer.build(IMAGES.shape)
    assert {each.name for each in learned.trainable_variables} == {"kernel", "scale", "bias"}
    assert {each.name for each in left.trainable_variables} == {"kernel", "bias"}


def test_gradients_are_those_of_the_formula():
    """Salimans and Kingma, equation 3: the gradient of the direction is orthogonal to it."""
    layer = dense(data_dependent=False)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(tf.sin(layer(IMAGES)))
    (slope,) = tape.gradient(value, [layer.layer.kernel.value])
    inner = np.sum(np.array(slope) * to_numpy(layer.layer.kernel), axis=0)
    np.testing.assert_allclose(inner, 0.0, atol=1e-3 * np.abs(slope).max())


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_keeps_its_statistics_in_float32(dtype):
    layer = WeightNormalization(layers.Dense(5, use_bias=False, dtype=dtype))
    outputs = layer(IMAGES, training=True)
    assert outputs.dtype == dtype.removeprefix("mixed_")
    assert {each.dtype for each in layer.variables} == {"float32"}
    flat = np.array(tf.cast(outputs, "float32")).reshape(-1, 5)
    np.testing.assert_allclose(flat.mean(0), 0.0, atol=0.02)
    np.testing.assert_allclose(flat.std(0), 1.0, atol=0.02)


def test_it_is_saved_and_cloned_as_initialised(tmp_path):
    inputs = keras.Input((3,))
    network = keras.Model(inputs, layers.ReLU()(dense(train_scale=False)(inputs)))
    rows = IMAGES.reshape(-1, 3)
    network(rows, training=True)
    network.save(tmp_path / "network.keras")
    expected = np.array(network(rows))
    for copy in (keras.models.load_model(tmp_path / "network.keras"), clone_network(network)):
        np.testing.assert_allclose(copy(rows, training=True), expected, rtol=1e-5, atol=1e-6)
        assert copy.layers[1].train_scale is False


@pytest.mark.parametrize("settings", [{}, {"use_bias": False, "activation": "relu"}])
def test_a_layer_with_bias_or_activation_is_refused(settings):
    with pytest.raises(ValueError, match=r"received 'mine'.*use_bias=False"):
        WeightNormalization(layers.Dense(5, name="mine", **settings))
