"""pix2pix and CycleGAN: what their papers say, and what implementations of them got wrong."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kerasgan
from kerasgan import cli
from kerasgan.core.judged import Batch, Update
from kerasgan.data.transform import Transform
from kerasgan.networks.translator import residual_translator
from kerasgan.networks.unet import count_latents, unet_generator
from kerasgan.runs import recipes, training

SHAPE = (16, 16, 3)
RANDOM = np.random.default_rng(0)
A, B = (tf.constant(RANDOM.uniform(-1, 1, size=(4, *SHAPE)).astype("float32")) for _ in range(2))


@pytest.fixture
def pix2pix():
    gan = kerasgan.Pix2Pix(SHAPE, base_filters=4, d_halvings=1, seed=0)
    gan.compile()
    return gan


@pytest.fixture
def cyclegan():
    gan = kerasgan.CycleGAN(SHAPE, base_filters=4, blocks=1, d_halvings=1, pool_size=3, seed=0)
    gan.compile()
    return gan


# pix2pix


def test_dropout_stays_in_translation_and_a_seed_repeats_it(pix2pix):
    first, again, other = (pix2pix.translate(A, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4


def test_without_dropout_there_is_one_answer():
    gan = kerasgan.Pix2Pix(SHAPE, base_filters=4, dropout=0.0, seed=0)
    assert list(gan.takes) == ["source"]
    np.testing.assert_array_equal(gan.translate(A, seed=1), gan.translate(A, seed=2))


def test_an_answer_does_not_depend_on_the_batch_it_is_in(pix2pix):
    """Batch norm at its averages, or of a batch, paints images black."""
    inputs = pix2pix.sampler_inputs(4, seed=0, source=A)
    together = pix2pix.generator(list(inputs), training=True)
    alone = pix2pix.generator([part[:1] for part in inputs], training=False)
    np.testing.assert_allclose(together[:1], alone, atol=2e-4)


def test_the_discriminator_sees_the_source(pix2pix):
    assert pix2pix.discriminate(B, source=A).shape == (4, 8, 8, 1)
    assert np.abs(pix2pix.discriminate(B, source=A) - pix2pix.discriminate(B, source=A[::-1])).max() > 1e-4


def terms_of(gan, batch):
    still = {"training": False, "frozen": True}
    d_terms = gan.discriminator_terms(gan.judged(batch, Update(gan.discriminator, gan.d_optimizer, **still)))
    g_terms = gan.generator_terms(gan.judged(batch, Update(gan.generator, gan.g_optimizer, **still)))
    return {name: float(value) for name, value in (d_terms | g_terms).items()}


def test_its_terms_are_those_of_the_paper(pix2pix):
    batch = Batch(B, A, None, {"source": A}, tf.constant([0, 0]))
    terms = terms_of(pix2pix, batch)
    real, fake = (np.asarray(pix2pix.discriminate(images, source=A), "float64") for images in (B, A))
    assert terms["d_loss"] == pytest.approx(0.5 * (np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean()), 1e-4)
    assert terms["g_loss"] == pytest.approx(np.logaddexp(0, -fake).mean(), 1e-4)
    assert terms["l1_loss"] == pytest.approx(100.0 * np.abs(A - B).mean(), 1e-4)


def test_its_picture_shows_source_answer_and_target(pix2pix):
    assert pix2pix.panels() == {}
    pix2pix.examples = {"source": np.asarray(A), "target": np.asarray(B)}
    panel = pix2pix.panels()["translations"]
    assert panel.columns == 3
    np.testing.assert_allclose(panel.made[0::3], A, atol=0.01)
    np.testing.assert_allclose(panel.made[1::3], pix2pix.translate(pix2pix.examples["source"], seed=0))
    np.testing.assert_allclose(panel.made[2::3], B, atol=0.01)


def test_a_drawing_is_shown_beside_colours():
    gan = kerasgan.Pix2Pix(SHAPE, (16, 16, 1), base_filters=4, seed=0)
    gan.examples = {"source": np.asarray(A)[..., :1], "target": np.asarray(B)}
    assert gan.panels()["translations"].made.shape == (12, *SHAPE)


@pytest.mark.parametrize("shape", [(16, 16, 1), (64, 64, 3), (24, 32, 3), (96, 64, 3)])
def test_a_unet_of_any_size_uses_all_of_its_numbers(shape):
    network = unet_generator(shape, 2, 4, seed=0)
    _, latents = network.inputs
    drops = [layer for layer in network.layers if type(layer).__name__ == "GivenDropout"]
    assert latents.shape[1] == count_latents(shape, 4) == sum(np.prod(layer.output.shape[1:]) for layer in drops)
    assert network.output.shape[1:] == (*shape[:2], 2)
    assert len(drops) == min(
        3, len([layer for layer in network.layers if type(layer).__name__ == "Conv2DTranspose"]) - 1
    )


def test_what_the_encoder_saw_goes_past_the_innermost_layer():
    """Without shortcuts, one place could not say where a pixel was."""
    network = unet_generator((16, 16, 1), 1, 4, dropout=0.0, seed=0)
    image = tf.constant(RANDOM.normal(size=(1, 16, 16, 1)).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = network(image)[0, 3, 3, 0]
    slope = np.abs(tape.gradient(value, image)[0, :, :, 0])
    assert slope[2:5, 2:5].mean() > 2 * np.median(slope)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (20, 20, 3)}, "multiples of 8"),
        ({"image_shape": (8, 8, 3)}, "16 to 512"),
        ({"image_shape": (16, 16, 3), "source_shape": (32, 32, 1)}, "one height and width"),
        ({"image_shape": (16, 16, 3), "dropout": 1.0}, "received 100.0 and 1.0"),
        ({"image_shape": (16, 16, 3), "l1_weight": -1.0}, "l1_weight must be at least 0"),
        ({"image_shape": (16, 16, 3), "base_filters": 0}, "base_filters must be a whole number"),
        ({"image_shape": (16, 16, 3), "d_halvings": 0}, "d_halvings must be a whole number"),
    ],
)
def test_pix2pix_that_there_is_not(arguments, message):
    with pytest.raises(ValueError, match=message):
        kerasgan.Pix2Pix(**arguments)


# CycleGAN


def test_both_directions_are_reachable(cyclegan):
    there, back = cyclegan.translate(A), cyclegan.translate(A, direction="b_to_a")
    assert there.shape == back.shape == A.shape
    assert np.abs(there - back).max() > 1e-3
    np.testing.assert_array_equal(back, cyclegan.directions()["b_to_a"].translate(A))
    with pytest.raises(ValueError, match="received 'a_to_a'"):
        cyclegan.translate(A, direction="a_to_a")


def test_its_pictures_show_both_ways_and_back(cyclegan):
    cyclegan.examples = {"a": np.asarray(A), "b": np.asarray(B)}
    panels = cyclegan.panels()
    assert list(panels) == ["cycles/a", "cycles/b"]
    images, there, back = (panels["cycles/b"].made[place::3] for place in range(3))
    np.testing.assert_allclose(images, B, atol=0.01)
    np.testing.assert_allclose(there, cyclegan.translate(images, direction="b_to_a"))
    np.testing.assert_allclose(back, cyclegan.translate(there), atol=1e-6)


def test_its_terms_are_those_of_the_paper_with_half_squares(cyclegan):
    batch = cyclegan.synthesize((A, B), {}, tf.constant([0, 0]), training=False)
    terms = terms_of(cyclegan, batch)
    fake_a, fake_b = batch.fake
    again_b, again_a = cyclegan.generator([fake_a, fake_b])
    same_b, same_a = cyclegan.generator([B, A])
    logits_a, logits_b = cyclegan.discriminate(batch.fake)
    assert terms["g_loss_a"] == pytest.approx(0.5 * np.mean((np.asarray(logits_a) - 1) ** 2), 1e-4)
    assert terms["g_loss_b"] == pytest.approx(0.5 * np.mean((np.asarray(logits_b) - 1) ** 2), 1e-4)
    cycles = np.abs(A - again_a).mean() + np.abs(B - again_b).mean()
    assert terms["cycle_loss"] == pytest.approx(5.0 * cycles, 1e-4)
    assert terms["identity_loss"] == pytest.approx(2.5 * (np.abs(A - same_a).mean() + np.abs(B - same_b).mean()), 1e-4)


def test_colours_that_are_turned_round_both_ways_cost_identity_only(cyclegan):
    """Inverted twice, an image is itself again: the cycle says nothing."""

    def inverted(images, training=False):
        del training
        return [-each for each in images]

    cyclegan.generator = inverted
    batch = cyclegan.synthesize((A, B), {}, tf.constant([0, 0]))
    judged = cyclegan.judged(batch, Update(cyclegan.discriminator, cyclegan.d_optimizer, training=False, frozen=True))
    terms = cyclegan.generator_terms(judged)
    assert float(terms["cycle_loss"]) == 0.0
    assert float(terms["identity_loss"]) > 1.0


def test_the_discriminators_see_earlier_images_and_the_translators_do_not(cyclegan):
    seen = []
    plain = kerasgan.GAN.update_discriminator

    def noted(self, batch, share=1.0):
        seen.append(batch.fake)
        return plain(self, batch, share)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kerasgan.GAN, "update_discriminator", noted)
        for step in range(6):
            batch = cyclegan.synthesize((A[:2], B[:2]), {}, tf.constant([step, 0]))
            cyclegan.update_discriminator(batch)
    assert [int(pool.count) for pool in cyclegan.pools] == [3, 3]
    first = np.asarray(seen[0][0])
    later = np.concatenate([np.asarray(fake[0]) for fake in seen[3:]])
    assert any(np.array_equal(old, new) for old in first for new in later)


def test_the_pool_is_kept_through_saving(cyclegan, tmp_path):
    cyclegan.fit(((A, B),), batch_size=2, epochs=1, verbose=0)
    cyclegan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    for kept, pool in zip(loaded.pools, cyclegan.pools, strict=True):
        assert int(kept.count) == int(pool.count) > 0
        np.testing.assert_array_equal(kept.images, pool.images)


@pytest.mark.parametrize(("upsampling", "is_smooth"), [("resized", True), ("transposed", False)])
def test_what_is_resized_has_no_checkerboards(upsampling, is_smooth):
    """Of constant features, everything far from the border is constant; a transposed convolution leaves a pattern."""
    network = residual_translator((64, 64, 1), 4, 0, upsampling=upsampling, seed=0)
    name = {"resized": "ResizingConv2D", "transposed": "Conv2DTranspose"}[upsampling]
    double = next(layer for layer in network.layers if type(layer).__name__ == name)
    middle = np.asarray(double(tf.ones((1, 16, 16, 16))))[0, 8:24, 8:24]
    assert (np.ptp(middle, axis=(0, 1)).max() < 1e-5) == is_smooth


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (18, 16, 3)}, "multiples of 4"),
        ({"image_shape": (8, 8, 3)}, "from 16 on"),
        ({"image_shape": SHAPE, "cycle_weight": -1.0}, "received -1.0"),
        ({"image_shape": SHAPE, "upsampling": "nearest"}, "'transposed', 'resized'"),
        ({"image_shape": SHAPE, "blocks": -1}, "blocks at least 0"),
    ],
)
def test_cyclegans_that_there_are_not(arguments, message):
    with pytest.raises(ValueError, match=message):
        kerasgan.CycleGAN(**arguments)


# From the shell


def test_two_folders_train_a_translator(tmp_path, capsys):
    for side in "AB":
        for number in range(4):
            kerasgan.images.save_png(tmp_path / side / f"{number}.png", np.full((20, 20, 3), 40 * number, "uint8"))
    folders = [str(tmp_path / side) for side in "AB"]
    small = ["model.base_filters=4", "model.blocks=0", "model.d_halvings=1", "data.jitter=2"]
    command = ["train", "cyclegan", "--data", *folders, "--image-size", "16", "--epochs", "1", "--out"]
    command += [str(tmp_path / "run"), *(word for each in small for word in ("--set", each))]
    assert cli.main(command) == 0
    assert f"kerasgan translate {tmp_path / 'run'} PHOTO" in capsys.readouterr().out
    assert (tmp_path / "run" / "samples.png").is_file()
    recipe = recipes.read(tmp_path / "run" / "recipe.toml")
    assert recipe.data["source"] == folders
    model = training.load_run(tmp_path / "run")
    assert model.examples["a"].shape == (4, 16, 16, 3)
    assert cli.main(["train", "--resume", str(tmp_path / "run"), "--epochs", "2"]) == 0


def test_the_model_may_stand_behind_its_data(tmp_path, capsys):
    assert cli.main(["train", "--data", "mnist_mini", "dcgan", "--dry-run"]) == 0
    assert 'source = "mnist_mini"' in capsys.readouterr().out


@pytest.mark.parametrize("source", [["a"], ["a", "b", "c"], ["a", ""], ["a", 1], []])
def test_sources_that_there_are_not(source):
    with pytest.raises(ValueError, match="source in"):
        recipes.from_dict({"model": {"type": "cyclegan"}, "data": {"source": source}})


def test_drawings_of_photos_are_translated_where_these_are_asked_for(tmp_path, capsys):
    gan = kerasgan.Pix2Pix((16, 16, 3), (16, 16, 1), base_filters=4, d_halvings=1, dropout=0.0, seed=0)
    gan.save(tmp_path / "gan.keras")
    photo = np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype="uint8")
    photo[:, 15:] = 255 - photo[:, 15:] // 8
    kerasgan.images.save_png(tmp_path / "photo.png", photo)
    command = ["translate", str(tmp_path / "gan.keras"), str(tmp_path / "photo.png"), "--out"]
    assert cli.main([*command, str(tmp_path / "plain")]) == 0
    assert cli.main([*command, str(tmp_path / "drawn"), "--edges"]) == 0
    plain, drawn = (np.asarray(Image.open(tmp_path / name / "photo.png")) for name in ("plain", "drawn"))
    shape = Transform((16, 16), 3).image(kerasgan.images.read_image(tmp_path / "photo.png"))
    expected = gan.translate(kerasgan.images.to_float(kerasgan.data.edges(shape[None])))
    np.testing.assert_array_equal(drawn, kerasgan.images.to_uint8(expected)[0])
    assert not np.array_equal(plain, drawn)


@pytest.mark.slow
def test_a_preset_of_digits_is_measured_by_the_classifier_of_digits_and_verified(tmp_path, capsys):
    small = {"base_filters": 4, "blocks": 0, "d_halvings": 1, "pool_size": 2}
    recipe = recipes.from_dict(
        {
            "epochs": 1,
            "model": {"type": "cyclegan"} | small,
            "data": {"source": ["mnist_mini", "coloured_mnist_mini"], "channels": 3, "limit": 16, "batch_size": 8},
        }
    )
    training.train(recipe, tmp_path / "run")
    assert cli.main(["zoo", "pack", str(tmp_path / "run"), "--out", str(tmp_path / "digits")]) == 0
    card = (tmp_path / "digits" / "README.md").read_text()
    assert "class_kept_b_to_a" in card
    assert "mnist_of_coloured_mnist_mini" in card
    assert cli.main(["zoo", "verify", str(tmp_path / "digits")]) == 0
    assert "12 results agree" in capsys.readouterr().out
