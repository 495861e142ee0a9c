"""Text to image: pairs that do not fit, points between captions, an encoder that learns first, captions as text."""

import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.data import captioned
from kerasgan.images import save_png
from kerasgan.models.text_to_image import mismatched, sameness
from kerasgan.networks.text_to_image import match_loss
from kerasgan.publishing import packing
from kerasgan.runs import recipes, training
from kerasgan.testing.toy_data import toy_examples

WORDS = ("", "<unknown>", "left", "middle", "right", "dark")


def tiny(**settings):
    settings = {"words": WORDS, "caption_length": 3, "sentence_dim": 8, "condition_dim": 8} | settings
    return kerasgan.TextToImageGAN((16, 16, 1), 4, 8, seed=0, **settings)


@pytest.fixture(scope="module")
def model():
    return tiny()


def batch_of(model, n=6, weights=1.0):
    """Return a batch as the step makes it, and a function to judge it for one of the networks' updates."""
    model.compile()
    images, captions = toy_examples(model.learns, n)
    real, given = model.unpack((images, captions))
    return model.synthesize(real, given, tf.constant([1, 2]))


@pytest.mark.parametrize("seed", range(5))
def test_wrong_captions_have_other_words(seed):
    captions = tf.constant([[2, 3], [2, 3], [2, 4], [3, 2], [2, 3]])
    places, exists = mismatched(captions, tf.constant([seed, 0]))
    assert exists.numpy().all()
    assert np.any(captions.numpy() != captions.numpy()[places], axis=1).all()


def test_where_all_captions_are_one_there_is_no_wrong_one():
    places, exists = mismatched(tf.constant([[2, 3]] * 3), tf.constant([0, 0]))
    assert places.numpy().tolist() == [0, 1, 2]
    assert not exists.numpy().any()


def test_the_discriminator_refuses_wrong_pairs_and_fakes_by_half_each(model):
    from kerasgan.core.judged import Update

    batch = batch_of(model)
    judged = model.judged(batch, Update(model.discriminator, model.d_optimizer, training=False, frozen=True))
    loss = float(model.discriminator_terms(judged)["d_loss"])

    def cost(images, sentences, sign):
        logits = model.discriminator([images, sentences], training=False)
        return float(tf.reduce_mean(tf.nn.softplus(sign * logits)))

    right, wrong = batch.given["sentences"], batch.given["wrong"]
    refused = 0.5 * cost(batch.fake, right, 1.0) + 0.5 * cost(batch.real, wrong, 1.0)
    assert loss == pytest.approx(cost(batch.real, right, -1.0) + refused, rel=1e-4)


def test_a_batch_of_one_caption_plays_on_and_calls_no_right_pair_wrong(model):
    from kerasgan.core.judged import Update

    model.compile()
    images, _ = toy_examples(model.learns, 4)
    real, given = model.unpack((images, np.full((4, 3), 2, "int32")))
    batch = model.synthesize(real, given, tf.constant([1, 2]))
    judged = model.judged(batch, Update(model.discriminator, model.d_optimizer, training=False, frozen=True))
    logits = [model.discriminator([each, batch.given["sentences"]]) for each in (batch.real, batch.fake)]
    plain = tf.reduce_mean(tf.nn.softplus(-logits[0])) + tf.reduce_mean(tf.nn.softplus(logits[1]))
    assert float(model.discriminator_terms(judged)["d_loss"]) == pytest.approx(float(plain), rel=1e-4)


def test_half_as_many_points_between_captions_that_differ(model):
    batch = batch_of(model, n=5)
    assert batch.fake.shape[0] == 5
    assert batch.given["made_between"].shape[0] == 3
    middle = (batch.given["sentences"] + batch.given["wrong"])[:3] / 2
    assert np.allclose(batch.given["between"], middle)


