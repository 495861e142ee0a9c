import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import losses

RNG = np.random.default_rng(0)
REAL = RNG.normal(0.5, 3.0, (64, 1)).astype("float32")
FAKE = RNG.normal(-0.5, 3.0, (64, 1)).astype("float32")


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x.astype("float64")))


# The papers' formulas in terms of probabilities, with no trick in common with the code under test.
CLOSED_FORMS = {
    "minimax": (
        -np.log(sigmoid(REAL)).mean() - np.log(1 - sigmoid(FAKE)).mean(),
        np.log(1 - sigmoid(FAKE)).mean(),
    ),
    "non_saturating": (
        -np.log(sigmoid(REAL)).mean() - np.log(1 - sigmoid(FAKE)).mean(),
        -np.log(sigmoid(FAKE)).mean(),
    ),
    "least_squares": (
        0.5 * ((REAL - 1) ** 2).mean() + 0.5 * (FAKE**2).mean(),
        0.5 * ((FAKE - 1) ** 2).mean(),
    ),
    "hinge": (
        np.maximum(0, 1 - REAL).mean() + np.maximum(0, 1 + FAKE).mean(),
        -FAKE.mean(),
    ),
    "wasserstein": (FAKE.mean() - REAL.mean(), -FAKE.mean()),
    # One probability for each pair: that the real one is the more real of the two.
    "relativistic": (
        -np.log(sigmoid(REAL - FAKE)).mean(),
        -np.log(sigmoid(FAKE - REAL)).mean(),
    ),
    # One probability for each image: that it is more real than the other side's average.
    "relativistic_average": (
        -np.log(sigmoid(REAL - FAKE.mean())).mean() - np.log(1 - sigmoid(FAKE - REAL.mean())).mean(),
        -np.log(sigmoid(FAKE - REAL.mean())).mean() - np.log(1 - sigmoid(REAL - FAKE.mean())).mean(),
    ),
}


def generator_loss(loss, fake, real):
    """Ask a loss the way the model does."""
    return loss.generator(fake, real) if loss.sees_real else loss.generator(fake)


def test_closed_forms_cover_every_loss():
    assert set(CLOSED_FORMS) == set(losses.LOSSES)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_closed_form(name):
    loss = losses.get(name)
    d_loss, g_loss = loss.discriminator(REAL, FAKE), generator_loss(loss, FAKE, REAL)
    np.testing.assert_allclose([d_loss, g_loss], CLOSED_FORMS[name], rtol=1e-5)
    assert d_loss.shape == g_loss.shape == ()


@pytest.mark.parametrize("name", losses.LOSSES)
def test_logits_are_high_for_real(name):
    loss = losses.get(name)
    good, bad = tf.constant([[0.9]]), tf.constant([[-0.9]])
    assert loss.discriminator(good, bad) < loss.discriminator(bad, good)
    assert generator_loss(loss, good, bad) < generator_loss(loss, bad, good)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_half_precision_logits_give_float32_losses(name):
    loss = losses.get(name)
    for dtype in ("float16", "bfloat16"):
        half = tf.cast(REAL, dtype), tf.cast(FAKE, dtype)
        assert loss.discriminator(*half).dtype == generator_loss(loss, half[1], half[0]).dtype == tf.float32


@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_huge_logits_stay_finite(name):
    loss = losses.get(name)
    huge = tf.constant([[1e4], [-1e4]])
    assert np.isfinite(loss.discriminator(huge, -huge))
    assert np.isfinite(loss.generator(huge))


def test_minimax_is_zero_sum_on_fakes_and_saturates():
    logits = tf.Variable(-20.0)  # The discriminator is sure that the image is generated.
    gradients = {}
    for name in ("minimax", "non_saturating"):
        with tf.GradientTape() as tape:
            value = losses.get(name).generator(logits)
        gradients[name] = float(tape.gradient(value, logits))
    assert abs(gradients["minimax"]) < 1e-6
    assert gradients["non_saturating"] == pytest.approx(-1.0, abs=1e-6)
    game = losses.get("minimax")
    on_fakes = game.discriminator(REAL, FAKE) - game.discriminator(REAL, tf.fill(FAKE.shape, -1e4))
    assert float(on_fakes) == pytest.approx(-float(game.generator(FAKE)), rel=1e-5)


def test_least_squares_with_the_targets_of_the_papers_other_setting():
    loss = losses.LeastSquares(a=-1.0, b=1.0, c=0.0)
    expected = 0.5 * ((REAL - 1) ** 2).mean() + 0.5 * ((FAKE + 1) ** 2).mean(), 0.5 * (FAKE**2).mean()
    np.testing.assert_allclose([loss.discriminator(REAL, FAKE), loss.generator(FAKE)], expected, rtol=1e-5)


