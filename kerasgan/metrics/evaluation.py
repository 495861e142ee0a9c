"""`evaluate`: read each set of images, then compute every metric that applies."""

import importlib.metadata

import numpy as np

from kerasgan.configurable import unknown_name
from kerasgan.metrics import image_sets
from kerasgan.metrics.features import Extractor, get
from kerasgan.metrics.image_sets import ImageSet
from kerasgan.metrics.likelihood import bounds
from kerasgan.metrics.observe import observe, real_sets
from kerasgan.metrics.result import Result, short
from kerasgan.metrics.suite import METRICS, Sets

# Data set -> extractor whose features suit it best; any other data set takes Inception's.
EXTRACTORS = {"mnist": "mnist", "mnist_mini": "mnist", "fashion_mnist": "fashion_mnist", "cifar10": "cifar10"}


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

    Args:
        model: any model of kerasgan, anything with `image_shape`, `name` and `generate(n, seed=)`, or an `ImageSet`.
        against: the real images: what `kerasgan.data.load` takes.
        n: images on each side; fewer where the data set has fewer.
        seed: of the generated images and of every random choice in the metrics.
        split: the real images to compare with; None takes "test" where there is one. Other real images, for the
            real-versus-real value, come from "train", or from the second half where there is only one split.
        extractor: what `kerasgan.metrics.features.get` takes; None takes the classifier of the data set, or Inception
            where there is none.
        metrics: names of `kerasgan.metrics.METRICS`; None for all that apply, and for what the model itself claims
            (the bounds of a VAE).
        cached: keep the real images' features in the cache folder and use them again.
        progress: show a progress bar.
        **data: further arguments of `kerasgan.data.load`, such as data_dir.

    Raises:
        ValueError: the data or weights do not exist, n is too small for the extractor, or a name is unknown.
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ValueError(f"n must be a whole number of at least 1; received {n!r}.")
    chosen = _chosen(metrics)
    is_model = not isinstance(model, ImageSet)
    image_shape = model.image_shape if is_model else model.first(1).shape[1:]
    data = {"image_size": image_shape[:2], "channels": image_shape[2]} | data
    extractor = get(extractor or EXTRACTORS.get(against if isinstance(against, str) else None, "inception"))
    real, other = real_sets(against, n if is_model else min(n, model.count), split, **data)
    generated = image_sets.generated(model, real.count, seed) if is_model else model.head(real.count)

    sets = Sets(
        generated=observe(generated, extractor, progress=progress),
        real=observe(real, extractor, cached, progress),
        other=observe(other, extractor, cached, progress),
        # A copy is told by unseen real images, which there are only beside a training split.
        training=None if other.name.startswith(real.name) else image_sets.dataset(against, "train", **data),
        seed=seed,
    )
    protocol, provenance = _protocol(extractor, sets), _provenance(model.name)
    results = [
        _result(value, f"{extractor.name}_{short(real.count)}", protocol, provenance)
        for name in chosen
        for value in METRICS[name](sets)
    ]
    if metrics is None and hasattr(model, "bound"):
        results += bounds(model, real, seed, provenance)
    return results


def _chosen(metrics) -> list[str]:
    for name in metrics or ():
        if name not in METRICS:
            raise ValueError(unknown_name("metric", name, METRICS))
    return [name for name in METRICS if metrics is None or name in metrics]


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


def _provenance(name: str) -> dict:
    from kerasgan.distribution import describe_hardware

    hardware = describe_hardware()
    packages = ("kerasgan", "tensorflow", "keras", "numpy")
    return {
        "model": name,
        "versions": ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages),
        "machine": f"{hardware.cpu} (cores: {hardware.cores})",
    }
