"""The README's table of the oracle experiment is made from the measured runs."""

from pathlib import Path

import numpy as np
import oracle
import pytest
from PIL import Image

README = Path(__file__).parents[1] / "README.md"


def record(way: str, seed: int, nll: float) -> dict:
    key = {"sequences": 100, "epochs": 2, "game": 1, "rollouts": 4, "way": way, "seed": seed}
    return key | {"cpu_seconds": 90.0, "nll_oracle": nll, "nll_test": 2 * nll}


def test_the_readme_shows_the_measured_runs():
    assert f"{oracle.START}\n{oracle.table()}\n{oracle.END}" in README.read_text(encoding="utf-8"), (
        "run `python tests/benchmarks/oracle.py table --readme README.md`"
    )


def test_rows_are_the_ways_in_their_order_with_the_spread(tmp_path, monkeypatch):
    monkeypatch.setattr(oracle.LEDGER, "path", tmp_path / "oracle.json")
    for each in (record("game", 0, 8.0), record("random", 0, 11.0), record("random", 1, 12.0)):
        oracle.LEDGER.keep(each)
    _, _, *rows = oracle.table().splitlines()
    assert rows == [
        "| 100, 2 and 1, 4 | untrained | 2 | 1.5 | 11.5 ± 0.707 | 23 ± 1.41 |",
        "| 100, 2 and 1, 4 | likelihood, then SeqGAN | 1 | 1.5 | 8 | 16 |",
    ]


def test_the_figure_has_a_dot_for_every_run(tmp_path, monkeypatch):
    monkeypatch.setattr(oracle.LEDGER, "path", tmp_path / "oracle.json")
    with pytest.raises(ValueError, match="No run is kept"):
        oracle.figure()
    runs = [record("game", 0, 8.0), record("random", 0, 11.0), record("random", 1, 12.0)]
    oracle.LEDGER.keep(*runs, record("game", 1, 7.0) | {"rollouts": 16})
    first, second = np.reshape(oracle.figure().axes, (2, 2))
    dots = [np.concatenate([each.get_offsets() for each in panel.collections]).tolist() for panel in first]
    assert dots == [[[11.0, 0], [12.0, 0], [8.0, 1]], [[22.0, 0], [24.0, 0], [16.0, 1]]]
    assert [label.get_text() for label in first[0].get_yticklabels()] == [
        "untrained\n1.5 processor min",
        "likelihood, then SeqGAN\n1.5 processor min",
    ]
    assert [line.get_xdata()[0] for line in first[0].get_lines()] == [oracle.PAPER["random"], oracle.PAPER["game"]]
    assert second[1].collections[0].get_offsets().tolist() == [[14.0, 0]]
    oracle.main(["figure", "--out", str(tmp_path / "oracle.png")])
    with Image.open(tmp_path / "oracle.png") as picture:
        assert picture.width > 800


def test_the_oracles_gates_are_put_in_kerass_order(tmp_path):
    numbers = np.random.default_rng(0)
    size, units, tokens = 3, 4, 6
    shapes = {"W": (size, units), "U": (units, units), "b": (units,)}
    gates = ("i", "f", "c", "o_gate")
    weights = {f"{part}_{gate}": numbers.normal(size=shape) for part, shape in shapes.items() for gate in gates}
    weights |= {"embedding": numbers.normal(size=(tokens, size)), "W_out": numbers.normal(size=(units, tokens))}
    weights["b_out"] = numbers.normal(size=(tokens,))
    np.savez(tmp_path / "oracle.npz", **weights)

    state = memory = np.zeros(units)
    expected, last = [], 0
    for token in (2, 5, 1):
        x = weights["embedding"][last]
        i, f, c, o = (x @ weights[f"W_{g}"] + state @ weights[f"U_{g}"] + weights[f"b_{g}"] for g in gates)
        memory = _sigmoid(f) * memory + _sigmoid(i) * np.tanh(c)
        state = _sigmoid(o) * np.tanh(memory)
        expected.append(state @ weights["W_out"] + weights["b_out"])
        last = token
    sequence = np.array([[2, 5, 1] + [0] * (oracle.LENGTH - 3)], "int32")
    found = oracle.oracle(tmp_path / "oracle.npz")(sequence)
    np.testing.assert_allclose(found[0, :3], expected, atol=1e-5)


def _sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))
