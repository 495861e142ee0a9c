"""What each kind of array draws, checks, compares, keeps and shows."""

import subprocess
import sys
import wave

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from kerasgan.kinds import Audio, Images, Kind, Labels, Latents, Tokens, Vectors
from kerasgan.kinds.spectrograms import spectrograms

WORDS = ("", "a", "red", "bird", "flies")
KINDS = {
    "latents": Latents(3),
    "labels": Labels(3),
    "images": Images((4, 6, 3)),
    "audio": Audio(50, channels=2, rate=8000),
    "tokens": Tokens(4, 5, WORDS),
    "vectors": Vectors(7),
}
MADE = [KINDS[name] for name in ("images", "audio", "tokens", "vectors")]
SEED = tf.constant([3, 0])


def some(kind: Kind, n: int = 3) -> np.ndarray:
    random = np.random.default_rng(0)
    if kind.dtype == "int32":
        return random.integers(0, kind.bounds[1] + 1, (n, *kind.shape)).astype("int32")
    return random.uniform(-1, 1, (n, *kind.shape)).astype("float32")


def test_kinds_need_no_tensorflow():
    code = "import sys, kerasgan.kinds; print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "False"]


# Drawing


def test_normal_latents_are_those_that_presets_were_checked_with():
    drawn = Latents(3).draw(4, SEED)
    np.testing.assert_array_equal(drawn, tf.random.stateless_normal((4, 3), SEED))
    assert drawn.dtype == tf.float32


@pytest.mark.parametrize(("distribution", "low", "high"), [("uniform", -1, 1), ("unit", 0, 1)])
def test_uniform_latents_fill_their_range(distribution, low, high):
    drawn = np.asarray(Latents(100, distribution).draw(100, SEED))
    assert low <= drawn.min() < low + 0.01
    assert high - 0.01 < drawn.max() < high


def test_an_unknown_distribution_is_refused():
    with pytest.raises(ValueError, match=r"distribution must be one of .*'normal'.*received 'gauss'"):
        Latents(3, "gauss")


def test_labels_are_drawn_in_turn():
    assert np.asarray(Labels(3).draw(7, SEED)).tolist() == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize(
    ("name", "one", "three"),
    [("images", "1 image", "3 images"), ("tokens", "1 text", "3 texts"), ("audio", "1 sound", "3 sounds")],
)
def test_what_is_made_is_counted_in_words(name, one, three):
    assert (KINDS[name].counted(1), KINDS[name].counted(3)) == (one, three)


@pytest.mark.parametrize("name", ["images", "audio", "tokens", "vectors"])
def test_nobody_makes_up_what_comes_from_data(name):
    assert not KINDS[name].drawn
    with pytest.raises(ValueError, match=f"make up {name}"):
        KINDS[name].draw(3, SEED)


def test_the_way_between_normal_latents_keeps_their_length_and_that_between_others_is_straight():
    start, end = np.array([3.0, 0.0, 0.0]), np.array([0.0, 3.0, 0.0])
    np.testing.assert_allclose(np.linalg.norm(Latents(3).path(start, end, 7), axis=1), 3.0, rtol=1e-6)
    np.testing.assert_allclose(Latents(3, "uniform").path(start, end, 3)[1], [1.5, 1.5, 0.0])


# Checking


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_good_batch_passes_every_check(kind):
    batch = some(kind)
    kind.check(batch)
    kind.check_values(batch)
    np.testing.assert_array_equal(kind.checked(tf.constant(batch)), batch)
    np.testing.assert_array_equal(kind.take(batch, 3, "x", "It"), batch)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_another_shape_or_sort_of_dtype_is_refused_for_arrays_and_tensors(kind):
    batch = some(kind)
    wrong = batch.astype("float32" if kind.dtype == "int32" else "int32")
    for bad in (batch[..., None], wrong):
        for each in (bad, tf.constant(bad)):
            with pytest.raises(ValueError, match="received"):
                kind.check(each, "It")


def test_half_precision_is_floating_point_too():
    kind = KINDS["images"]
    assert kind.checked(tf.cast(some(kind), "bfloat16")).dtype == tf.float32


