"""The log-likelihood that a model itself puts on real images, or bounds on it."""

import math

import numpy as np

from kerasgan.metrics.image_sets import ImageSet
from kerasgan.metrics.result import Result, short

IMAGES, SAMPLES = 500, 64


def bounds(model, real: ImageSet, seed: int, provenance: dict) -> list[Result]:
    """Return the ELBO and the importance-weighted bound, in nats an image, higher is better.

    Burda et al. 2015, equation 8 (https://arxiv.org/abs/1509.00519). Where the model's likelihood is Bernoulli, the
    images are binarised at mid grey, as in its training. Otherwise the bounds are of 8-bit images: a density is taken
    times the width of a byte, so that it can be compared with a probability; and the tighter bound is also told in bits
    a dimension, lower is better.

    Args:
        model: with `bound(images, samples, seed)` and `likelihood`.
        real: images the model was not trained on; the first 500 are used.
        seed: of the posterior samples.
        provenance: of the results.
    """
    from kerasgan.images import to_float

    binarised = type(model.likelihood).__name__ == "Bernoulli"
    images = real.first(IMAGES)
    if binarised:
        images = _binarised(images)
    bound = model.bound(to_float(images), samples=SAMPLES, seed=seed)
    offset = math.prod(images.shape[1:]) * model.likelihood.log_bin_width
    protocol = {
        "real": real.name,
        "real images": len(images),
        "unit": "nats an image",
        "binarised": "at mid grey" if binarised else "no",
        "seed": seed,
    }
    values = {
        "elbo": bound.elbo + offset,
        f"importance_weighted_bound_{SAMPLES}": bound.importance_weighted + offset,
    }
    units = {}
    if not binarised:
        values["bits_per_dimension"] = bound.bits_per_dimension
        units["bits_per_dimension"] = {"unit": "bits a dimension"}
    return [
        Result(
            f"{name}_{short(len(images))}",
            float(value),
            protocol={"metric": name} | protocol | units.get(name, {}) | {"posterior samples": SAMPLES},
            provenance=provenance,
        )
        for name, value in values.items()
    ]


def log_likelihoods(model, real: ImageSet, seed: int, provenance: dict) -> list[Result]:
    """Return the mean log-likelihood in nats an image of the images that `bounds` takes, and of all; higher is better.

    The images are binarised at mid grey: what `bounds` says of a Bernoulli likelihood is of the same.

    Args:
        model: with `log_likelihoods(images, seed)`, which returns a `kerasgan.core.likelihood.LogLikelihood`.
        real: images the model was not trained on.
        seed: of what is drawn for an estimate.
        provenance: of the results.
    """
    from kerasgan.images import to_float

    found = model.log_likelihoods(to_float(_binarised(real.first(real.count))), seed=seed)
    protocol = {"real": real.name, "unit": "nats an image", "binarised": "at mid grey", "seed": seed} | found.settings
    return [
        Result(
            f"{found.metric}_{short(count)}",
            float(np.mean(found.values[:count])),
            spread=found.spread,
            protocol={"metric": found.metric, "real images": count} | protocol,
            provenance=provenance,
        )
        for count in sorted({min(IMAGES, real.count), real.count})
    ]


def _binarised(images: np.ndarray) -> np.ndarray:
    return np.where(images >= 128, np.uint8(255), np.uint8(0))
