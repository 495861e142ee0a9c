"""Measure a model against real images; every result carries the protocol it was measured by."""

from dataclasses import asdict, dataclass, field

import numpy as np

from kerasgan.metrics.sliced_wasserstein import sliced_wasserstein

__all__ = ["Result", "evaluate", "sliced_wasserstein"]


@dataclass(frozen=True)
class Result:
    """One measured number with how it was measured.

    Args:
        name: the metric's name, protocol included, such as "sliced_wasserstein_2k".
        value: the number.
        floor: what real images score against other real images by the same protocol; None where that has no meaning.
        protocol: whatever another person needs to measure it again.
    """

    name: str
    value: float
    floor: float | None = None
    protocol: dict = field(default_factory=dict)

    def __str__(self) -> str:
        floor = "" if self.floor is None else f" (real against real: {self.floor:.4g})"
        protocol = ", ".join(f"{key} {value}" for key, value in self.protocol.items())
        return f"{self.name} {self.value:.4g}{floor}: {protocol}"

    def to_dict(self) -> dict:
        """Return the result as JSON values."""
        return asdict(self)


def evaluate(model, source, *, n: int = 2000, seed: int = 0, split: str = "test", **data) -> list[Result]:
    """Measure a model's images, and what its kind of model claims, against real images.

    Every model gets the sliced Wasserstein distance of its samples to `split`, with the distance of training images to
    the same images as the floor. A model with a bound on the likelihood (the VAE) gets that too, on images binarised
    where its likelihood is Bernoulli.

    Args:
        model: any model of kerasgan.
        source: what `kerasgan.data.load` takes.
        n: images on each side; fewer where the split has fewer.
        seed: of the generated images.
        split: the real images to compare with.
        **data: further arguments of `kerasgan.data.load`, such as data_dir.

    Returns:
        Results, each with its protocol.

    Raises:
        ValueError: the data do not exist, or n is not positive.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1; received {n}.")
    from kerasgan import __version__

    height, width, channels = model.image_shape
    data = {"image_size": (height, width), "channels": channels} | data
    real = _images(source, split, n, **data)
    train = _images(source, "train", len(real), **data)
    real = real[: len(train)]
    protocol = {
        "samples": len(real),
        "real": f"{source if isinstance(source, str) else 'array'}/{split}",
        "seed": seed,
        "model": model.name,
        "kerasgan": __version__,
    }
    name = f"sliced_wasserstein_{_short(len(real))}"
    floor = sliced_wasserstein(train, real)
    distance = sliced_wasserstein(model.generate(len(real), seed=seed), real)
    results = [Result(name, distance, floor, protocol | {"projections": 512})]
    if hasattr(model, "bound"):
        results += _likelihood(model, source, split, min(len(real), 500), seed, protocol, data)
    return results


def _likelihood(model, source, split, n, seed, protocol, data) -> list[Result]:
    binary = type(model.likelihood).__name__ == "Bernoulli"
    images = _images(source, split, n, binarize=binary, **data)
    bound = model.bound(images, samples=64, seed=seed)
    protocol = protocol | {"samples": len(images), "unit": "nats an image", "binarised": binary}
    return [
        Result("elbo", bound.elbo, None, protocol),
        Result("importance_weighted_bound_64", bound.importance_weighted, None, protocol | {"posterior samples": 64}),
    ]


def _images(source, split: str, n: int, **data) -> np.ndarray:
    from kerasgan.data import load

    batches = load(source, split=split, limit=n, batch_size=n, shuffle=False, drop_remainder=False, **data)
    return np.concatenate([np.asarray(batch) for batch in batches])


def _short(n: int) -> str:
    return f"{n // 1000}k" if n % 1000 == 0 else str(n)
