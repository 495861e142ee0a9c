"""Coloured digits are MNIST's, in ink on white paper, and can be read back."""

import numpy as np

from kerasgan import data, images
from kerasgan.data import coloured


def read(source, split="train", **arguments):
    dataset = data.load(source, split=split, labels=True, batch_size=50, limit=50, shuffle=False, **arguments)
    pictures, labels = next(iter(dataset.as_numpy_iterator()))
    return images.to_uint8(pictures), labels


def test_they_have_the_labels_and_the_shape_of_their_digits():
    info = data.info("coloured_mnist_mini")
    digits = data.info("mnist_mini")
    assert info.image_shape == (28, 28, 3)
    assert (info.num_examples, info.num_classes, info.class_names) == (
        digits.num_examples, digits.num_classes, digits.class_names,
    )  # fmt: skip
    np.testing.assert_array_equal(read("coloured_mnist_mini", "test")[1], read("mnist_mini", "test")[1])


def test_they_are_ink_on_white_paper_of_which_the_digit_can_be_read_back():
    pictures, _ = read("coloured_mnist_mini")
    digits, _ = read("mnist_mini")
    np.testing.assert_array_equal(coloured.uncolour(pictures), digits)
    assert np.all(pictures[np.broadcast_to(digits == 0, pictures.shape)] == 255)


def test_colours_differ_between_pictures_and_not_between_readings():
    pictures, _ = read("coloured_mnist_mini")
    inks = [np.round(np.average(255 - each, axis=(0, 1)), 1) for each in pictures]
    assert len({tuple(ink / ink.max()) for ink in inks}) > 30
    np.testing.assert_array_equal(pictures, read("coloured_mnist_mini")[0])


def test_they_are_resized_like_any_other():
    assert read("coloured_mnist_mini", image_size=16, channels=1)[0].shape == (50, 16, 16, 1)


def test_beside_plain_digits_they_are_two_domains():
    sides = next(iter(data.unpaired.load(["mnist_mini", "coloured_mnist_mini"], channels=3, batch_size=4)))
    assert [tuple(side.shape) for side in sides] == [(4, 28, 28, 3)] * 2
