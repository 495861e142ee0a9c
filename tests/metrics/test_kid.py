import numpy as np
import pytest

from kerasgan.metrics.kid import kid


def normal(seed, n, d=6, mean=0.0):
    return np.random.default_rng(seed).normal(mean, 1.0, (n, d))


def naive_mmd(x, y):
    """The unbiased estimate, written as the double sums of the paper."""

    def kernel(a, b):
        return (float(np.dot(a, b)) / x.shape[1] + 1.0) ** 3

    m, n = len(x), len(y)
    xx = sum(kernel(x[i], x[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    yy = sum(kernel(y[i], y[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return xx + yy - 2 * sum(kernel(a, b) for a in x for b in y) / (m * n)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_whole_set_as_subset_agrees_with_double_sums(dtype):
    first, second = normal(0, 40).astype(dtype), normal(1, 40, mean=0.3).astype(dtype)
    value, error = kid(first, second, subsets=3, subset_size=40)
    assert value == pytest.approx(naive_mmd(first.astype("float64"), second.astype("float64")), rel=1e-6)
    assert error < 1e-12


def test_other_kernels():
    first, second = normal(0, 30), normal(1, 30, mean=0.5)
    value, _ = kid(first, second, subsets=2, subset_size=30, degree=1, gamma=0.25, coefficient=2.0)
    # A linear kernel compares means, without the bias of the two variances.
    shift = first.mean(axis=0) - second.mean(axis=0)
    bias = (first.var(axis=0, ddof=1) + second.var(axis=0, ddof=1)) / 30
    assert value == pytest.approx(0.25 * (shift @ shift - bias.sum()), rel=1e-9)


def test_equal_distributions_score_zero_within_the_error_and_others_do_not():
    value, error = kid(normal(0, 4000), normal(1, 4000), subsets=40, subset_size=100)
    assert abs(value) < 4 * error
    shifted, error = kid(normal(0, 4000), normal(1, 4000, mean=0.3), subsets=40, subset_size=100)
    assert shifted > 10 * error


def test_the_error_is_that_of_the_mean():
    _, few = kid(normal(0, 9000), normal(1, 9000), subsets=20, subset_size=50)
    _, many = kid(normal(0, 9000), normal(1, 9000), subsets=320, subset_size=50)
    assert many == pytest.approx(few / 4, rel=0.4)


def test_the_seed_decides():
    first, second = normal(0, 200), normal(1, 200)
    settings = {"subsets": 5, "subset_size": 50}
    assert kid(first, second, **settings, seed=1) == kid(first, second, **settings, seed=1)
    assert kid(first, second, **settings, seed=1) != kid(first, second, **settings, seed=2)


def test_errors():
    with pytest.raises(ValueError, match=r"subset_size 1000.*first 1200, second 900"):
        kid(normal(0, 1200), normal(1, 900))
    with pytest.raises(ValueError, match="NaN or infinite values: row 0"):
        kid(normal(0, 50) * np.nan, normal(1, 50), subset_size=20)
    with pytest.raises(ValueError, match="5 and 6"):
        kid(normal(0, 50, d=5), normal(1, 50), subset_size=20)
    with pytest.raises(ValueError, match="non-empty"):
        kid(normal(0, 50), normal(1, 0), subset_size=20)
    with pytest.raises(ValueError, match="subsets must be an integer of at least 2"):
        kid(normal(0, 50), normal(1, 50), subsets=1, subset_size=20)
    with pytest.raises(ValueError, match="degree"):
        kid(normal(0, 50), normal(1, 50), subset_size=20, degree=0.5)
