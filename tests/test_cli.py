import io
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kerasgan
from kerasgan import cli, images, metrics
from kerasgan.cli import generate
from kerasgan.presets import files as preset_files
from kerasgan.publishing import cards, packing
from kerasgan.runs import recipes, training
from kerasgan.support import cache

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


COMMANDS = "demo train generate translate project attributes evaluate export zoo toy cache doctor"


@pytest.mark.parametrize("command", COMMANDS.split())
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


def test_generate_streams_into_a_folder_what_generate_makes(preset, monkeypatch):
    monkeypatch.setattr(generate, "DRAWN_AT_ONCE", 5)
    monkeypatch.setattr(generate, "MADE_AT_ONCE", 2)
    assert cli.main(["generate", preset, "-n", "7", "--seed", "3", "--out", "folder/"]) == 0
    assert len(list(Path("folder").iterdir())) == 7
    made = images.to_uint8(kerasgan.from_preset(preset).generate(5, seed=3))
    np.testing.assert_allclose(pixels("folder/00004.png"), made[4, :, :, 0], atol=1)
    assert (pixels("folder/00005.png") != pixels("folder/00000.png")).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-n", "0"], "-n must be a positive integer; received 0"),
        (["-n", "10000000"], "holds at most 207,126 images (16x16x1); received 10,000,000. Give a folder"),
        (["-n", "1000000000000"], "Give a folder"),
        (["--interpolate", "0"], "at least 2; received 0"),
        (["--interpolate", "5", "--labels", "1"], "takes no --labels"),
        (["--interpolate", "5", "--top-k", "1"], "takes no --top-k"),
        (["--temperature", "0.5", "--top-k", "3"], "has no use for --temperature or --top-k: models that write"),
        (["--truncation", "0.7"], "has no use for --truncation"),
        (["--labels", "1"], "unconditional"),
        (["--out", "pic.jpg"], "one .png file, or into a folder; received 'pic.jpg'"),
        (["--out", ""], "--out needs the name"),
    ],
)
def test_generate_refuses_what_makes_no_sense(preset, arguments, message, capsys, tmp_path):
    assert cli.main(["generate", preset, *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_only_translators_translate(preset, capsys):
    assert cli.main(["translate", preset, "photo.png"]) == 1
    assert "makes images of latents, not of images" in capsys.readouterr().err
    assert cli.main(["translate", preset, "photo.png", "--direction", "b_to_a"]) == 1
    assert "Unknown direction 'b_to_a'" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--quantization", "int8"], ["--batch-size", "4"]])
def test_options_of_tflite_are_refused_for_a_saved_model(preset, option, capsys):
    assert cli.main(["export", preset, "--format", "saved_model", *option]) == 1
    assert f"{option[0]} is for --format tflite" in capsys.readouterr().err
    assert cli.main(["export", preset, "--batch-size", "1000000"]) == 1
    assert "One call makes at most 16,384 images" in capsys.readouterr().err


def test_export(preset, capsys):
    assert cli.main(["export", preset, "--quantization", "dynamic", "--out", "g.tflite"]) == 0
    assert json.loads(Path("g.tflite.json").read_text())["quantization"] == "dynamic"
    assert cli.main(["export", preset, "--format", "saved_model"]) == 0
    assert (Path("export/tiny") / "saved_model.pb").is_file()


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASGAN_CACHE", str(tmp_path / "cache"))


def test_evaluate(capsys, own_cache):
    folder = str(kerasgan.save_preset(kerasgan.DCGAN(base_filters=4, latent_dim=4, seed=0), "digits"))
    options = ["--against", "mnist_mini", "-n", "100", "--metrics", "fid,memorised"]
    assert cli.main(["evaluate", folder, *options, "--out", "results.json", "--neighbours", "pairs.png"]) == 0
    printed = capsys.readouterr().out
    assert "fid_mnist_100" in printed
    assert "real against real" in printed
    assert "extractor mnist" in printed
    fid, memorised = metrics.read("results.json")
    assert (fid.protocol["real images"], memorised.protocol["metric"]) == (100, "memorised")
    assert Path("pairs.png").is_file()


def test_evaluate_a_folder_of_images_is_evaluating_the_model_that_made_them(capsys, own_cache):
    digits = images.to_uint8(kerasgan.from_preset("gan_mnist").generate(120, seed=0))
    for number, digit in enumerate(digits):
        images.save_png(f"made/{number:03d}.png", digit)
    assert cli.main(["evaluate", "made", "--against", "mnist_mini", "--metrics", "fid", "--out", "folder.json"]) == 0
    (from_files,) = metrics.read("folder.json")
    (from_array,) = metrics.evaluate(metrics.dataset(digits), "mnist_mini", metrics=["fid"])
    assert from_files.value == pytest.approx(from_array.value)
    assert cli.main(["evaluate", "made"]) == 1
    assert "--against" in capsys.readouterr().err


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments, **settings):
        raise AssertionError("the network is asked")

    monkeypatch.delenv("KERASGAN_INCEPTION_WEIGHTS", raising=False)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)


