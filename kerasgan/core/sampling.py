"""Sampling: to make things of named inputs, be it with a whole model or with one direction of it."""

import random
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core.latent_space import LatentSpace
from kerasgan.kinds import Images, Kind, Labels, Latents


class Panel(NamedTuple):
    """What a model shows of itself besides samples: some of what it makes, in rows that mean something.

    Attributes:
        made: array (n, ...) of what the model makes, row by row.
        columns: how many stand in a row.
        description: what to see in it, in a sentence or two.
    """

    made: np.ndarray
    columns: int
    description: str

    @classmethod
    def of_rows(cls, made: np.ndarray, description: str) -> "Panel":
        """Return the panel of an array (rows, columns, ...)."""
        return cls(made.reshape(-1, *made.shape[2:]), made.shape[1], description)


class Stepwise(NamedTuple):
    """A model that writes, taken apart: one token a call, so that whoever calls draws it as they like.

    Attributes:
        network: functional `keras.Model`, [tokens int32 (batch,), state float32 (batch, size)] to a dict: `logits` of
            the next tokens, float32 (batch, vocabulary), and the new `state`. Tokens that are not to be drawn have
            logits of about -1e9.
        first: the number that stands before the first token; the state before it is 0.
    """

    network: keras.Model
    first: int


class Sampling:
    """A mixin that draws what can be drawn, takes what is given, and runs the sampler.

    Whatever generates, shows, exports or measures needs no more of a model than this. A subclass has `name`, and

        sampler: functional `keras.Model` from the inputs, a list where there are several, to the output.
        takes: name -> `kerasgan.kinds.Kind` of the sampler's inputs, in their order.
        makes: the kind of its output.
        examples: name -> array, real ones of those inputs that nobody can make up; may be empty.
    """

    def shown(self) -> dict:
        """Return tag -> network with the sampler's inputs and output: what summaries show."""
        return {"samples": self.sampler}

    def panels(self) -> dict[str, Panel]:
        """Return tag -> what summaries and cards show besides samples; nothing unless the model says otherwise."""
        return {}

    def stepwise(self) -> Stepwise | None:
        """Return what makes one token after another of what `makes` says; None where there is no such thing."""

    def sample_latents(self, n: int, seed: "int | tf.Tensor | None" = None) -> tf.Tensor:
        """Return n latents, float32 of shape (n, latent_dim); standard normal ones unless the model says otherwise.

        Args:
            n: number of latents.
            seed: an integer for repeatable latents, None for fresh ones, or two integers in a tensor.
        """
        if "latents" not in self.takes:
            raise ValueError(f"{type(self).__name__} takes no latents, but {_listed(self.takes)}.")
        return self.takes["latents"].draw(n, as_seed(seed))

    def sampler_inputs(self, n: int, seed: int | None = None, labels=None, **given) -> tuple:
        """Return what `sampler` takes for n outputs, tensors in the order of `takes`.

        Args:
            n: how many to make.
            seed: integer for repeatable draws; None for fresh ones.
            labels: where the sampler takes labels: n class indices, or one for all; None cycles through the classes.
            **given: other inputs by their names in `takes`, n of each. What is not given is drawn, or, where it cannot
                be, is the first n of `examples`.

        Raises:
            ValueError: n is not a positive integer, an input does not fit, or one that cannot be drawn is missing.
        """
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise ValueError(f"The number of {self.makes.name} must be a positive integer; received {n!r}.")
        given = {name: value for name, value in {"labels": labels, **given}.items() if value is not None}
        self._refuse_unknown(given)
        if seed is None and len(self.takes) > 1:
            seed = random.randrange(2**31)
        # Tensors all: Keras takes no mixture.
        return tuple(tf.convert_to_tensor(self._input(name, int(n), seed, given)) for name in self.takes)

    def _refuse_unknown(self, given: dict) -> None:
        unknown = sorted(set(given) - set(self.takes))
        if unknown == ["labels"]:
            # It may know classes from its training, and still not draw the one that is asked for.
            raise ValueError(
                f"{type(self).__name__} is unconditional; received labels={given['labels']!r}. Omit labels."
            )
        if unknown:
            raise ValueError(f"The sampler of {type(self).__name__} takes {_listed(self.takes)}; received {unknown}.")

    def _input(self, name: str, n: int, seed: int | None, given: dict):
        kind = self.takes[name]
        if name in given:
            return kind.take(given[name], n, name, type(self).__name__)
        if name == "latents":
            return self.sample_latents(n, seed)
        if kind.drawn:
            # Another seed than that of the latents, which would be the same numbers.
            return kind.draw(n, as_seed(seed) + tf.constant([0, 1 + list(self.takes).index(name)]))
        return self._examples_of(name, kind, n)

    def _examples_of(self, name: str, kind: Kind, n: int) -> np.ndarray:
        examples = self.examples.get(name, ())
        if len(examples) < n:
            owned = f"only {len(examples)} examples" if len(examples) else "no examples"
            raise ValueError(
                f"{type(self).__name__} makes {self.makes.name} of {kind.name} that it cannot make up, and has {owned} "
                f"of its own: give {name}=, {n} {kind.name} ({kind.describe()})."
            )
        return examples[:n]

    def generate(self, n: int, seed: int | None = None, labels=None, batch_size: int = 128, **given) -> np.ndarray:
        """Return n new ones of what the model makes: of images float32 (n, height, width, channels) in [-1, 1].

        The same seed gives the same, and the training's random state is left alone.

        Args:
            n: how many to make.
            seed: integer for repeatable ones; None for fresh ones.
            labels: of a conditional model only: n class indices, or one for all; None cycles through the classes.
            batch_size: how many are made at a time.
            **given: other inputs by their names in `takes`, n of each; see `sampler_inputs`.

        Raises:
            ValueError: n is not a positive integer, an input does not fit, or one that cannot be drawn is missing.
        """
        inputs = self.sampler_inputs(n, seed, labels, **given)
        batches = [
            np.asarray(self.sample([part[start : start + batch_size] for part in inputs]))
            for start in range(0, n, batch_size)
        ]
        return np.concatenate(batches)

    def at_most(self, n: int) -> int:
        """Return n, or how many the examples of inputs that nobody can make up suffice for."""
        return min([n, *map(len, self.examples.values())])

    def beside(self, inputs) -> np.ndarray | None:
        """Return those of the sampler's inputs that are shown to the left of what is made of them.

        They are images, of the same size as those that are made. None where there are no such.
        """
        for kind, array in zip(self.takes.values(), inputs, strict=True):
            if isinstance(kind, Images) and isinstance(self.makes, Images) and kind.shape[:2] == self.makes.shape[:2]:
                return np.asarray(array)
        return None

    def sample(self, inputs) -> tf.Tensor:
        """Return what the sampler makes of a batch of its inputs, in the order of `takes`, in inference mode."""
        return self.sampler(as_input(inputs), training=False)

    def latent_spaces(self) -> dict[str, LatentSpace]:
        """Return name -> space in which `kerasgan.projection` looks for images: "z", the latents, where there are any.

        A model that knows a better one, such as what a network makes of the latents first, adds it.
        """
        latents = self.takes.get("latents")
        if not isinstance(latents, Latents):
            return {}

        def synthesize(points, given):
            return self.sample([points if name == "latents" else given[name] for name in self.takes])

        return {"z": LatentSpace(self.sample_latents, synthesize, latents.unusual)}

    def interpolate(self, start, end, steps: int = 8, **given) -> np.ndarray:
        """Return what lies on the way from one latent vector to another.

        The path between normal latents is spherical, see `kerasgan.kinds.Latents.path`.

        Args:
            start: latents of shape (latent_dim,).
            end: latents of shape (latent_dim,).
            steps: how many to make, both ends included; at least 2.
            **given: one each of the sampler's other inputs, the same on the whole way. What is not given is class 0, or
                the first of `examples`.

        Returns:
            float32 array of shape (steps, height, width, channels) in [-1, 1] where the model makes images.
        """
        if steps < 2:
            raise ValueError(f"steps must be at least 2, both ends included; received {steps}.")
        latents = self.takes.get("latents")
        if not isinstance(latents, Latents):
            raise ValueError(f"{type(self).__name__} takes no latents, but {_listed(self.takes)}.")
        still = {name: given.get(name, 0 if isinstance(kind, Labels) else None) for name, kind in self.takes.items()}
        fixed = {"latents": np.asarray(start)[None]} | {
            name: np.asarray(value)[None] for name, value in still.items() if value is not None and name != "latents"
        }
        others = self.sampler_inputs(1, 0, **fixed)
        inputs = [tf.repeat(each, steps, axis=0) for each in others]
        inputs[list(self.takes).index("latents")] = tf.constant(latents.path(start, end, steps))
        return np.asarray(self.sample(inputs))


