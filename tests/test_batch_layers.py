"""Layers that look at more than one example: minibatch features, and normalisation by a reference batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.layers import (
    MinibatchDiscrimination,
    MinibatchStandardDeviation,
    ReferenceBatch,
    VirtualBatchNormalization,
    WithoutReference,
)

RNG = np.random.default_rng(0)


def gradient_error(layer, inputs) -> float:
    """Return the largest difference between the layer's gradient and finite differences, in parts of the largest."""
    theirs, ours = tf.test.compute_gradient(lambda x: layer(x), [tf.constant(inputs, "float32")], delta=1e-3)
    return np.abs(theirs[0] - ours[0]).max() / np.abs(ours[0]).max()


def round_trip(network, folder):
    network.save(folder / "network.keras")
    return keras.models.load_model(folder / "network.keras")


# Minibatch standard deviation


def deviations(images, groups) -> np.ndarray:
    """One image after another, as the paper has it: of its group, the deviation at each place, averaged."""
    own = np.zeros(len(images))
    for group in groups:
        own[group] = np.sqrt(images[group].var(0) + 1e-8).mean()
    return own


GROUPS = {
    (8, 4): [[0, 2, 4, 6], [1, 3, 5, 7]],
    (9, 4): [[0, 2, 4, 6, 8], [1, 3, 5, 7]],
    (11, 4): [[0, 2, 4, 6, 8, 10], [1, 3, 5, 7, 9]],
    (7, 4): [[0, 1, 2, 3, 4, 5, 6]],
    (3, 4): [[0, 1, 2]],
    (1, 4): [[0]],
    (4, 2): [[0, 2], [1, 3]],
}


@pytest.mark.parametrize(("size", "group_size"), GROUPS)
def test_every_image_gets_the_deviation_of_its_own_group(size, group_size):
    images = RNG.normal(size=(size, 3, 2, 5)) * np.arange(1, size + 1).reshape(-1, 1, 1, 1)
    layer = MinibatchStandardDeviation(group_size)
    found = layer(tf.constant(images, "float32")).numpy()
    np.testing.assert_allclose(found[..., :5], images, rtol=1e-6)
    expected = deviations(images, GROUPS[size, group_size])
    np.testing.assert_allclose(found[..., 5], np.broadcast_to(expected[:, None, None], (size, 3, 2)), rtol=1e-4)


@pytest.mark.parametrize(
    "layer", [MinibatchStandardDeviation(3), MinibatchDiscrimination(4, 2, keras.initializers.RandomNormal(0, 0.5, 1))]
)
def test_gradients_by_finite_differences(layer):
    assert gradient_error(layer, RNG.normal(size=(7, 5))) < 0.02


@pytest.mark.parametrize(("dtype", "tolerance"), [("mixed_bfloat16", 0.02), ("mixed_float16", 0.002)])
def test_half_precision_loses_its_own_digits_only(dtype, tolerance):
    inputs = RNG.normal(size=(6, 10)).astype("float32") * 200.0  # Squares beyond float16.
    for make in (MinibatchStandardDeviation, lambda dtype: MinibatchDiscrimination(3, 2, Small(), dtype=dtype)):
        half = make(dtype=dtype)(inputs)
        assert half.dtype == tf.as_dtype(dtype.removeprefix("mixed_"))
        full = make(dtype="float32")(tf.cast(tf.cast(inputs, half.dtype), "float32"))
        np.testing.assert_allclose(tf.cast(half, "float32"), full, rtol=tolerance, atol=tolerance * 10)