@pytest.mark.parametrize("targets", [(1.0, 0.0, 1.0), (0.0, 1.0, 0.0), (0.0, 1.0, 2.0), (float("nan"), 1.0, 1.0)])
def test_least_squares_wants_its_targets_in_order(targets):
    with pytest.raises(ValueError, match="a < c <= b; received a="):
        losses.LeastSquares(*targets)


def test_least_squares_pulls_back_images_that_are_far_on_the_right_side():
    # A sigmoid before the squares would leave them, and every sure discriminator, without a gradient.
    logits = tf.Variable(20.0)
    with tf.GradientTape() as tape:
        value = losses.LeastSquares().generator(logits)
    assert float(tape.gradient(value, logits)) == pytest.approx(19.0)


def test_paired_and_average_relativistic_losses_differ_and_agree_on_equal_logits():
    paired, average = losses.get("relativistic"), losses.get("relativistic_average")
    assert abs(float(2 * paired.discriminator(REAL, FAKE) - average.discriminator(REAL, FAKE))) > 0.1
    equal = tf.fill((8, 1), 1.5), tf.fill((8, 1), -0.5)
    np.testing.assert_allclose(2 * paired.discriminator(*equal), average.discriminator(*equal), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_feature_matching_compares_means(dtype):
    rng = np.random.default_rng(1)
    real, fake = (tf.cast(rng.normal(shift, 1.0, (n, 3, 2)), dtype) for shift, n in ((1.0, 5), (0.0, 4)))
    found = losses.feature_matching(real, fake)
    real, fake = (np.asarray(tf.cast(each, "float32")) for each in (real, fake))
    np.testing.assert_allclose(found, ((real.mean(0) - fake.mean(0)) ** 2).sum(), rtol=1e-5)
    assert found.dtype == tf.float32
    assert found.shape == ()


def test_no_loss_takes_a_label_of_generated_images():
    # Smoothing it would reward the generator for what it makes already: Salimans et al. 2016, section 3.4.
    for cls in losses.LOSSES.values():
        assert not [name for name in vars(cls()) if "fake" in name]
    with pytest.raises(TypeError):
        losses.NonSaturating(0.1, 0.1)


@pytest.mark.parametrize("smoothing", [0.1, 0.3])
def test_label_smoothing_is_one_sided(smoothing):
    target, d_real, d_fake = 1 - smoothing, sigmoid(REAL), sigmoid(FAKE)
    expected = -(target * np.log(d_real) + smoothing * np.log(1 - d_real)).mean() - np.log(1 - d_fake).mean()
    loss = losses.NonSaturating(label_smoothing=smoothing)
    np.testing.assert_allclose(loss.discriminator(REAL, FAKE), expected, rtol=1e-5)
    np.testing.assert_allclose(loss.generator(FAKE), CLOSED_FORMS["non_saturating"][1], rtol=1e-5)


@pytest.mark.parametrize("smoothing", [-0.1, 0.5, 1.0])
def test_label_smoothing_out_of_range(smoothing):
    with pytest.raises(ValueError, match=r"\[0, 0.5\); received"):
        losses.NonSaturating(label_smoothing=smoothing)


@pytest.mark.parametrize(
    "loss",
    [*(cls() for cls in losses.LOSSES.values()), losses.NonSaturating(0.2), losses.LeastSquares(-1.0, 1.0, 0.0)],
    ids=repr,
)
def test_serialisation(loss):
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(loss)))
    again = losses.get(config)
    assert again == loss
    assert type(again) is type(loss)
    np.testing.assert_array_equal(again.discriminator(REAL, FAKE), loss.discriminator(REAL, FAKE))


def test_a_loss_of_your_own_needs_no_base_class():
    class Mine:
        def discriminator(self, real_logits, fake_logits):
            return tf.reduce_mean(fake_logits - real_logits)

        def generator(self, fake_logits):
            return -tf.reduce_mean(fake_logits)

    mine = Mine()
    assert losses.get(mine) is mine


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("hing", "Did you mean 'hinge'"),
        ("zzz", "Unknown loss 'zzz'"),
        (None, "received None"),
        (losses.Hinge, "received <class"),
        (lambda real, fake: 0.0, "discriminator"),
    ],
    ids=["near", "unknown", "none", "class", "function"],
)
def test_what_is_no_loss_is_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        losses.get(bad)
