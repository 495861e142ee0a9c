"""Attributes: directions of a latent space that have names, learned from examples that have the attribute or not."""

import keras
import numpy as np

from kerasgan.core.sampling import Panel

# What a slider shows: from as much less as an example lacks to three times what it gains, of so many images. Latents
# are halved, so that they stand nearer to what all images share.
AMOUNTS = np.arange(-1.0, 3.5, 0.5)
SHOWN, CALMER = 2, 0.5
# Weights of squared coefficients that are tried, in shares of the mean square of a feature; every so-manieth example is
# kept to choose by.
_RIDGES, _EVERY = (0.01, 0.1, 1.0), 5


def direction_network(names: tuple[str, ...], latent_dim: int) -> keras.Model:
    """Return amounts (batch, len(names)) to the sum of directions (batch, latent_dim); training leaves it alone."""
    amounts = keras.Input((len(names),), name="amounts")
    directions = keras.layers.Dense(
        latent_dim, use_bias=False, kernel_initializer="zeros", trainable=False, dtype="float32", name="directions"
    )
    return keras.Model(amounts, directions(amounts), name="attributes")


def check_names(names) -> tuple[str, ...]:
    """Return the names of attributes as a tuple.

    Raises:
        ValueError: one cannot be the name of an argument, or comes twice.
    """
    if isinstance(names, str):
        raise ValueError(f"attributes must be a sequence of names; received the string {names!r}.")
    names = tuple(names)
    wrong = [name for name in names if not (isinstance(name, str) and name.isidentifier())]
    if wrong or len(set(names)) < len(names):
        raise ValueError(
            "attributes are names of letters, digits and underscores, such as 'blond_hair', each once; received "
            f"{list(names)}."
        )
    return names


