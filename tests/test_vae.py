import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import likelihoods
from kerasgan.models import VAE

LIKELIHOODS = list(likelihoods.LIKELIHOODS)


@pytest.fixture
def make(make_vae):
    """A function that makes the smallest MLP VAE."""
    return lambda **settings: make_vae(**({"architecture": "mlp", "hidden": (16,)} | settings))


@pytest.fixture(scope="module")
def byte_images(images):
    """Images whose values are those of 8-bit images."""
    return (np.round((images + 1) * 127.5) / 127.5 - 1).astype("float32")


def randomized(vae, scale=0.3):
    """Weights away from their initial values: a posterior that differs from the prior."""
    rng = np.random.default_rng(0)
    for network in (vae.encoder, vae.decoder):
        network.set_weights([scale * rng.normal(size=weight.shape) for weight in network.get_weights()])
    return vae


# Likelihoods


def log_likelihood(name, images, logits, scale):
    """The likelihoods' formulas in float64 NumPy: log p of every image (n, h, w, c)."""
    images, logits = images.astype("float64"), logits.astype("float64")
    mean = 2.0 / (1.0 + np.exp(-logits)) - 1.0
    if name == "bernoulli":
        white = (images + 1) / 2
        values = -white * np.logaddexp(0, -logits) - (1 - white) * np.logaddexp(0, logits)
    elif name == "gaussian":
        values = -0.5 * ((images - mean) / scale) ** 2 - math.log(scale) - 0.5 * math.log(2 * math.pi)
    else:
        # Bytes are bins of width 2/255 around k / 127.5 - 1; the outer two reach to infinity.
        def below(x):
            return 1.0 / (1.0 + np.exp(-(x - mean) / scale))

        upper = np.where(images > 1 - 1e-4, 1.0, below(images + 1 / 255))
        lower = np.where(images < -1 + 1e-4, 0.0, below(images - 1 / 255))
        values = np.log(upper - lower)
    return values.sum(axis=(1, 2, 3))


@pytest.mark.parametrize("scale", [0.2, 1.0])
@pytest.mark.parametrize("name", LIKELIHOODS)
def test_likelihoods_have_the_formula(name, scale, byte_images):
    logits = np.random.default_rng(1).normal(0, 1.5, byte_images.shape).astype("float32")
    values = likelihoods.get(name).log_prob(byte_images, logits, scale)
    assert values.shape == (len(byte_images),)
    scale = 1.0 if name == "bernoulli" else scale
    np.testing.assert_allclose(values, log_likelihood(name, byte_images, logits, scale), rtol=2e-4)


@pytest.mark.parametrize("scale", [0.004, 0.1, 3.0])
@pytest.mark.parametrize("logit", [-9.0, -0.4, 0.0, 2.0, 9.0])
def test_the_discretised_logistic_sums_to_one_over_the_256_values(logit, scale):
    values = (np.arange(256, dtype="float32") / 127.5 - 1).reshape(256, 1, 1, 1)
    log_prob = likelihoods.DiscretizedLogistic().log_prob(values, tf.fill((256, 1, 1, 1), logit), scale)
    assert np.all(np.isfinite(log_prob))
    np.testing.assert_allclose(np.exp(log_prob).sum(), 1.0, rtol=1e-4)


def test_the_discretised_logistic_peaks_at_its_mean():
    values = (np.arange(256, dtype="float32") / 127.5 - 1).reshape(256, 1, 1, 1)
    mean_byte = 77
    logit = 2 * np.arctanh(mean_byte / 127.5 - 1)
    log_prob = likelihoods.DiscretizedLogistic().log_prob(values, tf.fill((256, 1, 1, 1), float(logit)), 0.02)
    assert int(np.argmax(log_prob)) == mean_byte
    np.testing.assert_allclose(log_prob[mean_byte - 9], log_prob[mean_byte + 9], rtol=1e-3)


def test_unlikely_images_have_finite_likelihoods():
    for name in LIKELIHOODS:
        value = likelihoods.get(name).log_prob(tf.ones((1, 2, 2, 1)), tf.fill((1, 2, 2, 1), -30.0), 0.01)
        assert np.isfinite(value), name


def test_likelihood_errors():
    with pytest.raises(ValueError, match="Did you mean 'gaussian'"):
        VAE(likelihood="gausian")


