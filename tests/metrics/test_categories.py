"""Categories that a model found by itself, matched with classes once; their errors counted on the test images."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from kerasgan.metrics import classification
from kerasgan.metrics.categories import assignment, match
from kerasgan.metrics.image_sets import dataset


@pytest.mark.parametrize("count", [1, 2, 3, 10, 17])
def test_the_cheapest_assignment_is_that_of_scipy(count):
    random = np.random.default_rng(count)
    for costs in (random.normal(size=(count, count)), random.integers(-5, 5, (count, count))):
        columns = assignment(costs)
        assert sorted(columns) == list(range(count))
        rows, expected = linear_sum_assignment(costs)
        assert costs[np.arange(count), columns].sum() == pytest.approx(costs[rows, expected].sum())


def test_categories_are_matched_one_to_one():
    """Both categories are mostly class 0: only one can have it."""
    found = np.array([0] * 10 + [1] * 10)
    labels = np.array([0] * 9 + [1] + [0] * 6 + [1] * 4)
    np.testing.assert_array_equal(match(found, labels, 2), [0, 1])


class Finder:
    """It numbers the ten digits backwards, sees the label in the first pixel, and errs where that is told to."""

    num_classes, categories = None, 10

    def __init__(self, labels_of, wrong):
        self.labels_of, self.wrong = labels_of, wrong

    def classify(self, images):
        numbers = [self.labels_of[image.tobytes()] for image in images]
        return np.array([(9 - label + (index < self.wrong)) % 10 for index, label in enumerate(numbers)])


def test_errors_are_counted_after_the_match():
    from kerasgan.data import info, load

    labels_of = {}
    for split in ("train", "test"):
        batches = load("mnist_mini", split=split, labels=True, shuffle=False, batch_size=100, drop_remainder=False)
        for images, labels in batches.as_numpy_iterator():
            labels_of |= {image.tobytes(): int(label) for image, label in zip(images, labels, strict=True)}
    real = dataset("mnist_mini", "test")
    data = {"image_size": (28, 28), "channels": 1}
    (result,) = classification.errors(Finder(labels_of, wrong=7), "mnist_mini", real, {}, **data)
    batches = -(-real.count // 500)
    assert result.value == 7 * batches
    learned = min(classification.MATCHED_ON, info("mnist_mini").num_examples)
    assert result.protocol["categories"].endswith(f"one to one on {learned:,} of train")
    finder = Finder(labels_of, wrong=0)
    finder.categories = 8
    assert classification.errors(finder, "mnist_mini", real, {}, **data) == []
