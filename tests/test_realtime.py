"""The table of how fast sounds are made."""

import sys
from pathlib import Path

import pytest

from kerasgan import presets
from kerasgan.models import WaveGAN

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

import realtime

README = Path(__file__).parents[1] / "README.md"


def test_the_readme_shows_the_measured_files():
    table = realtime.table(realtime.LEDGER.runs())
    assert f"{realtime.START}\n{table}\n{realtime.END}" in README.read_text(encoding="utf-8"), (
        "run `python tests/benchmarks/realtime.py table --readme README.md`"
    )


def test_each_precision_is_a_row_with_its_size_and_speed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(realtime.LEDGER, "path", tmp_path / "realtime.json")
    preset = presets.save_preset(WaveGAN(256, base_filters=4, latent_dim=4, num_classes=2, seed=0), tmp_path / "tiny")
    assert realtime.main(["run", str(preset)]) == 0
    rows = realtime.LEDGER.runs()
    assert [each["precision"] for each in rows] == ["float32", "float16", "dynamic", "int8"]
    sizes = {each["precision"]: each["bytes"] for each in rows}
    assert sizes["float16"] < 0.75 * sizes["float32"]
    assert all(each["psnr_db"] > 20 for each in rows)
    first = capsys.readouterr().out.splitlines()[2]
    assert float(first.split("|")[6].replace(",", "")) == pytest.approx(32 / rows[0]["ms"]["1"], rel=0.1)