OUTSIDE = [
    (Labels(3), [0, 3], r"0\.\.2"),
    (Labels(3), [-1, 0], r"0\.\.2"),
    (Labels(3, unknown=True), [-2, 0], r"-1\.\.2"),
    (Tokens(1, 5), [[0], [5]], r"0\.\.4"),
    (Tokens(1, 5), [[-1], [0]], r"0\.\.4"),
    (Images((1, 1, 1)), [[[[1.1]]]], r"in \[-1, 1\]"),
    (Images((1, 1, 1)), [[[[np.nan]]]], "finite"),
    (Audio(1), [[[-1.1]]], r"in \[-1, 1\]"),
    (Vectors(1), [[np.inf]], "finite"),
    (Vectors(1), [[np.nan]], "finite"),
]


@pytest.mark.parametrize(("kind", "values", "message"), OUTSIDE)
def test_values_out_of_bounds_are_refused_at_once_and_in_the_graph(kind, values, message):
    batch = np.asarray(values, kind.dtype)
    with pytest.raises(ValueError, match=message):
        kind.check_values(batch)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        tf.function(kind.checked)(tf.constant(batch))


def test_a_label_that_is_not_known_is_allowed_where_the_kind_says_so():
    Labels(3, unknown=True).check_values(np.array([-1, 2]))
    assert np.asarray(Labels(3, unknown=True).checked(tf.constant([-1, 2]))).tolist() == [-1, 2]
    with pytest.raises(ValueError, match=r"must be in 0\.\.2"):
        Labels(3, unknown=True).take([-1], 1, "labels", "It")


@pytest.mark.parametrize("bad", [[1, 2], 0.5, [[1], [2], [0]], [0, 1, 3], -1])
def test_labels_that_are_given_are_checked(bad):
    with pytest.raises(ValueError, match=r"labels must be.*received"):
        Labels(3).take(bad, 3, "labels", "It")
    assert Labels(3).take(2, 3, "labels", "It").tolist() == [2, 2, 2]


@pytest.mark.parametrize("given", [np.zeros((2, 7), "float32"), np.float32(0)])
def test_another_number_than_asked_for_is_refused(given):
    with pytest.raises(ValueError, match=r"It needs codes= for each of the 3"):
        KINDS["vectors"].take(given, 3, "codes", "It")


# Comparing


def test_the_error_of_numbers_is_the_largest_and_that_of_sequences_their_share():
    assert Images((1, 1, 1)).error(np.zeros((2, 1, 1, 1)), np.array([0.0, 0.5]).reshape(2, 1, 1, 1)) == 0.5
    assert Tokens(2, 5).error([[1, 2], [1, 2]], [[1, 2], [1, 4]]) == 0.5
    assert Tokens(2, 5).quantizations == ("float32",)


# Keeping


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.name)
def test_what_is_packed_twice_is_packed_once(kind):
    kept = kind.unpack(kind.pack(some(kind)))
    assert kept.dtype == kind.dtype
    assert kind.error(kept, some(kind)) <= 1 / 255
    np.testing.assert_array_equal(kind.unpack(kind.pack(kept)), kept)


def test_images_are_saved_as_a_grid_or_one_by_one(tmp_path):
    kind = KINDS["images"]
    kind.save(tmp_path / "grid.png", some(kind, 4))
    assert size(tmp_path / "grid.png") == (2 + 2 * 8, 2 + 2 * 6)
    kind.save_each(tmp_path / "folder", some(kind, 2), first=7)
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == ["00007.png", "00008.png"]
    assert size(tmp_path / "folder" / "00007.png") == (6, 4)


