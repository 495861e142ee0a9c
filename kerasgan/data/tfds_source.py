"""Reads data sets of TensorFlow Datasets."""

import difflib
import os
import pathlib
import socket
import urllib.parse
import urllib.request

import numpy as np

from kerasgan.data.examples import Examples, Request, check_split
from kerasgan.data.transform import Transform


def read(name: str, request: Request) -> Examples:
    """Reads one split of the TFDS data set `name`, downloading it only where it is absent."""
    import tensorflow as tf

    builder = _builder(name, request.data_dir)
    image_key, label_key = _keys(name, builder.info.features)
    label_feature = builder.info.features[label_key] if label_key else None
    split = _split(name, builder, request.split)
    count = split.num_examples
    if request.limit is not None:
        count = min(count, request.limit)
    shape = request.transform.shape_of(*builder.info.features[image_key].shape)
    examples = Examples(
        name,
        count,
        shape,
        num_classes=label_feature.num_classes if label_key else None,
        class_names=tuple(label_feature.names) if label_key else None,
    )
    if not request.decode:
        return examples

    def pair(example):
        label = tf.cast(example[label_key], tf.int32) if label_key else tf.zeros((), tf.int32)
        return example[image_key], label

    def transformed(image, label):
        image = tf.numpy_function(request.transform.array, [image], tf.uint8)
        return tf.ensure_shape(image, shape), label

    stream = _in_file_order(builder, request.split, image_key).take(count)
    stream = stream.map(pair, tf.data.AUTOTUNE)
    _check_images(name, builder.info.features[image_key], request.transform, stream)
    if shape != tuple(builder.info.features[image_key].shape):
        stream = stream.map(transformed, tf.data.AUTOTUNE)
    if not request.cache:
        examples.stream = stream
        return examples
    examples.images = np.empty((count, *shape), np.uint8)
    labels = np.empty(count, np.int32)
    done = 0
    for images, some_labels in stream.batch(64).as_numpy_iterator():
        examples.images[done : done + len(images)] = images
        labels[done : done + len(images)] = some_labels
        done += len(images)
    examples.labels = labels if label_key else None
    return examples


def _in_file_order(builder, split: str, image_key: str):
    import tensorflow_datasets as tfds

    features = builder.info.features
    images = [key for key in features if isinstance(features[key], tfds.features.Image)]
    return builder.as_dataset(
        split=split,
        # Masks and second images would be decoded for nothing.
        decoders={key: tfds.decode.SkipDecoding() for key in images if key != image_key},
        # One file after the other: reading several at once gives another order.
        read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
    )


def _builder(name: str, data_dir: str | None):
    import tensorflow_datasets as tfds

    # TFDS reads the variable once, when it is imported; here it may change.
    data_dir = data_dir or os.environ.get("TFDS_DATA_DIR") or None
    where = data_dir or "the default TFDS folder (TFDS_DATA_DIR is not set)"
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except Exception as error:  # TFDS raises many kinds: unknown name, config, version, network.
        raise ValueError(
            f"{name!r} is not a data set that can be loaded. Tried: the embedded 'mnist_mini', a "
            f"file or folder of that name, TFDS data prepared in {where}, and the data sets TFDS "
            f"can prepare.{_nearest(name, data_dir)} TFDS said: {_first_line(error)}"
        ) from error
    if not builder.data_path.exists():
        try:
            _require_network(builder)
            builder.download_and_prepare()
        except Exception as error:
            raise ValueError(
                f"The TFDS data set {name!r} is not in {where}, and preparing it failed. "
                f"{_first_line(error)} Connect to the network, or pass data_dir= (or set "
                "TFDS_DATA_DIR to) the folder that holds it."
            ) from error
    return builder


def _require_network(builder) -> None:
    """Fails at once where TFDS would retry for minutes, printing page after page."""
    hosts = {urllib.parse.urlsplit(url).hostname for url in builder.url_infos} - {None}
    fetched = pathlib.Path(builder.data_path).parents[1] / "downloads"
    # A proxy resolves names itself, and archives that were fetched before need no network.
    if not hosts or urllib.request.getproxies() or fetched.exists():
        return
    for host in hosts:
        try:
            socket.getaddrinfo(host, 443)
            return
        except OSError:
            continue
    raise OSError(f"no network: the address of {' or '.join(sorted(hosts))} cannot be found.")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


def _nearest(name: str, data_dir: str | None) -> str:
    import tensorflow_datasets as tfds

    known = {"mnist_mini", *tfds.list_builders(with_community_datasets=False)}
    if data_dir and pathlib.Path(data_dir).is_dir():
        known |= {path.name for path in pathlib.Path(data_dir).iterdir() if path.is_dir()}
    near = difflib.get_close_matches(name, sorted(known), n=3)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def _keys(name: str, features) -> tuple[str, str | None]:
    """The names of the image feature and of the class label feature, if there is one."""
    import tensorflow_datasets as tfds

    image_keys = [key for key in features if isinstance(features[key], tfds.features.Image)]
    label_keys = [key for key in features if isinstance(features[key], tfds.features.ClassLabel)]
    if not image_keys:
        raise ValueError(f"The TFDS data set {name!r} holds no images; its features are {sorted(features)}.")
    image_key = "image" if "image" in image_keys else image_keys[0]
    if "label" in label_keys:
        return image_key, "label"
    return image_key, label_keys[0] if label_keys else None


def _split(name: str, builder, split: str):
    splits = builder.info.splits
    try:
        return splits[split]
    except (KeyError, ValueError):
        check_split(f"The TFDS data set {name!r}", split, sorted(splits))
        raise


def _check_images(name: str, feature, transform: Transform, stream) -> None:
    height, width, channels = feature.shape
    if feature.np_dtype != np.uint8 or (transform.channels is None and channels is None):
        raise ValueError(
            f"The TFDS data set {name!r} has images of dtype {feature.np_dtype} with {channels} "
            "channels; uint8 images with 1 or 3 channels are needed. Give channels=3 where "
            "their number is not known."
        )
    if transform.size is None and None in (height, width):
        first, *others = [image.shape for image, _ in stream.take(100).as_numpy_iterator()]
        other = next((shape for shape in others if shape != first), first)
        raise ValueError(
            f"The TFDS data set {name!r} has images of mixed sizes (the first are {first} and "
            f"{other}). Give image_size=, for example image_size=64."
        )
