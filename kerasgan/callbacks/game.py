"""The game of generator and discriminator in numbers, and what they mean in words."""

import math
from dataclasses import asdict, dataclass

import keras
import numpy as np

from kerasgan.losses import AdversarialLoss, LeastSquares, Wasserstein
from kerasgan.metrics.neighbours import nearest

SMOOTH = "in play"
DISCRIMINATOR_WINS = "the discriminator wins"
GENERATOR_WINS = "the generator wins"
COLLAPSE = "mode collapse"
NOT_FINITE = "not finite"
STATES = (SMOOTH, DISCRIMINATOR_WINS, GENERATOR_WINS, COLLAPSE, NOT_FINITE)


@dataclass(frozen=True)
class Thresholds:
    """Where the game counts as lost; each a number from 0 to 1, described at `CollapseMonitor`."""

    winning: float
    fooled: float
    least_diversity: float
    most_duplicates: float

    def __post_init__(self):
        for name, value in asdict(self).items():
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} must be from 0 to 1; received {value}.")


def judge(values: dict[str, float], thresholds: Thresholds) -> tuple[str, str]:
    """Return the state of the game and a sentence about it; collapse goes before either player's win.

    Args:
        values: finite diversity and duplicates, and real_accuracy and fake_accuracy where the loss has a boundary.
        thresholds: where the game counts as lost.
    """
    diversity, duplicates = values["diversity"], values["duplicates"]
    if diversity < thresholds.least_diversity or duplicates > thresholds.most_duplicates:
        return COLLAPSE, (
            f"mode collapse: samples are {diversity:.2f} times as diverse as real images, {duplicates:.0%} are "
            "near-duplicates. If it stays so, go back to an earlier checkpoint; try a lower learning rate, R1, or "
            "another loss."
        )
    if "real_accuracy" in values:
        real, fake = values["real_accuracy"], values["fake_accuracy"]
        if min(real, fake) >= thresholds.winning:
            return DISCRIMINATOR_WINS, (
                f"the discriminator wins: it tells {real:.0%} of real and {fake:.0%} of generated images; the "
                "generator's gradient may vanish. Try a lower discriminator learning rate, R1, or label smoothing."
            )
        if fake <= thresholds.fooled and real <= 1.0 - fake:
            return GENERATOR_WINS, (
                f"the generator wins: {1.0 - fake:.0%} of its images are taken for real, and {real:.0%} of the real "
                "ones; the discriminator leads it nowhere. Try a higher discriminator learning rate, a larger "
                "discriminator, or d_steps=2."
            )
    return SMOOTH, f"recovered: samples are {diversity:.2f} times as diverse as real images, and no player wins."


def boundary(loss: AdversarialLoss) -> float | None:
    """Return the logit above which an image counts as real; None where the loss leaves the logits' zero open."""
    if isinstance(loss, Wasserstein):
        return None
    return 0.5 if isinstance(loss, LeastSquares) else 0.0


def spread(images: np.ndarray) -> float:
    """Return the root mean square distance between two of n images (n, ...), but for a factor that depends on n."""
    # Half the mean of all squared distances is the sum of the variances.
    return math.sqrt(images.reshape(len(images), -1).var(axis=0, dtype="float64").sum())


def nearest_other(images: np.ndarray) -> np.ndarray:
    """Return the distance (n,) of every image to the nearest other one, 0 where there is a copy of it."""
    pixels = images.reshape(len(images), -1)
    return nearest(pixels, pixels, k=2)[1][:, 1]


def not_finite_terms(logs: dict | None) -> list[str]:
    """Return the names of the loss terms that are NaN or infinite; their sum, `loss`, only where it alone is."""
    found = [name for name, value in (logs or {}).items() if not np.isfinite(value).all()]
    return [name for name in found if name != "loss"] or found


def not_finite_weights(networks: dict[str, keras.Model]) -> list[str]:
    """Return, for every network with a weight that is NaN or infinite, its name and that of the first such weight."""
    found = []
    for name, network in networks.items():
        bad = (weight.path for weight in network.weights if not keras.ops.all(keras.ops.isfinite(weight)))
        if path := next(bad, None):
            found.append(f"weight {path} of the {name}")
    return found
