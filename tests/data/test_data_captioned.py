"""Captioned clothes are Fashion-MNIST's, with sentences that say what is to be seen."""

import collections

import numpy as np
import pytest

from kerasgan import data, images
from kerasgan.data import captioned


def loaded(split, **arguments):
    try:
        info = data.captions.info("captioned_fashion_mnist")
        words = info.arguments["words"]
        found = data.captions.load(
            "captioned_fashion_mnist", split=split, shuffle=False, batch_size=2000, limit=2000, words=words, **arguments
        )
        clothes = data.load("fashion_mnist", split=split, labels=True, shuffle=False, batch_size=2000, limit=2000)
    except ValueError as error:
        pytest.skip(f"Fashion-MNIST is not here: {error}")
    pictures, captions = next(iter(found.as_numpy_iterator()))
    plain, labels = next(iter(clothes.as_numpy_iterator()))
    return info, images.to_uint8(pictures), captions, images.to_uint8(plain), labels


@pytest.mark.parametrize("split", ["train", "test"])
def test_each_picture_has_the_caption_that_can_be_read_off_it(split):
    info, pictures, captions, plain, labels = loaded(split)
    np.testing.assert_array_equal(pictures, plain)
    words = info.arguments["words"]
    texts = [" ".join(words[number] for number in caption if number) for caption in captions]
    said, tones, sides = np.array([captioned.read(text) for text in texts]).T
    np.testing.assert_array_equal(said, labels)
    np.testing.assert_array_equal(tones, captioned.tones(pictures))
    np.testing.assert_array_equal(sides, captioned.sides(pictures, labels))


def test_no_word_is_rare_and_none_unknown():
    info, _, captions, _, _ = loaded("train")
    assert info.arguments["caption_length"] == 5
    assert 1 not in captions
    shares = collections.Counter(captions.ravel().tolist())
    assert min(shares[number] for number in range(2, len(info.arguments["words"]))) > 50
