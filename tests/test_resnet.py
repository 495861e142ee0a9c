"""Residual networks, and convolutions that resize."""

import keras
import numpy as np
import pytest

import kerasgan
from kerasgan.layers import (
    GlobalSumPooling2D,
    Projection,
    ResizingConv2D,
    SNConv2D,
    SNDense,
    SNResizingConv2D,
    convolutions,
)
from kerasgan.networks.resnet import resnet_discriminator, resnet_generator

IMAGES = np.random.default_rng(0).normal(size=(3, 8, 12, 5)).astype("float32")


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("resize", ["double", "halve"])
def test_resizing_equals_a_convolution_and_a_resizing(resize, fast, monkeypatch):
    monkeypatch.setattr(convolutions, "_gains_by", lambda inputs, kernel: fast)
    layer, plain = ResizingConv2D(7, resize, activation="relu"), keras.layers.Conv2D(7, 3, padding="same")
    layer.build(IMAGES.shape)
    plain.build(IMAGES.shape)
    layer.bias.assign(np.linspace(-1, 1, 7))
    plain.set_weights(layer.get_weights())
    if resize == "double":
        expected = plain(keras.layers.UpSampling2D(2)(IMAGES))
    else:
        expected = keras.layers.AveragePooling2D(2)(plain(IMAGES))
    assert layer.compute_output_shape(IMAGES.shape) == expected.shape
    np.testing.assert_allclose(layer(IMAGES), np.maximum(expected, 0), atol=1e-5)
    again = ResizingConv2D.from_config(layer.get_config())
    assert (again.resize, again.activation) == (resize, keras.activations.relu)


def test_what_cannot_be_resized_is_refused():
    with pytest.raises(ValueError, match=r"resize must be one of .*received 'triple'"):
        ResizingConv2D(4, "triple")
    with pytest.raises(ValueError, match="Only even sides can be halved; received images of 7x8"):
        ResizingConv2D(4, "halve").build((None, 7, 8, 3))
    with pytest.raises(ValueError, match=r"ResizingConv2D has .*; received .*'strides': 2"):
        ResizingConv2D(4, "halve", strides=2)


@pytest.mark.parametrize("shape", [(16, 16, 1), (28, 28, 1), (32, 32, 3), (64, 64, 3), (32, 48, 3)], ids=str)
@pytest.mark.parametrize("attention", [None, 1])
def test_sizes(shape, attention):
    generator = resnet_generator(shape, 5, 4, seed=0, num_classes=3, attention=attention)
    discriminator = resnet_discriminator(shape, 4, seed=0, num_classes=3, attention=attention)
    images = np.asarray(generator([np.ones((2, 5), "float32"), np.array([0, 2])]))
    assert (images.shape, images.dtype) == ((2, *shape), np.float32)
    assert np.abs(images).max() <= 1.0
    assert discriminator([images, np.array([0, 2])]).shape == (2, 1)
    # Down to about 8 pixels, as published, and no further.
    assert min(next(each for each in discriminator.layers if isinstance(each, GlobalSumPooling2D)).input.shape[1:3]) < 9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_shape": (8, 8, 3)}, "A residual GAN makes images of 16 to 128 pixels"),
        (
            {"image_shape": (30, 30, 3)},
            r"halved 2 times, so its sides have to be multiples of 4; received .*\(30, 30, 3\)",
        ),
        ({"g_filters": [4, 4]}, r"The generator has 3 blocks for .* or 3 numbers; received \[4, 4\]"),
        ({"d_filters": [4, 4, 4]}, r"The discriminator has 4 blocks for .* received \[4, 4, 4\]"),
        ({"g_filters": 0}, r"needs one number of filters for all"),
        ({"attention": 3}, r"how many halvings from the image it is: 1 to 2 for .* received 3"),
        ({"attention": 0}, "received 0"),
    ],
)
def test_what_cannot_be_built_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        kerasgan.SAGAN(**{"image_shape": (32, 32, 3), "latent_dim": 4, "g_filters": 4, "d_filters": 4} | change)


def count(network) -> int:
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


def test_the_published_sizes():
    """Weights of tables 3a and 3b, counted by hand; widths of 256 and 128, three blocks and four."""
    gan = kerasgan.SNGAN(ema_decay=None)
    block = 2 * (9 * 256 * 256 + 256) + (256 * 256 + 256) + 2 * 2 * 256
    expected = (128 + 1) * 4096 + 3 * block + 2 * 256 + (9 * 256 * 3 + 3)
    assert count(gan.generator) == expected
    first = (9 * 3 * 128 + 128) + (9 * 128 * 128 + 128) + (3 * 128 + 128)
    pair = 2 * (9 * 128 * 128 + 128)
    widening = 128 * 128 + 128
    assert count(gan.discriminator) == first + 3 * pair + widening + 128


