import json

import numpy as np
import pytest

import kerasgan
from kerasgan import images, metrics
from kerasgan.data import mnist_mini
from kerasgan.metrics import likelihood
from kerasgan.metrics.observe import observe, real_sets
from kerasgan.support import cache


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


def test_the_bound_of_a_density_is_of_bytes_too():
    vae = kerasgan.VAE(latent_dim=2, base_filters=4, likelihood="gaussian", seed=0)
    real = metrics.dataset("mnist_mini", "test", 50)
    _, tight, bits = likelihood.bounds(vae, real, 0, {})
    bound = vae.bound(images.to_float(real.first(50)), samples=likelihood.SAMPLES, seed=0)
    # Bits a dimension are of bytes by definition.
    assert tight.value == pytest.approx(-bound.bits_per_dimension * 784 * np.log(2))
    assert tight.value != pytest.approx(bound.importance_weighted)
    assert bits.name == "bits_per_dimension_50"
    assert bits.value == pytest.approx(bound.bits_per_dimension)
    assert bits.protocol["unit"] == "bits a dimension"


def test_log_likelihoods_are_of_the_images_in_black_and_white():
    model = kerasgan.NaiveBayes(threshold=0.9)
    model.counts.white.assign_add(np.random.default_rng(0).uniform(0, 50, (10, 784)))
    model.counts.images.assign_add(np.full(10, 50.0))
    real = metrics.dataset("mnist_mini", "test", 600)
    few, all_ = likelihood.log_likelihoods(model, real, 0, {})
    assert (few.name, all_.name) == ("log_likelihood_500", "log_likelihood_600")
    assert few.protocol["real images"] == 500
    assert few.spread is None
    # Binarised at mid grey, whatever the model's own threshold: grey pixels below it count as white.
    white = np.where(real.first(600) >= 128, np.float32(1), np.float32(-1))
    assert all_.value == pytest.approx(model.log_prob(white).mean(), rel=1e-5)
    assert few.value == pytest.approx(model.log_prob(white[:500]).mean(), rel=1e-5)


def test_features_of_real_images_are_kept_and_a_damaged_file_is_made_again():
    real = real_sets("mnist_mini", 100).real
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


def test_fid_alone_gathers_statistics_only_and_keeps_those(gan):
    whole = next(each for each in metrics.evaluate(gan, "mnist_mini", n=300, cached=False) if "fid_m" in each.name)
    real, extractor = real_sets("mnist_mini", 300).real, metrics.extractor("mnist")
    (alone,) = metrics.evaluate(gan, "mnist_mini", n=300, metrics="fid")
    assert (alone.value, alone.floor) == pytest.approx((whole.value, whole.floor), rel=1e-6)
    assert alone.protocol == whole.protocol
    assert all(path.name.endswith(".statistics.npz") for path, _ in cache.entries("features"))
    kept = [path.stat().st_mtime_ns for path, _ in cache.entries("features")]
    observed = observe(real, extractor, cached=True, statistics_only=True)
    assert observed.features is None
    assert observed.gaussian().count == 300
    assert [path.stat().st_mtime_ns for path, _ in cache.entries("features")] == kept


@pytest.mark.parametrize("below", ["file", "other files"])
def test_a_cache_that_cannot_be_written_only_warns(tmp_path, monkeypatch, below):
    (tmp_path / "file").write_text("")
    (tmp_path / "other files").mkdir()
    (tmp_path / "other files" / "thesis.tex").write_text("")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "below" if below == "file" else tmp_path / below))
    real, extractor = real_sets("mnist_mini", 100).real, metrics.extractor("mnist")
    with pytest.warns(UserWarning, match="not kept for the next time"):
        found = observe(real, extractor, cached=True)
    np.testing.assert_array_equal(found.features.features, observe(real, extractor).features.features)


def test_another_resize_is_not_read_from_the_cache():
    real = real_sets("mnist_mini", 20).real
    for resize, offset in (("bilinear", 0), ("bicubic", 1)):
        extractor = metrics.Extractor("own", lambda batch, add=offset: means(batch) + add, resize, sha256="0" * 64)
        np.testing.assert_array_equal(
            observe(real, extractor, cached=True).features.features, observe(real, extractor).features.features
        )
    assert len(cache.entries("features")) == 2


