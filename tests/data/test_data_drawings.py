"""Line drawings of photographs, and windows that move over images: alike for both of a pair."""

import sys

import numpy as np
import pytest
from PIL import Image

from kerasgan import data

RANDOM = np.random.default_rng(0)


def photographs(n=3, size=24):
    """Dark squares on light ground, of three colours."""
    images = np.full((n, size, size, 3), 220, np.uint8)
    images[:, 6:18, 6:18] = (30, 60, 20)
    return images


def test_lines_are_where_the_brightness_changes():
    lines = data.edges(photographs())
    assert lines.shape == (3, 24, 24, 1)
    assert lines.dtype == np.uint8
    assert set(np.unique(lines)) == {0, 255}
    drawn = np.argwhere(lines[0, :, :, 0] == 0)
    assert len(drawn) > 30
    for row, column in drawn:
        at_a_side = any(abs(place - side) <= 1 for place in (row, column) for side in (6, 17))
        assert at_a_side, (row, column)
    floats = data.edges(photographs().astype("float32") / 127.5 - 1)
    np.testing.assert_array_equal(floats, lines.astype("float32") / 127.5 - 1)


def test_more_smoothing_draws_fewer_lines():
    noisy = RANDOM.integers(0, 255, size=(1, 32, 32, 1)).astype("uint8")
    assert (data.edges(noisy, sigma=3.0) == 0).sum() < (data.edges(noisy, sigma=1.0) == 0).sum()


@pytest.mark.parametrize(
    ("shape", "sigma"), [((8, 8, 3), 1.0), ((1, 8, 8, 2), 1.0), ((1, 8, 8, 1), -1.0), ((1, 8, 8, 1), float("nan"))]
)
def test_images_that_cannot_be_drawn(shape, sigma):
    with pytest.raises(ValueError, match="received shape"):
        data.edges(np.zeros(shape, np.uint8), sigma)


def test_without_scikit_image_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.feature", None)
    with pytest.raises(ValueError, match=r"kerasgan\[edges\]"):
        data.edges(photographs())


@pytest.mark.parametrize("cache", [True, False])
def test_any_folder_is_a_set_of_pairs(tmp_path, cache):
    for number, image in enumerate(photographs()):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    settings = {"image_size": 16, "edges": True}
    loaded = data.pairs.load(tmp_path, **settings, batch_size=3, shuffle=False, cache=cache)
    source, target = next(loaded.as_numpy_iterator())
    assert source.shape == (3, 16, 16, 1)
    assert target.shape == (3, 16, 16, 3)
    np.testing.assert_array_equal(source, data.edges(target))
    assert data.pairs.info(tmp_path, **settings).arguments == {"image_shape": (16, 16, 3), "source_shape": (16, 16, 1)}
    swapped, _ = next(data.pairs.load(tmp_path, **settings, swap=True, batch_size=3, shuffle=False).as_numpy_iterator())
    np.testing.assert_array_equal(swapped, target)


# Windows


def numbered(n=4, size=12):
    """Images of which every pixel is another."""
    images = np.arange(n * size * size).reshape(n, size, size, 1) % 251
    return images.astype(np.uint8)


def epoch(loaded):
    return [np.concatenate(part) for part in zip(*loaded.as_numpy_iterator(), strict=True)]


def test_both_images_of_a_pair_are_cut_alike_and_anew_in_each_epoch():
    images = numbered()
    settings = {"image_size": 9, "jitter": 3, "batch_size": 2, "shuffle": False, "seed": 1}
    loaded = data.pairs.load((images, 255 - images), **settings)
    source, target = epoch(loaded)
    assert source.shape == (4, 9, 9, 1)
    np.testing.assert_allclose(source, -target, atol=1e-6)
    again = epoch(data.pairs.load((images, 255 - images), **settings))[0]
    np.testing.assert_array_equal(source, again)
    later = [epoch(loaded)[0] for _ in range(12)]
    assert any(np.abs(source - other).max() > 0 for other in later)
    corners = {round((made[0, 0, 0, 0] + 1) * 127.5) for made in later}
    assert corners <= {int(images[0, top, left, 0]) for top in range(4) for left in range(4)}
    assert len(corners) > 4


def test_both_domains_move_apart():
    images = numbered()
    loaded = data.unpaired.load((images, images), image_size=9, jitter=3, batch_size=4, shuffle=False)
    a, b = epoch(loaded)
    assert a.shape == b.shape == (4, 9, 9, 1)
    assert np.abs(a - b).max() > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"jitter": -1, "image_size": 8}, "received -1"),
        ({"jitter": 1.5, "image_size": 8}, "received 1.5"),
        ({"jitter": 2}, "Give image_size"),
    ],
)
def test_windows_that_there_are_not(settings, message):
    with pytest.raises(ValueError, match=message):
        data.pairs.load((numbered(), numbered()), **settings)
