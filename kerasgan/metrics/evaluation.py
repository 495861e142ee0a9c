"""`evaluate`: read each set of images, then compute every metric that applies."""

import importlib
import importlib.metadata
import warnings

from kerasgan.metrics import image_sets
from kerasgan.metrics.checks import check_at_least
from kerasgan.metrics.classification import errors
from kerasgan.metrics.extractors import Extractor
from kerasgan.metrics.features import get
from kerasgan.metrics.frechet import require_full_rank
from kerasgan.metrics.image_sets import ImageSet
from kerasgan.metrics.likelihood import bounds, log_likelihoods
from kerasgan.metrics.observe import observe, real_sets
from kerasgan.metrics.result import Result, short
from kerasgan.metrics.suitable import suitable_extractor
from kerasgan.metrics.suite import METRICS, Sets, needs_features
from kerasgan.support.configurable import unknown_name

# What a model reads, where that is not plain images -> the module that measures it. It is imported when it does: tables
# of results are shown without TensorFlow.
MEASURED_BY = {"pairs": "translation", "unpaired": "translation", "captions": "captions"}
MEASURED_BY |= {"audio": "sounds", "tokens": "text"}


def evaluate(
    model,
    against,
    *,
    n: int = 10_000,
    seed: int = 0,
    split: str | None = None,
    extractor=None,
    metrics=None,
    cached: bool = True,
    progress: bool = False,
    **data,
) -> list[Result]:
    """Measure images against real ones; every result carries its protocol and what real images score by it.

    Real images are brought to the size and channels of the generated ones. With metrics=["fid"], only mean and
    covariance of the features are gathered, in memory that does not grow with n (but features that an earlier call kept
    in the cache are read as a whole). Other metrics need the features of three sets of n images, 12 bytes times n times
    their dimensions: 0.15 GB for 10,000 images by "efficientnet_lite0", nearly as much for its probabilities, and for a
    while 16 bytes more by "prdc".

    What does not make images out of nothing is measured by what it does, see the module of `kerasgan.metrics` that
    `MEASURED_BY` names: translators and what draws captions on given ones, sounds by what a classifier hears, texts by
    their words.

    A conditional model draws each class in turn: of its images, `classes_covered`, `class_kl` and `class_deviation`
    tell only whether it heeds the labels. `labels_heeded` is the share that the extractor, where it is a classifier of
    these classes, takes for the class that was asked for.

    Args:
        model: any model of kerasgan, anything with `image_shape`, `name` and `generate(n, seed=)`, or an `ImageSet`.
        against: the real images: what `kerasgan.data.load` takes.
        n: images on each side; fewer where the data set has fewer.
        seed: of the generated images and of every random choice in the metrics.
        split: the real images to compare with; None takes "test" where there is one. Other real images, for the
            real-versus-real value, come from "train"; where there is only one split, or an array, every second image
            is compared with, and the others are those between.
        extractor: what `kerasgan.metrics.features.get` takes; None takes the classifier of the data set, or
            "efficientnet_lite0" where there is none for images of this shape.
        metrics: one or more names of `kerasgan.metrics.METRICS`, those that do not apply are left out; None for all,
            and for what the model itself claims (the bounds of a VAE, the likelihood of a Boltzmann machine, the errors
            of one that classifies). The Frechet distance needs more images on each side than there are features: with
            fewer, None leaves it out with a warning.
        cached: keep the real images' features in the cache folder and use them again.
        progress: show a progress bar.
        **data: further arguments of `kerasgan.data.load`, such as data_dir.

    Raises:
        ValueError: the data or weights do not exist, n is too small for the extractor, a name is unknown, or no metric
            applies.
    """
    check_at_least("n", n, 1)
    check_at_least("seed", seed, 0)
    n, seed = int(n), int(seed)  # A result is written as JSON, which knows no numbers of NumPy's.
    reads = getattr(model, "reads", None)
    if reads in MEASURED_BY:
        module = importlib.import_module(f"kerasgan.metrics.{MEASURED_BY[reads]}")
        return module.evaluate(model, against, n, seed, split, extractor, metrics, _provenance(model), **data)
    chosen = _chosen(metrics)
    is_model = not isinstance(model, ImageSet)
    if is_model:
        image_sets.generated(model, n, seed)  # What cannot be measured is refused before anything is read.
    image_shape = model.image_shape if is_model else model.first(1).shape[1:]
    data = {"image_size": image_shape[:2], "channels": image_shape[2]} | data
    # The data before the extractor, whose weights may have to be fetched.
    real, other, training = real_sets(against, n if is_model else min(n, model.count), split, **data)
    extractor = get(extractor or suitable_extractor(against, image_shape))
    generated = image_sets.generated(model, real.count, seed) if is_model else model.head(real.count)
    if "fid" in chosen:
        # Here, and not after the minutes that features take.
        chosen = _fid_only_of_enough(chosen, extractor, generated, real, asked=metrics is not None)

    few = not needs_features(chosen, extractor)
    sets = Sets(
        generated=observe(generated, extractor, False, progress, statistics_only=few),
        real=observe(real, extractor, cached, progress, statistics_only=few),
        other=observe(other, extractor, cached, progress, statistics_only=few),
        training=training,
        seed=seed,
        neighbours=extractor.neighbours,
        labels=image_sets.labels_asked_for(model, real.count) if is_model else None,
    )
    protocol, provenance = _protocol(extractor, sets), _provenance(model)
    results = [
        _result(value, f"{extractor.name}_{short(real.count)}", protocol, provenance)
        for name in chosen
        for value in METRICS[name](sets)
    ]
    if metrics is None and hasattr(model, "bound"):
        results += bounds(model, real, seed, provenance)
    if metrics is None and hasattr(model, "classify"):
        results += errors(model, against, real, provenance, **data)
    if metrics is None and hasattr(model, "log_likelihoods"):
        results += log_likelihoods(model, real, seed, provenance)
    if not results:
        raise ValueError(
            f"None of the metrics {', '.join(chosen)} applies to these images and the extractor {extractor.name!r}. "
            "Choose others, or leave metrics out to see what applies."
        )
    return results


