"""Latents in a file: what `project` keeps of photographs, and what `generate` makes images of."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasgan.core.latent_space import LatentSpace
from kerasgan.projection import Projection
from kerasgan.support import arrays, files

# A million vectors of the usual length.
_MOST = 2**29


class Kept(NamedTuple):
    """What a file holds: points of a space of a model, and name -> array of what else its sampler takes with them."""

    space: LatentSpace
    points: np.ndarray
    given: dict[str, np.ndarray]


def save(path: "str | Path", found: Projection, space: str) -> None:
    """Write what was found as an `.npz` file, whole or not at all.

    It holds the points by the name of their space, `distances`, and the sampler's other inputs by their names.
    """
    with files.replacing(path) as temporary:
        np.savez(temporary, **{space: found.latents, "distances": found.distances}, **found.given)


def read(path: "str | Path", model) -> Kept:
    """Return what a file holds for a model.

    Raises:
        ValueError: the file is missing or damaged, has no points of a space of the model, or these are of another
            shape.
    """
    try:
        with files.open_regular(path, _MOST) as file:
            held = arrays.read_npz(file, _MOST)
    except OSError as error:
        raise ValueError(f"The latents {str(path)!r} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ValueError(f"The latents {str(path)!r} cannot be read: {error}.") from error
    spaces = model.latent_spaces()
    names = [name for name in spaces if name in held]
    if len(names) != 1:
        raise ValueError(
            f"{str(path)!r} holds {sorted(held)}; {model.name} needs exactly one of {list(spaces)} there, as "
            "`kerasgan project` writes them."
        )
    space, points = spaces[names[0]], held[names[0]]
    shape = tuple(space.start(1, 0).shape[1:])
    if points.shape[1:] != shape or not len(points) or not np.isfinite(points).all():
        raise ValueError(
            f"The {names[0]!r} of {model.name} are finite numbers of the shape (n, {', '.join(map(str, shape))}); "
            f"{str(path)!r} holds {points.dtype} of {points.shape}."
        )
    given = {name: held[name] for name in model.takes if name in held and name != "latents"}
    return Kept(space, points.astype("float32"), given)
