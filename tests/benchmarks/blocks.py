"""What a first and a second gradient cost in R3GAN's block, with 3x3 convolutions of three kinds and as many weights.

    python tests/benchmarks/blocks.py --side 16

A network of two blocks on (64, side, side, 64) images; milliseconds of processor time, the second least of six calls.
"First" is the gradient of its sum in its weights, "second" that of the sum plus the squared gradient norm at the
images, as with R1.
"""

import argparse
import time

from kerasgan.cli.start import start_tensorflow

if __name__ == "__main__":
    # Before Keras imports TensorFlow with its start-up messages.
    start_tensorflow()

import keras
import tensorflow as tf
from keras import layers
from ledger import row

WIDTH = 64
# Kind -> width of the 3x3 convolution, and the layer. Groups have 16 channels, as in the paper.
KINDS = {
    "dense": (56, lambda width: layers.Conv2D(width, 3, padding="same")),
    "groups of 16": (2 * WIDTH, lambda width: layers.Conv2D(width, 3, padding="same", groups=width // 16)),
    "depthwise": (4 * WIDTH, lambda width: layers.DepthwiseConv2D(3, padding="same")),
}


def network(kind: str, side: int) -> keras.Model:
    """Return two blocks and a dense layer."""
    width, convolution = KINDS[kind]
    inputs = x = keras.Input((side, side, WIDTH))
    for _ in range(2):
        branch = layers.LeakyReLU(0.2)(layers.Conv2D(width, 1)(x))
        branch = layers.LeakyReLU(0.2)(convolution(width)(branch))
        x = layers.Add()([x, layers.Conv2D(WIDTH, 1, use_bias=False)(branch)])
    return keras.Model(inputs, layers.Dense(1)(layers.Flatten()(x)))


def gradient(model: keras.Model, images: tf.Tensor, penalised: bool) -> list:
    """Return the gradient in the weights, of the outputs alone or with the squared slope at the images."""
    with tf.GradientTape() as tape:
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(images)
            total = tf.reduce_sum(model(images))
        slope = tf.reduce_sum(tf.square(inner.gradient(total, images))) if penalised else 0.0
        total += slope
    return tape.gradient(total, model.trainable_variables)


def milliseconds(function, calls: int = 6) -> float:
    """Return the processor time of a call, traced already."""
    traced = tf.function(function)
    traced()
    spent = []
    for _ in range(calls):
        start = time.process_time()
        traced()
        spent.append(time.process_time() - start)
    return 1000 * sorted(spent)[1]


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=16, help="of the images")
    side = parser.parse_args(argv).side
    images = tf.random.stateless_normal((64, side, side, WIDTH), (0, 1))
    print(row(["3x3 convolution", "weights", "first", "second"]), row(["---", "---:", "---:", "---:"]), sep="\n")
    for kind in KINDS:
        model = network(kind, side)
        times = (milliseconds(lambda m=model, p=p: gradient(m, images, p)) for p in (False, True))
        print(row([kind, f"{model.count_params():,}", *(f"{each:.0f} ms" for each in times)]), flush=True)


if __name__ == "__main__":
    main()