# The bounds


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 4.0])
@pytest.mark.parametrize("name", LIKELIHOODS)
def test_elbo_has_the_formula(make, byte_images, name, beta):
    vae = randomized(make(likelihood=name, beta=beta))
    vae.compile()
    seed = tf.constant([3, 4])
    vae.evaluation_seed = lambda: seed
    reported = vae.evaluate(byte_images, batch_size=32, verbose=0, return_dict=True)

    mean, log_std = (np.asarray(part, "float64") for part in vae.encoder(byte_images))
    latents = vae.posterior(byte_images).sample(seed=seed)
    decoded = vae.decoder(latents)
    logits, scale = (decoded, 0.0) if name == "bernoulli" else decoded
    logits, scale = np.asarray(logits), float(tf.exp(scale))
    reconstruction = -log_likelihood(name, byte_images, logits, scale).mean()
    divergence = 0.5 * (np.exp(2 * log_std) + mean**2 - 1 - 2 * log_std).sum(axis=1).mean()
    elbo = -reconstruction - divergence
    bin_width = {"bernoulli": 1.0, "gaussian": 2 / 255, "discretized_logistic": 1.0}[name]
    bits = -(elbo / 256 + math.log(bin_width)) / math.log(2)
    expected = {
        "loss": reconstruction + beta * divergence,
        "reconstruction_loss": reconstruction,
        "kl_loss": beta * divergence,
        "elbo": elbo,
        "bits_per_dimension": bits,
    }
    assert divergence > 0.1
    assert set(reported) == set(expected)
    for term, value in expected.items():
        np.testing.assert_allclose(reported[term], value, rtol=1e-3, err_msg=term)


def test_posterior_samples_have_the_posteriors_moments(make, images):
    vae = randomized(make())
    mean, log_std = vae.encoder(images[:1])
    samples = np.asarray(vae.posterior(images[:1]).sample(4000, seed=tf.constant([1, 0])))[:, 0]
    deviation = np.exp(log_std[0])
    np.testing.assert_allclose((samples.mean(axis=0) - mean[0]) / deviation, 0.0, atol=0.1)
    np.testing.assert_allclose(samples.std(axis=0), deviation, rtol=0.1)


def test_the_importance_weighted_bound_is_tighter_and_tightens(make, images):
    vae = randomized(make(likelihood="gaussian"))
    bounds = [vae.bound(images, samples=samples, seed=1) for samples in (1, 5, 50)]
    assert bounds[0].importance_weighted == pytest.approx(bounds[0].elbo, rel=1e-5)
    for bound in bounds[1:]:
        assert bound.importance_weighted > bound.elbo
    values = [bound.importance_weighted for bound in bounds]
    assert values == sorted(values)
    assert values[2] - values[0] > 0.01
    assert [bound.samples for bound in bounds] == [1, 5, 50]


def test_the_bound_reaches_a_likelihood_that_is_known(make, images):
    """A decoder that does not look at the latents has log p(x) = log p(x | any z): the ELBO misses it by the KL."""
    vae = randomized(make(likelihood="gaussian", latent_dim=2), scale=0.1)
    vae.decoder.set_weights([np.zeros_like(weight) for weight in vae.decoder.get_weights()])
    known = float(log_likelihood("gaussian", images, np.zeros_like(images), 1.0).mean())
    mean, log_std = (np.asarray(part) for part in vae.encoder(images))
    divergence = float(0.5 * (np.exp(2 * log_std) + mean**2 - 1 - 2 * log_std).sum(axis=1).mean())
    assert divergence > 0.2
    bound = vae.bound(images, samples=100)
    assert bound.elbo == pytest.approx(known - divergence, abs=0.15 * divergence)
    assert bound.importance_weighted == pytest.approx(known, abs=0.1 * divergence)
    assert bound.bits_per_dimension == pytest.approx(-(known / 256 + math.log(2 / 255)) / math.log(2), abs=1e-3)


def test_bound_depends_on_the_seed_and_hardly_on_the_batch_size(make, images):
    vae = randomized(make(), scale=0.1)
    assert vae.bound(images, samples=3, seed=1) == vae.bound(images, samples=3, seed=1)
    assert vae.bound(images, samples=3, seed=1) != vae.bound(images, samples=3, seed=2)
    small = vae.bound(images, samples=20, batch_size=20)
    assert small.importance_weighted == pytest.approx(vae.bound(images, samples=20).importance_weighted, rel=5e-3)
    with pytest.raises(ValueError, match="samples must be at least 1; received 0"):
        vae.bound(images, samples=0)
    with pytest.raises(ValueError, match="received a batch of shape"):
        vae.bound(images[:, :8])


