"""What an update is made of: the best images of a batch, and several batches."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan import losses, schedules
from kerasgan.core.judged import Batch
from kerasgan.core.top_k import learn_from_best
from kerasgan.networks.mlp import mlp_generator

LOGITS = tf.constant(np.random.default_rng(0).normal(size=(8, 1)), tf.float32)
SHAPE = (16, 16, 1)


@pytest.mark.parametrize("loss", ["non_saturating", "hinge", "least_squares", "wasserstein"])
@pytest.mark.parametrize(("share", "count"), [(0.5, 4), (0.3, 3), (0.01, 1), (1.0, 8)])
def test_gradients_are_those_of_the_mean_over_the_best(loss, share, count):
    loss = losses.get(loss)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(LOGITS)
        value = loss.generator(learn_from_best(LOGITS, share))
        best = loss.generator(tf.gather(LOGITS, tf.argsort(LOGITS[:, 0])[-count:]))
        whole = loss.generator(LOGITS)
    np.testing.assert_allclose(value, whole, rtol=1e-6)
    np.testing.assert_allclose(
        tape.gradient(value, LOGITS), tf.convert_to_tensor(tape.gradient(best, LOGITS)), rtol=1e-5, atol=1e-7
    )


def test_relativistic_pairs_follow_their_generated_image():
    loss, real = losses.get("relativistic"), LOGITS[::-1]
    chosen = np.argsort(LOGITS[:, 0])[-2:]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(LOGITS)
        value = loss.generator(learn_from_best(LOGITS, 0.25), real)
        best = loss.generator(tf.gather(LOGITS, chosen), tf.gather(real, chosen))
    slope = tape.gradient(value, LOGITS).numpy()
    assert set(np.nonzero(slope)[0]) == set(chosen)
    assert best.shape == ()


@pytest.mark.parametrize("xla", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_top_k_follows_its_schedule_is_saved_and_compiles(xla, make_gan, images, tmp_path):
    gan = make_gan()
    gan.compile(top_k=schedules.Linear(1.0, 0.25, over=2), jit_compile=xla)
    plain = make_gan()
    plain.compile(jit_compile=xla)
    for each in (gan, plain):
        each.fit(images, batch_size=16, epochs=1, shuffle=False, verbose=0)
    # The first round is as ever, the second learns from 63 %.
    assert not np.array_equal(gan.generator.get_weights()[0], plain.generator.get_weights()[0])
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert loaded.top_k.get_config() == gan.top_k.get_config()
    histories = [each.fit(images, batch_size=16, shuffle=False, verbose=0).history for each in (gan, loaded)]
    assert histories[0] == histories[1]


class Fixed(kerasgan.GAN):
    """A game whose latents belong to the images: a batch in parts is the same batch."""

    def synthesize(self, real, given, seed, training=True):
        latents = tf.reshape(real, (-1, 256))[:, :4]
        return Batch(real, self.generator(latents, training=training), latents, given, seed)


def fixed(seed=0):
    keras.utils.set_random_seed(seed)
    images = keras.Input(SHAPE)
    hidden = keras.layers.Dense(8, activation="tanh")(keras.layers.Flatten()(images))
    generator = mlp_generator(SHAPE, 4, (8,))
    return Fixed(generator, keras.Model(images, keras.layers.Dense(1)(hidden)), ema_decay=0.9, seed=0)


def trained(batch_size, images, rates, accumulate=None, **settings):
    gan = fixed()
    optimizers = [kerasgan.optimizers.Adam(rate, beta_1=0.5) for rate in rates]
    gan.compile(*optimizers, accumulate=accumulate, **settings)
    gan.fit(images, batch_size=batch_size, epochs=2, shuffle=False, verbose=0)
    return gan


@pytest.mark.parametrize("rates", [(1e-2, 0.0), (0.0, 1e-2)], ids=("discriminator", "generator"))
def test_four_quarters_make_the_update_of_the_whole(images, rates):
    whole = trained(32, images, rates, regularizers=["r1"])
    quarters = trained(8, images, rates, accumulate=4, regularizers=["r1"])
    start = fixed()
    for name in ("generator", "discriminator"):
        change = [
            np.subtract(a, b)
            for a, b in zip(getattr(whole, name).get_weights(), getattr(start, name).get_weights(), strict=True)
        ]
        assert (max(map(np.ptp, change)) > 0) == (rates[name == "generator"] > 0)
        for one, other in zip(getattr(whole, name).weights, getattr(quarters, name).weights, strict=True):
            np.testing.assert_allclose(one, other, atol=2e-5)
    assert [int(each.iterations) for each in (quarters.d_optimizer, quarters.g_optimizer)] == [2, 2]
    # A step is a batch to the clock; the average is as old as it was.
    assert (int(quarters.clock.steps), int(whole.clock.steps)) == (8, 2)


def test_the_discriminator_is_updated_before_the_generators_last_gradient(images):
    start, gan = fixed(), fixed()
    gan.compile(*(keras.optimizers.SGD(0.1) for _ in range(2)), accumulate=4)
    gan.fit(images, batch_size=8, shuffle=False, verbose=0)
    gradients = []
    for number in range(4):
        if number == 3:
            start.discriminator.set_weights(gan.discriminator.get_weights())
        with tf.GradientTape() as tape:
            batch = start.synthesize(tf.constant(images[8 * number : 8 * number + 8]), {}, None)
            loss = losses.NonSaturating().generator(start.discriminator(batch.fake))
        gradients.append(tape.gradient(loss, start.generator.trainable_variables))
    for before, after, *parts in zip(start.generator.weights, gan.generator.weights, *gradients, strict=True):
        np.testing.assert_allclose(after, before - 0.1 * np.mean(parts, axis=0), atol=1e-6)


def test_an_average_over_updates_of_several_batches_is_as_old_as_one_over_whole_ones(images):
    whole, quarters = (trained(size, images, (0.0, 0.0), n) for size, n in ((32, None), (8, 4)))
    for gan, rounds in ((whole, 1), (quarters, 4)):
        gan.g_optimizer.learning_rate = 0.0
        for variable in gan.generator.weights:
            variable.assign_add(keras.ops.ones_like(variable))
        gan.fit(images, batch_size=32 // rounds, shuffle=False, verbose=0)
    for one, other in zip(whole.ema_generator.weights, quarters.ema_generator.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=0.08)


def test_half_an_update_is_saved(images, tmp_path):
    gan = fixed()
    gan = kerasgan.VanillaGAN(SHAPE, latent_dim=4, hidden=(8,), seed=0)
    gan.compile(accumulate=4)
    gan.fit(images[:16], batch_size=8, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    for each in (gan, loaded):
        assert int(each.g_optimizer.iterations) == 0
        each.fit(images, batch_size=8, shuffle=False, verbose=0)
        assert int(each.g_optimizer.iterations) == 1
    for one, other in zip(gan.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_scaled_losses_add_up_too(images):
    gan = kerasgan.VanillaGAN(SHAPE, latent_dim=4, hidden=(8,), seed=0, dtype="mixed_float16")
    gan.compile(accumulate=2)
    before = gan.generator.get_weights()[0]
    gan.fit(images, batch_size=8, verbose=0)
    assert int(gan.g_optimizer.iterations) == 2
    assert np.isfinite(gan.generator.get_weights()[0]).all()
    assert not np.array_equal(before, gan.generator.get_weights()[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"accumulate": 0}, "at least 1; received 0"),
        ({"accumulate": True}, "received True"),
        ({"top_k": 0.0}, "above 0, up to 1; received 0.0"),
        ({"top_k": schedules.Linear(1.0, 0.0, over=5)}, "received 1.0, 0.0"),
        (
            {"accumulate": 3, "g_optimizer": keras.optimizers.SGD(gradient_accumulation_steps=2)},
            "accumulate=3, but the SGD was made for updates of 2 batches",
        ),
    ],
)
def test_errors(make_gan, settings, message):
    with pytest.raises(ValueError, match=message):
        make_gan().compile(**settings)
