import numpy as np
import pytest

from kerasgan import metrics
from kerasgan.metrics.memorisation import thumbnails


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
