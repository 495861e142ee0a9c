"""pix2pix: an image made of another one, learned from pairs."""

from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core.gan import GAN
from kerasgan.core.sampling import Panel, Translator
from kerasgan.images import in_channels
from kerasgan.kinds import Images, Latents
from kerasgan.losses import mean
from kerasgan.networks.patches import patch_discriminator
from kerasgan.networks.unet import count_latents, unet_generator

# Examples in a picture of them.
SHOWN = 8


@keras.saving.register_keras_serializable("kerasgan")
class Pix2Pix(Translator, GAN):
    """Image to image, learned from pairs: a U-Net, a discriminator of patches, and the distance from the target.

    A network that is trained on the distance from a target alone paints the average of all answers, a blur. Here a
    discriminator that sees source and answer side by side judges, patch by patch, whether they are sharp and go
    together, and the distance keeps the whole in place. There are no latents as other GANs have them, since a generator
    with so much to go by learns not to heed them: what is random is dropout, in training and afterwards. Its numbers
    are an input here, so that a seed repeats an answer, in an exported file too.

    Isola et al. 2017 (https://arxiv.org/abs/1611.07004), with the settings of its authors' code, which normalises by
    batch norm on single images: instance norm here, whatever the batch.

    Args:
        image_shape: (height, width, channels) of what it makes; sides multiples of 8 in 16..512. The more often they
            can be halved, the more the innermost layers see: take 64, 128 or 256.
        source_shape: the same of what it makes it of, height and width as in image_shape; None for image_shape.
        base_filters: filters of the layers next to the images; doubling at every halving, at most eight-fold.
        d_halvings: of the discriminator: patches of 16, 34, 70 or 142 pixels with 1 to 4.
        l1_weight: of the mean absolute distance from the target in the generator's loss.
        dropout: share of the innermost decoder layers' values that are dropped; 0 makes one answer to each source.
        d_steps, ema_decay: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: the shapes do not fit the networks or one another, or a weight is out of range.

    Example:
        gan = kerasgan.Pix2Pix(image_shape=(128, 128, 3))
        gan.compile()
        gan.fit(kerasgan.data.pairs.load("facades", image_size=128, flip=True), epochs=200)
        photos = gan.translate(label_maps)
    """

    reads: ClassVar[str] = "pairs"
    terms: ClassVar[tuple[str, ...]] = ("d_loss", "g_loss", "l1_loss")

    def __init__(
        self, image_shape=(256, 256, 3), source_shape=None, base_filters=64, d_halvings=3, *,
        l1_weight=100.0, dropout=0.5, d_steps=1, ema_decay=0.999, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        image_shape = tuple(image_shape)
        source_shape = image_shape if source_shape is None else tuple(source_shape)
        if source_shape[:2] != image_shape[:2]:
            raise ValueError(f"Source and image have one height and width; received {source_shape} and {image_shape}.")
        if not l1_weight >= 0.0 or not 0.0 <= dropout < 1.0:
            raise ValueError(f"l1_weight must be at least 0 and dropout in [0, 1); received {l1_weight} and {dropout}.")
        d_seed = None if seed is None else seed + 1
        super().__init__(
            unet_generator(source_shape, image_shape[-1], base_filters, dropout, dtype, seed),
            patch_discriminator(image_shape, base_filters, d_halvings, dtype, d_seed, source_shape=source_shape),
            d_steps=d_steps,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.source_shape = source_shape
        self.base_filters = base_filters
        self.d_halvings = d_halvings
        self.l1_weight = l1_weight
        self.dropout = dropout

    @property
    def takes(self):
        """The source, and the uniform numbers that decide what is dropped."""
        source = {"source": Images(self.source_shape)}
        if not self.dropout:
            return source
        return source | {"latents": Latents(count_latents(self.source_shape, self.base_filters), "unit")}

    @property
    def learns(self):
        """Pairs of a source and its target."""
        return {"source": Images(self.source_shape), "target": self.makes}

    def kinds_of_examples(self):
        """Return the kinds of the source and of its target, which is kept to be looked at."""
        return super().kinds_of_examples() | {"target": self.makes}

    def panels(self):
        """Return the examples as they are, translated, and as they should be."""
        if not {"source", "target"} <= set(self.examples):
            return {}
        source, target = (self.examples[name][:SHOWN] for name in ("source", "target"))
        rows = np.stack([in_channels(source, target.shape[-1]), self.translate(source, seed=0), target], axis=1)
        return {"translations": Panel.of_rows(rows, "Each row: a source, what is made of it, and its target.")}

    def discriminator_terms(self, batch):
        """Return half the loss of the game, so that the discriminator is the slower one, and all penalties."""
        terms = super().discriminator_terms(batch)
        return terms | {"d_loss": 0.5 * terms["d_loss"]}

    def generator_terms(self, batch):
        """Return the loss of the game and the weighted distance from the target (equation 3)."""
        return super().generator_terms(batch) | {"l1_loss": self.l1_weight * mean(tf.abs(batch.fake - batch.real))}

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "source_shape": list(self.source_shape),
            "base_filters": self.base_filters,
            "d_halvings": self.d_halvings,
            "l1_weight": self.l1_weight,
            "dropout": self.dropout,
        }
