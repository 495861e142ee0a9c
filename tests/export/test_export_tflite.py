import hashlib
import json
import os
import pathlib

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from export_models import Noisy, make_gan, spread, tiny_dcgan

import kerasgan
from kerasgan import export
from kerasgan.export.sampler_graph import float32_sampler
from kerasgan.export.tflite_writer import custom_ops, op_counts, report_path


def run(path, **inputs):
    """Return the images of a file: a fresh interpreter, batch after batch."""
    interpreter = Interpreter(model_path=str(path))
    runner = interpreter.get_signature_runner("serving_default")
    size = runner.get_input_details()["latents"]["shape"][0]
    count = len(inputs["latents"])
    assert count % size == 0
    parts = [
        runner(**{name: array[start : start + size] for name, array in inputs.items()})["images"]
        for start in range(0, count, size)
    ]
    return np.concatenate(parts)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_float32_equals_keras(dcgan, tmp_path, batch_size):
    path = tmp_path / "generator.tflite"
    report = export.tflite(dcgan, path, batch_size=batch_size)
    (latents,) = dcgan.sampler_inputs(8, seed=123)
    images = run(path, latents=np.asarray(latents))
    expected = dcgan.generate(8, seed=123)
    assert expected.std() > 0.3, "flat images would pass any comparison"
    np.testing.assert_allclose(images, expected, atol=1e-4)
    assert report.max_abs_error <= 1e-4
    assert report.inputs == [{"name": "latents", "shape": [batch_size, 8], "dtype": "float32", "drawn": "normal"}]
    assert report.outputs == [{"name": "images", "shape": [batch_size, 16, 16, 1], "dtype": "float32"}]


@pytest.mark.parametrize(
    "model",
    [
        lambda: kerasgan.VanillaGAN((8, 8, 1), latent_dim=4, hidden=(16,), seed=0),
        lambda: kerasgan.VAE((16, 16, 1), latent_dim=4, base_filters=4, seed=0),
        lambda: kerasgan.DCGAN((20, 28, 3), latent_dim=4, base_filters=4, seed=0),
    ],
    ids=["vanilla_gan", "vae", "dcgan_cropped"],
)
def test_every_model(model, tmp_path):
    model = model()
    spread(model.sampler)
    path = tmp_path / "generator.tflite"
    export.tflite(model, path)
    (latents,) = model.sampler_inputs(4, seed=5)
    images = run(path, latents=np.asarray(latents))
    np.testing.assert_allclose(images, model.generate(4, seed=5), atol=1e-4)


@pytest.mark.parametrize(("quantization", "least_psnr"), [("float16", 50), ("dynamic", 30), ("int8", 25)])
def test_quantizations(dcgan, tmp_path, quantization, least_psnr):
    path = tmp_path / "generator.tflite"
    report = export.tflite(dcgan, path, quantization, calibration_samples=64)
    (latents,) = dcgan.sampler_inputs(16, seed=123)
    images = run(path, latents=np.asarray(latents))
    assert images.dtype == np.float32
    psnr = 10 * np.log10(4.0 / np.mean((images - dcgan.generate(16, seed=123)) ** 2))
    assert psnr > least_psnr
    assert report.psnr_db == pytest.approx(psnr, abs=5)
    assert report.quantization == quantization


