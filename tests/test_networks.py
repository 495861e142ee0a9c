import keras
import numpy as np
import pytest

from kerasgan.networks import dcgan_discriminator, dcgan_generator, mlp_discriminator, mlp_generator
from kerasgan.networks.autoencoder import conv_decoder, conv_encoder, mlp_decoder, mlp_encoder
from kerasgan.networks.dcgan import count_doublings

SIZES = [(16, 16), (28, 28), (32, 32), (50, 50), (64, 64), (96, 64), (128, 128)]
SHAPES = [(*size, 1) for size in SIZES] + [(16, 16, 3), (28, 28, 4), (17, 31, 3)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_dcgan(shape):
    generator = dcgan_generator(shape, latent_dim=5, base_filters=2, seed=0)
    discriminator = dcgan_discriminator(shape, base_filters=2, seed=0)
    latents = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    images = np.asarray(generator(latents))
    assert images.shape == (2, *shape)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1.0
    logits = np.asarray(discriminator(images))
    assert logits.shape == (2, 1)
    assert logits.dtype == np.float32


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_convolutional_autoencoder(shape):
    mean, log_std = conv_encoder(shape, latent_dim=5, base_filters=2, seed=0)(np.zeros((2, *shape), "float32"))
    assert mean.shape == log_std.shape == (2, 5)
    np.testing.assert_array_equal(log_std, 0.0)  # Training starts at the prior's width.
    assert conv_decoder(shape, latent_dim=5, base_filters=2, seed=0)(mean).shape == (2, *shape)


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 3), (5, 9, 4)], ids=str)
def test_mlps_take_any_shape(shape):
    latents = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    images = mlp_generator(shape, 4, (6, 7))(latents)
    assert images.shape == (3, *shape)
    assert mlp_discriminator(shape, (6, 7), dropout=0.5)(images).shape == (3, 1)
    assert [part.shape for part in mlp_encoder(shape, 4, (6,))(images)] == [(3, 4), (3, 4)]
    assert mlp_decoder(shape, 4, (6,))(latents).shape == (3, *shape)


@pytest.mark.parametrize("shape", [(15, 16, 1), (16, 129, 1), (256, 256, 3), (16, 16), (1, 28, 28), (1, 16, 16, 1)])
@pytest.mark.parametrize("build", [dcgan_generator, conv_decoder])
def test_sizes_outside_are_refused(build, shape):
    with pytest.raises(ValueError, match=r"16 to 128 pixels a side; received image_shape="):
        build(shape, 4, 2)


def test_the_smallest_map_is_about_4_pixels():
    assert [count_doublings((size, size, 1)) for size in (16, 22, 28, 32, 45, 46, 64, 128)] == [2, 2, 3, 3, 3, 4, 4, 5]


def test_batch_norm_is_where_the_paper_puts_it():
    """Not after the generator's last layer, not after the discriminator's first."""
    generator, discriminator = dcgan_generator((32, 32, 1), 4, 2), dcgan_discriminator((32, 32, 1), 2)

    def kinds(network):
        names = [layer.name for layer in network.layers]
        return ["norm" if "norm" in name else "conv" for name in names if "norm" in name or "conv" in name]

    assert kinds(generator) == ["norm", "conv", "norm", "conv", "norm", "conv"]
    assert kinds(discriminator) == ["conv", "conv", "norm", "conv", "norm"]


@pytest.mark.parametrize("num_classes", [None, 3])
def test_a_spectral_discriminator_does_not_see_how_large_its_weights_are(num_classes):
    plain, spectral = (
        dcgan_discriminator((16, 16, 1), 2, seed=0, num_classes=num_classes, normalized=False, spectral=spectral)
        for spectral in (False, True)
    )
    images = np.random.default_rng(0).normal(size=(2, 16, 16, 1)).astype("float32")
    inputs = images if num_classes is None else [images, np.array([0, 2])]
    before = [np.asarray(network(inputs)) for network in (plain, spectral)]
    for network in (plain, spectral):
        for weight in network.trainable_weights:
            weight.assign(7.0 * weight)
    np.testing.assert_allclose(np.asarray(spectral(inputs)), before[1], rtol=1e-4)
    assert not np.allclose(np.asarray(plain(inputs)), before[0])


@pytest.mark.parametrize(
    "build",
    [
        lambda dtype: dcgan_generator((16, 16, 1), 4, 2, dtype),
        lambda dtype: dcgan_discriminator((16, 16, 1), 2, dtype),
        lambda dtype: mlp_generator((16, 16, 1), 4, (4,), dtype),
        lambda dtype: mlp_discriminator((16, 16, 1), (4,), 0.1, dtype),
    ],
    ids=["dcgan_generator", "dcgan_discriminator", "mlp_generator", "mlp_discriminator"],
)
def test_half_precision_inside_float32_outside(build):
    network = build("mixed_bfloat16")
    assert network.outputs[0].dtype == "float32"
    assert all(variable.dtype == "float32" for variable in network.trainable_variables)
    weighted = [layer for layer in network.layers if layer.weights]
    assert weighted[0].compute_dtype == "bfloat16"
    assert weighted[-1].compute_dtype == "float32"


def test_a_seed_fixes_the_weights_and_layers_differ():
    first, same, other = (dcgan_generator((32, 32, 1), 4, 4, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])
    kernels = [weight for weight in first if weight.ndim == 4]
    assert not np.array_equal(kernels[0].ravel()[:16], kernels[1].ravel()[:16])
    unseeded = (dcgan_generator((16, 16, 1), 4, 4).get_weights() for _ in range(2))
    assert not np.array_equal(next(unseeded)[0], next(unseeded)[0])


def test_dropout_is_off_in_inference():
    network = mlp_discriminator((8, 8, 1), (32,), dropout=0.5, seed=0)
    images = np.ones((4, 8, 8, 1), "float32")
    np.testing.assert_array_equal(network(images), network(images))
    assert not np.array_equal(network(images, training=True), network(images, training=True))
    assert any(isinstance(layer, keras.layers.Dropout) for layer in network.layers)
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in mlp_discriminator((8, 8, 1), (4,)).layers)
