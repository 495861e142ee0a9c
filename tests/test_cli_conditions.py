"""What `kerasgan generate` is told to make: labels and texts."""

import warnings

import numpy as np
import pytest
from PIL import Image

import kerasgan
from kerasgan import cli


@pytest.mark.parametrize(("given", "expected"), [("4", 4), ("4,9", [4, 9])])
def test_one_label_is_for_all_and_several_are_one_each(tmp_path, given, expected):
    picture = tmp_path / "two.png"
    command = ["generate", "conditional_gan_fashion_mnist", "-n", "2", "--seed", "1", "--labels", given]
    assert cli.main([*command, "--out", str(picture)]) == 0
    made = kerasgan.from_preset("conditional_gan_fashion_mnist").generate(2, seed=1, labels=expected)
    np.testing.assert_array_equal(np.asarray(Image.open(picture)), kerasgan.images.grid(made)[..., 0])


def test_a_label_out_of_range_is_named(tmp_path, capsys):
    command = ["generate", "conditional_gan_fashion_mnist", "--labels", "12", "--out", str(tmp_path / "x.png")]
    assert cli.main(command) == 1
    assert "0..9" in capsys.readouterr().err


def test_a_text_is_for_all_and_several_are_one_each(tmp_path):
    picture = tmp_path / "two.png"
    command = ["generate", "text_to_image_fashion", "--seed", "1", "--out", str(picture)]
    texts = ["a dark narrow dress", "a light high ankle boot"]
    assert cli.main([*command, "--text", texts[0], "--text", texts[1]]) == 0
    model = kerasgan.from_preset("text_to_image_fashion")
    made = model.generate(text=texts, seed=1)
    np.testing.assert_array_equal(np.asarray(Image.open(picture)), kerasgan.images.grid(made)[..., 0])
    assert cli.main([*command, "--text", texts[0], "-n", "3"]) == 0
    made = model.generate(3, text=texts[0], seed=1)
    np.testing.assert_array_equal(np.asarray(Image.open(picture)), kerasgan.images.grid(made)[..., 0])


@pytest.mark.parametrize(
    ("preset", "text", "message"),
    [
        ("text_to_image_fashion", "zebra", "None of the words of 'zebra'"),
        ("dcgan_mnist", "a seven", "takes no captions, but latents. Leave out --text"),
    ],
)
def test_text_that_cannot_be_drawn_is_named(tmp_path, capsys, preset, text, message):
    assert cli.main(["generate", preset, "--text", text, "--out", str(tmp_path / "x.png")]) == 1
    assert message in capsys.readouterr().err


def test_unknown_words_of_a_text_are_warned_of(tmp_path):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        command = ["generate", "text_to_image_fashion", "--text", "a purple cow"]
        assert cli.main([*command, "--out", str(tmp_path / "x.png")]) == 0
    assert any("2 words are not known and say nothing: purple, cow" in str(each.message) for each in found)