def test_without_interpolation_nothing_is_drawn_between():
    model = tiny(interpolation_weight=0.0, variety_weight=0.0)
    assert batch_of(model).given["made_between"].shape[0] == 0
    model.fit(*toy_examples(model.learns, 6), batch_size=6, epochs=2, verbose=0)
    assert np.isfinite(model.evaluate(*toy_examples(model.learns, 6), verbose=0)).all()


def test_variety_is_of_the_same_captions_with_other_latents(model):
    batch = batch_of(model, n=5)
    given = batch.given
    assert given["made_again"].shape[0] == given["other_latents"].shape[0] == 3
    assert not np.any(given["other_latents"] == batch.latents[:3])
    again = model.generator([given["other_latents"], given["sentences"][:3]], training=False)
    alone = model.synthesize(batch.real, {"captions": toy_examples(model.learns, 5)[1]}, batch.seed, training=False)
    assert np.allclose(again, alone.given["made_again"], atol=1e-5)


def test_images_that_are_alike_cost_the_generator_more():
    latents = tf.zeros((2, 3)), tf.ones((2, 3))
    images = tf.zeros((4, 2, 2, 1)), tf.fill((2, 2, 2, 1), 0.5)
    assert float(sameness((images[0], latents[0]), (images[1], latents[1]))) == pytest.approx(2.0, rel=1e-3)
    assert float(sameness((images[0], latents[0]), (images[0][:2], latents[1]))) > 1e4


def test_the_encoder_learns_first_and_is_left_as_it_is_in_the_game():
    model = tiny()
    model.compile()
    data = toy_examples(model.learns, 12)

    def weights(network):
        return [each.copy() for each in network.get_weights()]

    before = weights(model.text_encoder), weights(model.generator)
    assert model.phase == "matching"
    model.fit(*data, batch_size=6, epochs=1, verbose=0)
    between = weights(model.text_encoder), weights(model.generator)
    assert any(np.any(one != two) for one, two in zip(before[0], between[0], strict=True))
    assert all(np.array_equal(one, two) for one, two in zip(before[1], between[1], strict=True))
    assert model.phase == "game"
    model.fit(*data, batch_size=6, epochs=1, verbose=0)
    after = weights(model.text_encoder), weights(model.generator)
    assert all(np.array_equal(one, two) for one, two in zip(between[0], after[0], strict=True))
    assert any(np.any(one != two) for one, two in zip(between[1], after[1], strict=True))


def test_images_of_equal_captions_are_right_for_each_other():
    vectors = 2.0 * tf.eye(4)[:2]
    sentences = tf.stack([vectors[0], vectors[1], vectors[0]])
    captions = tf.constant([[2], [3], [2]])
    right = float(match_loss(sentences, sentences, captions))
    swapped = float(match_loss(tf.gather(sentences, [1, 0, 1]), sentences, captions))
    # Two of three share a caption: log 2 is what is left of those rows.
    assert right == pytest.approx(2 / 3 * np.log(2), abs=1e-3)
    assert swapped > 5.0


def test_padding_says_nothing(model):
    longer = tiny(caption_length=5)
    longer.text_encoder.set_weights(model.text_encoder.get_weights())
    caption = np.array([[2, 5, 0]], "int32")
    padded = np.array([[2, 5, 0, 0, 0]], "int32")
    assert np.allclose(model.text_encoder(caption), longer.text_encoder(padded), atol=1e-6)


def test_text_is_what_its_numbers_are(model):
    by_text = model.generate(text=["left", "Dark right"], seed=3)
    by_numbers = model.generate(2, seed=3, captions=np.array([[2, 0, 0], [5, 4, 0]], "int32"))
    assert np.array_equal(by_text, by_numbers)
    assert not np.array_equal(by_text, model.generate(text=["right", "dark right"], seed=3))
    assert model.generate(3, text="left", seed=0).shape == (3, 16, 16, 1)


