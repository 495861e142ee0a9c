"""InfoGAN: what each player is paid for, how codes are drawn, asked for, read and shown."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.callbacks import SampleSummary
from kerasgan.core.judged import Batch, Update
from kerasgan.publishing import packing
from kerasgan.runs import recipes, training
from kerasgan.testing.toy_data import toy_images

CATEGORIES, CODES = 3, 2
(IMAGES,) = toy_images(24)
REAL = tf.constant(IMAGES)


@pytest.fixture(scope="module")
def gan():
    model = kerasgan.InfoGAN((16, 16, 1), 4, CATEGORIES, CODES, 4, seed=0)
    model.compile(run_eagerly=True)
    return model


def judged(gan, batch, network):
    return gan.judged(batch, Update(getattr(gan, network), gan.d_optimizer, training=False, frozen=True))


def test_both_players_are_paid_for_the_same_information(gan):
    """By a Gaussian of deviation 1 and a softmax over the categories alone: against NumPy, in float64."""
    batch = gan.synthesize(REAL, {}, tf.constant([1, 2]), training=False)
    outputs = {name: np.array(each, "float64") for name, each in gan.discriminator(batch.fake).items()}
    logits, labels = outputs["categories"], batch.given["labels"].numpy()
    category = np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(24), labels])
    density = np.exp(-0.5 * (batch.given["codes"].numpy() - outputs["codes"]) ** 2) / np.sqrt(2 * np.pi)
    codes = -np.log(density).sum(1).mean() - CODES * 0.5 * np.log(2 * np.pi)

    d_terms = gan.discriminator_terms(judged(gan, batch, "discriminator"))
    g_terms = gan.generator_terms(judged(gan, batch, "generator"))
    np.testing.assert_allclose(d_terms["d_information_loss"], category + codes, rtol=1e-4)
    np.testing.assert_allclose(g_terms["g_information_loss"], category + codes, rtol=1e-4)
    np.testing.assert_allclose(d_terms["category_information"], np.log(CATEGORIES) - category, atol=1e-5)
    # And it is in what each minimises, beside its loss.
    assert float(gan.total(d_terms)) == pytest.approx(float(d_terms["d_loss"] + d_terms["d_information_loss"]), 1e-5)
    assert float(gan.total(g_terms)) == pytest.approx(float(g_terms["g_loss"] + g_terms["g_information_loss"]), 1e-5)


def test_the_codes_are_read_on_a_scale_without_bounds(gan):
    """A softmax over all of the head gives codes between 0 and 1 that add up to 1."""
    bias = gan.discriminator.get_layer("codes").bias
    bias.assign([-3.0, 4.0])
    read = gan.discriminator(REAL)["codes"].numpy()
    bias.assign([0.0, 0.0])
    np.testing.assert_allclose(read, np.tile([-3.0, 4.0], (24, 1)), atol=0.1)


def test_each_head_learns_from_its_own_term(gan):
    """Heads and losses that change places leave the code unread, and the images without any."""
    batch = gan.synthesize(REAL, {}, tf.constant([1, 2]), training=False)
    with tf.GradientTape(persistent=True) as tape:
        terms = gan.discriminator_terms(judged(gan, batch, "discriminator"))
    for head, own, other in (
        ("logits", "d_loss", "d_information_loss"),
        ("categories", "d_information_loss", "d_loss"),
        ("codes", "d_information_loss", "d_loss"),
    ):
        kernel = gan.discriminator.get_layer(head).kernel.value
        assert np.abs(tape.gradient(terms[own], kernel)).max() > 0
        assert tape.gradient(terms[other], kernel) is None


def test_the_code_is_not_read_off_real_images(gan):
    """Nobody knows a code of theirs."""
    batch = gan.synthesize(REAL, {}, tf.constant([1, 2]), training=False)
    others = Batch(-batch.real, batch.fake, batch.latents, batch.given, batch.seed)
    first, second = (gan.discriminator_terms(judged(gan, each, "discriminator")) for each in (batch, others))
    assert first["d_information_loss"] == second["d_information_loss"]
    assert first["d_loss"] != second["d_loss"]


def test_the_generator_is_five_times_as_fast(gan):
    """With equal rates, the published code makes no digits."""
    assert float(gan.g_optimizer.learning_rate) == pytest.approx(1e-3)
    assert float(gan.d_optimizer.learning_rate) == pytest.approx(2e-4)


def test_training_draws_categories_at_random_and_generating_takes_them_in_turn(gan):
    seeds = [tf.constant([seed, 0]) for seed in range(2)]
    batches = [gan.synthesize(tf.zeros((3000, 16, 16, 1)), {}, seed, training=False) for seed in seeds]
    labels, others = (batch.given["labels"].numpy() for batch in batches)
    assert not np.array_equal(labels, others)
    np.testing.assert_allclose(np.bincount(labels) / 3000, 1 / 3, atol=0.03)
    codes = batches[0].given["codes"].numpy()
    assert codes.min() < -0.99
    assert codes.max() > 0.99
    joined = np.stack([labels, *codes.T, *batches[0].latents.numpy().T])
    assert np.abs(np.corrcoef(joined) - np.eye(len(joined))).max() < 0.08, "parts of the latents share random numbers"
    inputs = dict(zip(gan.takes, gan.sampler_inputs(7, seed=0), strict=True))
    np.testing.assert_array_equal(inputs["labels"], [0, 1, 2, 0, 1, 2, 0])


def test_codes_can_be_asked_for(gan):
    codes = np.array([[-2.0, 0.0], [2.0, 0.0]], "float32")
    one, other = gan.generate(2, seed=1, labels=1, codes=codes)
    assert not np.array_equal(one, other)
    np.testing.assert_allclose(gan.generate(2, seed=1, labels=1, codes=codes), [one, other])
    with pytest.raises(ValueError, match=r"shape \(2,\); received a batch of shape \(2, 3\)"):
        gan.generate(2, codes=np.zeros((2, 3), "float32"))
    with pytest.raises(ValueError, match=r"labels must be in 0..2; received 3..3"):
        gan.generate(2, labels=3)


def test_a_traversal_changes_one_part_along_a_row(gan):
    rows = gan.traverse(code=1, steps=5, rows=4, reach=1.5, seed=3)
    assert rows.shape == (4, 5, 16, 16, 1)
    latents, labels, codes = (np.asarray(part) for part in gan.sampler_inputs(4, 3))
    for row in range(4):
        asked = np.repeat(codes[row : row + 1], 5, axis=0)
        asked[:, 1] = [-1.5, -0.75, 0.0, 0.75, 1.5]
        again = gan.generate(5, latents=np.repeat(latents[row : row + 1], 5, 0), labels=int(labels[row]), codes=asked)
        np.testing.assert_allclose(rows[row], again, atol=1e-5)

    by_category = gan.traverse(rows=2)
    assert by_category.shape == (2, CATEGORIES, 16, 16, 1)
    latents, _, codes = (np.asarray(part) for part in gan.sampler_inputs(2, 0))
    alone = gan.generate(2, latents=latents, codes=codes, labels=2)
    np.testing.assert_allclose(by_category[:, 2], alone, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"code": 2}, r"code must be in 0..1, or None for the category; received 2"),
        ({"code": -1}, "code must be in"),
        ({"code": 0, "steps": 1}, "steps must be at least 2"),
        ({"rows": 0}, "positive integer"),
    ],
)
def test_traversals_that_there_are_not(gan, arguments, message):
    with pytest.raises(ValueError, match=message):
        gan.traverse(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"categories": 1}, "categories must be at least 2"),
        ({"codes": 0}, "codes must be a whole number, at least 1; received 0"),
        ({"information_weight": -1.0}, "information_weight must be at least 0; received -1.0"),
        ({"image_shape": (30, 28, 1)}, "multiples of 4"),
    ],
)
def test_models_that_there_are_not(arguments, message):
    with pytest.raises(ValueError, match=message):
        kerasgan.InfoGAN(**arguments)


def test_any_sides_that_halve_twice():
    wide = kerasgan.InfoGAN((8, 20, 3), 4, 3, 1, 4, seed=0)
    assert wide.generate(2, seed=0).shape == (2, 8, 20, 3)
    assert wide.discriminate(wide.generate(2, seed=0)).shape == (2, 1)


def test_summaries_show_every_traversal(tmp_path, gan):
    gan.fit(IMAGES, batch_size=12, verbose=0, callbacks=[SampleSummary(tmp_path, num_images=9)])
    tags = {}
    for path in tmp_path.glob("events.*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                tags.setdefault(value.tag, []).append(event.step)
    assert {tag for tag in tags if tag.startswith("traversals/")} == {
        "traversals/category", "traversals/code_0", "traversals/code_1",
    }  # fmt: skip
    assert tags["traversals/category"] == [-1, 0]


def test_the_card_of_a_preset_shows_the_traversals(tmp_path, gan):
    folder = kerasgan.save_preset(gan, tmp_path / "preset")
    packing.refresh(folder, panels=training.save_panels(gan, folder))
    card = (folder / "README.md").read_text()
    for name in ("traversals_category.png", "traversals_code_0.png", "traversals_code_1.png"):
        assert (folder / name).is_file()
        assert f"![{name.removesuffix('.png')}]({name})" in card
    assert kerasgan.presets.verify(folder).max_error < 1e-3
    (folder / name).unlink()
    with pytest.raises(ValueError, match=f"{name} of the preset 'preset' is missing"):
        kerasgan.from_preset(folder)


def test_the_benchmark_measures_finished_runs_and_writes_a_table(tmp_path, monkeypatch, capsys):
    model = {"type": "infogan", "latent_dim": 4, "base_filters": 4}
    data = {"source": "mnist_mini", "batch_size": 100, "limit": 400}
    recipe = recipes.from_dict({"model": model, "data": data, "epochs": 1, "summary_every": 10})
    run = tmp_path / "run"
    training.train(recipe, run, verbose=0)
    path = Path(__file__).parent / "benchmarks" / "infogan.py"
    spec = importlib.util.spec_from_file_location("infogan_benchmark", path)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    monkeypatch.setattr(benchmark.LEDGER, "path", tmp_path / "results.json")
    assert benchmark.main(["measure", str(run)]) == 0
    (measured,) = benchmark.LEDGER.runs()
    assert (measured["updates"], measured["protocol"]["real images"]) == (4, 2000)
    others = [measured | {"seed": seed, "errors": errors} for seed, errors in ((1, 100), (2, 140))]
    benchmark.LEDGER.keep(*others)
    assert "| all | | 6.0% ± 1.4 | 5% | | |" in benchmark.table(others)
    readme = tmp_path / "README.md"
    readme.write_text(f"{benchmark.START}\nold\n{benchmark.END}\n")
    assert benchmark.main(["table", "--readme", str(readme)]) == 0
    assert "| mnist_mini | 1 | 5.0% | 5% | 4 |" in readme.read_text()
    (run / training.RECIPE).write_text((run / training.RECIPE).read_text().replace("epochs = 1", "epochs = 2"))
    assert benchmark.main(["measure", str(run)]) == 1
    assert "1 of 2 epochs" in capsys.readouterr().err
