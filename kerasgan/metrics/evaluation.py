"""`evaluate`: read each set of images, then compute every metric that applies."""

import importlib.metadata

from kerasgan.metrics import image_sets
from kerasgan.metrics.checks import check_at_least
from kerasgan.metrics.extractors import Extractor
from kerasgan.metrics.features import CLASSIFIERS, get
from kerasgan.metrics.frechet import require_full_rank
from kerasgan.metrics.image_sets import ImageSet
from kerasgan.metrics.likelihood import bounds
from kerasgan.metrics.observe import observe, real_sets
from kerasgan.metrics.result import Result, short
from kerasgan.metrics.suite import METRICS, NEED_FEATURES, Sets
from kerasgan.support.configurable import unknown_name

# Data set -> extractor whose features suit it best; any other data set takes Inception's.
EXTRACTORS = {name: name for name in CLASSIFIERS} | {"mnist_mini": "mnist"}


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
    their dimensions: 0.25 GB for 10,000 images by "inception", half as much for its probabilities, and for a while 16
    bytes more by "prdc".

    A conditional model draws each class in turn: of its images, `classes_covered`, `class_kl` and `class_deviation`
    tell only whether it heeds the labels.

    Args:
        model: any model of kerasgan, anything with `image_shape`, `name` and `generate(n, seed=)`, or an `ImageSet`.
        against: the real images: what `kerasgan.data.load` takes.
        n: images on each side; fewer where the data set has fewer.
        seed: of the generated images and of every random choice in the metrics.
        split: the real images to compare with; None takes "test" where there is one. Other real images, for the
            real-versus-real value, come from "train"; where there is only one split, or an array, every second image
            is compared with, and the others are those between.
        extractor: what `kerasgan.metrics.features.get` takes; None takes the classifier of the data set, or Inception
            where there is none.
        metrics: one or more names of `kerasgan.metrics.METRICS`, those that do not apply are left out; None for all,
            and for what the model itself claims (the bounds of a VAE).
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
    chosen = _chosen(metrics)
    is_model = not isinstance(model, ImageSet)
    image_shape = model.image_shape if is_model else model.first(1).shape[1:]
    data = {"image_size": image_shape[:2], "channels": image_shape[2]} | data
    # The data before the extractor, whose weights may have to be fetched.
    real, other, training = real_sets(against, n if is_model else min(n, model.count), split, **data)
    extractor = get(extractor or EXTRACTORS.get(against if isinstance(against, str) else None, "inception"))
    generated = image_sets.generated(model, real.count, seed) if is_model else model.head(real.count)
    if "fid" in chosen and extractor.dimensions:
        # Here, and not after the minutes that features take.
        require_full_rank(extractor.dimensions, generated=generated.count, real=real.count)

    few = not any(name in NEED_FEATURES for name in chosen)
    sets = Sets(
        generated=observe(generated, extractor, False, progress, statistics_only=few),
        real=observe(real, extractor, cached, progress, statistics_only=few),
        other=observe(other, extractor, cached, progress, statistics_only=few),
        training=training,
        seed=seed,
    )
    protocol, provenance = _protocol(extractor, sets), _provenance(model)
    results = [
        _result(value, f"{extractor.name}_{short(real.count)}", protocol, provenance)
        for name in chosen
        for value in METRICS[name](sets)
    ]
    if metrics is None and hasattr(model, "bound"):
        results += bounds(model, real, seed, provenance)
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
        **({} if getattr(model, "num_classes", None) is None else {"labels": "each class in turn"}),
        "versions": ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages),
        "machine": f"{hardware.cpu} (cores: {hardware.cores})",
    }