def test_a_model_of_ones_own_photographs_is_measured_with_no_network(capsys, own_cache, no_network, recwarn):
    Path("photos").mkdir()
    for number, levels in enumerate(np.random.default_rng(0).integers(0, 256, (48, 3, 3, 3), dtype="uint8")):
        Image.fromarray(levels).resize((24, 20), Image.Resampling.BICUBIC).save(f"photos/{number}.jpg")
    size = ["--image-size", "16", "--set", "model.base_filters=4", "--batch-size", "16", "--epochs", "1"]
    assert cli.main(["train", "dcgan", "--data", "photos", "--out", "run", *size]) == 0
    capsys.readouterr()
    assert cli.main(["evaluate", "run", "--neighbours", "pairs.png"]) == 0
    (said,) = (str(each.message) for each in recwarn if each.category is UserWarning)
    assert said.startswith("fid is left out: 1280 feature dimensions")
    assert "generated 24, real 24" in said
    printed = capsys.readouterr().out
    for name in ("kid", "precision", "recall", "coverage", "memorised"):
        assert f"{name}_efficientnet_lite0_24" in printed
    assert "extractor efficientnet_lite0" in printed
    assert "resize bicubic (antialiased, clipped to 0..255) to 128x128" in printed
    assert "nearest training image (by features) to its right: pairs.png" in printed
    assert pixels("pairs.png").shape[-1] == 3
    assert cli.main(["evaluate", "run", "--split", "train", "--metrics", "prdc", "--neighbours", "again.png"]) == 0
    assert cli.main(["evaluate", "run", "--metrics", "fid"]) == 1
    assert "1280 feature dimensions need at least 1281 samples" in capsys.readouterr().err


def test_metrics_may_be_named_with_spaces(own_cache):
    made = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), dtype="uint8")
    np.save("made.npy", made)
    for number, image in enumerate(made[:20]):
        images.save_png(f"made/{number}.png", image)
    command = ["evaluate", "made", "--against", "made.npy", "--extractor", "mnist", "--out", "made.json"]
    assert cli.main([*command, "--metrics", "kid, prdc"]) == 0
    assert [result.protocol["metric"] for result in metrics.read("made.json")][:2] == ["kid", "precision"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_with_few_letters_is_printed_to_all_the_same(encoding, monkeypatch):
    printed = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(printed, encoding=encoding))
    assert cli.main(["zoo", "show", "dcgan_mnist"]) == 0
    sys.stdout.flush()
    sign = "+/-" if encoding == "ascii" else "±"
    assert f" {sign} " in printed.getvalue().decode(encoding)
    assert sys.stdout.errors == "strict", "it is left as it was"


def test_a_warning_is_one_line_without_source_code(own_cache, tmp_path):
    (tmp_path / "cache").write_text("")
    np.save("made.npy", np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), dtype="uint8"))
    command = ["evaluate", "gan_mnist", "--against", "made.npy", "--extractor", "mnist", "--metrics", "kid"]
    run = subprocess.run([*COMMAND, *command], capture_output=True, text=True)
    assert run.returncode == 0
    (line,) = set(run.stderr.splitlines())
    assert line.startswith("kerasgan: warning: The features of the real images are not kept")


def test_a_model_is_measured_on_images_prepared_as_in_its_training(capsys, own_cache):
    generator = np.random.default_rng(0)
    np.save("wide.npy", generator.integers(0, 256, (60, 28, 56, 1), "uint8"))
    data = {"source": "wide.npy", "image_size": 28, "crop": False, "batch_size": 30}
    recipe = {"model": {"type": "dcgan", "base_filters": 4, "latent_dim": 4}, "data": data, "epochs": 1}
    Path("recipe.toml").write_text(recipes.from_dict(recipe).to_toml())
    assert cli.main(["train", "recipe.toml", "--out", "run"]) == 0
    assert cli.main(["evaluate", "run", "--extractor", "mnist", "--metrics", "kid", "--out", "run.json"]) == 0
    (measured,) = metrics.read("run.json")
    stretched = metrics.dataset("wide.npy", "train", half=0, image_size=28, channels=1, crop=False)
    assert measured.protocol["real sha256"] == stretched.fingerprint


def test_the_cache_is_shown_and_cleared(capsys, own_cache):
    gan = kerasgan.DCGAN(base_filters=4, latent_dim=4, seed=0)
    metrics.evaluate(gan, "mnist_mini", n=100, metrics=["fid"])
    assert cli.main(["cache"]) == 0
    assert "features/mnist-" in capsys.readouterr().out
    assert cli.main(["cache", "clear"]) == 0
    assert "Freed" in capsys.readouterr().out
    assert cache.entries() == []


