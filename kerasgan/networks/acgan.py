"""The discriminator of AC-GAN: DCGAN's, with a second head that names the class of what it sees."""

import keras
from keras import layers

from kerasgan.networks.dcgan import dcgan_discriminator
from kerasgan.networks.initializers import normal


def acgan_discriminator(
    image_shape: tuple, base_filters: int, num_classes: int, dtype=None, seed: int | None = None
) -> keras.Model:
    """Return a discriminator: images (batch, *image_shape) to a dict of float32 `logits` (batch, 1) and `classes`.

    `classes` are the logits (batch, num_classes) of the classes. There is none for generated images: whether an image
    is real is the business of `logits` alone.
    """
    plain = dcgan_discriminator(image_shape, base_filters, dtype, seed)
    features = plain.layers[-1].input
    # Another seed than that of the head beside it, which has the same input.
    initializer = next(normal(None if seed is None else seed + 1))
    classes = layers.Dense(num_classes, kernel_initializer=initializer, dtype="float32", name="classes")(features)
    return keras.Model(plain.input, {"logits": plain.output, "classes": classes}, name="discriminator")
