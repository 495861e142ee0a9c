import itertools

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.metrics.ms_ssim import WEIGHTS, diversity, ms_ssim, scales_for


def smooth(seed, n, height, width, channels):
    """uint8 images of blobs, so that coarse scales have structure as well."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0, 255, (n, 7, 5, channels)).astype("float32")
    blobs = tf.image.resize(coarse, (height, width)).numpy()
    return np.clip(blobs + random.normal(0, 20, blobs.shape), 0, 255).astype("uint8")


def noisy(images, deviation, seed=9):
    noise = np.random.default_rng(seed).normal(0, deviation, images.shape)
    return np.clip(images + noise, 0, 255).astype("uint8")


def tensorflows(first, second, scales):
    weights = WEIGHTS[:scales] / WEIGHTS[:scales].sum()
    first, second = (tf.constant(images, "float32") for images in (first, second))
    return tf.image.ssim_multiscale(first, second, 255.0, power_factors=weights).numpy()


@pytest.mark.parametrize("shape", [(176, 200, 3), (195, 181, 1)])
def test_five_scales_agree_with_tensorflow(shape):
    first = smooth(0, 3, *shape)
    second = noisy(first, 40)
    expected = tf.image.ssim_multiscale(first.astype("float32"), second.astype("float32"), 255.0).numpy()
    assert (expected < 0.98).all()
    np.testing.assert_allclose(ms_ssim(first, second), expected, atol=1e-5)


@pytest.mark.parametrize(("shape", "scales"), [((28, 28, 1), 2), ((11, 15, 1), 1), ((33, 47, 3), 2), ((41, 64, 3), 3)])
def test_small_images_agree_with_tensorflow(shape, scales):
    assert scales_for(*shape[:2]) == scales
    first = smooth(0, 40, *shape)
    for second in (noisy(first, 30), smooth(1, 40, *shape)):
        np.testing.assert_allclose(ms_ssim(first, second), tensorflows(first, second, scales), atol=1e-5)


def test_scales_for():
    sides = (11, 20, 21, 28, 32, 64, 80, 81, 160, 161, 176, 1024)
    assert [scales_for(side, 2000) for side in sides] == [1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 5]
    with pytest.raises(ValueError, match="at least 11 pixels high and wide; received 28x10"):
        scales_for(28, 10)


def test_equal_images_score_one_and_noise_lowers_it():
    images = smooth(0, 4, 28, 28, 3)
    np.testing.assert_allclose(ms_ssim(images, images), 1.0, rtol=1e-12)
    scores = [ms_ssim(images, noisy(images, deviation)).mean() for deviation in (5, 20, 80)]
    assert sorted(scores, reverse=True) == scores
    assert ms_ssim(images, 255 - images).max() < 0.2


def test_floats_of_another_range_score_the_same():
    first, second = smooth(0, 3, 28, 28, 1), smooth(1, 3, 28, 28, 1)
    expected = ms_ssim(first, second)
    np.testing.assert_allclose(ms_ssim(first / 255.0, second / 255.0, max_value=1.0), expected, rtol=1e-9)


def test_diversity_over_all_pairs_is_their_mean():
    images = smooth(0, 6, 28, 28, 1)
    every = [ms_ssim(images[[i]], images[[j]])[0] for i, j in itertools.combinations(range(6), 2)]
    mean, error = diversity(images, pairs=15)
    assert mean == pytest.approx(np.mean(every), rel=1e-12)
    assert error == pytest.approx(np.std(every, ddof=1) / np.sqrt(15), rel=1e-12)


def test_diversity_orders_collapsed_and_varied_images():
    varied, one = smooth(0, 40, 28, 28, 1), smooth(0, 1, 28, 28, 1)
    collapsed = noisy(np.repeat(one, 40, axis=0), 10)
    settings = {"pairs": 100, "seed": 3}
    (low, error), (high, _) = diversity(varied, **settings), diversity(collapsed, **settings)
    assert high > low + 10 * error
    assert diversity(varied, **settings) == (low, error)
    assert diversity(varied, pairs=100, seed=4) != (low, error)


def test_errors():
    images = smooth(0, 4, 28, 28, 1)
    with pytest.raises(ValueError, match="one shape"):
        ms_ssim(images, images[:3])
    with pytest.raises(ValueError, match=r"first must hold values in \[0, 255\]; received -1 to 1.*to_uint8"):
        ms_ssim(np.linspace(-1, 1, images.size).reshape(images.shape), images)
    with pytest.raises(ValueError, match="second must hold values"):
        ms_ssim(images, images * np.nan)
    with pytest.raises(ValueError, match="height, width, channels"):
        ms_ssim(images[0], images[0])
    with pytest.raises(ValueError, match="4 images make 6 pairs; received pairs=7"):
        diversity(images, pairs=7)
