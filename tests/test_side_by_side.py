"""The README's comparison with keras.io is made from the measured runs; neither can drift from the other."""

import importlib.util
import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("side_by_side", HERE / "benchmarks" / "side_by_side.py")
side_by_side = importlib.util.module_from_spec(spec)
spec.loader.exec_module(side_by_side)


def result(value: float, floor: float) -> dict:
    return {"value": value, "floor": floor}


def record(side: str, seed: int, fid: float) -> dict:
    results = dict.fromkeys(("precision", "recall", "coverage", "class_deviation"), result(0.5, 0.9))
    key = {"side": side, "model": "dcgan", "data": "mnist", "epochs": 2, "seed": seed}
    return key | {"cpu_seconds": 90.0, "results": results | {"fid": result(fid, 0.1)}}


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(side_by_side, "RESULTS", tmp_path / "results" / "side_by_side.json")
    return side_by_side.RESULTS


def test_the_readme_shows_the_measured_runs():
    text = (HERE.parent / "README.md").read_text(encoding="utf-8")
    assert side_by_side.readme_with_table(text) == text, (
        "run `python tests/benchmarks/side_by_side.py table --readme README.md`"
    )


def test_seeds_of_one_recipe_are_one_row(results):
    for each in (record("kerasgan", 0, 1.0), record("kerasgan", 1, 2.0), record("keras.io", 0, 9.0)):
        side_by_side._keep({key: each[key] for key in ("side", "model", "data", "epochs", "seed")}, each)
    lines = side_by_side.table().splitlines()
    assert len(lines) == 4
    assert "| mnist, 2 | keras.io GAN | 1 | 1.5 | 9 | 90 | 0.5 |" in lines[2]
    assert "| mnist, 2 | kerasgan DCGAN | 2 | 1.5 | 1.5 ± 0.71 | 15 |" in lines[3]


def test_a_run_measured_again_replaces_its_record(results):
    key = {"side": "kerasgan", "model": "dcgan", "data": "mnist", "epochs": 2, "seed": 0}
    for fid in (1.0, 3.0):
        side_by_side._keep(key, record("kerasgan", 0, fid))
    (kept,) = json.loads(results.read_text())["runs"]
    assert kept["results"]["fid"]["value"] == 3.0
