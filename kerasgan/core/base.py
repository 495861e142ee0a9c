"""GenerativeModel: what every model of the zoo can do, adversarial or not.

Say what it takes, makes and learns, generate, report named terms, and keep its random state through save and load.
"""

import inspect

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core import replicas
from kerasgan.core.clock import Clock, Phases
from kerasgan.core.declared import Declared
from kerasgan.core.sizes import check_sizes
from kerasgan.core.terms import Terms

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"kerasgan runs on TensorFlow; the backend of Keras is {keras.backend.backend()!r}. Set "
        "KERAS_BACKEND=tensorflow before Keras is imported."
    )


class GenerativeModel(Declared, Terms, keras.Model):
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

    def __new__(cls, *args, **kwargs):
        """Refuse what no network here can be built with, before a subclass builds one."""
        if keras.config.image_data_format() != "channels_last":
            raise ValueError(
                "kerasgan's images are channels_last (height, width, channels); Keras is set to image_data_format = "
                f'"{keras.config.image_data_format()}". Call keras.config.set_image_data_format("channels_last") first.'
            )
        check_sizes(cls, args, kwargs)
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

    def evaluate(self, x=None, y=None, *args, **kwargs):
        """Report the terms on data as `keras.Model.evaluate` does, with the same arguments, and change nothing.

        Raises:
            ValueError: as `fit`.
        """
        if isinstance(x, np.ndarray):
            self._check_arrays(x, y)
        with self._plain_errors():
            return super().evaluate(x, y, *args, **kwargs)

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
