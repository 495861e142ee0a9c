import os

import numpy as np
import pytest

from kerasgan import data, images, metrics
from kerasgan.metrics import classifiers
from kerasgan.metrics.classifiers import train
from kerasgan.support import files

# What the cards must state at least.
ACCURACY = {"mnist": 0.993, "fashion_mnist": 0.925, "cifar10": 0.85}


@pytest.mark.parametrize("name", classifiers.NAMES)
def test_the_card_states_accuracy_and_recipe(name):
    card = classifiers.card(name)
    assert card["test_accuracy"] >= ACCURACY[name]
    recipe = train.RECIPES[name]._asdict()
    assert card["recipe"] == {"data": name} | recipe | {"filters": list(recipe["filters"])}
    extractor = metrics.extractor(name)
    assert extractor.sha256 == card["sha256"] == files.sha256(classifiers.FOLDER / f"{name}.weights.h5")


def test_the_shipped_mnist_classifier_reads_the_embedded_digits():
    assert train.accuracy(metrics.extractor("mnist"), "mnist_mini", "test") > 0.99


@pytest.mark.skipif("TFDS_DATA_DIR" not in os.environ, reason="needs the TFDS data")
@pytest.mark.parametrize("name", classifiers.NAMES)
def test_the_accuracy_is_the_cards(name):
    measured = train.accuracy(metrics.extractor(name), name, "test")
    # Rounding differs between processors; it moves an image or two.
    assert measured == pytest.approx(classifiers.card(name)["test_accuracy"], abs=5e-4)


def test_a_classifier_without_weights_says_how_to_make_them(tmp_path):
    with pytest.raises(ValueError, match=r"classifiers\.train cifar10"):
        classifiers.load("cifar10", tmp_path)


def test_features_do_not_depend_on_the_batch():
    extractor = metrics.extractor("mnist")
    digits = images.to_uint8(next(iter(data.load("mnist_mini", batch_size=7))).numpy())
    together = extractor(digits)
    alone = [extractor(digit[None]) for digit in digits]
    assert together.features.shape == (7, extractor.dimensions)
    np.testing.assert_allclose(together.features, np.concatenate([each.features for each in alone]), atol=1e-4)
    np.testing.assert_allclose(together.probabilities.sum(axis=1), 1.0, atol=1e-5)


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="28x28x1"):
        metrics.extractor("mnist")(np.zeros((2, 32, 32, 3), "uint8"))


def test_training_learns_and_damage_is_noticed(tmp_path, monkeypatch):
    recipe = train.Recipe(epochs=2, filters=(4, 8, 16), shift=1, flip=False, batch_size=64, precision="float32")
    monkeypatch.setitem(train.RECIPES, "mnist_mini", recipe)
    card = train.train("mnist_mini", tmp_path)
    assert card["test_accuracy"] > 0.5
    assert classifiers.load("mnist_mini", tmp_path).dimensions == 16
    weights = tmp_path / "mnist_mini.weights.h5"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    classifiers.load.cache_clear()
    with pytest.raises(ValueError, match="damaged"):
        classifiers.load("mnist_mini", tmp_path)
