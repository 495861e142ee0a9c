"""The examples in the top-level folder export/, run the way a user runs them."""

import json
import os
import pathlib
import re
import runpy
import subprocess
import sys

import numpy as np
import pytest
from export_models import WORDS, tiny_conditional, tiny_dcgan, tiny_writer
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
        (["grey.tflite", "--text", "a boot"], "takes no captions: leave out --text"),
    ],
)
def test_generate_explains_errors(folder, arguments, message):
    result = subprocess.run([sys.executable, GENERATE, *arguments], capture_output=True, text=True, cwd=folder)
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_generate_draws_what_a_text_says(tmp_path):
    words = ("", "<unknown>", "left", "right")
    gan = kerasgan.TextToImageGAN((16, 16, 1), 4, 8, words, caption_length=3, sentence_dim=8, condition_dim=8, seed=0)
    gan.examples = {"captions": np.array([[2, 0, 0], [3, 2, 0]], "int32")}
    path = str(tmp_path / "painter.tflite")
    report = kerasgan.export.tflite(gan, path)
    assert {each["name"]: each.get("words") for each in report.inputs} == {"latents": None, "captions": list(words)}
    script = runpy.run_path(str(GENERATE))
    latents = np.random.default_rng(5).standard_normal((3, 4), dtype=np.float32)
    captions = np.tile(np.array([1, 2, 0], "int32"), (3, 1))
    expected = kerasgan.images.to_uint8(np.asarray(gan.sample((latents, captions))))
    difference = script["generate"](path, 3, seed=5, text="Far left").astype(int) - expected
    assert np.abs(difference).max() <= 1
    for text, message in (
        (None, "give --text"),
        ("up", "one of them of: left, right"),
        ("left " * 4, "at most 3 words"),
    ):
        with pytest.raises(SystemExit, match=message):
            script["generate"](path, 1, seed=0, text=text)


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
        "texts.json",
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


def test_numbers_come_from_the_distribution_that_the_report_names(folder, tmp_path):
    assert json.loads((folder / "grey.tflite.json").read_text())["inputs"][0]["drawn"] == "normal"
    draw = runpy.run_path(str(GENERATE))["draw"]
    random = np.random.default_rng(0)
    normal, uniform, unit = (draw(random, 500, 4, name) for name in ("normal", "uniform", "unit"))
    assert normal.std() == pytest.approx(1.0, abs=0.1)
    assert (uniform.min() < -0.9, uniform.max() > 0.9, abs(uniform).max() <= 1.0) == (True, True, True)
    assert (unit.min() >= 0.0, unit.min() < 0.1, unit.max() > 0.9) == (True, True, True)
    assert {array.dtype.name for array in (normal, uniform, unit)} == {"float32"}

    codes = kerasgan.InfoGAN((16, 16, 1), categories=3, codes=2, latent_dim=4, base_filters=4, seed=0)
    export.tflite(codes, tmp_path / "codes.tflite")
    distributions = runpy.run_path(str(GENERATE))["distributions"]
    assert distributions(str(tmp_path / "codes.tflite")) == {"latents": "uniform", "codes": "uniform"}
    result = generate(tmp_path / "codes.tflite", "--out", tmp_path / "codes.png", "--number", 3, "--label", 2)
    assert result.returncode == 0, result.stderr


