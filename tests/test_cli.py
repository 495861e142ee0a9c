import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kerasgan
from kerasgan import cli, preset_files, recipes, training

COMMAND = [sys.executable, "-m", "kerasgan.cli"]


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    gan = kerasgan.DCGAN((16, 16, 1), latent_dim=4, base_filters=4, seed=3)
    return str(kerasgan.save_preset(gan, tmp_path_factory.mktemp("presets") / "tiny"))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("command", ["demo", "train", "generate", "evaluate", "export", "zoo", "doctor"])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main([command, "--help"])
    assert command in capsys.readouterr().out


def test_generate_is_repeatable_with_a_seed(preset, capsys):
    for out, seed in (("a.png", "1"), ("b.png", "1"), ("c.png", "2")):
        assert cli.main(["generate", preset, "-n", "9", "--seed", seed, "--out", out]) == 0
    np.testing.assert_array_equal(pixels("a.png"), pixels("b.png"))
    assert (pixels("a.png") != pixels("c.png")).any()
    assert "9 images: a.png" in capsys.readouterr().out


def test_generate_separate_images_and_interpolations(preset, tmp_path):
    assert cli.main(["generate", preset, "-n", "3", "--seed", "1", "--out", "folder"]) == 0
    assert [path.name for path in sorted((tmp_path / "folder").iterdir())] == ["00000.png", "00001.png", "00002.png"]
    assert pixels("folder/00000.png").shape == (16, 16)
    assert cli.main(["generate", preset, "-n", "2", "--seed", "1", "--interpolate", "5", "--out", "morph.png"]) == 0
    height, width = pixels("morph.png").shape
    assert width / height == pytest.approx(5 / 2, rel=0.1)


def test_export(preset, capsys):
    assert cli.main(["export", preset, "--quantization", "dynamic", "--out", "g.tflite"]) == 0
    assert json.loads(Path("g.tflite.json").read_text())["quantization"] == "dynamic"
    assert cli.main(["export", preset, "--format", "saved_model"]) == 0
    assert (Path("export/tiny") / "saved_model.pb").is_file()


def test_evaluate(capsys):
    folder = str(kerasgan.save_preset(kerasgan.DCGAN(base_filters=4, latent_dim=4, seed=0), "digits"))
    assert cli.main(["evaluate", folder, "--against", "mnist_mini", "-n", "50", "--out", "results.json"]) == 0
    assert "sliced_wasserstein_50" in capsys.readouterr().out
    assert json.loads(Path("results.json").read_text())["results"][0]["protocol"]["samples"] == 50


def test_dry_run_prints_the_resolved_recipe(capsys):
    options = ["--data", "mnist_mini", "--epochs", "7", "--set", "model.base_filters=8", "--set", "compile.loss=hinge"]
    assert cli.main(["train", "dcgan", *options, "--dry-run"]) == 0
    Path("recipe.toml").write_text(capsys.readouterr().out)
    recipe = recipes.read("recipe.toml")
    assert (recipe.epochs, recipe.model["base_filters"], recipe.compile["loss"]) == (7, 8, "hinge")
    assert recipe.model["latent_dim"] == 64
    assert not Path("runs").exists()


def test_train_pack_and_use_the_preset(capsys):
    size = ["--set", "model.base_filters=4", "--set", "data.limit=64", "--batch-size", "32", "--epochs", "1"]
    assert cli.main(["train", "dcgan", "--data", "mnist_mini", "--out", "runs/tiny", *size]) == 0
    assert "kerasgan generate runs/tiny" in capsys.readouterr().out
    assert cli.main(["generate", "runs/tiny", "-n", "4"]) == 0
    assert cli.main(["zoo", "pack", "runs/tiny", "--out", "packed"]) == 0
    assert cli.main(["zoo", "verify", "packed"]) == 0
    metadata = preset_files.read_metadata("packed")
    assert metadata["training"]["epochs"] == 1
    assert metadata["results"][0]["name"] == "sliced_wasserstein_2k"
    assert cli.main(["train", "packed", "--dry-run"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "dcgan_mnits"], "Did you mean 'dcgan_mnist'"),
        (["generate", "nothing.keras"], "no file 'nothing.keras'"),
        (["train"], "Say what to train"),
        (["train", "dcgn"], "Did you mean 'dcgan'"),
        (["train", "dcgan", "--set", "model.base_filters"], "--set takes KEY=VALUE"),
        (["train", "dcgan", "--set", "model.filters=3"], "Unknown key 'filters'"),
        (["train", "none.toml"], "no recipe 'none.toml'"),
        (["train", "dcgan", "--precision", "mixed_float16", "--dry-run"], "needs a GPU"),
        (["train", "--resume", "runs/none"], "no recipe"),
        (["zoo", "show"], "needs a preset"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments, message, capsys):
    assert cli.main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("kerasgan: ")
    assert error.count("\n") == 1


def test_doctor_names_versions(capsys):
    assert cli.main(["doctor"]) == 0
    report = capsys.readouterr().out
    assert "tensorflow" in report
    assert "precision auto" in report


def test_ctrl_c_leaves_a_resumable_run_and_says_how(tmp_path):
    size = ["--set", "model.base_filters=4", "--set", "data.limit=64", "--batch-size", "32", "--epochs", "1000"]
    run = [*COMMAND, "train", "dcgan", "--data", "mnist_mini", "--out", "run", *size]
    process = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not (tmp_path / "run" / training.RUN).is_file():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Go on with: kerasgan train --resume run" in error
    assert "Traceback" not in error
    assert training.load_run(tmp_path / "run").built
