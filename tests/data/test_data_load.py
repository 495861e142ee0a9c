"""Batches: exactness, order, options; and the array and file sources."""

import hashlib
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import data
from kerasgan import images as image_module
from kerasgan.data import mnist_mini

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (50, 8, 6, 1), np.uint8)
LABELS = np.arange(50) % 5


def collect(dataset):
    """All of one epoch, as one array (or a tuple of them)."""
    batches = list(dataset.as_numpy_iterator())
    if isinstance(batches[0], tuple):
        return tuple(np.concatenate(parts) for parts in zip(*batches, strict=True))
    return np.concatenate(batches)


def test_unshuffled_batches_are_exactly_to_float():
    dataset = data.load(IMAGES, shuffle=False, batch_size=16)
    assert len(dataset) == 4
    assert dataset.element_spec == tf.TensorSpec((None, 8, 6, 1), tf.float32)
    np.testing.assert_array_equal(collect(dataset), image_module.to_float(IMAGES))


def test_training_batches_have_a_static_shape():
    dataset = data.load((IMAGES, LABELS), batch_size=16, labels=True)
    assert len(dataset) == 3
    assert dataset.element_spec == (
        tf.TensorSpec((16, 8, 6, 1), tf.float32),
        tf.TensorSpec((16,), tf.int32),
    )


def test_every_example_once_an_epoch_with_its_own_label():
    images, labels = collect(data.load((IMAGES, LABELS), batch_size=16, labels=True, drop_remainder=False))
    assert len(images) == 50
    position = {image.tobytes(): index for index, image in enumerate(IMAGES)}
    order = [position[image.tobytes()] for image in image_module.to_uint8(images)]
    assert sorted(order) == list(range(50))
    assert order != sorted(order)
    np.testing.assert_array_equal(labels, LABELS[order])


def test_epochs_differ_and_depend_on_seed_and_number_only():
    options = {"batch_size": 10, "flip": True}
    dataset = data.load(IMAGES, seed=3, **options)
    epochs = [collect(dataset) for _ in range(4)]
    assert not np.array_equal(epochs[0], epochs[1])
    again = data.load(IMAGES, seed=3, **options)
    for epoch in epochs:
        np.testing.assert_array_equal(collect(again), epoch)
    resumed = data.load(IMAGES, seed=3, first_epoch=2, **options)
    np.testing.assert_array_equal(collect(resumed), epochs[2])
    np.testing.assert_array_equal(collect(resumed), epochs[3])
    other = data.load(IMAGES, seed=4, **options)
    assert not np.array_equal(collect(other), epochs[0])


def test_repeat_goes_through_the_epochs():
    dataset = data.load(IMAGES, batch_size=10)
    two = collect(data.load(IMAGES, batch_size=10).repeat(2))
    np.testing.assert_array_equal(two, np.concatenate([collect(dataset), collect(dataset)]))


def test_seed_none_differs_from_call_to_call():
    first, second = (collect(data.load(IMAGES, batch_size=50, seed=None)) for _ in range(2))
    assert not np.array_equal(first, second)


class Recorder(keras.Model):
    """Records every batch that `fit` trains on."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def train_step(self, images):
        self.seen.append(images.numpy())
        return {"loss": tf.zeros(())}


def fitted(epochs, initial_epoch=0):
    model = Recorder()
    model.compile(optimizer=None, run_eagerly=True)
    dataset = data.load(IMAGES, batch_size=10, first_epoch=initial_epoch)
    model.fit(dataset, epochs=epochs, initial_epoch=initial_epoch, verbose=0, shuffle=False)
    return np.concatenate(model.seen)


def test_a_resumed_fit_sees_the_rest_of_an_uninterrupted_one():
    whole = fitted(3)
    assert len(whole) == 150
    np.testing.assert_array_equal(np.concatenate([fitted(1), fitted(3, 1)]), whole)


UNDER_A_STRATEGY = """
import keras
import numpy as np
import tensorflow as tf

from kerasgan import data

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
seen = []


class Recorder(keras.Model):
    def train_step(self, images):
        tf.numpy_function(lambda x: seen.extend(x.ravel().tolist()), [images], [])
        return {"loss": tf.zeros((1,))}


def fitted(epochs, initial_epoch=0):
    seen.clear()
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = Recorder()
        model.built = True
        model.compile(optimizer=None)
    images = np.arange(32, dtype=np.uint8)[:, None, None, None]
    dataset = data.load(images, batch_size=8, first_epoch=initial_epoch)
    model.fit(dataset, epochs=epochs, initial_epoch=initial_epoch, verbose=0, shuffle=False)
    # The two replicas report each batch in any order.
    return [sorted(seen[at : at + 8]) for at in range(0, len(seen), 8)]


