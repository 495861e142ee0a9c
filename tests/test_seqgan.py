"""SeqGAN in training: what a beginning is worth, slopes in place of rewards, how the phases follow one another."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.core.judged import Update
from kerasgan.models import SeqGAN
from kerasgan.models.seqgan import others_mean
from kerasgan.networks.seqgan import judge_of_vectors
from kerasgan.optimizers import Adam

SMALL = {"windows": (1, 2), "filters": (4, 4), "embedding_dim": 8, "units": 16, "d_embedding_dim": 4, "d_steps": 1}


def small(length=5, vocabulary=7, **settings):
    model = SeqGAN(length, vocabulary, **SMALL | {"rollouts": 3, "pretraining": (1, 1), "seed": 0} | settings)
    model.compile()
    return model


def rows(n=32, length=5, vocabulary=7):
    """Sequences that count on from a random number."""
    random = np.random.default_rng(0)
    return ((random.integers(0, 3, (n, 1)) + np.arange(length)) % vocabulary).astype("int32")


# What a beginning is worth


def judged_by(model, how):
    """The model with a discriminator that is a function of tokens."""
    model._how_real = lambda tokens: tf.cast(how(tokens), "float32")
    return model


def test_a_beginning_that_decides_is_worth_the_same_at_every_place():
    # The verdict is the first token's: whatever is written after it changes nothing.
    model, tokens = judged_by(small(), lambda tokens: tokens[:, 0] / 10), rows(6)
    rewards = model.rewards(tf.constant(tokens), tf.constant([1, 2]))
    assert rewards.shape == (6, 5)
    np.testing.assert_allclose(rewards, np.repeat(tokens[:, :1] / 10, 5, axis=1), atol=1e-6)


def test_a_word_is_not_paid_before_it_is_written():
    # The verdict is the third token's, 1 for a 6: known from the third place on, and before that only its chances.
    model = judged_by(small(rollouts=200), lambda tokens: tokens[:, 2] == 6)
    tokens = tf.constant([[0, 0, 6, 0, 0], [0, 0, 1, 0, 0]])
    rewards = model.rewards(tokens, tf.constant([1, 2])).numpy()
    np.testing.assert_array_equal(rewards[:, 2:], [[1, 1, 1], [0, 0, 0]])
    # An untrained writer finds all of seven words about as likely.
    np.testing.assert_allclose(rewards[:, :2], 1 / 7, atol=0.09)


def test_every_way_to_finish_keeps_the_beginning_and_differs_after_it():
    writer, tokens = small().generator.get_layer("writer"), tf.constant(rows(4))
    noise = tf.random.stateless_uniform((5, 4 * 4), [3, 4])
    finished = writer.finish(tokens, noise).numpy().reshape(4, 4, 5)
    for kept in range(1, 5):
        np.testing.assert_array_equal(finished[kept - 1, :, :kept], tokens[:, :kept])
    assert (finished[0, :, 1:] != tokens.numpy()[:, 1:]).any()


def test_beginnings_are_finished_as_likely_as_the_writer_finds_the_rest():
    model = small(3, 2)
    model.generator.set_weights([4 * weight for weight in model.generator.get_weights()])
    writer, tokens = model.generator.get_layer("writer"), tf.constant([[1, 0, 0]] * 4000)
    finished = writer.finish(tokens, tf.random.stateless_uniform((3, 8000), [5, 6])).numpy()[:4000]
    found = {rest: np.mean((finished[:, 1:] == rest).all(axis=1)) for rest in ((0, 0), (0, 1), (1, 0), (1, 1))}
    for rest, share in found.items():
        likely = tf.nn.log_softmax(model.generator(tf.constant([[1, *rest]])))[0].numpy()
        expected = np.exp(likely[1, rest[0]] + likely[2, rest[1]])
        assert share == pytest.approx(expected, abs=0.03), rest


def test_the_gradient_is_that_of_the_expected_reward():
    # One place, three words, of which the second pays: REINFORCE over many draws is the slope of its probability.
    model = judged_by(small(1, 3, windows=(1,), filters=(4,), ema_decay=None), lambda tokens: tokens[:, 0] == 1)
    real = tf.zeros((20_000, 1), "int32")

    def slope(loss, tape):
        return tape.gradient(loss, model.generator.get_layer("writer").logits.bias).numpy()

    with tf.GradientTape() as tape:
        batch = model.synthesize(real, {}, tf.constant([1, 1]))
        terms = model.generator_terms(model.judged(batch, Update(model.generator, model.g_optimizer, frozen=True)))
    estimated = slope(terms["g_loss"], tape)
    with tf.GradientTape() as tape:
        loss = -tf.nn.softmax(model.generator(tf.zeros((1, 1), "int32")))[0, 0, 1]
    np.testing.assert_allclose(estimated, slope(loss, tape), atol=0.01)
    assert float(terms["g_loss"]) == pytest.approx(float(loss), abs=0.01), "its value is minus the expected reward"


def test_the_baseline_is_the_mean_of_the_others():
    rewards = tf.constant([[1.0, 4.0], [2.0, 5.0], [6.0, 0.0]])
    np.testing.assert_allclose(others_mean(rewards), [[4.0, 2.5], [3.5, 2.0], [1.5, 4.5]])
    np.testing.assert_allclose(others_mean(rewards[:1]), [[1.0, 4.0]])


def test_a_constant_reward_asks_nobody():
    model = small(constant_reward=0.5)
    model._how_real = None
    assert np.all(model.rewards(tf.constant(rows(4)), tf.constant([1, 2])) == 0.5)


# Slopes in place of rewards


def relaxed(**settings):
    return small(3, 4, estimator="gumbel_softmax", **{"ema_decay": None, "pretraining": (0, 2)} | settings)


def test_relaxed_words_are_whole_and_as_likely_as_they_are():
    model = relaxed()
    writer = model.generator.get_layer("writer")
    writer.logits.bias.assign([1.0, 0.0, -1.0, 0.5])
    made = writer.relax(tf.random.stateless_uniform((3, 5000, 4), [1, 2]), 0.5).numpy()
    np.testing.assert_allclose(np.sort(made, axis=-1), np.broadcast_to([0, 0, 0, 1], made.shape), atol=1e-6)
    tokens = made.argmax(axis=-1).astype("int32")
    for place in range(3):
        # Each is drawn as the network says of those before it.
        expected = tf.nn.softmax(model.generator(tokens))[:, place].numpy().mean(axis=0)
        np.testing.assert_allclose(np.bincount(tokens[:, place], minlength=4) / 5000, expected, atol=0.03)


def test_the_slope_of_a_relaxed_word_is_that_of_the_softmax():
    model = relaxed()
    writer, slope = model.generator.get_layer("writer"), np.array([0.0, 1.0, 2.0, -3.0], "float32")
    noise = tf.random.stateless_uniform((3, 50, 4), [3, 4])
    with tf.GradientTape() as tape:
        last = writer.relax(noise, 0.5)[:, 0] @ slope[:, None]
    found = tape.gradient(last, writer.logits.bias)
    sums = model.generator(np.zeros((1, 3), "int32"))[0, 0].numpy() - np.log(-np.log(noise[0].numpy()))
    weights = np.exp(sums / 0.5) / np.exp(sums / 0.5).sum(axis=1, keepdims=True)
    expected = (weights * (slope - weights @ slope[:, None])).sum(axis=0) / 0.5
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_the_vectors_of_words_are_judged_as_the_words():
    model, tokens = relaxed(), rows(6, 3, 4)
    embedding, judge = judge_of_vectors(model.discriminator)
    np.testing.assert_allclose(judge(embedding(tokens)), model.discriminate(tokens), atol=1e-6)


def test_a_generator_learns_by_slopes_which_words_a_language_has():
    model = relaxed(dropout=0.0)
    model.compile(d_optimizer=Adam(5e-3), g_optimizer=Adam(1e-2))
    language = np.random.default_rng(0).integers(1, 3, (128, 3)).astype("int32")

    def share():
        return np.isin(model.generate(300, seed=1), (1, 2)).mean()

    before = share()
    terms = model.fit(language, batch_size=32, epochs=12, verbose=0).history
    assert before == pytest.approx(0.5, abs=0.1)
    assert share() > 0.9
    assert terms["likelihood_loss"][-1] == 0.0, "nothing was learned by likelihood"


@pytest.mark.parametrize("settings", [{"loss": "relativistic"}, {"jit_compile": True}, {}], ids=str)
def test_slopes_move_the_generator_alone(settings):
    model = relaxed(pretraining=(0, 0), dtype="mixed_bfloat16" if not settings else None)
    model.compile(d_optimizer=keras.optimizers.SGD(0.0), **settings)
    before = [weights(network) for network in (model.generator, model.discriminator)]
    terms = model.fit(rows(16, 3, 4), batch_size=16, verbose=0).history
    after = [weights(network) for network in (model.generator, model.discriminator)]
    assert [moved(*pair) for pair in zip(before, after, strict=True)] == [True, False]
    assert np.isfinite(terms["g_loss"]).all()


# Phases


def weights(network):
    return [np.array(each) for each in network.get_weights()]


def moved(before, after):
    return any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_likelihood_first_then_the_discriminator_then_both():
    model, found = small(), []
    for _ in range(3):
        before = [weights(network) for network in (model.generator, model.discriminator)]
        phase = model.phase
        model.fit(rows(), batch_size=16, epochs=1, verbose=0)
        after = [weights(network) for network in (model.generator, model.discriminator)]
        found.append((phase, *(moved(*pair) for pair in zip(before, after, strict=True))))
    assert found == [("likelihood", True, False), ("discriminator", False, True), ("game", True, True)]


def test_likelihood_learns_the_sequences():
    model = small(pretraining=(60, 0))
    before = model.log_likelihoods_of(rows()).mean()
    model.fit(rows(), batch_size=16, epochs=60, verbose=0)
    # What is left is which of three numbers comes first: log 3.
    assert before < -8
    assert model.log_likelihoods_of(rows()).mean() > -2.0
    real = {tuple(row) for row in rows().tolist()}
    assert np.mean([tuple(row) in real for row in model.generate(100, seed=1).tolist()]) > 0.8


def test_evaluate_tells_the_likelihood_in_every_phase():
    model = small()
    found = model.evaluate(rows(), batch_size=32, verbose=0, return_dict=True)
    assert found["likelihood_loss"] == pytest.approx(np.log(7), abs=0.1)
    assert found["d_loss"] > 0
    assert -1 < found["g_loss"] < 0


def test_a_run_that_stops_in_any_phase_goes_on_bit_by_bit(tmp_path):
    straight, phases, ends = small(), [], []
    names = ("generator", "discriminator", "ema_generator")

    def keep(epoch, logs=None):
        straight.save(tmp_path / f"{epoch}.keras")
        phases.append(straight.phase)
        ends.append([weights(getattr(straight, name)) for name in names])

    kept = keras.callbacks.LambdaCallback(on_epoch_end=keep)
    straight.fit(rows(), batch_size=16, epochs=4, shuffle=False, verbose=0, callbacks=[kept])
    assert phases == ["discriminator", "game", "game", "game"]
    for epoch in range(3):
        resumed = keras.models.load_model(tmp_path / f"{epoch}.keras")
        assert resumed.phase == phases[epoch]
        resumed.fit(rows(), batch_size=16, epochs=1, shuffle=False, verbose=0)
        for name, end in zip(names, ends[epoch + 1], strict=True):
            assert not moved(weights(getattr(resumed, name)), end), name


def test_several_updates_a_round_use_all_sequences():
    model = small(d_steps=2, pretraining=(1, 0))
    model.fit(rows(), batch_size=8, epochs=1, verbose=0)
    assert int(model.g_optimizer.iterations) == 4, "32 sequences in batches of 8"


# What is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"windows": (1, 2), "filters": (4,)}, "equally many"),
        ({"windows": (9,), "filters": (4,)}, "no longer than"),
        ({"pretraining": (1,)}, "two numbers"),
        ({"rollouts": 0}, "rollouts must be"),
        ({"length": 0}, "length must be"),
        ({"words": ("a", "b")}, "needs as many words"),
        ({"estimator": "gumbel"}, "Did you mean 'gumbel_softmax'"),
        ({"estimator": "gumbel_softmax", "gumbel_temperature": 0.0}, "gumbel_temperature must be above 0"),
        ({"estimator": "gumbel_softmax", "constant_reward": 0.5}, "knows no rewards"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        small(**settings)


def test_other_lengths_and_numbers_are_refused():
    model = small()
    with pytest.raises(ValueError, match=r"shape \(5,\)"):
        model.fit(rows(length=6), verbose=0)
    with pytest.raises(ValueError, match=r"0\.\.6|Tokens must be in"):
        model.fit(rows(vocabulary=9) + 5, verbose=0)
    with pytest.raises(ValueError, match="temperature must be above 0"):
        model.generate(2, temperature=0.0)
    with pytest.raises(ValueError, match="top_k must be"):
        model.generate(2, top_k=8)


@pytest.mark.parametrize("regularizer", ["r1", "gradient_penalty"])
def test_penalties_of_slopes_are_refused(regularizer):
    with pytest.raises(ValueError, match="no slope"):
        SeqGAN(5, 7, **SMALL).compile(regularizers=[regularizer])


def test_augmentations_of_images_are_refused():
    with pytest.raises(ValueError, match="images"):
        SeqGAN(5, 7, **SMALL).compile(augment="diffaugment")
