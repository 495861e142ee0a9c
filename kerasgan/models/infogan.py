"""InfoGAN: a generator whose inputs come to mean something, without a label."""

from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core.classifying import Classifying
from kerasgan.core.gan import GAN
from kerasgan.core.sampling import Panel
from kerasgan.kinds import Labels, Latents
from kerasgan.losses import mean
from kerasgan.networks.infogan import infogan_discriminator, infogan_generator
from kerasgan.optimizers import Adam

# A code is trained in [-1, 1); the paper shows what it does from -2 to 2.
REACH = 2.0
# Of a batch's seed: what the code is drawn from. Draws of an update count up from 1.
_CATEGORY_DRAW, _CODES_DRAW = -1, -2


@keras.saving.register_keras_serializable("kerasgan")
class InfoGAN(Classifying, GAN):
    """A GAN that finds the classes of images, and what else they vary in, by itself.

    The latents of a GAN are tangled: no single number means anything. Here some are set apart, one category and a few
    codes, and the discriminator, by a second head, has to read them off the generated image. Both players are paid for
    that: the generator has to let the code be seen, and what is seen most plainly is what images differ in most. In
    the paper, the categories of MNIST become digits, one code their slant and another their width, though no label was
    ever shown. Nothing makes it so: two digits may share a category in one run, and not in another.

    The categories are the input `labels` of the generator, numbered as they were found. `classify` tells them of real
    images; `traverse` shows what each part of the code does.

    Chen et al. 2016 (https://arxiv.org/abs/1606.03657), with the settings of the published code: uniform noise, a
    Gaussian of deviation 1 for the codes, the generator five times as fast as the discriminator, 5,000 updates of 128
    images on MNIST.

    Args:
        image_shape: (height, width, channels), sides multiples of 4.
        latent_dim: length of the noise.
        categories: number of categories.
        codes: how many codes there are besides, each a number in [-1, 1).
        base_filters: filters of the layers next to the image.
        information_weight: of the bound on the mutual information of code and image, in both players' terms.
        d_steps, ema_decay: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: image_shape does not fit, there are fewer than two categories or no code, or the weight is negative.

    Example:
        gan = kerasgan.InfoGAN()
        gan.compile()
        gan.fit(kerasgan.data.load("mnist", batch_size=128), epochs=11)
        alike = gan.generate(16, labels=3)  # One category, any codes.
        rows = gan.traverse(code=0)  # (10, 10, 28, 28, 1): what the first code does, one row a category.
    """

    terms: ClassVar[tuple[str, ...]] = ("d_loss", "g_loss", "d_information_loss", "g_information_loss")
    observations: ClassVar[tuple[str, ...]] = ("category_information",)
    class_head: ClassVar[str] = "categories"

    def __init__(
        self, image_shape=(28, 28, 1), latent_dim=62, categories=10, codes=2, base_filters=64, *,
        information_weight=1.0, d_steps=1, ema_decay=0.999, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        if categories < 2 or codes < 1:
            raise ValueError(
                f"categories must be at least 2, and codes at least 1; received categories={categories}, codes={codes}."
            )
        if not information_weight >= 0.0:
            raise ValueError(f"information_weight must be at least 0; received {information_weight}.")
        image_shape = tuple(image_shape)
        d_seed = None if seed is None else seed + 1
        super().__init__(
            infogan_generator(image_shape, latent_dim, categories, codes, base_filters, dtype, seed),
            infogan_discriminator(image_shape, categories, codes, base_filters, dtype, d_seed),
            d_steps=d_steps,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.categories = categories
        self.codes = codes
        self.base_filters = base_filters
        self.information_weight = information_weight

    def compile_defaults(self) -> dict:
        """Return the settings of the published code."""
        return super().compile_defaults() | {
            "d_optimizer": Adam(2e-4, beta_1=0.5),
            "g_optimizer": Adam(1e-3, beta_1=0.5),
        }

    @property
    def takes(self):
        """Uniform noise, the category as a label, and the codes."""
        return {
            "latents": Latents(self.latent_dim, "uniform"),
            "labels": Labels(self.categories),
            "codes": Latents(self.codes, "uniform"),
        }

    # The game

    def synthesize(self, real, given, seed, training=True):
        """Make as many images as there are real ones, of a random code each, which the batch keeps."""
        count = tf.shape(real)[0]
        seeds = [tf.random.experimental.stateless_fold_in(seed, each) for each in (_CATEGORY_DRAW, _CODES_DRAW)]
        # At random: drawn by their kind, categories come in turn, and batch norm would see each equally often.
        labels = tf.random.stateless_uniform((count,), seeds[0], 0, self.categories, "int32")
        code = {"labels": labels, "codes": self.takes["codes"].draw(count, seeds[1])}
        return super().synthesize(real, given | code, seed, training)

    def discriminator_terms(self, batch):
        """Return the loss of the game, what the code still hides from the discriminator, and what it knows of it."""
        known = np.log(self.categories) - self._category_loss(batch)
        own = {"d_information_loss": self._information_loss(batch), "category_information": known}
        return super().discriminator_terms(batch) | own

    def generator_terms(self, batch):
        """Return the loss of the game, and the same loss of information: the generator wants to be read too."""
        return super().generator_terms(batch) | {"g_information_loss": self._information_loss(batch)}

    def _information_loss(self, batch) -> tf.Tensor:
        """Return the weighted surprise at the code in nats, without the constants: low where it can be read."""
        # Half the squared error is the surprise of a Gaussian of deviation 1; a softmax has no business here.
        apart = tf.reduce_sum(tf.square(batch.given["codes"] - batch.fake_outputs["codes"]), axis=1)
        return self.information_weight * (self._category_loss(batch) + 0.5 * mean(apart))

    def _category_loss(self, batch) -> tf.Tensor:
        logits = batch.fake_outputs["categories"]
        return mean(tf.nn.sparse_softmax_cross_entropy_with_logits(batch.labels, logits))

    # What it is for

    def traverse(
        self, code: int | None = None, steps: int = 10, rows: int | None = None, reach: float = REACH, seed: int = 0
    ) -> np.ndarray:
        """Return rows of images in each of which only one part of the code changes.

        Args:
            code: number of the code that runs from -reach to reach; None for the category, of which each has a column.
            steps: columns, of a code.
            rows: how many; None for as many as there are categories, which come in turn.
            reach: the largest value of the code; it was trained up to 1.
            seed: of all that stays the same in a row.

        Returns:
            float32 array (rows, columns, height, width, channels) in [-1, 1].

        Raises:
            ValueError: there is no such code, or steps is less than 2.
        """
        if code is not None and not 0 <= code < self.codes:
            raise ValueError(f"code must be in 0..{self.codes - 1}, or None for the category; received {code}.")
        if steps < 2:
            raise ValueError(f"steps must be at least 2, both ends included; received {steps}.")
        rows = self.categories if rows is None else rows
        columns = self.categories if code is None else steps
        fixed = zip(self.takes, self.sampler_inputs(rows, seed), strict=True)
        inputs = {name: np.repeat(np.asarray(part), columns, axis=0) for name, part in fixed}
        if code is None:
            inputs["labels"] = np.tile(np.arange(columns), rows)
        else:
            inputs["codes"][:, code] = np.tile(np.linspace(-reach, reach, columns), rows)
        return self.generate(rows * columns, **inputs).reshape(rows, columns, *self.image_shape)

    def panels(self) -> dict[str, Panel]:
        """Return a traversal of the category and one of each code."""
        across = f"from -{REACH:g} to {REACH:g}, one row a category"
        made = {"category": (None, "Each column is a category. The rest of a row's latents is the same.")} | {
            f"code_{number}": (number, f"Along a row code {number} goes {across}.") for number in range(self.codes)
        }
        return {
            f"traversals/{name}": Panel.of_rows(self.traverse(code), description)
            for name, (code, description) in made.items()
        }

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "latent_dim": self.latent_dim,
            "categories": self.categories,
            "codes": self.codes,
            "base_filters": self.base_filters,
            "information_weight": self.information_weight,
        }
