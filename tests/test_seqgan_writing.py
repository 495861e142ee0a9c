"""SeqGAN when it writes: which words are drawn, in Python, in steps, and on the command line."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_seqgan import rows, small

from kerasgan import cli
from kerasgan.core.judged import frozen_state
from kerasgan.layers.token_writer import draw
from kerasgan.models import SeqGAN


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


def follows_padding(tokens):
    """How many tokens other than padding stand behind one."""
    tokens = np.asarray(tokens)
    return int((tokens[np.cumsum(tokens == 0, axis=1) > 0] != 0).sum())


def test_after_padding_comes_only_padding():
    model, latents = small(words=WORDS), tf.random.stateless_uniform((300, 5), [1, 2])
    free = model.ema_generator.get_layer("writer").write(latents, never=(1,)).numpy()
    assert follows_padding(free) > 100, "an untrained model knows no order"
    written = model.generate(300, latents=latents)
    # Up to the end a text is what it would have been.
    np.testing.assert_array_equal(written, np.where(np.cumsum(free == 0, axis=1) > 0, 0, free))
    for chosen in ({"temperature": 0.7}, {"top_k": 5}):
        assert follows_padding(model.generate(300, seed=1, **chosen)) == 0
    # The discriminator sees what the generator does wrong.
    assert follows_padding(model.synthesize(tf.constant(rows(300)), {}, tf.constant([1, 2])).fake) > 100


def test_without_words_every_number_is_written():
    written = small().generate(200, seed=1)
    assert set(written.ravel()) == set(range(7))
    assert follows_padding(written), "0 is a number like the others"


def test_a_step_at_a_time_is_the_network_that_reads_it_all():
    model = knows_unknown()
    step = model.stepwise()
    tokens = tf.constant(rows(6))
    expected = tf.nn.softmax(model.ema_generator(tokens) + tf.constant([0.0, -1e9, 0, 0, 0, 0, 0])).numpy()
    after = np.pad(tokens == 0, ((0, 0), (1, 0)))[:, :-1]
    assert after.any(), "some texts end here"
    expected[after] = [1, 0, 0, 0, 0, 0, 0]
    token, state = tf.fill((6,), step.first), tf.zeros((6, 2 * 16))
    for place in range(5):
        found = step.network([token, state])
        token, state = tokens[:, place], found["state"]
        np.testing.assert_allclose(tf.nn.softmax(found["logits"]), expected[:, place], atol=1e-6)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(step.network))
    copy.set_weights(step.network.get_weights())
    np.testing.assert_array_equal(copy([token, state])["logits"], step.network([token, state])["logits"])


def test_sequences_are_no_images_to_the_tape(caplog):
    model = small(pretraining=(0, 0))
    with frozen_state():
        model.train_step(tf.constant(rows(4)))
    assert "watched tensor must be floating" not in caplog.text


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
