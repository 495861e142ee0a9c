import numpy as np
import pytest

from kerasgan import metrics
from kerasgan.metrics.memorisation import share_of_copies, thumbnails
from kerasgan.support import cache


def pixels(seed, n=600, side=8):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 1), dtype="uint8")


TRAINING, UNSEEN = metrics.dataset(pixels(0)), metrics.dataset(pixels(1))


def test_copies_are_told_from_new_images():
    copies = metrics.dataset(pixels(0)[::-1][:300])
    assert metrics.memorised_share(copies, UNSEEN, TRAINING) == 1.0
    assert metrics.memorised_share(metrics.dataset(pixels(2)), UNSEEN, TRAINING) < 0.05


def test_noisy_copies_are_still_copies():
    noisy = np.clip(pixels(0).astype(int) + np.random.default_rng(3).integers(-9, 10, (600, 8, 8, 1)), 0, 255)
    assert metrics.memorised_share(metrics.dataset(noisy.astype("uint8")), UNSEEN, TRAINING) == 1.0


def test_half_copies_score_half():
    mixed = np.concatenate([pixels(0)[:150], pixels(4)[:150]])
    assert metrics.memorised_share(metrics.dataset(mixed), UNSEEN, TRAINING) == pytest.approx(0.5, abs=0.03)


def test_thumbnails_average_blocks_of_large_images():
    large = np.zeros((1, 70, 64, 3), "uint8")
    large[:, :3, :2] = 90
    small = thumbnails(metrics.dataset(large)).reshape(1, 23, 21, 3)
    np.testing.assert_allclose(small[0, 0, 0], 90 * 2 / 3)
    assert small[0, 1:].sum() == 0


def test_the_picture_pairs_each_sample_with_its_neighbour():
    samples = metrics.dataset(pixels(0)[[5, 17, 3]])
    picture = metrics.neighbours_picture(samples, TRAINING, n=3, columns=1)
    # Three rows of two 8x8 images, 2 pixels apart: a copy's neighbour is the copied image.
    for row, index in enumerate([5, 17, 3]):
        left, right = (picture[2 + 10 * row : 10 + 10 * row, start : start + 8] for start in (2, 12))
        np.testing.assert_array_equal(left, pixels(0)[index])
        np.testing.assert_array_equal(right, pixels(0)[index])


def test_without_unseen_images_the_distances_among_the_training_images_are_usual():
    random = np.random.default_rng(0)
    training, new = random.normal(size=(2, 600, 8))
    assert share_of_copies(training[:300], training) == 1.0
    assert share_of_copies(new, training) < 0.05
    # A tenth of the training images is there twice: that makes no new image a copy, and hides no copy.
    doubled = np.concatenate([training, training[:60]])
    assert share_of_copies(new, doubled) < 0.05
    assert share_of_copies(training[:300], doubled) == 1.0


def test_the_picture_can_pair_by_features(tmp_path, monkeypatch):
    """By features that see no brightness, the neighbour of a darkened image is that image."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))

    def relative(batch):
        return batch.reshape(len(batch), -1) / batch.mean(axis=(1, 2, 3))[:, None]

    darkened = pixels(0)[[5, 17, 3]] // 4
    by = {name: metrics.Extractor("relative", relative, neighbours=name) for name in ("features", "pixels")}
    pictures = {
        name: metrics.neighbours_picture(metrics.dataset(darkened), TRAINING, n=3, columns=1, extractor=extractor)
        for name, extractor in by.items()
    }
    for row, index in enumerate([5, 17, 3]):
        right = (slice(2 + 10 * row, 10 + 10 * row), slice(12, 20))
        np.testing.assert_array_equal(pictures["features"][right], pixels(0)[index])
        assert (pictures["pixels"][right] != pixels(0)[index]).any()
