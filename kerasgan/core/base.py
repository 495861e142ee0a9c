"""GenerativeModel: what every model of the zoo can do, adversarial or not.

Say what it takes, makes and learns, generate, report named terms, and keep its random state through save and load.
"""

import contextlib
import inspect
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core import replicas
from kerasgan.core.clock import Clock, Phases
from kerasgan.core.sampling import Sampling
from kerasgan.kinds import Images, Kind, Labels, Latents, Vectors

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"kerasgan runs on TensorFlow; the backend of Keras is {keras.backend.backend()!r}. Set "
        "KERAS_BACKEND=tensorflow before Keras is imported."
    )


class GenerativeModel(Sampling, keras.Model):
    """A `keras.Model` that maps latents, and whatever else it takes, to images, or whatever else it makes.

    A subclass sets `sampler` (a functional `keras.Model` from the inputs in `takes` to what it `makes`) and `networks`
    (name -> network: what a preset ships), and lists the names of its loss terms in `terms`. Where the defaults of
    `takes`, `makes` and `learns`, made of the arguments below, are not what it does, it overrides them.

    Args:
        image_shape: (height, width, channels) of the images.
        latent_dim: length of a latent vector.
        num_classes: number of classes of a conditional model; None for an unconditional one.
        seed: integer that fixes the initial weights and every random draw in training; None draws one.
    """

    # The word by which recipes choose the reader of the training data.
    reads: ClassVar[str] = "images"
    # Terms that are reported and not minimised, such as an accuracy.
    observations: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, *args, **kwargs):
        """Refuse what no network here can be built with, before a subclass builds one."""
        if keras.config.image_data_format() != "channels_last":
            raise ValueError(
                "kerasgan's images are channels_last (height, width, channels); Keras is set to image_data_format = "
                f'"{keras.config.image_data_format()}". Call keras.config.set_image_data_format("channels_last") first.'
            )
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *, image_shape=None, latent_dim=None, num_classes=None, seed=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.image_shape = None if image_shape is None else tuple(image_shape)
        self.latent_dim = latent_dim
        self.num_classes = num_classes
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        # Inputs keep their dtype: the networks cast what they need, and labels and targets stay exact.
        self.autocast = False
        self._trackers = {}
        self.clock = Clock()
        self._examples = {}

    # What it takes, makes and learns

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

    @property
    def sampler(self) -> keras.Model:
        """The inference network, from the inputs in `takes` to what the model makes."""
        raise NotImplementedError

    @property
    def networks(self) -> dict[str, keras.Model]:
        """The networks that make up a trained model, by the names a preset stores them under."""
        raise NotImplementedError

    def adopt_networks(self) -> None:
        """Bring the rest of the model in line after new weights were loaded into `networks`."""

    def call(self, inputs, training=False):
        """Map the sampler's inputs, such as latents or [latents, labels], to what the model makes."""
        del training  # The sampler is for inference; training has its own passes.
        return self.sampler(inputs, training=False)

    # Training

    def compile(self, *, run_eagerly=False, steps_per_execution=1, jit_compile="auto"):
        """Configure how the step runs; a subclass's `compile` calls it in the strategy's scope.

        Args:
            run_eagerly: run Python step by step, for debugging.
            steps_per_execution: batches in one call of the compiled step; always 1 where several devices share a batch.
            jit_compile: compile the step with XLA; "auto" does so where a GPU is present.
        """
        if jit_compile == "auto":
            jit_compile = bool(tf.config.list_physical_devices("GPU")) and self.num_replicas == 1 and not run_eagerly
        if self.num_replicas > 1:
            # Keras's loop over a distributed iterator fails (https://github.com/keras-team/keras/issues/19246).
            steps_per_execution = 1
        # optimizer=None keeps Keras from making one of its own over all weights.
        super().compile(
            optimizer=None,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
        )

    def next_seed(self) -> tf.Tensor:
        """Return the seed of the next draw in training: two integers, different on every replica.

        Under a `tf.distribute` strategy all replicas read the same seed state, so the replica's number is added.
        """
        return replicas.on_this_replica(tf.cast(self.seed_generator.next(), "int32"))

    def evaluation_seed(self) -> tf.Tensor:
        """Return the seed of the next batch in `evaluate`: the same in every evaluation, different on every replica."""
        batch_number = tf.cast(tf.round(self.metrics[0].count), "int32")
        return replicas.on_this_replica(tf.stack([self.seed or 0, batch_number]))

    @property
    def num_replicas(self) -> int:
        """The number of devices that share a batch."""
        return self.distribute_strategy.num_replicas_in_sync

    @property
    def metrics(self) -> list:
        """One `keras.metrics.Mean` for every loss term, in the order they are reported."""
        return list(self._trackers.values())

    def set_tracked_terms(self, names) -> None:
        """Make one epoch-average metric for each name, after `loss`; call it in `compile`."""
        with self.distribute_strategy.scope():
            self._trackers = {name: keras.metrics.Mean(name) for name in ("loss", *names)}

    @property
    def observed(self) -> tuple[str, ...]:
        """The names of the terms that are reported and not minimised."""
        return self.observations

    def total(self, terms: dict[str, tf.Tensor]) -> tf.Tensor:
        """Return the sum of the terms that are minimised, without those in `observed`."""
        minimised = [value for name, value in terms.items() if name not in self.observed]
        return tf.add_n(minimised) if minimised else tf.zeros(())

    def track(self, terms: dict[str, tf.Tensor], share=None) -> dict[str, tf.Tensor]:
        """Add the terms to their averages and return the logs of a step.

        They come with `loss`, the sum of what is minimised unless a term is named so. Of a GAN it measures no progress;
        it is what callbacks such as `TerminateOnNaN` look at, and not finite as soon as one of those terms is not.

        Args:
            terms: name -> scalar.
            share: what `replicas.shard` gave; None counts all replicas alike.

        Raises:
            ValueError: a term was not announced to `set_tracked_terms`.
        """
        terms = {"loss": self.total(terms), **terms}
        unknown = sorted(set(terms) - set(self._trackers))
        if unknown:
            raise ValueError(
                f"{type(self).__name__} reports the terms {unknown}, but announced only {list(self._trackers)}. "
                "List them in the class attribute `terms`."
            )
        # The weights of all replicas add up to their number: a batch counts once, however it was split.
        weight = None if share is None else share * self.num_replicas
        for name, value in terms.items():
            self._trackers[name].update_state(value, weight)
        logs = self.get_metrics_result()
        if isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras joins the logs of several workers along axis 0, which a scalar does not have.
            logs = {name: tf.reshape(value, (1,)) for name, value in logs.items()}
        return logs

    def fit(self, *args, **kwargs):
        """Train as `keras.Model.fit` does, with the same arguments; an unconditional model ignores labels.

        The data are the parts of `learns`: one array for one part, (images, labels), ((a, b),), a dict by their names,
        or a data set of these.

        Raises:
            ValueError: a part is missing, does not have its kind's shape or dtype, or holds values out of bounds; or
                sample or class weights are given.
        """
        bound = inspect.signature(super().fit).bind(*args, **kwargs)
        given = bound.arguments
        self._refuse_weights(given)
        if isinstance(given.get("x"), np.ndarray | tf.Tensor | list | tuple | dict):
            self._check_arrays(given["x"], given.get("y"))
        elif isinstance(given.get("x"), tf.data.Dataset):
            # Keras shuffles by default and warns that it cannot shuffle a data set.
            given.setdefault("shuffle", False)
        given["callbacks"] = self._with_own_callbacks(given.get("callbacks"))
        with self._plain_errors():
            return super().fit(*bound.args, **bound.kwargs)

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

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # All variables exist from construction on. Keras would build them from the first batch, averaged over the
        # replicas, which fails where it splits unevenly.
        del iterator, data_batch

    @property
    def epochs_done(self) -> int:
        """Finished epochs of training, counted over all calls of `fit` and saved with the model."""
        with tf.init_scope():  # Read where a step is traced, not where it runs.
            return int(keras.ops.convert_to_numpy(self.clock.epochs))

    @property
    def phase(self) -> "str | None":
        """What is trained in the present epoch, by `epochs_done`; None where training is the same from end to end."""
        return None

    def own_callbacks(self) -> list:
        """Return the callbacks that `fit` runs before the user's: checkpoints then see their work."""
        return [Phases()]

    def _with_own_callbacks(self, callbacks):
        own = self.own_callbacks()
        if isinstance(callbacks, keras.callbacks.CallbackList):
            for callback in own:
                callbacks.append(callback)
            return callbacks
        return own + tf.nest.flatten([] if callbacks is None else callbacks)

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

    # Persistence

    def get_config(self) -> dict:
        """Return the arguments every model shares; subclasses add their own."""
        config = {"seed": self.seed, "name": self.name}
        config["dtype"] = keras.saving.serialize_keras_object(self.dtype_policy)
        return config

    def save_own_variables(self, store):
        """Save the model's own variables, its examples, and the random state, which Keras leaves out.

        With the random state, resumed training goes on as if never stopped.
        """
        super().save_own_variables(store)
        for index, generator in enumerate(self._seed_generators_of_all_layers()):
            store[f"seed_state_{index}"] = keras.ops.convert_to_numpy(generator.state)
        kinds = self.kinds_of_examples()
        for name, array in self.examples.items():
            store[f"example_{name}"] = kinds[name].pack(array)

    def load_own_variables(self, store):
        """Restore what `save_own_variables` saved; files of 0.1 hold the random state only."""
        names = list(store.keys())
        own = {name: store[name] for name in names if name.isdigit()}
        if own:
            super().load_own_variables(own)
        for index, generator in enumerate(self._seed_generators_of_all_layers()):
            generator.state.assign(store[f"seed_state_{index}"])
        kinds = self.kinds_of_examples()
        kept = {name: np.asarray(store[f"example_{name}"]) for name in kinds if f"example_{name}" in names}
        self._examples = {name: kinds[name].unpack(packed) for name, packed in kept.items()}

    def export(self, filepath, format="tf_saved_model", **kwargs) -> None:
        """Export the sampler as `keras.Model.export` does; `kerasgan.export` also checks and measures what it wrote."""
        self.sampler.export(filepath, format=format, **kwargs)

    def _seed_generators_of_all_layers(self) -> list:
        found = {}
        for layer in self._flatten_layers():
            for generator in getattr(layer, "_seed_generators", ()):
                found[id(generator)] = generator
        return list(found.values())
