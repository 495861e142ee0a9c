"""The Inception extractors; tests against the real weights run where KERASGAN_INCEPTION_WEIGHTS names an .npz file."""

import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.metrics import features, inception, keras_inception, weights
from kerasgan.support import files

REAL = Path(os.environ.get(weights.VARIABLE, ""))
needs_real_weights = pytest.mark.skipif(
    REAL.suffix != ".npz" or not REAL.is_file(), reason=f"{weights.VARIABLE} names no .npz file"
)


def shapes():
    """Kernels (out, in, height, width) of the modules of the PyTorch state dict, in its order."""

    def double(middle, out=96):
        return {
            "branch3x3dbl_1": (64, middle, 1, 1),
            "branch3x3dbl_2": (96, 64, 3, 3),
            "branch3x3dbl_3": (out, 96, 3, 3),
        }

    def a(i, pool):
        five = {"branch5x5_1": (48, i, 1, 1), "branch5x5_2": (64, 48, 5, 5)}
        return {"branch1x1": (64, i, 1, 1)} | five | double(i) | {"branch_pool": (pool, i, 1, 1)}

    def c(m):
        seven = {"branch7x7_1": (m, 768, 1, 1), "branch7x7_2": (m, m, 1, 7), "branch7x7_3": (192, m, 7, 1)}
        long = {"_1": (m, 768, 1, 1), "_2": (m, m, 7, 1), "_3": (m, m, 1, 7), "_4": (m, m, 7, 1), "_5": (192, m, 1, 7)}
        long = {f"branch7x7dbl{step}": shape for step, shape in long.items()}
        return {"branch1x1": (192, 768, 1, 1)} | seven | long | {"branch_pool": (192, 768, 1, 1)}

    def e(i):
        split = {"a": (384, 384, 1, 3), "b": (384, 384, 3, 1)}
        three = {"branch3x3_1": (384, i, 1, 1)} | {f"branch3x3_2{side}": shape for side, shape in split.items()}
        long = {"branch3x3dbl_1": (448, i, 1, 1), "branch3x3dbl_2": (384, 448, 3, 3)}
        long |= {f"branch3x3dbl_3{side}": shape for side, shape in split.items()}
        return {"branch1x1": (320, i, 1, 1)} | three | long | {"branch_pool": (192, i, 1, 1)}

    seven = {"_1": (192, 768, 1, 1), "_2": (192, 192, 1, 7), "_3": (192, 192, 7, 1), "_4": (192, 192, 3, 3)}
    blocks = {
        "Mixed_5b": a(192, 32),
        "Mixed_5c": a(256, 64),
        "Mixed_5d": a(288, 64),
        "Mixed_6a": {"branch3x3": (384, 288, 3, 3)} | double(288),
        "Mixed_6b": c(128),
        "Mixed_6c": c(160),
        "Mixed_6d": c(160),
        "Mixed_6e": c(192),
        "Mixed_7a": {"branch3x3_1": (192, 768, 1, 1), "branch3x3_2": (320, 192, 3, 3)}
        | {f"branch7x7x3{step}": shape for step, shape in seven.items()},
        "Mixed_7b": e(1280),
        "Mixed_7c": e(2048),
    }
    stem = {
        "Conv2d_1a_3x3": (32, 3, 3, 3),
        "Conv2d_2a_3x3": (32, 32, 3, 3),
        "Conv2d_2b_3x3": (64, 32, 3, 3),
        "Conv2d_3b_1x1": (80, 64, 1, 1),
        "Conv2d_4a_3x3": (192, 80, 3, 3),
    }
    return stem | {f"{block}.{name}": shape for block, names in blocks.items() for name, shape in names.items()}


def random_state():
    """A state dict of the whole network with random weights that keep activations near 1."""
    random = np.random.default_rng(0)
    state = {}
    for module, shape in shapes().items():
        kernel = random.standard_normal(shape, "float32")
        state[f"{module}.conv.weight"] = kernel * np.float32(np.sqrt(2 / np.prod(shape[1:])))
        state[f"{module}.bn.weight"] = random.uniform(0.5, 1.5, shape[0]).astype("float32")
        state[f"{module}.bn.bias"] = random.normal(0, 0.3, shape[0]).astype("float32")
        state[f"{module}.bn.running_mean"] = random.normal(0, 0.3, shape[0]).astype("float32")
        state[f"{module}.bn.running_var"] = random.uniform(0.5, 2, shape[0]).astype("float32")
    state["fc.weight"] = random.normal(0, 0.02, (1008, 2048)).astype("float32")
    state["fc.bias"] = random.normal(0, 1, 1008).astype("float32")
    return state


