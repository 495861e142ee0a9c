import numpy as np
import pytest

from kerasgan.metrics.neighbours import nearest, prdc


def normal(seed, n, d=8, mean=0.0):
    return np.random.default_rng(seed).normal(mean, 1.0, (n, d))


def full_distances(first, second):
    return np.sqrt(((first[:, None, :].astype("float64") - second[None, :, :]) ** 2).sum(axis=2))


def naive_prdc(real, generated, k):
    """All distances at once; the point itself is the first of its own sorted neighbours."""
    real_radii = np.sort(full_distances(real, real), axis=1)[:, k]
    generated_radii = np.sort(full_distances(generated, generated), axis=1)[:, k]
    across = full_distances(real, generated)
    return (
        (across <= real_radii[:, None]).any(axis=0).mean(),
        (across <= generated_radii).any(axis=1).mean(),
        (across <= real_radii[:, None]).sum() / (k * len(generated)),
        (across.min(axis=1) <= real_radii).mean(),
    )


@pytest.mark.parametrize("block", [7, 64, 2048])
@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_prdc_agrees_with_the_full_matrix(block, k, dtype):
    real, generated = normal(0, 150).astype(dtype), normal(1, 203, mean=0.4).astype(dtype)
    expected = naive_prdc(real, generated, k)
    assert min(expected) > 0.1
    np.testing.assert_allclose(prdc(real, generated, k, block), expected, rtol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_prdc_of_copies_and_duplicates_agrees_with_the_full_matrix(offset):
    real = np.repeat(normal(0, 50), 3, axis=0) + offset
    generated = np.concatenate([real[::2], normal(1, 40) + offset])
    # With k = 1 and triplets every real radius is 0: only exact copies lie inside.
    for k in (1, 2, 3, 7):
        np.testing.assert_allclose(prdc(real, generated, k, block=32), naive_prdc(real, generated, k), rtol=1e-12)


def test_prdc_of_the_real_set_itself():
    real = normal(0, 300, d=32)
    # Each point lies in its own ball and in those of all that count it among their k nearest.
    assert prdc(real, real.copy(), k=4) == pytest.approx((1.0, 1.0, 1 + 1 / 4, 1.0))


def test_prdc_tells_fidelity_from_variety():
    two_clusters = np.concatenate([normal(0, 100), normal(1, 100, mean=50.0)])
    one_cluster, far_away = normal(2, 200), normal(3, 200, mean=-50.0)
    dropped = prdc(two_clusters, one_cluster)
    assert dropped.precision > 0.8
    assert dropped.recall < 0.6
    assert dropped.coverage < 0.6
    assert prdc(two_clusters, far_away) == (0.0, 0.0, 0.0, 0.0)


def test_prdc_errors():
    with pytest.raises(ValueError, match="more than k = 5 samples; received 5 real and 20 generated"):
        prdc(normal(0, 5), normal(1, 20))
    with pytest.raises(ValueError, match=r"real and generated.*8 and 9"):
        prdc(normal(0, 20), normal(1, 20, d=9))
    with pytest.raises(ValueError, match="generated: features hold NaN or infinite values: row 0"):
        prdc(normal(0, 20), normal(1, 20) * np.nan)
    with pytest.raises(ValueError, match="real must be a non-empty array"):
        prdc(np.zeros(20), normal(1, 20))
    with pytest.raises(ValueError, match="k must be an integer of at least 1"):
        prdc(normal(0, 20), normal(1, 20), k=0)


@pytest.mark.parametrize("block", [5, 2048])
@pytest.mark.parametrize("k", [1, 3])
def test_nearest_agrees_with_the_full_matrix(block, k):
    queries, base = normal(0, 33).astype("float32"), normal(1, 57).astype("float32")
    distances = full_distances(queries, base)
    expected = np.argsort(distances, axis=1)[:, :k]
    indices, found = nearest(queries, base, k, block)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(found, np.take_along_axis(distances, expected, 1), rtol=1e-12)


def test_exact_copies_are_found_at_exactly_zero_among_near_copies():
    base = normal(0, 100, d=300) + 1e3
    near = base[:3] + 1e-9
    indices, distances = nearest(base[:3], np.concatenate([near, base]), k=2, block=16)
    np.testing.assert_array_equal(indices, [[3, 0], [4, 1], [5, 2]])
    assert (distances[:, 0] == 0.0).all()
    assert (distances[:, 1] > 0.0).all()


def test_nearest_compares_pixels():
    images = np.random.default_rng(0).integers(0, 256, (20, 49), dtype="uint8")
    indices, distances = nearest(images[[4]], images[[9, 4]], k=2)
    assert indices.tolist() == [[1, 0]]
    expected = np.linalg.norm(images[4].astype(float) - images[9].astype(float))
    np.testing.assert_allclose(distances, [[0.0, expected]], rtol=1e-12)


def test_nearest_errors():
    with pytest.raises(ValueError, match="k = 4 neighbours are more than the 3 rows"):
        nearest(normal(0, 9), normal(1, 3), k=4)
    with pytest.raises(ValueError, match="8 and 9"):
        nearest(normal(0, 20), normal(1, 20, d=9))
