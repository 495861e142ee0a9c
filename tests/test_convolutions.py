import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import convolutions

LAYERS = {
    "halve": (convolutions.Conv2D, keras.layers.Conv2D),
    "double": (convolutions.Conv2DTranspose, keras.layers.Conv2DTranspose),
}


@pytest.fixture(autouse=True)
def _matrix_products(monkeypatch):
    """Take the path of CPUs that gain, on every CPU."""
    monkeypatch.setattr(convolutions, "_gains", lambda: True)


def run(layer_class, inputs, **settings):
    """Return a layer's outputs and its gradients for inputs and kernel, compiled for any batch size."""
    layer = layer_class(
        6, 4, 2, "same", use_bias=False, kernel_initializer=keras.initializers.RandomNormal(seed=0), **settings
    )
    layer.build((None, *inputs.shape[1:]))

    @tf.function(input_signature=[tf.TensorSpec((None, *inputs.shape[1:]), "float32")])
    def step(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = tf.cast(layer(inputs), "float32")
            value = tf.reduce_sum(tf.sin(3.0 * outputs))
        return outputs, *tape.gradient(value, [inputs, *layer.trainable_variables])

    return [np.asarray(array, "float32") for array in step(tf.constant(inputs))]


def images(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("size", [(8, 8), (14, 14), (6, 10)])
@pytest.mark.parametrize("name", LAYERS)
def test_equals_the_keras_layer(name, size):
    ours, theirs = (run(each, images(5, *size, 3), dtype="mixed_bfloat16") for each in LAYERS[name])
    exact = run(LAYERS[name][1], images(5, *size, 3), dtype="float32")
    for first, second, third in zip(ours, theirs, exact, strict=True):
        scale = np.abs(third).max()
        assert first.shape == third.shape
        # As near to float32 as the Keras layer in bfloat16 is.
        assert np.abs(first - third).max() < 2 * np.abs(second - third).max() + 0.005 * scale


@pytest.mark.parametrize("name", LAYERS)
def test_the_kernel_gradient_is_exact_but_for_rounding(name, monkeypatch):
    monkeypatch.setattr(convolutions, "_uses_matrix_products", lambda layer, inputs: True)
    ours, theirs = (run(each, images(5, 8, 12, 3), dtype="float32") for each in LAYERS[name])
    for first, second in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-4)


def test_what_gains_nothing_goes_the_keras_way(monkeypatch):
    def refuse(*_):
        raise AssertionError("the matrix products were used")

    monkeypatch.setattr(convolutions, "_halve", refuse)
    with pytest.raises(AssertionError, match="were used"):
        run(convolutions.Conv2D, images(2, 8, 8, 3), dtype="mixed_bfloat16")
    run(convolutions.Conv2D, images(2, 8, 8, 3), dtype="float32")
    run(convolutions.Conv2D, images(2, 7, 8, 3), dtype="mixed_bfloat16")
    run(convolutions.Conv2D, images(2, 8, 8, 1), dtype="mixed_bfloat16")


def test_second_derivatives():
    """Penalties on input gradients go through the custom gradient."""
    layer = convolutions.Conv2D(4, 4, 2, "same", dtype="mixed_bfloat16")
    inputs = tf.constant(images(2, 8, 8, 3))
    layer.build(inputs.shape)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            outputs = tf.reduce_sum(tf.square(tf.cast(layer(inputs), "float32")))
        penalty = tf.reduce_sum(tf.square(inner.gradient(outputs, inputs)))
    assert np.abs(np.asarray(outer.gradient(penalty, layer.kernel), "float32")).max() > 0
