"""Batches for semi-supervised learning: few labels, mixed into every batch."""

import numpy as np
import pytest
import tensorflow as tf

from kerasgan import data
from kerasgan.images import to_uint8

COUNT, CLASSES = 40, 4
IMAGES = np.arange(COUNT, dtype=np.uint8)[:, None, None, None] * np.full((1, 4, 4, 1), 6, np.uint8)
LABELS = np.arange(COUNT) % CLASSES
# As a user has them: eight labels known, two of every class.
SOME = np.where(np.arange(COUNT) < 8, LABELS, -1)


def numbers(images):
    """Which of IMAGES these are."""
    return to_uint8(images)[:, 0, 0, 0] // 6


def epoch(dataset):
    return [(numbers(images), labels) for images, labels in dataset.as_numpy_iterator()]


def joined(batches):
    return tuple(np.concatenate(parts) for parts in zip(*batches, strict=True))


SOURCES = pytest.mark.parametrize(
    ("source", "options"), [((IMAGES, LABELS), {"labelled": 8}), ((IMAGES, SOME), {})], ids=["by lot", "given"]
)


@SOURCES
def test_every_batch_holds_both_sorts_and_an_epoch_shows_all_images(source, options):
    dataset = data.load(source, labels=True, batch_size=10, **options)
    assert len(dataset) == 4
    assert not dataset.options().autotune.enabled, "an iterator that is thrown away is waited for"
    assert dataset.element_spec == (tf.TensorSpec((20, 4, 4, 1), tf.float32), tf.TensorSpec((20,), tf.int32))
    batches = epoch(dataset)
    for _, labels in batches:
        assert np.sum(labels == -1) == 10
        assert (labels[::2] == -1).all(), "the sorts do not take turns"
    shown, labels = joined(batches)
    np.testing.assert_array_equal(np.sort(shown[labels == -1]), np.arange(COUNT))
    known, classes = shown[labels >= 0], labels[labels >= 0]
    np.testing.assert_array_equal(classes, LABELS[known])
    # Forty places for eight labelled images: each comes five times.
    assert sorted(np.unique(known, return_counts=True)[1]) == [5] * 8
    assert np.bincount(classes).tolist() == [10] * CLASSES
    assert known[:8].tolist() != known[8:16].tolist()


def test_fewer_labelled_images_in_a_batch_are_spread_evenly():
    dataset = data.load((IMAGES, SOME), labels=True, batch_size=9, labelled_batch=3, drop_remainder=False)
    batches = epoch(dataset)
    assert [len(labels) for _, labels in batches] == [12, 12, 12, 12, 7]
    for _, labels in batches[:4]:
        assert np.sum(labels.reshape(3, 4) >= 0, axis=1).tolist() == [1, 1, 1]
    shown, labels = joined(batches)
    np.testing.assert_array_equal(np.sort(shown[labels == -1]), np.arange(COUNT))


def test_which_labels_are_kept_depends_on_the_seed_only():
    def kept(**options):
        shown, labels = joined(epoch(data.load((IMAGES, LABELS), labels=True, labelled=8, batch_size=20, **options)))
        return sorted(set(shown[labels >= 0]))

    assert kept(seed=1) == kept(seed=1, first_epoch=3)
    assert kept(seed=1) != kept(seed=2)


@SOURCES
def test_it_is_resumed_exactly(source, options):
    options = {"labels": True, "batch_size": 8, "seed": 5, "flip": True} | options
    dataset = data.load(source, **options)
    epochs = [list(dataset.as_numpy_iterator()) for _ in range(3)]
    resumed = data.load(source, **options, first_epoch=2)
    for batch, again in zip(epochs[2], resumed.as_numpy_iterator(), strict=True):
        for part, same in zip(batch, again, strict=True):
            np.testing.assert_array_equal(part, same)
    assert joined(epochs[0])[1].tolist() != joined(epochs[1])[1].tolist()


def test_labels_that_are_all_known_come_as_they_are():
    images, labels = next(iter(data.load((IMAGES, LABELS), labels=True, batch_size=COUNT)))
    np.testing.assert_array_equal(labels, LABELS[numbers(images.numpy())])


def test_the_embedded_digits():
    images, labels = next(iter(data.load("mnist_mini", labels=True, labelled=20, batch_size=60)))
    assert images.shape == (120, 28, 28, 1)
    assert np.bincount(labels[labels >= 0]).tolist() == [6] * 10


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ((IMAGES, LABELS), {"labelled": 10}, "multiple of 4.*at most 40.*received 10"),
        ((IMAGES, LABELS), {"labelled": 44}, "at most 40.*received 44"),
        ((IMAGES, SOME), {"labelled": 12}, "at most 8, since a class has 2 known labels; received 12"),
        ((IMAGES, LABELS), {"labelled": 0}, "labelled must be a positive whole number"),
        ((IMAGES, LABELS), {"labelled": 8, "labelled_batch": 0}, "labelled_batch must be a positive"),
        ((IMAGES, np.where(SOME == 2, -1, SOME)), {}, r"4 classes.*no example.*\[2\].*Label at least one"),
        ((IMAGES, np.full(COUNT, -1)), {}, "-1 where some are not known"),
        ((IMAGES, LABELS - 2), {}, "non-negative integers, or -1.*-2 to 1"),
        ((IMAGES, LABELS), {"labelled": 8, "labels": False}, "give labels=True"),
        ((IMAGES, LABELS), {"labelled_batch": 8}, "labels of -1; or leave both out"),
    ],
)
def test_errors_say_what_to_change(source, options, words):
    with pytest.raises(ValueError, match=words):
        data.load(source, **{"labels": True, "batch_size": 10} | options)
