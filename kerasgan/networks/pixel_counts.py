"""PixelCounts: how often each pixel was white in each class."""

import keras
import tensorflow as tf

from kerasgan.core import replicas


@keras.saving.register_keras_serializable("kerasgan")
class PixelCounts(keras.layers.Layer):
    """Counts of white pixels and of images for each class, and the probabilities that follow.

    Args:
        num_classes: number of classes.
        pixels: values in an image.
        alpha: added to the counts of white and of black, and to those of the classes.
    """

    def __init__(self, num_classes: int, pixels: int, alpha: float = 0.5, **settings):
        super().__init__(**{"dtype": "float32"} | settings)
        self.num_classes, self.pixels, self.alpha = num_classes, pixels, alpha
        # Replicas add each its own part.
        added = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        self.white = self.add_weight(shape=(num_classes, pixels), name="white", **added)
        self.images = self.add_weight(shape=(num_classes,), name="images", **added)
        self.passes = self.add_weight(shape=(), name="passes", **added | {"initializer": "ones"})
        self.built = True

    def add(self, pixels, labels, examples, share) -> None:
        """Count a batch.

        Args:
            pixels: this replica's, 0 or 1, (batch, pixels).
            labels: int32 (batch,).
            examples: how many all replicas have together.
            share: of these that this replica has, see `kerasgan.core.replicas`.
        """
        members = tf.one_hot(labels, self.num_classes)
        # Whole numbers, through a mean that leaves out the blank image of a replica that has none.
        part = tf.cast(tf.shape(labels)[0], tf.float32)
        for counts, found in (
            (self.white, tf.matmul(members, pixels, transpose_a=True)),
            (self.images, tf.reduce_sum(members, axis=0)),
        ):
            counts.assign_add(tf.round(replicas.average(found / part, share) * examples))

    def probabilities(self) -> tf.Tensor:
        """Return the probability of white for each class and pixel, float32 (classes, pixels)."""
        # Smoothing weighs as much after many passes over the same images as after one.
        extra = self.alpha * tf.convert_to_tensor(self.passes)
        images = tf.convert_to_tensor(self.images)[:, None]
        return (tf.convert_to_tensor(self.white) + extra) / (images + 2.0 * extra)

    def log_frequencies(self) -> tf.Tensor:
        """Return the log of how frequent each class is, float32 (classes,)."""
        smoothed = tf.convert_to_tensor(self.images) + self.alpha * tf.convert_to_tensor(self.passes)
        return tf.math.log(smoothed / tf.reduce_sum(smoothed))

    def log_joint(self, pixels) -> tf.Tensor:
        """Return log p(pixels, class) in nats, float32 (batch, classes), of pixels 0 or 1 (batch, pixels)."""
        white = self.probabilities()
        on, off = tf.math.log(white), tf.math.log1p(-white)
        return tf.matmul(pixels, on - off, transpose_b=True) + tf.reduce_sum(off, axis=1) + self.log_frequencies()

    def call(self, inputs):
        """Return pixels of -1 and 1, (batch, pixels), of uniform numbers (batch, pixels) and labels (batch,)."""
        noise, labels = inputs
        white = tf.gather(self.probabilities(), labels)
        return 2.0 * tf.cast(noise < white, tf.float32) - 1.0

    def compute_output_shape(self, input_shape):
        """Return the shape of the uniform numbers."""
        return input_shape[0]

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        own = {"num_classes": self.num_classes, "pixels": self.pixels, "alpha": self.alpha}
        return super().get_config() | own
