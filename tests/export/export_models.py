"""Small real models whose images span [-1, 1], so that an export error would show."""

import keras
import numpy as np
import tensorflow as tf

import kerasgan


def spread(network):
    """Give every weight a size at which the images have contrast; return the network."""
    random = np.random.default_rng(0)
    for variable in network.variables:
        values = random.normal(size=variable.shape)
        if "variance" in variable.name:
            values = 1.0 + np.abs(values)
        elif len(variable.shape) > 1:
            values = values / np.sqrt(np.prod(variable.shape[:-1])) * 2.0
        variable.assign(values)
    return network


def tiny_dcgan(**kwargs):
    gan = kerasgan.DCGAN((16, 16, 1), latent_dim=8, base_filters=4, seed=0, **kwargs)
    spread(gan.sampler)
    return gan


def tiny_conditional():
    """A conditional GAN of the user's own two networks."""
    latents, labels = keras.Input((8,), name="latents"), keras.Input((), dtype="int32", name="labels")
    x = keras.layers.Concatenate()([latents, keras.layers.Embedding(3, 8)(labels)])
    x = keras.layers.Reshape((4, 4, 4))(keras.layers.Dense(64)(x))
    x = keras.layers.LeakyReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(keras.layers.UpSampling2D()(x))
    x = keras.layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh")(x)
    generator = keras.Model([latents, labels], x)
    images, classes = keras.Input((16, 16, 3)), keras.Input((), dtype="int32")
    y = keras.layers.Concatenate()([keras.layers.Flatten()(images), keras.layers.Embedding(3, 2)(classes)])
    discriminator = keras.Model([images, classes], keras.layers.Dense(1)(y))
    gan = kerasgan.GAN(generator, discriminator, num_classes=3, seed=0)
    spread(gan.sampler)
    return gan


WORDS = ("", "<unknown>", *(f"word{number}" for number in range(58)))


def tiny_writer(**settings):
    """A model that writes 6 of 60 words."""
    small = {"windows": (1,), "filters": (2,), "embedding_dim": 32, "units": 32, "d_embedding_dim": 2}
    gan = kerasgan.SeqGAN(6, 60, WORDS, **small, seed=0, **settings)
    spread(gan.networks["generator"])
    return gan


@keras.saving.register_keras_serializable("kerasgan_tests")
class StatelessNoise(keras.layers.Layer):
    """Adds fixed noise, drawn by an operator that LiteRT does not have."""

    def call(self, inputs):
        return inputs + tf.random.stateless_normal(tf.shape(inputs), seed=[1, 2])


@keras.saving.register_keras_serializable("kerasgan_tests")
class Noisy(keras.layers.Layer):
    """Adds noise of its own."""

    def call(self, inputs):
        return inputs + tf.random.normal(tf.shape(inputs))


def make_gan(generator_layers):
    """Return a GAN whose generator is Dense -> the given layers, for 4x4 images."""
    latents = keras.Input((8,), name="latents")
    x = keras.layers.Dense(16)(latents)
    for layer in generator_layers:
        x = layer(x)
    generator = keras.Model(latents, keras.layers.Reshape((4, 4, 1))(x))
    discriminator = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    return kerasgan.GAN(generator, discriminator, seed=0)
