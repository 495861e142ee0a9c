"""Declared: what a model takes, makes and learns, and its training data split into these and checked."""

import contextlib
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core.sampling import Sampling
from kerasgan.kinds import Images, Kind, Labels, Latents, Vectors


class Declared(Sampling):
    """A mixin of `GenerativeModel`, with defaults made of its `image_shape`, `latent_dim` and `num_classes`."""

    # The word by which recipes choose the reader of the training data.
    reads: ClassVar[str] = "images"

    @property
    def takes(self) -> dict[str, Kind]:
        """Name -> kind of the sampler's inputs, in their order.

        A model may have classes and still not let them be chosen: its sampler then has one input.
        """
        chosen = self.num_classes is not None and len(self.sampler.inputs) > 1
        return {"latents": Latents(self.latent_dim)} | ({"labels": Labels(self.num_classes)} if chosen else {})

    @property
    def makes(self) -> Kind:
        """The kind of what the sampler gives."""
        if len(self.image_shape or ()) == 3:
            return Images(self.image_shape)
        if len(self.image_shape or ()) == 1:
            return Vectors(*self.image_shape)
        raise ValueError(
            f"{type(self).__name__} does not make images (height, width, channels): its output has the shape "
            f"{self.image_shape}. Say what it makes, by a kind of kerasgan.kinds, in a property `makes`."
        )

    @property
    def learns(self) -> dict[str, Kind]:
        """Name -> kind of the parts of one training example, in the order in which `fit` takes them."""
        labels = {} if self.num_classes is None else {"labels": Labels(self.num_classes)}
        return {self.makes.name: self.makes} | labels

    # Methods, these two: Keras walks through public properties when it saves, and would not come back.

    def directions(self) -> dict[str, Sampling]:
        """Return name -> what generates: this model, and others that it can do, such as back from B to A."""
        return {self.name: self}

    @property
    def examples(self) -> dict[str, np.ndarray]:
        """Name -> array: real ones of the inputs that nobody can make up, such as photographs to translate.

        They are kept with the model, in `.keras` files and presets, where images are bytes: assigning rounds them so.
        They show the model; a data set to measure it on is given to `generate`.
        """
        return self._examples

    @examples.setter
    def examples(self, given: dict):
        kinds = self.kinds_of_examples()
        unknown = sorted(set(given) - set(kinds))
        if unknown:
            raise ValueError(f"{type(self).__name__} needs examples of {list(kinds)}; received {unknown}.")
        taken = {name: kinds[name].take(array, len(array), name, type(self).__name__) for name, array in given.items()}
        self._examples = {name: kinds[name].unpack(kinds[name].pack(array)) for name, array in taken.items()}

    def kinds_of_examples(self) -> dict[str, Kind]:
        """Return name -> kind of the inputs that nobody can make up, those of all directions."""
        taken = [item for direction in self.directions().values() for item in direction.takes.items()]
        return {name: kind for name, kind in taken if not kind.drawn}

    def check_images(self, images) -> None:
        """Raise a ValueError unless images have the shape of those that the model makes, and a floating dtype."""
        self.makes.check(images, type(self).__name__)

    def parts(self, data) -> dict[str, tf.Tensor]:
        """Return the parts of a training batch by their names in `learns`, each checked by its kind.

        Shapes and dtypes are checked while the step is traced; bounds where it runs, except under XLA.

        Args:
            data: what `fit` hands over: x, (x, y), nested tuples of parts, or a dict of parts.

        Raises:
            ValueError: a part is missing, there are too many, or one does not fit its kind.
        """
        owner = type(self).__name__
        found = self._split(*keras.utils.unpack_x_y_sample_weight(data))
        return {name: kind.checked(found[name], owner) for name, kind in self.learns.items()}

    def _split(self, x, y=None, weight=None) -> dict:
        """Return name -> part, unchecked; labels that the model does not learn are left aside."""
        owner, names = type(self).__name__, list(self.learns)
        if isinstance(x, dict):
            unknown = sorted(set(x) - set(names))
            if unknown:
                raise ValueError(f"{owner} learns {names}; received a dict with {unknown} besides.")
            found, rest = dict(x), [name for name in names if name not in x]
        else:
            first = tf.nest.flatten(x)
            if len(first) > len(names):
                raise ValueError(f"{owner} learns {names}; received {len(first)} parts.")
            found, rest = dict(zip(names, first, strict=False)), names[len(first) :]
        # Keras takes the last part of three for weights.
        others = [part for each in (y, weight) if each is not None for part in tf.nest.flatten(each)]
        if weight is not None and len(others) > len(rest):
            self._refuse_weights({"sample_weight": weight})
        found |= dict(zip(rest, others, strict=False))
        missing = [name for name in names if name not in found]
        if missing == ["labels"]:
            raise ValueError(
                f"{owner} has {self.num_classes} classes and needs ({', '.join(names)}); received {', '.join(found)}."
            )
        if missing:
            raise ValueError(f"{owner} learns {names}; received {len(found)} parts, no {missing}.")
        return found

    def _refuse_weights(self, given: dict) -> None:
        for name in ("sample_weight", "class_weight"):
            if given.get(name) is not None:
                raise ValueError(f"{type(self).__name__} weighs all examples alike and takes no {name}. Omit it.")

    def _check_arrays(self, x, y) -> None:
        """Check NumPy arrays at once, before anything is compiled."""
        for name, array in self._split(x, y).items():
            if isinstance(array, np.ndarray):
                self.learns[name].check(array, type(self).__name__)
                self.learns[name].check_values(array)

    @contextlib.contextmanager
    def _plain_errors(self):
        """Raise what a kind's check in the graph said as the ValueError that it is."""
        try:
            yield
        except tf.errors.InvalidArgumentError as error:
            for kind in self.learns.values():
                if kind.bounds is not None and kind.bounds_message in error.message:
                    raise ValueError(kind.bounds_message) from None
            raise
