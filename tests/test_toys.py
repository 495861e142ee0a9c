"""The toys: their definitions by hand, training that repeats, and a command that can be stopped."""

import json
import math
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from kerasgan import cli, data, toys
from kerasgan.runs import recipes
from kerasgan.toys import stacked_mnist, table
from kerasgan.toys.training import judged, samples

TINY = toys.Settings(rounds=20, batch_size=16, hidden=(8,))


# Definitions


def test_the_ring_has_eight_different_centres():
    # linspace from 0 to 2 pi with both ends would make seven, one of them twice as likely.
    centers = toys.MIXTURES["ring"].centers
    assert len(np.unique(centers.round(6), axis=0)) == len(centers) == 8
    np.testing.assert_allclose(np.hypot(*centers.T), 1.0)
    gaps = np.hypot(*(centers - np.roll(centers, 1, axis=0)).T)
    np.testing.assert_allclose(gaps, 2 * math.sin(math.pi / 8))


def test_a_count_says_of_which_mixture_it_is():
    assert "8 Gaussians, on a circle of radius 1, standard deviation 0.01;" in toys.MIXTURES["ring"].protocol
    assert "25 Gaussians, on a grid of spacing 2, standard deviation 0.05;" in toys.MIXTURES["grid"].protocol
    assert "6 Gaussians, on a circle of radius 2.5, standard" in toys.distributions.ring(6, radius=2.5).protocol


def test_the_grid_is_that_of_the_papers():
    centers = {tuple(center) for center in toys.MIXTURES["grid"].centers}
    assert centers == {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}


@pytest.mark.parametrize(("name", "deviation"), [("ring", 0.01), ("grid", 0.05)])
def test_standard_deviations_are_no_variances(name, deviation):
    toy = toys.MIXTURES[name]
    points = toy.draw(50_000, seed=0)
    centers = toy.centers[((points[:, None] - toy.centers) ** 2).sum(-1).argmin(1)]
    np.testing.assert_allclose((points - centers).std(axis=0), deviation, rtol=0.02)
    np.testing.assert_allclose(points.std(axis=0), toy.scale, rtol=0.02)
    shares = np.unique(centers, axis=0, return_counts=True)[1] / len(points)
    np.testing.assert_allclose(shares, 1 / toy.modes, rtol=0.1)
    np.testing.assert_array_equal(points, toy.draw(50_000, seed=0))
    assert not np.array_equal(points, toy.draw(50_000, seed=1))


@pytest.mark.parametrize("name", toys.MIXTURES)
def test_real_points_score_what_a_gaussian_does(name):
    score = toys.MIXTURES[name].score(toys.MIXTURES[name].draw(2500, seed=0))
    assert score.covered == toys.MIXTURES[name].modes
    assert score.high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.006)
    assert 0 < score.jsd < 0.01


def test_a_mode_counts_from_its_first_sample_of_high_quality():
    toy = toys.MIXTURES["grid"]
    near, far = [0.0, 0.149], [2.0, 2.151]
    score = toy.score(np.array([near, far, near, near]))
    assert (score.covered, score.high_quality) == (1, 0.75)
    # All samples at one of 25: (log(25 / 13) + (log(1 / 13) + 24 log 2) / 25) / 2 by the definition.
    assert score.jsd == pytest.approx((math.log(25 / 13) + (math.log(1 / 13) + 24 * math.log(2)) / 25) / 2)


def test_points_that_are_not_finite_are_near_nothing():
    toy = toys.MIXTURES["ring"]
    points = np.array([[1.0, 0.0], [np.nan, 0.0], [np.inf, 0.0], [0.0, 1.0]])
    assert toy.score(points)[:2] == (2, 0.5)
    assert toy.score(np.full((3, 2), np.nan)) == (0, 0.0, math.inf, math.log(2))


def test_distance_to_a_normal_distribution():
    toy = toys.Normal()
    points = toy.draw(20_000, seed=0)
    assert toy.distance(points) < 0.01
    assert toy.distance(points + 0.3) == pytest.approx(0.3, abs=0.01)
    line = np.linspace(-2, 6, 4001)
    assert toy.density(line).sum() * (line[1] - line[0]) == pytest.approx(1.0, abs=1e-6)


# Variants


def test_names_of_variants():
    variant = toys.parse("hinge+r2+packed+r1")
    assert variant.name == "hinge+packed+r1+r2"
    assert variant.pack == 2
    assert [each.weight for each in variant.regularizers(2.0)] == [
        4 * each.weight for each in variant.regularizers(1.0)
    ]
    names = [each.name for each in table.variants()]
    assert len(set(names)) == len(names)
    assert all(toys.parse(name).name == name for name in names)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("relativstic", "Did you mean 'relativistic'"),
        ("hinge+r3", "Unknown addition 'r3'"),
        ("hinge+", "Unknown addition ''"),
        ("hinge+r1+r1", "'r1' is twice"),
    ],
)
def test_names_that_are_none(name, words):
    with pytest.raises(ValueError, match=words):
        toys.parse(name)


# Training


