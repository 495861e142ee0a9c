"""How good translations are: beside the right answers where there are any, and among real images of their sort.

Every number comes with those of two translators that anybody has: the identity, which gives the source back, and the
mean of all training targets, which is the answer of least squared error for who does not look at the source.
"""

import re
from typing import NamedTuple

import numpy as np

from kerasgan.images import in_channels, to_float, to_uint8
from kerasgan.metrics import image_sets, kept, perceptual
from kerasgan.metrics.checks import held_out_or_train
from kerasgan.metrics.extractors import Extractor
from kerasgan.metrics.features import extract, get
from kerasgan.metrics.frechet import fid
from kerasgan.metrics.kid import kid
from kerasgan.metrics.result import Result, short
from kerasgan.metrics.suitable import ANY_PICTURE

# What a model reads -> the names of the images that it translates and of those it should come up to.
READS = {"pairs": (("source", "target"),), "unpaired": (("a", "b"), ("b", "a"))}
SUBSETS, SUBSET_SIZE = 100, 1000
BATCH_SIZE = 64


class Measuring(NamedTuple):
    """What all results of one direction share.

    Args:
        extractor: of features.
        seed: of what is random.
        tag: of the names of results: the direction, where there are several.
        facts: part of every protocol.
        provenance: of every result.
    """

    extractor: Extractor
    seed: int
    tag: str
    facts: dict
    provenance: dict

    def result(self, metric: str, value, floor=None, error=None, **settings) -> Result:
        """Return one number; `settings` are what it adds to the protocol."""
        numbers = (None if each is None else float(each) for each in (value, floor, error))
        name = f"{metric}_{self.tag}{short(self.facts['real images'])}"
        return Result(name, *numbers, {"metric": metric} | self.facts | settings, self.provenance)

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return the features of uint8 images."""
        starts = range(0, len(images), image_sets.BATCH_SIZE)
        batches = (images[start : start + image_sets.BATCH_SIZE] for start in starts)
        return extract(self.extractor, batches, len(images)).features


def apart_from(split: str) -> str | None:
    """Return the split that a model was trained on which is measured on another: "train" beside "test", and so on."""
    part = re.fullmatch(r"train\[(\d+%?):\]", split)
    if part:
        return f"train[:{part[1]}]"
    return None if split.startswith("train") else "train"


def evaluate(
    model, against, n: int, seed: int, split: str | None, extractor, metrics, provenance: dict, **data
) -> list[Result]:
    """Return what `kerasgan.metrics.evaluate` says of a translator.

    Of pairs, `l1` is the mean absolute difference from the target in shares of the range, `psnr` is in decibels, `ssim`
    is that of Wang et al. 2004 with a Gaussian window of 11 pixels, and `perceptual` is the distance of the extractor's
    features, brought to length one: small where it sees the same. Each is also given for the identity and for the mean
    training target. Of all translators, `kid`, and `fid` where there are more images than features, compare what they
    make with real images of its sort; of those that go both ways, `cycle_l1` is how far an image is from what it comes
    back as. Between digits and digits of another look, seen by the classifier of MNIST, `class_kept` is the share of
    translations that it takes for what their source is, beside the share of sources that it takes for what they are.

    Args:
        model: a model that reads pairs, or two domains.
        against: what the reader of its data takes.
        n: images at most.
        seed: of what is random in the translations, and of the metrics.
        split: the images to translate; None takes "test", or, where there is none, "train": the protocol says which.
        extractor: what `kerasgan.metrics.features.get` takes; None for the classifier of MNIST of digits, else for
            "efficientnet_lite0".
        metrics: not asked; all are measured.
        provenance: of the results.
        **data: further arguments of that reader.

    Raises:
        ValueError: the data do not exist, or do not fit the model.
    """
    del metrics
    data = {"image_size": model.image_shape[:2]} | data
    split, real = held_out_or_train(lambda each: _read(model, against, each, n, data), split)
    trained_on = apart_from(split)
    training = None if trained_on is None else _read(model, against, trained_on, n, data)
    paired = model.reads == "pairs"
    looks = dict(zip("ab", against, strict=True)) if kept.can_tell(model, against) else {}
    judge_of_all = get(extractor or ANY_PICTURE) if extractor or not looks else None
    results = []
    for (name, direction), (source, target) in zip(model.directions().items(), READS[model.reads], strict=True):
        judge = judge_of_all or kept.extractor(looks[target])
        facts = {
            "extractor": judge.name,
            "weights": judge.sha256,
            "resize": judge.resize,
            "real": f"{_name(against)}/{split}",
            "real images": len(real[source]),
            "seed": seed,
        }
        measuring = Measuring(judge, seed, "" if paired else f"{name}_", facts, provenance)
        made = _translated(direction, real[source], seed)
        answers = {"": made, "_of_identity": in_channels(real[source], made.shape[-1])}
        results += _results(answers, paired, real[target], training and training[target], measuring)
        if not paired:
            results.append(_cycle(model, name, real[source], measuring))
        if looks:
            labels = kept.labels_of(looks[source], split, len(made), **data)
            results.append(_kept(real[source], made, labels, looks[source], looks[target], measuring))
    return results


def _translated(direction, images: np.ndarray, seed: int) -> np.ndarray:
    """Return uint8 translations of uint8 images."""
    made = image_sets.generated(direction, len(images), seed, {direction.source: to_float(images)})
    return made.first(made.count)


def _name(against) -> str:
    if isinstance(against, list | tuple) and all(isinstance(each, str) for each in against):
        return " and ".join(against)
    return against if isinstance(against, str) else "array"


def _results(answers: dict, paired: bool, target, training, measuring: Measuring) -> list[Result]:
    """Return how near answers, a translator's and others by their names, are to real images, all uint8."""
    if paired and training is not None:
        answers = answers | {
            "_of_mean_target": np.broadcast_to(np.rint(training.mean(axis=0)).astype("uint8"), target.shape)
        }
    seen, right = {name: measuring.features(images) for name, images in answers.items()}, measuring.features(target)
    results = []
    if paired:
        for name, images in answers.items():
            results += _beside(name, images, target, _apart(seen[name], right), measuring)
    others = None if training is None else measuring.features(training[: len(target)])
    return results + among({name: seen[name] for name in ("", "_of_identity")}, right, others, measuring)


