"""Data and sizes of every wrong kind, to the models themselves: a ValueError that says what to change."""

import numpy as np
import pytest
import tensorflow as tf

import kerasgan

SHAPE = (16, 16, 1)
IMAGES = np.zeros((8, *SHAPE), "float32")
LABELS = np.arange(8) % 3


@pytest.fixture(scope="module")
def gan():
    model = kerasgan.ConditionalGAN(SHAPE, 4, 4, num_classes=3, seed=0)
    model.compile()
    return model


def dataset(*parts):
    return tf.data.Dataset.from_tensor_slices(parts).batch(4)


NO_CLASS = r"labels must be in 0\.\.2\..*larger num_classes"
WRONG_LABELS = {
    "too_high": ((IMAGES, LABELS + 1), NO_CLASS),
    "negative": ((IMAGES, LABELS - 1), NO_CLASS),
    "huge": ((IMAGES, LABELS + 2**33), NO_CLASS),
    "bytes": ((IMAGES, (LABELS + 250).astype("uint8")), NO_CLASS),
    "missing": ((IMAGES,), r"has 3 classes and needs \(images, labels\); received images"),
    "one_hot": ((IMAGES, np.eye(3)[LABELS]), "np.argmax"),
    "a_column": ((IMAGES, LABELS[:, None]), r"shape \(batch,\), one an example; received \(8, 1\)"),
    "floats": ((IMAGES, LABELS.astype("float32")), "must be integers; received float32"),
    "truth": ((IMAGES, LABELS > 0), "must be integers; received bool"),
    "words": ((IMAGES, LABELS.astype(str)), "must be integers; received str"),
}


@pytest.mark.parametrize("method", ["fit", "evaluate"])
@pytest.mark.parametrize("name", WRONG_LABELS)
def test_labels_in_arrays(name, method, gan):
    data, message = WRONG_LABELS[name]
    with pytest.raises(ValueError, match=message):
        getattr(gan, method)(*data, batch_size=4, verbose=0)


@pytest.mark.parametrize("labels", [LABELS + 1, LABELS - 1, LABELS + 2**32], ids=["too_high", "negative", "huge"])
def test_labels_in_a_data_set(labels, gan):
    # 2**32 more is the same number in 32 bits.
    for method in (gan.fit, gan.evaluate):
        with pytest.raises(ValueError, match=NO_CLASS):
            method(dataset(IMAGES, labels), verbose=0)


def test_a_data_set_without_labels(gan):
    with pytest.raises(ValueError, match="has 3 classes and needs"):
        gan.fit(dataset(IMAGES), verbose=0)


SIZES = {
    "num_classes": [0, -1, 2.5, "3", True, None],
    "latent_dim": [0, -1, 1.5, True],
    "base_filters": [0, 2.0],
    "d_steps": [0, 1.5],
    "image_shape": [(16, 16), (16, 16, 1, 1), (0, 16, 1), (16, -16, 1), (16.0, 16.0, 1), (16, 16, 0), 16],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in SIZES.items() for value in values])
def test_sizes_that_no_network_can_be_built_with(name, value):
    sizes = {"image_shape": SHAPE, "latent_dim": 4, "base_filters": 4} | {name: value}
    with pytest.raises(ValueError, match=f"{name} must be .*received"):
        kerasgan.ConditionalGAN(**sizes)


@pytest.mark.parametrize("shape", [(8, 8, 1), (16, 200, 1)])
def test_sizes_that_these_networks_cannot_be_built_with(shape):
    with pytest.raises(ValueError, match="16 to 128 pixels a side; received"):
        kerasgan.DCGAN(shape)


def test_a_data_set_of_numbers():
    model = kerasgan.DCGAN(SHAPE, 4, 4)
    model.compile()
    with pytest.raises(ValueError, match=r"built for images of shape \(16, 16, 1\)"):
        model.fit(tf.data.Dataset.from_tensor_slices([0.0, 1.0]), verbose=0)


def test_a_batch_holds_a_whole_pack():
    packed = kerasgan.VanillaGAN(SHAPE, 4, (4,), pack=4)
    packed.compile()
    for data in ({"x": IMAGES, "batch_size": 3}, {"x": tf.data.Dataset.from_tensors(IMAGES[:3])}):
        with pytest.raises(ValueError, match=r"A batch of 3 is less than one pack of pack=4.*multiple of 4"):
            packed.fit(**data, verbose=0)
