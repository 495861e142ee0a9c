"""Metrics of translators, against a few lines of NumPy."""

import numpy as np
import pytest

import kerasgan
from kerasgan import images, metrics
from kerasgan.data import coloured, mnist_mini
from kerasgan.metrics import kept
from kerasgan.metrics.frechet import fid
from kerasgan.metrics.translation import apart_from

RANDOM = np.random.default_rng(0)
FIRST, SECOND = (RANDOM.integers(0, 255, size=(6, 16, 16, 3)).astype("uint8") for _ in range(2))


def means(batch):
    """Features: mean colours of the four quarters."""
    return batch.reshape(len(batch), 2, 8, 2, 8, -1).mean(axis=(2, 4)).reshape(len(batch), -1).astype("float32")


def means_of_28(batch):
    """Features: mean colours of the four quarters."""
    return batch.reshape(len(batch), 2, 14, 2, 14, -1).mean(axis=(2, 4)).reshape(len(batch), -1).astype("float32")


@pytest.fixture(scope="module")
def pix2pix():
    return kerasgan.Pix2Pix((16, 16, 3), base_filters=4, d_halvings=1, dropout=0.0, seed=0)


@pytest.fixture(scope="module")
def of_pairs(pix2pix):
    results = metrics.evaluate(pix2pix, (FIRST, SECOND), extractor=means)
    return {result.name: result for result in results}


def test_answers_are_compared_with_the_right_ones(pix2pix, of_pairs):
    made = images.to_uint8(pix2pix.translate(images.to_float(FIRST))).astype("float64")
    apart = np.abs(made - SECOND) / 255
    assert of_pairs["l1_6"].value == pytest.approx(apart.mean(), 1e-4)
    assert of_pairs["psnr_6"].value == pytest.approx((-10 * np.log10((apart**2).mean(axis=(1, 2, 3)))).mean(), 1e-4)
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in map(means, (made, SECOND))]
    assert of_pairs["perceptual_6"].value == pytest.approx(np.linalg.norm(unit[0] - unit[1], axis=1).mean(), 1e-3)


def test_what_anybody_has_stands_beside(of_pairs):
    source, target = (each.astype("float64") / 255 for each in (FIRST, SECOND))
    assert of_pairs["l1_of_identity_6"].value == pytest.approx(np.abs(source - target).mean(), 1e-4)
    mean = np.rint(SECOND.mean(axis=0)) / 255
    assert of_pairs["l1_of_mean_target_6"].value == pytest.approx(np.abs(mean - target).mean(), 1e-4)
    assert {"kid_6", "kid_of_identity_6", "ssim_6", "ssim_of_mean_target_6"} <= set(of_pairs)
    assert of_pairs["kid_6"].floor is not None
    assert of_pairs["kid_6"].protocol["subset size"] == 6
    assert of_pairs["kid_6"].spread is None


def test_a_perfect_answer_is_perfect():
    """Of pairs of equal images, the identity is right."""
    gan = kerasgan.Pix2Pix((16, 16, 3), base_filters=4, d_halvings=1, seed=0)
    found = {each.name: each.value for each in metrics.evaluate(gan, (FIRST, FIRST), extractor=means)}
    assert found["l1_of_identity_6"] == 0.0
    assert found["ssim_of_identity_6"] == pytest.approx(1.0, 1e-5)
    assert found["perceptual_of_identity_6"] == pytest.approx(0.0, abs=1e-6)
    assert found["psnr_of_identity_6"] == pytest.approx(100.0)


def test_both_directions_and_back():
    gan = kerasgan.CycleGAN((16, 16, 3), base_filters=4, blocks=0, d_halvings=1, seed=0)
    found = {each.name: each for each in metrics.evaluate(gan, (FIRST, SECOND), extractor=means)}
    assert set(found) == {
        f"{metric}_{direction}_6"
        for metric in ("kid", "kid_of_identity", "cycle_l1")
        for direction in ("a_to_b", "b_to_a")
    }
    first = images.to_float(SECOND)
    again = gan.translate(gan.translate(first, direction="b_to_a"))
    assert found["cycle_l1_b_to_a_6"].value == pytest.approx(np.abs(again - first).mean() / 2, 1e-4)
    assert found["kid_of_identity_a_to_b_6"].value != found["kid_a_to_b_6"].value


def test_the_class_of_digits_is_read_from_translations():
    """Of an identity that is asked to colour digits, nothing can be read: grey on black is not ink on paper."""
    digits, labels = mnist_mini.arrays("test")
    digits, labels = digits[:200, ..., None] if digits.ndim == 3 else digits[:200], labels[:200]
    pictures = coloured.colour(digits)
    assert kept.accuracy(digits, labels, "mnist_mini") > 0.97
    assert kept.accuracy(pictures, labels, "coloured_mnist_mini") == kept.accuracy(digits, labels, "mnist_mini")
    assert kept.accuracy(255 - pictures, labels, "coloured_mnist_mini") < 0.9
    np.testing.assert_array_equal(kept.labels_of("coloured_mnist_mini", "test", 200), labels)


def test_kept_classes_stand_beside_those_of_the_sources():
    gan = kerasgan.CycleGAN((28, 28, 3), base_filters=4, blocks=0, d_halvings=1, seed=0)
    sources = ["mnist_mini", "coloured_mnist_mini"]
    found = {each.name: each for each in metrics.evaluate(gan, sources, n=64, extractor=means_of_28, channels=3)}
    for direction in ("a_to_b", "b_to_a"):
        result = found[f"class_kept_{direction}_64"]
        assert result.value < 0.5 < 0.95 < result.floor
        assert result.protocol["classifier"] == "mnist"
    assert result.protocol["real"] == "mnist_mini and coloured_mnist_mini/test"
    found = metrics.evaluate(gan, sources, n=64, channels=3)
    assert {each.protocol["extractor"] for each in found} == {"mnist_of_mnist_mini", "mnist_of_coloured_mnist_mini"}


def test_digits_of_another_size_or_in_pairs_are_measured_as_any_picture():
    sources = ["mnist_mini", "coloured_mnist_mini"]
    larger = kerasgan.CycleGAN((32, 32, 3), base_filters=4, blocks=0, d_halvings=1, seed=0)
    pairs = kerasgan.Pix2Pix((32, 32, 3), base_filters=4, d_halvings=1, seed=0)
    for gan in (larger, pairs):
        results = metrics.evaluate(gan, sources, n=8, channels=3)
        assert {each.protocol["extractor"] for each in results} == {"efficientnet_lite0"}


def test_images_of_another_shape_are_refused(pix2pix):
    with pytest.raises(ValueError, match=r"\(16, 16, 3\)"):
        metrics.evaluate(pix2pix, (FIRST[..., :1], SECOND), extractor=means)


@pytest.mark.parametrize(
    ("split", "other"),
    [("test", "train"), ("train[90%:]", "train[:90%]"), ("train[12000:]", "train[:12000]"), ("train", None)],
)
def test_what_was_trained_on(split, other):
    assert apart_from(split) == other


def test_the_frechet_distance_is_given_where_there_are_more_images_than_features():
    gan = kerasgan.CycleGAN((16, 16, 3), base_filters=4, blocks=0, d_halvings=1, seed=0)
    sides = RANDOM.integers(0, 255, size=(2, 40, 16, 16, 3)).astype("uint8")
    found = {each.name: each for each in metrics.evaluate(gan, tuple(sides), extractor=means)}
    assert found["fid_of_identity_a_to_b_40"].value == pytest.approx(fid(*map(means, sides)), 1e-3)
    assert found["fid_b_to_a_40"].floor is not None
