"""The semi-supervised GAN: its loss against a softmax over K + 1 classes, and what its labels and averages do."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.core.judged import Batch, Update
from kerasgan.core.terms import Weighted
from kerasgan.metrics import classification, image_sets
from kerasgan.runs import recipes, training
from kerasgan.testing.toy_data import toy_labelled_images

CLASSES = 3
IMAGES, LABELS = toy_labelled_images(24)
SOME = np.where(np.arange(24) < 12, LABELS, -1).astype("int32")
SEED = tf.constant([3, 4])


@pytest.fixture
def gan():
    model = kerasgan.SemiSupervisedGAN((16, 16, 1), 4, (16,), (32, 24), CLASSES, seed=0)
    model.compile(run_eagerly=True)
    return model


def judged(gan, labels, real=IMAGES, fake=None, network="discriminator"):
    """A batch in inference mode, without noise, but as an update that trains sees it."""
    fake = gan.generate(len(real), seed=1) if fake is None else fake
    batch = Batch(tf.constant(real), tf.constant(fake), None, {"labels": tf.constant(labels)}, SEED)
    update = Update(getattr(gan, network), gan.d_optimizer, training=False, frozen=True)
    return gan.judged(batch, update)


def softmax_of_all(gan, images):
    """Probabilities of K + 1 classes, in float64, the last one of generated images."""
    logits = np.array(gan.discriminator(images)["classes"], "float64")
    logits = np.concatenate([logits, np.zeros((len(logits), 1))], axis=1)
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_the_loss_is_that_of_a_softmax_with_one_class_more(gan):
    """Section 5 of the paper; the published code halves the unsupervised part."""
    fake = gan.generate(24, seed=1)
    terms = gan.discriminator_terms(judged(gan, SOME, fake=fake))
    of_real, of_fake = softmax_of_all(gan, IMAGES), softmax_of_all(gan, fake)
    unlabelled = of_real[SOME == -1]
    unsupervised = -np.log(1.0 - unlabelled[:, -1]).mean() - np.log(of_fake[:, -1]).mean()
    np.testing.assert_allclose(terms["d_loss"], 0.5 * unsupervised, rtol=1e-4)

    among_real = of_real[:, :-1] / (1.0 - of_real[:, -1:])
    named = -np.log(among_real[np.arange(12), LABELS[:12]]).mean()
    np.testing.assert_allclose(terms["d_class_loss"], named, rtol=1e-4)


def test_the_logit_of_being_real_is_that_of_the_probability(gan):
    real = 1.0 - softmax_of_all(gan, IMAGES)[:, -1:]
    np.testing.assert_allclose(gan.discriminate(IMAGES), np.log(real / (1.0 - real)), rtol=1e-3, atol=1e-4)


def test_unknown_labels_count_nothing_in_the_class_loss(gan):
    term = gan.discriminator_terms(judged(gan, SOME))["d_class_loss"]
    other = np.where((SOME == -1)[:, None, None, None], -IMAGES, IMAGES)
    np.testing.assert_allclose(gan.discriminator_terms(judged(gan, SOME, real=other))["d_class_loss"], term, rtol=1e-5)
    np.testing.assert_allclose(
        gan.discriminator_terms(judged(gan, SOME[:12], real=IMAGES[:12]))["d_class_loss"], term, rtol=1e-5
    )
    with tf.GradientTape() as tape:
        value = gan.discriminator_terms(judged(gan, np.full(24, -1, "int32")))["d_class_loss"]
    slopes = tape.gradient(value, gan.discriminator.trainable_variables, unconnected_gradients="zero")
    assert float(value) == 0.0
    assert all(not np.any(slope) for slope in slopes)


def test_labelled_images_are_no_part_of_what_the_others_say(gan):
    """A hundred of them in every batch would soon be known by heart, as real, and to the generator."""
    batch = judged(gan, SOME)
    other = np.where((SOME >= 0)[:, None, None, None], -IMAGES, IMAGES)
    changed = judged(gan, SOME, real=other)
    for terms, name in ((gan.discriminator_terms, "d_loss"), (gan.generator_terms, "g_loss")):
        np.testing.assert_allclose(terms(changed)[name], terms(batch)[name], rtol=1e-5)
    alone = judged(gan, LABELS[:12], real=IMAGES[12:])
    expected = gan.discriminator_terms(judged(gan, SOME[12:], real=IMAGES[12:]))["d_loss"]
    np.testing.assert_allclose(gan.discriminator_terms(alone)["d_loss"], expected, rtol=1e-5)


def test_the_generator_matches_mean_features_and_nothing_else(gan):
    fake = gan.generate(24, seed=1)
    (name, value), *others = gan.generator_terms(judged(gan, SOME, fake=fake)).items()
    of_real, of_fake = (np.array(gan.discriminator(each)["features"]) for each in (IMAGES[12:], fake))
    assert of_real.shape == (12, 24)
    assert (name, others) == ("g_loss", [])
    np.testing.assert_allclose(value, np.sum((of_real.mean(0) - of_fake.mean(0)) ** 2), rtol=1e-4)
    noisy = gan.judged(
        Batch(tf.constant(IMAGES), tf.constant(fake), None, {"labels": tf.constant(SOME)}, SEED),
        Update(gan.generator, gan.g_optimizer, frozen=True),
    )
    assert float(gan.generator_terms(noisy)["g_loss"]) != float(value), "features are matched without noise"


def test_an_image_is_judged_by_itself(gan):
    """Minibatch features "do not work at all" here, says section 6.1."""
    gan.fit(IMAGES, SOME, batch_size=12, verbose=0)
    alone, among = gan.discriminator(IMAGES[:1]), gan.discriminator(IMAGES)
    for name, output in alone.items():
        np.testing.assert_allclose(output, among[name][:1], rtol=1e-4, atol=1e-4)


def test_the_first_real_images_initialise_every_layer_once(gan):
    norms = [each for each in gan.discriminator.layers if isinstance(each, kerasgan.layers.WeightNormalization)]
    assert len(norms) == 3
    gan.evaluate(IMAGES, SOME, verbose=0)
    assert [float(each.initialized) for each in norms] == [0.0] * 3
    gan.train_step((tf.constant(IMAGES), tf.constant(SOME)))
    kept = [keras.ops.convert_to_numpy(each.center) for each in norms]
    assert all(np.any(each) for each in kept)
    # Noise has mean 0: the center of the first layer is near that of the images without it, and of no others.
    first = norms[0].layer
    directions = keras.ops.convert_to_numpy(first.kernel)
    directions = directions / np.linalg.norm(directions, axis=0)
    flat = (IMAGES.reshape(24, -1) + 1.0) / 2.0
    assert np.abs(kept[0] - (flat @ directions).mean(0)).max() < 0.3
    gan.train_step((tf.constant(-IMAGES), tf.constant(SOME)))
    for norm, center in zip(norms, kept, strict=True):
        np.testing.assert_array_equal(norm.center, center)


def test_the_average_classifies_and_is_near_from_the_start(gan):
    """An average that begins at zero and forgets over 10,000 steps knows nothing for long."""
    data = tf.constant(IMAGES), tf.constant(SOME)
    before = gan.classifier.get_weights()
    gan.train_step(data)
    for old, average, live in zip(before, gan.classifier.get_weights(), gan.discriminator.get_weights(), strict=True):
        np.testing.assert_allclose(average, old + 9.0 / 11.0 * (live - old), rtol=1e-4, atol=1e-5)
    logits = np.array(gan.classifier(IMAGES)["classes"])
    np.testing.assert_array_equal(gan.classify(IMAGES), logits.argmax(1))
    np.testing.assert_allclose(gan.classify(IMAGES, probabilities=True), tf.nn.softmax(logits), rtol=1e-4, atol=1e-6)
    assert gan.classify(IMAGES).dtype == np.int32


def test_evaluate_reports_the_accuracy_over_labelled_images_exactly(gan):
    gan.fit(IMAGES, SOME, batch_size=12, epochs=3, verbose=0)
    labels = np.where(np.arange(24) % 5 == 0, LABELS, -1).astype("int32")
    labels[8:16] = -1
    known = labels >= 0
    expected = np.mean(gan.classify(IMAGES)[known] == labels[known])
    # Batches with two, none and one or two of them.
    found = gan.evaluate(IMAGES, labels, batch_size=8, verbose=0, return_dict=True)
    assert found["accuracy"] == pytest.approx(expected)
    assert found["loss"] == pytest.approx(found["d_loss"] + found["d_class_loss"] + found["g_loss"], rel=1e-4)


def test_labelled_images_count_alike_however_a_batch_is_split(gan):
    """Three labelled ones of a replica's four, then one of another's twelve; a third has a blank image and no share."""
    zeros = {name: 0.0 for name in gan.terms}
    for part, labelled, share in ((1.0, 3.0, 0.25), (0.0, 1.0, 0.75), (1.0, 1.0, 0.0)):
        logs = gan.track(zeros | {"accuracy": Weighted(tf.constant(part), tf.constant(labelled))}, share)
    assert float(logs["accuracy"]) == 0.75


def test_penalties_are_terms_of_their_players(gan):
    gan.compile(regularizers=["r1", "feature_matching", "historical_averaging"], run_eagerly=True)
    batch = judged(gan, SOME)
    own = {"d_loss", "d_class_loss", "accuracy"}
    assert set(gan.discriminator_terms(batch)) - own == {"r1", "d_historical_averaging"}
    assert set(gan.generator_terms(batch)) - {"g_loss"} == {"feature_matching", "g_historical_averaging"}


def test_one_label_a_class_is_enough_where_classes_are_apart():
    images, labels = toy_labelled_images(240)
    noisy = np.clip(images + np.random.default_rng(0).normal(0, 0.2, images.shape), -1, 1).astype("float32")
    some = np.where(np.arange(240) < CLASSES, labels, -1)
    gan = kerasgan.SemiSupervisedGAN((16, 16, 1), 8, (32,), (64, 32), CLASSES, seed=0)
    gan.compile()
    data = kerasgan.data.load((noisy, some), labels=True, batch_size=40, labelled_batch=6)
    history = gan.fit(data, epochs=20, verbose=0).history
    assert history["accuracy"][-1] > 0.9
    assert np.mean(gan.classify(noisy) == labels) > 0.95


def test_a_preset_classifies_and_is_trained_on(gan, tmp_path):
    gan.fit(IMAGES, SOME, batch_size=12, verbose=0)
    kerasgan.save_preset(gan, tmp_path / "preset")
    loaded = kerasgan.from_preset(tmp_path / "preset")
    expected = gan.classify(IMAGES, probabilities=True)
    np.testing.assert_allclose(loaded.classify(IMAGES, probabilities=True), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(tf.nn.softmax(loaded.discriminator(IMAGES)["classes"]), expected, rtol=1e-4, atol=1e-6)
    loaded.classifier.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(tf.nn.softmax(exported.serve(IMAGES)["classes"]), expected, rtol=1e-4, atol=1e-6)
    loaded.compile()
    loaded.fit(IMAGES, SOME, batch_size=12, verbose=0)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.where(LABELS == 1, -1, LABELS), r"Of 3 classes.*no example.*\[1\].*num_classes"),
        (np.full(24, -1), r"\[0, 1, 2\]"),
        (LABELS + 1, r"labels must be in -1..2 \(-1: not known\)"),
        (LABELS - 2, "labels must be in -1..2"),
    ],
)
def test_labels_that_do_not_fit_are_refused(gan, labels, words):
    with pytest.raises(ValueError, match=words):
        gan.fit(IMAGES, labels.astype("int32"), verbose=0)


def test_other_errors_say_what_to_change(gan):
    for loss in ("hinge", kerasgan.losses.NonSaturating(0.1), Foreign()):
        with pytest.raises(ValueError, match="a loss of its own"):
            gan.compile(loss=loss)
    with pytest.raises(ValueError, match=r"\(16, 16, 1\).*received"):
        gan.classify(np.zeros((2, 8, 8, 1), "float32"))
    with pytest.raises(ValueError, match="-1"):
        gan.classify(IMAGES * 9.0)
    with pytest.raises(ValueError, match="num_classes must be at least 2; received 1"):
        kerasgan.SemiSupervisedGAN(num_classes=1)
    with pytest.raises(ValueError, match="classifier_decay"):
        kerasgan.SemiSupervisedGAN(classifier_decay=1.0)


class Foreign:
    """A loss that is no object of kerasgan's, and has no config."""

    def discriminator(self, real, fake):
        return 0.0

    def generator(self, fake):
        return 0.0