def test_a_trainer_repeats_its_seeds():
    trainer = toys.Trainer(toys.MIXTURES["ring"], toys.parse("hinge+packed+r1"), TINY, frames=2)
    trainer.prepare()
    seen = []
    first = samples(trainer.train(3, lambda rounds, gan: seen.append((rounds, judged(gan, np.zeros((2, 2)))))), 50)
    other = samples(trainer.train(4), 50)
    again = samples(trainer.train(3), 50)
    fresh = toys.Trainer(toys.MIXTURES["ring"], toys.parse("hinge+packed+r1"), TINY, frames=2)
    np.testing.assert_array_equal(first, again)
    # What a trainer has trained before leaves no trace.
    np.testing.assert_array_equal(first, samples(fresh.train(3), 50))
    assert not np.array_equal(first, other)
    assert [rounds for rounds, _ in seen] == [0, 10, 20]
    assert seen[0][1].shape == (2,)
    assert seen[0][1][0] != seen[2][1][0]


def test_every_update_of_a_round_has_points_of_its_own():
    settings = toys.Settings(rounds=4, batch_size=8, hidden=(4,), d_steps=3, latent_dim=1, noise="unit")
    gan = toys.Trainer(toys.Normal(), toys.parse("minimax"), settings).train(0)
    assert int(gan.d_optimizer.iterations) == 12
    assert int(gan.clock.images) == 4 * 3 * 8
    again = type(gan).from_config(gan.get_config())
    latents = again.sample_latents(1000, seed=0).numpy()
    assert 0 <= latents.min() < 0.01
    assert 0.99 < latents.max() < 1


def test_spectral_normalisation_of_points_is_in_every_layer_and_forgotten_by_the_next_seed():
    trainer = toys.Trainer(toys.MIXTURES["grid"], toys.parse("hinge+sn"), TINY)
    gan = trainer.train(0)
    vectors = [layer.u.numpy() for layer in gan.discriminator.layers if hasattr(layer, "u")]
    assert len(vectors) == 2
    trainer.train(1)
    again = [layer.u.numpy() for layer in trainer.train(0).discriminator.layers if hasattr(layer, "u")]
    assert all(np.array_equal(*pair) for pair in zip(vectors, again, strict=True))


@pytest.mark.slow
def test_a_compiled_trainer_repeats_its_seeds_and_learns():
    settings = toys.Settings(rounds=2000)
    trainer = toys.Trainer(toys.MIXTURES["ring"], toys.parse("relativistic+r1+r2"), settings)
    assert trainer.jit_compile
    first = samples(trainer.train(0))
    score = trainer.toy.score(first)
    assert score.covered == 8
    assert score.high_quality > 0.5
    trainer.train(1)
    np.testing.assert_array_equal(first, samples(trainer.train(0)))


def test_frames_divide_the_rounds():
    with pytest.raises(ValueError, match="20 rounds cannot be divided into 3"):
        toys.Trainer(toys.MIXTURES["ring"], toys.parse("hinge"), TINY, frames=3)


# The table


def run_table(folder, seeds, told=None, settings=TINY):
    tell = (lambda line: None) if told is None else told.append
    table.run(folder, seeds, settings, toys=["ring"], models=["hinge", "minimax+r1"], tell=tell)


def test_a_table_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    class Stopped(Exception):
        pass

    def stop(line):
        raise Stopped

    with pytest.raises(Stopped):
        table.run(tmp_path, 2, TINY, toys=["ring"], models=["hinge"], tell=stop)
    assert len(table.read(tmp_path)["runs"]) == 1
    told = []
    run_table(tmp_path, 2, told)
    assert len(told) == 3
    whole = table.read(tmp_path)
    assert [(row["model"], row["seed"]) for row in whole["runs"]] == [
        ("hinge", 0), ("hinge", 1), ("minimax+r1", 0), ("minimax+r1", 1),
    ]  # fmt: skip
    run_table(tmp_path, 2, told)
    assert len(told) == 3
    assert table.points_of(tmp_path, "ring", "hinge").shape == (2500, 2)
    text = (tmp_path / "table.md").read_text()
    assert "standard deviation 0.01; 2,500 samples; high quality within 3 standard deviations" in text
    assert "| minimax | r1 | 2 |" in text
    toys.pictures.draw(tmp_path)
    with Image.open(tmp_path / "ring.png") as picture:
        assert picture.size[0] > 100
    assert not list(tmp_path.rglob(".partial-*"))


def test_a_table_of_other_settings_is_not_mixed(tmp_path):
    results = table.begun(tmp_path, TINY)
    table.write(tmp_path, results)
    with pytest.raises(ValueError, match="other settings"):
        run_table(tmp_path, 1, settings=toys.Settings(rounds=30))


# The command


