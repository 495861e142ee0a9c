"""Phase shuffle: features of a sound moved a little, so that a critic cannot judge by the phase of artefacts."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class PhaseShuffle(keras.layers.Layer):
    """Moves each example along time by a random whole number of places, in training only.

    Transposed convolutions leave a hum whose phase is always the same; a critic that sees it there learns nothing else.
    All channels of an example move together, and what leaves at one end comes in mirrored at the other. Donahue et al.
    2019, section 3.3 (https://arxiv.org/abs/1802.04208), whose published program moves a whole batch by one number.

    Args:
        most: the largest move, to either side: n of the paper. 0 moves nothing.
        seed: of the random numbers.

    Raises:
        ValueError: most is not a whole number of at least 0, or sounds are not longer.
    """

    def __init__(self, most: int = 2, seed: int | None = None, **settings):
        super().__init__(**settings)
        if isinstance(most, bool) or not isinstance(most, int) or most < 0:
            raise ValueError(f"PhaseShuffle needs a whole number most >= 0; received {most!r}.")
        self.most, self.seed = most, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        """Check that there is enough to mirror."""
        if input_shape[1] <= self.most:
            raise ValueError(
                f"Moving by up to {self.most} places takes at least {self.most + 1} of them; received {input_shape[1]}."
            )

    def call(self, inputs, training=False):
        """Move (batch, time, channels)."""
        if not training or not self.most:
            return inputs
        starts = keras.random.randint((tf.shape(inputs)[0],), 0, 2 * self.most + 1, seed=self.seed_generator)
        mirrored = tf.pad(inputs, ((0, 0), (self.most, self.most), (0, 0)), "REFLECT")
        return _window(mirrored, tf.cast(starts, "int32"), inputs.shape[1])

    def compute_output_shape(self, input_shape):
        """Return the same shape."""
        return input_shape

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"most": self.most, "seed": self.seed}


def _window(sounds, starts, length: int):
    """Return `length` places of each of (batch, time, channels), from its own start on.

    The gradient is a window too, of what came back with zeros around it: a gather's own, a sum over places that are hit
    several times, takes several times as long on a CPU, and gradient penalties go through both twice.
    """
    spare = sounds.shape[1] - length

    @tf.custom_gradient
    def windowed(sounds):
        def gradient(upstream):
            around = tf.pad(upstream, ((0, 0), (spare, spare), (0, 0)))
            return _window(around, spare - starts, length + spare)

        return tf.gather(sounds, starts[:, None] + tf.range(length)[None], batch_dims=1), gradient

    return windowed(sounds)
