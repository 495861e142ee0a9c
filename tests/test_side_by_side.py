"""The README's comparison with keras.io is made from the measured runs; neither can drift from the other."""

import json
from pathlib import Path

import pytest
import side_by_side

README = Path(__file__).parents[1] / "README.md"


def result(value: float, floor: float) -> dict:
    return {"value": value, "floor": floor}


def record(side: str, seed: int, fid: float) -> dict:
    results = dict.fromkeys(("precision", "recall", "coverage", "class_deviation"), result(0.5, 0.9))
    key = {"side": side, "model": "dcgan", "data": "mnist", "epochs": 2, "seed": seed}
    return key | {"cpu_seconds": 90.0, "results": results | {"fid": result(fid, 0.1)}}


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(side_by_side.LEDGER, "path", tmp_path / "results" / "side_by_side.json")
    return side_by_side.LEDGER.path


def test_the_readme_shows_the_measured_runs():
    assert f"{side_by_side.START}\n{side_by_side.table()}\n{side_by_side.END}" in README.read_text(encoding="utf-8"), (
        "run `python tests/benchmarks/side_by_side.py table --readme README.md`"
    )


def test_seeds_of_one_recipe_are_one_row(results):
    for each in (record("kerasgan", 0, 1.0), record("kerasgan", 1, 2.0), record("keras.io", 0, 9.0)):
        side_by_side.LEDGER.keep(each)
    lines = side_by_side.table().splitlines()
    assert len(lines) == 4
    assert lines[0].endswith("| coverage | class deviation |")
    assert "| mnist, 2 | keras.io GAN | 1 | 1.5 | 9 | 90 | 0.5 |" in lines[2]
    assert "| mnist, 2 | kerasgan DCGAN | 2 | 1.5 | 1.5 ± 0.71 | 15 |" in lines[3]


def test_conditional_models_show_how_many_labels_they_heed(results):
    conditional = record("kerasgan", 0, 1.0) | {"model": "conditional_gan"}
    conditional["results"] |= {"labels_heeded": {"value": 0.9625, "floor": None}}
    for each in (record("kerasgan", 0, 1.0), conditional):
        side_by_side.LEDGER.keep(each)
    header, _, with_labels, without = side_by_side.table().splitlines()
    assert header.endswith("| class deviation | labels heeded |")
    assert "| kerasgan conditional GAN |" in with_labels
    assert with_labels.endswith("| 0.5 | 0.963 |")
    assert "| kerasgan DCGAN |" in without
    assert without.endswith("| 0.5 |  |")


def test_a_run_measured_again_replaces_its_record(results):
    for fid in (1.0, 3.0):
        side_by_side.LEDGER.keep(record("kerasgan", 0, fid))
    (kept,) = json.loads(results.read_text())["runs"]
    assert kept["results"]["fid"]["value"] == 3.0


def test_the_table_is_written_between_its_marks(results, tmp_path):
    side_by_side.LEDGER.keep(record("kerasgan", 0, 1.0))
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{side_by_side.START}\nold\n{side_by_side.END}\nafter\n")
    side_by_side.show(side_by_side.table(), side_by_side.START, side_by_side.END, readme)
    assert readme.read_text().startswith(f"before\n{side_by_side.START}\n| data, epochs |")
    assert readme.read_text().endswith(f"|\n{side_by_side.END}\nafter\n")


@pytest.mark.parametrize("model", side_by_side.OPPONENTS)
def test_both_sides_have_a_recipe(model):
    """Ours is a preset's; theirs is one of keras_io.py."""
    import keras_io

    zoo = README.parent / "zoo"
    assert any((zoo / f"{model}_{source}" / "recipe.toml").is_file() for source in ("mnist", "fashion_mnist"))
    assert side_by_side.OPPONENTS[model] in keras_io.RECIPES
