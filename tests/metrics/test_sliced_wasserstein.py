import numpy as np
import pytest

import kerasgan
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


def test_evaluate_carries_protocol_and_floor():
    gan = kerasgan.DCGAN(base_filters=4, latent_dim=4, seed=0)
    (result,) = metrics.evaluate(gan, "mnist_mini", n=100)
    assert result.name == "sliced_wasserstein_100"
    assert result.protocol["samples"] == 100
    assert 0 < result.floor < result.value
    assert "real against real" in str(result)
    assert metrics.evaluate(gan, "mnist_mini", n=100) == [result]


def test_evaluate_reports_the_bounds_of_a_vae():
    vae = kerasgan.VAE(latent_dim=2, base_filters=4, seed=0)
    results = {result.name: result for result in metrics.evaluate(vae, "mnist_mini", n=20)}
    assert results["importance_weighted_bound_64"].value >= results["elbo"].value
    assert results["elbo"].protocol["binarised"]


def test_evaluate_errors():
    gan = kerasgan.DCGAN(base_filters=4, latent_dim=4, seed=0)
    with pytest.raises(ValueError, match="at least 1"):
        metrics.evaluate(gan, "mnist_mini", n=0)