def directions_of(codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what each attribute adds to a code where the others stay: float32 (attributes, latent_dim).

    Args:
        codes: array (n, latent_dim) of images.
        labels: array (n, attributes) of 1 where an image has the attribute, 0 where not.

    Raises:
        ValueError: examples cannot tell the attributes apart.
    """
    with_constant = np.column_stack([np.ones(len(codes)), labels])
    solution, _, rank, _ = np.linalg.lstsq(with_constant, codes, rcond=None)
    if rank < with_constant.shape[1]:
        raise ValueError(
            "Among these examples one of the attributes follows from the others. Leave it out, or give examples in "
            "which they differ."
        )
    return solution[1:].astype("float32")


def scores_of(features: np.ndarray, labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how much other examples have of some attributes, by ridge regression: float32 (m, attributes).

    Args:
        features: array (n, d) of examples.
        labels: array (n, attributes) of their 1 and 0.
        others: array (m, d), features of examples that nobody labelled.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    known, unknown = (((each - mean) / spread).astype("float32") for each in (features, others))
    kept, average = np.arange(len(known)) % _EVERY == 0, labels.mean(axis=0)

    def fitted(rows, ridges):
        squares, sums = known[rows].T @ known[rows], known[rows].T @ (labels[rows] - average).astype("float32")
        for ridge in ridges:
            yield np.linalg.solve(squares + ridge * rows.sum() * np.eye(len(squares), dtype="float32"), sums)

    errors = [np.square(known[kept] @ each + average - labels[kept]).mean() for each in fitted(~kept, _RIDGES)]
    (best,) = fitted(np.ones(len(known), bool), [_RIDGES[int(np.argmin(errors))]])
    return (unknown @ best + average).astype("float32")


class Attributes:
    """A mixin for models that have names for some directions of a latent space.

    A subclass has `decode`, from points of that space to images, and

        attributes: the names.
        attribute_network: what `direction_network` returned for them; None without names.

    and what follows here as for a model that has `encode` and moves its latents, where that is not so.
    """

    attributes: tuple[str, ...] = ()
    attribute_network: keras.Model | None = None
    # The name, in `latent_spaces`, of the one that has the directions.
    attribute_space = "z"
    shown_amounts = AMOUNTS

    def coded_examples(self, images, labels) -> tuple[np.ndarray, np.ndarray]:
        """Return points (n, latent_dim) and how much (n, attributes) their images have, of labelled images."""
        return np.concatenate([self.encode(images[part]) for part in _batches(len(images))]), labels

    def shown_points(self, n: int) -> tuple[np.ndarray, str]:
        """Return points that sliders are shown at, and what is to be said of them."""
        return CALMER * np.asarray(self.sample_latents(n, seed=0)), f"Latents are {CALMER:g} times random ones."

    def learn_attributes(self, images, labels) -> None:
        """Learn the direction of each attribute, by least squares of images' codes on all labels at once.

        One at a time, an attribute takes along whatever goes with it in the examples; here each direction is what
        changes where the others stay. The directions are kept with the model. The average difference of Larsen et al.
        2016, section 4.2 (https://arxiv.org/abs/1512.09300), is what this comes to with a single attribute.

        Args:
            images: float array (n, height, width, channels) in [-1, 1].
            labels: array (n, attributes) of 1 where an image has the attribute, 0 where not; a row with a NaN is left
                out.

        Raises:
            ValueError: the model has no names for attributes, the labels do not fit, or examples cannot tell them
                apart.
        """
        self._check_attributes()
        labels = np.asarray(labels, "float64")
        if labels.shape != (len(images), len(self.attributes)):
            raise ValueError(
                f"labels must be (images, attributes), here ({len(images)}, {len(self.attributes)}); received "
                f"{labels.shape}."
            )
        known = ~np.isnan(labels).any(axis=1)
        self._check_labels(labels[known])
        codes, amounts = self.coded_examples(images[known], labels[known])
        self.attribute_network.set_weights([directions_of(codes, amounts)])

    def attribute_directions(self) -> dict[str, np.ndarray]:
        """Return name -> direction, float32 (latent_dim,): all zeros before `learn_attributes`."""
        if not self.attributes:
            return {}
        return dict(zip(self.attributes, self.attribute_network.get_weights()[0], strict=True))

    def move(self, latents, **amounts) -> np.ndarray:
        """Return latents (n, latent_dim) with more or less of some attributes.

        Args:
            latents: array (n, latent_dim).
            **amounts: name -> how much: 1 is the difference between images with the attribute and without. A number
                for all, or one for each.

        Raises:
            ValueError: an attribute is not known, or was not learned.

        Example:
            smiling = vae.decode(vae.move(vae.encode(faces), smiling=1.0))
        """
        self._check_attributes()
        directions = self.attribute_directions()
        unknown = sorted(set(amounts) - set(directions))
        if unknown:
            raise ValueError(f"This model knows the attributes {list(directions)}; received {unknown}.")
        if not any(direction.any() for direction in directions.values()):
            raise ValueError("The attributes of this model were not learned yet: see learn_attributes.")
        latents = np.asarray(latents, "float32")
        for name, amount in amounts.items():
            latents = latents + np.reshape(amount, (-1, 1)).astype("float32") * directions[name]
        return latents

    def panels(self) -> dict[str, Panel]:
        """Return sliders: for each attribute some of the model's images, from less of it to more."""
        learned = [name for name, direction in self.attribute_directions().items() if direction.any()]
        if not learned:
            return {}
        latents, said = self.shown_points(SHOWN)
        rows = [
            self.decode(self.move(np.repeat(one[None], len(self.shown_amounts), axis=0), **{name: self.shown_amounts}))
            for name in learned
            for one in latents
        ]
        amounts = ", ".join(f"{amount:g}" for amount in self.shown_amounts)
        listed = ", ".join(name.replace("_", " ") for name in learned)
        return {
            "attributes": Panel.of_rows(
                np.stack(rows),
                f"{SHOWN} rows each of {listed}: along a row only its amount changes ({amounts}; 1 is the difference "
                f"between images with it and without). {said}",
            )
        }

    def _check_attributes(self) -> None:
        if not self.attributes:
            raise ValueError(
                "This model has no names for attributes. Build it with some: "
                f'{type(self).__name__}(attributes=["smiling", ...]).'
            )

    def _check_labels(self, labels: np.ndarray) -> None:
        if not np.isin(labels, (0.0, 1.0)).all():
            raise ValueError("labels must be 1 (has the attribute), 0 (has it not) or NaN (not known).")
        for name, column in zip(self.attributes, labels.T, strict=True):
            if not 0 < column.sum() < len(column):
                raise ValueError(
                    f"{name!r} needs examples with and without it; received {int(column.sum())} with it of "
                    f"{len(column)}."
                )


def _batches(count: int, size: int = 500):
    return (slice(start, start + size) for start in range(0, count, size))