def random_images(n=2, height=40, width=52, channels=3):
    blocks = np.random.default_rng(1).integers(0, 256, (n, 5, 5, channels), dtype="uint8")
    return blocks.repeat(8, axis=1).repeat(11, axis=2)[:, :height, :width]


@pytest.fixture(scope="module")
def arrays():
    return weights.convert(random_state())


def test_the_state_dict_has_94_convolutions_each_mapped_once():
    assert sorted(weights.MODULES.values()) == sorted(shapes())
    assert len(weights.MODULES) == 94


def test_names_agree_with_the_list_of_extractors():
    assert set(inception.TAPS) == set(features.INCEPTION)


@pytest.fixture(scope="module")
def random_file(arrays, tmp_path_factory):
    """A file of the random weights, some 90 MB, so it is not left behind."""
    path = tmp_path_factory.mktemp("inception") / "weights.npz"
    np.savez(path, **arrays)
    yield path
    path.unlink()


# First three features of the first image, the mean of all, and the largest probability of each image: measured with
# torch-fidelity 0.4.0 (FeatureExtractorInceptionV3) on random_state() and random_images().
REFERENCE = {
    "inception_64": ([1.731901, 0.4703008, 0.06748196], 0.47417974, None),
    "inception_192": ([0.2942115, 0.0, 1.2149819], 0.5317457, None),
    "inception_768": ([0.5818599, 0.005500420, 1.8544806], 0.7408488, None),
    "inception": ([0.04041582, 2.3038881, 1.1839372], 0.8259416, [0.04438585, 0.04048029]),
}


@pytest.mark.parametrize("name", REFERENCE)
def test_features_are_those_of_another_implementation(name, random_file, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, str(random_file))
    extractor = features.get(name)
    assert extractor.sha256 == files.sha256(random_file)
    result = extractor(random_images())
    first, mean, largest = REFERENCE[name]
    assert result.features.shape == (2, extractor.dimensions)
    np.testing.assert_allclose(result.features[0, :3], first, rtol=1e-3)
    assert result.features.mean() == pytest.approx(mean, rel=1e-4)
    if largest is None:
        assert result.probabilities is None
    else:
        assert result.probabilities.shape == (2, 1008)
        np.testing.assert_allclose(result.probabilities.max(axis=1), largest, rtol=1e-3)


def test_only_the_needed_part_is_built(arrays):
    stem = {name: array for name, array in arrays.items() if name.startswith("conv")}
    assert inception.build("inception_192", stem).count_params() == sum(array.size for array in stem.values())


def test_partial_weights_say_which_extractors_work(arrays):
    partial = {name: array for name, array in arrays.items() if not name.startswith(("mixed_9", "mixed_10", "softmax"))}
    assert inception.build("inception_768", partial).output.shape == (None, 768)
    message = r"lack 'mixed_9_conv/kernel', which 'inception'.*: inception_64, inception_192, inception_768\."
    with pytest.raises(ValueError, match=message):
        inception.build("inception", partial)
    with pytest.raises(ValueError, match=r"'conv/kernel'.*work: none"):
        inception.build("inception_64", {})


def test_weights_of_another_shape_are_refused(arrays):
    wrong = arrays | {"conv_1/kernel": arrays["conv_1/kernel"][:1]}
    with pytest.raises(ValueError, match=r"conv_1/kernel have shape \(1, 3, 32, 32\); expected \(3, 3, 32, 32\)"):
        inception.build("inception_64", wrong)


def test_grey_images_and_the_global_precision(random_file, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, str(random_file))
    grey = random_images(channels=1)
    expected = features.get("inception_64")(grey.repeat(3, axis=-1)).features
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        np.testing.assert_array_equal(features.get("inception_64")(grey).features, expected)
    finally:
        keras.config.set_dtype_policy("float32")