whole = fitted(3)
assert len(whole) == 12, len(whole)
for epoch in range(3):
    together = sum(whole[4 * epoch : 4 * epoch + 4], [])
    assert len(set(together)) == 32, together
assert whole[:4] != whole[4:8]
assert fitted(1) + fitted(3, 1) == whole, whole
"""


def test_a_resumed_fit_sees_the_same_under_two_replicas():
    subprocess.run([sys.executable, "-c", UNDER_A_STRATEGY], check=True, timeout=300)


def test_flip_mirrors_about_half_and_differs_by_epoch():
    images = RNG.integers(0, 256, (400, 4, 4, 1), np.uint8)
    dataset = data.load(images, shuffle=False, flip=True)
    masks = []
    for _ in range(2):
        read = image_module.to_uint8(collect(dataset))
        same = (read == images).all((1, 2, 3))
        mirrored = (read == images[:, :, ::-1]).all((1, 2, 3))
        assert (same | mirrored).all()
        masks.append(mirrored)
    assert 140 < masks[0].sum() < 260
    assert not np.array_equal(*masks)


def test_binarize_thresholds_at_mid_grey():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    read = collect(data.load(levels, binarize=True, batch_size=1)).ravel()
    np.testing.assert_array_equal(read, [-1.0] * 128 + [1.0] * 128)


def test_limit_takes_the_first():
    read = collect(data.load(IMAGES, limit=7, shuffle=False))
    np.testing.assert_array_equal(read, image_module.to_float(IMAGES[:7]))


def test_float_arrays_and_missing_channel_axis():
    expected = image_module.to_float(IMAGES)
    np.testing.assert_array_equal(collect(data.load(expected, shuffle=False)), expected)
    images = RNG.integers(0, 256, (5, 8, 8), np.uint8)
    assert collect(data.load(images, shuffle=False)).shape == (5, 8, 8, 1)


def test_colour_and_size():
    image = np.zeros((1, 8, 8, 3), np.uint8)
    image[..., 1] = 200
    grey = collect(data.load(image, channels=1, shuffle=False))
    assert grey.shape == (1, 8, 8, 1)
    # ITU-R 601 luma: green counts 0.587.
    assert abs(int(image_module.to_uint8(grey)[0, 0, 0, 0]) - 117) <= 1
    colour = collect(data.load(IMAGES, channels=3, shuffle=False))
    np.testing.assert_array_equal(colour, np.repeat(image_module.to_float(IMAGES), 3, -1))
    assert collect(data.load(image, image_size=(4, 6), shuffle=False)).shape == (1, 4, 6, 3)


def test_crop_keeps_the_centre_and_stretching_keeps_all():
    image = np.zeros((1, 8, 16, 1), np.uint8)
    image[:, :, 4:12] = 255
    cropped = collect(data.load(image, image_size=8, shuffle=False))
    assert (cropped == 1).all()
    stretched = collect(data.load(image, image_size=8, crop=False, shuffle=False))
    assert (stretched[:, :, 0] < -0.9).all()
    assert (stretched[:, :, 4] > 0.9).all()


def test_shrinking_does_not_alias():
    checkers = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)[None, :, :, None]
    shrunk = collect(data.load(checkers, image_size=16, shuffle=False))
    assert np.abs(shrunk[:, 2:-2, 2:-2]).max() < 0.05


def test_mnist_mini_is_what_its_notice_says():
    digest = hashlib.sha256(mnist_mini.PATH.read_bytes()).hexdigest()
    assert digest in mnist_mini.PATH.with_name("MNIST_MINI.md").read_text()
    for split, count in (("train", 10_000), ("test", 2_000)):
        assert data.info("mnist_mini", split=split) == data.Info(
            "mnist_mini", count, (28, 28, 1), 10, tuple("0123456789")
        )
    images, labels = collect(data.load("mnist_mini", split="test", labels=True))
    assert images.shape == (2000, 28, 28, 1)
    assert images.min() == -1
    assert images.max() == 1
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(np.unique(labels), np.arange(10))
    assert len(data.load("mnist_mini")) == 10_000 // 128


def test_npy(tmp_path):
    np.save(tmp_path / "a.npy", IMAGES)
    read = collect(data.load(tmp_path / "a.npy", shuffle=False))
    np.testing.assert_array_equal(read, image_module.to_float(IMAGES))


@pytest.mark.parametrize("style", ["{}_images {}_labels", "x_{} y_{}", "images labels"])
def test_npz_layouts(tmp_path, style):
    path = tmp_path / "a.npz"
    image_key, label_key = style.format("train", "train").split()
    np.savez(path, **{image_key: IMAGES, label_key: LABELS})
    images, labels = collect(data.load(str(path), labels=True, shuffle=False))
    np.testing.assert_array_equal(images, image_module.to_float(IMAGES))
    np.testing.assert_array_equal(labels, LABELS)
    with pytest.raises(ValueError, match="'test'"):
        data.load(path, split="test")


def test_a_single_array_is_what_the_split_is_called_unless_its_name_says_otherwise(tmp_path):
    np.savez(tmp_path / "named.npz", digits=IMAGES)
    np.testing.assert_array_equal(
        collect(data.load(tmp_path / "named.npz", shuffle=False)), image_module.to_float(IMAGES)
    )
    np.savez(tmp_path / "test.npz", test_images=IMAGES)
    with pytest.raises(ValueError, match="none of which is known to be the images of split 'train'"):
        data.load(tmp_path / "test.npz")
    assert len(data.load(tmp_path / "test.npz", split="test", batch_size=len(IMAGES))) == 1


def test_unreadable_numpy_files(tmp_path):
    np.savez(tmp_path / "good.npz", images=IMAGES)
    whole = (tmp_path / "good.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npy").write_text("not an array")
    np.save(tmp_path / "object.npy", np.array([{}], object))
    for name in ("cut.npz", "text.npy", "object.npy", "none.npy"):
        with pytest.raises(ValueError, match=re.escape(name)):
            data.load(tmp_path / name)


FLOATS = image_module.to_float(IMAGES)


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        (IMAGES.astype(np.int64), {}, "int64 with values from 0 to 255.*astype"),
        (IMAGES > 100, {}, "bool.*Multiply them by 255"),
        (IMAGES // 255, {}, "from 0 to 1.*Multiply"),
        (IMAGES.astype(np.float32), {}, r"from 0.0 to 255.0.*127.5"),
        (FLOATS / 2 + 0.5, {}, r"look like \[0, 1\].*\* 2 - 1"),
        (np.where(FLOATS > 0.9, np.nan, FLOATS), {}, "NaN"),
        (IMAGES[0], {}, r"\(8, 6, 1\)"),
        (IMAGES[:0], {}, r"\(0, 8, 6, 1\)"),
        (np.zeros((4, 3, 8, 8), np.uint8), {}, "transpose"),
        (np.zeros((4, 8, 8, 4), np.uint8), {}, "1 or 3 channels"),
        ("nowhere.npy", {}, "no file nowhere.npy"),
        ("./nowhere", {}, "no file or folder"),
        (IMAGES, {"split": "trian"}, "'trian'.*'train'"),
        ("mnist_mini", {"split": "validation"}, "'validation'.*'train' or 'test'"),
        (IMAGES, {"batch_size": 51}, "batch_size=51.*50 examples.*drop_remainder=False"),
        (IMAGES, {"batch_size": 0}, "batch_size.*received 0"),
        (IMAGES, {"labels": True, "batch_size": 8}, "no labels"),
        ((IMAGES, LABELS[:9]), {}, r"shape \(50,\).*shape \(9,\)"),
        ((IMAGES, LABELS - 2), {}, "non-negative"),
        ((IMAGES, LABELS / 2), {}, "float64"),
        (IMAGES, {"channels": 2}, "received 2"),
        (IMAGES, {"image_size": (1, 2, 3)}, "image_size"),
        (IMAGES, {"image_size": 7.5}, "image_size.*7.5"),
        (IMAGES, {"limit": 0}, "limit"),
        (IMAGES, {"first_epoch": -1}, "first_epoch"),
        (IMAGES, {"seed": -1}, "seed"),
        (IMAGES, {"on_error": "ignore"}, "'ignore'"),
    ],
)
def test_errors_say_what_was_received(source, options, words):
    with pytest.raises(ValueError, match=words):
        data.load(source, **options)


def test_throwing_an_iterator_away_does_not_wait_for_a_tuner(images):
    """TensorFlow waits for the tuner's thread, which sleeps up to a minute at the end of a long epoch."""
    assert not data.load(images, batch_size=4).options().autotune.enabled
