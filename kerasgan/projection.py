"""Projection: the latents whose images look most like given ones, found by descent.

Only the latents move: the model stays as it is.
"""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerasgan.core.attributes import directions_of
from kerasgan.core.latent_space import LatentSpace
from kerasgan.kinds import Images
from kerasgan.metrics import perceptual
from kerasgan.support.configurable import unknown_name

# Of Adam: the means of slopes and of their squares go back about so many steps.
_BETAS = 0.9, 0.999
# The share of the steps in which the rate rises from 0. It falls to 0 along a cosine afterwards.
_WARM_UP = 0.05
_TRIED_AT_ONCE = 32


class Projection(NamedTuple):
    """What was found for n images.

    Attributes:
        latents: float32 (n, ...), points of the space that was searched.
        images: what the model makes of them, float32 (n, height, width, channels) in [-1, 1].
        distances: how different these are from the given ones, float32 (n,): what was minimised.
        start_distances: the same where the search began.
        given: name -> array, the sampler's other inputs: what was given, or what went with the best candidate.
    """

    latents: np.ndarray
    images: np.ndarray
    distances: np.ndarray
    start_distances: np.ndarray
    given: dict[str, np.ndarray]


def project(
    model, images, *, space: str = "z", labels=None, steps: int = 300, learning_rate: float = 0.2,
    candidates: int = 100, pixels: float = 2.0, typical: float = 1e-3, seed: int = 0, batch_size: int = 16,
    progress: bool = False, **given,
) -> Projection:  # fmt: skip
    """Return the latents whose images look most like given ones.

    The distance is `kerasgan.metrics.perceptual_distance`, and `pixels` times the mean squared difference. The search
    begins at the best of some random candidates, or where the model's encoder says, and goes down the slope by Adam;
    the nearest point on the way is kept. Each image is searched for on its own, whatever else is in its batch. In the
    manner of Karras et al. 2020, appendix D (https://arxiv.org/abs/1912.04958), but without noise.

    Args:
        model: any kerasgan model that makes images of latents.
        images: float array (n, height, width, channels) in [-1, 1], of the model's shape.
        space: a name of the model's `latent_spaces()`: "z", the latents that it draws.
        labels: of a conditional model: n classes, or one for all; None takes the best candidate's, of all classes in
            turn.
        steps: of the descent.
        learning_rate: the highest, in units of the latents.
        candidates: random points of which the best is the start.
        pixels: weight of the mean squared difference. Without it the search is stuck farther away, as the perceptual
            distance has it, too.
        typical: weight of how unusual a point is, beside the distance. Of normal latents that is how far they are from
            the shell around the origin on which nearly all samples lie; of others, how far out of their range.
        seed: of the candidates.
        batch_size: images searched for at a time.
        progress: whether to show a progress bar.
        **given: the sampler's other inputs by their names, one for each image; those that can be drawn may be left
            out.

    Raises:
        ValueError: the model does not make images of latents, or not in a way that has a slope; there is no such
            space; or an argument does not fit.

    Example:
        found = kerasgan.projection.project(gan, faces)
        halfway = gan.interpolate(found.latents[0], found.latents[1], steps=3)[1]
    """
    searched = space_of(model, space)
    images = _checked(model, images)
    _check_numbers(steps=steps, candidates=candidates, batch_size=batch_size)
    given = _each(model, len(images), {"labels": labels, **given})
    starts = Starts(model, searched, candidates, seed, pixels)
    descend = Descent(searched, steps, learning_rate, pixels, typical)
    bar = _bar(math.ceil(len(images) / batch_size) * (steps + 1)) if progress else None
    parts = []
    for first in range(0, len(images), batch_size):
        part = slice(first, first + batch_size)
        own = {name: rows[part] for name, rows in given.items()}
        wanted = Seen.of(images[part])
        parts.append(descend(*starts(wanted, own), wanted, bar))
    arrays = (np.concatenate(each) for each in zip(*(part[:4] for part in parts), strict=True))
    return Projection(*arrays, {name: np.concatenate([part.given[name] for part in parts]) for name in parts[0].given})


