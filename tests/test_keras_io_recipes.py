"""The published recipes and the linear probe of tests/benchmarks, on a handful of images."""

import json
from pathlib import Path

import keras_io
import linear_probe
import numpy as np
import pytest
import tensorflow as tf

import kerasgan


def weights(model) -> list[np.ndarray]:
    return [variable.numpy() for variable in model.state()]


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """16 images in [-1, 1]; do not change them in place."""
    return next(kerasgan.data.load("mnist_mini", batch_size=16, limit=16).as_numpy_iterator())


@pytest.fixture
def two_batches(digits, monkeypatch) -> np.ndarray:
    """The same images, made two batches for all recipes."""
    for recipe in keras_io.RECIPES.values():
        monkeypatch.setattr(recipe, "batch_size", 8)
    # Three updates take three times as long to trace.
    monkeypatch.setattr(keras_io.RECIPES["wgan_gp"], "d_steps", 1)
    return digits


def given(recipe: str, images: np.ndarray):
    """Return images as a recipe's training takes them: with labels for a conditional one."""
    return images if keras_io.RECIPES[recipe].num_classes is None else (images, np.arange(len(images)) % 10)


# The recipes


# Counted by hand from the published layers.
PARAMETERS = {
    "gan": {
        "sampler": 128 * 6272 + 6272 + 2 * (4 * 4 * 128 * 128 + 128) + 7 * 7 * 128 + 1,
        "discriminator": 9 * 64 + 64 + 9 * 64 * 128 + 128 + 128 + 1,
    },
    "gan_faces": {
        "sampler": 129 * 2048 + 16 * 128 * (128 + 256) + 16 * 256 * 512 + 128 + 256 + 512 + 25 * 512 * 3 + 3,
        "discriminator": 16 * 3 * 64 + 64 + 16 * 128 * (64 + 128) + 2 * 128 + 16 * 128 + 1,
    },
    # Batch norm without scales: a shift, a mean and a variance a channel.
    "ada": {
        "sampler": (64 + 3) * 2048 + 2 * (16 * 128 * 128 + 3 * 128) + 16 * 128 + 1,
        "discriminator": 16 * 128 + 2 * 16 * 128 * 128 + 3 * 3 * 128 + 16 * 128 + 1,
    },
    "ada_faces": {
        "sampler": (64 + 3) * 2048 + 2 * (16 * 128 * 128 + 3 * 128) + 16 * 128 * 3 + 3,
        "discriminator": 3 * 16 * 128 + 2 * 16 * 128 * 128 + 3 * 3 * 128 + 16 * 128 + 1,
    },
    "conditional_gan": {
        "sampler": 138 * 6762 + 6762 + 16 * 138 * 128 + 128 + 16 * 128 * 128 + 128 + 7 * 7 * 128 + 1,
        "discriminator": 9 * 11 * 64 + 64 + 9 * 64 * 128 + 128 + 128 + 1,
    },
    # As the example prints them.
    "wgan_gp": {"sampler": 910_660, "discriminator": 4_305_409},
    "vae": {
        "sampler": 2 * 3136 + 3136 + 9 * 64 * 64 + 64 + 9 * 64 * 32 + 32 + 9 * 32 + 1,
        "encoder": 9 * 32 + 32 + 9 * 32 * 64 + 64 + 3136 * 16 + 16 + 2 * (16 * 2 + 2),
    },
}


@pytest.mark.parametrize("recipe", keras_io.RECIPES)
def test_networks_and_batches_have_the_published_sizes(recipe):
    model = keras_io.build(recipe)
    published = {"gan": 64, "gan_faces": 32, "conditional_gan": 64, "wgan_gp": 512, "vae": 128}
    assert model.batch_size == (published | {"ada": 128, "ada_faces": 128})[recipe]
    sizes = {name: getattr(model, name).count_params() for name in PARAMETERS[recipe]}
    assert sizes == PARAMETERS[recipe]


@pytest.mark.parametrize("recipe", [name for name in keras_io.RECIPES if not name.endswith("_faces")])
def test_a_stopped_run_goes_on_as_if_never_stopped(recipe, two_batches, tmp_path):
    images = given(recipe, two_batches)
    whole = keras_io.train(recipe, images, tmp_path / "whole", epochs=2, verbose=0)
    keras_io.train(recipe, images, tmp_path / "parts", epochs=1, verbose=0)
    first = json.loads((tmp_path / "parts" / "run.json").read_text())
    resumed = keras_io.train(recipe, images, tmp_path / "parts", epochs=2, verbose=0)
    record = json.loads((tmp_path / "parts" / "run.json").read_text())
    for expected, value in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_allclose(value, expected, atol=1e-6)
    assert (first["epochs"], record["epochs"], record["images"]) == (1, 2, 32)
    assert record["seconds"] > first["seconds"] > 0
    assert record["cpu_seconds"] > first["cpu_seconds"] > 0


