"""Write a sampler as a TensorFlow SavedModel."""

import hashlib
import os
import pathlib

import numpy as np
import tensorflow as tf

from kerasgan.export import parity, sampler_graph
from kerasgan.export.report import Report, machine, package_versions
from kerasgan.support.files import replacing_folder
from kerasgan.support.silence import Silence

REPORT_NAME = "kerasgan_export.json"
ERROR_LIMIT = 1e-5
_CHECKED_BATCH_SIZES = (1, 4)
_SEED = 0


def saved_model(model, path: str | os.PathLike) -> Report:
    """Write the model's sampler as a SavedModel that plain TensorFlow loads.

    Its signature `serving_default` takes the inputs that the model's `takes` names, such as `latents`, float32
    (batch, latent_dim), and `labels`, int32 (batch,); it returns what its `makes` names, such as `images`, float32
    (batch, height, width, channels) in [-1, 1]. Any batch size works. The graph computes in float32, whatever the
    model's precision. The folder is written whole or not at all, with the report in it as `kerasgan_export.json`.

    Args:
        model: a kerasgan model, or one of its `directions()`.
        path: the folder. Missing parents are made; an earlier export there is replaced.

    Returns:
        The report. The output was compared with Keras for batches of 1 and 4.

    Raises:
        ValueError: the model cannot be exported, something else is at `path`, or the written
            model is more than 1e-5 from Keras.

    Example:
        kerasgan.export.saved_model(gan, "generator")
        sample = tf.saved_model.load("generator").signatures["serving_default"]
        images = sample(latents=tf.random.normal((16, 64)))["images"]
    """
    sampler_graph.check_model(model)
    path = pathlib.Path(path)
    _check_target(path)
    with replacing_folder(path) as folder:
        with Silence():
            _write(model, folder)
            report = _verify(model, folder, path)
        (folder / REPORT_NAME).write_text(report.to_json())
    return report


def _check_target(path: pathlib.Path) -> None:
    if not path.name:
        raise ValueError(f"A SavedModel needs a folder of its own; received {str(path)!r}.")
    if path.is_dir():
        if not any(path.iterdir()) or (path / REPORT_NAME).is_file():
            return
        what = f"a folder that is not an earlier export (it has no {REPORT_NAME})"
    elif path.exists() or path.is_symlink():
        what = "a file"
    else:
        return
    raise ValueError(f"{str(path)!r} is {what}; it was left alone. Choose another path, or move it away.")


def _write(model, folder: pathlib.Path) -> None:
    sampler = sampler_graph.float32_sampler(model)
    function = sampler_graph.serving_function(sampler, model, batch_size=None, freeze=False)
    module = tf.Module()
    # The function's variables must be reachable from what is saved.
    module.sampler_variables = [variable.value for variable in sampler.variables]
    tf.saved_model.save(module, str(folder), signatures={"serving_default": function})


def _verify(model, folder: pathlib.Path, path: pathlib.Path) -> Report:
    # Kept alive: a signature does not keep the variables of its model.
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures["serving_default"]
    sampler = sampler_graph.float32_sampler(model)
    total = sum(_CHECKED_BATCH_SIZES)
    inputs = sampler_graph.named_inputs(model, total, _SEED)
    expected = sampler_graph.reference_output(sampler, model, inputs)
    parts, start = [], 0
    for size in _CHECKED_BATCH_SIZES:
        batch = {name: tf.constant(array[start : start + size]) for name, array in inputs.items()}
        parts.append(signature(**batch)[model.makes.name])
        start += size
    actual = np.concatenate(parts)
    result = parity.compare(model.makes, expected, actual)
    parity.check_error(model.makes, result, ERROR_LIMIT)

    one = {name: tf.constant(array[:1]) for name, array in inputs.items()}
    latency = parity.measure(lambda: np.asarray(signature(**one)[model.makes.name]))
    specs = signature.structured_input_signature[1].values()
    sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
    return Report(
        path=str(path),
        format="saved_model",
        source=sampler_graph.describe_source(model),
        quantization="float32",
        batch_size=None,
        size_bytes=sum(sizes),
        sha256=folder_digest(folder),
        inputs=[_describe(spec.name, spec) | sampler_graph.facts(model, spec.name) for spec in specs],
        outputs=[{"name": model.makes.name, "shape": [None, *actual.shape[1:]], "dtype": actual.dtype.name}],
        ops={},
        max_abs_error=result.max_abs_error,
        psnr_db=result.psnr_db,
        samples=total,
        seed=_SEED,
        latency_ms=latency.median_ms,
        latency_runs=latency.runs,
        latency_batch_size=1,
        threads=None,
        machine=machine(),
        versions=package_versions("tensorflow", "keras", "kerasgan"),
    )


def _describe(name: str, spec: tf.TensorSpec) -> dict:
    return {"name": name, "shape": spec.shape.as_list(), "dtype": spec.dtype.name}


def folder_digest(folder: str | os.PathLike) -> str:
    """Return the sha256 of a SavedModel: of the lines `<sha256>  <relative path>`, sorted by path.

    The report is left out, since it holds the result.
    """
    folder = pathlib.Path(folder)
    files = sorted(
        (file.relative_to(folder).as_posix(), file)
        for file in folder.rglob("*")
        if file.is_file() and file.name != REPORT_NAME
    )
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {name}\n" for name, file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
