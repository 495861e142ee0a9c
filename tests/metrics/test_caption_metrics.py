"""Metrics of what draws captions: words that are read off, and captions that are found again."""

from typing import ClassVar

import numpy as np
import pytest

import kerasgan
from kerasgan import metrics
from kerasgan.data import captioned
from kerasgan.images import save_png, to_float, to_uint8
from kerasgan.kinds import Images, Tokens
from kerasgan.metrics import captions
from kerasgan.metrics.matcher import found_among, train_matcher

WORDS = ("", "<unknown>", "left", "right", "top", "bottom")
# Where the light is, by the numbers of its words.
TOLD = np.array([[4, 2], [4, 3], [5, 2], [5, 3]], "int32")
TEXTS = ("top left", "top right", "bottom left", "bottom right")


def pictures(n, seed=0):
    """Return uint8 images with a light quarter, and their captions."""
    random = np.random.default_rng(seed)
    which = np.arange(n) % 4
    images = random.integers(0, 60, (n, 16, 16, 1))
    for image, number in zip(images, which, strict=True):
        image[8 * (number // 2) :, 8 * (number % 2) :][:8, :8] += 180
    return images.astype("uint8"), TOLD[which]


@pytest.fixture(scope="module")
def matcher():
    return train_matcher(*pictures(400), len(WORDS), seed=0)


def test_a_matcher_finds_the_captions_of_other_real_images(matcher):
    assert found_among(matcher, *pictures(80, seed=1), choices=4, seed=0) > 0.95


def test_images_that_ignore_their_captions_are_found_by_chance(matcher):
    images, captions = pictures(400, seed=1)
    shuffled = np.random.default_rng(0).permutation(images)
    assert found_among(matcher, shuffled, captions, choices=4, seed=0) == pytest.approx(0.25, abs=0.1)


class Echo:
    """A model that has the right picture of every caption."""

    reads, name = "captions", "echo"
    takes: ClassVar = {"captions": Tokens(2, len(WORDS), WORDS)}
    makes = Images((16, 16, 1))
    image_shape = (16, 16, 1)

    def generate(self, n, seed=None, captions=None):
        images, _ = pictures(4, seed=2)
        which = [int(np.where((caption == TOLD).all(axis=1))[0][0]) for caption in captions]
        return to_float(images[which])


def means(batch):
    return batch.reshape(len(batch), 2, 8, 2, 8).mean(axis=(2, 4)).reshape(len(batch), -1).astype("float32")


def test_a_model_that_heeds_its_captions_is_as_good_as_real_images():
    images, _ = pictures(64)
    data = (images, [TEXTS[number % 4] for number in range(64)])
    results = {each.name: each for each in metrics.evaluate(Echo(), data, n=64, extractor=means)}
    found = results["caption_found_64"]
    assert found.value > 0.95
    assert found.floor > 0.95
    assert found.protocol["choices"] == 4
    assert found.protocol["chance"] == 0.25
    # It has one picture of each; real ones differ by their noise: a third of its range of 60.
    assert results["caption_variety_64"].value == 0.0
    assert results["caption_variety_64"].floor == pytest.approx(20 / 255, rel=0.1)
    assert results["kid_means_64"].floor is not None
    assert not [name for name in results if name.startswith("caption_class")]


def folder_of(pictures_of, tmp_path):
    """Write images with captions as a data set of a folder a split."""
    for split, (images, texts) in pictures_of.items():
        (tmp_path / split).mkdir()
        rows = [f"{number}.png\t{text}" for number, text in enumerate(texts)]
        (tmp_path / split / "captions.tsv").write_text("\n".join(rows), encoding="utf-8")
        for number, image in enumerate(images):
            save_png(tmp_path / split / f"{number}.png", image)
    return str(tmp_path)


def test_captions_that_are_new_are_shown_beside_the_nearest_training_images(tmp_path):
    images, _ = pictures(16)
    texts = [TEXTS[number % 4] for number in range(16)]
    # "top left" is trained on, all the others are new.
    source = folder_of({"train": (images[::4], texts[::4]), "test": (images, texts)}, tmp_path)
    panel = captions.unseen(Echo(), source, extractor=means)
    assert panel.description.endswith("top right; bottom left; bottom right.")
    assert "features of means" in panel.description
    assert panel.made.shape == (6, 16, 16, 1)
    assert panel.columns == 8
    quarters = means(to_uint8(panel.made)).argmax(axis=1)
    np.testing.assert_array_equal(quarters[::2], [1, 2, 3])
    np.testing.assert_array_equal(quarters[1::2], [0, 0, 0])
    nearest_of = [np.abs(panel.made[1] - to_float(each)).max() for each in images[::4]]
    assert min(nearest_of) < 1e-6, "the neighbours are training images"
    assert captions.unseen(Echo(), source, split="train", extractor=means) is None


def test_captions_without_words_are_refused():
    gan = kerasgan.TextToImageGAN((16, 16, 1), 4, 8, vocabulary=6, caption_length=2)
    with pytest.raises(ValueError, match="by their numbers only, and cannot be measured on texts"):
        metrics.evaluate(gan, pictures(4), extractor=means)


def test_the_classifier_of_the_pictures_measures_those_with_captions():
    assert metrics.suitable_extractor("captioned_fashion_mnist", (28, 28, 1)) == "fashion_mnist"


def test_sentences_name_all_classes_of_their_pictures():
    assert len(captioned.THINGS) == len(captioned.CLOTHES) == len(captioned.MEDIANS) == 10
