import numpy as np
import pytest

from kerasgan.metrics.frechet import GaussianStatistics, fid, fid_infinity, frechet_distance, require_full_rank


def normal(seed, n, d, mean=0.0, deviation=1.0):
    return np.random.default_rng(seed).normal(mean, deviation, (n, d))


def correlated(seed, n, d, rank=None):
    """Features with a spectrum that falls by five orders of magnitude, as those of networks do."""
    mixing = np.random.default_rng(seed).normal(size=(rank or d, d)) * np.logspace(0, -2.5, rank or d)[:, None]
    return normal(seed + 1, n, rank or d) @ mixing


def gaussian(features):
    statistics = GaussianStatistics(features.shape[1])
    statistics.update(features)
    return statistics


def given(mean, covariance):
    """Statistics of exactly this mean and covariance: of the 2 d points mean +- sqrt(d') times a factor's columns."""
    d = len(mean)
    factor = np.linalg.cholesky(covariance).T * np.sqrt((2 * d - 1) / 2)
    return gaussian(np.concatenate([mean + factor, mean - factor]))


def test_statistics_are_numpys_however_the_batches_are_cut():
    features = correlated(0, 300, 7)
    statistics = GaussianStatistics(7)
    for batch in np.split(features, [1, 2, 50, 51, 200]):
        statistics.update(batch)
    assert statistics.count == 300
    np.testing.assert_allclose(statistics.mean, features.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistics.covariance, np.cov(features.T), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_statistics_are_stable_far_from_zero(dtype):
    features = normal(0, 5000, 5, mean=1e4).astype(dtype)
    statistics = GaussianStatistics(5)
    for batch in np.array_split(features, 100):
        statistics.update(batch)
    np.testing.assert_allclose(statistics.covariance, np.cov(features.astype("float64").T), rtol=1e-9, atol=1e-9)


def test_the_order_of_merging_does_not_matter():
    parts = [normal(seed, 10 + 50 * seed, 4, mean=100.0 * seed) for seed in range(4)]
    merged = []
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        statistics = GaussianStatistics(4)
        for part in order:
            statistics.merge(gaussian(parts[part]))
        merged.append(statistics)
    whole = np.concatenate(parts)
    for statistics in merged:
        np.testing.assert_allclose(statistics.mean, whole.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(statistics.covariance, np.cov(whole.T), rtol=1e-11)


def test_merging_leaves_the_other_as_it_was():
    first, second = gaussian(normal(0, 20, 3)), gaussian(normal(1, 30, 3))
    before = second.covariance
    first.merge(second)
    first.update(normal(2, 40, 3))
    assert second.count == 30
    np.testing.assert_array_equal(second.covariance, before)


def test_update_does_not_change_the_features():
    features = normal(0, 20, 3)
    copy = features.copy()
    gaussian(features)
    np.testing.assert_array_equal(features, copy)


def test_statistics_are_saved_exactly_and_go_on(tmp_path):
    statistics = gaussian(normal(0, 20, 3))
    path = tmp_path / "real.statistics"
    statistics.save(path)
    loaded = GaussianStatistics.load(path)
    assert [file.name for file in tmp_path.iterdir()] == ["real.statistics"]
    for each in (statistics, loaded):
        each.update(normal(1, 20, 3))
    assert loaded.count == 40
    np.testing.assert_array_equal(loaded.mean, statistics.mean)
    np.testing.assert_array_equal(loaded.covariance, statistics.covariance)


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "real.npz"
    gaussian(normal(0, 20, 30)).save(path)
    whole = path.read_bytes()
    for damaged in (whole[:100], whole[:-30], b"", b"no archive", whole[:2000] + b"\0" * 9 + whole[2009:]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="holds no saved GaussianStatistics"):
            GaussianStatistics.load(path)
    np.savez(path, count=5, mean=np.zeros(3), scatter=np.zeros((2, 2)))
    with pytest.raises(ValueError, match="fit no GaussianStatistics"):
        GaussianStatistics.load(path)


def test_closed_form_of_diagonal_covariances():
    means = np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 5.0])
    variances = np.array([4.0, 1.0, 0.25]), np.array([1.0, 9.0, 0.25])
    expected = 1.0 + 0.0 + 4.0 + (2 - 1) ** 2 + (1 - 3) ** 2
    distance = frechet_distance(given(means[0], np.diag(variances[0])), given(means[1], np.diag(variances[1])))
    assert distance == pytest.approx(expected, rel=1e-10)


def test_closed_form_of_a_shift_and_of_equal_sets():
    features = correlated(0, 200, 20)
    assert fid(features, features + 0.5) == pytest.approx(20 * 0.25, rel=1e-9)
    assert 0.0 <= fid(features, features) < 1e-10


def test_the_distance_is_symmetric_and_does_not_change_under_rotations():
    first, second = correlated(0, 300, 20), correlated(5, 400, 20)
    rotation, _ = np.linalg.qr(normal(9, 20, 20))
    assert fid(second, first) == pytest.approx(fid(first, second), rel=1e-9)
    assert fid(first @ rotation, second @ rotation) == pytest.approx(fid(first, second), rel=1e-9)