def test_dry_run_prints_the_resolved_recipe(capsys):
    options = ["--data", "mnist_mini", "--epochs", "7", "--set", "model.base_filters=8", "--set", "compile.loss=hinge"]
    options += ["--decay", "cosine", "--start", "dcgan_mnist"]
    assert cli.main(["train", "dcgan", *options, "--dry-run"]) == 0
    Path("recipe.toml").write_text(capsys.readouterr().out)
    recipe = recipes.read("recipe.toml")
    assert (recipe.epochs, recipe.model["base_filters"], recipe.compile["loss"]) == (7, 8, "hinge")
    assert recipe.model["latent_dim"] == 64
    assert (recipe.compile["decay"], recipe.model["start"]) == ("cosine", "dcgan_mnist")
    assert not Path("runs").exists()


def test_train_pack_and_use_the_preset(capsys, own_cache):
    size = ["--set", "model.base_filters=4", "--set", "data.limit=64", "--batch-size", "32", "--epochs", "1"]
    assert cli.main(["train", "dcgan", "--data", "mnist_mini", "--out", "runs/tiny", *size]) == 0
    assert "kerasgan generate runs/tiny" in capsys.readouterr().out
    assert cli.main(["generate", "runs/tiny", "-n", "4"]) == 0
    assert cli.main(["zoo", "pack", "runs/tiny", "--out", "packed"]) == 0
    assert cli.main(["zoo", "verify", "packed"]) == 0
    assert "agree with the card" in capsys.readouterr().out
    metadata = preset_files.read_metadata("packed")
    assert metadata["training"]["epochs"] == 1
    assert metadata["results"][0]["name"] == "fid_mnist_2k"
    assert cli.main(["train", "packed", "--dry-run"]) == 0
    # A card that says another number than is measured does not verify.
    results = [result | {"value": result["value"] * 1.1} for result in metadata["results"]]
    packing.refresh(Path("packed"), results=results)
    assert cli.main(["zoo", "verify", "packed", "--files-only"]) == 0
    assert cli.main(["zoo", "verify", "packed"]) == 1
    assert "fid_mnist_2k" in capsys.readouterr().err


def test_pack_of_an_unfinished_run_leaves_the_recipe_of_the_preset(capsys):
    for folder in ("run", "preset"):
        Path(folder).mkdir()
        Path(folder, "recipe.toml").write_text('[model]\ntype = "dcgan"\n[data]\nsource = "mnist_mini"\n')
    assert cli.main(["zoo", "pack", "run", "--out", "preset"]) == 1
    assert "before its first epoch" in capsys.readouterr().err
    assert [path.name for path in Path("preset").iterdir()] == ["recipe.toml"]


@pytest.fixture
def tiny_zoo(preset, tmp_path, monkeypatch):
    for name in ("one", "two"):
        shutil.copytree(preset, tmp_path / "zoo" / name)
    monkeypatch.setattr(preset_files, "zoo_folder", lambda: tmp_path / "zoo")


@pytest.mark.parametrize(
    ("options", "verified"), [([], ["one", "two"]), (["--all"], ["one", "two"]), (["two"], ["two"])]
)
def test_zoo_verify_is_of_every_preset_or_the_named_one(options, verified, tiny_zoo, capsys):
    assert cli.main(["zoo", "verify", *options, "--files-only"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines if "files intact" in line] == verified


def test_zoo_measure_is_of_every_preset_only_with_all(tiny_zoo, capsys):
    # The presets name no data set, so measuring stops at the first it comes to.
    for options, message in (
        (["--all"], "'one' has no recipe.toml"),
        (["two"], "'two' has no recipe.toml"),
        ([], "needs a preset or --all"),
        (["two", "--all"], "Give a name or --all, not both"),
    ):
        assert cli.main(["zoo", "measure", *options]) == 1
        assert message in capsys.readouterr().err


def test_zoo_table_prints_or_brings_a_readme_up_to_date(tiny_zoo, capsys):
    assert cli.main(["zoo", "table"]) == 0
    table = capsys.readouterr().out.strip()
    readme = Path("README.md")
    readme.write_text(f"Before\n{cards.README_START}\noutdated\n{cards.README_END}\nAfter\n")
    assert cli.main(["zoo", "table", "--out", "README.md"]) == 0
    assert table in readme.read_text()
    assert "outdated" not in readme.read_text()
    assert capsys.readouterr().out == ""


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
        (["zoo", "pack"], "needs a run"),
        (["zoo", "verify", "dcgan_mnist", "--all"], "not both"),
        (["zoo", "table", "--out", "none/README.md"], "No such file"),
        (["evaluate", "nothing", "--against", "mnist_mini"], "Unknown preset 'nothing'"),
        (["evaluate", "dcgan_mnist", "--against", "./nothing"], "no file or folder"),
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
