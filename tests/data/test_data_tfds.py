"""TFDS data sets; those that are prepared in TFDS_DATA_DIR, and what happens without them."""

import os
import pathlib
import socket

import numpy as np
import pytest

from kerasgan import data
from kerasgan import images as image_module
from kerasgan.data import mnist_mini

DATA_DIR = os.environ.get("TFDS_DATA_DIR", "")


def prepared(name):
    return pytest.mark.skipif(
        not (DATA_DIR and pathlib.Path(DATA_DIR, name).is_dir()),
        reason=f"needs {name} in TFDS_DATA_DIR",
    )


@prepared("mnist")
def test_mnist_is_the_source_of_mnist_mini():
    images, labels = next(
        data.load("mnist", split="test", labels=True, batch_size=2000, limit=2500).take(1).as_numpy_iterator()
    )
    mini_images, mini_labels = mnist_mini.arrays("test")
    np.testing.assert_array_equal(image_module.to_uint8(images), mini_images)
    np.testing.assert_array_equal(labels, mini_labels)


@prepared("mnist")
def test_slices_info_and_data_dir(monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", "")
    info = data.info("mnist", split="train[:10%]", image_size=32, channels=3, data_dir=DATA_DIR)
    assert info == data.Info("mnist", 6000, (32, 32, 3), 10, tuple("0123456789"))
    dataset = data.load("mnist", split="train[:1%]", image_size=32, channels=3, data_dir=DATA_DIR)
    assert len(dataset) == 600 // 128
    assert dataset.element_spec.shape == (128, 32, 32, 3)


@prepared("mnist")
def test_streaming_shuffles_by_seed_and_epoch():
    def epoch(first_epoch, seed=1):
        dataset = data.load(
            "mnist",
            labels=True,
            cache=False,
            limit=300,
            batch_size=100,
            image_size=16,
            flip=True,
            seed=seed,
            first_epoch=first_epoch,
        )
        assert len(dataset) == 3
        return dataset

    dataset = epoch(0)
    passes = [[batch for batch in dataset.as_numpy_iterator()] for _ in range(2)]
    again = list(epoch(1).as_numpy_iterator())
    for (images, labels), (other_images, other_labels) in zip(passes[1], again, strict=True):
        np.testing.assert_array_equal(images, other_images)
        np.testing.assert_array_equal(labels, other_labels)
    assert not np.array_equal(passes[0][0][1], passes[1][0][1])
    counts = [np.bincount(np.concatenate([y for _, y in p]), minlength=10) for p in passes]
    np.testing.assert_array_equal(*counts)


@prepared("noto_emoji")
def test_a_set_without_a_builder_class():
    assert data.info("noto_emoji", split="test").num_examples == 200
    dataset = data.load("noto_emoji", split="test", batch_size=50, image_size=32)
    batch = next(dataset.as_numpy_iterator())
    assert batch.shape == (50, 32, 32, 3)
    assert batch.max() == 1
    with pytest.raises(ValueError, match="no labels"):
        data.load("noto_emoji", split="test", labels=True)
    with pytest.raises(ValueError, match=r"no split 'dev'\. Use split='test' or 'train'"):
        data.load("noto_emoji", split="dev")


@prepared("lfwcrop")
def test_one_split_only():
    dataset = data.load("lfwcrop", batch_size=16, limit=64, channels=1)
    assert dataset.element_spec.shape == (16, 64, 64, 1)
    with pytest.raises(ValueError, match=r"no split 'test'\. Use split='train'"):
        data.load("lfwcrop", split="test")


@prepared("tiny_shakespeare")
def test_a_set_of_text_is_refused():
    with pytest.raises(ValueError, match=r"holds no images; its features are \['text'\]"):
        data.load("tiny_shakespeare")


def test_unknown_name_suggests_the_nearest(tmp_path):
    with pytest.raises(ValueError, match=r"Tried: .*Did you mean .*'mnist'"):
        data.load("mnsit", data_dir=str(tmp_path))
    (tmp_path / "my_animals").mkdir()
    with pytest.raises(ValueError, match="Did you mean 'my_animals'"):
        data.load("my_animal", data_dir=str(tmp_path))


def test_without_a_network_it_fails_at_once(tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=r"'kmnist' is not in .*no network.*data_dir="):
        data.load("kmnist", data_dir=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def own_set(tmp_path):
    """A TFDS data set of two sizes of image, with a mask, written here."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    def examples():
        for index in range(6):
            height = 8 if index < 4 else 12
            image = np.full((height, 8, 3), index, np.uint8)
            yield {"mask": image[..., :1], "image": image, "kind": index % 3}

    image, mask = (tf.TensorSpec((None, None, c), tf.uint8) for c in (3, 1))
    tfds.dataset_builders.store_as_tfds_dataset(
        name="own_set",
        version="1.0.0",
        data_dir=str(tmp_path),
        features=tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(None, None, 3)),
                "mask": tfds.features.Image(shape=(None, None, 1)),
                "kind": tfds.features.ClassLabel(names=["a", "b", "c"]),
            }
        ),
        split_datasets={
            "train": tf.data.Dataset.from_generator(
                examples,
                output_signature={
                    "image": image,
                    "mask": mask,
                    "kind": tf.TensorSpec((), tf.int64),
                },
            )
        },
        disable_shuffling=True,
    )
    return str(tmp_path)


def test_a_set_of_mixed_sizes(own_set):
    with pytest.raises(ValueError, match=r"mixed sizes.*\(8, 8, 3\) and \(12, 8, 3\).*image_size"):
        data.load("own_set", data_dir=own_set)
    dataset = data.load("own_set", data_dir=own_set, image_size=8, labels=True, shuffle=False, batch_size=6)
    images, labels = next(dataset.as_numpy_iterator())
    assert image_module.to_uint8(images[:, 0, 0, 0]).tolist() == [0, 1, 2, 3, 4, 5]
    assert labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert data.info("own_set", data_dir=own_set, image_size=8) == data.Info(
        "own_set", 6, (8, 8, 3), 3, ("a", "b", "c")
    )


@prepared("facades")
def test_pairs_of_facades():
    options = {"image_size": 32, "batch_size": 4, "limit": 8}
    assert data.pairs.info("facades", split="test").arguments == dict.fromkeys(
        ("image_shape", "source_shape"), (256, 256, 3)
    )
    labels, photos = next(data.pairs.load("facades", shuffle=False, **options).as_numpy_iterator())
    again, swapped = next(data.pairs.load("facades", shuffle=False, swap=True, **options).as_numpy_iterator())
    np.testing.assert_array_equal(labels, swapped)
    np.testing.assert_array_equal(photos, again)
    # Label maps are of few, strong colours.
    assert labels.std() > photos.std()
    with pytest.raises(ValueError, match="cache=False streams single images"):
        data.pairs.load("facades", cache=False, **options)


@prepared("mnist")
def test_a_set_of_single_images_has_no_pairs():
    with pytest.raises(ValueError, match="'mnist' has no pairs of images"):
        data.pairs.info("mnist")


@prepared("cycle_gan")
def test_two_domains_of_cycle_gan():
    info = data.unpaired.info("cycle_gan/facades", split="test", image_size=32)
    assert (info.num_examples, info.arguments) == (106, {"image_shape": (32, 32, 3)})
    assert data.unpaired.info("cycle_gan/facades").image_shape == (256, 256, 3)
    dataset = data.unpaired.load("cycle_gan/facades", split="train[:4]", image_size=32, batch_size=4)
    photos, labels = next(dataset.as_numpy_iterator())
    assert photos.shape == labels.shape == (4, 32, 32, 3)
    assert labels.std() > photos.std()


@prepared("noto_emoji")
def test_captions_of_emoji():
    info = data.captions.info("noto_emoji")
    words = info.arguments["words"]
    assert {"face", "skin"} <= set(words)
    images, captions = next(data.captions.load("noto_emoji", batch_size=8).as_numpy_iterator())
    assert images.shape == (8, 64, 64, 3)
    assert captions.shape == (8, info.arguments["caption_length"])
    assert captions.max() < info.arguments["vocabulary"] == len(words)


@prepared("spoken_digit")
def test_spoken_digits():
    info = data.audio.info("spoken_digit", samples=4096)
    assert info.arguments == {"samples": 4096, "channels": 1, "rate": 8000, "num_classes": 10}
    assert info.num_examples == 2250
    sounds, labels = next(data.audio.load("spoken_digit", samples=4096, labels=True).as_numpy_iterator())
    assert sounds.shape == (64, 4096, 1)
    assert 0.05 < np.abs(sounds).max() <= 1
    assert set(labels) <= set(range(10))


@prepared("spoken_digit")
def test_spoken_digits_are_tested_on_the_first_five_recordings_of_each_speaker_and_digit():
    options = {"samples": 4096, "batch_size": 250, "shuffle": False, "drop_remainder": False}
    ((held_out, labels),) = data.audio.load("spoken_digit", split="test", labels=True, **options).as_numpy_iterator()
    assert np.bincount(labels).tolist() == [25] * 10
    train = {sound.tobytes() for batch in data.audio.load("spoken_digit", **options) for sound in batch.numpy()}
    assert not train & {sound.tobytes() for sound in held_out}
    assert data.audio.info("spoken_digit", split="test", limit=3).num_examples == 3
    with pytest.raises(ValueError, match=r"no split 'train\[:10%\]'. Use split='train' or 'test'"):
        data.audio.info("spoken_digit", split="train[:10%]")


@prepared("spoken_digit")
def test_spoken_digits_at_another_rate():
    whole, doubled = (data.audio.info("spoken_digit", limit=5, rate=rate).arguments for rate in (None, 16_000))
    assert (doubled["samples"], doubled["rate"]) == (2 * whole["samples"], 16_000)


@prepared("tiny_shakespeare")
def test_windows_of_shakespeare():
    info = data.tokens.info("tiny_shakespeare", level="characters", length=64)
    assert info.num_examples == 1_003_854 // 64
    assert info.arguments["vocabulary"] == 2 + 65
    dataset = data.tokens.load("tiny_shakespeare", length=64, level="characters", shuffle=False)
    first = next(dataset.as_numpy_iterator())[0]
    assert "".join(info.arguments["words"][token] for token in first).startswith("First Citizen:\nBefore we")