def _chosen(metrics) -> list[str]:
    if metrics is None:
        return list(METRICS)
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    if not metrics:
        raise ValueError(f"metrics must name at least one of {', '.join(METRICS)}; received none.")
    for name in metrics:
        if name not in METRICS:
            raise ValueError(unknown_name("metric", name, METRICS))
    return [name for name in METRICS if name in metrics]


def _fid_only_of_enough(
    chosen: list[str], extractor: Extractor, generated: ImageSet, real: ImageSet, asked: bool
) -> list[str]:
    """Return the metrics without fid where there are too few images for it; refuse where it was asked for."""
    if extractor.dimensions is None:
        extractor(real.first(1))  # Its features tell.
    try:
        require_full_rank(extractor.dimensions, generated=generated.count, real=real.count)
    except ValueError as error:
        if asked:
            raise
        warnings.warn(f"fid is left out: {error}", stacklevel=3)
        return [name for name in chosen if name != "fid"]
    return chosen


def _result(value, suffix: str, protocol: dict, provenance: dict) -> Result:
    return Result(
        f"{value.name}_{suffix}",
        float(value.value),
        None if value.floor is None else float(value.floor),
        None if value.spread is None else float(value.spread),
        {"metric": value.name} | protocol | (value.settings or {}),
        provenance,
    )


def _protocol(extractor: Extractor, sets: Sets) -> dict:
    return {
        "extractor": extractor.name,
        "weights": extractor.sha256,
        "resize": extractor.resize,
        "generated images": sets.generated.images.count,
        "real images": sets.real.images.count,
        "real": sets.real.images.name,
        "real sha256": sets.real.images.fingerprint,
        "floor": sets.other.images.name,
        "seed": sets.seed,
    }


def _provenance(model) -> dict:
    from kerasgan.distribution import describe_hardware

    hardware = describe_hardware()
    packages = ("kerasgan", "tensorflow", "keras", "numpy")
    return {
        "model": model.name,
        **({} if image_sets.labels_asked_for(model, 1) is None else {"labels": "each class in turn"}),
        "versions": ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages),
        "machine": f"{hardware.cpu} (cores: {hardware.cores})",
    }