def test_a_finished_run_loads_and_generates(two_batches, tmp_path):
    trained = keras_io.train("gan", two_batches, tmp_path, epochs=1, seed=3, dtype="mixed_bfloat16", verbose=0)
    loaded = keras_io.load(tmp_path)
    # More than one batch.
    images = loaded.generate(130, seed=1)
    assert images.shape == (130, 28, 28, 1)
    assert images.dtype == np.float32
    assert -1 <= images.min() < images.max() <= 1
    np.testing.assert_array_equal(images, trained.generate(130, seed=1))
    assert not np.array_equal(images, loaded.generate(130, seed=2))
    assert (loaded.name, loaded.image_shape) == ("keras_io_gan", (28, 28, 1))


def test_a_run_goes_on_only_with_its_own_settings(two_batches, tmp_path):
    with pytest.raises(ValueError, match=r"holds no state\.npz"):
        keras_io.load(tmp_path)
    np.save(tmp_path / "digits.npy", two_batches)
    command = ["train", "vae", "--data", str(tmp_path / "digits.npy"), "--epochs", "1", "--out", str(tmp_path / "run")]
    assert keras_io.main(command) == 0
    assert keras_io.load(tmp_path / "run").name == "keras_io_vae"
    assert keras_io.main([*command, "--seed", "1"]) == 1


