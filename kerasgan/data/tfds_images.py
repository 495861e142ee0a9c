"""Reads images and their labels from data sets of TensorFlow Datasets."""

import numpy as np

from kerasgan.data.examples import Examples, Request
from kerasgan.data.tfds_source import Split, grouped
from kerasgan.data.transform import Transform


def read(name: str, request: Request) -> Examples:
    """Reads one split of the TFDS data set `name`: the images of one feature, and the class labels."""
    part = (request.split, request.data_dir, request.limit)
    return read_feature(grouped(name, request.group, *part) if request.group else Split(name, *part), request)


def read_feature(source: Split, request: Request, image_key: str | None = None) -> Examples:
    """Reads the images of one feature of a split, by default of "image" or the first one, and the class labels."""
    import tensorflow as tf

    image_key, label_key = _keys(source, image_key)
    label_feature = source.features[label_key] if label_key else None
    examples = Examples(
        source.name,
        source.num_examples,
        (),
        num_classes=label_feature.num_classes if label_key else None,
        class_names=tuple(label_feature.names) if label_key else None,
    )

    def pair(example):
        label = tf.cast(example[label_key], tf.int32) if label_key else tf.zeros((), tf.int32)
        return example[image_key], label

    stream = source.stream(image_key).map(pair, tf.data.AUTOTUNE)
    declared = tuple(source.features[image_key].shape)
    if request.decode or None in request.transform.shape_of(*declared):
        declared = _checked_shape(source.name, source.features[image_key], request.transform, stream)
    shape = examples.image_shape = request.transform.shape_of(*declared)
    if not request.decode:
        return examples

    def transformed(image, label):
        image = tf.numpy_function(request.transform.array, [image], tf.uint8)
        return tf.ensure_shape(image, shape), label

    if shape != declared:
        stream = stream.map(transformed, tf.data.AUTOTUNE)
    if not request.cache:
        examples.stream = stream
        return examples
    examples.images = np.empty((source.num_examples, *shape), np.uint8)
    labels = np.empty(source.num_examples, np.int32)
    done = 0
    for images, some_labels in stream.batch(64).as_numpy_iterator():
        examples.images[done : done + len(images)] = images
        labels[done : done + len(images)] = some_labels
        done += len(images)
    examples.labels = labels if label_key else None
    return examples


def _keys(source: Split, image_key: str | None) -> tuple[str, str | None]:
    """The names of the image feature and of the class label feature, if there is one."""
    import tensorflow_datasets as tfds

    image_keys, label_keys = source.keys(tfds.features.Image), source.keys(tfds.features.ClassLabel)
    if not image_keys:
        raise ValueError(
            f"The TFDS data set {source.name!r} holds no images; its features are {sorted(source.features)}."
        )
    if image_key is None:
        image_key = "image" if "image" in image_keys else image_keys[0]
    if "label" in label_keys:
        return image_key, "label"
    return image_key, label_keys[0] if label_keys else None


def _checked_shape(name: str, feature, transform: Transform, stream) -> tuple:
    """The declared shape of the images; where it leaves the size open that matters, the size of the first ones."""
    height, width, channels = feature.shape
    if feature.np_dtype != np.uint8 or (transform.channels is None and channels is None):
        raise ValueError(
            f"The TFDS data set {name!r} has images of dtype {feature.np_dtype} with {channels} "
            "channels; uint8 images with 1 or 3 channels are needed. Give channels=3 where "
            "their number is not known."
        )
    if transform.size is None and None in (height, width):
        first, *others = [image.shape for image, _ in stream.take(100).as_numpy_iterator()]
        other = next((shape for shape in others if shape != first), None)
        if other is not None:
            raise ValueError(
                f"The TFDS data set {name!r} has images of mixed sizes (the first are {first} and "
                f"{other}). Give image_size=, for example image_size=64."
            )
        return tuple(first)
    return height, width, channels
