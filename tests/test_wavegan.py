"""WaveGAN: its networks, phase shuffle, and how it takes labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.kinds import Audio
from kerasgan.layers import PhaseShuffle
from kerasgan.models import WaveGAN
from kerasgan.networks.wavegan import count_levels
from kerasgan.runs import recipes

TINY = {"samples": 256, "latent_dim": 4, "base_filters": 4, "seed": 0}


def ramp(batch=64, time=12, channels=3):
    return tf.tile(tf.range(time, dtype="float32")[None, :, None], (batch, 1, channels))


def moved(shuffle, inputs):
    return shuffle(inputs, training=True).numpy()


def test_each_example_moves_by_its_own_number_and_its_channels_move_together():
    out = moved(PhaseShuffle(2, seed=0), ramp())
    assert np.ptp(out, axis=2).max() == 0
    shifts = out[:, 5, 0] - 5
    assert set(shifts) == {-2, -1, 0, 1, 2}


def test_what_moves_out_at_one_end_is_mirrored_in_at_the_other():
    for row in moved(PhaseShuffle(2, seed=0), ramp())[..., 0]:
        shift = int(row[5]) - 5
        places = np.abs(np.arange(12) + shift)
        np.testing.assert_array_equal(row, np.where(places > 11, 22 - places, places))


def test_nothing_moves_in_evaluation_nor_by_zero_and_a_seed_repeats_itself():
    np.testing.assert_array_equal(PhaseShuffle(2)(ramp()), ramp())
    np.testing.assert_array_equal(moved(PhaseShuffle(0), ramp()), ramp())
    first, again = PhaseShuffle(2, seed=1), PhaseShuffle(2, seed=1)
    one, two = moved(first, ramp()), moved(first, ramp())
    np.testing.assert_array_equal(moved(again, ramp()), one)
    assert (one != two).any()


def test_gradients_of_the_first_and_second_order_are_those_of_a_plain_gather():
    inputs = tf.random.stateless_normal((4, 8, 2), seed=(0, 0))
    weights = tf.random.stateless_normal((4, 8, 2), seed=(0, 1))

    def penalty(shift):
        """A gradient penalty behind the layer, which is differentiated twice."""
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            with tf.GradientTape() as inner:
                inner.watch(inputs)
                score = tf.reduce_sum(weights * shift(inputs) ** 3)
            slopes = inner.gradient(score, inputs)
            total = tf.reduce_sum(slopes**2)
        return slopes, outer.gradient(total, inputs)

    def plain(x):
        starts = keras.random.randint((4,), 0, 5, seed=keras.random.SeedGenerator(3))
        padded = tf.pad(x, ((0, 0), (2, 2), (0, 0)), "REFLECT")
        return tf.gather(padded, tf.cast(starts, "int32")[:, None] + tf.range(8)[None], batch_dims=1)

    ours = penalty(lambda x: PhaseShuffle(2, seed=3)(x, training=True))
    for one, other in zip(ours, penalty(plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("most", [-1, 1.5, True])
def test_a_move_that_is_no_number_of_places_is_refused(most):
    with pytest.raises(ValueError, match="most >= 0"):
        PhaseShuffle(most)
    with pytest.raises(ValueError, match="at least 3"):
        PhaseShuffle(2)(ramp(time=2))


@pytest.mark.parametrize(("samples", "levels"), [(256, 2), (4096, 4), (8192, 4), (16_384, 5), (16_000, 4)])
def test_sounds_of_any_length_come_out_at_their_length(samples, levels):
    assert count_levels(samples) == levels
    gan = WaveGAN(samples, base_filters=1, latent_dim=2, channels=2)
    made = gan.generate(2, seed=0)
    assert made.shape == (2, samples, 2)
    assert gan.discriminate(tf.constant(made)).shape == (2, 1)


def test_the_paper_s_networks_have_the_paper_s_shapes():
    """Tables 3 and 4 of the paper, d = 64 and 16,384 samples."""
    gan = WaveGAN(16_384, rate=16_000)
    shapes = [layer.output.shape[1:] for layer in gan.generator.layers if "conv1d" in layer.name]
    assert shapes == [(64, 512), (256, 256), (1024, 128), (4096, 64), (16_384, 1)]
    shapes = [layer.output.shape[1:] for layer in gan.discriminator.layers if "conv1d" in layer.name]
    assert shapes == [(4096, 64), (1024, 128), (256, 256), (64, 512), (16, 1024)]
    shuffles = [layer for layer in gan.discriminator.layers if isinstance(layer, PhaseShuffle)]
    assert len(shuffles) == 4
    assert len({layer.seed for layer in WaveGAN(**TINY).discriminator.layers if isinstance(layer, PhaseShuffle)}) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"samples": 100}, "256 to 65,536 samples; received samples=100"),
        ({"samples": 2.5}, "samples must be a whole number"),
        ({"channels": 3}, r"1 \(mono\) or 2 \(stereo\); received 3"),
        ({"rate": 0}, "rate must be a whole number"),
        ({"phase_shuffle": -1}, "most >= 0"),
    ],
)
def test_what_is_no_sound_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        WaveGAN(**(TINY | arguments))


def test_a_label_changes_the_sound_and_what_the_critic_thinks_of_it():
    gan = WaveGAN(**TINY, num_classes=3)
    latents = gan.sample_latents(1, seed=0)
    assert float(tf.reduce_min(latents)) >= -1
    assert float(tf.reduce_max(latents)) < 1
    one, two = (gan([latents, tf.constant([label])]) for label in (0, 1))
    assert float(tf.reduce_max(tf.abs(one - two))) > 1e-4
    logits = [gan.discriminate(one, labels=tf.constant([label])) for label in (0, 1)]
    assert float(logits[0][0, 0]) != float(logits[1][0, 0])


def test_it_learns_from_a_batch_in_bfloat16_and_its_sounds_are_float32():
    gan = WaveGAN(**TINY, num_classes=2, d_steps=2, dtype="mixed_bfloat16")
    gan.compile()
    assert [type(each).__name__ for each in gan.regularizers] == ["GradientPenalty"]
    sounds = np.sin(np.arange(256 * 16).reshape(16, 256, 1)).astype("float32")
    before = gan.generator.get_weights()
    history = gan.fit(sounds, np.arange(16) % 2, batch_size=4, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert any((one != other).any() for one, other in zip(before, gan.generator.get_weights(), strict=True))
    assert gan.generate(1, seed=0).dtype == np.float32


def recipe(source, **data) -> recipes.Recipe:
    return recipes.from_dict({"model": {"type": "wavegan", "base_filters": 2}, "data": {"source": str(source), **data}})


def test_the_data_of_a_recipe_decide_length_rate_and_classes(tmp_path):
    for number, word in enumerate(("no", "yes")):
        (tmp_path / word).mkdir()
        Audio(300, 2, 16_000).save(tmp_path / word / "a.wav", np.full((1, 300, 2), 0.1 + number / 2))
    read = recipe(tmp_path, rate=8000, samples=256, batch_size=2)
    model = recipes.build_model(read, recipes.describe_data(read))
    assert model.makes == Audio(256, 2, 8000)
    assert model.num_classes == 2
    sounds, labels = next(iter(recipes.load_data(read)))
    assert sounds.shape == (2, 256, 2)
    assert sorted(labels.numpy()) == [0, 1]


def test_recipes_of_sounds_are_checked_and_say_how_their_sounds_are_measured():
    with pytest.raises(ValueError, match=r"place.*'end'"):
        recipe("spoken_digit", place="end")
    with pytest.raises(ValueError, match=r"normalize.*true or false"):
        recipe("spoken_digit", normalize=1)
    measured = recipes.real_images(recipe("spoken_digit", normalize=True, place="random"))
    assert measured == {"against": "spoken_digit", "normalize": True}
