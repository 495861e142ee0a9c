"""The classifier of spoken digits: it looks at the log-mel spectrogram of half a second, whatever its loudness."""

import functools
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasgan.kinds import Audio
from kerasgan.metrics.classifiers import FOLDER, card
from kerasgan.metrics.classifiers.network import classifier
from kerasgan.metrics.extractors import Features
from kerasgan.support import files

NAME = "spoken_digit"
# What it listens to.
HEARS = Audio(4096, 1, 8000)
FRAME, STEP, BANDS, LOWEST, HIGHEST = 256, 128, 40, 60.0, 3800.0
BATCH_SIZE = 250


@keras.saving.register_keras_serializable("kerasgan")
class LogMel(keras.layers.Layer):
    """The logarithm of the mel spectrogram of sounds that are brought to the same peak, about 0 +- 1."""

    def call(self, inputs):
        """Return float32 (batch, frames, bands, 1) of sounds (batch, samples, 1) at the rate of `HEARS`."""
        sounds = inputs[..., 0]
        # Silence stays silence.
        sounds = sounds / tf.maximum(tf.reduce_max(tf.abs(sounds), axis=1, keepdims=True), 1e-4)
        spectrum = tf.abs(tf.signal.stft(sounds, FRAME, STEP))
        mel = tf.signal.linear_to_mel_weight_matrix(BANDS, FRAME // 2 + 1, HEARS.rate, LOWEST, HIGHEST)
        return (tf.math.log(spectrum @ mel + 1e-2)[..., None] + 1.0) / 2.5

    def compute_output_shape(self, input_shape):
        """Return the shape of the spectrograms."""
        return (input_shape[0], 1 + (input_shape[1] - FRAME) // STEP, BANDS, 1)


def network(filters, dtype=None) -> keras.Model:
    """Return a network from sounds as `HEARS` to (features, logits), both float32."""
    sounds = keras.Input(HEARS.shape, name="sounds")
    spectrograms = LogMel(dtype="float32")(sounds)
    seen = classifier(spectrograms.shape[1:], 10, filters, dtype)
    return keras.Model(sounds, seen(spectrograms), name="listener")


class Listener:
    """What a trained network makes of sounds.

    Args:
        name: enters protocols.
        network: from sounds to (features, logits).
        sha256: of its weights.
    """

    def __init__(self, name: str, network: keras.Model, sha256: str):
        self.name, self.sha256 = name, sha256

        @tf.function(input_signature=[tf.TensorSpec((None, *HEARS.shape), tf.float32)])
        def run(batch):
            features, logits = network(batch, training=False)
            return features, tf.nn.softmax(logits)

        self._run = run

    def __call__(self, sounds: np.ndarray) -> Features:
        """Return features and probabilities of sounds, float32 (n, 4096, 1) in [-1, 1]."""
        HEARS.check(sounds, f"The classifier {self.name!r}")
        starts = range(0, len(sounds), BATCH_SIZE)
        parts = [self._run(tf.constant(sounds[start : start + BATCH_SIZE])) for start in starts]
        return Features(*(np.concatenate(part) for part in zip(*parts, strict=True)))


@functools.cache
def load(folder: Path = FOLDER) -> Listener:
    """Return the classifier of spoken digits that comes with kerasgan.

    Raises:
        ValueError: it was not trained, or its weights are not the ones that the card names.
    """
    facts = card(NAME, folder)
    weights = folder / f"{NAME}.weights.h5"
    if files.sha256(weights) != facts["sha256"]:
        raise ValueError(f"The classifier's weights {weights} are damaged. Reinstall kerasgan.")
    trained = network(facts["filters"], "float32")
    trained.load_weights(weights)
    return Listener(NAME, trained, facts["sha256"])
