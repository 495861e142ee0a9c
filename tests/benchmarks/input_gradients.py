"""The gradient of a 3x3 convolution's input: TensorFlow's own, and a convolution with the kernel turned round.

    python tests/benchmarks/input_gradients.py

Batches of 32 images, as many channels in as out, one thread; milliseconds of processor time, the least of eight calls,
with a sum over the result.
"""

import time

import tensorflow as tf

# Sides and channels of StyleGAN2's and R3GAN's larger layers.
SIZES = ((32, 16), (32, 32), (16, 64), (14, 32), (7, 64), (8, 64))


def own(upstream, kernel):
    """Return the gradient by TensorFlow's operation."""
    return tf.raw_ops.Conv2DBackpropInput(
        input_sizes=tf.shape(upstream), filter=kernel, out_backprop=upstream, strides=(1, 1, 1, 1), padding="SAME"
    )


def turned(upstream, kernel):
    """Return the same by a convolution."""
    return tf.nn.conv2d(upstream, tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2)), 1, "SAME")


def milliseconds(function, *arguments, calls: int = 8) -> float:
    """Return the processor time of a call, traced already."""
    traced = tf.function(lambda *given: tf.reduce_sum(function(*given)))
    traced(*arguments)
    spent = []
    for _ in range(calls):
        start = time.process_time()
        traced(*arguments).numpy()
        spent.append(time.process_time() - start)
    return 1e3 * min(spent)


def main() -> None:
    """Print the table."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    print("| precision | side | channels | own | turned |\n|---|---:|---:|---:|---:|")
    for dtype in (tf.float32, tf.bfloat16):
        for side, channels in SIZES:
            upstream = tf.cast(tf.random.normal((32, side, side, channels)), dtype)
            kernel = tf.cast(tf.random.normal((3, 3, channels, channels)), dtype)
            times = (milliseconds(each, upstream, kernel) for each in (own, turned))
            print(f"| {dtype.name} | {side} | {channels} | " + " | ".join(f"{each:.2f} ms" for each in times) + " |")


if __name__ == "__main__":
    main()
