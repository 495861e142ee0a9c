import numpy as np
import pytest

from kerasgan.metrics.inception_score import inception_score


def softmax(logits):
    exponentials = np.exp(logits)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def test_sure_and_varied_images_score_the_number_of_classes():
    sure = np.eye(5)[np.arange(100) % 5]
    mean, deviation = inception_score(sure, splits=4)
    assert mean == pytest.approx(5.0, rel=1e-12)
    assert deviation == pytest.approx(0.0, abs=1e-12)


def test_images_that_are_all_alike_score_one():
    assert inception_score(np.full((20, 5), 0.2), splits=2)[0] == pytest.approx(1.0, rel=1e-12)
    assert inception_score(np.eye(5)[np.zeros(20, int)], splits=2)[0] == pytest.approx(1.0, rel=1e-12)


def test_agrees_with_loops_over_uneven_parts():
    probabilities = softmax(np.random.default_rng(0).normal(0, 3, (103, 7)))
    scores = []
    for split in range(10):
        part = probabilities[split * 103 // 10 : (split + 1) * 103 // 10]
        marginal = part.mean(axis=0)
        divergences = [sum(p * np.log(p / q) for p, q in zip(row, marginal, strict=True)) for row in part]
        scores.append(np.exp(np.mean(divergences)))
    mean, deviation = inception_score(probabilities)
    assert mean == pytest.approx(np.mean(scores), rel=1e-9)
    assert deviation == pytest.approx(np.sqrt(np.mean((scores - np.mean(scores)) ** 2)), rel=1e-9)


def test_float32_softmax_is_accepted():
    probabilities = softmax(np.random.default_rng(0).normal(0, 3, (100, 1008)))
    expected, _ = inception_score(probabilities)
    assert inception_score(probabilities.astype("float32"))[0] == pytest.approx(expected, rel=1e-5)


def test_errors():
    with pytest.raises(ValueError, match="10 splits need at least 10 rows; received 9"):
        inception_score(np.full((9, 2), 0.5))
    with pytest.raises(ValueError, match=r"row 3 has the sum 1.5.*softmax"):
        inception_score(np.where(np.arange(20)[:, None] == 3, 0.75, np.full((20, 2), 0.5)))
    with pytest.raises(ValueError, match=r"least value -0\.5"):
        inception_score(np.tile([1.5, -0.5], (20, 1)))
    with pytest.raises(ValueError, match="row 0"):
        inception_score(np.full((20, 2), np.nan))
    with pytest.raises(ValueError, match=r"received shape \(20,\)"):
        inception_score(np.ones(20))
    with pytest.raises(ValueError, match="splits"):
        inception_score(np.full((20, 2), 0.5), splits=0)
