"""BLEU, self-BLEU and reverse perplexity of texts."""

import numpy as np
import pytest

from kerasgan import metrics
from kerasgan.metrics.bleu import References, bleu, self_bleu
from kerasgan.metrics.text import Texts, perplexity
from kerasgan.models import SeqGAN

REAL = ["a dog runs on the grass", "the cat sleeps on a red bed", "a dog sleeps", "two cats run on the road today"]
SAMPLES = ["a dog sleeps on the bed", "the the the", "a dog sleeps", "two birds fly", "cats"]


def split(lines):
    return [line.split() for line in lines]


def test_bleu_is_that_of_nltk():
    score = pytest.importorskip("nltk.translate.bleu_score")
    smoothing = score.SmoothingFunction().method1
    references = References(split(REAL))
    for sample in split(SAMPLES)[:4]:
        found = bleu([sample], references)
        for order, value in found.items():
            if len(sample) >= order:  # Beyond its own length nltk leaves phrases out.
                weights = (1 / order,) * order
                expected = score.sentence_bleu(split(REAL), sample, weights, smoothing_function=smoothing)
                assert value == pytest.approx(expected), (sample, order)


def test_bleu_of_real_sentences_is_one_and_of_unknown_words_nothing():
    references = References(split(REAL))
    assert bleu(split(REAL)[:2], references) == pytest.approx(dict.fromkeys((2, 3, 4, 5), 1.0))
    assert bleu([["zebra", "quagga"]], references) == dict.fromkeys((2, 3, 4, 5), 0.0)
    assert bleu([[]], references)[2] == 0.0


def test_bleu_does_not_pay_for_the_same_word_again():
    references = References(split(REAL))
    assert bleu([["the", "the", "the"]], references)[2] < 0.5


def test_self_bleu_compares_a_sentence_with_the_others_only():
    different, alike = self_bleu(split(REAL)), self_bleu([REAL[0].split()] * 3)
    assert alike == pytest.approx(dict.fromkeys((2, 3, 4, 5), 1.0))
    # Each by hand: against references without itself.
    lines = split(REAL)
    each = [bleu([line], References(lines[:k] + lines[k + 1 :]))[2] for k, line in enumerate(lines)]
    assert different[2] == pytest.approx(np.mean(each))
    assert different[2] < 0.9


def test_who_has_read_the_same_language_is_less_surprised():
    random = np.random.default_rng(0)
    real, alike = (((random.integers(0, 2, (256, 1)) + np.arange(6)) % 8).astype("int32") for _ in range(2))
    noise = random.integers(0, 8, (256, 6)).astype("int32")
    texts = Texts(noise, real, alike, padded=False, vocabulary=8, seed=0)
    known, unknown = perplexity(alike, texts), perplexity(noise, texts)
    assert known < 0.5 * unknown
    assert perplexity(alike, texts) == known


@pytest.fixture
def texts(tmp_path):
    (tmp_path / "train.txt").write_text("\n".join(REAL * 8), encoding="utf-8")
    (tmp_path / "test.txt").write_text("\n".join(["a dog sleeps on a zebra", *REAL[:3]]), encoding="utf-8")
    return tmp_path


def writer(folder, **settings):
    from kerasgan.data import tokens

    arguments = tokens.info(folder).arguments
    return SeqGAN(**arguments, windows=(2,), filters=(4,), units=4, seed=0, **settings)


def test_evaluate_measures_a_writer_on_held_out_texts(texts):
    results = {each.protocol["metric"]: each for each in metrics.evaluate(writer(texts), str(texts), n=50)}
    assert set(results) == {
        *(f"{kind}_{k}" for kind in ("bleu", "self_bleu") for k in (2, 3, 4, 5)),
        "reverse_perplexity",
    }
    best = results["bleu_2"]
    assert best.name == "bleu_2_4"
    assert best.value < best.floor, "an untrained writer is worse than real texts"
    assert best.protocol["real"].endswith("/test")
    assert best.protocol["unknown words"] == "4.55%", "zebra, of 22 words"


def test_evaluate_takes_some_metrics_and_refuses_others(texts):
    found = metrics.evaluate(writer(texts), str(texts), metrics="bleu")
    assert [each.protocol["metric"] for each in found] == ["bleu_2", "bleu_3", "bleu_4", "bleu_5"]
    with pytest.raises(ValueError, match="metric of texts"):
        metrics.evaluate(writer(texts), str(texts), metrics=["fid"])
    with pytest.raises(ValueError, match="leave out extractor"):
        metrics.evaluate(writer(texts), str(texts), extractor="mnist")


def test_texts_of_which_no_word_is_known_are_refused(texts, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("wer reitet so\nspät durch nacht", encoding="utf-8")
    with pytest.raises(ValueError, match="holds none of the"):
        metrics.evaluate(writer(texts), str(other), metrics="bleu")
