"""The networks of WaveGAN: DCGAN's in one dimension, with long kernels and strides of four.

Donahue et al. 2019, tables 3 and 4 (https://arxiv.org/abs/1802.04208): where DCGAN doubles an image twice with 5x5
kernels, a sound is quadrupled with kernels of 25. There is no batch norm, which the penalty of the critic's slope rules
out, and phase shuffle stands behind every convolution of the critic but the last.
"""

import math

import keras
from keras import layers

from kerasgan.layers import ClassChannels, PhaseShuffle, Projection
from kerasgan.networks.initializers import glorot

KERNEL_SIZE, STRIDE = 25, 4
# Places that the generator's dense layer makes, at the least: sixteen, where the length is sixteen times a power of 4.
START = 16
SHORTEST, LONGEST = 256, 65_536
# Filters grow away from the sound: sixteen-fold at 16,384 samples, as in the paper.
MOST_DOUBLINGS = 4


def wavegan_generator(
    samples: int, channels: int, latent_dim: int, base_filters: int, dtype=None, seed: int | None = None,
    num_classes: int | None = None,
) -> keras.Model:  # fmt: skip
    """Return a generator: latents (batch, latent_dim) to float32 sounds (batch, samples, channels) in [-1, 1].

    With `num_classes`, it takes int32 labels (batch,) too, as more latents.
    """
    levels = count_levels(samples)
    start = math.ceil(samples / STRIDE**levels)
    initializers = glorot(seed)
    latents = x = keras.Input((latent_dim,), name="latents")
    labels = None if num_classes is None else keras.Input((), dtype="int32", name="labels")
    if labels is not None:
        x = ClassChannels(num_classes, dtype=dtype)([x, labels])
    filters = filters_at(base_filters, levels - 1)
    x = layers.Dense(start * filters, kernel_initializer=next(initializers), dtype=dtype)(x)
    x = layers.ReLU(dtype=dtype)(layers.Reshape((start, filters), dtype=dtype)(x))
    for level in reversed(range(levels - 1)):
        x = layers.Conv1DTranspose(
            filters_at(base_filters, level), KERNEL_SIZE, STRIDE, "same",
            kernel_initializer=next(initializers), dtype=dtype,
        )(x)  # fmt: skip
        x = layers.ReLU(dtype=dtype)(x)
    x = layers.Conv1DTranspose(
        channels, KERNEL_SIZE, STRIDE, "same", kernel_initializer=next(initializers), dtype="float32"
    )(x)
    x = layers.Activation("tanh", dtype="float32")(x)
    spare = x.shape[1] - samples
    sounds = layers.Cropping1D((spare // 2, spare - spare // 2), dtype="float32")(x) if spare else x
    return keras.Model(latents if labels is None else [latents, labels], sounds, name="generator")


def wavegan_discriminator(
    samples: int, channels: int, base_filters: int, phase_shuffle: int, dtype=None, seed: int | None = None,
    num_classes: int | None = None,
) -> keras.Model:  # fmt: skip
    """Return a critic: sounds (batch, samples, channels) to float32 logits (batch, 1).

    With `num_classes`, it takes int32 labels (batch,) too, and adds the projection of its features on each label's
    vector (Miyato and Koyama 2018, https://arxiv.org/abs/1802.05637).
    """
    levels = count_levels(samples)
    initializers = glorot(seed)
    sounds = x = keras.Input((samples, channels), name="sounds")
    for level in range(levels):
        x = layers.Conv1D(
            filters_at(base_filters, level), KERNEL_SIZE, STRIDE, "same",
            kernel_initializer=next(initializers), dtype=dtype,
        )(x)  # fmt: skip
        x = layers.LeakyReLU(0.2, dtype=dtype)(x)
        if phase_shuffle and level < levels - 1:
            x = PhaseShuffle(phase_shuffle, None if seed is None else seed * 1000 + level, dtype=dtype)(x)
    x = layers.Flatten(dtype=dtype)(x)
    logits = layers.Dense(1, kernel_initializer=next(initializers), dtype="float32")(x)
    if num_classes is None:
        return keras.Model(sounds, logits, name="discriminator")
    labels = keras.Input((), dtype="int32", name="labels")
    fit = Projection(num_classes, next(initializers), dtype="float32")([x, labels])
    return keras.Model([sounds, labels], layers.Add(dtype="float32")([logits, fit]), name="discriminator")


def count_levels(samples: int) -> int:
    """Return how many times a sound of so many samples is a quarter, until at least `START` places are left.

    Raises:
        ValueError: the sound is too short or too long.
    """
    if not SHORTEST <= samples <= LONGEST:
        raise ValueError(
            f"WaveGAN makes sounds of {SHORTEST} to {LONGEST:,} samples; received samples={samples}. A lower rate "
            "makes the same sound of fewer."
        )
    return int(math.log2(samples / START) // 2)


def filters_at(base_filters: int, level: int) -> int:
    """Return the filters of a level: doubling away from the sound."""
    return base_filters * 2 ** min(level, MOST_DOUBLINGS)
