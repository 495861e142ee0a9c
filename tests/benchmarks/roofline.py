"""How much a train step multiplies, and how fast this processor multiplies at most.

    python tests/benchmarks/roofline.py r3gan stylegan2

Counted are products and sums of convolutions and of matrices, in every operation that a step runs, gradients included,
as a mean over the steps after which lazy penalties come again. The peak is that of a matrix product of 2048 x 2048
numbers, the fastest of several.
"""

import argparse
import math
import time

SIDE, REPEATS = 2048, 12
# Counting runs operation by operation; all grows with the batch.
COUNTED_BATCH = 4


def flops(model: str) -> float:
    """Return floating-point operations of one step of kerasgan's for each image of a batch."""
    import keras_contenders
    import tensorflow as tf
    from modern import MODERN
    from tensorflow.python.framework import op_callbacks

    gan = keras_contenders.ours("float32", model)
    period, counted = (MODERN[model].period if model in MODERN else 1), 0

    def count(kind, inputs, attributes, outputs, name=None, graph=None):
        nonlocal counted
        del attributes, name, graph
        counted += operations(kind, inputs, outputs)

    batch = tf.nest.map_structure(tf.constant, keras_contenders.examples(gan, COUNTED_BATCH))
    with op_callbacks_of(op_callbacks, count):
        for _ in range(period):
            gan.train_step(batch)
    return counted / period / COUNTED_BATCH


class op_callbacks_of:
    """Tells a function of every operation that is run."""

    def __init__(self, module, function):
        self.module, self.function = module, function

    def __enter__(self):
        self.module.add_op_callback(self.function)

    def __exit__(self, *_):
        self.module.remove_op_callback(self.function)


def operations(kind: str, inputs, outputs) -> int:
    """Return the products and sums of one operation; 0 of those that are neither convolution nor matrix product."""
    shapes = [tuple(each.shape) for each in inputs]
    if kind == "MatMul":
        # Whichever of the two is transposed: rows x inner x columns.
        rows, columns = outputs[0].shape
        return 2 * rows * columns * (math.prod(shapes[0]) // rows)
    if kind in ("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"):
        # A gradient multiplies as much as the convolution itself does: every weight at every place of its output.
        kernel = {"Conv2D": shapes[1], "Conv2DBackpropInput": shapes[1], "Conv2DBackpropFilter": outputs[0].shape}[kind]
        places = outputs[0].shape if kind == "Conv2D" else shapes[2]
        return 2 * math.prod(kernel) * math.prod(places[:3])
    if kind == "DepthwiseConv2dNative":
        return 2 * math.prod(shapes[1][:2]) * math.prod(outputs[0].shape)
    return 0


def peak(dtype: str, threads: int) -> float:
    """Return floating-point operations a second of a matrix product, by processor time of so many threads."""
    import tensorflow as tf

    kind = tf.bfloat16 if "bfloat16" in dtype else tf.float32
    left, right = (tf.cast(tf.random.normal((SIDE, SIDE)), kind) for _ in range(2))
    product = tf.function(lambda: tf.reduce_max(tf.matmul(left, right)))
    product()
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        product().numpy()
        times.append(time.process_time() - start)
    return threads * 2 * SIDE**3 / min(times)


def processor() -> str:
    """Return what the processor is called."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["r3gan", "stylegan2"])
    for dtype in ("float32", "bfloat16"):
        print(f"{dtype}: {peak(dtype, 1) / 1e9:.0f} GFLOP/s a thread")
    for model in parser.parse_args().models:
        print(f"{model}: {flops(model) / 1e9:.3f} GFLOP an image")


if __name__ == "__main__":
    main()
