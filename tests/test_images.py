import os

import numpy as np
import pytest
from PIL import Image

from kerasgan import images

LEVELS = np.arange(256, dtype=np.uint8)


def test_every_level_survives_the_round_trip():
    floats = images.to_float(LEVELS)
    assert floats.dtype == np.float32
    assert floats[0] == -1
    assert floats[-1] == 1
    np.testing.assert_array_equal(images.to_uint8(floats), LEVELS)
    np.testing.assert_array_equal(images.to_uint8(floats.astype(np.float64)), LEVELS)
    np.testing.assert_array_equal(images.to_uint8(floats.astype(np.float16)), LEVELS)


def test_to_uint8_rounds_and_clips_and_leaves_its_argument_alone():
    given = np.array([-1.01, 1.01, 0.0, images.to_float(LEVELS)[7] + 0.003], np.float32)
    before = given.copy()
    np.testing.assert_array_equal(images.to_uint8(given), [0, 255, 128, 7])
    np.testing.assert_array_equal(given, before)


def test_tensors_are_accepted():
    tf = pytest.importorskip("tensorflow")
    floats = tf.constant(images.to_float(LEVELS))
    np.testing.assert_array_equal(images.to_uint8(floats), LEVELS)
    assert images.to_uint8(tf.cast(floats, tf.bfloat16)).dtype == np.uint8


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (LEVELS, "dtype uint8"),
        (np.arange(4), "dtype int64"),
        (np.array([0.0, np.nan]), "1 NaN"),
        (np.array([0.0, np.inf]), "1 NaN or infinite"),
        (np.array([0.0, 255.0]), "from 0 to 255"),
        (np.array([-127.5, 0]), r"from -127.5"),
    ],
)
def test_to_uint8_refuses(given, words):
    with pytest.raises(ValueError, match=words):
        images.to_uint8(given)


def test_to_float_refuses_floats():
    with pytest.raises(ValueError, match="float32"):
        images.to_float(np.zeros(3, np.float32))


@pytest.mark.parametrize("channels", [1, 3])
def test_grid_places_images_in_rows(channels):
    batch = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, channels), np.uint8)
    canvas = images.grid(batch, columns=3, padding=2)
    assert canvas.dtype == np.uint8
    assert canvas.shape == (2 + 2 * 6, 2 + 3 * 8, channels)
    for index in range(5):
        top, left = 2 + index // 3 * 6, 2 + index % 3 * 8
        assert (canvas[top : top + 4, left : left + 6] == index).all()
    assert (canvas[:2] == 128).all()
    assert (canvas[8:12, 18:24] == 128).all()
    np.testing.assert_array_equal(images.grid(images.to_float(batch), columns=3), canvas)


def test_grid_is_square_by_default():
    batch = np.zeros((9, 4, 4, 1), np.uint8)
    assert images.grid(batch, padding=0).shape == (12, 12, 1)


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((4, 4, 1), {}, r"\(4, 4, 1\)"),
        ((0, 4, 4, 1), {}, r"\(0, 4, 4, 1\)"),
        ((2, 4, 4, 2), {}, "1 or 3"),
        ((2, 4, 4, 1), {"columns": 0}, "columns=0"),
        ((2, 4, 4, 1), {"padding": -1}, "padding=-1"),
    ],
)
def test_grid_refuses(shape, options, words):
    with pytest.raises(ValueError, match=words):
        images.grid(np.zeros(shape, np.uint8), **options)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3)])
def test_save_png_keeps_every_pixel(tmp_path, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    path = tmp_path / "new" / "image.png"
    images.save_png(path, images.to_float(image))
    with Image.open(path) as read:
        np.testing.assert_array_equal(np.asarray(read), image.squeeze())
    assert os.listdir(path.parent) == ["image.png"]


def test_save_png_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "image.png"
    images.save_png(path, np.zeros((2, 2), np.uint8))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="NaN"):
        images.save_png(path, np.full((2, 2), np.nan, np.float32))
    with pytest.raises(ValueError, match="grid"):
        images.save_png(path, np.zeros((3, 2, 2, 1), np.uint8))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["image.png"]