def size(path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_grey_sources_stand_to_the_left_of_the_coloured_images_made_of_them(tmp_path):
    made, sources = np.full((2, 4, 6, 3), 1.0, "float32"), np.full((2, 4, 6, 1), -1.0, "float32")
    KINDS["images"].save(tmp_path / "pairs.png", made, beside=sources)
    with Image.open(tmp_path / "pairs.png") as image:
        picture = np.asarray(image)
    assert picture[3, 3].tolist() == [0, 0, 0]
    assert picture[3, 11].tolist() == [255, 255, 255]


def test_sounds_are_saved_as_sixteen_bit_waves_with_a_pause_between(tmp_path):
    kind = KINDS["audio"]
    sounds = some(kind, 2)
    kind.save(tmp_path / "all.wav", sounds)
    with wave.open(str(tmp_path / "all.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
        levels = np.frombuffer(file.readframes(10_000), "<i2").reshape(-1, 2)
    assert len(levels) == 50 + 2000 + 50
    np.testing.assert_allclose(levels[-50:] / 32767, sounds[1], atol=1 / 32767)
    assert not levels[50:-50].any()
    kind.save_each(tmp_path / "folder", sounds)
    assert len(list((tmp_path / "folder").glob("*.wav"))) == 2
    with pytest.raises(ValueError, match="not finite"):
        kind.save(tmp_path / "bad.wav", sounds * np.nan)
    assert not (tmp_path / "bad.wav").exists()


def test_spectrograms_show_pitch_upwards_and_time_to_the_right():
    time = np.arange(4096)[:, None] / 8000
    rising = np.where(time < 0.256, np.sin(2 * np.pi * 1000 * time), np.sin(2 * np.pi * 3000 * time))
    silent = np.full_like(rising, np.nan)
    tone, nothing = spectrograms(np.stack([rising, silent]))[..., 0]
    assert tone.shape == (64, 96)
    # 4,000 Hz at the top, 0 at the bottom.
    assert tone[:, 10].argmax() == pytest.approx(48, abs=1)
    assert tone[:, 85].argmax() == pytest.approx(16, abs=1)
    assert tone.max() == 255
    assert not nothing.any()
    assert spectrograms(np.ones((1, 10, 2))).shape == (1, 64, 96, 1)


def test_sequences_are_saved_as_lines_of_words_without_the_empty_one(tmp_path):
    KINDS["tokens"].save(tmp_path / "all.txt", [[1, 2, 3, 4], [1, 3, 0, 0]])
    assert (tmp_path / "all.txt").read_text() == "a red bird flies\na bird\n"
    assert Tokens(2, 5).text([[4, 0]]) == ["4 0"]
    with pytest.raises(ValueError, match="vocabulary of 5 needs as many words; received 1"):
        Tokens(2, 5, ("a",))


def test_vectors_are_saved_as_an_array(tmp_path):
    KINDS["vectors"].save(tmp_path / "all.npy", some(KINDS["vectors"]))
    np.testing.assert_array_equal(np.load(tmp_path / "all.npy"), some(KINDS["vectors"]))


def test_a_file_has_room_for_a_number_of_them():
    assert Images((28, 28, 1)).most_in_a_file == 2**26 // 900
    assert Images((10_000, 10_000, 3)).most_in_a_file == 1
    assert Tokens(20, 5).most_in_a_file == 2**26 // 20


# Showing


@pytest.mark.parametrize(
    ("kind", "plugin"), [("images", "images"), ("audio", "audio"), ("tokens", "text"), ("vectors", "histograms")]
)
def test_each_kind_has_its_page_in_tensorboard_even_diverged(kind, plugin, tmp_path):
    kind = KINDS[kind]
    made = some(kind)
    if kind.dtype == "float32":
        made[0] = np.nan
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        kind.summarize("samples", made, step=3)
    events = EventAccumulator(str(tmp_path)).Reload()
    assert events.summary_metadata["samples"].plugin_data.plugin_name == plugin
    assert [event.step for event in events.Tensors("samples")] == [3]


def test_kinds_are_compared_by_what_they_say():
    assert Images([28, 28, 1]) == Images((28, 28, 1))
    assert Labels(10) != Labels(10, unknown=True)
    assert Images((28, 28, 1)).describe() == "28x28x1"
    assert keras.tree.flatten({"a": Latents(3)}) == [Latents(3)]


def test_characters_stand_together_and_words_apart():
    assert Tokens(3, 4, ("", "<unknown>", "春", "山")).text([[2, 2, 3], [2, 1, 0]]) == ["春春山", "春<unknown>"]
    assert Tokens(3, 4, ("", "<unknown>", "a", "dog")).text([[2, 3, 0]]) == ["a dog"]