def test_int8_is_integer_throughout(dcgan, tmp_path):
    path = tmp_path / "generator.tflite"
    report = export.tflite(dcgan, path, "int8", calibration_samples=16, batch_size=4)
    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    floats = [t for t in interpreter.get_tensor_details() if t["dtype"] == np.float32]
    # Only the latents and the images themselves: everything between QUANTIZE and DEQUANTIZE is integer.
    assert len(floats) == 2
    assert report.ops["QUANTIZE"] == report.ops["DEQUANTIZE"] == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: kerasgan.Pix2Pix((32, 32, 3), (32, 32, 1), base_filters=4, d_halvings=1, seed=0),
        lambda: kerasgan.CycleGAN((16, 16, 3), base_filters=4, blocks=2, d_halvings=1, affine=True, seed=0),
    ],
    ids=["pix2pix", "cyclegan"],
)
def test_int8_of_instance_norm_keeps_it_in_float_and_says_so(make, tmp_path):
    gan = make()
    kind = gan.takes[gan.source]
    # Flat patches with an edge: channels whose variances are far apart.
    images = np.random.default_rng(0).choice([-1.0, -0.9, 1.0], (16, *kind.shape)).astype("float32")
    images[:, : kind.shape[0] // 2] = -1.0
    gan.examples = {gan.source: images}
    spread(gan.sampler)
    report = export.tflite(gan, tmp_path / "g.tflite", "int8", calibration_samples=16)
    assert report.psnr_db > 30
    assert "SQUARED_DIFFERENCE" in report.kept_in_float
    assert "SQUARED_DIFFERENCE" in str(report)
    assert export.Report.from_json(report.to_json()).kept_in_float == report.kept_in_float
    # Convolutions stay integers: the file is that small.
    assert report.size_bytes < 0.6 * export.tflite(gan, tmp_path / "f.tflite", "float32").size_bytes


def test_int8_keeps_contrast_over_a_saturated_background(tmp_path):
    """Trained generators drive the background far below what tanh tells apart; 8 bits must not be spent on that."""
    gan = make_gan([keras.layers.Dense(16), keras.layers.Activation("tanh")])
    spread(gan.sampler)
    kernel, bias = gan.sampler.layers[2].get_weights()
    bias[:8] = -400.0
    gan.sampler.layers[2].set_weights([kernel, bias])
    assert export.tflite(gan, tmp_path / "g.tflite", "int8").psnr_db > 30


def test_quantized_files_are_smaller(tmp_path):
    gan = kerasgan.VanillaGAN((8, 8, 1), latent_dim=64, hidden=(256, 256), seed=0)
    sizes = {
        quantization: export.tflite(gan, tmp_path / "g.tflite", quantization).size_bytes
        for quantization in export.QUANTIZATIONS
    }
    assert sizes["float16"] < 0.6 * sizes["float32"]
    assert sizes["dynamic"] < 0.35 * sizes["float32"]
    assert sizes["int8"] < 0.35 * sizes["float32"]


@pytest.mark.parametrize("quantization", ["float32", "int8"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_conditional(conditional, tmp_path, quantization, batch_size):
    path = tmp_path / "generator.tflite"
    report = export.tflite(conditional, path, quantization, batch_size, calibration_samples=48)
    described = {tensor["name"]: (tensor["shape"], tensor["dtype"]) for tensor in report.inputs}
    assert described == {"latents": ([batch_size, 8], "float32"), "labels": ([batch_size], "int32")}
    latents, labels = conditional.sampler_inputs(6, seed=3, labels=[2, 0, 1, 1, 2, 0])
    images = run(path, latents=np.asarray(latents), labels=labels)
    expected = conditional.generate(6, seed=3, labels=labels)
    error = np.abs(images - expected)
    assert error.max() <= 1e-4 if quantization == "float32" else error.mean() < 0.05
    other = run(path, latents=np.asarray(latents), labels=np.zeros(6, "int32"))
    assert np.abs(images - other).max() > 0.1, "the labels must matter"


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16", "bfloat16"])
def test_low_precision_models_export_in_float32(dcgan, tmp_path, dtype):
    gan = tiny_dcgan(dtype=dtype)
    sampler = float32_sampler(gan)
    assert {layer.dtype_policy.name for layer in sampler._flatten_layers()} == {"float32"}
    assert gan.sampler.layers[1].dtype_policy.name == dtype, "the model itself must stay as it was"
    path = tmp_path / "generator.tflite"
    report = export.tflite(gan, path)
    assert report.max_abs_error <= 1e-4
    assert dtype in report.source["dtype_policies"]
    (latents,) = gan.sampler_inputs(4, seed=1)
    images = run(path, latents=np.asarray(latents))
    # The same images as the model makes, to the rounding of 8 bits of mantissa.
    np.testing.assert_allclose(images, gan.generate(4, seed=1), atol=0.25)
    if dtype == "mixed_bfloat16":
        np.testing.assert_allclose(images, dcgan.generate(4, seed=1), atol=1e-4)


def test_float32_sampler_is_not_copied(dcgan):
    assert float32_sampler(dcgan) is dcgan.sampler


def test_report_beside_the_file(dcgan, tmp_path):
    path = tmp_path / "new" / "generator.tflite"
    report = export.tflite(dcgan, path, batch_size=2)
    assert sorted(os.listdir(path.parent)) == ["generator.tflite", "generator.tflite.json"]
    text = report_path(path).read_text()
    facts = json.loads(text)
    content = path.read_bytes()
    assert facts["path"] == "generator.tflite"
    assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert facts["size_bytes"] == len(content)
    assert facts["source"]["class"] == "DCGAN"
    assert facts["source"]["makes"] == "16x16x1"
    assert facts["ops"] == op_counts(content)
    assert facts["ops"]["TRANSPOSE_CONV"] == 2
    assert facts["ops"]["FULLY_CONNECTED"] == 1
    assert custom_ops(content) == set()
    assert facts["samples"] == 32
    assert facts["latency_ms"] > 0
    assert facts["latency_runs"] >= 5
    assert set(facts["versions"]) == {"tensorflow", "keras", "ai-edge-litert", "kerasgan"}
    assert export.Report.from_json(text).to_json() == text == report.to_json()
    assert report.path == str(path)
    lines = str(report).splitlines()
    assert len(lines) == 2
    assert "float32" in lines[0]
    assert "PSNR" in lines[1]
    with pytest.raises(AttributeError):
        report.sha256 = "other"


def test_the_same_model_gives_the_same_file(dcgan, tmp_path):
    first = export.tflite(dcgan, tmp_path / "a.tflite", "int8", calibration_samples=8)
    second = export.tflite(dcgan, tmp_path / "b.tflite", "int8", calibration_samples=8)
    assert first.sha256 == second.sha256


def test_exporting_leaves_training_untouched(tmp_path):
    gan = tiny_dcgan()
    state = gan.seed_generator.state.numpy().copy()
    weights = [np.array(weight) for weight in gan.sampler.get_weights()]
    export.tflite(gan, tmp_path / "g.tflite", "int8", calibration_samples=4)
    np.testing.assert_array_equal(gan.seed_generator.state.numpy(), state)
    for before, after in zip(weights, gan.sampler.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_flex_operators_are_refused(needs_flex, tmp_path):
    with pytest.raises(ValueError, match=r"StatelessRandomNormalV2.*Flex") as caught:
        export.tflite(needs_flex, tmp_path / "generator.tflite")
    assert "StatelessRandomGetKeyCounter" in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_failed_export_keeps_the_previous_file(dcgan, needs_flex, tmp_path):
    path = tmp_path / "generator.tflite"
    export.tflite(dcgan, path)
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    with pytest.raises(ValueError, match="Flex"):
        export.tflite(needs_flex, path)
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before


@keras.saving.register_keras_serializable("kerasgan_tests")
class Broken(keras.layers.Layer):
    """Traces in Keras and fails in the export."""

    def call(self, inputs):
        if self.broken:
            raise RuntimeError("a layer that cannot be traced")
        return inputs

    broken = False


def test_converter_failure_is_reported_and_leaves_nothing(tmp_path, monkeypatch, capfd):
    gan = make_gan([Broken()])
    monkeypatch.setattr(Broken, "broken", True)
    with pytest.raises(ValueError, match="a layer that cannot be traced"):
        export.tflite(gan, tmp_path / "generator.tflite")
    assert os.listdir(tmp_path) == []
    print("the terminal is back")
    assert capfd.readouterr().out == "the terminal is back\n"


def test_random_generators_are_refused(tmp_path):
    # Keras draws noise that TFLite has an operator for, but not the same numbers.
    gan = make_gan([Noisy()])
    with pytest.raises(ValueError, match=r"random numbers"):
        export.tflite(gan, tmp_path / "generator.tflite")
    assert os.listdir(tmp_path) == []


def test_diverged_model_is_refused(tmp_path):
    gan = tiny_dcgan()
    gan.sampler.variables[0].assign(gan.sampler.variables[0] * np.nan)
    with pytest.raises(ValueError, match="not finite"):
        export.tflite(gan, tmp_path / "generator.tflite")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("quantization", ["float32", "int8"])
def test_nothing_is_printed(dcgan, tmp_path, capfd, quantization):
    export.tflite(dcgan, tmp_path / "g.tflite", quantization, calibration_samples=4)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_int8_of_an_untrained_model_whose_biases_are_all_equal(tmp_path):
    gan = kerasgan.DCGAN((16, 16, 3), latent_dim=8, base_filters=4, seed=0)
    assert export.tflite(gan, tmp_path / "g.tflite", "int8", calibration_samples=16).psnr_db > 25


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quantization": "int4"}, "Did you mean 'int8'.*dynamic, float16, float32, int8"),
        ({"batch_size": 0}, "batch_size must be a positive integer; received 0"),
        ({"batch_size": 1.5}, "batch_size must be a positive integer"),
        ({"batch_size": True}, "batch_size must be a positive integer"),
        ({"calibration_samples": -1}, "calibration_samples must be a positive integer"),
        ({"path": "generator"}, r"must end in .tflite.*generator\.tflite"),
        ({"path": "generator.pb"}, r"must end in .tflite.*generator\.tflite"),
    ],
)
def test_wrong_arguments(dcgan, tmp_path, arguments, message):
    arguments = {"path": "generator.tflite"} | arguments
    arguments["path"] = tmp_path / arguments["path"]
    with pytest.raises(ValueError, match=message):
        export.tflite(dcgan, **arguments)
    assert os.listdir(tmp_path) == []


def test_path_is_a_folder(dcgan, tmp_path):
    folder = tmp_path / "folder.tflite"
    folder.mkdir()
    with pytest.raises(ValueError, match="is a folder"):
        export.tflite(dcgan, folder)


@pytest.mark.parametrize("wrong", ["dcgan_mnist", None, kerasgan.DCGAN, pathlib.Path("x")])
@pytest.mark.parametrize("function", [export.tflite, export.saved_model])
def test_not_a_model(function, wrong, tmp_path):
    with pytest.raises(ValueError, match="Export takes a kerasgan model"):
        function(wrong, tmp_path / "generator.tflite")
