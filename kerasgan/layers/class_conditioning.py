"""How a label enters a network: as a scale and shift of channels, as a projection of features, or as channels."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class ClassAffine(keras.layers.Layer):
    """A scale and a shift of every channel that each class learns; behind a plain batch norm, a conditional one.

    Dumoulin et al. 2017, equation 5 (https://arxiv.org/abs/1610.07629).

    Args:
        num_classes: number of classes.
    """

    def __init__(self, num_classes: int, **settings):
        super().__init__(**settings)
        self.num_classes = num_classes

    def build(self, input_shape):
        """Make a scale of 1 and a shift of 0 for each class and channel."""
        shape = (self.num_classes, input_shape[0][-1])
        self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")

    def call(self, inputs):
        """Return images (batch, height, width, channels), scaled and shifted by int32 labels (batch,)."""
        images, labels = inputs
        gamma, beta = (tf.gather(tf.convert_to_tensor(each), labels) for each in (self.gamma, self.beta))
        return images * gamma[:, None, None] + beta[:, None, None]

    def compute_output_shape(self, input_shape):
        """Return the shape of the images."""
        return input_shape[0]

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"num_classes": self.num_classes}


@keras.saving.register_keras_serializable("kerasgan")
class Projection(keras.layers.Layer):
    """The inner product of features with a vector that each class learns: how well an image fits its label.

    Miyato and Koyama 2018, equation 6 (https://arxiv.org/abs/1802.05637).

    Args:
        num_classes: number of classes.
        embeddings_initializer: of the vectors.
    """

    def __init__(self, num_classes: int, embeddings_initializer="glorot_uniform", **settings):
        super().__init__(**settings)
        self.num_classes = num_classes
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, input_shape):
        """Make a vector for each class."""
        shape = (self.num_classes, input_shape[0][-1])
        self.embeddings = self.add_weight(shape=shape, initializer=self.embeddings_initializer, name="embeddings")

    def call(self, inputs):
        """Return the products (batch, 1) of features (batch, d) with the vectors of int32 labels (batch,)."""
        return self.products(*inputs, tf.convert_to_tensor(self.embeddings))

    def products(self, features, labels, vectors):
        """Return the products with the vectors (num_classes, d) of the labels."""
        return tf.reduce_sum(tf.gather(vectors, labels) * features, axis=1, keepdims=True)

    def compute_output_shape(self, input_shape):
        """Return one number an example."""
        return (input_shape[0][0], 1)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        initializer = keras.initializers.serialize(self.embeddings_initializer)
        return super().get_config() | {"num_classes": self.num_classes, "embeddings_initializer": initializer}


@keras.saving.register_keras_serializable("kerasgan")
class ClassChannels(keras.layers.Layer):
    """A channel more for each class, 1 everywhere for the label's and 0 for the others.

    Mirza and Osindero 2014, section 3.2 (https://arxiv.org/abs/1411.1784).

    Args:
        num_classes: number of classes.
    """

    def __init__(self, num_classes: int, **settings):
        super().__init__(**settings)
        self.num_classes = num_classes

    def call(self, inputs):
        """Return inputs (batch, ..., channels) and the channels of int32 labels (batch,), side by side."""
        values, labels = inputs
        # Looked up, since the 8-bit integers of TensorFlow Lite get one-hot vectors wrong.
        channels = tf.gather(tf.eye(self.num_classes, dtype=values.dtype), labels)
        places = len(values.shape) - 2
        channels = tf.reshape(channels, (-1, *[1] * places, self.num_classes))
        channels = tf.broadcast_to(channels, tf.concat([tf.shape(values)[:-1], [self.num_classes]], 0))
        return tf.concat([values, channels], axis=-1)

    def compute_output_shape(self, input_shape):
        """Return the shape of the inputs with the channels added."""
        return (*input_shape[0][:-1], input_shape[0][-1] + self.num_classes)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"num_classes": self.num_classes}