def attribute_vectors(model, images, labels, **settings) -> np.ndarray:
    """Return the directions in which a model's images gain attributes, learned from photographs that are projected.

    Of a model without an encoder; `VAE.learn_attributes` is the same with one. Added to a latent, a direction changes
    its attribute and leaves the others. Some hundred images do; each costs what `project` takes for it. For generated
    images that somebody labelled, `kerasgan.core.attributes.directions_of(latents, labels)` needs no projection.

    Args:
        model: any kerasgan model that makes images of latents.
        images: float array (n, height, width, channels) in [-1, 1].
        labels: array (n, attributes) of 1 where an image has the attribute, 0 where not.
        **settings: of `project`, such as `space` and `steps`.

    Returns:
        float32 array (attributes, ...), points of the space.

    Raises:
        ValueError: as `project`, or the labels do not fit or cannot tell the attributes apart.

    Example:
        smiling, glasses = kerasgan.projection.attribute_vectors(gan, faces, labels)
        latents = gan.sample_latents(8, seed=1)
        happier = gan.generate(8, latents=latents + smiling)
    """
    labels = np.asarray(labels, "float64")
    if labels.ndim != 2 or len(labels) != len(images) or not np.isin(labels, (0.0, 1.0)).all():
        raise ValueError(
            f"labels must be 0 or 1, ({len(images)}, attributes), a row for each image; received shape {labels.shape}."
        )
    return directions_of(project(model, images, **settings).latents, labels)


def space_of(model, name: str) -> LatentSpace:
    """Return a latent space of a model by its name.

    Raises:
        ValueError: the model does not make images of latents, or has no such space.
    """
    spaces = model.latent_spaces()
    if not spaces or not isinstance(model.makes, Images):
        raise ValueError(
            f"{type(model).__name__} makes {model.makes.name} of {', '.join(model.takes)}; images are projected by "
            "models that make images of latents."
        )
    if name not in spaces:
        raise ValueError(unknown_name("latent space", name, spaces))
    return spaces[name]


class Seen(NamedTuple):
    """Images (n, height, width, channels) as the search compares them, with their `perceptual.features`."""

    images: tf.Tensor
    features: list

    @classmethod
    def of(cls, images) -> "Seen":
        """Return what is seen of images."""
        return cls(tf.convert_to_tensor(images), perceptual.features(images))

    def only(self, number: int) -> "Seen":
        """Return one of them, as a batch of one."""
        return Seen(self.images[number : number + 1], [depth[number : number + 1] for depth in self.features])

    def distance(self, other: "Seen", pixels: float) -> tf.Tensor:
        """Return the distances of images from others, float32 (n,); a batch of one goes with any other."""
        squared = tf.reduce_mean(tf.square(self.images - other.images), axis=(1, 2, 3))
        return perceptual.between(self.features, other.features) + pixels * squared


class Starts:
    """Finds the points that a search begins at.

    Args:
        model: that makes the images.
        space: of it, that is searched.
        candidates: how many random points are tried.
        seed: of these.
        pixels: weight of the squared difference in the distance.
    """

    def __init__(self, model, space: LatentSpace, candidates: int, seed: int, pixels: float):
        self.model, self.space, self.candidates, self.seed, self.pixels = model, space, candidates, seed, pixels

    def __call__(self, wanted: Seen, given: dict) -> tuple[np.ndarray, dict]:
        """Return a point for each image, and name -> what else the sampler takes with them."""
        if self.space.encode is not None:
            return self.space.encode(wanted.images), self._others(len(wanted.images), given)
        # The same ones do for all images, unless each brings something of its own.
        tried = None if given else self._try({})
        chosen = []
        for number in range(len(wanted.images)):
            own = {name: np.repeat(rows[number : number + 1], self.candidates, axis=0) for name, rows in given.items()}
            points, others, seen = tried or self._try(own)
            best = int(tf.argmin(seen.distance(wanted.only(number), self.pixels)))
            chosen.append((points[best], {name: each[best] for name, each in others.items()}))
        points, others = zip(*chosen, strict=True)
        return np.stack(points), {name: tf.stack([each[name] for each in others]) for name in others[0]}

    def _try(self, given: dict) -> tuple[np.ndarray, dict, Seen]:
        """Return random points, what else the sampler takes with them, and their images."""
        points, others = np.asarray(self.space.start(self.candidates, self.seed)), self._others(self.candidates, given)
        seen = []
        for first in range(0, self.candidates, _TRIED_AT_ONCE):
            part = slice(first, first + _TRIED_AT_ONCE)
            own = {name: each[part] for name, each in others.items()}
            seen.append(Seen.of(self.space.synthesize(tf.constant(points[part]), own)))
        images, features = zip(*seen, strict=True)
        return (
            points,
            others,
            Seen(tf.concat(images, 0), [tf.concat(depth, 0) for depth in zip(*features, strict=True)]),
        )

    def _others(self, count: int, given: dict) -> dict:
        """Return name -> tensor of the sampler's inputs that are no latents: what is given, or drawn."""
        inputs = dict(zip(self.model.takes, self.model.sampler_inputs(count, self.seed, **given), strict=True))
        del inputs["latents"]
        return inputs


