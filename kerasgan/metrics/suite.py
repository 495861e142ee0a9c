"""The metrics of `evaluate`, each computed from the same three sets of images."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasgan.metrics import ms_ssim
from kerasgan.metrics.extractors import Extractor
from kerasgan.metrics.frechet import fid_infinity, frechet_distance, require_full_rank
from kerasgan.metrics.image_sets import ImageSet
from kerasgan.metrics.inception_score import inception_score
from kerasgan.metrics.kid import kid
from kerasgan.metrics.memorisation import QUANTILE, memorised_share, share_of_copies
from kerasgan.metrics.modes import mode_statistics
from kerasgan.metrics.neighbours import prdc
from kerasgan.metrics.observe import Observed

SUBSETS, SUBSET_SIZE = 100, 1000
NEIGHBOURS = 5
SPLITS = 10
PAIRS = 1000
# With fewer samples a dimension, the subsets are too alike to extrapolate from.
LINE = 8
# Inception's 1008 classes are no modes of anybody's data.
MOST_CLASSES = 100


class Sets(NamedTuple):
    """What is measured: generated images, the real ones to compare with, and other real ones in their place.

    `training` is None where the real images may be training images themselves; `neighbours` is the extractor's;
    `labels` are those that a conditional model was asked for, one a generated image.
    """

    generated: Observed
    real: Observed
    other: Observed
    training: ImageSet | None
    seed: int
    neighbours: str = "pixels"
    labels: np.ndarray | None = None


class Value(NamedTuple):
    """One number of a metric; `settings` are what this metric adds to the protocol."""

    name: str
    value: float
    floor: float | None = None
    spread: float | None = None
    settings: dict | None = None


def _fid(sets: Sets) -> list[Value]:
    real, generated, other = (each.gaussian() for each in (sets.real, sets.generated, sets.other))
    require_full_rank(real.mean.size, generated=generated.count, real=real.count)
    return [Value("fid", frechet_distance(generated, real), frechet_distance(other, real))]


def _fid_infinity(sets: Sets) -> list[Value]:
    real = sets.real.gaussian()
    if sets.generated.images.count < LINE * real.mean.size:
        return []
    value, error = fid_infinity(sets.generated.features.features, real, seed=sets.seed)
    floor, _ = fid_infinity(sets.other.features.features, real, seed=sets.seed)
    return [Value("fid_infinity", value, floor, error, {"spread": "standard error of the intercept"})]


def _kid(sets: Sets) -> list[Value]:
    size = min(SUBSET_SIZE, sets.real.images.count, sets.generated.images.count)

    def compare(observed):
        features = observed.features.features, sets.real.features.features
        return kid(*features, subsets=SUBSETS, subset_size=size, seed=sets.seed)

    (value, error), (floor, _) = compare(sets.generated), compare(sets.other)
    settings = {"subsets": SUBSETS, "subset size": size, "spread": "standard error"}
    return [Value("kid", value, floor, error, settings)]


def _inception_score(sets: Sets) -> list[Value]:
    if sets.generated.features.probabilities is None:
        return []
    value, spread = inception_score(sets.generated.features.probabilities, SPLITS)
    floor, _ = inception_score(sets.other.features.probabilities, SPLITS)
    settings = {"splits": SPLITS, "spread": "standard deviation over splits"}
    return [Value("inception_score", value, floor, spread, settings)]


def _prdc(sets: Sets) -> list[Value]:
    real = sets.real.features.features
    values = prdc(real, sets.generated.features.features, NEIGHBOURS)
    floors = prdc(real, sets.other.features.features, NEIGHBOURS)
    return [
        Value(name, value, floor, settings={"neighbours": NEIGHBOURS})
        for name, value, floor in zip(values._fields, values, floors, strict=True)
    ]


def _classes(sets: Sets) -> list[Value]:
    probabilities = sets.real.features.probabilities
    if probabilities is None or probabilities.shape[1] > MOST_CLASSES:
        return []
    count = probabilities.shape[1]
    real, generated, other = (
        each.features.probabilities.argmax(axis=1) for each in (sets.real, sets.generated, sets.other)
    )
    reference = np.bincount(real, minlength=count)
    value, floor = (mode_statistics(labels, count, reference) for labels in (generated, other))
    settings = {"classes": count, "labels": "the extractor's most probable class"}
    return [
        Value("classes_covered", value.covered, floor.covered, settings=settings),
        Value("class_kl", value.kl, floor.kl, settings=settings | {"unit": "nats"}),
        Value("class_deviation", value.largest_deviation, floor.largest_deviation, settings=settings),
    ]


def _labels(sets: Sets) -> list[Value]:
    probabilities = sets.generated.features.probabilities
    if sets.labels is None or probabilities is None or probabilities.shape[1] != sets.labels.max() + 1:
        return []
    heeded = np.mean(probabilities.argmax(axis=1) == sets.labels)
    return [Value("labels_heeded", heeded, settings={"labels": "the extractor's most probable class"})]


def _ms_ssim(sets: Sets) -> list[Value]:
    generated, other = (each.images.first(2 * PAIRS) for each in (sets.generated, sets.other))
    if min(generated.shape[1:3]) < ms_ssim.TAPS:
        return []
    pairs = min(PAIRS, len(generated) * (len(generated) - 1) // 2)
    value, error = ms_ssim.diversity(generated, pairs, sets.seed)
    floor, _ = ms_ssim.diversity(other, pairs, sets.seed)
    scales = ms_ssim.scales_for(*generated.shape[1:3])
    return [Value("ms_ssim", value, floor, error, {"pairs": pairs, "scales": scales, "spread": "standard error"})]


def _memorised(sets: Sets) -> list[Value]:
    if sets.neighbours == "features":
        return [_memorised_by_features(sets)]
    if sets.training is None:
        return []
    value = memorised_share(sets.generated.images, sets.real.images, sets.training)
    settings = {"distance": "Euclidean, pixels", "training images": sets.training.count}
    return [Value("memorised", value, QUANTILE, settings=settings)]


def _memorised_by_features(sets: Sets) -> Value:
    """Look for copies of those training images whose features are there: as many as are compared, or both halves."""
    generated, real, other = (each.features.features for each in (sets.generated, sets.real, sets.other))
    settings = {"distance": "Euclidean, features"}
    if sets.training is None:
        both = np.concatenate([real, other])
        settings |= {"training images": f"{len(both)}, the real ones", "usual": "from one of them to the next"}
        return Value("memorised", share_of_copies(generated, both), QUANTILE, settings=settings)
    settings |= {"training images": f"{len(other)} of {sets.training.count}"}
    return Value("memorised", share_of_copies(generated, other, real), QUANTILE, settings=settings)


METRICS: dict[str, Callable[[Sets], list[Value]]] = {
    "fid": _fid,
    "fid_infinity": _fid_infinity,
    "kid": _kid,
    "inception_score": _inception_score,
    "prdc": _prdc,
    "classes": _classes,
    "labels": _labels,
    "ms_ssim": _ms_ssim,
    "memorised": _memorised,
}
# Those that need the features of single images; the others do with their statistics, or with pixels.
NEED_FEATURES = ("fid_infinity", "kid", "inception_score", "prdc", "classes", "labels")


def needs_features(metrics: list[str], extractor: Extractor) -> bool:
    """Return whether one of these metrics needs the features of single images."""
    return any(name in NEED_FEATURES for name in metrics) or (
        "memorised" in metrics and extractor.neighbours == "features"
    )