def test_beta_weighs_the_kl_in_training(make, images):
    divergences = []
    for beta in (0.1, 30.0):
        vae = make(beta=beta)
        vae.compile(keras.optimizers.Adam(1e-2))
        history = vae.fit(images, batch_size=16, epochs=15, verbose=0).history
        divergences.append(history["kl_loss"][-1] / beta)
    assert divergences[1] < 0.2 * divergences[0]


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_training_raises_the_elbo(make_vae, byte_images, name):
    # One brightness an image, which a latent can carry: there is much to learn.
    learnable = np.broadcast_to(byte_images[:, :1, :1], byte_images.shape).copy()
    vae = make_vae(likelihood=name)
    vae.compile(keras.optimizers.Adam(1e-2))
    # In one order: Keras's shuffle has no seed, and in a rare one little is learned so soon.
    history = vae.fit(learnable, batch_size=8, epochs=25, shuffle=False, verbose=0).history
    assert history["elbo"][-1] > history["elbo"][0] + 5
    if name != "bernoulli":
        # The learned scale moves away from its first value.
        assert not np.isclose(float(vae.decoder(np.zeros((1, 4), "float32"))[1]), -1.0, atol=1e-4)


# The latent space


def test_encode_decode_reconstruct(make_vae, images):
    vae = randomized(make_vae())
    codes = vae.encode(images)
    assert codes.shape == (32, 4)
    assert codes.dtype == np.float32
    np.testing.assert_array_equal(codes, vae.encoder(images)[0])
    decoded = vae.decode(codes)
    assert decoded.shape == images.shape
    assert np.abs(decoded).max() <= 1.0
    np.testing.assert_array_equal(vae.reconstruct(images), decoded)
    np.testing.assert_allclose(decoded, vae(codes), atol=1e-6)
    with pytest.raises(ValueError, match="received a batch of shape"):
        vae.encode(images[..., 0])


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_the_sampler_gives_the_mean_of_the_likelihood(make, images, name):
    vae = randomized(make(likelihood=name))
    latents = vae.sample_latents(5, seed=1)
    decoded = vae.decoder(latents)
    logits = decoded if name == "bernoulli" else decoded[0]
    np.testing.assert_allclose(vae(latents), 2 / (1 + np.exp(-np.asarray(logits, "float64"))) - 1, atol=1e-5)


def test_interpolate(make):
    vae = randomized(make())
    start, end = (vae.sample_latents(1, seed=seed)[0] for seed in (1, 2))
    strip = vae.interpolate(start, end, steps=4)
    assert strip.shape == (4, 16, 16, 1)
    np.testing.assert_allclose(strip[[0, -1]], vae.decode(tf.stack([start, end])), atol=1e-5)


def test_attribute_vectors_point_from_the_others_to_the_class(make, images):
    vae = randomized(make())
    labels = np.array([0, 1, 2, 2] * 8)
    vectors = vae.attribute_vectors(images, labels)
    assert vectors.shape == (3, 4)
    assert vectors.dtype == np.float32
    codes = vae.encode(images)
    for label in range(3):
        expected = codes[labels == label].mean(axis=0) - codes[labels != label].mean(axis=0)
        np.testing.assert_allclose(vectors[label], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(31, int), "received 32 images and labels"),
        (np.zeros((32, 1), int), "one label an image"),
        (np.zeros(32, int), r"two classes at least; received these counts: \[32\]"),
        (np.array([0, 2] * 16), r"every class.*counts: \[16, 0, 16\]"),
        (np.array([-1, 1] * 16), "labels"),
        (np.array([0.5, 1.0] * 16), "labels"),
    ],
    ids=["number", "shape", "one class", "gap", "negative", "float"],
)
def test_attribute_vector_errors(make, images, labels, message):
    with pytest.raises(ValueError, match=message):
        make().attribute_vectors(images, labels)


# Construction


@pytest.mark.parametrize("architecture", ["conv", "mlp"])
@pytest.mark.parametrize("shape", [(16, 16, 3), (28, 28, 1)])
def test_architectures_and_shapes(architecture, shape):
    vae = VAE(shape, 3, 2, (8,), architecture=architecture, likelihood="gaussian", seed=0)
    vae.compile()
    data = np.zeros((4, *shape), "float32")
    assert np.isfinite(vae.train_on_batch(data, return_dict=True)["elbo"])
    assert vae.generate(2, seed=1).shape == (2, *shape)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"architecture": "transformer"}, r"one of \('conv', 'mlp'\); received 'transformer'"),
        ({"beta": -1.0}, "beta must be at least 0; received -1"),
        ({"image_shape": (8, 8, 1)}, "16 to 128 pixels"),
    ],
    ids=str,
)
def test_constructor_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        VAE(**settings)
