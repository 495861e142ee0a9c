"""The networks of a GAN that draws what a caption says: DCGAN's, told a sentence, and two encoders that match.

Reed et al. 2016, section 4.1 and figure 2 (https://arxiv.org/abs/1605.05396): the generator hears of the sentence
beside its latents, the discriminator at every place of its last map of features, before a convolution of 1x1.
"""

import math

import keras
import tensorflow as tf
from keras import layers

from kerasgan.layers import BatchNormalization, Conv2D
from kerasgan.networks.dcgan import dcgan_discriminator, dcgan_generator
from kerasgan.networks.initializers import glorot, normal, seeds

EMBEDDING_DIM = 64
# Cosines are at most 1: so sharply they tell right captions from wrong ones.
SHARPNESS = 10.0


def text_encoder(length: int, vocabulary: int, sentence_dim: int, seed: int | None = None) -> keras.Model:
    """Return an encoder: int32 captions (batch, length) to float32 sentences (batch, sentence_dim) of equal length.

    Their numbers have a mean square of 1, as latents have. Padding, number 0, is passed over.
    """
    numbers = seeds(seed)
    captions = keras.Input((length,), dtype="int32", name="captions")
    words = layers.Embedding(
        vocabulary, EMBEDDING_DIM, mask_zero=True, dtype="float32",
        embeddings_initializer=keras.initializers.RandomUniform(-0.5, 0.5, seed=next(numbers)),
    )(captions)  # fmt: skip
    # Unrolled: a loop over tensors is what exporters stumble over, and captions are short.
    state = layers.GRU(
        sentence_dim, unroll=True, dtype="float32",
        kernel_initializer=keras.initializers.GlorotUniform(seed=next(numbers)),
        recurrent_initializer=keras.initializers.Orthogonal(seed=next(numbers)), seed=next(numbers),
    )(words)  # fmt: skip
    return keras.Model(captions, _of_mean_square_one(state), name="text_encoder")


def matcher(
    text: keras.Model, image_shape: tuple, base_filters: int, dtype=None, seed: int | None = None
) -> keras.Model:
    """Return a network: [images, captions] to a dict of float32 vectors, `images` and `sentences`, to be compared.

    The sentences are those of `text`, which learns with it.
    """
    sentence_dim = text.output.shape[-1]
    plain = dcgan_discriminator(image_shape, base_filters, dtype, seed)
    features = plain.layers[-1].input
    initializer = next(glorot(None if seed is None else seed + 1))
    vectors = layers.Dense(sentence_dim, kernel_initializer=initializer, dtype="float32")(features)
    captions = keras.Input(text.input.shape[1:], dtype="int32", name="captions")
    outputs = {"images": _of_mean_square_one(vectors), "sentences": text(captions)}
    return keras.Model([plain.input, captions], outputs, name="matcher")


def match_loss(images: tf.Tensor, sentences: tf.Tensor, captions: tf.Tensor) -> tf.Tensor:
    """Return how badly images find their captions and captions their images among those of a batch, in nats.

    Args:
        images: float32 (batch, dim), of mean square 1.
        sentences: the same, of the captions.
        captions: int32 (batch, length). Equal ones are right for each other's images.
    """
    cosines = tf.matmul(images, sentences, transpose_b=True) / images.shape[-1]
    same = tf.cast(equal_captions(captions), "float32")
    right = same / tf.reduce_sum(same, axis=1, keepdims=True)
    both = [
        tf.nn.softmax_cross_entropy_with_logits(right, SHARPNESS * each) for each in (cosines, tf.transpose(cosines))
    ]
    return 0.5 * tf.reduce_mean(both[0] + both[1])


def equal_captions(captions: tf.Tensor) -> tf.Tensor:
    """Return which captions are the same, bool (batch, batch)."""
    return tf.reduce_all(tf.equal(captions[:, None], captions[None]), axis=-1)


def text_to_image_generator(
    image_shape: tuple, latent_dim: int, base_filters: int, sentence_dim: int, condition_dim: int, dtype=None,
    seed: int | None = None,
) -> keras.Model:  # fmt: skip
    """Return a generator: [latents, sentences] to float32 images (batch, *image_shape) in [-1, 1]."""
    latents = keras.Input((latent_dim,), name="latents")
    sentences = keras.Input((sentence_dim,), name="sentences")
    heard = _condition(sentences, condition_dim, dtype, seed)
    drawn = dcgan_generator(image_shape, latent_dim + condition_dim, base_filters, dtype, seed)
    images = drawn(layers.Concatenate(dtype=dtype)([latents, heard]))
    return keras.Model([latents, sentences], images, name="generator")


def text_to_image_discriminator(
    image_shape: tuple, base_filters: int, sentence_dim: int, condition_dim: int, dtype=None, seed: int | None = None
) -> keras.Model:
    """Return a discriminator: [images, sentences] to float32 logits (batch, 1)."""
    plain = dcgan_discriminator(image_shape, base_filters, dtype, seed)
    features = plain.layers[-2].input
    height, width, filters = features.shape[1:]
    initializers = normal(None if seed is None else seed + 1)
    sentences = keras.Input((sentence_dim,), name="sentences")
    heard = _condition(sentences, condition_dim, dtype, seed)
    everywhere = layers.UpSampling2D((height, width), dtype=dtype)(
        layers.Reshape((1, 1, condition_dim), dtype=dtype)(heard)
    )
    x = layers.Concatenate(dtype=dtype)([features, everywhere])
    x = Conv2D(filters, 1, use_bias=False, kernel_initializer=next(initializers), dtype=dtype)(x)
    x = layers.LeakyReLU(0.2, dtype=dtype)(BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype)(x))
    x = layers.Flatten(dtype=dtype)(x)
    logits = layers.Dense(1, kernel_initializer=next(initializers), dtype="float32")(x)
    return keras.Model([plain.input, sentences], logits, name="discriminator")


def _condition(sentences, condition_dim: int, dtype, seed: int | None):
    # Wider than DCGAN's weights: beside latents of variance 1, a whisper would not be heard for long.
    dense = layers.Dense(
        condition_dim, kernel_initializer=next(glorot(None if seed is None else seed + 2)), dtype=dtype
    )
    return layers.LeakyReLU(0.2, dtype=dtype)(dense(sentences))


def _of_mean_square_one(vectors):
    unit = layers.UnitNormalization(dtype="float32")(vectors)
    return layers.Rescaling(math.sqrt(vectors.shape[-1]), dtype="float32")(unit)
