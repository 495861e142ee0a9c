import numpy as np
import pytest

from kerasgan import metrics


def images(seed, n=400, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 0.1, (n, 4, 4, 1)).clip(-1, 1)


def test_sliced_wasserstein_of_shifted_sets_has_a_closed_form():
    first = images(0)
    # A shift by s in every pixel moves each projection by s * sum(direction); its mean square is s^2.
    assert metrics.sliced_wasserstein(first, first + 0.2, projections=4000) == pytest.approx(0.2, rel=0.05)
    assert metrics.sliced_wasserstein(first, first) == 0.0


def test_sliced_wasserstein_orders_by_distance():
    real = images(0)
    distances = [metrics.sliced_wasserstein(real, images(1, shift=shift)) for shift in (0.0, 0.1, 0.4)]
    assert distances == sorted(distances)
    assert distances[0] < 0.3 * distances[1]


def test_sliced_wasserstein_errors():
    with pytest.raises(ValueError, match="equally many"):
        metrics.sliced_wasserstein(images(0), images(0, n=3))
    with pytest.raises(ValueError, match="not finite"):
        metrics.sliced_wasserstein(images(0), images(0) * np.nan)