def test_an_update_of_the_gan_moves_one_network_in_the_right_direction(digits):
    model = keras_io.build("gan")
    real = tf.constant((digits + 1) / 2)

    def gap():
        fake = (model.generate(16, seed=0) + 1) / 2
        return float(tf.reduce_mean(model.discriminator(fake)) - tf.reduce_mean(model.discriminator(real)))

    gap_before, weights_before = gap(), model.sampler.get_weights()
    for _ in range(3):
        model.update_discriminator(real)
    assert gap() > gap_before
    for one, other in zip(weights_before, model.sampler.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)

    weights_before = model.discriminator.get_weights()
    losses = [float(model.update_generator(16)) for _ in range(5)]
    assert losses[-1] < losses[0]
    for one, other in zip(weights_before, model.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_conditional_gan_hears_of_labels_on_both_sides(digits):
    model = keras_io.build("conditional_gan")
    by_label = [model.generate(4, seed=1, labels=np.full(4, label)) for label in (3, 4)]
    assert not np.array_equal(*by_label)
    np.testing.assert_array_equal(model.generate(20, seed=1), model.generate(20, seed=1, labels=np.arange(20) % 10))
    seen = model.seen(tf.constant(digits[:2]), tf.constant([7, 0]))
    np.testing.assert_array_equal(seen[..., :1], digits[:2])
    assert [seen[number, ..., 1:].numpy().any(axis=(0, 1)).nonzero()[0].tolist() for number in (0, 1)] == [[7], [0]]
    # A label moves the verdict, so that what is drawn can be told to be of the wrong class.
    verdicts = [model.discriminator(model.seen(tf.constant(digits), np.full(16, label))) for label in (0, 1)]
    assert not np.allclose(*verdicts)


def test_the_critic_is_updated_three_times_on_the_same_images_to_one_update_of_the_generator(digits):
    model = keras_io.build("wgan_gp")
    model.train_step(tf.constant(digits))
    assert (int(model.d_optimizer.iterations), int(model.g_optimizer.iterations)) == (3, 1)
    # Images stay in [-1, 1] on the way in, and out of the generator's tanh.
    np.testing.assert_array_equal(model.inward(digits), digits)
    images = model.generate(4, seed=0)
    assert images.shape == (4, 28, 28, 1)
    assert -1 <= images.min() < -0.01 < 0.01 < images.max() <= 1


def test_the_penalty_of_the_critic_is_about_its_slope_between_images(digits, monkeypatch):
    model, real = keras_io.build("wgan_gp"), tf.constant(digits)
    slope = 3.0 / 28  # A norm of 3 over 28x28 pixels.
    monkeypatch.setattr(model, "scores", lambda images: slope * tf.reduce_sum(images, axis=(1, 2, 3)))
    assert float(model.penalty(real, -real)) == pytest.approx((3.0 - 1.0) ** 2, rel=1e-4)
    # No slope at all has a gradient too, where the root of it alone has none.
    weight = tf.Variable(0.0)
    monkeypatch.setattr(model, "scores", lambda images: weight * tf.reduce_sum(images, axis=(1, 2, 3)))
    with tf.GradientTape() as tape:
        penalty = model.penalty(real, -real)
    assert np.isfinite(tape.gradient(penalty, weight))


def test_the_augmentation_follows_how_often_real_images_are_recognised(digits):
    model, images = keras_io.build("ada"), tf.constant((digits + 1) / 2)
    # With a probability of 0 nothing is changed, with 1 nearly everything.
    np.testing.assert_array_equal(model.augmented(images), images)
    model.adapt(tf.ones((8, 1)))
    assert float(model.probability) == pytest.approx((1.0 - 0.8) / 1000)
    model.adapt(tf.constant([[1.0], [-1.0]]))
    assert float(model.probability) == 0.0
    model.probability.assign(1.0)
    changed = np.abs(model.augmented(images) - images).max(axis=(1, 2, 3))
    assert (changed > 0).mean() > 0.9


def test_a_round_with_ada_moves_both_players_and_the_average_that_samples(digits):
    model = keras_io.build("ada")
    networks = (model.generator, model.discriminator, model.sampler)
    before = [network.get_weights()[0] for network in networks]
    model.train_step(tf.constant((digits + 1) / 2))
    generator, discriminator, average = (network.get_weights()[0] for network in networks)
    assert np.abs(discriminator - before[1]).max() > 0
    # Adam's first step is one learning rate, wherever there is a slope.
    assert np.abs(generator - before[0]).max() == pytest.approx(2e-4, rel=0.05)
    np.testing.assert_allclose(average, 0.99 * before[2] + 0.01 * generator, atol=1e-6)
    assert model.generate(3, seed=0).shape == (3, 28, 28, 1)


def test_the_vae_learns_and_reports_the_sum_of_its_terms(digits):
    model = keras_io.build("vae")
    images = tf.constant((digits + 1) / 2)
    logs = model.train_step(images)
    assert float(logs["loss"]) == pytest.approx(float(logs["reconstruction_loss"] + logs["kl_loss"]), rel=1e-5)
    # Every pixel of an untrained decoder is near 1/2: ln 2 nats each, summed over the image.
    assert float(logs["reconstruction_loss"]) == pytest.approx(784 * np.log(2), rel=0.02)
    first = float(logs["loss"])
    for _ in range(5):
        model.reset_metrics()
        last = float(model.train_step(images)["loss"])
    assert last < first


def test_step_times_are_of_the_steps_after_the_warm_up():
    times = keras_io.step_times("vae", "float32", steps=2, warm_up=1)
    assert times.shape == (2, 2)
    assert (times > 0).all()


# The linear probe


def test_balanced_subsets_are_balanced_and_follow_the_seed():
    labels = np.random.default_rng(0).integers(0, 4, 200)
    chosen = linear_probe.draw_balanced(labels, 40, seed=0)
    assert np.bincount(labels[chosen]).tolist() == [10] * 4
    assert len(set(chosen.tolist())) == 40
    assert set(chosen) != set(linear_probe.draw_balanced(labels, 40, seed=1))
    with pytest.raises(ValueError, match="multiple of 4"):
        linear_probe.draw_balanced(labels, 41, seed=0)


def test_untrained_networks_have_new_weights_for_every_seed(make_dcgan, images):
    model = make_dcgan()
    first, second = (linear_probe.untrained(model, seed).features(images) for seed in (1, 2))
    assert first.shape == model.features(images).shape
    assert not np.allclose(first, second)
    assert not np.allclose(first, model.features(images))


def test_the_probe_separates_what_is_separable_and_nothing_else():
    pytest.importorskip("sklearn")
    generator = np.random.default_rng(0)
    labels = np.arange(300) % 3
    features = generator.normal(size=(300, 8)).astype("float32")
    chance = linear_probe.probe(features[:100], labels[:100], features[100:], labels[100:], 0, (1e-2, 1.0))
    assert chance["accuracy"] < 0.5
    features[:, 0] += 10 * labels
    outcome = linear_probe.probe(features[:100], labels[:100], features[100:], labels[100:], 0, (1e-2, 1.0))
    assert outcome["accuracy"] > 0.95
    assert outcome["converged"]


def test_the_probe_keeps_its_table_and_protocol(tmp_path, monkeypatch, capsys):
    pytest.importorskip("sklearn")
    gan = kerasgan.DCGAN((28, 28, 1), latent_dim=4, base_filters=4, seed=0)
    preset = kerasgan.presets.save_preset(gan, tmp_path / "tiny")
    monkeypatch.setattr(linear_probe, "RESULTS", tmp_path / "probe.json")
    command = ["run", str(preset), "--data", "mnist_mini", "--labels", "50", "--seeds", "2", "--limit", "200"]
    for _ in range(2):
        assert linear_probe.main([*command, "--c-grid", "0.1"]) == 0
    (report,) = json.loads((tmp_path / "probe.json").read_text())["reports"]
    assert [entry["representation"] for entry in report["results"]] == ["pixels", "untrained", "trained"]
    # Ten classes: chance is 0.1.
    assert all(0.2 < entry["mean"] < 1 and entry["sd"] > 0 for entry in report["results"])
    assert report["protocol"]["test_images"] == 200
    assert report["protocol"]["sha256"] == linear_probe.weights_sha256(gan)
    capsys.readouterr()
    assert linear_probe.main(["table"]) == 0
    row = capsys.readouterr().out.splitlines()[2]
    assert row.startswith(f"| mnist_mini, `tiny` | 50 | {100 * report['results'][0]['mean']:.2f} ± ")


def test_the_readme_shows_what_the_probe_measured():
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert linear_probe.readme_with_table(text) == text, (
        "run `python tests/benchmarks/linear_probe.py table --readme README.md`"
    )


def test_the_probe_needs_features(tmp_path, make_vae, capsys):
    preset = kerasgan.presets.save_preset(make_vae(), tmp_path / "vae")
    assert linear_probe.main(["run", str(preset), "--data", "mnist_mini"]) == 1
    assert "a DCGAN" in capsys.readouterr().err
