"""How different two images look: what EfficientNet-Lite0 sees of them at several depths, compared place by place.

The network was trained to tell ImageNet's classes and comes with kerasgan. The distance is in the manner of Zhang et
al. 2018, equation 1 (https://arxiv.org/abs/1801.03924), with another network and without weights that were learned
from people's judgements: its numbers compare with each other only, and it is not LPIPS.

What it makes of changes that are equal to pixels, each with the squared error of a shift by one pixel, in shares of the
distance between two images, as square roots of means over 64 images (`python tests/benchmarks/perceptual.py`):

    | images        | shift | blur | noise | brighter | flatter | blend of two |
    |---------------|------:|-----:|------:|---------:|--------:|-------------:|
    | cifar10       |  0.36 | 0.79 |  0.77 |     0.19 |    0.26 |         0.49 |
    | fashion_mnist |  0.40 | 0.94 |  0.99 |     0.41 |    0.39 |         0.73 |
    | lfwcrop       |  0.27 | 0.61 |  0.62 |     0.06 |    0.13 |         0.32 |
"""

import functools

from kerasgan.metrics import efficientnet

NAME = "features of efficientnet_lite0"
# The last outputs that are 16, 8 and 4 places a side. Earlier ones see little more than pixels do.
DEPTHS = ("block5_add", "block11_add", "block15_add")
# Beside the squared length of any feature vector, nothing; it keeps the slope finite where there is none.
_EPSILON = 1e-6


def perceptual_distance(images, others):
    """Return how different images look from others, one by one: 0 where they are the same, at most 4.

    At each depth the features of a place are brought to length one; squared differences are averaged over places, and
    over depths. It can be differentiated by either argument, inside of a `tf.function` too.

    Args:
        images: float tensor or array (n, height, width, 1 or 3) in [-1, 1], of any size: the network sees 128x128.
        others: as many of the same channels; or a single one, which all are compared with.

    Returns:
        float32 tensor (n,).
    """
    return between(features(images), features(others))


def features(images) -> list:
    """Return what is compared, float32 (n, places, places, channels) of each depth, every place of length one.

    Args:
        images: float tensor or array (n, height, width, 1 or 3) in [-1, 1].

    Raises:
        ValueError: they are of another shape, or not floats.
    """
    import tensorflow as tf

    images = tf.convert_to_tensor(images)
    if images.shape.rank != 4 or images.shape[-1] not in (1, 3) or not images.dtype.is_floating:
        raise ValueError(
            "Images must be floats (n, height, width, 1 or 3) in [-1, 1]; received "
            f"{images.dtype.name} of shape {tuple(images.shape)}. kerasgan.images.to_float converts uint8."
        )
    if images.shape[-1] == 1:
        images = tf.repeat(images, 3, axis=-1)
    seen = efficientnet.as_input(efficientnet.bicubic((tf.cast(images, "float32") + 1.0) * 127.5))
    return [units(each) for each in _network()(seen, training=False)]


def between(first: list, second: list):
    """Return the distance of two lists of `features`, float32 (n,); an n of 1 goes with any other."""
    parts = [apart(one, other) for one, other in zip(first, second, strict=True)]
    return sum(parts) / len(parts)


def units(vectors):
    """Return a tensor (..., channels) with vectors of length one."""
    import tensorflow as tf

    return vectors * tf.math.rsqrt(tf.reduce_sum(tf.square(vectors), axis=-1, keepdims=True) + _EPSILON)


def apart(first, second):
    """Return the squared distance of vectors, the mean over the axes between: (n, ..., channels) to (n,)."""
    import tensorflow as tf

    squared = tf.reduce_sum(tf.square(first - second), axis=-1)
    return tf.reduce_mean(squared, axis=range(1, len(squared.shape)))


@functools.cache
def _network():
    import keras
    import tensorflow as tf

    # Outside of the graph that may be traced: its weights are set now, once, and not whenever that graph runs.
    with tf.init_scope():
        whole = efficientnet.trained()
        return keras.Model(whole.input, [whole.get_layer(name).output for name in DEPTHS], name="perceptual")
