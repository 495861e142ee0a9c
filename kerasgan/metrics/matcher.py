"""A judge of images and captions that has not seen the model: trained on real ones for each measurement."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.images import to_float
from kerasgan.networks.text_to_image import match_loss, matcher, text_encoder
from kerasgan.optimizers import Adam

PAIRS = 20_000
ROUNDS, BATCH_SIZE = 600, 64
FILTERS, SENTENCE_DIM = 16, 64
# Added to the seed of a measurement: no network of a model begins with the same numbers.
_APART = 7919


def train_matcher(images: np.ndarray, captions: np.ndarray, vocabulary: int, seed: int) -> keras.Model:
    """Return a matcher of uint8 images (n, height, width, channels) and captions, int32 (n, length)."""
    text = text_encoder(captions.shape[1], vocabulary, SENTENCE_DIM, seed + _APART)
    network = matcher(text, images.shape[1:], FILTERS, "float32", seed + _APART)
    optimizer = Adam(1e-3)
    optimizer.build(network.trainable_variables)

    @tf.function
    def step(batch, told):
        with tf.GradientTape() as tape:
            found = network([batch, told], training=True)
            loss = match_loss(found["images"], found["sentences"], told)
        optimizer.apply_gradients(
            zip(tape.gradient(loss, network.trainable_variables), network.trainable_variables, strict=True)
        )

    random = np.random.default_rng(seed)
    for _ in range(ROUNDS):
        chosen = random.integers(len(images), size=min(BATCH_SIZE, len(images)))
        step(tf.constant(to_float(images[chosen])), tf.constant(captions[chosen]))
    return network


def found_among(network: keras.Model, images: np.ndarray, captions: np.ndarray, choices: int, seed: int) -> float:
    """Return the share of images for which their caption fits best, of so many different captions.

    The others are drawn from the captions of all images.
    """
    distinct, own = np.unique(captions, axis=0, return_inverse=True)
    own = own.ravel()
    sentences = network.predict([np.zeros((len(distinct), *images.shape[1:]), "float32"), distinct], verbose=0)
    vectors = np.concatenate(
        [
            network.predict([to_float(images[part]), captions[part]], verbose=0)["images"]
            for part in np.array_split(np.arange(len(images)), max(1, len(images) // 500))
        ]
    )
    fits = vectors @ sentences["sentences"].T
    random = np.random.default_rng(seed)
    found = 0
    for row, right in zip(fits, own, strict=True):
        others = np.delete(np.arange(len(distinct)), right)
        others = random.choice(others, choices - 1, replace=False)
        found += bool(np.all(row[others] < row[right]))
    return found / len(images)
