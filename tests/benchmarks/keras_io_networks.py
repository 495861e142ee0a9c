"""The networks of the published keras.io recipes: see `keras_io_models.py`, which trains them.

Their layers follow the policy `dtype`; outputs are float32, as Keras advises for mixed precision.
"""

import keras
from keras import layers


def discriminator(dtype: str, channels: int = 1) -> keras.Model:
    """Return the guide's discriminator; the conditional example's sees ten more channels."""
    return keras.Sequential(
        [
            keras.Input((28, 28, channels)),
            layers.Conv2D(64, 3, strides=2, padding="same", dtype=dtype),
            layers.LeakyReLU(0.2, dtype=dtype),
            layers.Conv2D(128, 3, strides=2, padding="same", dtype=dtype),
            layers.LeakyReLU(0.2, dtype=dtype),
            layers.GlobalMaxPooling2D(dtype=dtype),
            layers.Dense(1, dtype="float32"),
        ],
        name="discriminator",
    )


def generator(dtype: str, inputs: int = 128) -> keras.Model:
    """Return the guide's generator; the conditional example's has ten more inputs, and as many more channels."""
    return keras.Sequential(
        [
            keras.Input((inputs,)),
            layers.Dense(7 * 7 * inputs, dtype=dtype),
            layers.LeakyReLU(0.2, dtype=dtype),
            layers.Reshape((7, 7, inputs), dtype=dtype),
            layers.Conv2DTranspose(128, 4, strides=2, padding="same", dtype=dtype),
            layers.LeakyReLU(0.2, dtype=dtype),
            layers.Conv2DTranspose(128, 4, strides=2, padding="same", dtype=dtype),
            layers.LeakyReLU(0.2, dtype=dtype),
            layers.Conv2D(1, 7, padding="same", dtype=dtype),
            layers.Activation("sigmoid", dtype="float32"),
        ],
        name="generator",
    )


def faces_discriminator(dtype: str) -> keras.Model:
    """Return the faces example's discriminator for 32x32 pixels, without the sigmoid that ends it."""
    network = keras.Sequential([keras.Input((32, 32, 3))], name="discriminator")
    for filters in (64, 128, 128):
        network.add(layers.Conv2D(filters, 4, strides=2, padding="same", dtype=dtype))
        network.add(layers.LeakyReLU(0.2, dtype=dtype))
    network.add(layers.Flatten(dtype=dtype))
    network.add(layers.Dropout(0.2, dtype=dtype))
    network.add(layers.Dense(1, dtype="float32"))
    return network


def faces_generator(dtype: str) -> keras.Model:
    """Return the faces example's generator for 32x32 pixels."""
    network = keras.Sequential([keras.Input((128,)), layers.Dense(4 * 4 * 128, dtype=dtype)], name="generator")
    network.add(layers.Reshape((4, 4, 128), dtype=dtype))
    for filters in (128, 256, 512):
        network.add(layers.Conv2DTranspose(filters, 4, strides=2, padding="same", dtype=dtype))
        network.add(layers.LeakyReLU(0.2, dtype=dtype))
    network.add(layers.Conv2D(3, 5, padding="same", dtype=dtype))
    network.add(layers.Activation("sigmoid", dtype="float32"))
    return network


def critic(dtype: str) -> keras.Model:
    """Return the critic of WGAN-GP: convolutions of 5x5 on images padded to 32x32, and dropout."""
    network = keras.Sequential([keras.Input((28, 28, 1)), layers.ZeroPadding2D(2, dtype=dtype)], name="critic")
    for filters, dropout in ((64, 0.0), (128, 0.3), (256, 0.3), (512, 0.0)):
        network.add(layers.Conv2D(filters, 5, strides=2, padding="same", dtype=dtype))
        network.add(layers.LeakyReLU(0.2, dtype=dtype))
        if dropout:
            network.add(layers.Dropout(dropout, dtype=dtype))
    network.add(layers.Flatten(dtype=dtype))
    network.add(layers.Dropout(0.2, dtype=dtype))
    network.add(layers.Dense(1, dtype="float32"))
    return network


def upsampling_generator(dtype: str) -> keras.Model:
    """Return the generator of WGAN-GP: nearest neighbours doubled, then convolved; batch norm to the very end."""
    network = keras.Sequential(
        [
            keras.Input((128,)),
            layers.Dense(4 * 4 * 256, use_bias=False, dtype=dtype),
            layers.BatchNormalization(dtype=dtype),
            layers.LeakyReLU(0.2, dtype=dtype),
            layers.Reshape((4, 4, 256), dtype=dtype),
        ],
        name="generator",
    )
    for filters in (128, 64, 1):
        network.add(layers.UpSampling2D(2, dtype=dtype))
        network.add(layers.Conv2D(filters, 3, padding="same", use_bias=False, dtype=dtype))
        network.add(layers.BatchNormalization(dtype=dtype))
        last = filters == 1
        network.add(layers.Activation("tanh", dtype="float32") if last else layers.LeakyReLU(0.2, dtype=dtype))
    network.add(layers.Cropping2D(2, dtype="float32"))
    return network


def encoder(dtype: str) -> keras.Model:
    """Return the encoder of the VAE example."""
    inputs = keras.Input((28, 28, 1))
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", dtype=dtype)(inputs)
    x = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu", dtype=dtype)(x)
    x = layers.Dense(16, activation="relu", dtype=dtype)(layers.Flatten(dtype=dtype)(x))
    mean, log_variance = layers.Dense(2, dtype="float32")(x), layers.Dense(2, dtype="float32")(x)
    return keras.Model(inputs, [mean, log_variance], name="encoder")


def decoder(dtype: str) -> keras.Model:
    """Return the decoder of the VAE example."""
    return keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(7 * 7 * 64, activation="relu", dtype=dtype),
            layers.Reshape((7, 7, 64), dtype=dtype),
            layers.Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu", dtype=dtype),
            layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu", dtype=dtype),
            layers.Conv2DTranspose(1, 3, padding="same", dtype=dtype),
            layers.Activation("sigmoid", dtype="float32"),
        ],
        name="decoder",
    )