@pytest.mark.parametrize("n", [1000, 130])
def test_fid_agrees_with_the_general_matrix_root(n):
    linalg = pytest.importorskip("scipy.linalg")
    first, second = correlated(0, n, 120), correlated(5, 2 * n, 120)
    covariances = np.cov(first.T), np.cov(second.T)
    shift = first.mean(axis=0) - second.mean(axis=0)
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    expected = shift @ shift + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert fid(first, second) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("ranks", [(15, 15), (15, None), (None, 15)])
def test_singular_covariances_agree_with_the_thin_factors(ranks):
    first, second = (correlated(seed, 200, 60, rank) for seed, rank in zip((0, 5), ranks, strict=True))
    covariances = np.cov(first.T), np.cov(second.T)
    shift = first.mean(axis=0) - second.mean(axis=0)
    # With centred samples X, C1 C2 has the root eigenvalues that X1 X2^T has singular values.
    factors = [(x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (first, second)]
    root = np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum()
    expected = shift @ shift + np.trace(covariances[0] + covariances[1]) - 2 * root
    assert frechet_distance(gaussian(first), gaussian(second)) == pytest.approx(expected, rel=1e-6)


def test_features_that_never_vary_do_no_harm():
    first, second = correlated(0, 200, 10), correlated(5, 200, 10)
    dead = np.zeros((200, 3))
    distance = fid(np.hstack([first, dead]), np.hstack([second, dead]))
    assert distance == pytest.approx(fid(first, second), rel=1e-6)


def test_fid_infinity_removes_the_bias_of_few_samples():
    real, generated = given(np.zeros(30), np.eye(30)), normal(0, 600, 30, deviation=1.3)
    truth = 30 * 0.3**2
    value, error = fid_infinity(generated, real, seed=3)
    biased = frechet_distance(gaussian(generated), real)
    assert biased > 1.15 * truth
    assert abs(value - truth) < 0.4 * (biased - truth)
    assert 0 < error < 0.1 * value
    assert fid_infinity(generated, real, seed=3) == (value, error)


def test_too_few_samples_are_refused():
    with pytest.raises(
        ValueError, match=r"10 feature dimensions need at least 11 samples.*first 10, second 50.*singular"
    ):
        fid(normal(0, 10, 10), normal(1, 50, 10))
    fid(normal(0, 11, 10), normal(1, 50, 10))
    with pytest.raises(ValueError, match="generated 9, real 50"):
        fid_infinity(normal(0, 9, 10), gaussian(normal(1, 50, 10)))
    with pytest.raises(ValueError, match="real 0"):
        require_full_rank(3, generated=50, real=0)
    with pytest.raises(ValueError, match="at least 2 samples; 1 seen"):
        frechet_distance(gaussian(normal(0, 1, 3)), gaussian(normal(0, 9, 3)))


def test_fid_infinity_refuses_sizes_that_give_no_line():
    generated, real = normal(0, 25, 10), gaussian(normal(1, 50, 10))
    with pytest.raises(ValueError, match=r"smallest must be in \(10, 11\]; received 20"):
        fid_infinity(generated, real)
    with pytest.raises(ValueError, match="points must be an integer of at least 3"):
        fid_infinity(generated, real, points=2)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.full((20, 3), np.nan), "NaN or infinite values: row 0"),
        (np.where(np.arange(20)[:, None] == 7, np.inf, np.ones((20, 3))), "NaN or infinite values: row 7"),
        (np.zeros((0, 3)), r"received shape \(0, 3\)"),
        (np.zeros(20), r"received shape \(20,\)"),
        (np.zeros((20, 4)), "4.*3|3.*4"),
    ],
)
def test_bad_features_are_refused(features, message):
    with pytest.raises(ValueError, match=message):
        fid(features, normal(0, 20, 3))
    with pytest.raises(ValueError, match=message):
        GaussianStatistics(3).update(features)


def test_statistics_without_samples_are_refused(tmp_path):
    empty = GaussianStatistics(3)
    with pytest.raises(ValueError, match="no statistics to save"):
        empty.save(tmp_path / "empty.npz")
    with pytest.raises(ValueError, match="4 dimensions"):
        gaussian(normal(0, 5, 3)).merge(GaussianStatistics(4))
    with pytest.raises(ValueError, match="dimensions"):
        frechet_distance(gaussian(normal(0, 5, 3)), gaussian(normal(0, 5, 4)))


def test_a_generator_that_makes_one_image_only():
    real, constant = correlated(0, 200, 10), np.full((50, 10), 0.1)
    expected = ((real.mean(axis=0) - 0.1) ** 2).sum() + real.var(axis=0, ddof=1).sum()
    assert fid(real, constant) == pytest.approx(expected, rel=1e-6)
    assert fid(real, np.zeros((50, 10))) == pytest.approx(
        (real.mean(axis=0) ** 2).sum() + real.var(axis=0, ddof=1).sum()
    )
