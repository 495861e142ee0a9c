import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import BatchNormalization, Bounded

INPUTS = np.random.default_rng(0).normal(1.0, 3.0, (6, 5, 4, 7)).astype("float32")


def pair(**settings):
    """Our layer and the Keras one, with the same weights away from their initial values."""
    layers = BatchNormalization(**settings), keras.layers.BatchNormalization(**settings)
    for layer in layers:
        layer.build((None, *INPUTS.shape[1:]))
        rng = np.random.default_rng(1)
        layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return layers


def run(layer, inputs=INPUTS, training=True, graph=False):
    """Return outputs, gradients for inputs and weights, and the moving statistics after."""
    inputs = tf.convert_to_tensor(inputs)

    def step():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=training)
            value = tf.reduce_sum(tf.sin(tf.cast(outputs, "float32")))
        return outputs, tape.gradient(value, [inputs, *layer.trainable_variables])

    outputs, gradients = (tf.function(step) if graph else step)()
    arrays = [outputs, *gradients, *layer.non_trainable_variables]
    return [np.asarray(array, "float32") for array in arrays]


def assert_all_close(first, second, **tolerance):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("settings", [{}, {"momentum": 0.9, "epsilon": 1e-5}, {"axis": 3}])
def test_equals_the_keras_layer(settings, training, graph):
    ours, kerass = pair(**settings)
    assert_all_close(run(ours, training=training, graph=graph), run(kerass, training=training), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("settings", [{"scale": False}, {"center": False}, {"axis": 1}])
def test_what_the_kernel_cannot_do_goes_the_keras_way(settings):
    ours, kerass = pair(**settings)
    assert_all_close(run(ours), run(kerass), rtol=1e-4, atol=1e-4)


def test_inputs_of_two_dimensions():
    layers = BatchNormalization(), keras.layers.BatchNormalization()
    results = [run(layer, INPUTS.reshape(-1, 7)) for layer in layers]
    assert_all_close(*results, rtol=1e-4, atol=1e-4)


def test_training_on_images_takes_the_fused_kernel():
    ours, _ = pair()
    graph = tf.function(lambda x: ours(x, training=True)).get_concrete_function(tf.TensorSpec(INPUTS.shape))
    operations = {operation.type for operation in graph.graph.get_operations()}
    assert "FusedBatchNormV3" in operations


def test_under_mixed_bfloat16():
    ours, kerass = pair(dtype="mixed_bfloat16")
    half = tf.cast(INPUTS, "bfloat16")
    results = [run(layer, half) for layer in (ours, kerass)]
    assert ours(half, training=True).dtype == tf.bfloat16
    reference = run(pair()[1], np.asarray(half, "float32"))
    # Outputs and gradients within bfloat16's three digits; statistics, kept in float32, better than that.
    for result in results:
        assert_all_close(result[:1], reference[:1], rtol=0.03, atol=0.03)
    assert_all_close(results[0][-2:], reference[-2:], rtol=1e-3, atol=1e-3)
    assert [str(weight.dtype) for weight in ours.weights] == ["float32"] * 4


def test_moving_statistics_track_the_population_variance():
    layer = BatchNormalization(momentum=0.0)
    layer(INPUTS, training=True)
    np.testing.assert_allclose(layer.moving_mean, INPUTS.mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, INPUTS.var(axis=(0, 1, 2)), rtol=1e-4)


def test_a_frozen_layer_does_not_move():
    layer, _ = pair()
    layer.trainable = False
    before = layer.get_weights()
    outputs = layer(INPUTS, training=True)
    assert_all_close(layer.get_weights(), before, rtol=0)
    np.testing.assert_allclose(outputs, layer(INPUTS, training=False), rtol=1e-6)


def test_a_batch_of_one_pixel_an_image():
    layer = BatchNormalization()
    outputs = layer(INPUTS[:1, :1, :1], training=True)
    assert np.all(np.isfinite(outputs))
    assert np.all(np.isfinite(layer.moving_variance))


def test_config_round_trip():
    layer = BatchNormalization(momentum=0.8, epsilon=1e-4, name="norm")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is BatchNormalization
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("slope", [1.0, -1.0])
def test_bounded_values_learn_to_come_back_and_never_to_go_further(slope):
    values = tf.constant([-9.0, -2.0, 0.0, 2.0, 9.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        cut = Bounded(4.0)(values)
        loss = slope * tf.reduce_sum(cut)
    np.testing.assert_array_equal(cut, [-4.0, -2.0, 0.0, 2.0, 4.0])
    # A step goes against the gradient.
    back = [0.0, 1.0, 1.0, 1.0, 1.0] if slope > 0 else [-1.0, -1.0, -1.0, -1.0, 0.0]
    np.testing.assert_array_equal(tape.gradient(loss, values), back)


def test_bounds_are_above_zero():
    with pytest.raises(ValueError, match="limit must be above 0; received 0"):
        Bounded(0)
