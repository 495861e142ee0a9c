import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from export_models import Noisy, make_gan, tiny_dcgan

from kerasgan import export
from kerasgan.export.saved_model_writer import REPORT_NAME, folder_digest


@pytest.mark.parametrize("count", [1, 4, 7])
def test_equals_keras(dcgan, tmp_path, count):
    export.saved_model(dcgan, tmp_path / "generator")
    loaded = tf.saved_model.load(str(tmp_path / "generator"))
    (latents,) = dcgan.sampler_inputs(count, seed=9)
    images = loaded.signatures["serving_default"](latents=latents)["images"]
    assert images.shape == (count, 16, 16, 1)
    np.testing.assert_allclose(images, dcgan.generate(count, seed=9), atol=1e-5)


def test_signature_has_a_static_image_shape(dcgan, tmp_path):
    export.saved_model(dcgan, tmp_path / "generator")
    signature = tf.saved_model.load(str(tmp_path / "generator")).signatures["serving_default"]
    assert signature.structured_outputs["images"].shape.as_list() == [None, 16, 16, 1]


def test_conditional(conditional, tmp_path):
    report = export.saved_model(conditional, tmp_path / "generator")
    loaded = tf.saved_model.load(str(tmp_path / "generator"))
    latents, labels = conditional.sampler_inputs(4, seed=2, labels=1)
    images = loaded.signatures["serving_default"](latents=latents, labels=tf.constant(labels))
    np.testing.assert_allclose(images["images"], conditional.generate(4, seed=2, labels=1), atol=1e-5)
    described = {tensor["name"]: (tensor["shape"], tensor["dtype"]) for tensor in report.inputs}
    assert described == {"latents": ([None, 8], "float32"), "labels": ([None], "int32")}


def test_loads_without_kerasgan_and_keras(dcgan, tmp_path):
    export.saved_model(dcgan, tmp_path / "generator")
    (latents,) = dcgan.sampler_inputs(2, seed=4)
    np.savez(tmp_path / "case.npz", latents=latents, images=dcgan.generate(2, seed=4))
    script = (
        "import sys, numpy as np, tensorflow as tf\n"
        "case = np.load('case.npz')\n"
        "sample = tf.saved_model.load('generator')\n"
        "images = sample.signatures['serving_default'](latents=tf.constant(case['latents']))\n"
        "assert abs(images['images'] - case['images']).numpy().max() < 1e-5\n"
        "assert 'kerasgan' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True)


def test_mixed_precision_exports_float32(tmp_path):
    report = export.saved_model(tiny_dcgan(dtype="mixed_bfloat16"), tmp_path / "generator")
    assert report.max_abs_error <= 1e-5
    assert "mixed_bfloat16" in report.source["dtype_policies"]


def test_model_built_under_a_strategy(tmp_path, dcgan):
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        gan = tiny_dcgan()
    export.saved_model(gan, tmp_path / "generator")
    loaded = tf.saved_model.load(str(tmp_path / "generator"))
    (latents,) = gan.sampler_inputs(2, seed=9)
    images = loaded.signatures["serving_default"](latents=latents)["images"]
    np.testing.assert_allclose(images, dcgan.generate(2, seed=9), atol=1e-5)


def test_report_is_in_the_folder(dcgan, tmp_path):
    folder = tmp_path / "new" / "generator"
    report = export.saved_model(dcgan, folder)
    facts = json.loads((folder / REPORT_NAME).read_text())
    assert facts["format"] == "saved_model"
    assert facts["path"] == "generator"
    assert facts["batch_size"] is None
    assert facts["sha256"] == folder_digest(folder)
    assert facts["outputs"] == [{"name": "images", "shape": [None, 16, 16, 1], "dtype": "float32"}]
    assert os.listdir(folder.parent) == ["generator"]
    assert len(str(report).splitlines()) == 2


def test_replaces_an_earlier_export(dcgan, tmp_path):
    folder = tmp_path / "generator"
    export.saved_model(dcgan, folder)
    (folder / "stale").write_text("left from before")
    export.saved_model(dcgan, folder)
    assert not (folder / "stale").exists()
    assert os.listdir(tmp_path) == ["generator"]


def test_fills_an_empty_folder(dcgan, tmp_path):
    (tmp_path / "generator").mkdir()
    export.saved_model(dcgan, tmp_path / "generator")
    assert (tmp_path / "generator" / "saved_model.pb").exists()


def test_leaves_other_folders_and_files_alone(dcgan, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "cat.png").write_text("precious")
    with pytest.raises(ValueError, match="not an earlier export"):
        export.saved_model(dcgan, folder)
    with pytest.raises(ValueError, match="is a file"):
        export.saved_model(dcgan, folder / "cat.png")
    assert os.listdir(tmp_path) == ["photos"]
    assert (folder / "cat.png").read_text() == "precious"


def test_failed_export_keeps_the_earlier_one(dcgan, tmp_path):
    folder = tmp_path / "generator"
    report = export.saved_model(dcgan, folder)
    diverged = tiny_dcgan()
    diverged.sampler.variables[0].assign(diverged.sampler.variables[0] * np.inf)
    with pytest.raises(ValueError, match="not finite"):
        export.saved_model(diverged, folder)
    assert folder_digest(folder) == report.sha256
    assert os.listdir(tmp_path) == ["generator"]


def test_random_generators_are_refused(tmp_path):
    with pytest.raises(ValueError, match="random numbers"):
        export.saved_model(make_gan([Noisy()]), tmp_path / "generator")
    assert os.listdir(tmp_path) == []


def test_nothing_is_printed(dcgan, tmp_path, capfd):
    export.saved_model(dcgan, tmp_path / "generator")
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""
