"""The examples in the top-level folder export/, run the way a user runs them."""

import json
import os
import pathlib
import runpy
import subprocess
import sys

import numpy as np
import pytest
from export_models import tiny_conditional, tiny_dcgan
from PIL import Image

import kerasgan
from kerasgan import export

EXAMPLES = pathlib.Path(__file__).parents[2] / "export"
GENERATE = EXAMPLES / "python" / "generate.py"


def generate(*arguments):
    return subprocess.run([sys.executable, GENERATE, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    export.tflite(tiny_dcgan(), folder / "grey.tflite")
    export.tflite(tiny_conditional(), folder / "colour.tflite", batch_size=4)
    return folder


def test_generate_makes_a_repeatable_grid(folder, tmp_path):
    for name in ("first.png", "second.png"):
        result = generate(folder / "grey.tflite", "--out", tmp_path / name, "--number", 5, "--seed", 7)
        assert result.returncode == 0, result.stderr
        assert "5 images of 16x16 pixels" in result.stdout
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    image = np.asarray(Image.open(tmp_path / "first.png"))
    assert image.shape == (2 + 2 * 18, 2 + 3 * 18)
    assert image.std() > 20


def test_generate_takes_labels_and_fills_the_last_batch(folder, tmp_path):
    images = []
    for label in (0, 2):
        path = tmp_path / f"{label}.png"
        result = generate(folder / "colour.tflite", "--out", path, "--number", 6, "--label", label)
        assert result.returncode == 0, result.stderr
        images.append(np.asarray(Image.open(path)).astype(int))
    assert images[0].shape == (2 + 2 * 18, 2 + 3 * 18, 3)
    assert np.abs(images[0] - images[1]).max() > 20


def test_generate_equals_keras(folder):
    script = f"""
import runpy, sys, numpy as np
namespace = runpy.run_path({str(GENERATE)!r})
images = namespace["generate"]({str(folder / "grey.tflite")!r}, 3, seed=5)
np.save({str(folder / "images.npy")!r}, images)
assert not {{"tensorflow", "keras", "kerasgan"}} & set(sys.modules), "imported what a phone lacks"
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    latents = np.random.default_rng(5).standard_normal((3, 8), dtype=np.float32)
    expected = kerasgan.images.to_uint8(np.asarray(tiny_dcgan()(latents)))
    difference = np.load(folder / "images.npy").astype(int) - expected
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.tflite"], "there is no file missing.tflite"),
        (["grey.tflite", "--number", "0"], "--number must be at least 1"),
        (["grey.tflite", "--label", "1"], "unconditional"),
    ],
)
def test_generate_explains_errors(folder, arguments, message):
    result = subprocess.run([sys.executable, GENERATE, *arguments], capture_output=True, text=True, cwd=folder)
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_rebuild_writes_files_reports_and_index(tmp_path):
    preset = tmp_path / "presets" / "tiny"
    kerasgan.save_preset(tiny_dcgan(), preset)
    out = tmp_path / "out"
    out.mkdir()
    readme = "# Title\n<!-- table: written by rebuild.py -->\nold\n<!-- end of table -->\nafter\n"
    (out / "README.md").write_text(readme)
    command = [sys.executable, EXAMPLES / "rebuild.py", preset, "--folder", out]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert sorted(os.listdir(out)) == [
        "README.md",
        "models.json",
        "tiny.tflite",
        "tiny.tflite.json",
        "tiny_int8.tflite",
        "tiny_int8.tflite.json",
    ]
    assert json.loads((out / "models.json").read_text()) == ["tiny.tflite", "tiny_int8.tflite"]
    text = (out / "README.md").read_text()
    assert text.startswith("# Title\n")
    assert text.endswith("<!-- end of table -->\nafter\n")
    assert "[tiny_int8.tflite](tiny_int8.tflite) | 16x16x1" in text
    assert "old" not in text


def test_rebuild_explains_an_unknown_preset(tmp_path, monkeypatch):
    main = runpy.run_path(str(EXAMPLES / "rebuild.py"))["main"]
    monkeypatch.setattr(sys, "argv", ["rebuild.py", "no_such_preset", "--folder", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match=r"error: .*no_such_preset"):
        main()
