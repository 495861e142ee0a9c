import dataclasses
import json

import pytest

from kerasgan import metrics
from kerasgan.metrics.result import shared_protocol, short, words
from kerasgan.publishing.remeasure import Remeasured

RESULT = metrics.Result(
    "fid_mnist_10k", 1.234, 0.05, 0.02, {"metric": "fid", "extractor": "mnist", "seed": 0}, {"model": "a"}
)


def test_one_line_says_value_spread_floor_protocol_and_provenance():
    line = str(RESULT)
    assert line == (
        "fid_mnist_10k 1.234 ± 0.02 (real against real: 0.05): metric fid, extractor mnist, seed 0; model a"
    )
    bare = str(metrics.Result("elbo", -3.0))
    assert "real against real" not in bare
    assert "±" not in bare


def test_results_of_one_protocol_are_subtracted_whatever_the_model():
    other = dataclasses.replace(RESULT, value=1.0, provenance={"model": "b"})
    assert RESULT.minus(other) == pytest.approx(0.234)
    assert RESULT.times_floor() == pytest.approx(24.68)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": "fid_mnist_5k"}, "name: 'fid_mnist_10k' against 'fid_mnist_5k'"),
        ({"protocol": {"metric": "fid", "extractor": "other", "seed": 0}}, "extractor: 'mnist' against 'other'"),
        ({"protocol": {"metric": "fid", "extractor": "mnist"}}, "seed: 0 against None"),
        ({"protocol": RESULT.protocol | {"k": 5}}, "k: None against 5"),
    ],
)
def test_results_of_another_protocol_are_refused_by_the_field(change, named):
    with pytest.raises(ValueError, match="not measured alike") as error:
        RESULT.minus(dataclasses.replace(RESULT, **change))
    assert named in str(error.value)


def test_save_and_read_give_equal_results(tmp_path):
    metrics.save(tmp_path / "results.json", [RESULT, RESULT])
    assert metrics.read(tmp_path / "results.json") == [RESULT, RESULT]


@pytest.mark.parametrize("content", ["", "{}", '{"results": [{"nonsense": 1}]}'])
def test_a_file_that_holds_no_results_is_refused(tmp_path, content):
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(ValueError, match="not a file of results"):
        metrics.read(tmp_path / "bad.json")
    with pytest.raises(ValueError, match="not a file of results"):
        metrics.read(tmp_path / "missing.json")


def test_infinite_numbers_are_kept_in_valid_json(tmp_path):
    infinite = dataclasses.replace(RESULT, value=float("inf"), floor=float("-inf"), spread=None)
    metrics.save(tmp_path / "results.json", [infinite])

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    json.loads((tmp_path / "results.json").read_text(), parse_constant=refuse)
    assert metrics.read(tmp_path / "results.json") == [infinite]


def test_shared_protocol_keeps_only_what_is_equal():
    other = dataclasses.replace(RESULT, protocol=RESULT.protocol | {"metric": "kid", "subsets": 100})
    assert shared_protocol([RESULT, other]) == {"extractor": "mnist", "seed": 0}


def test_a_long_name_is_no_hash():
    assert words({"weights": "0a" * 32, "real": "r" * 64}) == f"weights 0a0a0a0a, real {'r' * 64}"


def test_counts_in_names():
    assert [short(n) for n in (10_000, 2500, 999)] == ["10k", "2500", "999"]


@pytest.mark.parametrize(
    ("metric", "stored", "measured", "agrees"),
    [
        ("fid", 0.75, 0.76, True),
        ("fid", 0.75, 0.77, False),
        ("kid", 0.0147, 0.0151, True),
        ("kid", 0.0147, 0.0160, False),
        ("memorised", 0.0038, 0.0060, True),
        ("precision", 0.86, 0.89, False),
    ],
)
def test_a_number_measured_again_agrees_within_rounding(metric, stored, measured, agrees):
    pair = Remeasured(*(metrics.Result(metric, value, protocol={"metric": metric}) for value in (stored, measured)))
    assert pair.agrees == agrees
