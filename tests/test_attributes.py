"""Directions of a latent space that have names."""

import numpy as np
import pytest

import kerasgan
from kerasgan import cli
from kerasgan.runs import recipes, training
from kerasgan.runs.attributes import learn_attributes

NAMES = ("bright", "striped")


@pytest.fixture
def vae(make_vae):
    vae = make_vae(architecture="mlp", hidden=(16,), attributes=NAMES)
    vae.compile()
    return vae


def linear_codes(vae, rng, labels):
    """Images whose codes are known to be linear in the labels: the encoder is replaced by what the test says."""
    directions = rng.normal(size=(len(NAMES), vae.latent_dim))
    images = np.zeros((len(labels), *vae.image_shape), "float32")
    codes = 0.5 + labels @ directions
    images[:, 0, : vae.latent_dim, 0] = codes
    vae.encode = lambda images: np.asarray(images)[:, 0, : vae.latent_dim, 0]
    return images, directions


def test_directions_are_what_changes_where_the_others_stay(vae):
    """Striped ones are mostly bright; the mean difference would take brightness along."""
    rng = np.random.default_rng(0)
    bright = rng.integers(0, 2, 200)
    striped = np.where(rng.uniform(size=200) < 0.9, bright, 1 - bright)
    labels = np.stack([bright, striped], axis=1).astype(float)
    images, directions = linear_codes(vae, rng, labels)
    labels[5, 1] = np.nan
    images[5] = 1e3
    vae.learn_attributes(images, labels)
    learned = vae.attribute_directions()
    assert list(learned) == list(NAMES)
    np.testing.assert_allclose(np.stack(list(learned.values())), directions, atol=1e-4)


def test_moving_adds_directions(vae, images):
    labels = np.tile([[0, 0], [1, 0], [0, 1], [1, 1]], (8, 1))
    vae.learn_attributes(images, labels)
    latents = vae.encode(images[:3])
    directions = vae.attribute_directions()
    moved = vae.move(latents, bright=[0.0, 1.0, -2.0], striped=0.5)
    expected = latents + np.outer([0.0, 1.0, -2.0], directions["bright"]) + 0.5 * directions["striped"]
    np.testing.assert_allclose(moved, expected, atol=1e-6)
    panel = vae.panels()["attributes"]
    rows = panel.made.reshape(4, 9, *vae.image_shape)  # Two images of each attribute.
    latents = 0.5 * np.asarray(vae.sample_latents(2, seed=0))
    np.testing.assert_allclose(rows[:, 2], vae.decode(np.tile(latents, (2, 1))), atol=1e-5)  # An amount of 0.
    np.testing.assert_allclose(rows[2:, 4], vae.decode(vae.move(latents, striped=1.0)), atol=1e-5)


def test_training_leaves_them_alone_and_presets_keep_them(vae, images, tmp_path):
    labels = np.tile([[0, 0], [1, 0], [0, 1], [1, 1]], (8, 1))
    vae.learn_attributes(images, labels)
    before = vae.attribute_directions()
    vae.fit(images, batch_size=16, verbose=0)
    kerasgan.save_preset(vae, tmp_path / "preset", description="")
    kept = kerasgan.from_preset(tmp_path / "preset")
    for name in NAMES:
        np.testing.assert_array_equal(vae.attribute_directions()[name], before[name])
        np.testing.assert_array_equal(kept.attribute_directions()[name], before[name])


@pytest.mark.parametrize("names", ["smiling", ["blond hair"], ["a", "a"], [3]])
def test_names_that_cannot_be(make_vae, names):
    with pytest.raises(ValueError, match="attributes"):
        make_vae(attributes=names)


def test_what_cannot_be_learned_or_moved(vae, make_vae, images):
    both = np.tile([[0, 0], [1, 1]], (16, 1))
    with pytest.raises(ValueError, match="follows from the others"):
        vae.learn_attributes(images, both)
    with pytest.raises(ValueError, match="'striped' needs examples with and without it; received 0 with it of 32"):
        vae.learn_attributes(images, both * [1, 0])
    with pytest.raises(ValueError, match="must be 1"):
        vae.learn_attributes(images, both * 2)
    with pytest.raises(ValueError, match=r"here \(32, 2\); received \(32,\)"):
        vae.learn_attributes(images, both[:, 0])
    with pytest.raises(ValueError, match="not learned yet"):
        vae.move(np.zeros((1, 4)), bright=1)
    with pytest.raises(ValueError, match=r"received \['dark'\]"):
        vae.move(np.zeros((1, 4)), dark=1)
    with pytest.raises(ValueError, match="no names for attributes"):
        make_vae().move(np.zeros((1, 4)), bright=1)
    assert vae.panels() == {}


# From a table


@pytest.fixture
def run(tmp_path):
    recipe = recipes.Recipe(
        model={"type": "vae", "architecture": "mlp", "hidden": [8], "latent_dim": 4, "attributes": list(NAMES)},
        data={"source": "mnist_mini", "limit": 64, "batch_size": 16, "flip": True},
        epochs=1,
        precision="float32",
    )
    training.train(recipe, tmp_path / "run", verbose=0)
    return tmp_path / "run"


def write_table(path, rows):
    path.write_text("id,Striped,Bright\n" + "".join(f"{n},{a},{b}\n" for n, (a, b) in enumerate(rows)))
    return path


def test_a_table_teaches_a_run_and_the_run_keeps_it(run, tmp_path, capsys):
    rows = [(n % 2, n // 2 % 2) for n in range(70)]
    rows[3] = ("", "")
    assert cli.main(["attributes", str(run), "--table", str(write_table(tmp_path / "a.csv", rows))]) == 0
    known = [row for row in rows[:64] if row[0] != ""]
    striped, bright = (sum(column) for column in zip(*known, strict=True))
    assert capsys.readouterr().out == (
        f"bright: learned from {bright} images with it\nstriped: learned from {striped} images with it\n"
    )
    model = training.load_run(run)
    images = np.concatenate(list(kerasgan.data.load("mnist_mini", limit=64, shuffle=False, batch_size=64)))
    labels = np.array([[np.nan] * 2 if a == "" else [b, a] for a, b in rows[:64]])
    model.learn_attributes(images, labels)
    for name, direction in training.load_run(run).attribute_directions().items():
        np.testing.assert_allclose(direction, model.attribute_directions()[name], atol=1e-6)


def test_recipes_name_attributes_by_text(run, tmp_path):
    text = (run / "recipe.toml").read_text().replace('"bright"', "3")
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(ValueError, match=r"Every part of attributes .* must be text; received 3"):
        recipes.read(tmp_path / "recipe.toml")


def test_tables_that_do_not_fit(run, tmp_path):
    before = (run / "model.keras").read_bytes()
    with pytest.raises(ValueError, match="has 3 rows; the run learned from 64"):
        learn_attributes(run, write_table(tmp_path / "short.csv", [(0, 1)] * 3))
    with pytest.raises(ValueError, match="line 2: 'yes' is no number"):
        learn_attributes(run, write_table(tmp_path / "words.csv", [("yes", 1)] * 64))
    other = tmp_path / "other.csv"
    other.write_text("id,Striped\n0,1\n")
    with pytest.raises(ValueError, match="bright"):
        learn_attributes(run, other)
    with pytest.raises(ValueError, match="no file"):
        learn_attributes(run, tmp_path / "missing.csv")
    assert (run / "model.keras").read_bytes() == before