def interpolated(images, size):
    """The resize of TensorFlow 1: source = target * scale, clamped at the far edge."""
    for axis in (1, 2):
        source = np.arange(size) * (images.shape[axis] / size)
        low = np.floor(source).astype(int)
        high = np.minimum(low + 1, images.shape[axis] - 1)
        part = (source - low).reshape([-1 if each == axis else 1 for each in range(4)])
        images = images.take(low, axis) * (1 - part) + images.take(high, axis) * part
    return images


@pytest.mark.parametrize("size", [(28, 28), (299, 299), (400, 310)])
def test_the_resize_is_that_of_tensorflow_1(size):
    images = np.random.default_rng(0).integers(0, 256, (2, *size, 3), dtype="uint8")
    resized = inception.legacy_resize(images).numpy()
    # Float32 coordinates are off by some 1e-5 of a pixel: about 0.005 of 255 levels.
    np.testing.assert_allclose(resized, interpolated(images.astype("float64"), 299), atol=0.01)
    modern = tf.image.resize(images, (299, 299)).numpy()
    assert (abs(resized - modern).mean() < 1e-3) == (size == (299, 299))


def test_keras_inception_without_a_network(monkeypatch):
    monkeypatch.setattr(keras_inception, "URL", "http://127.0.0.1:9/absent_inception.h5")
    with pytest.raises(
        ValueError, match=r"could not be fetched.*127\.0\.0\.1.*put it at .*models.absent_inception\.h5"
    ):
        features.get("keras_inception")


def test_keras_inception_in_float32_whatever_the_global_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        extractor = keras_inception.load(_pretrained=False)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    first = extractor(random_images(channels=1)).features
    assert (extractor.name, extractor.dimensions, extractor.sha256) == ("keras_inception", 2048, None)
    assert first.shape == (2, 2048)
    # bfloat16 keeps 8 bits; float32 features have more.
    assert (first != tf.cast(tf.cast(first, "bfloat16"), "float32").numpy()).any()


def listed_network(archive, outputs):
    """The network by the layer list in the file of weights."""
    tensors = {"input": keras.Input((299, 299, 3))}
    for layer in json.loads(str(archive["graph_json"])):
        inputs = [tensors[name] for name in layer["inputs"]]
        if layer["op"] == "conv_relu":
            kernel, bias = archive[f"{layer['name']}/kernel"], archive[f"{layer['name']}/bias"]
            convolution = keras.layers.Conv2D(
                layer["cout"], layer["kernel"], layer["stride"], layer["padding"], activation="relu"
            )
            convolution.build(inputs[0].shape)
            convolution.set_weights([kernel, bias])
            tensors[layer["name"]] = convolution(inputs[0])
        elif layer["op"] == "concat":
            tensors[layer["name"]] = keras.layers.Concatenate()(inputs)
        else:
            pool = {"maxpool": keras.layers.MaxPooling2D, "avgpool": keras.layers.AveragePooling2D}[layer["op"]]
            tensors[layer["name"]] = pool(layer["kernel"], layer["stride"], layer["padding"])(inputs[0])
    return keras.Model(tensors["input"], [tensors[name] for name in outputs])


@needs_real_weights
def test_real_weights_in_the_listed_network():
    loaded = weights.load()
    builder = inception._Builder(loaded.arrays)
    images = x = keras.Input((299, 299, 3))
    stages = {}
    for stage in inception.STAGES:
        x = stages[stage] = builder.stage(x, stage, inception.STAGES[stage])
        if stage == "mixed_8":
            break
    ours = keras.Model(images, [stages["mixed_7"], stages["mixed_8"]])
    with np.load(REAL) as archive:
        listed = listed_network(archive, ["mixed_7", "mixed_8"])
    scaled = (inception.legacy_resize(random_images()) - 128.0) / 128.0
    for mine, theirs in zip(ours(scaled), listed(scaled), strict=True):
        assert np.max(np.abs(mine - theirs)) < 1e-5 * np.max(theirs)


@needs_real_weights
def test_real_features_move_with_noise():
    extractor = features.get("inception_768")
    random = np.random.default_rng(0)
    clean = random_images(4)
    reference = extractor(clean).features
    distances = []
    for deviation in (2, 8, 32):
        noisy = (clean + random.normal(0, deviation, clean.shape)).clip(0, 255).astype("uint8")
        distances.append(np.linalg.norm(extractor(noisy).features - reference, axis=1).mean())
    assert 0 < distances[0] < distances[1] < distances[2]
