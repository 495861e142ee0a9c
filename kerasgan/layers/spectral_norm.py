"""Spectral normalisation: weights divided by their largest singular value, so that no layer stretches by more than 1.

Miyato et al. 2018, algorithm 1 (https://arxiv.org/abs/1802.05957). A kernel is a matrix with one column a filter.

A layer keeps a vector u that follows the matrix: each pass in training makes one power iteration from it. As in the
authors' code, each pass: where a discriminator sees real and generated images apart, u takes two steps an update. It is
kept in the network's own update only; whatever is run in `keras.StatelessScope`, as passes for the other player are, in
inference, or of a layer that is not `trainable`, such as an averaged generator's, takes the same step and forgets it.
The gradient goes through sigma, and u and v count as constants.
"""

import keras
import tensorflow as tf

from kerasgan.layers.class_conditioning import Projection
from kerasgan.layers.resizing import ResizingConv2D


class SpectralNorm:
    """A mixin for layers with one matrix: `normalized` is that matrix over its largest singular value."""

    # The attribute that holds the matrix.
    matrix = "kernel"

    def build(self, input_shape):
        """Make the layer's own weights, and u."""
        super().build(input_shape)
        self.u = self.add_weight(
            shape=(getattr(self, self.matrix).shape[-1],),
            initializer=keras.initializers.RandomNormal(stddev=1.0, seed=0),
            trainable=False,
            dtype="float32",
            name="u",
        )

    def add_weight(self, *args, **settings):
        """Add a weight; the matrix and u keep their precision wherever they are read."""
        exact = settings.get("name") in (self.matrix, "u")
        return super().add_weight(*args, **settings | ({"autocast": False} if exact else {}))

    def normalized(self, training) -> tf.Tensor:
        """Return the matrix over its largest singular value, computed in float32, in the layer's compute dtype."""
        weight = tf.cast(tf.convert_to_tensor(getattr(self, self.matrix)), tf.float32)
        rows = tf.reshape(weight, (-1, weight.shape[-1]))
        v = tf.math.l2_normalize(tf.linalg.matvec(tf.stop_gradient(rows), tf.convert_to_tensor(self.u)))
        # Its length is sigma, and the gradient of that length is v u^T: that of sigma = v^T W u with both held fixed.
        stretched = tf.linalg.matvec(rows, v, transpose_a=True)
        # Bounded under the root: of a matrix of zeros the root would have no slope.
        sigma = tf.sqrt(tf.maximum(tf.reduce_sum(stretched**2), 1e-24))
        if training and self.trainable:
            self.u.assign(tf.stop_gradient(stretched / sigma))
        return tf.cast(weight / sigma, self.compute_dtype)

    def save_own_variables(self, store):
        """Save all variables: convolutions and dense layers would save their kernel and bias only."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store):
        """Restore what `save_own_variables` saved."""
        keras.layers.Layer.load_own_variables(self, store)


class _Convolving(SpectralNorm):
    def call(self, inputs, training=False):
        """Convolve (batch, height, width, channels) with the normalised kernel."""
        outputs = self.convolution_op(inputs, self.normalized(training))
        if self.use_bias:
            outputs += tf.convert_to_tensor(self.bias)
        return self.activation(outputs)


@keras.saving.register_keras_serializable("kerasgan")
class SNConv2D(_Convolving, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with spectral normalisation: same arguments."""


@keras.saving.register_keras_serializable("kerasgan")
class SNResizingConv2D(_Convolving, ResizingConv2D):
    """`ResizingConv2D` with spectral normalisation, of the 3x3 kernel: same arguments."""


@keras.saving.register_keras_serializable("kerasgan")
class SNDense(SpectralNorm, keras.layers.Dense):
    """`keras.layers.Dense` with spectral normalisation: same arguments."""

    def call(self, inputs, training=False):
        """Multiply (..., features) by the normalised kernel."""
        outputs = keras.ops.matmul(inputs, self.normalized(training))
        if self.use_bias:
            outputs += tf.convert_to_tensor(self.bias)
        return self.activation(outputs)


@keras.saving.register_keras_serializable("kerasgan")
class SNProjection(SpectralNorm, Projection):
    """`Projection` with spectral normalisation of the classes' vectors: same arguments."""

    matrix = "embeddings"

    def call(self, inputs, training=False):
        """Return the products (batch, 1) of features (batch, d) with the vectors of int32 labels (batch,)."""
        return self.products(*inputs, self.normalized(training))
