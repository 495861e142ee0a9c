"""The InceptionV3 of keras.applications as an extractor: another network than FID's, so its numbers are not FID."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import keras
import tensorflow as tf

from kerasgan.metrics.extractors import Extractor
from kerasgan.metrics.inception import SIZE, compiled
from kerasgan.support import files

URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
    "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
_MD5 = "bcbd6486424b2319ff4ef7d526e38f63"  # the one that Keras checks


def load(_pretrained: bool = True) -> Extractor:
    """Return the extractor "keras_inception": the 2048 means of the last stage, of images resized without smoothing.

    Raises:
        ValueError: the weights are not in the folder of Keras and cannot be fetched.
    """
    path = _fetch() if _pretrained else None
    with _float32():
        network = keras.applications.InceptionV3(
            include_top=False, weights=path, pooling="avg", input_shape=(SIZE, SIZE, 3)
        )

    def run(images):
        resized = tf.image.resize(images, (SIZE, SIZE), "bilinear", antialias=False)
        return network(keras.applications.inception_v3.preprocess_input(resized), training=False)

    return Extractor(
        "keras_inception",
        compiled(run),
        resize=f"bilinear (half-pixel centres, no antialiasing) to {SIZE}x{SIZE}",
        sha256=path and files.sha256(path),
        dimensions=network.output.shape[-1],
        rgb=True,
        batch_size=32,
    )


def _fetch() -> str:
    name = URL.rsplit("/", 1)[1]
    try:
        return keras.utils.get_file(name, URL, cache_subdir="models", file_hash=_MD5)
    # Keras raises a plain Exception where there is no network.
    except Exception as error:
        folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
        raise ValueError(
            f"The weights of keras_inception could not be fetched ({error}). Fetch {URL} elsewhere and put it at "
            f"{folder / name}."
        ) from error


@contextlib.contextmanager
def _float32() -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