def test_the_default_networks_are_those_of_the_paper():
    gan = kerasgan.SemiSupervisedGAN()
    dense = [each.layer for each in gan.discriminator.layers if isinstance(each, kerasgan.layers.WeightNormalization)]
    assert [each.units for each in dense] == [1000, 500, 250, 250, 250, 10]
    noise = [each.stddev for each in gan.discriminator.layers if isinstance(each, keras.layers.GaussianNoise)]
    assert noise == [0.3, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert gan.sampler_inputs(1000, seed=0)[0].numpy().min() >= 0.0


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of a tiny recipe on digits of which 20 have labels."""
    recipe = recipes.from_dict(
        {
            "model": {"type": "semi_supervised", "latent_dim": 4, "hidden": [8], "classifier_hidden": [32, 16]},
            "data": {"source": "mnist_mini", "labelled": 20, "labelled_batch": 10, "batch_size": 50, "limit": 400},
            "epochs": 1,
            "summary_every": 10,
        }
    )
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    training.train(recipe, folder, verbose=0)
    return folder


def test_errors_on_the_test_split_are_counted(run):
    gan = training.load_run(run)
    images, labels = next(
        kerasgan.data.load("mnist_mini", split="test", labels=True, limit=60, batch_size=60).as_numpy_iterator()
    )
    expected = np.sum(gan.classify(images) != labels)
    (result,) = classification.errors(gan, "mnist_mini", image_sets.dataset("mnist_mini", "test", 60), {})
    assert (result.name, result.value) == ("classification_errors_60", expected)
    for split, half in (("train", None), ("test", 0)):
        # What it has learned from tells nothing, and halves are of data without a test split.
        real = image_sets.dataset("mnist_mini", split, 60, half)
        assert classification.errors(gan, "mnist_mini", real, {}) == []


def test_the_benchmark_measures_finished_runs_and_writes_a_table(run, tmp_path, monkeypatch, capsys):
    path = Path(__file__).parent / "benchmarks" / "semi_supervised.py"
    spec = importlib.util.spec_from_file_location("semi_supervised_benchmark", path)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    monkeypatch.setattr(benchmark.LEDGER, "path", tmp_path / "results.json")
    assert benchmark.main(["measure", str(run)]) == 0
    (measured,) = benchmark.LEDGER.runs()
    assert (measured["labels"], measured["test_images"]) == (20, 2000)
    others = [measured | {"seed": seed, "errors": errors} for seed, errors in ((1, 300), (2, 500))]
    benchmark.LEDGER.keep(*others)
    assert "400 ± 141 (300, 500) | 1677 ± 452 |" in benchmark.table(others)
    readme = tmp_path / "README.md"
    readme.write_text(f"{benchmark.START}\nold\n{benchmark.END}\n")
    assert benchmark.main(["table", "--readme", str(readme)]) == 0
    assert "| mnist_mini | 20 | 2,000 | 3 |" in readme.read_text()
    (run / training.RECIPE).write_text((run / training.RECIPE).read_text().replace("epochs = 1", "epochs = 2"))
    assert benchmark.main(["measure", str(run)]) == 1
    assert "1 of 2 epochs" in capsys.readouterr().err
