"""How good texts are: phrases that real texts have too, variety, and what a reader of them knows of real ones.

BLEU looks at phrases: a model that writes one true sentence again and again has the best. Self-BLEU shows that, but
not whether what varies is sensible. Reverse perplexity asks for both: a language model is trained on nothing but
samples and reads real texts. Zhao et al. 2018 (https://arxiv.org/abs/1706.04223). Each stands beside what as many real
training texts score in place of the samples.
"""

import math
from typing import NamedTuple

import numpy as np

from kerasgan.metrics.bleu import ORDERS, References, bleu, self_bleu
from kerasgan.metrics.checks import held_out_or_train
from kerasgan.metrics.result import Result, short
from kerasgan.support.configurable import unknown_name

METRICS = ("bleu", "self_bleu", "reverse_perplexity")
# The language model that reads: small, and trained for so many passes over the samples.
UNITS, EPOCHS, BATCH_SIZE, RATE = 32, 3, 64, 1e-2


class Texts(NamedTuple):
    """What is measured: int32 arrays (n, length) of tokens, and whether 0 is padding.

    `other` are real training texts, which stand in the samples' place for the floor.
    """

    generated: np.ndarray
    real: np.ndarray
    other: np.ndarray
    padded: bool
    vocabulary: int
    seed: int

    def sentences(self, rows: np.ndarray) -> list[tuple]:
        """Return the words of each row, without padding."""
        return [tuple(token for token in row if token or not self.padded) for row in rows.tolist()]


def evaluate(
    model, against, n: int, seed: int, split: str | None, extractor, metrics, provenance: dict, **data
) -> list[Result]:
    """Return what `kerasgan.metrics.evaluate` says of a model that writes.

    Args:
        model: a model that reads tokens.
        against: what the reader of tokens takes.
        n: sequences on each side; fewer where there are fewer.
        seed: of the samples, and of the language model.
        split: the real texts to compare with; None takes "test", or, where there is none, "train".
        extractor: none is taken.
        metrics: some of `METRICS`; None for all.
        provenance: of the results.
        **data: further arguments of that reader.

    Raises:
        ValueError: the texts do not exist, hold no word that the model knows, or a metric is unknown.
    """
    if extractor:
        raise ValueError(f"{model.name} writes texts, which are measured by their words; leave out extractor=.")
    chosen = _chosen(metrics)
    split, real = held_out_or_train(lambda each: _read(model, against, each, n, data), split)
    other = _read(model, against, "train", len(real), data) if split != "train" else real
    texts = Texts(
        generated=model.generate(len(real), seed=seed),
        real=real,
        other=other,
        padded=bool(model.makes.words) and not model.makes.words[0],
        vocabulary=model.makes.vocabulary,
        seed=seed,
    )
    facts = {
        "real": f"{against}/{split}",
        "real sequences": len(real),
        "generated sequences": len(real),
        "unknown words": f"{_share_unknown(texts):.2%}",
        "floor": f"{against}/train",
        "seed": seed,
    }
    measures = {"bleu": _bleu, "self_bleu": _self_bleu, "reverse_perplexity": _reverse_perplexity}
    return [
        Result(f"{name}_{short(len(real))}", value, floor, None, {"metric": name} | facts | settings, provenance)
        for metric in chosen
        for name, value, floor, settings in measures[metric](texts)
    ]


def _bleu(texts: Texts):
    references = References(texts.sentences(texts.real))
    found, floor = (bleu(texts.sentences(rows), references) for rows in (texts.generated, texts.other))
    for order in ORDERS:
        yield f"bleu_{order}", found[order], floor[order], {"smoothing": "method 1"}


def _self_bleu(texts: Texts):
    found, floor = (self_bleu(texts.sentences(rows)) for rows in (texts.generated, texts.other))
    for order in ORDERS:
        yield f"self_bleu_{order}", found[order], floor[order], {"smoothing": "method 1"}


def _reverse_perplexity(texts: Texts):
    found, floor = (perplexity(rows, texts) for rows in (texts.generated, texts.other))
    settings = {"reader": f"LSTM of {UNITS} units, {EPOCHS} epochs", "unit": "per word"}
    yield "reverse_perplexity", found, floor, settings


def perplexity(learned: np.ndarray, texts: Texts) -> float:
    """Return the perplexity of the real texts, a word, to a language model that has learned from other sequences."""
    import keras
    import tensorflow as tf

    from kerasgan.networks.seqgan import seqgan_generator

    reader = seqgan_generator(learned.shape[1], texts.vocabulary, UNITS, UNITS, "float32", texts.seed)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    reader.compile(keras.optimizers.Adam(RATE), loss, jit_compile=False)
    learning = tf.data.Dataset.from_tensor_slices((learned, learned, _counts(learned, texts.padded) / BATCH_SIZE))
    learning = learning.shuffle(len(learned), seed=texts.seed).batch(BATCH_SIZE)
    reader.fit(learning, epochs=EPOCHS, shuffle=False, verbose=0)
    nats = sum(
        float(loss(rows, reader(rows), sample_weight=_counts(rows, texts.padded)))
        for rows in np.array_split(texts.real, math.ceil(len(texts.real) / BATCH_SIZE))
    )
    return math.exp(nats / _counts(texts.real, texts.padded).sum())


def _counts(rows: np.ndarray, padded: bool) -> np.ndarray:
    """Return 1 for every word and for the padding that ends a sequence, 0 for what comes after: float32 (n, length)."""
    if not padded:
        return np.ones(rows.shape, "float32")
    ended = np.cumsum(rows == 0, axis=1)
    return (ended <= 1).astype("float32")


def _chosen(metrics) -> list[str]:
    if metrics is None:
        return list(METRICS)
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    for name in metrics:
        if name not in METRICS:
            raise ValueError(unknown_name("metric of texts", name, METRICS))
    return [name for name in METRICS if name in metrics]


def _read(model, against, split: str, n: int, data: dict) -> np.ndarray:
    """Return sequences of a split, numbered as the model's are."""
    from kerasgan.data import tokens

    kind = model.makes
    numbered = {"words": kind.words} if kind.words else {"vocabulary": kind.vocabulary}
    batches = tokens.load(
        against, split=split, length=kind.length, limit=n, shuffle=False, drop_remainder=False, **numbered, **data
    )
    return np.concatenate([batch.numpy() for batch in batches])


def _share_unknown(texts: Texts) -> float:
    """Return the share of the real words that the model does not know."""
    if not texts.padded:
        return 0.0
    words = [token for sentence in texts.sentences(texts.real) for token in sentence]
    return sum(token == 1 for token in words) / max(len(words), 1)
