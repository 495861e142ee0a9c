"""R3GAN: a modern baseline that needs no tricks, because its loss is known to converge."""

from collections.abc import Iterable

import keras

from kerasgan.core.gan import GAN
from kerasgan.core.packing import packed_shape
from kerasgan.core.sizes import is_count
from kerasgan.networks.r3gan import r3gan_discriminator, r3gan_generator
from kerasgan.regularizers import R1, R2
from kerasgan.schedules import Cosine, ScheduledAdam

# Images of a training with the default settings: ten epochs of 60,000.
IMAGES = 600_000


@keras.saving.register_keras_serializable("kerasgan")
class R3GAN(GAN):
    """Relativistic GAN with both gradient penalties, for images of 16 to 128 pixels a side, with classes or without.

    The families before it hold the game together by tricks: normalisation, minibatch statistics, other losses. Here the
    loss itself is mended. A relativistic discriminator judges pairs, so that the generator cannot do with a few images
    that are real enough, and leave the rest of the data out; the penalties R1 and R2 hold the slope at real and at
    generated images, with which the game provably settles. What is left is a plain residual network, without any
    normalisation, whose branches start at zero.

    Huang et al. 2025 (https://arxiv.org/abs/2501.05441): loss of equation 2 with R1 and R2 in every update, networks of
    section 3.5, courses of table 9. Other than there, 3x3 convolutions are dense, the largest stage has half the
    image's size, dense layers lead to the smallest and from it, and images come out of a tanh (see
    `kerasgan.networks.r3gan`); halving is a mean over 2x2 pixels, which is cheaper than the filter [1, 3, 3, 1] that
    doubles; one batch of real images and of latents serves both players' updates.

    Args:
        image_shape: (height, width, channels), sides in 16..128.
        latent_dim: length of a latent vector.
        widths: channels of the stages of both networks, from the smallest to the largest, which has half the image's
            size; each doubles the one before, so 28 pixels begin at 7 with two of them, and 64 at 4 with four.
        num_classes: number of classes; None for an unconditional model.
        blocks: residual blocks of a stage: one number, or (generator's, discriminator's). A second one costs a tenth of
            the time in the generator, and a third in the discriminator, whose gradients are differentiated again.
        ends: what lies between a vector and the smallest image: "dense" layers, or the paper's "basis", which needs
            more channels.
        squashed: end in a tanh, which on few channels is closer to the data; False as in the paper.
        d_steps, ema_decay, pack: see `kerasgan.GAN`; `ema_half_life` in `compile` takes the place of `ema_decay`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: image_shape is out of range, or cannot be halved as often as there are stages to; blocks is neither
            a positive number nor two.

    Example:
        gan = kerasgan.R3GAN((28, 28, 1), num_classes=10)
        gan.compile(**gan.course(images=10 * 60_000))
        gan.fit(kerasgan.data.load("fashion_mnist", labels=True, batch_size=16), epochs=10)
        boots = gan.generate(16, labels=9)
    """

    def __init__(
        self, image_shape=(28, 28, 1), latent_dim=64, widths=(128, 64), num_classes=None, *,
        blocks: int | tuple[int, int] = 1, ends="dense", squashed=True,
        d_steps=1, ema_decay=0.999, pack=1, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        image_shape, widths = tuple(image_shape), tuple(widths)
        g_blocks, d_blocks = _of_both(blocks)
        d_seed = None if seed is None else seed + 1
        super().__init__(
            r3gan_generator(image_shape, latent_dim, widths, dtype, seed, num_classes, g_blocks, ends, squashed),
            r3gan_discriminator(packed_shape(image_shape, pack), widths, dtype, d_seed, num_classes, d_blocks, ends),
            num_classes=num_classes,
            d_steps=d_steps,
            ema_decay=ema_decay,
            pack=pack,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.widths = widths
        self.blocks = g_blocks if g_blocks == d_blocks else [g_blocks, d_blocks]
        self.ends = ends
        self.squashed = squashed

    @staticmethod
    def course(images: int, gamma: float = 20.0, learning_rate: float = 2e-3, rate_left: float = 0.1) -> dict:
        """Return the settings of `compile` for a training on so many images: one course for all that changes.

        In the first fifth, along half a cosine, the penalties fall from gamma to gamma / 10 and beta_2 rises from 0.9
        to 0.99; the average's half-life grows with them from 0 to a twentieth of the images (table 9 of the paper).
        Learning rates fall to a tenth over all of the training.

        The paper's networks have some thousand channels and see millions of images, with learning rates of 2e-4 and a
        gamma of 0.05 to 2. The defaults here are for a hundred channels and half a million images: on MNIST, after
        30,000, they had a Fréchet distance of 6 where a learning rate of 1e-3 had 90, with 5e-3 the game ran away, and
        with a gamma of 1 the discriminator was always right. What counts is the number of updates: on Fashion-MNIST and
        CIFAR-10, batches of 16 were ahead of batches of 32 after the same processor time.

        Args:
            images: how many the discriminator will have seen, counting them in every epoch.
            gamma: weight of R1 and of R2 at the start. Too small, the discriminator is always right; too large, images
                stay soft.
            learning_rate: of both players at the start.
            rate_left: share of it at the end; with 1 it is a plain number, which callbacks can set.
        """
        burn_in = 0.2 * images

        def adam():
            falling = rate_left != 1.0
            rate = Cosine(learning_rate, rate_left * learning_rate, images, "images") if falling else learning_rate
            return ScheduledAdam(rate, beta_1=0.0, beta_2=Cosine(0.9, 0.99, burn_in, "images"))

        def weight():
            return Cosine(gamma, 0.1 * gamma, burn_in, "images")

        return {
            "d_optimizer": adam(),
            "g_optimizer": adam(),
            "loss": "relativistic",
            "regularizers": (R1(weight()), R2(weight())),
            "ema_half_life": Cosine(0.0, 0.05 * images, burn_in, "images"),
        }

    def compile_defaults(self) -> dict:
        """Return the course of a training on `IMAGES` images, with learning rates that callbacks can set."""
        return self.course(IMAGES, rate_left=1.0)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "pack": self.pack,
            "latent_dim": self.latent_dim,
            "widths": list(self.widths),
            "num_classes": self.num_classes,
            "blocks": self.blocks,
            "ends": self.ends,
            "squashed": self.squashed,
        }


def _of_both(blocks) -> tuple[int, int]:
    """Return the residual blocks of (generator, discriminator) in a stage."""
    both = tuple(blocks) if isinstance(blocks, Iterable) else (blocks, blocks)
    if len(both) != 2 or not all(map(is_count, both)):
        raise ValueError(
            f"blocks must be a positive number, or two: of the generator and of the discriminator; received {blocks!r}."
        )
    return both
