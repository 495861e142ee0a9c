"""Write a model that writes texts as a LiteRT (TFLite) file of one step: a word in, how likely each next one is out."""

import os

import numpy as np
import tensorflow as tf

from kerasgan.core.sampling import Stepwise
from kerasgan.export import parity, sampler_graph
from kerasgan.export import tflite_writer as files
from kerasgan.export.report import Report
from kerasgan.support.silence import Silence

STEP_QUANTIZATIONS = ("float32", "float16", "dynamic")
# Of a probability. Weights of 8 bits prefer other words here and there, but do not change what is likely.
ERROR_LIMITS = {"float32": 1e-4, "float16": 0.01, "dynamic": 0.1}
_COMPARED_SEQUENCES = 32


def tflite_step(model, path: str | os.PathLike, quantization: str = "float32", seed: int = 0) -> Report:
    """Write one step of a model that writes as a .tflite file: whoever calls it draws the words, one after another.

    The signature `serving_default` takes `tokens`, int32 (1,), the last one written, and `state`, float32 (1, size),
    and returns `logits` of the next token, float32 (1, vocabulary), and the new `state`. A text begins with a state of
    zeros and the token that the report calls `first`, and has `length` tokens; the report has the `words` too. Divide
    the logits by a temperature, keep the k largest, draw, and go on. What is not to be drawn has a logit near -1e9:
    after padding, all but padding. Only built-in operators are used. The file is compared with Keras along whole
    sequences, its own state handed on, before it is written, whole or not at all, with a report beside it as
    `<path>.json`.

    Args:
        model: a model that has `stepwise()`, such as SeqGAN.
        path: the file; must end in .tflite. Missing folders are made; an earlier file is replaced.
        quantization: "float32"; "float16" weights (half the size); "dynamic": int8 weights (a quarter of the size).
        seed: of the compared sequences, which the model writes.

    Returns:
        The report, with the largest error of a probability.

    Raises:
        ValueError: an argument is wrong, the model makes everything at once, the conversion fails, or a probability is
            further from Keras than 1e-4 in float32, 0.01 in float16, 0.1 in dynamic.

    Example:
        print(kerasgan.export.tflite_step(gan, "step.tflite", quantization="dynamic"))
    """
    sampler_graph.check_model(model)
    path = files.check_path(path)
    step = model.stepwise()
    if step is None:
        raise ValueError(
            f"{type(model).__name__} makes {model.makes.name} in one go, not step by step. Use kerasgan.export.tflite."
        )
    if quantization not in STEP_QUANTIZATIONS:
        raise ValueError(f"A step is exported in {', '.join(STEP_QUANTIZATIONS)}; received {quantization!r}.")
    with files.converting(type(model).__name__, quantization):
        step = step._replace(network=sampler_graph.in_float32(step.network))
        content = files.converter_of(_serving_function(step.network), quantization).convert()
    files.check_builtin(files.custom_ops(content))
    with Silence():
        report = _verify(model, step, content, path, quantization, seed)
    files.write(path, content, report)
    return report


def _serving_function(network):
    run = sampler_graph.frozen(network)
    specs = {each.name: tf.TensorSpec((1, *each.shape[1:]), each.dtype, name=each.name) for each in network.inputs}

    def serve(tokens, state):
        return run([tokens, state])

    return tf.function(serve).get_concrete_function(**specs)


def _verify(model, step: Stepwise, content: bytes, path, quantization: str, seed: int) -> Report:
    interpreter, run = files.opened(content)
    tokens = model.generate(_COMPARED_SEQUENCES, seed=seed)
    with tf.device("CPU:0"):
        expected = _probabilities(_calling(step.network), step, tokens)
    actual = np.concatenate([_probabilities(run, step, row[None]) for row in tokens])
    error, limit = float(np.abs(actual - expected).max()), ERROR_LIMITS[quantization]
    if not error <= limit:
        raise ValueError(
            f"In {quantization} a word's probability is off by {error:.2g}; at most {limit:g} is allowed: nothing was "
            "written. Export the step in float32."
        )
    words = {"words": list(model.makes.words)} if model.makes.words else {}
    inputs = files.described(run.get_input_details())
    for each in inputs:
        each |= words | {"first": step.first, "length": model.makes.length} if each["name"] == "tokens" else {}
    outputs = files.described(run.get_output_details())
    # invoke() refuses to run while a signature runner holds the interpreter.
    del run
    latency = parity.measure(interpreter.invoke)
    return Report(
        path=str(path),
        source=sampler_graph.describe_source(model),
        quantization=quantization,
        batch_size=1,
        inputs=inputs,
        outputs=outputs,
        max_abs_error=error,
        psnr_db=None,
        samples=len(tokens),
        seed=seed,
        latency_ms=latency.median_ms,
        latency_runs=latency.runs,
        latency_batch_size=1,
        **files.file_facts(content),
    )


def _calling(network):
    return lambda tokens, state: network([tf.constant(tokens), tf.constant(state)])


def _probabilities(call, step: Stepwise, tokens: np.ndarray) -> np.ndarray:
    """Return how likely each next token is along sequences: float32 (n, length, vocabulary)."""
    last = np.full(len(tokens), step.first, "int32")
    state = np.zeros((len(tokens), step.network.inputs[1].shape[1]), "float32")
    found = []
    for column in tokens.T:
        made = call(tokens=last, state=state)
        found.append(tf.nn.softmax(np.asarray(made["logits"])).numpy())
        last, state = column, np.asarray(made["state"])
    return np.stack(found, axis=1)
