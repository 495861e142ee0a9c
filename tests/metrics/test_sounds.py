"""What is heard in sounds: the classifier of spoken digits, and the metrics that rest on it."""

import numpy as np
import pytest

import kerasgan
from kerasgan import metrics
from kerasgan.kinds import Audio, Labels, Latents
from kerasgan.metrics import sounds as sound_metrics
from kerasgan.metrics.classifiers import card, listener

RATE = 8000


def tones(n, seed=0, samples=4096):
    """Sounds of ten pitches in turn, of random loudness, with their numbers."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    phase, loudness = random.uniform(0, 2 * np.pi, (n, 1, 1)), random.uniform(0.2, 0.9, (n, 1, 1))
    time = np.arange(samples)[:, None] / RATE
    waves = np.sin(2 * np.pi * 200 * (1 + labels[:, None, None]) * time + phase)
    return (loudness * waves).astype("float32"), labels.astype("int32")


def by_pitch(sounds):
    """Features and probabilities of tones: which of the ten pitches it is."""
    spectrum = np.abs(np.fft.rfft(sounds[..., 0]))
    places = 200 * np.arange(1, 11) * sounds.shape[1] // RATE
    strength = np.stack([spectrum[:, place - 2 : place + 3].max(1) for place in places], axis=1)
    share = strength / strength.sum(1, keepdims=True)
    return share, share


class Singer:
    """Sings what it is told; some of it wrongly."""

    reads, name, num_classes = "audio", "singer", 10

    def __init__(self, wrong=0, makes=None):
        self.wrong, self.makes = wrong, makes or Audio(4096, 1, RATE)
        self.takes = {"latents": Latents(2), "labels": Labels(10)}

    def generate(self, n, seed=None, labels=None):
        sung, _ = tones(n, seed, self.makes.samples)
        return np.where(np.arange(n)[:, None, None] < self.wrong, np.roll(sung, 1, axis=0), sung)


def measured(singer, **options):
    sung, labels = tones(200, 1)
    # Half of every pitch is compared with the other half.
    order = np.argsort(np.arange(200) // 10 % 2, kind="stable").reshape(2, 100).T.ravel()
    results = metrics.evaluate(singer, (sung[order], labels[order]), extractor=by_pitch, **options)
    return {result.protocol["metric"]: result for result in results}


def test_labels_heeded_counts_what_is_heard_as_it_was_asked_for():
    assert measured(Singer())["labels_heeded"].value == 1
    heeded = measured(Singer(wrong=100))["labels_heeded"]
    assert (heeded.value, heeded.floor, heeded.name) == (0.9, 1.0, "labels_heeded_by_pitch_1k")


def test_a_singer_as_good_as_real_scores_as_real_does_and_a_monotone_one_does_not():
    good = measured(Singer())
    assert good["fid"].value < 1.5 * good["fid"].floor + 1e-3
    monotone = Singer()
    monotone.generate = lambda n, seed=None, labels=None: np.repeat(tones(1)[0], n, axis=0)
    bad = measured(monotone)
    assert bad["fid"].value > 10 * good["fid"].value
    assert bad["recall"].value < 0.2 < good["recall"].value
    assert bad["labels_heeded"].value == pytest.approx(0.1)


def test_results_carry_what_was_compared_and_compare_only_with_their_like():
    one, other = measured(Singer(), seed=0)["fid"], measured(Singer(), seed=1)["fid"]
    assert one.protocol["real sounds"] == one.protocol["generated sounds"] == 100
    assert one.protocol["extractor"] == "by_pitch"
    with pytest.raises(ValueError, match="differ in seed"):
        one.minus(other)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"extractor": "mnist"}, "'spoken_digit' or by a function.*received 'mnist'"),
        ({"metrics": "ms_ssim"}, "metric of sounds"),
        ({}, "hears 4096x1 at 8000 Hz; the model makes 256x1 at 16000 Hz.*extractor="),
    ],
)
def test_what_cannot_be_measured_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        metrics.evaluate(Singer(makes=Audio(256, 1, 16_000)), tones(10), **options)


def test_the_classifier_does_not_mind_loudness_and_gives_finite_numbers_for_silence():
    hear = listener.load()
    spoken = tones(4)[0]
    loud, quiet = hear(spoken), hear(spoken / 50)
    np.testing.assert_allclose(quiet.features, loud.features, atol=1e-3)
    silent = hear(np.zeros((1, 4096, 1), "float32"))
    assert np.isfinite(silent.features).all()
    assert silent.probabilities.sum() == pytest.approx(1, abs=1e-4)
    with pytest.raises(ValueError, match=r"shape \(4096, 1\)"):
        hear(np.zeros((1, 100, 1), "float32"))


def test_the_card_says_how_often_the_classifier_is_right_and_a_damaged_one_is_refused(tmp_path):
    facts = card(listener.NAME)
    assert facts["test_recordings"] == 250
    assert facts["test_accuracy"] >= 0.95
    for file in listener.FOLDER.glob("spoken_digit.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with open(tmp_path / "spoken_digit.weights.h5", "ab") as weights:
        weights.write(b"more")
    with pytest.raises(ValueError, match="damaged"):
        listener.load(tmp_path)


def test_the_classifier_hears_the_test_recordings_as_its_card_says():
    try:
        kerasgan.data.audio.info("spoken_digit", limit=1)
    except ValueError:
        pytest.skip("spoken_digit is not prepared here")
    from kerasgan.metrics.classifiers.train_listener import accuracy

    assert accuracy(listener.load()) == (card(listener.NAME)["test_accuracy"], 250)


def test_a_name_of_the_suite_is_all_that_sounds_need():
    assert set(sound_metrics.METRICS) <= set(metrics.METRICS)