class Descent:
    """Goes down the slope of the distance from given images, by Adam: Kingma and Ba 2014, algorithm 1.

    Args:
        space: that is searched.
        steps: how many.
        learning_rate: the highest.
        pixels: weight of the squared difference in the distance.
        typical: weight of how unusual points are.
    """

    def __init__(self, space: LatentSpace, steps: int, learning_rate: float, pixels: float, typical: float):
        self.space, self.steps, self.learning_rate = space, steps, learning_rate
        self.pixels, self.typical = pixels, typical
        self._look = tf.function(self._distances_and_slopes)

    def __call__(self, points: np.ndarray, given: dict, wanted: Seen, bar=None) -> Projection:
        """Return the nearest points on the way down from some points."""
        start = best = None
        found, mean, square = points, np.zeros_like(points), np.zeros_like(points)
        for step in range(self.steps + 1):
            distances, slopes = (each.numpy() for each in self._look(tf.constant(points), given, wanted))
            if start is None:
                _check_slopes(slopes)
                start = best = distances
            nearer = distances < best
            best = np.where(nearer, distances, best)
            found = np.where(_along(nearer, points), points, found)
            mean = _BETAS[0] * mean + (1 - _BETAS[0]) * slopes
            square = _BETAS[1] * square + (1 - _BETAS[1]) * slopes**2
            # Both means began at zero, and are brought up to what they are means of.
            mean_slope, mean_square = mean / (1 - _BETAS[0] ** (step + 1)), square / (1 - _BETAS[1] ** (step + 1))
            points = points - np.float32(self._rate(step)) * mean_slope / (np.sqrt(mean_square) + 1e-8)
            if bar:
                bar.add(1)
        images = self.space.synthesize(tf.constant(found), given).numpy()
        return Projection(found, images, best, start, {name: np.asarray(each) for name, each in given.items()})

    def _rate(self, step: int) -> float:
        share = step / self.steps
        return self.learning_rate * min(1.0, share / _WARM_UP) * 0.5 * (1.0 + math.cos(math.pi * share))

    def _distances_and_slopes(self, points, given, wanted):
        with tf.GradientTape() as tape:
            tape.watch(points)
            distances = Seen.of(self.space.synthesize(points, given)).distance(wanted, self.pixels)
            # A sum, not a mean: then no image's slope depends on how many others there are.
            aim = tf.reduce_sum(distances + self.typical * self.space.unusual(points))
        return distances, tape.gradient(aim, points, unconnected_gradients="zero")


def _each(model, count: int, given: dict) -> dict:
    """Return name -> array of what was given, one an image, checked."""
    given = {name: value for name, value in given.items() if value is not None}
    if "latents" in given:
        raise ValueError("The latents are what is looked for. Leave out latents=.")
    taken = dict(zip(model.takes, model.sampler_inputs(count, 0, **given), strict=True)) if given else {}
    return {name: taken[name].numpy() for name in given}


def _checked(model, images) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 4 or not len(images):
        raise ValueError(
            "images must be at least one image shaped (n, height, width, channels); received shape "
            f"{images.shape}."
        )  # fmt: skip
    model.check_images(images)
    model.makes.check_values(images)
    return images.astype("float32")


def _check_numbers(**numbers) -> None:
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ValueError(f"{name} must be a positive integer; received {number!r}.")


def _check_slopes(slopes: np.ndarray) -> None:
    if not slopes.any():
        raise ValueError(
            "The images of this model do not change a little where its latents do, as of one that throws coins with "
            "them: there is no slope to go down."
        )


def _along(chosen: np.ndarray, points: np.ndarray) -> np.ndarray:
    return chosen.reshape(-1, *[1] * (points.ndim - 1))


def _bar(total: int):
    import keras

    return keras.utils.Progbar(total, unit_name="step")
