import numpy as np
import pytest

from kerasgan.metrics.modes import class_histogram, jensen_shannon, mode_statistics, toy_modes


def test_histogram_counts_missing_classes_too():
    counts = class_histogram(np.array([0, 2, 2, 0, 2], "uint8"), 5)
    assert counts.dtype == np.int64
    assert counts.tolist() == [2, 0, 3, 0, 0]


def test_balanced_classes():
    modes = mode_statistics(np.arange(40) % 10, 10)
    assert modes.covered == 10
    assert modes.kl == pytest.approx(0.0, abs=1e-12)
    assert modes.largest_deviation == pytest.approx(0.0, abs=1e-12)


def test_one_class_of_four_has_closed_forms():
    covered, kl, largest_deviation = mode_statistics(np.full(9, 3), 4)
    assert covered == 1
    assert kl == pytest.approx(np.log(4))
    assert largest_deviation == pytest.approx(3.0)


def test_a_reference_is_what_is_balanced():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    assert mode_statistics(labels, 3, reference=[6, 3, 1]).kl == pytest.approx(0.0, abs=1e-12)
    modes = mode_statistics(labels, 3, reference=[0.5, 0.3, 0.2])
    assert modes.kl == pytest.approx(0.6 * np.log(0.6 / 0.5) + 0.1 * np.log(0.1 / 0.2))
    assert modes.largest_deviation == pytest.approx(0.5)


def test_a_class_that_the_reference_lacks():
    modes = mode_statistics(np.array([0, 1]), 3, reference=[1, 0, 0])
    assert modes.kl == np.inf
    assert modes.largest_deviation == np.inf
    # A class that neither side has is no deviation.
    assert mode_statistics(np.array([0, 1]), 3, reference=[1, 1, 0]).largest_deviation == 0.0


def test_class_errors():
    with pytest.raises(ValueError, match=r"in \[0, 3\); received values from 0 to 3"):
        mode_statistics(np.arange(4), 3)
    with pytest.raises(ValueError, match="from -1 to 1"):
        class_histogram(np.array([-1, 1]), 3)
    with pytest.raises(ValueError, match="float64"):
        class_histogram(np.array([0.0, 1.0]), 3)
    with pytest.raises(ValueError, match=r"shape \(0,\)"):
        class_histogram(np.array([], int), 3)
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        class_histogram(np.zeros((2, 2), int), 3)
    for reference in ([1, 2], [0, 0, 0], [1, -1, 3], [1, np.nan, 1]):
        with pytest.raises(ValueError, match="reference must hold 3 counts"):
            mode_statistics(np.arange(3), 3, reference=reference)


def ring(modes=8):
    angles = 2 * np.pi * np.arange(modes) / modes
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_samples_of_the_ring_itself():
    centers, random = ring(), np.random.default_rng(0)
    samples = centers[random.integers(0, 8, 5000)] + random.normal(0, 0.02, (5000, 2))
    modes = toy_modes(samples, centers, 0.02)
    assert modes.covered == 8
    # In two dimensions 1 - exp(-9 / 2) of a Gaussian lie within three standard deviations.
    assert modes.high_quality == pytest.approx(1 - np.exp(-4.5), abs=0.005)
    assert 0 < modes.kl < 0.01


def test_three_modes_and_samples_between_modes():
    centers = ring()
    samples = np.concatenate([centers[[0, 0, 3]], 0.5 * (centers[[5]] + centers[[6]])])
    covered, high_quality, kl, jsd = toy_modes(samples, centers, 0.05)
    assert covered == 2
    assert high_quality == 0.75
    assert kl == pytest.approx(2 / 3 * np.log(2 / 3 * 8) + 1 / 3 * np.log(1 / 3 * 8))
    shares, even = np.array([2 / 3, 0, 0, 1 / 3, 0, 0, 0, 0]), np.full(8, 1 / 8)
    middle = (shares + even) / 2
    by_hand = (
        sum(p * np.log(p / m) for p, m in zip(shares, middle, strict=True) if p) + (even * np.log(even / middle)).sum()
    ) / 2
    assert jsd == pytest.approx(by_hand)


def test_jensen_shannon_has_closed_forms():
    assert jensen_shannon([3, 1], [6, 2]) == 0
    assert jensen_shannon([1, 0], [0, 5]) == pytest.approx(np.log(2))
    # (1 log(1 / .75) + .5 log(.5 / .75) + .5 log(.5 / .25)) / 2
    assert jensen_shannon([1, 0], [1, 1]) == pytest.approx(0.75 * np.log(4 / 3))
    assert jensen_shannon([1, 2, 3], [3, 2, 1]) == pytest.approx(jensen_shannon([3, 2, 1], [1, 2, 3]))


def test_the_boundary_moves_with_within():
    sample = ring()[[0]] + [0.1, 0.0]
    assert toy_modes(sample, ring(), 0.05).covered == 1
    assert toy_modes(sample, ring(), 0.05, within=1.9) == (0, 0.0, np.inf, np.log(2))


def test_toy_errors():
    with pytest.raises(ValueError, match="samples: features hold NaN"):
        toy_modes(np.full((3, 2), np.nan), ring(), 0.1)
    with pytest.raises(ValueError, match="3 and 2"):
        toy_modes(np.zeros((3, 3)), ring(), 0.1)
    with pytest.raises(ValueError, match=r"must be positive; received 0\.0"):
        toy_modes(np.zeros((3, 2)), ring(), 0.0)