def test_rebuild_writes_a_file_for_each_direction_and_lists_what_makes_samples_only(tmp_path):
    gan = kerasgan.CycleGAN((16, 16, 3), base_filters=4, blocks=0, d_halvings=1, seed=0)
    sides = np.random.default_rng(0).uniform(-1, 1, (2, 4, 16, 16, 3)).astype("float32")
    gan.examples = dict(zip("ab", sides, strict=True))
    kerasgan.save_preset(gan, tmp_path / "tiny")
    rebuild = runpy.run_path(str(EXAMPLES / "rebuild.py"))["rebuild"]
    (tmp_path / "out").mkdir()
    rebuild([str(tmp_path / "tiny")], ["float32"], tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").glob("*.tflite")} == {"tiny_a_to_b.tflite", "tiny_b_to_a.tflite"}
    assert json.loads((tmp_path / "out" / "models.json").read_text()) == []
    result = generate(tmp_path / "out" / "tiny_a_to_b.tflite")
    assert result.returncode != 0
    assert "takes a" in result.stderr


def test_rebuild_explains_an_unknown_preset(tmp_path, monkeypatch):
    main = runpy.run_path(str(EXAMPLES / "rebuild.py"))["main"]
    monkeypatch.setattr(sys, "argv", ["rebuild.py", "no_such_preset", "--folder", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match=r"error: .*no_such_preset"):
        main()


def test_the_pages_find_what_they_load():
    draw = (EXAMPLES / "web" / "draw.html").read_text()
    path = (EXAMPLES / "web" / re.search(r'MODEL = "(.+?)"', draw)[1]).resolve()
    inputs = {each["name"]: each for each in json.loads(path.with_name(f"{path.name}.json").read_text())["inputs"]}
    assert path.is_file()
    assert inputs["source"]["shape"][-1] == 1
    assert inputs["latents"]["drawn"] == "unit"
    for name in json.loads((EXAMPLES / "models.json").read_text()):
        inputs = json.loads((EXAMPLES / f"{name}.json").read_text())["inputs"]
        assert all(each["name"] == "labels" or "drawn" in each for each in inputs)
    for name in json.loads((EXAMPLES / "texts.json").read_text()):
        inputs = json.loads((EXAMPLES / f"{name}.json").read_text())["inputs"]
        (facts,) = (each for each in inputs if each["name"] == "tokens")
        assert facts["first"] == len(facts["words"])
        assert facts["length"] > 1
    for page in ("draw.html", "index.html", "write.html"):
        shared = re.search(r'import {(.+?)} from "./kerasgan.js"', (EXAMPLES / "web" / page).read_text())[1]
        exported = re.findall(r"export function (\w+)", (EXAMPLES / "web" / "kerasgan.js").read_text())
        assert {name.strip() for name in shared.split(",")} <= set(exported)


def test_write_writes_the_same_in_steps_as_in_one_go(tmp_path):
    writer = tiny_writer()
    export.tflite(writer, tmp_path / "whole.tflite")
    export.tflite_step(writer, tmp_path / "step.tflite")
    write = runpy.run_path(str(EXAMPLES / "python" / "write.py"))["write"]
    whole, steps = (write(str(tmp_path / name), list(WORDS), 20, seed=3) for name in ("whole.tflite", "step.tflite"))
    latents = np.random.default_rng(3).random((20, 6), dtype=np.float32)
    tokens = writer.generate(20, latents=latents)
    assert whole == steps == writer.makes.text(tokens)
    likeliest = write(str(tmp_path / "step.tflite"), list(WORDS), 5, seed=3, top_k=1)
    assert len(set(likeliest)) == 1
    assert write(str(tmp_path / "step.tflite"), list(WORDS), 5, seed=4, temperature=1e-3) == likeliest
    assert "<unknown>" not in " ".join(write(str(tmp_path / "step.tflite"), list(WORDS), 50, seed=1, temperature=50.0))


def test_a_word_is_drawn_as_likely_as_it_is():
    draw = runpy.run_path(str(EXAMPLES / "python" / "write.py"))["draw"]
    logits = np.log([0.1, 0.2, 0.3, 0.4]).astype("float32")
    numbers = (np.arange(1000) + 0.5) / 1000

    def shares(**settings):
        chosen = {"temperature": 1.0, "top_k": None} | settings
        return np.bincount([draw(logits, number, **chosen) for number in numbers], minlength=4) / 1000

    np.testing.assert_allclose(shares(), [0.1, 0.2, 0.3, 0.4], atol=2e-3)
    np.testing.assert_allclose(shares(top_k=2), [0, 0, 3 / 7, 4 / 7], atol=2e-3)
    np.testing.assert_allclose(shares(temperature=0.5), np.array([1, 4, 9, 16]) / 30, atol=2e-3)


ZOO_WORDS = EXAMPLES.parent / "zoo" / "seqgan_coco" / "config.json"


@pytest.mark.parametrize(
    "arguments",
    [
        ["seqgan_coco.tflite", "--words", ZOO_WORDS],
        ["seqgan_coco_step_dynamic.tflite", "--temperature", "0.8", "--top-k", "100"],
    ],
    ids=["whole", "steps"],
)
def test_write_writes_repeatable_lines_of_the_zoos_words(arguments):
    command = [sys.executable, EXAMPLES / "python" / "write.py", EXAMPLES / arguments[0], *arguments[1:], "--number", 6]
    first, again = (subprocess.run(list(map(str, command)), capture_output=True, text=True) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout == again.stdout
    known = set(json.loads(ZOO_WORDS.read_text(encoding="utf-8"))["config"]["words"]) - {"<unknown>"}
    lines = first.stdout.splitlines()
    assert len(set(lines)) == 6
    assert {word for line in lines for word in line.split()} <= known


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.tflite"], "there is no file missing.tflite"),
        (["seqgan_coco.tflite"], "has no words: give --words"),
        (["seqgan_coco.tflite", "--words", ZOO_WORDS, "--top-k", "3"], "for files of one step"),
        (["seqgan_coco_step_dynamic.tflite", "--temperature", "0"], "--temperature must be above 0"),
        (["seqgan_coco_step_dynamic.tflite", "--number", "0"], "--number must be at least 1"),
    ],
)
def test_write_explains_errors(arguments, message, monkeypatch, capsys):
    main = runpy.run_path(str(EXAMPLES / "python" / "write.py"))["main"]
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setattr(sys, "argv", ["write.py", *map(str, arguments)])
    with pytest.raises(SystemExit):
        main()
    assert message in capsys.readouterr().err
