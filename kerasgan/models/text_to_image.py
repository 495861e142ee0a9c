"""Text to image: a caption says what to draw, and a discriminator that reads says whether it was drawn."""

import functools
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core import replicas
from kerasgan.core.ema import calibrate_batch_norm
from kerasgan.core.gan import GAN
from kerasgan.core.judged import Batch
from kerasgan.core.optimizers import apply_gradients, prepare_optimizer
from kerasgan.core.sampling import Panel
from kerasgan.kinds import Latents, Tokens
from kerasgan.losses import mean
from kerasgan.networks import text_to_image as networks
from kerasgan.optimizers import Adam

PANEL_ROWS, PANEL_COLUMNS = 8, 8


@keras.saving.register_keras_serializable("kerasgan")
class TextToImageGAN(GAN):
    """A GAN that draws what a caption says, on DCGAN's networks, for images of 16 to 128 pixels a side.

    A label names one of a few classes; a caption joins words, and those that were never joined in training as well. A
    discriminator that only asks whether an image is real lets the generator ignore the text. Here it also sees real
    images beside captions of other images, and has to refuse them: the pair counts, not the image. And because there
    are few captions, the generator also draws for points between two of them, where no real image is needed.

    Reed et al. 2016 (https://arxiv.org/abs/1605.05396): algorithm 1 (GAN-CLS), in which wrong and generated pairs count
    half each, and equation 5 (GAN-INT) with a beta of 0.5. A wrong caption is one of the same batch that has other
    words. The paper takes sentences from an encoder that was trained beforehand on many more texts. Here a small GRU
    learns in the first epochs, next to a network for images, which captions of a batch belong to which images (in place
    of the ranking loss of equation 2: a cross-entropy both ways, in which all images of equal captions are right), and
    is left as it is from then on.

    Nothing in that asks for variety: of one caption, a batch holds one image, and that all of its images are alike is
    seen by nobody. So the generator is also paid where other latents make another image of the same caption, for half
    of the batch: Mao et al. 2019, equation 3 (https://arxiv.org/abs/1903.05628), in the form of their code.

    `fit` takes (images, captions), see `kerasgan.data.captions`; the model takes latents and captions, the numbers of
    words. `generate` also takes text.

    Args:
        image_shape: (height, width, channels), sides in 16..128.
        latent_dim: length of a latent vector.
        base_filters: filters of the layers next to the image; doubling at every halving, at most eight-fold.
        words: the word of each number, padding and unknown first, as `kerasgan.data.captions.info(source).arguments`
            has them. None: captions are given and shown as numbers.
        vocabulary: how many numbers there are; where words are given, their number.
        caption_length: words of a caption, padding included.
        sentence_dim: length of the vector that a caption is encoded as.
        condition_dim: length of what generator and discriminator each make of that vector.
        matching_epochs: epochs in which the encoder learns, before the game begins.
        interpolation_weight: of the loss at points between captions in what the generator minimises; 0 leaves them
            out. As many as half of a batch are drawn: 0.5 counts each like any other.
        variety_weight: of latents' differences over those of the images made of them, in what the generator minimises;
            0 leaves it out, as in 2016.
        d_steps, ema_decay: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: image_shape is out of range, words and vocabulary differ, or a weight is negative.

    Example:
        info = kerasgan.data.captions.info("captioned_fashion_mnist")
        gan = kerasgan.TextToImageGAN(**info.arguments)
        gan.compile()
        gan.fit(kerasgan.data.captions.load("captioned_fashion_mnist"), epochs=20)
        boots = gan.generate(text=["a light high ankle boot", "a dark low ankle boot"])
    """

    reads: ClassVar[str] = "captions"
    terms: ClassVar[tuple[str, ...]] = ("d_loss", "g_loss", "variety_loss", "matching_loss")
    observations: ClassVar[tuple[str, ...]] = ("mismatches_seen",)

    def __init__(
        self, image_shape=(64, 64, 3), latent_dim=100, base_filters=64, words=None, vocabulary=1000,
        caption_length=16, *, sentence_dim=128, condition_dim=128, matching_epochs=1, interpolation_weight=0.5,
        variety_weight=0.1, d_steps=1, ema_decay=0.999, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        for weight, value in {"interpolation_weight": interpolation_weight, "variety_weight": variety_weight}.items():
            if not value >= 0.0:
                raise ValueError(f"{weight} must be at least 0; received {value}.")
        if not matching_epochs >= 0:
            raise ValueError(f"matching_epochs must be at least 0; received {matching_epochs}.")
        image_shape = tuple(image_shape)
        kind = Tokens(caption_length, vocabulary if words is None else len(words), words)
        d_seed, text_seed, match_seed = (None if seed is None else seed + number for number in (1, 2, 3))
        sizes = (sentence_dim, condition_dim, dtype)
        super().__init__(
            networks.text_to_image_generator(image_shape, latent_dim, base_filters, *sizes, seed),
            networks.text_to_image_discriminator(image_shape, base_filters, *sizes, d_seed),
            d_steps=d_steps,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.base_filters = base_filters
        self.words = kind.words
        self.vocabulary = kind.vocabulary
        self.caption_length = caption_length
        self.sentence_dim = sentence_dim
        self.condition_dim = condition_dim
        self.matching_epochs = matching_epochs
        self.interpolation_weight = interpolation_weight
        self.variety_weight = variety_weight
        self.text_encoder = networks.text_encoder(caption_length, kind.vocabulary, sentence_dim, text_seed)
        self.matcher = networks.matcher(self.text_encoder, image_shape, base_filters, dtype, match_seed)
        self._live = self._reading(self.generator)
        self._averaged = None if self.ema_generator is None else self._reading(self.ema_generator)

    def _reading(self, generator: keras.Model) -> keras.Model:
        """Return the network of a generator that takes captions in place of sentences."""
        inputs = [keras.Input(kind.shape, dtype=kind.dtype, name=name) for name, kind in self.takes.items()]
        latents, captions = inputs
        return keras.Model(inputs, generator([latents, self.text_encoder(captions)]), name="sampler")

    def compile_defaults(self) -> dict:
        """Return the paper's settings."""
        return super().compile_defaults() | {
            "d_optimizer": Adam(2e-4, beta_1=0.5),
            "g_optimizer": Adam(2e-4, beta_1=0.5),
        }

    @functools.wraps(GAN.compile)  # Recipes read its signature.
    def compile(self, *args, **settings):
        """Configure training, see `kerasgan.GAN.compile`; the encoder's optimizer is its own."""
        super().compile(*args, **settings)
        with self.distribute_strategy.scope():
            self.matching_optimizer = prepare_optimizer(Adam(1e-3), self.matcher)

    # What it takes

    @property
    def takes(self):
        """Latents, and a caption each."""
        return {"latents": Latents(self.latent_dim), "captions": self._captions()}

    @property
    def learns(self):
        """Images, and a caption each."""
        return {"images": self.makes, "captions": self._captions()}

    def _captions(self) -> Tokens:
        return Tokens(self.caption_length, self.vocabulary, self.words)

    @property
    def sampler(self):
        """The averaged generator, or the live one where no average is kept, with the encoder before it."""
        return self._live if self._averaged is None else self._averaged

    @property
    def networks(self):
        """The networks of a trained model: encoder, generator that samples, and discriminator."""
        return {"text_encoder": self.text_encoder} | super().networks | {"generator": super().sampler}

    def shown(self):
        """Return what summaries show: the averaged generator, and the live one."""
        averaged = {} if self._averaged is None else {"samples/ema": self._averaged}
        return averaged | {"samples/live": self._live}

    def adopt_networks(self):
        """Let training go on with the game: the encoder has learned."""
        super().adopt_networks()
        self.clock.epochs.assign(max(self.epochs_done, self.matching_epochs))

    # Training

    @property
    def phase(self):
        """What is trained: the encoder first, then the game."""
        return "matching" if self.epochs_done < self.matching_epochs else "game"

    def train_step(self, data):
        """Take one step of the present phase."""
        return super().train_step(data) if self.phase == "game" else self.matching_step(data)

    def matching_step(self, data) -> dict:
        """Let both encoders learn which captions of a batch belong to which images."""
        data, share = replicas.shard(data)
        images, given = self.unpack(data)
        with tf.GradientTape() as tape:
            vectors = self.matcher([images, given["captions"]], training=True)
            loss = networks.match_loss(vectors["images"], vectors["sentences"], given["captions"])
            objective = self.matching_optimizer.scale_loss(loss * share)
        apply_gradients(tape, objective, self.matcher, self.matching_optimizer)
        replicas.synchronize(self.matcher, share)
        self.clock.tick((images, given), share)
        return self.track({"matching_loss": loss}, share)

    def synthesize(self, real, given, seed, training=True):
        """Make an image of each caption, and others of points between two captions, which the batch keeps."""
        captions = given["captions"]
        count = tf.shape(captions)[0]
        wrong, differs = mismatched(captions, tf.random.experimental.stateless_fold_in(seed, 1))
        sentences = tf.stop_gradient(self.text_encoder(captions, training=False))
        others = tf.gather(sentences, wrong)
        # Between captions that differ; of a batch of one as well, where the point is the caption itself.
        half = (count + 1) // 2
        between = 0.5 * (sentences + others)[: half if self.interpolation_weight else 0]
        again = sentences[: half if self.variety_weight else 0]
        asked = tf.concat([sentences, between, again], 0)
        latents = self.sample_latents(tf.shape(asked)[0], seed)
        sizes = [tf.shape(part)[0] for part in (sentences, between, again)]
        made, made_between, made_again = tf.split(self.generator([latents, asked], training=training), sizes)
        # The discriminator sees the first of these.
        told = {"sentences": sentences, "wrong": others, "differs": differs, "between": between}
        told |= {"made_between": made_between, "made_again": made_again, "other_latents": latents[count + sizes[1] :]}
        return Batch(real, made, latents[:count], told, seed)

    def discriminator_terms(self, batch):
        """Return the loss, in which wrong pairs stand for half of the fakes, and how far the logits tell them apart."""
        terms = super().discriminator_terms(batch)
        differs = batch.given["differs"][:, None]
        found = batch.judge(batch.real, sentences=batch.given["wrong"])
        # Where all captions of a batch are one, there is no wrong one: only what is generated is refused.
        refused = tf.where(differs, found, batch.fake_logits)
        terms["d_loss"] = 0.5 * (terms["d_loss"] + self.loss.discriminator(batch.real_logits, refused))
        return terms | {"mismatches_seen": mean(batch.real_logits > refused)}

    def generator_terms(self, batch):
        """Return the loss, with that of the points between captions."""
        terms = super().generator_terms(batch)
        if self.interpolation_weight:
            found = batch.judge(batch.given["made_between"], sentences=batch.given["between"])
            terms["g_loss"] += self.interpolation_weight * self.loss.generator(found)
        if self.variety_weight:
            terms["variety_loss"] = self.variety_weight * sameness(
                (batch.fake, batch.latents), (batch.given["made_again"], batch.given["other_latents"])
            )
        return terms

    def discriminate(self, images, captions, training=False):
        """Return the logits of pairs, high for a real image with a caption that fits.

        Args:
            images: (batch, height, width, channels) in [-1, 1].
            captions: int32 (batch, caption_length), or a text each.
            training: whether batch norm behaves as in training.
        """
        taken = self._captions().take(captions, len(images), "captions", type(self).__name__)
        images = tf.convert_to_tensor(images)  # Keras takes no mixture.
        return super().discriminate(images, training=training, sentences=self.text_encoder(taken))

    def calibrate(self, batches: int = 8, batch_size: int = 128) -> None:
        """Re-estimate the averaged generator's batch-norm statistics on its example captions, with other latents."""
        if self._averaged is None or not self.examples:
            return
        captions = self.examples["captions"]
        repeated = np.resize(captions, (batches, batch_size, captions.shape[1]))
        inputs = (self.sampler_inputs(len(part), seed=number, captions=part) for number, part in enumerate(repeated))
        calibrate_batch_norm(self._averaged, inputs)

    # What it is for

    def generate(self, n=None, seed=None, labels=None, batch_size=128, *, text=None, **given):
        """Return images of captions, float32 (n, height, width, channels) in [-1, 1].

        Args:
            n: how many; may be left out where there is a text for each.
            seed: integer for repeatable ones; None for fresh ones.
            labels: none are taken.
            batch_size: how many are made at a time.
            text: a caption for all, or a list of captions, one for each. Without it, and without `captions`, the first
                of `examples` are drawn.
            **given: `latents`, and `captions` as numbers.

        Raises:
            ValueError: a text is empty, too long, or has no word that the model knows; or as `kerasgan.GAN.generate`.
        """
        if text is not None:
            if "captions" in given:
                raise ValueError("Give text= or captions=, not both.")
            given["captions"] = text
            n = _count_of(text) if n is None else n
        if n is None:
            raise ValueError("generate needs the number of images, n, or text= with a caption for each.")
        return super().generate(n, seed, labels, batch_size, **given)

    def panels(self) -> dict[str, Panel]:
        """Return rows of images of some of the example captions, each with other latents."""
        if not self.examples:
            return {}
        captions = np.unique(self.examples["captions"], axis=0)
        chosen = captions[np.linspace(0, len(captions) - 1, min(PANEL_ROWS, len(captions))).astype(int)]
        rows = np.repeat(chosen, PANEL_COLUMNS, axis=0)
        made = self.generate(len(rows), seed=0, captions=rows)
        listed = "; ".join(self._captions().text(chosen))
        description = f"Each row is a caption, each column other latents. From above: {listed}."
        return {"captions": Panel(made, PANEL_COLUMNS, description)}

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "latent_dim": self.latent_dim,
            "base_filters": self.base_filters,
            "words": None if self.words is None else list(self.words),
            "vocabulary": self.vocabulary,
            "caption_length": self.caption_length,
            "sentence_dim": self.sentence_dim,
            "condition_dim": self.condition_dim,
            "matching_epochs": self.matching_epochs,
            "interpolation_weight": self.interpolation_weight,
            "variety_weight": self.variety_weight,
        }


def mismatched(captions: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return for each caption of a batch the place of another one that has other words, drawn at random.

    Args:
        captions: int32 (batch, length).
        seed: two integers.

    Returns:
        int32 (batch,), and bool (batch,): False where all captions are the same, and the place is its own.
    """
    differ = ~networks.equal_captions(captions)
    drawn = tf.random.stateless_uniform(tf.shape(differ), seed)
    places = tf.argmax(tf.where(differ, drawn, -1.0), axis=1, output_type="int32")
    exists = tf.reduce_any(differ, axis=1)
    return tf.where(exists, places, tf.range(tf.shape(places)[0])), exists


def sameness(first: tuple, second: tuple) -> tf.Tensor:
    """Return how far latents are apart, over how far the images made of them are: high where these are alike.

    Args:
        first: images and latents, of which as many count as there are in `second`.
        second: images of the same captions, and their latents.
    """
    images, latents = (tf.abs(one[: tf.shape(other)[0]] - other) for one, other in zip(first, second, strict=True))
    return mean(latents) / (mean(images) + 1e-5)


def _count_of(text) -> int:
    return 1 if isinstance(text, str) else len(text)
