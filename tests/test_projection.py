"""Projection: the latents of given images, found by descent."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kerasgan
from kerasgan import cli, projection
from kerasgan.core.attributes import directions_of
from kerasgan.kinds import Latents
from kerasgan.metrics import perceptual_distance
from kerasgan.runs import latents


@pytest.fixture(scope="module")
def gan():
    """A generator of random weights, strong enough that its images differ."""
    gan = kerasgan.VanillaGAN((16, 16, 1), latent_dim=4, hidden=(24,), seed=0)
    weak = gan.generator.get_weights()
    for network in (gan.generator, gan.ema_generator):
        network.set_weights([3.0 * weight for weight in weak])
    gan.before = [weight.numpy() for weight in gan.weights]
    return gan


@pytest.fixture(scope="module")
def found(gan):
    return projection.project(gan, gan.generate(2, seed=7), steps=60, seed=1)


def distance(made, images):
    """What projection minimises, by its definition."""
    squared = np.square(np.asarray(made) - images).mean(axis=(1, 2, 3))
    return np.asarray(perceptual_distance(made, images)) + 2.0 * squared


# How unusual latents are


def test_latents_on_the_shell_are_typical_and_others_are_not():
    kind = Latents(100)
    drawn = kind.draw(4000, tf.constant([0, 0]))
    # In nats: half the square of a deviation that is standard normal, nearly.
    assert np.mean(kind.unusual(drawn)) == pytest.approx(0.5, abs=0.05)
    on, off = np.ones((1, 100), "float32"), 2 * np.ones((1, 100), "float32")
    np.testing.assert_allclose(kind.unusual(np.concatenate([on, off, 0 * on])), [0.0, 25 * 9.0, 25.0], rtol=1e-5)


def test_uniform_latents_are_unusual_outside_of_their_range():
    points = tf.constant([[0.5, 1.0], [1.5, -2.0]])
    np.testing.assert_allclose(Latents(2, "uniform").unusual(points), [0.0, 0.25 + 1.0])
    np.testing.assert_allclose(Latents(2, "unit").unusual(points), [0.0, 0.25 + 4.0])


# The search


def test_a_model_finds_its_own_images(gan, found):
    images = gan.generate(2, seed=7)
    random = gan.generate(100, seed=3)
    best_of_random = [distance(random, image[None]).min() for image in images]
    assert (found.distances < 0.2 * found.start_distances).all()
    assert (found.distances < 0.3 * np.array(best_of_random)).all()
    np.testing.assert_allclose(found.images, gan(found.latents), atol=1e-5)
    np.testing.assert_allclose(found.distances, distance(found.images, images), atol=1e-4)
    assert found.latents.dtype == np.float32


def test_each_image_is_searched_for_as_if_it_were_alone(gan):
    images = gan.generate(2, seed=7)
    both = projection.project(gan, images, steps=3, candidates=8)
    parts = projection.project(gan, images, steps=3, candidates=8, batch_size=1)
    np.testing.assert_allclose(parts.latents, both.latents, atol=1e-3)


def test_nothing_of_the_model_moves(gan, found):
    assert found.latents.any()
    for weight, before in zip(gan.weights, gan.before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), before)


# Where it begins


def start_of(model, images, given=None, candidates=6, space="z"):
    wanted = projection.Seen.of(images)
    return projection.Starts(model, projection.space_of(model, space), candidates, 0, 2.0)(wanted, given or {})


def test_a_vae_begins_with_its_encoder(make_vae, images):
    vae = make_vae()
    points, others = start_of(vae, images[:2])
    np.testing.assert_allclose(points, vae.encode(images[:2]))
    assert others == {}


def test_others_begin_with_the_best_candidate_and_its_class():
    gan = kerasgan.ConditionalGAN((16, 16, 1), latent_dim=2, num_classes=3, base_filters=4, seed=0)
    images = gan.generate(3, seed=1, labels=[2, 0, 1])
    candidates = gan.sampler_inputs(6, 0)
    best = [int(distance(gan.sample(candidates), image[None]).argmin()) for image in images]
    points, others = start_of(gan, images)
    np.testing.assert_array_equal(points, np.asarray(candidates[0])[best])
    np.testing.assert_array_equal(others["labels"], [number % 3 for number in best])
    points, others = start_of(gan, images, {"labels": np.array([2, 0, 1], "int32")})
    np.testing.assert_array_equal(others["labels"], [2, 0, 1])


def test_a_model_may_offer_another_space(gan):
    class Halved(kerasgan.VanillaGAN):
        """Its space "w" is the latents, halved."""

        def latent_spaces(self):
            z = super().latent_spaces()["z"]
            half = z._replace(
                start=lambda n, seed: z.start(n, seed) / 2.0,
                synthesize=lambda points, given: z.synthesize(2.0 * points, given),
                unusual=lambda points: z.unusual(2.0 * points),
            )
            return {"z": z, "w": half}

    model = Halved((16, 16, 1), latent_dim=4, hidden=(24,), seed=0)
    model.ema_generator.set_weights(gan.ema_generator.get_weights())
    image = gan.generate(1, seed=7)
    (in_z, _), (in_w, _) = (start_of(model, image, space=space) for space in "zw")
    np.testing.assert_allclose(in_w, in_z / 2.0)
    found = projection.project(model, image, space="w", steps=1, candidates=6)
    np.testing.assert_allclose(found.images, gan(2.0 * found.latents), atol=1e-5)
    with pytest.raises(ValueError, match="latent space"):
        projection.project(model, image, space="v")


# Refusals


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"images": np.zeros((1, 8, 8, 1), "float32")}, "built for images of shape"),
        ({"images": np.zeros((1, 16, 16, 1), "uint8")}, "must be floating point"),
        ({"images": np.full((1, 16, 16, 1), 3.0, "float32")}, r"must be finite and in \[-1, 1\]"),
        ({"images": np.zeros((0, 16, 16, 1), "float32")}, "at least one image"),
        ({"steps": 0}, "steps must be a positive integer"),
        ({"candidates": 2.5}, "candidates must be a positive integer"),
        ({"labels": 1}, "unconditional"),
        ({"latents": np.zeros((1, 4))}, "what is looked for"),
    ],
)
def test_what_cannot_be_projected(gan, settings, message):
    settings = {"images": np.zeros((1, 16, 16, 1), "float32")} | settings
    with pytest.raises(ValueError, match=message):
        projection.project(gan, settings.pop("images"), **settings)


def test_models_that_cannot_project():
    image = np.zeros((1, 16, 16, 1), "float32")
    with pytest.raises(ValueError, match="by models that make images of latents"):
        projection.project(kerasgan.CycleGAN((16, 16, 3), base_filters=4), image)
    with pytest.raises(ValueError, match="no slope"):
        projection.project(kerasgan.NaiveBayes((16, 16, 1), num_classes=2), image, steps=1, candidates=2)


# The commands


@pytest.fixture(scope="module")
def preset(gan, tmp_path_factory):
    return str(kerasgan.save_preset(gan, tmp_path_factory.mktemp("presets") / "tiny", description=""))


@pytest.fixture
def photos(tmp_path):
    for name, shape in (("a", (40, 60, 3)), ("b", (16, 16))):
        level = np.linspace(0, 255, np.prod(shape)).reshape(shape).astype("uint8")
        Image.fromarray(level).save(tmp_path / f"{name}.png")
    return [str(tmp_path / "a.png"), str(tmp_path / "b.png")]


def test_latents_of_photos_make_images_again(preset, photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli.main(["project", preset, *photos, "--steps", "2", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "2 photos, cut and resized to 16x16" in said
    assert "a.png: distance" in said
    assert sorted(path.name for path in out.iterdir()) == [
        "a_projected.png", "b_projected.png", "latents.npz", "pairs.png",
    ]  # fmt: skip
    again = tmp_path / "again"
    assert cli.main(["generate", preset, "--latents", str(out / "latents.npz"), "--out", f"{again}/"]) == 0
    for old, new in (("a_projected", "00000"), ("b_projected", "00001")):
        with Image.open(out / f"{old}.png") as one, Image.open(again / f"{new}.png") as other:
            np.testing.assert_allclose(np.asarray(one, int), np.asarray(other, int), atol=1)
    # The second photo has the size of the model's images: it stands as it is to the left of its projection.
    with Image.open(out / "pairs.png") as pairs, Image.open(photos[1]) as photo:
        grid = np.asarray(pairs)
        np.testing.assert_allclose(grid[20:36, 2:18].astype(int), np.asarray(photo, int), atol=1)


def test_a_png_has_its_latents_beside_it(preset, photos, tmp_path):
    out = tmp_path / "pairs.png"
    assert cli.main(["project", preset, photos[0], "--steps", "1", "--out", str(out)]) == 0
    with np.load(tmp_path / "pairs.npz") as held:
        assert held["z"].shape == (1, 4)
        assert held["distances"].shape == (1,)


def test_classes_go_with_latents(tmp_path):
    gan = kerasgan.ConditionalGAN((16, 16, 1), latent_dim=2, num_classes=3, base_filters=4, seed=0)
    given = {"labels": np.array([2, 1], "int32")}
    points = np.ones((2, 2), "float32")
    kept = projection.Projection(points, np.zeros((2, 16, 16, 1)), np.zeros(2), np.zeros(2), given)
    latents.save(tmp_path / "x.npz", kept, "z")
    read = latents.read(tmp_path / "x.npz", gan)
    np.testing.assert_array_equal(read.points, points)
    np.testing.assert_array_equal(read.given["labels"], [2, 1])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": np.zeros((1, 4))}, "needs exactly one of"),
        ({"z": np.zeros((1, 5))}, r"shape \(n, 4\)"),
        ({"z": np.full((1, 4), np.nan)}, "finite numbers"),
        ({"z": np.array(["a"])}, "cannot be read: z.npy is of"),
        (b"PK damaged", "cannot be read"),
        (None, "cannot be read: No such file"),
    ],
)
def test_files_that_hold_no_latents(gan, tmp_path, arrays, message):
    path = tmp_path / "x.npz"
    if isinstance(arrays, bytes):
        path.write_bytes(arrays)
    elif arrays is not None:
        np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message):
        latents.read(path, gan)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["project", "dcgan_mnist", "x.png", "--steps", "0"], "--steps must be a positive integer"),
        (["project", "dcgan_mnist", "x.png", "--out", " "], "--out needs"),
        (["project", "cyclegan_digits", "x.png"], "make images of latents"),
        (["generate", "dcgan_mnist", "--latents", "x.npz", "--interpolate", "3"], "Leave one out"),
    ],
)
def test_commands_that_make_no_sense(command, message, capsys):
    assert cli.main(command) == 1
    assert message in capsys.readouterr().err


# Directions


def test_directions_are_learned_from_projected_images(gan):
    latents = np.random.default_rng(5).normal(size=(16, 4)).astype("float32")
    labels = (latents[:, :2] > 0).astype("int32")
    images = gan.generate(16, latents=latents)
    directions = projection.attribute_vectors(gan, images, labels, steps=20, candidates=20)
    assert directions.shape == (2, 4)
    # What is positive is larger, by twice the mean size of normal numbers, and hardly anything else is.
    np.testing.assert_array_equal(np.argmax(directions, axis=1), [0, 1])
    with pytest.raises(ValueError, match=r"labels must be 0 or 1, \(16, attributes\).*received shape \(16,\)"):
        projection.attribute_vectors(gan, images, labels[:, 0])


def test_what_follows_from_another_attribute_is_no_direction():
    codes, one = np.random.default_rng(0).normal(size=(8, 3)), np.arange(8) % 2
    with pytest.raises(ValueError, match="one of the attributes follows from the others"):
        directions_of(codes, np.stack([one, 1 - one], axis=1))
    np.testing.assert_allclose(
        directions_of(codes, one[:, None])[0], codes[1::2].mean(0) - codes[::2].mean(0), rtol=1e-5
    )
