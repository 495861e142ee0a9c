"""The extractor for pictures of any kind: the network is the one described, and it sees what the protocol says."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasgan import metrics
from kerasgan.metrics import efficientnet
from kerasgan.metrics.efficientnet.network import build


@pytest.fixture(scope="module")
def extractor():
    return metrics.extractor("efficientnet_lite0")


def picture(size=128):
    """Two slopes and a chessboard, uint8 (size, size, 3)."""
    y, x = np.mgrid[:size, :size]
    return np.stack([x, y, (x // 28 + y // 28) % 2 * 223], axis=-1).astype("uint8")


def photographs(n=5, height=40, width=56, channels=3):
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (n, 4, 4, channels), dtype="uint8")
    return tf.image.resize(coarse, (height, width), "bicubic").numpy().clip(0, 255).astype("uint8")


def plain(images, description, weights):
    """Return features and logits by TensorFlow's own operations, following the description in the file of weights."""
    values = {"input": tf.constant(images, tf.float32)}
    for step in description:
        x, *others = (values[name] for name in step["inputs"])
        stride, padding = step.get("stride"), step.get("padding", "").upper()
        kernel, bias = (weights.get(f"{step['name']}/{part}") for part in ("kernel", "bias"))
        if step["op"] == "conv":
            x = tf.nn.conv2d(x, kernel, stride, padding) + bias
        elif step["op"] == "depthwise":
            x = tf.nn.depthwise_conv2d(x, kernel, (1, stride, stride, 1), padding) + bias
        elif step["op"] == "add":
            x = x + others[0]
        elif step["op"] == "gap":
            x = tf.reduce_mean(x, (1, 2))
        elif step["op"] == "dense":
            x = x @ kernel + bias
        values[step["name"]] = tf.nn.relu6(x) if step.get("activation") == "relu6" else x
    return values["features"].numpy(), values["logits"].numpy()


def test_the_network_is_the_one_that_its_file_describes(extractor):
    with np.load(efficientnet.WEIGHTS) as archive:
        description = json.loads(str(archive["graph_json"]))
    images = np.stack([picture(), picture().transpose(1, 0, 2)[::-1]])
    features, logits = plain((images - 127.0) / 128.0, description, efficientnet.read(efficientnet.WEIGHTS))
    found = extractor(images)
    np.testing.assert_allclose(found.features, features, atol=2e-4)
    np.testing.assert_allclose(found.probabilities, tf.nn.softmax(logits), atol=1e-4)


def test_a_known_picture_has_its_known_features(extractor):
    """The numbers are those of the same weights in another program."""
    found = extractor(picture()[None])
    assert found.features.shape == (1, 1280)
    assert (found.features.sum(), found.features.max()) == pytest.approx((38.35326, 4.80923), rel=1e-4)
    assert found.probabilities.shape == (1, 1000)
    assert found.probabilities[0].argsort()[::-1][:5].tolist() == [149, 844, 111, 422, 604]
    logits = np.log(found.probabilities[0, :4])
    np.testing.assert_allclose(logits - logits[0], [0.0, 0.26112, 0.96655, 0.90742], atol=1e-3)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (28, 40), (300, 224), (512, 331)])
def test_images_are_resized_as_the_protocol_says(extractor, height, width):
    """By Pillow's bicubic kernel, of floats, in both directions; then clipped."""
    image = np.random.default_rng(1).integers(0, 2, (height, width, 3), dtype="uint8") * 255
    bands = (Image.fromarray(image[:, :, band].astype("float32")) for band in range(3))
    expected = np.stack([np.asarray(band.resize((128, 128), Image.Resampling.BICUBIC)) for band in bands], axis=-1)
    np.testing.assert_allclose(efficientnet.resize(image[None])[0], expected.clip(0, 255), atol=0.01)
    assert extractor.resize == "bicubic (antialiased, clipped to 0..255) to 128x128"


def test_features_depend_neither_on_the_batch_nor_on_the_dtype_policy(extractor):
    together = extractor(photographs())
    alone = np.concatenate([extractor(photo[None]).features for photo in photographs()])
    np.testing.assert_allclose(together.features, alone, atol=2e-4)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = build(128, efficientnet.read(efficientnet.WEIGHTS))
    finally:
        keras.config.set_dtype_policy("float32")
    features, _ = network((efficientnet.resize(photographs()) - 127.0) / 128.0)
    np.testing.assert_allclose(together.features, features, atol=2e-4)


def test_grey_pictures_are_pictures_with_three_equal_colours(extractor):
    grey = photographs(channels=1)
    np.testing.assert_array_equal(extractor(grey).features, extractor(grey.repeat(3, axis=-1)).features)


def test_a_damaged_or_missing_file_is_refused(tmp_path):
    path = tmp_path / "weights.npz"
    with pytest.raises(ValueError, match="Reinstall kerasgan"):
        efficientnet.read(path)
    content = bytearray(efficientnet.WEIGHTS.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        efficientnet.read(path)


@pytest.mark.parametrize("lost", ["head/bias", "block3_dw/kernel"])
def test_weights_that_lack_a_layer_are_refused(lost):
    weights = efficientnet.read(efficientnet.WEIGHTS)
    del weights[lost]
    with pytest.raises(ValueError, match=f"efficientnet_lite0 lack '{lost}'"):
        build(128, weights)


def test_the_notice_is_beside_the_weights():
    notice = (efficientnet.WEIGHTS.parent / "NOTICE.txt").read_text(encoding="utf-8")
    assert "Apache" in notice
    assert efficientnet.WEIGHTS.name in notice
