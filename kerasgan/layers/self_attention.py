"""Self-attention on images: every place looks at every other, however far away."""

import keras
import tensorflow as tf

from kerasgan.layers.spectral_norm import SNConv2D


@keras.saving.register_keras_serializable("kerasgan")
class SelfAttention(keras.layers.Layer):
    """Adds to every place of an image a mean of all places, weighed by how well they match.

    With 1x1 convolutions theta, phi, g and o, spectrally normalised and without bias: x + gamma o(A g(x)), where row i
    of A is the softmax over all places j of theta(x_i) . phi(x_j). gamma is one number that begins at 0: a new layer
    changes nothing. As in the code of the paper, theta and phi have an eighth of the channels, g has half of them, and
    phi and g are max-pooled over 2x2 places, which makes A four times smaller.

    Zhang et al. 2019, section 3 (https://arxiv.org/abs/1805.08318).

    Args:
        seed: fixes the initial weights, Glorot's.
    """

    def __init__(self, seed: int | None = None, **settings):
        super().__init__(**settings)
        self.seed = seed

    def build(self, input_shape):
        """Make the convolutions, and gamma."""
        _, height, width, channels = input_shape
        if min(height, width) < 2:
            raise ValueError(f"SelfAttention needs images of at least 2x2 places; received {height}x{width}.")
        narrow, half = max(channels // 8, 1), max(channels // 2, 1)
        self.theta, self.phi, self.g, self.o = (
            self._conv(number, *sizes)
            for number, sizes in enumerate([(channels, narrow), (channels, narrow), (channels, half), (half, channels)])
        )
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")

    def _conv(self, number: int, channels: int, filters: int) -> SNConv2D:
        # Far from the seeds of other layers, which count up.
        seed = None if self.seed is None else self.seed + 1_000_003 * (number + 1)
        initializer = keras.initializers.GlorotUniform(seed)
        conv = SNConv2D(filters, 1, use_bias=False, kernel_initializer=initializer, dtype=self.dtype_policy)
        conv.build((None, None, None, channels))
        return conv

    def call(self, images, training=False):
        """Return images (batch, height, width, channels) with what each place has seen added to it."""
        height, width = images.shape[1:3]
        queries = _places(self.theta(images, training=training))
        keys = _places(_pooled(self.phi(images, training=training)))
        values = _places(_pooled(self.g(images, training=training)))
        mixed = tf.matmul(attention(queries, keys), values)
        mixed = tf.reshape(mixed, (-1, height, width, mixed.shape[-1]))
        return images + tf.convert_to_tensor(self.gamma) * self.o(mixed, training=training)

    def compute_output_shape(self, input_shape):
        """Return the shape of the images."""
        return input_shape

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"seed": self.seed}


def attention(queries, keys):
    """Return how much each query (batch, n, d) looks at each key (batch, m, d): (batch, n, m), rows that sum to 1."""
    scores = tf.cast(tf.matmul(queries, keys, transpose_b=True), tf.float32)
    return tf.cast(tf.nn.softmax(scores, axis=-1), queries.dtype)


def _places(images):
    """Return images (batch, height, width, d) as (batch, height * width, d)."""
    _, height, width, depth = images.shape
    return tf.reshape(images, (-1, height * width, depth))


def _pooled(images):
    return tf.nn.max_pool2d(images, 2, 2, "VALID")