RANDOM = np.random.default_rng(0).integers(0, 256, (101, 8, 8, 1), dtype="uint8")


@pytest.mark.parametrize("split", [None, "train", "test"])
def test_every_second_image_of_an_array_stands_for_other_ones(split):
    """Whatever split the array is said to be, no image is compared with itself."""
    found = real_sets(RANDOM, 1000, split)
    assert (found.real.count, found.other.count, found.training) == (50, 50, None)
    assert found.other.name == f"array/{split or 'train'}[1::2]"
    np.testing.assert_array_equal(found.real.first(50), RANDOM[:100:2])
    np.testing.assert_array_equal(found.other.first(50), RANDOM[1:100:2])


def fill(folder, count, sides=(8,)):
    for number in range(count):
        side = sides[number % len(sides)]
        kerasgan.images.save_png(folder / f"{number}.png", np.full((side, side), number, "uint8"))


def test_a_folder_with_a_test_split_and_mixed_sizes(tmp_path):
    fill(tmp_path / "train", 20, (8, 9))
    fill(tmp_path / "test", 30, (9, 8))
    found = real_sets(tmp_path, 1000, image_size=(8, 8), channels=1)
    assert (found.real.name, found.real.count) == (f"{tmp_path}/test", 20)
    assert (found.other.name, found.training.count) == (f"{tmp_path}/train", 20)


def test_an_npz_file_without_a_test_split_is_halved(tmp_path):
    np.savez(tmp_path / "images.npz", images=RANDOM)
    np.savez(tmp_path / "test.npz", test_images=RANDOM, test_labels=np.arange(101))
    assert real_sets(tmp_path / "images.npz", 10).real.name == f"{tmp_path}/images.npz/train[0::2]"
    assert real_sets(tmp_path / "test.npz", 10).real.name == f"{tmp_path}/test.npz/test[0::2]"


def test_a_missing_source_or_split_is_told(tmp_path):
    with pytest.raises(ValueError, match="no file or folder"):
        real_sets(tmp_path / "nothing", 10)
    with pytest.raises(ValueError, match="no split 'validation'"):
        real_sets("mnist_mini", 10, "validation")


def test_a_model_that_gives_too_few_images_is_refused():
    class Short:
        name, image_shape = "short", (28, 28, 1)

        def generate(self, n, seed):
            return np.zeros((n - 1, 28, 28, 1), "float32")

    with pytest.raises(ValueError, match="was to have 20 images and gave 19"):
        metrics.evaluate(Short(), "mnist_mini", n=20, extractor=means, metrics="kid")


def test_small_images_and_few_of_them_are_measured_by_what_applies():
    made = metrics.dataset(RANDOM[:40])
    results = {result.protocol["metric"]: result for result in metrics.evaluate(made, RANDOM, extractor=means)}
    assert {"fid", "precision"} <= set(results)
    assert "ms_ssim" not in results, "8x8 pixels are too few"
    wide = RANDOM.repeat(2, axis=1).repeat(2, axis=2)
    (found,) = metrics.evaluate(metrics.dataset(wide[:40]), wide, extractor=means, metrics="ms_ssim")
    assert found.protocol["pairs"] == 40 * 39 // 2


def test_too_few_images_for_fid_are_told_before_any_features_are_made():
    def never(batch):
        raise AssertionError("no image needs to be looked at for this")

    extractor = metrics.Extractor("own", never, dimensions=60)
    with pytest.raises(ValueError, match="generated 50, real 50"):
        metrics.evaluate(metrics.dataset(RANDOM), RANDOM, extractor=extractor, metrics=["kid", "fid"])


def wide(batch):
    return batch.reshape(len(batch), -1)[:, :60]


def test_fid_that_was_not_asked_for_is_left_out_where_there_are_too_few_images():
    for extractor in (metrics.Extractor("own", wide, dimensions=60), wide):
        with pytest.warns(UserWarning, match="fid is left out: 60 feature dimensions .* generated 50, real 50"):
            results = metrics.evaluate(metrics.dataset(RANDOM), RANDOM, extractor=extractor)
        assert {"kid", "precision"} <= {result.protocol["metric"] for result in results}
        assert not any("fid" in result.name for result in results)


