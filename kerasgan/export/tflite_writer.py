"""Write a sampler as a LiteRT (TFLite) file."""

import collections
import contextlib
import hashlib
import math
import os
import pathlib
import re
import tempfile

import numpy as np
import tensorflow as tf

from kerasgan.export import parity, sampler_graph
from kerasgan.export.report import QUANTIZATIONS, Report, machine, package_versions
from kerasgan.support.configurable import unknown_name
from kerasgan.support.files import check_room, replacing
from kerasgan.support.silence import Silence

ERROR_LIMIT = 1e-4
LEAST_PSNR_DB = 20.0
_COMPARED_SAMPLES = 32
# Beyond some gigabytes for what lies between, the converter ends the process without a word.
MOST_NUMBERS_IN_A_CALL = 2**22
THREADS = 1
# The converter names the operators it has no kernel for in a line like this.
_FLEX_LINE = re.compile(r"(?:TF Select|Flex) ops: ([\w, ]+)")


def tflite(
    model,
    path: str | os.PathLike,
    quantization: str = "float32",
    batch_size: int = 1,
    calibration_samples: int = 256,
    seed: int = 0,
) -> Report:
    """Write the model's sampler as a .tflite file that runs without TensorFlow.

    Its signature `serving_default` takes the inputs that the model's `takes` names, such as `latents`, float32
    (batch_size, latent_dim), and `labels`, int32 (batch_size,); it returns what its `makes` names, such as `images`,
    float32 (batch_size, height, width, channels) in [-1, 1]. Inputs and outputs keep these dtypes under every
    quantization. Only built-in operators are used. The file is run with ai-edge-litert and compared with Keras before
    it is written, whole or not at all, with a report beside it as `<path>.json`.

    Args:
        model: a kerasgan model, or one of its `directions()`. Inputs that cannot be made up come from its `examples`.
        path: the file; must end in .tflite. Missing folders are made; an earlier file is replaced.
        quantization: "float32"; "float16" weights (half the size); "dynamic": int8 weights, and
            activations in float32 where no hybrid kernel exists (a quarter of the size); "int8":
            int8 weights and activations (a quarter of the size, for integer accelerators), but for the operators of
            layers that do not bear it, such as instance norms: the report names them. Tokens keep "float32".
        batch_size: fixed number of outputs of a call.
        calibration_samples: number of the model's own inputs that set the ranges of int8
            activations, rounded up to whole batches.
        seed: seed of the calibration inputs; the compared inputs have the next one.

    Returns:
        The report.

    Raises:
        ValueError: an argument is wrong, the network needs an operator that LiteRT does not have,
            the conversion fails, or the file is too far from Keras: float32 by more than 1e-4,
            the others under a PSNR of 20 dB.

    Example:
        print(kerasgan.export.tflite(gan, "generator.tflite", quantization="int8"))
    """
    sampler_graph.check_model(model)
    path = check_path(path)
    if quantization not in QUANTIZATIONS:
        raise ValueError(unknown_name("quantization", str(quantization), QUANTIZATIONS))
    # Before the converter: it may end the process over what it cannot do.
    sampler_graph.check_quantization(model, quantization)
    _check_count("batch_size", batch_size)
    most = max(1, MOST_NUMBERS_IN_A_CALL // math.prod(model.makes.shape))
    if batch_size > most:
        raise ValueError(
            f"One call makes at most {most:,} {model.makes.name} ({model.makes.describe()}); received batch_size="
            f"{batch_size:,}. Call the file again for more."
        )
    _check_count("calibration_samples", calibration_samples)
    # The converter keeps the weights there, more than once; what does not fit it leaves out without a word.
    check_room(tempfile.gettempdir(), 16 * model.sampler.count_params() + 2**22)

    content = _convert(model, quantization, batch_size, calibration_samples, seed)
    check_builtin(custom_ops(content))
    with Silence():
        report = _verify(model, content, path, quantization, batch_size, seed + 1)

    write(path, content, report)
    return report


def write(path: pathlib.Path, content: bytes, report: Report) -> None:
    """Write a file and its report, whole or not at all."""
    with replacing(report_path(path)) as report_file, replacing(path) as file:
        report_file.write_text(report.to_json())
        file.write_bytes(content)


def report_path(path: str | os.PathLike) -> pathlib.Path:
    """Return where the report of a .tflite file is: the same name with .json added."""
    path = pathlib.Path(path)
    return path.with_name(path.name + ".json")


def check_path(path) -> pathlib.Path:
    """Return the path of a .tflite file; a ValueError where it is none."""
    path = pathlib.Path(path)
    if path.suffix != ".tflite":
        raise ValueError(
            f"The path of a TFLite file must end in .tflite; received {str(path)!r}. "
            f"Use {str(path.with_suffix('.tflite')) if path.name else 'generator.tflite'!r}."
        )
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder; give the name of a file.")
    return path


def _check_count(name: str, value) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be a positive integer; received {value!r}.")


def _convert(model, quantization, batch_size, calibration_samples, seed) -> bytes:
    with converting(type(model).__name__, quantization):
        sampler = sampler_graph.float32_sampler(model)
        if quantization == "int8":
            sampler = sampler_graph.with_bounded_tanh(sampler)
        converter = converter_of(sampler_graph.serving_function(sampler, model, batch_size, freeze=True), quantization)
        if quantization != "int8":
            return converter.convert()
        batches = -(-calibration_samples // batch_size)
        inputs = sampler_graph.named_inputs(model, batches * batch_size, seed)
        converter.representative_dataset = lambda: _batches(inputs, batch_size)
        in_float = sampler_graph.float_operators(sampler)
        return _converted_but_for(in_float, converter) if in_float else converter.convert()


@contextlib.contextmanager
def converting(name: str, quantization: str):
    """Keep the converter's output from the terminal, and say in a ValueError what it could not do.

    Raises:
        ValueError: an operator does not exist in LiteRT, or the conversion fails.
    """
    silence = Silence()
    try:
        with silence:
            yield
    except Exception as error:
        output = f"{error}\n{silence.text}"
        missing = {name.strip() for line in _FLEX_LINE.findall(output) for name in line.split(",")} - {""}
        check_builtin(missing)
        raise ValueError(
            f"The TFLite converter failed on {name} ({quantization}); nothing was "
            f"written. {type(error).__name__}: {error}\nThe converter's own output:\n"
            f"{silence.text[-4000:] or '(none)'}"
        ) from error


def converter_of(function, quantization: str):
    """Return the converter of a concrete function that has its weights as constants."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
    _set_quantization(converter, quantization)
    return converter


def _converted_but_for(in_float: list[str], converter) -> bytes:
    """Convert to int8, and leave some operators in float32 between a conversion and another."""
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=in_float)
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=converter.representative_dataset, debug_options=options
    )
    return debugger.get_nondebug_quantized_model()


def _set_quantization(converter, quantization: str) -> None:
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if quantization == "float32":
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif quantization == "int8":
        # Integer kernels only: without this the converter falls back to float unasked.
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]


def check_builtin(missing) -> None:
    """Raise a ValueError that names the operators that LiteRT does not have, if there are any."""
    if missing:
        raise ValueError(
            f"The network needs operators that LiteRT does not have: {', '.join(sorted(missing))} "
            "(Flex operators). Plain mobile and web runtimes cannot run such a file, so none was "
            "written. Replace the layers that use them; make random numbers an input."
        )


def _batches(inputs: dict[str, np.ndarray], batch_size: int):
    """Yield inputs by name; the converter orders them by its own rules, so never by position."""
    for start in range(0, len(next(iter(inputs.values()))), batch_size):
        yield {name: array[start : start + batch_size] for name, array in inputs.items()}


def op_counts(content: bytes) -> dict[str, int]:
    """Return how often each operator is used in a .tflite file, most used first.

    Operators outside the built-in set have the name the file gives them.
    """
    graph = _read(content)
    names = [_op_name(graph.OperatorCodes(i)) for i in range(graph.OperatorCodesLength())]
    counts = collections.Counter()
    for index in range(graph.SubgraphsLength()):
        subgraph = graph.Subgraphs(index)
        for number in range(subgraph.OperatorsLength()):
            counts[names[subgraph.Operators(number).OpcodeIndex()]] += 1
    return dict(counts.most_common())


def custom_ops(content: bytes) -> set[str]:
    """Return the names of the operators in a .tflite file that are not built into LiteRT."""
    graph = _read(content)
    codes = [graph.OperatorCodes(index) for index in range(graph.OperatorCodesLength())]
    return {_op_name(code) for code in codes if code.CustomCode()}


def _read(content: bytes):
    from ai_edge_litert import schema_py_generated as schema

    return schema.Model.GetRootAs(content, 0)


def _op_name(code) -> str:
    from ai_edge_litert import schema_py_generated as schema

    if code.CustomCode():
        return code.CustomCode().decode()
    # Files of old converters have the code only in the field that was one byte wide.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    table = vars(schema.BuiltinOperator)
    return next((name for name, value in table.items() if value == number), f"OPERATOR_{number}")


def opened(content: bytes):
    """Return the interpreter of a .tflite file, and the runner of its signature.

    Raises:
        ValueError: the converter left the signature out.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=THREADS)
    interpreter.allocate_tensors()
    if "serving_default" not in interpreter.get_signature_list():
        raise ValueError(
            f"The converter left the signature out, as it does where its temporary files do not fit in "
            f"{tempfile.gettempdir()!r}. Make room there, or set the environment variable TMPDIR to another folder."
        )
    return interpreter, interpreter.get_signature_runner("serving_default")


def _verify(model, content, path, quantization, batch_size, seed) -> Report:
    interpreter, run = opened(content)
    samples = -(-_COMPARED_SAMPLES // batch_size) * batch_size
    inputs = sampler_graph.named_inputs(model, samples, seed)
    sampler = sampler_graph.float32_sampler(model)
    expected = sampler_graph.reference_output(sampler, model, inputs)
    actual = np.concatenate([run(**batch)[model.makes.name] for batch in _batches(inputs, batch_size)])
    result = parity.compare(model.makes, expected, actual)
    if quantization == "float32":
        parity.check_error(model.makes, result, ERROR_LIMIT)
    else:
        parity.check_psnr(model.makes, result, LEAST_PSNR_DB, quantization)
    inputs_described = [each | sampler_graph.facts(model, each["name"]) for each in described(run.get_input_details())]
    outputs_described = described(run.get_output_details())
    # invoke() refuses to run while a signature runner holds the interpreter. The inputs stay set.
    del run
    latency = parity.measure(interpreter.invoke)
    return Report(
        path=str(path),
        source=sampler_graph.describe_source(model),
        quantization=quantization,
        batch_size=int(batch_size),
        **file_facts(content),
        inputs=inputs_described,
        outputs=outputs_described,
        max_abs_error=result.max_abs_error,
        psnr_db=result.psnr_db,
        samples=samples,
        seed=seed,
        latency_ms=latency.median_ms / batch_size,
        latency_runs=latency.runs,
        latency_batch_size=int(batch_size),
        kept_in_float=sampler_graph.float_operators(sampler) if quantization == "int8" else [],
    )


def file_facts(content: bytes) -> dict:
    """Return what a report says of a file whatever it does."""
    return {
        "format": "tflite",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "ops": op_counts(content),
        "threads": THREADS,
        "machine": machine(),
        "versions": package_versions("tensorflow", "keras", "ai-edge-litert", "kerasgan"),
    }


def described(details: dict) -> list[dict]:
    """Return what a report says of a signature's inputs or outputs: name, shape and dtype."""
    return [
        {
            "name": name,
            "shape": [int(size) for size in tensor["shape"]],
            "dtype": np.dtype(tensor["dtype"]).name,
        }
        for name, tensor in details.items()
    ]
