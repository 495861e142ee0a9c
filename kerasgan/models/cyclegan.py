"""CycleGAN: from one sort of images to another and back, learned without a single pair."""

from dataclasses import replace
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core.gan import GAN
from kerasgan.core.judged import Batch
from kerasgan.core.sampling import Direction, Panel, Translator
from kerasgan.layers import ImagePool
from kerasgan.losses import mean
from kerasgan.networks.patches import patch_discriminator
from kerasgan.networks.translator import residual_translator

DIRECTIONS = ("a_to_b", "b_to_a")
# Examples in a picture of them.
SHOWN = 8


@keras.saving.register_keras_serializable("kerasgan")
class CycleGAN(Translator, GAN):
    """Image to image without pairs: two translators, of which each undoes what the other did.

    pix2pix needs the right answer to every image, and for most wishes nobody has it: no horse has stood as a zebra in
    the same place. Here are only many images of sort A and many of sort B. Two discriminators ask whether translations
    look like their sort, which a translator could satisfy by making any image of it; so it also has to leave what the
    other translator needs to make the original again. A translator that is shown an image of the sort that it makes
    should leave it alone, which keeps colours what they are.

    Zhu et al. 2017 (https://arxiv.org/abs/1703.10593), with the settings of its authors' code: discriminators learn
    from a pool of earlier translations as well. Here they are updated before the translators, and `generate` uses
    averaged weights; in their code it is the other way round, and the last weights.

    Args:
        image_shape: (height, width, channels) of both sorts, sides multiples of 4 from 16 on.
        base_filters: filters of the layers next to the images.
        blocks: residual blocks of a translator; None for 6 up to 128 pixels and 9 beyond, as in the paper.
        d_halvings: of the discriminators: patches of 16, 34, 70 or 142 pixels with 1 to 4.
        cycle_weight: of the mean absolute distance between an image and what it comes back as, each way. The paper's 10
            stands beside a squared loss without the half of LSGAN's equations, which is 5 here.
        identity_weight: of the distance that a translator moves images of the sort it makes; the paper's 5, halved
            likewise. 0 saves one of the translators' three passes.
        pool_size: earlier translations that each discriminator may see again.
        upsampling: "transposed" convolutions as in the paper, or "resized" against checkerboards.
        affine: whether instance norms have scales and shifts; in the paper they have none.
        d_steps, ema_decay: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: the shape does not fit the networks, or a weight is negative.

    Example:
        gan = kerasgan.CycleGAN(image_shape=(128, 128, 3))
        gan.compile()
        gan.fit(kerasgan.data.unpaired.load(("photos/", "paintings/"), image_size=128, flip=True), epochs=200)
        paintings = gan.translate(photos)
        photos = gan.translate(paintings, direction="b_to_a")
    """

    reads: ClassVar[str] = "unpaired"
    terms: ClassVar[tuple[str, ...]] = ("d_loss_a", "d_loss_b", "g_loss_a", "g_loss_b", "cycle_loss", "identity_loss")

    def __init__(
        self, image_shape=(256, 256, 3), base_filters=64, blocks: int | None = None, d_halvings=3, *,
        cycle_weight=5.0, identity_weight=2.5, pool_size=50, upsampling="transposed", affine=False,
        d_steps=1, ema_decay=0.999, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        if not (cycle_weight >= 0.0 and identity_weight >= 0.0 and pool_size >= 0):
            raise ValueError(
                "cycle_weight, identity_weight and pool_size must be at least 0; received "
                f"{cycle_weight}, {identity_weight} and {pool_size}."
            )
        image_shape = tuple(image_shape)
        blocks = (6 if max(image_shape[:2]) <= 128 else 9) if blocks is None else blocks
        seeds = [None if seed is None else 4 * seed + number for number in range(4)]

        def translator(name, seed):
            return residual_translator(
                image_shape, base_filters, blocks, upsampling=upsampling, affine=affine, dtype=dtype, seed=seed,
                name=name,
            )  # fmt: skip

        def judge(name, seed):
            return patch_discriminator(image_shape, base_filters, d_halvings, dtype, seed, affine=affine, name=name)

        a, b = keras.Input(image_shape, name="a"), keras.Input(image_shape, name="b")
        translators = [translator(*each) for each in zip(DIRECTIONS, seeds[:2], strict=True)]
        judges = [judge(*each) for each in zip(("judge_a", "judge_b"), seeds[2:], strict=True)]
        super().__init__(
            keras.Model([a, b], [translators[0](a), translators[1](b)], name="generator"),
            keras.Model([a, b], [judges[0](a), judges[1](b)], name="discriminator"),
            d_steps=d_steps,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.base_filters = base_filters
        self.blocks = blocks
        self.d_halvings = d_halvings
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight
        self.upsampling = upsampling
        self.affine = affine
        self.pool_size = pool_size
        self.pools = [ImagePool(image_shape, pool_size, name=f"pool_{name}") for name in "ab"]

    def compile_defaults(self) -> dict:
        """Return the paper's settings, at a constant rate: the paper's falls to 0 in the second half of training.

        How long that is, only you know: give both optimizers a `kerasgan.schedules.Linear(2e-4, 0.0, over, after=...)`.
        """
        return super().compile_defaults() | {"loss": "least_squares"}

    # What it takes and makes

    @property
    def takes(self):
        """An image of sort A."""
        return {"a": self.makes}

    @property
    def learns(self):
        """An image of each sort, which have nothing to do with one another."""
        return {"a": self.makes, "b": self.makes}

    @property
    def sampler(self):
        """The translator from A to B."""
        return super().sampler.get_layer("a_to_b")

    @property
    def networks(self):
        """Both translators in one network, and both discriminators."""
        return {"generator": super().sampler, "discriminator": self.discriminator}

    def directions(self):
        """Return both ways: this model translates A to B."""
        back = super().sampler.get_layer("b_to_a")
        return {"a_to_b": self, "b_to_a": Direction(self, "b_to_a", back, {"b": self.makes}, self.makes)}

    def shown(self):
        """Return the translators from A to B that summaries show."""
        return {"a_to_b/ema": self.sampler, "a_to_b/live": self.generator.get_layer("a_to_b")}

    def translate(self, images, seed=None, batch_size=16, *, direction="a_to_b"):
        """Return the translations of images, from A to B or, with `direction="b_to_a"`, back.

        Args:
            images: float array (n, height, width, channels) in [-1, 1].
            seed: nothing here is random.
            batch_size: images translated at a time.
            direction: "a_to_b" or "b_to_a".

        Raises:
            ValueError: the images do not fit, or there is no such direction.
        """
        if direction not in DIRECTIONS:
            raise ValueError(f"direction must be one of {DIRECTIONS}; received {direction!r}.")
        if direction == "b_to_a":
            return self.directions()[direction].translate(images, seed, batch_size)
        return super().translate(images, seed, batch_size)

    def panels(self):
        """Return the examples of each sort as they are, translated, and brought back."""
        panels = {}
        for name, direction in zip("ab", DIRECTIONS, strict=True):
            if name in self.examples:
                images = self.examples[name][:SHOWN]
                there = self.translate(images, direction=direction)
                back = self.translate(there, direction=_back(direction))
                rows = np.stack([images, there, back], axis=1)
                panels[f"cycles/{name}"] = Panel.of_rows(
                    rows, f"Each row: an image of sort {name.upper()}, translated, and back again."
                )
        return panels

    # The game

    def unpack(self, data):
        """Return an image of each sort; nothing is given beside them."""
        return tuple(self.parts(data).values()), {}

    def synthesize(self, real, given, seed, training=True):
        """Translate both ways."""
        fake_b, fake_a = self.generator(list(real), training=training)
        return Batch(real, (fake_a, fake_b), seed=seed)

    def judges(self):
        """Return the discriminator of each sort."""
        return {f"_{name}": self.discriminator.get_layer(f"judge_{name}") for name in "ab"}

    def update_discriminator(self, batch, share=1.0):
        """Update both discriminators, on images some of which come out of the pools."""
        seeds = [tf.random.experimental.stateless_fold_in(batch.seed, -1 - number) for number in range(2)]
        mixed = tuple(
            pool(tf.stop_gradient(fake), seed, share=share)
            for pool, fake, seed in zip(self.pools, batch.fake, seeds, strict=True)
        )
        return super().update_discriminator(replace(batch, fake=mixed), share)

    def generator_terms(self, batch):
        """Return the losses of both games, and how far images are from what they come back as and are left as."""
        again_b, again_a = self.generator(list(batch.fake), training=batch.training)
        terms = super().generator_terms(batch)
        terms["cycle_loss"] = self.cycle_weight * _distance(batch.real, (again_a, again_b))
        terms["identity_loss"] = self._identity_loss(batch)
        return terms

    def _identity_loss(self, batch):
        if not self.identity_weight:
            return tf.zeros(())
        same_b, same_a = self.generator(list(batch.real[::-1]), training=batch.training)
        return self.identity_weight * _distance(batch.real, (same_a, same_b))

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "base_filters": self.base_filters,
            "blocks": self.blocks,
            "d_halvings": self.d_halvings,
            "cycle_weight": self.cycle_weight,
            "identity_weight": self.identity_weight,
            "pool_size": self.pool_size,
            "upsampling": self.upsampling,
            "affine": self.affine,
        }


def _back(direction: str) -> str:
    return DIRECTIONS[1 - DIRECTIONS.index(direction)]


def _distance(images, others) -> tf.Tensor:
    """Return the mean absolute difference of both pairs, added up."""
    return sum(mean(tf.abs(one - other)) for one, other in zip(images, others, strict=True))
