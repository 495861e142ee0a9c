"""SeqGAN: what a beginning is worth, how the phases follow one another, how it writes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import cli
from kerasgan.core.judged import Update, frozen_state
from kerasgan.layers.token_writer import draw
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


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_run_that_stops_in_any_phase_goes_on_bit_by_bit(done, tmp_path):
    straight, stopped = small(), small()
    straight.fit(rows(), batch_size=16, epochs=done + 2, shuffle=False, verbose=0)
    stopped.fit(rows(), batch_size=16, epochs=done + 1, shuffle=False, verbose=0)
    stopped.save(tmp_path / "model.keras")
    resumed = keras.models.load_model(tmp_path / "model.keras")
    assert resumed.phase == stopped.phase
    resumed.fit(rows(), batch_size=16, epochs=1, shuffle=False, verbose=0)
    for name in ("generator", "discriminator", "ema_generator"):
        assert not moved(weights(getattr(straight, name)), weights(getattr(resumed, name))), name


def test_several_updates_a_round_use_all_sequences():
    model = small(d_steps=2, pretraining=(1, 0))
    model.fit(rows(), batch_size=8, epochs=1, verbose=0)
    assert int(model.g_optimizer.iterations) == 4, "32 sequences in batches of 8"


# Writing


def test_words_are_drawn_as_likely_as_they_are():
    random = np.random.default_rng(1)
    logits = tf.constant(random.normal(0, 2, (1, 150)), "float32")
    noise = tf.constant((np.arange(20_000) + 0.5) / 20_000, "float32")
    tokens = draw(tf.repeat(logits, len(noise), axis=0), noise).numpy()
    expected = tf.nn.softmax(logits)[0].numpy()
    np.testing.assert_allclose(np.bincount(tokens, minlength=150) / 20_000, expected, atol=2e-4)
    assert (np.diff(tokens) >= 0).all(), "stretches lie in the order of the tokens"


@pytest.mark.parametrize("edge", [0.0, 1.0 - 2**-24, 1.0])
def test_the_ends_of_the_noise_draw_words_that_exist(edge):
    for size in (1, 3, 64, 65):
        token = int(draw(tf.zeros((1, size)), tf.constant([edge]))[0])
        assert token == (0 if edge == 0.0 else size - 1)


def test_top_k_and_temperature_prefer_likely_words():
    logits = tf.constant([[0.0, 3.0, 2.0, 1.0]] * 1000)
    noise = tf.constant(np.linspace(0, 0.999, 1000), "float32")
    assert set(draw(logits, noise, top_k=2).numpy()) == {1, 2}
    model = small(pretraining=(20, 0))
    model.fit(rows(), batch_size=16, epochs=20, verbose=0)
    likely = {t: model.log_likelihoods_of(model.generate(200, seed=1, temperature=t)).mean() for t in (0.3, 1.0, 3.0)}
    assert likely[0.3] > likely[1.0] > likely[3.0]
    assert len({tuple(row) for row in model.generate(50, seed=1, top_k=1).tolist()}) == 1


def test_temperature_of_one_is_what_generate_does_anyway():
    model = small()
    plain = model.generate(20, seed=3)
    np.testing.assert_array_equal(model.generate(20, seed=3, top_k=7), plain)
    np.testing.assert_array_equal(model.generate(20, seed=3, batch_size=7), plain)


def test_texts_are_words_without_padding():
    model = small(3, 4, words=("", "<unknown>", "dog", "runs"))
    lines = model.generate_text(30, seed=0)
    assert len(lines) == 30
    assert {word for line in lines for word in line.split()} == {"dog", "runs"}
    again = SeqGAN.from_config(model.get_config())
    assert again.words == model.words, "the vocabulary is part of the model"


WORDS = ("", "<unknown>", "a", "dog", "cat", "runs", "sleeps")


def knows_unknown(**settings):
    """A model that finds the unknown word by far the likeliest."""
    model = small(words=WORDS, **settings)
    for network in (model.generator, model.ema_generator):
        network.get_layer("writer").logits.bias.assign([0.0, 9.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    return model


def test_an_unknown_word_is_read_and_never_written():
    model = knows_unknown()
    written = [
        model.generate(200, seed=1),
        model.generate(200, seed=1, temperature=9.0),
        model.sample([tf.random.stateless_uniform((200, 5), [1, 2])]).numpy(),
    ]
    assert all(1 not in each for each in written)
    # The others keep their chances among themselves.
    assert np.mean(written[0][:, 0] == 6) == pytest.approx(np.e / (np.e + 5), abs=0.1)
    assert 1 not in model.generate(200, seed=1, top_k=2), "nor is it one of the likeliest"
    # The game is played with all numbers that the data have, and likelihood is of all.
    assert (model.synthesize(tf.constant(rows(50)), {}, tf.constant([1, 2])).fake.numpy() == 1).mean() > 0.9
    assert model.log_likelihoods_of(np.ones((1, 5), "int32"))[0] > -0.1


def test_without_words_every_number_is_written():
    assert set(small().generate(200, seed=1).ravel()) == set(range(7))


def test_a_step_at_a_time_is_the_network_that_reads_it_all():
    model = knows_unknown()
    step = model.stepwise()
    tokens = tf.constant(rows(6))
    expected = tf.nn.log_softmax(model.ema_generator(tokens) + tf.constant([0.0, -1e9, 0, 0, 0, 0, 0])).numpy()
    token, state = tf.fill((6,), step.first), tf.zeros((6, 2 * 16))
    for place in range(5):
        found = step.network([token, state])
        token, state = tokens[:, place], found["state"]
        np.testing.assert_allclose(np.exp(tf.nn.log_softmax(found["logits"])), np.exp(expected[:, place]), atol=1e-6)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(step.network))
    copy.set_weights(step.network.get_weights())
    np.testing.assert_array_equal(copy([token, state])["logits"], step.network([token, state])["logits"])


def test_sequences_are_no_images_to_the_tape(caplog):
    model = small(pretraining=(0, 0))
    with frozen_state():
        model.train_step(tf.constant(rows(4)))
    assert "watched tensor must be floating" not in caplog.text


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


# On the command line


def test_captions_are_trained_on_and_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "captions.txt").write_text("a dog runs\na cat sleeps\ntwo dogs sleep\n" * 4, encoding="utf-8")
    tiny = [f"model.{name}={value}" for name, value in {"windows": "[1]", "filters": "[4]", "units": 4}.items()]
    settings = [word for each in [*tiny, "model.pretraining=[1, 0]", "model.d_steps=1"] for word in ("--set", each)]
    command = ["train", "seqgan", "--data", "captions.txt", "--epochs", "2", "--batch-size", "4", "--out", "run"]
    assert cli.main([*command, *settings]) == 0
    capsys.readouterr()
    assert cli.main(["generate", "run", "-n", "5", "--seed", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert set(" ".join(lines).split()) <= {"a", "two", "dog", "dogs", "cat", "runs", "sleep", "sleeps"}
    assert cli.main(["generate", "run", "-n", "5", "--seed", "1", "--out", "new.txt"]) == 0
    assert (tmp_path / "new.txt").read_text(encoding="utf-8").splitlines() == lines
    # One word to choose from leaves nothing to chance.
    command = ["generate", "run", "-n", "3", "--seed", "1", "--out", "few.txt", "--temperature", "0.7", "--top-k"]
    assert cli.main([*command, "1"]) == 0
    assert len(set((tmp_path / "few.txt").read_text(encoding="utf-8").splitlines())) == 1
    assert cli.main([*command, "99"]) == 1
    assert "top_k must be" in capsys.readouterr().err
