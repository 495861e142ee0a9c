"""EfficientNet-Lite0, trained on ImageNet, as the extractor for pictures of any kind: its weights come with kerasgan.

It is not the network that FID is defined with: its numbers compare models with each other, and with nothing published.
NOTICE.txt says where the weights are from.
"""

import functools
from pathlib import Path

import numpy as np

from kerasgan.support import files

NAME = "efficientnet_lite0"
WEIGHTS = Path(__file__).parent / "efficientnet_lite0_float16.npz"
SHA256 = "f2e3505e3dd1dee690c1dd6a609b0494132cc5f3fc3ede74cee69191d92eeb26"
# Pixels a side. The network was trained at 224, where it hardly knows more (a linear classifier of CIFAR-10: 76.0 %
# against 75.0 %), takes three times as long, and judges small pictures out of proportion: noise of 2 levels, which
# nobody sees, moves the distance of 64x64 faces twice as far as a collapse to 200 of them, and precision rises again
# with more noise. At 128 neither is so. `tests/benchmarks/extractor_size.py` measures it.
SIZE = 128


@functools.cache
def trained():
    """Return the network for images of 128x128, `kerasgan.metrics.efficientnet.network.build`, with its weights.

    Raises:
        ValueError: the file of weights is not the one that belongs to this version of kerasgan.
    """
    from kerasgan.metrics.efficientnet.network import build

    return build(SIZE, read(WEIGHTS))


@functools.cache
def load():
    """Return the extractor "efficientnet_lite0": 1280 averaged features, and the probabilities of ImageNet's classes.

    Images of any size are brought to 128x128 by `resize`. Nearest neighbours are looked for among the features, not
    among the pixels.

    Raises:
        ValueError: the file of weights is not the one that belongs to this version of kerasgan.
    """
    import tensorflow as tf

    from kerasgan.metrics.efficientnet.network import HEAD
    from kerasgan.metrics.extractors import Extractor

    whole = trained()

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)])
    def run(images):
        features, logits = whole(as_input(resize(images)), training=False)
        return features, tf.nn.softmax(logits)

    return Extractor(
        NAME, run, resize=f"bicubic (antialiased, clipped to 0..255) to {SIZE}x{SIZE}", sha256=SHA256,
        dimensions=HEAD, rgb=True, neighbours="features", batch_size=64,
    )  # fmt: skip


def resize(images):
    """Return images (n, height, width, c) in 0..255 as float32 (n, 128, 128, c) in 0..255.

    The kernel is Keys' cubic (a = -0.5), widened where it shrinks so that nothing aliases: that of Pillow's `BICUBIC`,
    but for rounding to whole levels.
    """
    import tensorflow as tf

    # The kernel's negative lobes overshoot at edges.
    return tf.clip_by_value(bicubic(images), 0.0, 255.0)


def bicubic(images):
    """Return what `resize` does before it clips, which would hide slopes: float32 (n, 128, 128, c)."""
    import tensorflow as tf

    return tf.image.resize(images, (SIZE, SIZE), "bicubic", antialias=True)


def as_input(images):
    """Return images of 0..255 on the scale that the network was trained with, about [-1, 1]."""
    return (images - 127.0) / 128.0


def read(path: Path) -> dict[str, np.ndarray]:
    """Return the weights as float32 arrays by `LAYER/kernel` and `LAYER/bias`, after comparing the file's SHA-256.

    Raises:
        ValueError: the file is missing, damaged, or another one.
    """
    try:
        found = files.sha256(path)
    except OSError as error:
        raise ValueError(f"The weights {path} cannot be read ({error}). Reinstall kerasgan.") from error
    if found != SHA256:
        raise ValueError(f"The weights {path} are damaged: their sha256 is {found}. Reinstall kerasgan.")
    with np.load(path, allow_pickle=False) as archive:
        # Besides the arrays there is a description of the network, which is built from the table of `network.py`.
        return {name: archive[name].astype("float32") for name in archive.files if name != "graph_json"}
