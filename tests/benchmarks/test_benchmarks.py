"""The benchmarks, short: `pytest -m benchmark tests/benchmarks` on an idle machine."""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).parent

pytestmark = pytest.mark.benchmark


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(FOLDER / script), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ.copy()).stdout


def test_the_train_step_is_faster_than_the_guides():
    printed = run("train_step.py", "--rounds", "3", "--steps", "4", "--batch-sizes", "128")
    print(printed)
    ratios = {dtype: float(ratio) for dtype, ratio in re.findall(r"^(\w+): .*?ours / guide ([\d.]+)", printed, re.M)}
    assert ratios["float32"] < 1
    assert ratios["mixed_bfloat16"] < 1


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch")
@pytest.mark.parametrize("model", ["r3gan", "stylegan2", "stylegan2_64"])
def test_pytorch_is_timed_with_the_same_networks_losses_and_penalties(model, tmp_path):
    run("modern_parity.py", "write", model, str(tmp_path / "kept.npz"))
    print(run("modern_parity.py", "check", model, str(tmp_path / "kept.npz")))


@pytest.mark.parametrize("model", ["r3gan", "stylegan2"])
def test_training_on_64_pixels_stays_under_three_gigabytes(model):
    print(run("memory.py", "--model", model))


def test_training_on_60000_images_stays_under_two_gigabytes():
    print(run("memory.py", "--epochs", "2", "--steps", "20"))


def test_the_frechet_distance_and_the_neighbours_keep_their_aims():
    print(run("distances.py"))


def test_evaluating_a_preset_takes_under_two_minutes_and_two_gigabytes():
    printed = run("evaluation.py", "dcgan_mnist")
    print(printed)
    seconds, memory = re.search(r"empty cache: (\d+) s, .* peak ([\d.]+) GB", printed).groups()
    assert float(seconds) < 120
    assert float(memory) < 2