class Small(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return tf.fill(shape, tf.cast(1e-4, dtype or "float32"))


def test_a_batch_of_one_has_finite_slopes():
    one = tf.Variable(RNG.normal(size=(1, 5)), dtype="float32")
    for layer in (MinibatchStandardDeviation(), MinibatchDiscrimination(3)):
        with tf.GradientTape() as tape:
            outputs = layer(one)
        np.testing.assert_allclose(outputs[:, 5:], 0.0, atol=2e-4)
        assert np.isfinite(tape.gradient(outputs, one)).all()


@pytest.mark.parametrize("bad", [0, -1, 2.0, True])
def test_groups_have_a_size(bad):
    with pytest.raises(ValueError, match="group_size >= 1; got"):
        MinibatchStandardDeviation(bad)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("make", [MinibatchStandardDeviation, MinibatchDiscrimination])
def test_batches_of_any_size_in_a_compiled_step(make, jit_compile):
    layer = make()
    layer.build((None, 5))
    step = tf.function(layer, jit_compile=jit_compile, input_signature=[tf.TensorSpec((None, 5), "float32")])
    for size in (9, 3):
        inputs = tf.constant(RNG.normal(size=(size, 5)), "float32")
        np.testing.assert_allclose(step(inputs), layer(inputs), rtol=1e-4, atol=1e-5)


# Minibatch discrimination


def test_minibatch_discrimination_against_the_formula():
    features = RNG.normal(size=(6, 5)).astype("float32")
    layer = MinibatchDiscrimination(4, 3)
    found = layer(features).numpy()
    seen = np.einsum("na,abc->nbc", features, layer.kernel.numpy().reshape(5, 4, 3))
    expected = np.zeros((6, 4))
    for i in range(6):
        for j in range(6):
            if i != j:
                expected[i] += np.exp(-np.abs(seen[i] - seen[j]).sum(1))
    np.testing.assert_allclose(found, np.concatenate([features, expected], 1), rtol=1e-4)


def test_images_that_look_alike_are_close():
    layer = MinibatchDiscrimination(4, 3)
    alike, unlike = np.repeat(RNG.normal(size=(1, 5)), 6, 0), 10.0 * RNG.normal(size=(6, 5))
    assert layer(alike)[:, 5:].numpy().min() == pytest.approx(5.0)
    assert layer(unlike)[:, 5:].numpy().mean() < 1.0


# A whole discriminator


def discriminator(dtype=None):
    images = keras.Input((16, 16, 1))
    x = MinibatchStandardDeviation(4, dtype=dtype)(keras.layers.Conv2D(4, 4, 4, dtype=dtype)(images))
    x = keras.layers.Dense(8, "leaky_relu", dtype=dtype)(keras.layers.Flatten(dtype=dtype)(x))
    x = MinibatchDiscrimination(3, 2, dtype=dtype)(x)
    return keras.Model(images, keras.layers.Dense(1, dtype="float32")(x))


def generator(dtype=None):
    """One with virtual batch norm, dense and convolutional."""
    latents = keras.Input((4,))
    x = ReferenceBatch(5, dtype=dtype)(latents)
    x = VirtualBatchNormalization(5, dtype=dtype)(keras.layers.Dense(32, dtype=dtype)(x))
    x = keras.layers.Reshape((4, 4, 2), dtype=dtype)(keras.layers.ReLU(dtype=dtype)(x))
    x = VirtualBatchNormalization(5, dtype=dtype)(keras.layers.Conv2DTranspose(3, 4, 2, "same", dtype=dtype)(x))
    x = keras.layers.Conv2DTranspose(1, 4, 2, "same", dtype=dtype)(x)
    x = WithoutReference(5, dtype="float32")(keras.layers.Activation("tanh", dtype="float32")(x))
    return keras.Model(latents, x)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_game_with_all_of_them_and_a_short_last_batch(dtype, images, tmp_path):
    gan = kerasgan.GAN(generator(dtype), discriminator(dtype), ema_decay=0.9, seed=1, dtype=dtype)
    gan.compile(regularizers=["r1"])
    reference = gan.generator.layers[1].reference.numpy()
    history = gan.fit(images[:17], batch_size=8, epochs=2, verbose=0).history
    assert np.isfinite(list(history.values())).all()
    np.testing.assert_array_equal(gan.ema_generator.layers[1].reference, reference)
    samples = gan.generate(6, seed=1)
    assert samples.shape == (6, 16, 16, 1)
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(again.generate(6, seed=1), samples)
    np.testing.assert_allclose(again.discriminate(images), gan.discriminate(images), rtol=1e-5)


# Virtual batch norm


def test_virtual_batch_norm_against_numpy():
    inputs = RNG.normal(3.0, 2.0, (9, 4, 3, 2))
    layer = VirtualBatchNormalization(6, epsilon=1e-5)
    layer.build(inputs.shape)
    layer.set_weights([np.array([2.0, 0.5]), np.array([1.0, -1.0])])
    found = layer(tf.constant(inputs, "float32")).numpy()
    for number in range(9):
        among = inputs[:6] if number < 6 else np.concatenate([inputs[:6], inputs[number : number + 1]])
        mean, variance = among.mean((0, 1, 2)), among.var((0, 1, 2))
        expected = (inputs[number] - mean) / np.sqrt(variance + 1e-5) * [2.0, 0.5] + [1.0, -1.0]
        np.testing.assert_allclose(found[number], expected, rtol=1e-3, atol=1e-4)


def test_virtual_batch_norms_gradient_and_precision():
    assert gradient_error(VirtualBatchNormalization(3), RNG.normal(size=(5, 4))) < 0.02
    # A mean far from 0, whose square would swallow the variance.
    far = tf.constant(1000.0 + RNG.normal(size=(8, 4)), "float32")
    assert np.abs(VirtualBatchNormalization(7)(far)).max() == pytest.approx(np.sqrt(7), abs=1.5)
    half = VirtualBatchNormalization(4, dtype="mixed_float16")(tf.constant(300.0 * RNG.normal(size=(6, 3)), "float16"))
    assert half.dtype == tf.float16
    assert np.isfinite(half).all()
    assert np.abs(half).max() < 3


def test_an_image_does_not_depend_on_those_made_beside_it():
    network = generator()
    latents = RNG.normal(size=(7, 4)).astype("float32")
    together = network(latents, training=True)
    alone = tf.concat([network(latents[n : n + 1], training=False) for n in range(7)], 0)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_reference_is_saved_and_no_optimizer_moves_it(tmp_path):
    network = generator()
    assert network.layers[1].reference.shape == (5, 4)
    assert np.abs(network.layers[1].reference).std() > 0.3
    assert not network.layers[1].trainable_variables
    latents = RNG.normal(size=(3, 4))
    np.testing.assert_array_equal(round_trip(network, tmp_path)(latents), network(latents))


@pytest.mark.parametrize("cls", [ReferenceBatch, VirtualBatchNormalization, WithoutReference])
def test_a_reference_of_one_example_is_refused(cls):
    with pytest.raises(ValueError, match=r"reference_size >= 2.*received 1"):
        cls(1)