def run(*words):
    return cli.main(["toy", *map(str, words)])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ring", "--seeds", "0"], "--seeds must be a positive integer; received 0"),
        (["ring", "--model", "hinge+wings"], "Unknown addition 'wings'"),
        (["stacked_mnist"], "takes --model and nothing else"),
        (["stacked_mnist", "--model", "dcgan_mnist"], "makes (28, 28, 1)"),
    ],
)
def test_the_command_says_what_is_wrong(capsys, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 1
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_command_keeps_what_is_in_a_folder(capsys, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    assert run("grid", "--out", tmp_path) == 1
    assert "is not empty" in capsys.readouterr().err
    assert run("grid", "--out", tmp_path / "mine.txt") == 1
    assert "is a file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_unknown_toy_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        run("spiral")
    assert stopped.value.code == 2
    assert "stacked_mnist" in capsys.readouterr().err


def test_matplotlib_is_named_where_it_is_missing(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *rest: None)
    assert run("ring", "--out", tmp_path / "ring") == 1
    assert "pip install 'kerasgan[plots]'" in capsys.readouterr().err


def test_a_toy_of_the_plane_from_end_to_end(tmp_path):
    settings = toys.Settings(rounds=12, batch_size=16, hidden=(8,))
    toys.plane.run("grid", "non_saturating+packed+dragan", 2, tmp_path, settings, frames=3, tell=lambda line: None)
    assert {path.name for path in tmp_path.iterdir()} == {"table.json", "table.md", "samples.png", "training.gif"}
    with Image.open(tmp_path / "training.gif") as film:
        assert film.n_frames == 4
    assert [row["seed"] for row in json.loads((tmp_path / "table.json").read_text())["runs"]] == [0, 1]


def test_the_figure_of_2014_from_end_to_end(tmp_path):
    settings = toys.Settings(rounds=4, batch_size=16, hidden=(8,), latent_dim=1, noise="unit")
    toys.gaussian.run("minimax", 1, tmp_path, settings, frames=2, tell=lambda line: None)
    with Image.open(tmp_path / "training.gif") as film:
        assert film.n_frames == 3
    runs = json.loads((tmp_path / "gaussian.json").read_text())["runs"]
    assert [row["d_steps"] for row in runs] == [1, 2, 5]


# Stacked digits


def test_stacked_digits_are_what_their_labels_say():
    info = data.info("stacked_mnist_mini")
    assert (info.num_examples, info.image_shape, info.num_classes) == (128_000, (28, 28, 3), 1000)
    dataset = data.load("stacked_mnist_mini", batch_size=600, limit=600, labels=True, shuffle=False)
    pictures, labels = next(iter(dataset.as_numpy_iterator()))
    read = stacked_mnist.read_triples(pictures)
    assert np.mean(read == labels) > 0.97
    again, _ = next(iter(data.load("stacked_mnist_mini", batch_size=50, limit=50, labels=True, shuffle=False)))
    np.testing.assert_array_equal(pictures[:50], again)
    # All of a thousand sorts are drawn about equally often; of 600 pictures, 451 sorts are expected.
    modes = stacked_mnist.count_modes(pictures)
    assert 420 < modes.covered < 480
    assert modes.kl == pytest.approx(np.log(1000 / 600), abs=0.4)


def test_a_count_of_stacked_modes_says_how_they_were_read():
    """A weak classifier finds modes that are not there."""
    pictures = next(iter(data.load("stacked_mnist_mini", batch_size=40, limit=40, shuffle=False).as_numpy_iterator()))
    model = SimpleNamespace(image_shape=(28, 28, 3), generate=lambda n, seed: pictures[:n])
    line = stacked_mnist.measure(model, n=40)
    assert line.startswith(f"{stacked_mnist.count_modes(pictures).covered} of 1000 modes, KL to uniform")
    assert re.search(r"\(40 samples; .* at least 1 of them; read by a classifier that is right on 99\.\d%", line)


def test_other_pictures_are_not_read_as_triples():
    with pytest.raises(ValueError, match=r"\(5, 28, 28, 1\)"):
        stacked_mnist.read_triples(np.zeros((5, 28, 28, 1), "uint8"))


def test_the_recipe_of_stacked_digits_is_one():
    recipe = recipes.read(Path(__file__).parent.parent / "docs" / "toys" / "stacked_mnist.toml")
    assert recipe.data["source"] == "stacked_mnist"
    assert recipe.model["pack"] == 2


def test_what_the_page_of_the_toys_shows_is_there():
    page = Path(__file__).parent.parent / "docs" / "toys" / "README.md"
    linked = re.findall(r"\]\(([^):]+)\)", page.read_text(encoding="utf-8"))
    assert linked
    assert not [name for name in linked if not (page.parent / name).is_file()]


def test_the_published_table_is_what_its_runs_say():
    folder = Path(__file__).parents[1] / "docs" / "toys"
    results = table.read(folder)
    assert table.as_markdown(results) == (folder / "table.md").read_text(encoding="utf-8")
    assert {(run["toy"], run["model"]) for run in results["runs"]} == {
        (toy, variant.name) for toy in table.MIXTURES for variant in table.variants()
    }
    # The best variants of the prose: all modes in every seed.
    best = [run for run in results["runs"] if (run["toy"], run["model"]) == ("grid", "relativistic+r1")]
    assert [run["covered"] for run in best] == [25] * 5
    assert np.mean([run["high_quality"] for run in best]) > 0.93
