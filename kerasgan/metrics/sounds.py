"""How good generated sounds are, by what a classifier hears in them: the statistics of images on other features."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasgan.kinds import Audio
from kerasgan.metrics import suite
from kerasgan.metrics.extractors import Features
from kerasgan.metrics.gaussian import GaussianStatistics
from kerasgan.metrics.result import Result, short
from kerasgan.support.configurable import unknown_name

READS = "audio"
# Those of `kerasgan.metrics.METRICS` that say something of a few hundred sounds.
METRICS = ("fid", "inception_score", "prdc", "classes", "labels")
# Generated sounds that are listened to for their labels, for each real one: they cost nothing.
HEARD = 10
BATCH_SIZE = 250


class SoundSet(NamedTuple):
    """Sounds, float32 (n, samples, channels) in [-1, 1], their labels where known, and what a protocol calls them."""

    name: str
    sounds: np.ndarray
    labels: np.ndarray | None

    @property
    def count(self) -> int:
        """Return how many there are."""
        return len(self.sounds)

    @property
    def fingerprint(self) -> str:
        """Return the sha256 of all sounds and their shape."""
        content = np.ascontiguousarray(self.sounds, "<f4")
        return hashlib.sha256(str(content.shape[1:]).encode() + content.tobytes()).hexdigest()


class Heard(NamedTuple):
    """A set of sounds and the features of each: what `suite` takes for an observed set of images."""

    features: Features
    images: SoundSet

    def gaussian(self) -> GaussianStatistics:
        """Return mean and covariance of the features."""
        statistics = GaussianStatistics(self.features.features.shape[1])
        statistics.update(self.features.features)
        return statistics


def evaluate(
    model, against, n: int, seed: int, split: str | None, extractor, metrics, provenance: dict, **data
) -> list[Result]:
    """Return what `kerasgan.metrics.evaluate` says of a model that makes sounds.

    `fid`, the Inception score, precision and recall are those of as many generated sounds as there are real ones, by
    the features of the classifier of spoken digits. Of a model that is told what to say, `labels_heeded` is the share
    that the classifier hears as what was asked for, of ten times as many; beside it the share of real recordings that
    it hears as what they are.

    Args:
        model: makes `kerasgan.kinds.Audio`.
        against: the real sounds: what `kerasgan.data.audio.load` takes.
        n: sounds at most on each side.
        seed: of the generated sounds and of the metrics.
        split: the real sounds; None takes "test" where there is one. The others, for the real-versus-real value, come
            from "train"; where there is only one split, or an array, it is every second sound each.
        extractor: None for the classifier of spoken digits; or a function of float32 sounds (n, samples, channels) that
            returns features (n, d), or features and probabilities (n, classes).
        metrics: names of `METRICS`; None for all that apply.
        provenance: of the results.
        **data: further arguments of `kerasgan.data.audio.load`.

    Raises:
        ValueError: the classifier does not hear such sounds, a name is unknown, or the data do not exist.
    """
    chosen = _chosen(metrics)
    hear, name, sha256 = _listener(extractor, model.makes)
    real, other = _real_sets(against, split, model.makes, n, data)
    made = _generated(model, HEARD * real.count, seed)
    features = hear(made.sounds)
    some = _first(Heard(features, made), real.count)
    sets = suite.Sets(some, Heard(hear(real.sounds), real), Heard(hear(other.sounds), other), None, seed)
    protocol = {
        "extractor": name,
        "weights": sha256,
        "generated sounds": some.images.count,
        "real sounds": real.count,
        "real": real.name,
        "real sha256": real.fingerprint,
        "floor": other.name,
        "seed": seed,
    }
    values = [value for each in chosen if each not in ("labels", "classes") for value in suite.METRICS[each](sets)]
    if "classes" in chosen and made.labels is None:
        values += suite.METRICS["classes"](sets)
    if "labels" in chosen:
        values += _labels_heeded(Heard(features, made), sets.real)
    return [_result(value, name, protocol, provenance) for value in values]


def can_hear(model) -> bool:
    """Return whether a model makes sounds such as the classifier of spoken digits hears, or no sounds at all."""
    from kerasgan.metrics.classifiers.listener import HEARS

    return getattr(model, "reads", None) != READS or model.makes == HEARS


def _chosen(metrics) -> list[str]:
    named = METRICS if metrics is None else [metrics] if isinstance(metrics, str) else list(metrics)
    for name in named:
        if name not in METRICS:
            raise ValueError(unknown_name("metric of sounds", name, METRICS))
    return [name for name in METRICS if name in named]


def _listener(extractor, makes: Audio) -> tuple[Callable, str, str | None]:
    """Return a function of sounds to `Features`, its name and the sha256 of its weights."""
    from kerasgan.metrics.classifiers import listener

    if callable(extractor):
        return lambda sounds: _features(extractor(sounds)), getattr(extractor, "__name__", "custom"), None
    if extractor not in (None, listener.NAME):
        raise ValueError(f"Sounds are measured by {listener.NAME!r} or by a function of yours; received {extractor!r}.")
    if makes != listener.HEARS:
        raise ValueError(
            f"The classifier of spoken digits hears {listener.HEARS.describe()}; the model makes {makes.describe()}. "
            "Give extractor=, a function of sounds (n, samples, channels) that returns features (n, d)."
        )
    hear = listener.load()
    return hear, hear.name, hear.sha256


def _features(result) -> Features:
    parts = result if isinstance(result, tuple) else (result,)
    return Features(*(np.asarray(part, "float32") for part in parts))


def _real_sets(against, split: str | None, makes: Audio, n: int, data: dict) -> tuple[SoundSet, SoundSet]:
    """Return real sounds to compare with, and as many others; of an array, and of one split, every second each."""
    if isinstance(against, str) and split is None and _has_test(against, data):
        split = "test"
    if isinstance(against, str) and split not in (None, "train"):
        real = _read(against, split, makes, n, data)
        return real, _read(against, "train", makes, real.count, data)
    both = _read(against, split or "train", makes, 2 * n, data)
    if both.count < 2:
        raise ValueError(f"{both.name} holds {both.count} sound; at least 2 are needed here. Give more.")
    halves = (
        SoundSet(
            f"{both.name}[{half}::2]",
            both.sounds[half : both.count // 2 * 2 : 2],
            None if both.labels is None else both.labels[half : both.count // 2 * 2 : 2],
        )
        for half in (0, 1)
    )
    return tuple(halves)


def _has_test(against: str, data: dict) -> bool:
    from kerasgan.data import audio

    try:
        audio.info(against, split="test", limit=1, data_dir=data.get("data_dir"))
    except ValueError as error:
        if "split 'test'" in str(error):
            return False
        raise
    return True


def _read(against, split: str, makes: Audio, n: int, data: dict) -> SoundSet:
    from kerasgan.data import audio

    shape = {"samples": makes.samples, "channels": makes.channels, "rate": makes.rate}
    labelled = audio.info(against, split=split, **shape, data_dir=data.get("data_dir")).num_classes is not None
    batches = audio.load(
        against, split=split, limit=n, labels=labelled, batch_size=BATCH_SIZE, shuffle=False, drop_remainder=False,
        **shape, **data,
    )  # fmt: skip
    parts = [batch if labelled else (batch, None) for batch in batches.as_numpy_iterator()]
    sounds, labels = zip(*parts, strict=True)
    name = f"{against if isinstance(against, str) else 'array'}/{split}"
    return SoundSet(name, np.concatenate(sounds), np.concatenate(labels) if labelled else None)


def _generated(model, n: int, seed: int) -> SoundSet:
    classes = getattr(model.takes.get("labels"), "num_classes", None)
    labels = None if classes is None else np.arange(n) % classes
    given = {} if labels is None else {"labels": labels}
    return SoundSet(f"generated by {model.name}", model.generate(n, seed=seed, **given), labels)


def _first(heard: Heard, n: int) -> Heard:
    name, sounds, labels = heard.images
    features = Features(*(None if part is None else part[:n] for part in heard.features))
    return Heard(features, SoundSet(name, sounds[:n], None if labels is None else labels[:n]))


def _labels_heeded(made: Heard, real: Heard) -> list[suite.Value]:
    """Return the share of sounds that are heard as what was asked for, beside that of real ones; of `made`, all."""
    if made.images.labels is None or made.features.probabilities is None:
        return []
    value, floor = (
        None if each.images.labels is None else np.mean(each.features.probabilities.argmax(1) == each.images.labels)
        for each in (made, real)
    )
    settings = {
        "generated sounds": made.images.count,
        "labels": "the extractor's most probable class",
        "floor": f"{real.images.name}, heard as what they are",
    }
    return [suite.Value("labels_heeded", value, floor, settings=settings)]


def _result(value: suite.Value, extractor: str, protocol: dict, provenance: dict) -> Result:
    protocol = {"metric": value.name} | protocol | (value.settings or {})
    numbers = (None if each is None else float(each) for each in (value.value, value.floor, value.spread))
    return Result(f"{value.name}_{extractor}_{short(protocol['generated sounds'])}", *numbers, protocol, provenance)
