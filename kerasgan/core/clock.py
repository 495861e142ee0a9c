"""How far training has come: part of a model's state, saved and restored with it."""

import keras
import tensorflow as tf

from kerasgan.core import replicas


@keras.saving.register_keras_serializable("kerasgan")
class Clock(keras.layers.Layer):
    """Counts rounds, images and epochs of training.

    Attributes:
        steps: batches trained on: rounds of the game.
        images: examples of all batches.
        epochs: finished epochs of `fit`.
    """

    def __init__(self, **settings):
        super().__init__(**{"name": "clock", "dtype": "float32"} | settings)
        for count in ("steps", "images", "epochs"):
            # Every replica counts the same.
            variable = self.add_weight(
                shape=(), dtype="int64", initializer="zeros", trainable=False,
                aggregation="only_first_replica", name=count,
            )  # fmt: skip
            setattr(self, count, variable)
        self.built = True

    def tick(self, examples, share) -> tf.Tensor:
        """Count a batch of checked examples, and return how many they are on all replicas together.

        Args:
            examples: structure of tensors, this replica's part of the batch.
            share: of the batch that it is, as `replicas.shard` gives it.
        """
        images = replicas.count_examples(examples, share)
        # A batch that is refused where it is read is not counted.
        with tf.control_dependencies(tf.nest.flatten(examples)):
            self.steps.assign_add(1)
            self.images.assign_add(tf.cast(images, "int64"))
        return images

    def load_own_variables(self, store) -> None:
        """Restore the counts; a model that was saved without a clock starts it anew."""
        if len(store.keys()):
            super().load_own_variables(store)


class Phases(keras.callbacks.Callback):
    """Count the epochs, and trace the training step anew where an epoch begins another phase of training.

    `GenerativeModel.fit` runs it before all other callbacks, so that what they save at an epoch's end includes it.
    """

    def __init__(self):
        super().__init__()
        self._phase = None

    def on_train_begin(self, logs=None):
        """Trace the step in the present phase: what an earlier `fit` left behind may be of another."""
        self._phase = self.model.phase
        if self._phase is not None:
            self.model.make_train_function(force=True)

    def on_epoch_begin(self, epoch, logs=None):
        """Trace the step again where it does something else from now on."""
        if self.model.phase != self._phase:
            self._phase = self.model.phase
            self.model.make_train_function(force=True)

    def on_epoch_end(self, epoch, logs=None):
        """Count the epoch."""
        self.model.clock.epochs.assign_add(1)