@pytest.mark.parametrize(
    ("against", "image_shape", "name"),
    [
        ("mnist", (28, 28, 1), "mnist"),
        ("mnist_mini", (28, 28, 1), "mnist"),
        ("cifar10", (32, 32, 3), "cifar10"),
        ("mnist", (32, 32, 1), "efficientnet_lite0"),
        ("photographs/", (28, 28, 1), "efficientnet_lite0"),
        (RANDOM, (8, 8, 1), "efficientnet_lite0"),
    ],
)
def test_the_extractor_is_the_classifier_of_the_data_set_or_the_one_for_any_picture(against, image_shape, name):
    assert metrics.suitable_extractor(against, image_shape) == name


def test_pictures_of_any_kind_are_measured_by_the_network_that_comes_along():
    made, real = metrics.dataset(RANDOM[:10]), RANDOM[10:30]
    results = metrics.evaluate(made, real, metrics=["kid", "prdc", "memorised"])
    names = [result.name for result in results]
    assert names[0] == "kid_efficientnet_lite0_10"
    assert "coverage_efficientnet_lite0_10" in names
    assert results[0].protocol["resize"].startswith("bicubic")
    assert results[-1].protocol["distance"] == "Euclidean, features"


def test_copies_are_told_by_features_among_the_real_images_themselves():
    """Every second image is compared with, and the others are those between: a copy may be of either."""
    extractor = metrics.Extractor("wide", wide, neighbours="features")
    new = np.random.default_rng(1).integers(0, 256, (50, 8, 8, 1), dtype="uint8")
    for made, low, high in ((RANDOM[20:70], 1, 1), (new, 0, 0.1)):
        (share,) = metrics.evaluate(metrics.dataset(made), RANDOM, extractor=extractor, metrics="memorised")
        assert low <= share.value <= high
        assert share.protocol["training images"] == "100, the real ones"


def test_copies_are_told_by_features_from_a_training_split():
    extractor = metrics.Extractor("quarters", means, neighbours="features")
    made = metrics.dataset("mnist_mini", "train", n=60)
    (share,) = metrics.evaluate(made, "mnist_mini", extractor=extractor, metrics="memorised")
    assert share.value == 1.0
    assert share.protocol["training images"].startswith("60 of ")


def test_numbers_of_numpy_become_json(tmp_path, gan):
    results = metrics.evaluate(gan, "mnist_mini", n=np.int64(20), seed=np.int64(1), extractor=means, metrics="kid")
    metrics.save(tmp_path / "results.json", results)
    assert metrics.read(tmp_path / "results.json") == results


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": True}, "integer"),
        ({"seed": -1}, "seed must be an integer of at least 0"),
        ({"metrics": []}, "at least one of fid"),
        ({"metrics": ["inception_score"], "extractor": means, "n": 20}, "None of the metrics inception_score applies"),
        ({"metrics": ["fidd"]}, "Did you mean"),
        ({"extractor": "nonsense"}, "extractor"),
        ({"n": 50}, "dimension"),
        ({"split": "nonsense"}, "no split"),
    ],
)
def test_wrong_use_is_told(gan, arguments, message):
    with pytest.raises(ValueError, match=message):
        metrics.evaluate(gan, "mnist_mini", **({"metrics": ["fid"]} | arguments))


def test_labels_heeded_is_the_share_of_images_of_the_class_that_was_asked_for():
    digits, labels = mnist_mini.arrays("test")
    of_class = [digits[labels == label] for label in range(10)]

    class Stubborn:
        """Draws the digit that it is told to, but for 0, in place of which it draws a 1."""

        name, image_shape, num_classes = "stubborn", (28, 28, 1), 10

        def generate(self, n, seed, labels):
            return images.to_float(np.stack([of_class[max(label, 1)][k % 100] for k, label in enumerate(labels)]))

    (result,) = metrics.evaluate(Stubborn(), "mnist_mini", n=300, metrics="labels")
    assert result.name == "labels_heeded_mnist_300"
    assert result.value == pytest.approx(0.9, abs=0.02)