def test_unknown_words_are_counted(model):
    with pytest.warns(UserWarning, match="2 words are not known and say nothing: bright, green"):
        model.generate(text=["bright left", "green bright right"], seed=0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one word; received ''"),
        (["left", " "], "at least one word; received ' '"),
        ("purple", "None of the words of 'purple' is among the 4 known ones, such as left, middle, right, dark"),
        ("left left left left", "at most 3 words and marks; received 4"),
        ([], "positive integer; received 0"),
    ],
)
def test_text_that_says_nothing_is_refused(model, text, message):
    with pytest.raises(ValueError, match=message):
        model.generate(text=text)


def test_what_does_not_go_together_is_refused(model):
    with pytest.raises(ValueError, match="not both"):
        model.generate(text="left", captions=np.zeros((1, 3), "int32"))
    with pytest.raises(ValueError, match="needs the number of images, n, or text="):
        model.generate()
    with pytest.raises(ValueError, match="by their numbers only; received text"):
        tiny(words=None, vocabulary=6).generate(text="left")
    with pytest.raises(ValueError, match="needs captions= for each of the 3 that it makes; received 2"):
        model.generate(3, text=["left", "right"])
    with pytest.raises(ValueError, match="interpolation_weight must be at least 0; received -1"):
        tiny(interpolation_weight=-1.0)


def test_pairs_are_judged_by_text_or_numbers(model):
    images = np.zeros((2, 16, 16, 1), "float32")
    by_text = model.discriminate(images, ["left", "right"])
    assert np.array_equal(by_text, model.discriminate(images, np.array([[2, 0, 0], [4, 0, 0]], "int32")))
    assert float(by_text[0, 0]) != float(by_text[1, 0])


def test_rows_of_the_panel_are_captions():
    model = tiny()
    assert model.panels() == {}
    model.examples = {"captions": np.array([[2, 0, 0], [4, 5, 0], [2, 0, 0]], "int32")}
    panel = model.panels()["captions"]
    assert "From above: left; right dark." in panel.description
    assert panel.made.shape == (2 * panel.columns, 16, 16, 1)


def test_the_card_of_a_preset_shows_captions_that_are_new(tmp_path):
    for split, texts in {"train": ("left", "right", "dark"), "test": ("right dark", "left", "bright")}.items():
        for number, text in enumerate(texts):
            save_png(tmp_path / "pictures" / split / f"{number}.png", np.full((16, 16, 1), 60 * number, np.uint8))
            (tmp_path / "pictures" / split / f"{number}.txt").write_text(text, encoding="utf-8")
    gan = tiny()
    gan.examples = {"captions": np.array([[2, 0, 0]], "int32")}
    folder = kerasgan.save_preset(gan, tmp_path / "preset")
    packing.refresh(folder, panels={"captions.png": "Rows."})
    recipe = {"epochs": 1, "model": {"type": "text_to_image"}, "data": {"source": str(tmp_path / "pictures")}}
    (folder / training.RECIPE).write_text(recipes.from_dict(recipe).to_toml(), encoding="utf-8")
    packing.show_unseen(folder)
    metadata = kerasgan.presets.read_metadata(folder)
    assert list(metadata["panels"]) == ["captions.png", "unseen.png"]
    # "left" was trained on, and "bright" is a word that nobody knows.
    assert metadata["panels"]["unseen.png"].endswith("In reading order: right dark.")
    assert "![unseen](unseen.png)" in (folder / "README.md").read_text(encoding="utf-8")
    assert "unseen.png" in metadata["sha256"]


def test_captions_are_read_off_the_pictures():
    pictures = np.zeros((2, 28, 28, 1), np.uint8)
    pictures[0, :, 4:24] = 100  # A dress, dark, 20 wide.
    pictures[1, 20:, :] = 250  # A boot, light, 8 high.
    labels = np.array([3, 9])
    texts = captioned.captions(pictures, labels)
    assert texts == ["a dark wide dress", "a light low ankle boot"]
    assert [captioned.read(text) for text in texts] == [(3, 0, 1), (9, 2, 0)]
    with pytest.raises(ValueError, match="'a hat' is no caption"):
        captioned.read("a hat")
