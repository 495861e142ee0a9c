import json

import numpy as np
import pytest

import kerasgan
from kerasgan import cache, metrics
from kerasgan.metrics.observe import observe, real_sets


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def gan():
    return kerasgan.DCGAN(base_filters=4, latent_dim=4, seed=0)


def means(batch):
    """Four cheap features: the means of the quarters."""
    return np.stack([batch[:, i::2, j::2].mean(axis=(1, 2, 3)) for i in (0, 1) for j in (0, 1)], axis=1)


def test_every_metric_comes_with_protocol_floor_and_provenance(gan):
    results = {result.protocol["metric"]: result for result in metrics.evaluate(gan, "mnist_mini", n=300)}
    fid = results["fid"]
    assert fid.name == "fid_mnist_300"
    assert 0 < fid.floor < fid.value
    assert fid.protocol["weights"] == metrics.extractor("mnist").sha256
    assert (fid.protocol["real images"], fid.protocol["real"]) == (300, "mnist_mini/test")
    assert {"precision", "recall", "kid", "inception_score", "memorised", "ms_ssim", "class_deviation"} <= set(results)
    assert results["recall"].floor > 0.8 > results["recall"].value
    assert "dcgan" in fid.provenance["model"]
    json.dumps([result.to_dict() for result in results.values()])


def test_the_same_call_gives_the_same_numbers(gan):
    first, again = (
        metrics.evaluate(gan, "mnist_mini", n=120, extractor=means, metrics=["fid", "kid", "prdc"]) for _ in range(2)
    )
    assert first == again
    other = metrics.evaluate(gan, "mnist_mini", n=120, extractor=means, metrics=["fid"], seed=1)
    with pytest.raises(ValueError, match="seed: 0 against 1"):
        first[0].minus(other[0])


def test_real_images_score_like_the_floor():
    digits = metrics.dataset("mnist_mini", "train", n=400)
    (fid,) = metrics.evaluate(digits, "mnist_mini", metrics=["fid"])
    assert fid.value == pytest.approx(fid.floor, rel=1e-3)


def test_the_memorised_share_finds_a_model_that_copies():
    (share,) = metrics.evaluate(
        metrics.dataset("mnist_mini", "train", n=200), "mnist_mini", metrics=["memorised"], extractor=means
    )
    assert share.value == 1.0


def test_without_unseen_images_copies_cannot_be_told():
    images = np.random.default_rng(0).integers(0, 256, (100, 8, 8, 1), dtype="uint8")
    made = metrics.dataset(images[:50])
    results = metrics.evaluate(made, images, metrics=["memorised", "kid"], extractor=means)
    assert [result.protocol["metric"] for result in results] == ["kid"]


def test_other_real_images_are_another_protocol(gan):
    images = np.random.default_rng(0).integers(0, 256, (240, 28, 28, 1), dtype="uint8")
    (one,), (two,) = (
        metrics.evaluate(gan, array, metrics=["fid"], extractor=means) for array in (images, images[::-1].copy())
    )
    with pytest.raises(ValueError, match="differ in real sha256"):
        one.minus(two)


def test_the_bounds_of_a_vae():
    vae = kerasgan.VAE(latent_dim=2, base_filters=4, seed=0)
    results = {result.protocol["metric"]: result for result in metrics.evaluate(vae, "mnist_mini", n=100)}
    assert results["importance_weighted_bound_64"].value >= results["elbo"].value
    assert results["elbo"].protocol["unit"] == "nats an image"


def test_features_of_real_images_are_kept_and_a_damaged_file_is_made_again():
    real, _ = real_sets("mnist_mini", 100)
    extractor = metrics.extractor("mnist")
    first = observe(real, extractor, cached=True)
    ((path, size),) = cache.entries("features")
    changed = path.stat().st_mtime_ns
    again = observe(real, extractor, cached=True)
    np.testing.assert_array_equal(first.features.features, again.features.features)
    assert path.stat().st_mtime_ns == changed
    path.write_bytes(path.read_bytes()[: size // 2])
    np.testing.assert_array_equal(observe(real, extractor, cached=True).features.features, first.features.features)
    assert path.stat().st_size == size
    observe(real, metrics.extractor(means), cached=True)
    assert len(cache.entries("features")) == 1


def test_one_split_is_halved():
    images = np.random.default_rng(0).integers(0, 256, (101, 8, 8, 1), dtype="uint8")
    real, other = real_sets(images, 1000)
    assert (real.count, other.count, other.name) == (50, 50, "array/train[50:]")
    np.testing.assert_array_equal(other.first(50), images[50:100])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": True}, "whole number"),
        ({"metrics": ["fidd"]}, "Did you mean"),
        ({"extractor": "nonsense"}, "extractor"),
        ({"n": 50}, "dimension"),
        ({"split": "nonsense"}, "no split"),
    ],
)
def test_wrong_use_is_told(gan, arguments, message):
    with pytest.raises(ValueError, match=message):
        metrics.evaluate(gan, "mnist_mini", **({"metrics": ["fid"]} | arguments))
