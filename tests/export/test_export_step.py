"""A step of a model that writes, as a file: state in, state out."""

import json
import os

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from export_models import WORDS, tiny_dcgan, tiny_writer

import kerasgan
from kerasgan import cli, export
from kerasgan.export import step_writer
from kerasgan.export.tflite_writer import custom_ops


@pytest.fixture(scope="module")
def writer():
    return tiny_writer()


def along(path, tokens):
    """Return the logits of a file along a sequence, from the first token and a state of zeros on."""
    run = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    size = run.get_input_details()["state"]["shape"]
    last, state, found = 60, np.zeros(size, "float32"), []
    for token in tokens:
        made = run(tokens=np.array([last], "int32"), state=state)
        last, state = token, made["state"]
        found.append(made["logits"][0])
    return np.stack(found)


def test_a_file_of_one_step_follows_the_whole_network(writer, tmp_path):
    path = tmp_path / "step.tflite"
    report = export.tflite_step(writer, path)
    tokens = writer.generate(1, seed=5)
    expected = writer.networks["generator"](tokens)[0].numpy()
    found = along(path, tokens[0])
    assert expected.std() > 0.3, "flat logits would pass any comparison"
    others = [number for number in range(60) if number != 1]
    np.testing.assert_allclose(found[:, others], expected[:, others], atol=1e-5)
    assert (found[:, 1] < -1e8).all(), "the unknown word is never drawn"
    _, ended = along(path, [0, 0])
    assert ended[0] == 0
    assert (ended[1:] < -1e8).all(), "nothing but padding follows padding"
    assert report.max_abs_error < 1e-5
    assert report.latency_ms > 0
    assert custom_ops(path.read_bytes()) == set()
    facts = {each["name"]: each for each in json.loads((tmp_path / "step.tflite.json").read_text())["inputs"]}
    assert facts["tokens"] == {"name": "tokens", "shape": [1], "dtype": "int32", "words": list(WORDS)} | {
        "first": 60,
        "length": 6,
    }
    assert facts["state"] == {"name": "state", "shape": [1, 64], "dtype": "float32"}
    assert {each["name"]: each["shape"] for each in report.outputs} == {"logits": [1, 60], "state": [1, 64]}


@pytest.mark.parametrize(("quantization", "smaller"), [("float16", 0.75), ("dynamic", 0.6)])
def test_smaller_files_keep_what_is_likely(writer, tmp_path, quantization, smaller):
    full = export.tflite_step(writer, tmp_path / "full.tflite")
    report = export.tflite_step(writer, tmp_path / "small.tflite", quantization)
    assert report.size_bytes < smaller * full.size_bytes
    assert 0 < report.max_abs_error < step_writer.ERROR_LIMITS[quantization]


def test_a_model_in_low_precision_is_exported_in_float32(tmp_path):
    report = export.tflite_step(tiny_writer(dtype="mixed_bfloat16"), tmp_path / "step.tflite")
    assert report.max_abs_error < 1e-5


def test_what_is_no_step_is_refused(writer, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"DCGAN makes images in one go.*kerasgan.export.tflite"):
        export.tflite_step(tiny_dcgan(), tmp_path / "step.tflite")
    with pytest.raises(ValueError, match="float32, float16, dynamic; received 'int8'"):
        export.tflite_step(writer, tmp_path / "step.tflite", "int8")
    with pytest.raises(ValueError, match=r"must end in .tflite"):
        export.tflite_step(writer, tmp_path / "step")
    monkeypatch.setitem(step_writer.ERROR_LIMITS, "dynamic", 1e-9)
    with pytest.raises(ValueError, match=r"In dynamic a word's probability is off by .* float32"):
        export.tflite_step(writer, tmp_path / "step.tflite", "dynamic")
    assert os.listdir(tmp_path) == []


def test_the_command_writes_texts_whole_and_by_steps(writer, tmp_path, monkeypatch, capsys):
    kerasgan.save_preset(writer, tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", "tiny"]) == 0
    assert {path.name for path in (tmp_path / "export").glob("*.tflite")} == {"tiny.tflite", "tiny_step.tflite"}
    assert cli.main(["export", "tiny", "--quantization", "dynamic", "--out", "small.tflite"]) == 0
    assert {path.name for path in tmp_path.glob("*.tflite")} == {"small_step.tflite"}, "whole texts bear float32 only"
    capsys.readouterr()
    assert cli.main(["export", "tiny", "--quantization", "int8"]) == 1
    assert "Export it in float32" in capsys.readouterr().err