class Translator(Sampling):
    """A mixin for models that make things of images."""

    @property
    def source(self) -> str | None:
        """The name of the input that takes images; None where there is none."""
        return next((name for name, kind in self.takes.items() if isinstance(kind, Images)), None)

    def translate(self, images, seed: int | None = None, batch_size: int = 16) -> np.ndarray:
        """Return the translations of images.

        Args:
            images: float array (n, height, width, channels) in [-1, 1].
            seed: integer for repeatable draws where the model has random inputs too; None for fresh ones.
            batch_size: images translated at a time.

        Raises:
            ValueError: the images do not fit.
        """
        if self.source is None:
            raise ValueError(f"{self.name} makes {self.makes.name} of {_listed(self.takes)}, not of images.")
        return self.generate(len(images), seed, batch_size=batch_size, **{self.source: images})


class Direction(Translator):
    """One of several samplers of a model, to generate with, export and measure on its own.

    Args:
        model: the model it belongs to, whose examples it uses.
        name: of the direction, such as "b_to_a".
        sampler: functional `keras.Model`.
        takes: name -> kind of the sampler's inputs.
        makes: kind of its output.
    """

    def __init__(self, model, name: str, sampler, takes: dict[str, Kind], makes: Kind):
        self.model = model
        self.name = name
        self.sampler = sampler
        self.takes = takes
        self.makes = makes

    @property
    def examples(self) -> dict[str, np.ndarray]:
        """The model's examples of the inputs of this direction."""
        return {name: array for name, array in self.model.examples.items() if name in self.takes}

    def shown(self) -> dict:
        """Return the sampler by the direction's name."""
        return {self.name: self.sampler}


def as_seed(seed: "int | tf.Tensor | None") -> tf.Tensor:
    """Return the two integers that TensorFlow's stateless random functions take.

    None draws from Python's `random`, as Keras does, so that `keras.utils.set_random_seed` makes it repeatable.
    """
    if seed is None:
        seed = random.randrange(2**31)
    if isinstance(seed, int | np.integer):
        return tf.constant([seed & 0x7FFFFFFF, 0], "int32")
    return seed


def as_input(parts):
    """Return a single network input bare and several as a list, the way functional models take them."""
    return parts[0] if len(parts) == 1 else list(parts)


def _listed(names) -> str:
    return ", ".join(names)
