"""The README's table of losses is made from the measured runs, and the runs differ in what their rows say only."""

from pathlib import Path

import losses
import numpy as np
import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(losses.LEDGER, "path", tmp_path / "losses.json")
    return losses.LEDGER.path


def record(loss: str, seed: int, fid: float, precision: str = "float32") -> dict:
    key = {"data": "mnist", "epochs": 4, "base_filters": 16, "samples": 10_000, "loss": loss, "seed": seed}
    results = {"fid": {"value": fid}, "precision": {"value": 0.5}, "recall": {"value": 0.25}}
    hardware = {"precision": precision}
    return key | {"cpu_seconds": 90.0 if precision == "float32" else 6.0, "hardware": hardware, "results": results}


def settings(optimizer) -> dict:
    return optimizer.get_config() | {"name": None}


def test_the_readme_shows_the_measured_runs():
    if not losses.LEDGER.runs():
        pytest.skip("no run is kept yet")
    assert f"{losses.START}\n{losses.table()}\n{losses.END}" in README.read_text(encoding="utf-8"), (
        "run `python tests/benchmarks/losses.py table --readme README.md`"
    )


def test_rows_stand_in_the_order_of_publication_and_hold_the_spread(results):
    for each in (
        record("hinge_spectral", 0, 1.0),
        record("minimax", 0, 1.0),
        record("minimax", 1, 2.0, "mixed_bfloat16"),
    ):
        losses.LEDGER.keep(each)
    _, _, *rows = losses.table().splitlines()
    assert rows == [
        "| mnist, 4, 16 | minimax | 2 | 1.5 | 1.5 ± 0.71 | 0.5 ± 0 | 0.25 ± 0 |",
        "| mnist, 4, 16 | hinge, spectral norm | 1 | 1.5 | 1 | 0.5 | 0.25 |",
    ]


def test_rows_differ_in_what_they_name_only():
    models = {name: losses.build(name, base_filters=2, seed=3) for name in losses.VARIANTS}
    plain = models.pop("minimax")
    for name, other in models.items():
        for weights, others in zip(plain.generator.get_weights(), other.generator.get_weights(), strict=True):
            np.testing.assert_array_equal(weights, others)
        assert [each.shape for each in plain.discriminator.trainable_variables] == [
            each.shape for each in other.discriminator.trainable_variables
        ], name
        assert other.d_steps == 1
        assert settings(other.d_optimizer) == settings(other.g_optimizer) == settings(plain.d_optimizer)
    largest = max(np.abs(each).max() for each in models["wasserstein_clipping"].discriminator.get_weights())
    assert largest <= 0.01


def test_what_is_kept_is_not_trained_again(results, monkeypatch, capsys):
    monkeypatch.setattr(losses, "BATCH_SIZE", 500)
    command = ["run", "--losses", "minimax", "wasserstein_gp", "--data", "mnist_mini", "--epochs", "1"]
    command += ["--base-filters", "2", "--samples", "200", "--seeds"]
    losses.main([*command, "0"])
    first = results.read_bytes()
    assert [each["loss"] for each in losses.LEDGER.runs()] == ["minimax", "wasserstein_gp"]
    assert all(each["cpu_seconds"] > 0 and each["results"]["fid"]["value"] > 0 for each in losses.LEDGER.runs())
    assert len(capsys.readouterr().out.splitlines()) == 2
    monkeypatch.setattr(losses, "train", pytest.fail)
    losses.main([*command, "0"])
    assert results.read_bytes() == first
