"""GenerativeModel: what every model of the zoo can do, adversarial or not.

Draw latents, generate images, report named loss terms, and keep its random state through save and load.
"""

import inspect
import random

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core import replicas

RANGE_TOLERANCE = 1e-3
_RANGE_MESSAGE = (
    "Images must be finite and in [-1, 1]; received values outside. "
    "Scale bytes with kerasgan.images.to_float, or load the data with kerasgan.data.load."
)


class GenerativeModel(keras.Model):
    """A `keras.Model` that maps latents to images.

    A subclass sets `sampler` (a functional `keras.Model`: latents, or latents and labels, to float32 images in
    [-1, 1]) and `networks` (name -> network: what a preset ships), and lists the names of its loss terms.

    Args:
        image_shape: (height, width, channels) of the images.
        latent_dim: length of a latent vector.
        num_classes: number of classes of a conditional model; None for an unconditional one.
        seed: integer that fixes the initial weights and every random draw in training; None draws one.
    """

    def __init__(self, *, image_shape, latent_dim, num_classes=None, seed=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.image_shape = tuple(image_shape)
        self.latent_dim = latent_dim
        self.num_classes = num_classes
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        # Inputs keep their dtype: the networks cast what they need, and labels and targets stay exact.
        self.autocast = False
        self._trackers = {}

    @property
    def sampler(self) -> keras.Model:
        """The inference network: latents (and labels) to float32 images in [-1, 1]."""
        raise NotImplementedError

    @property
    def networks(self) -> dict[str, keras.Model]:
        """The networks that make up a trained model, by the names a preset stores them under."""
        raise NotImplementedError

    def adopt_networks(self) -> None:
        """Bring the rest of the model in line after new weights were loaded into `networks`."""

    # Sampling

    def sample_latents(self, n: int, seed: "int | tf.Tensor | None" = None) -> tf.Tensor:
        """Return n standard normal latents, float32 of shape (n, latent_dim).

        Args:
            n: number of latents.
            seed: an integer for repeatable latents, None for fresh ones, or two integers in a tensor.
        """
        return tf.random.stateless_normal((n, self.latent_dim), seed=as_seed(seed))

    def sampler_inputs(self, n: int, seed: int | None = None, labels=None) -> tuple:
        """Return what `sampler` takes for n images: (latents,), or (latents, int32 labels).

        Args:
            n: number of images.
            seed: integer for repeatable latents; None for fresh ones.
            labels: of a conditional model only: n class indices, or one for all; None cycles through the classes.

        Raises:
            ValueError: labels do not fit the model, their number is not n, or one is out of range.
        """
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise ValueError(f"The number of images must be a positive integer; received {n!r}.")
        latents = self.sample_latents(int(n), seed)
        if self.num_classes is None:
            if labels is not None:
                raise ValueError(f"{type(self).__name__} is unconditional; received labels={labels!r}. Omit labels.")
            return (latents,)
        # A tensor, as the latents are: Keras takes no mixture.
        return latents, tf.convert_to_tensor(self._check_labels(labels, n))

    def _check_labels(self, labels, n: int) -> np.ndarray:
        if labels is None:
            return np.arange(n, dtype="int32") % self.num_classes
        labels = np.asarray(labels)
        if labels.ndim == 0:
            labels = np.full(n, labels)
        if labels.shape != (n,) or not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(
                f"labels must be {n} integers, one an image; received shape {labels.shape}, dtype {labels.dtype}."
            )
        if labels.min() < 0 or labels.max() >= self.num_classes:
            raise ValueError(f"labels must be in 0..{self.num_classes - 1}; received {labels.min()}..{labels.max()}.")
        return labels.astype("int32")

    def call(self, inputs, training=False):
        """Map latents, or (latents, labels), to float32 images in [-1, 1] with the sampler."""
        del training  # The sampler is for inference; training has its own passes.
        return self.sampler(inputs, training=False)

    def generate(self, n: int, seed: int | None = None, labels=None, batch_size: int = 128) -> np.ndarray:
        """Return n new images, float32 of shape (n, height, width, channels) in [-1, 1].

        The same seed gives the same images, and the training's random state is left alone.

        Args:
            n: number of images.
            seed: integer for repeatable images; None for fresh ones.
            labels: of a conditional model only: n class indices, or one for all; None cycles through the classes.
            batch_size: images made at a time.

        Raises:
            ValueError: n is not a positive integer, or labels do not fit the model.
        """
        inputs = self.sampler_inputs(n, seed, labels)
        batches = [
            np.asarray(self(_as_input([part[start : start + batch_size] for part in inputs])))
            for start in range(0, n, batch_size)
        ]
        return np.concatenate(batches)

    def interpolate(self, start: tf.Tensor, end: tf.Tensor, steps: int = 8) -> np.ndarray:
        """Return the images on the way from one latent vector to another.

        The path is spherical: points on a straight line between two Gaussian latents are shorter than any latent
        the model was trained on. White 2016, equation 2 (https://arxiv.org/abs/1609.04468).

        Args:
            start: latents of shape (latent_dim,).
            end: latents of shape (latent_dim,).
            steps: number of images, both ends included; at least 2.

        Returns:
            float32 array of shape (steps, height, width, channels) in [-1, 1].
        """
        if steps < 2:
            raise ValueError(f"steps must be at least 2, both ends included; received {steps}.")
        path = spherical_path(np.asarray(start), np.asarray(end), steps)
        labels = () if self.num_classes is None else (np.zeros(steps, "int32"),)
        return np.asarray(self(_as_input((path, *labels))))

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

    def track(self, terms: dict[str, tf.Tensor], share=None) -> dict[str, tf.Tensor]:
        """Add the terms to their averages and return the logs of a step.

        They come with `loss`, the sum of all terms unless one is named so. Of a GAN it measures no progress; it is
        what Keras callbacks such as `TerminateOnNaN` look at, and not finite as soon as any term is not.

        Args:
            terms: name -> scalar.
            share: what `replicas.shard` gave; None counts all replicas alike.

        Raises:
            ValueError: a term was not announced to `set_tracked_terms`.
        """
        terms = {"loss": tf.add_n(list(terms.values())), **terms}
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

        Raises:
            ValueError: the images do not have this model's shape, or are not floating point in [-1, 1].
        """
        bound = inspect.signature(super().fit).bind(*args, **kwargs)
        images = bound.arguments.get("x")
        if isinstance(images, np.ndarray):
            self.check_images(images)
            check_range(images.min(), images.max())
        elif isinstance(images, tf.data.Dataset):
            # Keras shuffles by default and warns that it cannot shuffle a data set.
            bound.arguments.setdefault("shuffle", False)
        bound.arguments["callbacks"] = self._with_own_callbacks(bound.arguments.get("callbacks"))
        try:
            return super().fit(*bound.args, **bound.kwargs)
        except tf.errors.InvalidArgumentError as error:
            if _RANGE_MESSAGE not in error.message:
                raise
            raise ValueError(_RANGE_MESSAGE) from None

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # All variables exist from construction on. Keras would build them from the first batch, averaged over the
        # replicas, which fails where it splits unevenly.
        del iterator, data_batch

    def own_callbacks(self) -> list:
        """Return the callbacks that `fit` runs before the user's: checkpoints then see their work."""
        return []

    def _with_own_callbacks(self, callbacks):
        own = self.own_callbacks()
        if isinstance(callbacks, keras.callbacks.CallbackList):
            for callback in own:
                callbacks.append(callback)
            return callbacks
        return own + tf.nest.flatten([] if callbacks is None else callbacks)

    def check_images(self, images) -> None:
        """Raise a ValueError unless the images have this model's shape and a floating dtype."""
        if tuple(images.shape[1:]) != self.image_shape:
            raise ValueError(
                f"{type(self).__name__} was built for images of shape {self.image_shape}; received a batch of shape "
                f"{tuple(images.shape)}. Load the data with kerasgan.data.load(..., image_size=, channels=), or build "
                "the model with this image_shape."
            )
        if not tf.as_dtype(images.dtype).is_floating:
            raise ValueError(
                f"Images must be floating point in [-1, 1]; received {tf.as_dtype(images.dtype).name}. "
                "kerasgan.data.load converts, and so does kerasgan.images.to_float."
            )

    def checked(self, images: tf.Tensor) -> tf.Tensor:
        """Return a batch of training images as float32, checked for shape, dtype and range.

        The range is checked where the step runs, except under XLA, which drops assertions.
        """
        self.check_images(images)
        images = tf.cast(images, "float32")
        largest = tf.reduce_max(tf.abs(images))
        check = tf.debugging.assert_less_equal(largest, 1.0 + RANGE_TOLERANCE, message=_RANGE_MESSAGE)
        with tf.control_dependencies([check] if check is not None else []):
            return tf.identity(images)

    # Persistence

    def get_config(self) -> dict:
        """Return the arguments every model shares; subclasses add their own."""
        config = {"seed": self.seed, "name": self.name}
        config["dtype"] = keras.saving.serialize_keras_object(self.dtype_policy)
        return config

    def save_own_variables(self, store):
        """Save the random state, which Keras leaves out: resumed training goes on as if never stopped."""
        for index, generator in enumerate(self._seed_generators_of_all_layers()):
            store[f"seed_state_{index}"] = keras.ops.convert_to_numpy(generator.state)

    def load_own_variables(self, store):
        """Restore the random state."""
        for index, generator in enumerate(self._seed_generators_of_all_layers()):
            generator.state.assign(store[f"seed_state_{index}"])

    def _seed_generators_of_all_layers(self) -> list:
        found = {}
        for layer in self._flatten_layers():
            for generator in getattr(layer, "_seed_generators", ()):
                found[id(generator)] = generator
        return list(found.values())


def check_range(smallest: float, largest: float) -> None:
    """Raise a ValueError unless both ends of the value range are finite and in [-1, 1]."""
    inside = smallest >= -1.0 - RANGE_TOLERANCE and largest <= 1.0 + RANGE_TOLERANCE
    if not inside:  # NaN is outside too.
        raise ValueError(f"{_RANGE_MESSAGE} Smallest {smallest}, largest {largest}.")


def as_seed(seed: "int | tf.Tensor | None") -> tf.Tensor:
    """Return the two integers that TensorFlow's stateless random functions take.

    None draws from Python's `random`, as Keras does, so that `keras.utils.set_random_seed` makes it repeatable.
    """
    if seed is None:
        seed = random.randrange(2**31)
    if isinstance(seed, int | np.integer):
        return tf.constant([seed & 0x7FFFFFFF, 0], "int32")
    return seed


def spherical_path(start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """Return `steps` points of the great-circle path between two vectors, float32 of shape (steps, dim)."""
    cosine = np.dot(start, end) / (np.linalg.norm(start) * np.linalg.norm(end) + 1e-12)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    share = np.linspace(0.0, 1.0, steps)[:, None]
    if angle < 1e-4:  # Parallel vectors: the sines vanish and the straight line is the path.
        return ((1 - share) * start + share * end).astype("float32")
    path = (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)
    return path.astype("float32")


def _as_input(parts):
    """Return a single network input bare and several as a list, the way functional models take them."""
    return parts[0] if len(parts) == 1 else list(parts)
