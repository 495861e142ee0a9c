"""Folders of images."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasgan import data
from kerasgan import images as image_module


def write(path, level, size=(8, 8), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, level if mode in ("L", "I;16") else (level,) * len(mode)).save(path, **options)


def levels(dataset):
    """The grey level of the first pixel of each image, in order."""
    pixels = [batch[:, 0, 0, 0] for batch in dataset.as_numpy_iterator()]
    return image_module.to_uint8(np.concatenate(pixels)).tolist()


@pytest.fixture
def classes(tmp_path):
    """Twelve images in three classes, in all formats, with bystanders."""
    for index in range(4):
        write(tmp_path / "bird" / f"{index}.png", 10 + index)
        write(tmp_path / "ape" / "deep" / f"{index}.bmp", index)
        write(tmp_path / "cat" / f"{index}.webp", 20 + index, lossless=True)
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    (tmp_path / "cat" / "._0.png").write_text("not an image")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def test_class_folders_become_labels(classes):
    for cache in (True, False):
        dataset = data.load(classes, labels=True, shuffle=False, cache=cache, batch_size=5)
        images, labels = zip(*dataset.as_numpy_iterator(), strict=True)
        assert len(dataset) == 3
        read = image_module.to_uint8(np.concatenate(images)[:, 0, 0, 0]).tolist()
        assert read == [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]
        assert np.concatenate(labels).tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert data.info(classes) == data.Info(str(classes), 12, (8, 8, 3), 3, ("ape", "bird", "cat"))


def test_limit_keeps_every_class(classes):
    assert levels(data.load(classes, limit=6, shuffle=False)) == [0, 2, 10, 12, 20, 22]


def test_order_does_not_depend_on_the_cache(classes):
    options = {"batch_size": 4, "seed": 5, "first_epoch": 1}
    cached, uncached = (data.load(classes, cache=cache, **options) for cache in (True, False))
    assert levels(cached) == levels(uncached)


def test_split_folders(tmp_path):
    write(tmp_path / "train" / "a.png", 1)
    write(tmp_path / "val" / "b.png", 2)
    assert levels(data.load(tmp_path, batch_size=1)) == [1]
    assert levels(data.load(tmp_path, split="validation")) == [2]
    with pytest.raises(ValueError, match=r"no split 'test'.*'train' or 'validation'"):
        data.load(tmp_path, split="test")


def test_a_flat_folder_has_only_a_training_split_and_no_labels(tmp_path):
    write(tmp_path / "a.jpg", 1)
    with pytest.raises(ValueError, match="no split 'test'"):
        data.load(tmp_path, split="test")
    with pytest.raises(ValueError, match="no labels"):
        data.load(tmp_path, labels=True, batch_size=1)


def test_grey_only_if_all_are(tmp_path):
    write(tmp_path / "a.png", 1, mode="L")
    write(tmp_path / "b.png", 513, mode="I;16")
    assert data.info(tmp_path).image_shape == (8, 8, 1)
    assert levels(data.load(tmp_path, shuffle=False)) == [1, 2]
    write(tmp_path / "c.png", 3)
    assert data.info(tmp_path).image_shape == (8, 8, 3)
    assert data.info(tmp_path, channels=1).image_shape == (8, 8, 1)
    assert levels(data.load(tmp_path, shuffle=False)) == [1, 2, 3]
    assert levels(data.load(tmp_path, shuffle=False, channels=1)) == [1, 2, 3]


def test_transparency_lies_over_white_and_orientation_is_applied(tmp_path):
    Image.new("RGBA", (8, 4), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert levels(data.load(tmp_path, batch_size=1)) == [255]
    exif = Image.Exif()
    exif[0x0112] = 6
    write(tmp_path / "b.jpg", 9, size=(4, 8), exif=exif)
    assert data.info(tmp_path).image_shape == (4, 8, 3)
    assert len(levels(data.load(tmp_path, batch_size=2))) == 2


def test_mixed_sizes(tmp_path):
    write(tmp_path / "a.png", 1)
    write(tmp_path / "b.png", 2, size=(10, 12))
    write(tmp_path / "c.png", 3)
    with pytest.raises(ValueError, match=r"a.png is 8x8 and .*b.png is 10x12.*image_size="):
        data.load(tmp_path)
    assert levels(data.load(tmp_path, image_size=8, shuffle=False)) == [1, 2, 3]
    with pytest.warns(UserWarning, match=r"Skipped 1 file of .*\n.*b.png: it is 10x12"):
        dataset = data.load(tmp_path, on_error="skip", shuffle=False)
    assert levels(dataset) == [1, 3]


@pytest.mark.parametrize("cache", [True, False])
def test_damaged_files(tmp_path, cache):
    for index in range(3):
        write(tmp_path / "x" / f"{index}.png", index)
        noise = np.random.default_rng(index).integers(0, 256, (64, 64, 3), np.uint8)
        (tmp_path / "y").mkdir(exist_ok=True)
        Image.fromarray(noise).save(tmp_path / "y" / f"{index}.jpg")
    whole = (tmp_path / "y" / "1.jpg").read_bytes()
    (tmp_path / "y" / "1.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    (tmp_path / "y" / "2.jpg").write_bytes(b"")
    options = {"image_size": 8, "labels": True, "shuffle": False, "cache": cache}
    with pytest.raises(ValueError, match=r"2\.jpg cannot be read.*on_error='skip'"):
        data.load(tmp_path, **options)
    with pytest.warns(UserWarning, match=r"Skipped 2 files") as caught:
        dataset = data.load(tmp_path, on_error="skip", **options)
    assert len(caught) == 1
    assert "1.jpg" in str(caught[0].message)
    assert "2.jpg" in str(caught[0].message)
    assert caught[0].filename == __file__
    (images, labels) = next(dataset.as_numpy_iterator())
    assert len(images) == 4
    assert labels.tolist() == [0, 0, 0, 1]
    (tmp_path / "y" / "2.jpg").unlink()
    with pytest.raises(ValueError, match=r"1\.jpg cannot be read"):
        data.load(tmp_path, **options)


def test_a_file_that_vanishes_is_named(tmp_path):
    write(tmp_path / "a.png", 1)
    dataset = data.load(tmp_path, cache=False, batch_size=1)
    (tmp_path / "a.png").unlink()
    with pytest.raises(tf.errors.OpError, match=r"a\.png cannot be read"):
        levels(dataset)


def test_empty_and_useless_folders(tmp_path):
    with pytest.raises(ValueError, match="holds no images"):
        data.load(tmp_path)
    (tmp_path / "a.png").write_bytes(b"nothing")
    with (
        pytest.warns(UserWarning, match="Skipped 1 file"),
        pytest.raises(ValueError, match="all were skipped"),
    ):
        data.load(tmp_path, on_error="skip")
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(ValueError, match=r"neither a folder of images nor"):
        data.load(tmp_path / "a.txt")
