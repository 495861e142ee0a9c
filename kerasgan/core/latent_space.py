"""A latent space as those see it who look for an image in it."""

from collections.abc import Callable
from typing import NamedTuple


class LatentSpace(NamedTuple):
    """What it takes to look for images among the points of a space.

    Attributes:
        start: (n, seed) -> n points to start from, float32 (n, ...), as typical of the model as its samples.
        synthesize: (points, given) -> what the model makes of them, in inference mode and with a slope along the
            points. `given` is name -> tensor of the sampler's other inputs.
        unusual: points -> float32 (n,): 0 where a point is typical, and more the less it is.
        encode: images (n, height, width, channels) in [-1, 1] -> points, where the model has an encoder.
    """

    start: Callable
    synthesize: Callable
    unusual: Callable
    encode: Callable | None = None