def _beside(name: str, images, target, perceptual: float, measuring: Measuring) -> list[Result]:
    """Return how far answers are from the right ones."""
    apart = np.abs(images.astype("float32") - target.astype("float32")) / 255.0
    ratio = -10.0 * np.log10(np.maximum((apart**2).mean(axis=(1, 2, 3)), 1e-10))
    return [
        measuring.result(f"l1{name}", apart.mean(), unit="share of the range"),
        measuring.result(f"psnr{name}", ratio.mean(), unit="dB, mean over images"),
        measuring.result(f"ssim{name}", _ssim(images, target).mean(), window="Gaussian, 11 pixels"),
        measuring.result(f"perceptual{name}", perceptual, distance="Euclidean, of features of length one"),
    ]


def among(seen: dict, right, others, measuring: Measuring) -> list[Result]:
    """Return how far answers are from real images as a whole."""
    size = min([SUBSET_SIZE, len(right), *([] if others is None else [len(others)])])

    def distance(features):
        return kid(features, right, subsets=SUBSETS, subset_size=size, seed=measuring.seed)

    floor = None if others is None else distance(others)[0]
    settings = {"subsets": SUBSETS, "subset size": size, "spread": "standard error"}
    results = _frechet(seen, right, others, measuring)
    for name, features in seen.items():
        value, error = distance(features)
        # All subsets are one where they take all there are: that says nothing of the error.
        error = error if size < len(right) else None
        results.append(measuring.result(f"kid{name}", value, floor, error, **settings))
    return results


def _frechet(seen: dict, right, others, measuring: Measuring) -> list[Result]:
    """Return the Frechet distances; none where there are too few images for the features' covariance."""
    if len(right) <= right.shape[1]:
        return []
    floor = fid(others, right) if others is not None and len(others) > right.shape[1] else None
    return [measuring.result(f"fid{name}", fid(features, right), floor) for name, features in seen.items()]


def _cycle(model, name: str, source, measuring: Measuring) -> Result:
    """Return how far images are from what they come back as."""
    directions = model.directions()
    back = next(direction for other, direction in directions.items() if other != name)
    images = to_float(source)
    again = back.translate(directions[name].translate(images))
    return measuring.result("cycle_l1", np.abs(again - images).mean() / 2.0, unit="share of the range")


def _kept(source, made, labels, own: str, other: str, measuring: Measuring) -> Result:
    """Return how many translations, and how many sources, are seen as what the labels say."""
    shares = kept.accuracy(made, labels, other), kept.accuracy(source, labels, own)
    return measuring.result("class_kept", *shares, classifier=kept.CLASSIFIER)


def _read(model, against, split: str, n: int, data: dict) -> dict[str, np.ndarray]:
    """Return name -> uint8 images of a split, in their stored order."""
    from kerasgan.data import reader

    loaded = reader(model.reads).load(
        against, split=split, limit=n, batch_size=BATCH_SIZE, shuffle=False, drop_remainder=False, **data
    )
    parts = zip(*(map(to_uint8, batch) for batch in loaded.as_numpy_iterator()), strict=True)
    real = {name: np.concatenate(part) for name, part in zip(model.learns, parts, strict=True)}
    for name, kind in model.learns.items():
        kind.check(to_float(real[name][:1]), model.name)
    return real


def _ssim(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    import tensorflow as tf

    blocks = [slice(start, start + BATCH_SIZE) for start in range(0, len(first), BATCH_SIZE)]
    return np.concatenate([np.asarray(tf.image.ssim(first[block], second[block], 255)) for block in blocks])


def _apart(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean distance of features that are brought to length one."""
    return float(np.sqrt(perceptual.apart(perceptual.units(first), perceptual.units(second))).mean())