def test_where_weights_are_normalised():
    gan = kerasgan.SNGAN((16, 16, 1), 4, 4, 4, num_classes=3)
    assert not [each for each in gan.generator.layers if hasattr(each, "u")]
    kinds = (keras.layers.Conv2D, keras.layers.Dense, Projection)
    for network in (gan.discriminator, kerasgan.SAGAN((16, 16, 1), 4, 4, 4, num_classes=3).generator):
        assert all(hasattr(each, "u") for each in network.layers if isinstance(each, kinds))
    (dense,) = (each for each in gan.discriminator.layers if isinstance(each, SNDense))
    assert not dense.use_bias


def test_features_are_summed_not_averaged():
    images = np.ones((2, 4, 6, 3), "float32")
    np.testing.assert_array_equal(GlobalSumPooling2D()(images), np.full((2, 3), 24.0))
    assert GlobalSumPooling2D(keepdims=True)(images).shape == (2, 1, 1, 3)


def test_a_shortcut_carries_what_came_in_before_the_relu():
    """An in-place ReLU at the head of a branch would rectify the shortcut too."""
    network = resnet_discriminator((16, 16, 1), 4, seed=0)
    add = [each for each in network.layers if isinstance(each, keras.layers.Add)]
    for layer in network.layers:
        # The branch of the last block, which has no other shortcut than its input, is silenced.
        if layer.output is add[-1].input[0]:
            layer.kernel.assign(np.zeros(layer.kernel.shape))
    values = keras.Model(network.input, [add[-2].output, add[-1].output])
    before, after = values(np.random.default_rng(0).normal(size=(4, 16, 16, 1)).astype("float32"))
    np.testing.assert_array_equal(after, before)
    assert np.asarray(before).min() < 0


def test_initial_weights_have_gain_root_2_in_branches_and_1_elsewhere():
    network = resnet_discriminator((32, 32, 3), 64, seed=0)
    for layer in network.layers:
        if not isinstance(layer, SNConv2D | SNResizingConv2D | SNDense):
            continue
        shape = layer.kernel.shape
        place = int(np.prod(shape[:-2]))
        limit = np.sqrt(6 / (place * (shape[-2] + shape[-1])))
        gain = np.sqrt(2) if shape[:2] == (3, 3) else 1.0
        assert np.abs(layer.kernel).max() == pytest.approx(gain * limit, rel=0.1), layer.name


def test_no_two_layers_begin_alike():
    gan = kerasgan.SAGAN((16, 16, 1), 4, 8, 8, seed=0)
    weights = [*gan.generator.weights, *gan.discriminator.weights]
    kernels = [np.asarray(each) for each in weights if each.name == "kernel"]
    for number, kernel in enumerate(kernels):
        assert not any(np.array_equal(kernel, other) for other in kernels[:number])


def test_published_settings():
    sngan, sagan = kerasgan.SNGAN((16, 16, 1), 4, 4, 4), kerasgan.SAGAN((16, 16, 1), 4, 4, 4)
    assert (sngan.d_steps, sagan.d_steps) == (5, 1)
    for gan, rates in ((sngan, (2e-4, 2e-4)), (sagan, (4e-4, 1e-4))):
        gan.compile()
        found = [float(each.learning_rate) for each in (gan.d_optimizer, gan.g_optimizer)]
        np.testing.assert_allclose(found, rates, rtol=1e-6)
        assert {(each.beta_1, each.beta_2) for each in (gan.d_optimizer, gan.g_optimizer)} == {(0.0, 0.9)}
        assert isinstance(gan.loss, kerasgan.losses.Hinge)


@pytest.mark.parametrize("family", ["SNGAN", "SAGAN"])
def test_packs_are_for_models_without_classes(family):
    settings = {"image_shape": (16, 16, 1), "latent_dim": 4, "g_filters": 4, "d_filters": [4, 4, 8], "pack": 2}
    gan = getattr(kerasgan, family)(**settings)
    assert gan.discriminator.input_shape == (None, 16, 16, 2)
    assert type(gan).from_config(gan.get_config()).get_config() == gan.get_config() | {"name": gan.name}
    with pytest.raises(ValueError, match="no labels either"):
        getattr(kerasgan, family)(**settings, num_classes=3)
