"""The bounds on the log-likelihood that a VAE puts on real images."""

import math

import numpy as np

from kerasgan.metrics.image_sets import ImageSet
from kerasgan.metrics.result import Result, short

IMAGES, SAMPLES = 500, 64


def bounds(model, real: ImageSet, seed: int, provenance: dict) -> list[Result]:
    """Return the ELBO and the importance-weighted bound in nats an image, higher is better.

    Burda et al. 2015, equation 8 (https://arxiv.org/abs/1509.00519). Where the model's likelihood is Bernoulli, the
    images are binarised at mid grey, as in its training. Otherwise the bounds are of 8-bit images: a density is taken
    times the width of a byte, so that it can be compared with a probability.

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
        images = np.where(images >= 128, np.uint8(255), np.uint8(0))
    bound = model.bound(to_float(images), samples=SAMPLES, seed=seed)
    offset = math.prod(images.shape[1:]) * model.likelihood.log_bin_width
    protocol = {
        "real": real.name,
        "real images": len(images),
        "unit": "nats an image",
        "binarised": "at mid grey" if binarised else "no",
        "seed": seed,
    }
    values = {"elbo": bound.elbo, f"importance_weighted_bound_{SAMPLES}": bound.importance_weighted}
    return [
        Result(
            f"{name}_{short(len(images))}",
            float(value + offset),
            protocol={"metric": name} | protocol | {"posterior samples": SAMPLES},
            provenance=provenance,
        )
        for name, value in values.items()
    ]
