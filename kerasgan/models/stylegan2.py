"""StyleGAN2: what an image shows is decided by styles, one for each resolution, that latents are mapped to first."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core.attributes import Attributes, check_names, direction_network, scores_of
from kerasgan.core.gan import GAN
from kerasgan.core.judged import Batch, frozen_state
from kerasgan.core.latent_space import LatentSpace
from kerasgan.core.sampling import Direction, Panel, as_input
from kerasgan.kinds import Labels, Latents
from kerasgan.networks.style import count_noise, count_styles, style_discriminator, style_generator, truncated
from kerasgan.optimizers import Adam
from kerasgan.regularizers import R1

# The penalty is computed in every so-manieth update of the discriminator.
R1_EVERY = 16
# The batch that the penalty's weight is for, where nobody says.
BATCH_SIZE = 32
# Thirds of the resolutions, from the smallest on.
DEPTHS = ("coarse", "middle", "fine")
# What is mixed to be shown: images of these seeds take styles from those.
TAKERS, LENDERS, SHOWN_TRUNCATION = (0, 1, 2), (3, 4, 5, 6, 7), 0.7
# So many w show how far they are spread.
SPREAD_OF = 256
# Of so many images directions are learned.
LABELLED_SAMPLES = 4096
# Of a batch's seed. Draws of an update count up from 1.
_NOISE_DRAW, _OTHER_DRAW, _MIXING_DRAW = -1, -2, -3


@keras.saving.register_keras_serializable("kerasgan")
class StyleGAN2(Attributes, GAN):
    """A GAN whose generator is told the style of each resolution, for images of 16 to 128 pixels a side.

    Latents do not enter where an image begins, which is the same for all: they are mapped to w, and w tells each
    convolution how much to make of every channel. What comes first decides pose and shape, what comes last colours, so
    that one image can take its shape from one w and its colours from another; what is random in a picture, such as
    where a hair falls, is noise of its own. Near the mean of all w images are the most usual ones: drawn towards it,
    they are better and less varied.

    Karras et al. 2020 (https://arxiv.org/abs/1912.04958), with the settings that the authors later gave for small
    images (https://arxiv.org/abs/2006.06676): logistic loss, R1 in every 16th update, no style mixing and no path
    lengths, for which there is `kerasgan.regularizers.PathLength`. Their layers have 512 filters at most of these
    sizes (`base_filters=512, max_filters=512`) and see 25 to 100 million images. Where they clip images to show them,
    inference clips here.

    The weight of R1 decides most. The default is the authors' 0.0002 x height x width / batch size for a batch of 32;
    take `gan.r1_weight(batch_size)` for another, and three times as much and as little to compare.

    The learning rates of 0.0025 are for wide networks and long trainings. With 16 to 64 filters and 200,000 images,
    faces stayed blurred by them, and 0.01 gave the preset `stylegan2_faces`.

    Args:
        image_shape: (height, width, channels), sides in 16..128 that can be halved until the shorter has 4 to 7.
        latent_dim: length of a latent vector, and of w.
        base_filters: filters of the layers next to the image, doubling at every halving.
        max_filters: the most filters of a layer.
        num_classes: number of classes; None for an unconditional model. The latents are mapped beside a vector of the
            class, and the discriminator adds a projection.
        mapping_layers: layers from latents to w.
        style_mixing: probability that an image in training takes its finer styles from other latents, so that styles
            of neighbouring resolutions cannot agree beforehand; 0.9 in the paper.
        attributes: names for directions of w, which `learn_attributes` finds and `move` goes along.
        d_steps, ema_decay: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: image_shape is out of range or cannot be halved as often as needed, or style_mixing is no
            probability.

    Example:
        gan = kerasgan.StyleGAN2(image_shape=(64, 64, 3), base_filters=16, max_filters=128)
        gan.compile()
        gan.fit(kerasgan.data.load("lfwcrop", batch_size=32, flip=True), epochs=100)
        faces = gan.generate(16, seed=1, truncation=0.7)
        crossed = gan.mix([1, 2], [3, 4, 5], "fine")  # (2, 3, 64, 64, 3)
    """

    # What is smiling is spread over the latents, and gathered in w.
    attribute_space = "w"
    # Farther out, w are not among those that it learned to draw.
    shown_amounts = np.arange(-1.0, 1.25, 0.25)

    def __init__(
        self, image_shape=(64, 64, 3), latent_dim=512, base_filters=32, max_filters=256, num_classes=None, *,
        mapping_layers=2, style_mixing=0.0, attributes=(), d_steps=1, ema_decay=0.999, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        if not 0.0 <= style_mixing <= 1.0:
            raise ValueError(f"style_mixing is a probability; received {style_mixing}.")
        attributes = check_names(attributes)
        image_shape = tuple(image_shape)
        widths = (base_filters, max_filters)
        d_seed = None if seed is None else seed + 1
        super().__init__(
            style_generator(image_shape, latent_dim, *widths, mapping_layers, dtype, seed, num_classes),
            style_discriminator(image_shape, *widths, dtype, d_seed, num_classes),
            num_classes=num_classes,
            d_steps=d_steps,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.base_filters = base_filters
        self.max_filters = max_filters
        self.mapping_layers = mapping_layers
        self.style_mixing = style_mixing
        self.attributes = attributes
        self.attribute_network = direction_network(attributes, latent_dim) if attributes else None

    @property
    def networks(self):
        """The networks of a trained model."""
        return super().networks | ({"attributes": self.attribute_network} if self.attributes else {})

    def compile_defaults(self) -> dict:
        """Return the authors' settings for small images."""
        kept = R1_EVERY / (R1_EVERY + 1)
        return {
            "d_optimizer": Adam(2.5e-3 * kept, beta_1=0.0, beta_2=0.99**kept, epsilon=1e-8),
            "g_optimizer": Adam(2.5e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8),
            "loss": "non_saturating",
            "regularizers": (R1(self.r1_weight(BATCH_SIZE), every=R1_EVERY),),
        }

    def r1_weight(self, batch_size: int) -> float:
        """Return the weight of R1 that the authors begin with, for batches of so many images."""
        height, width, _ = self.image_shape
        return 2e-4 * height * width / batch_size

    @property
    def takes(self):
        """Latents, labels where there are classes, and the noise of all layers."""
        labels = {} if self.num_classes is None else {"labels": Labels(self.num_classes)}
        return {"latents": Latents(self.latent_dim)} | labels | {"noise": Latents(count_noise(self.image_shape))}

    def synthesize(self, real, given, seed, training=True):
        """Make as many images as there are real ones, of noise that the batch keeps, and some of two styles."""
        noise = self.takes["noise"].draw(tf.shape(real)[0], _drawn_from(seed, _NOISE_DRAW))
        given = given | {"noise": noise}
        if not (training and self.style_mixing):
            return super().synthesize(real, given, seed, training)
        latents = self.sample_latents(tf.shape(real)[0], seed)
        return Batch(real, self._mixed(latents, given, seed), latents, given, seed)

    def _mixed(self, latents, given, seed) -> tf.Tensor:
        """Return images of which some take their finer styles from other latents."""
        mapping, mean, synthesis = (self.generator.get_layer(name) for name in ("mapping", "mean", "synthesis"))
        count, layers = tf.shape(latents)[0], count_styles(self.image_shape)
        labels = [given["labels"]] if "labels" in given else []
        w = mean(mapping(as_input([latents, *labels])), training=True)
        with frozen_state():
            other = mapping(as_input([self.sample_latents(count, _drawn_from(seed, _OTHER_DRAW)), *labels]))
        draws = tf.random.stateless_uniform((2, count), _drawn_from(seed, _MIXING_DRAW))
        # From the second style on, or later, or not at all.
        start = 1 + tf.cast(draws[0] * (layers - 1), tf.int32)
        start = tf.where(draws[1] < self.style_mixing, start, layers)
        own = tf.range(layers)[None, :, None] < start[:, None, None]
        return synthesis([tf.where(own, w[:, None], other[:, None]), given["noise"]], training=True)

    # What it is for

    def generate(self, n, seed=None, labels=None, batch_size=128, truncation=1.0, **given) -> np.ndarray:
        """Return n new images, see `kerasgan.core.sampling.Sampling.generate`.

        Args:
            n, seed, labels, batch_size, **given: see there.
            truncation: how far on the way from the mean of all w to its own the w of each image lies, in [0, 1]: 1 is
                all of it, with 0.7 images are less varied and better, at 0 all are one.
        """
        sampling = super() if truncation == 1.0 else self.truncated(truncation)
        return sampling.generate(n, seed, labels, batch_size, **given)

    def truncated(self, truncation: float) -> Direction:
        """Return what generates with that truncation, to be exported for example; it shares the model's weights.

        Raises:
            ValueError: truncation is not in [0, 1].

        Example:
            kerasgan.export.tflite(gan.truncated(0.7), "faces.tflite")
        """
        if not 0.0 <= truncation <= 1.0:
            raise ValueError(f"truncation must be in [0, 1], 1 for none; received {truncation}.")
        return Direction(self, self.name, truncated(self.sampler, truncation), self.takes, self.makes)

    def mix(self, seeds_a, seeds_b, layers: str = "coarse", truncation: float = 1.0, labels: int = 0) -> np.ndarray:
        """Return each image of one list with the styles that some of its layers have in each image of another.

        Args:
            seeds_a: integers; `generate(1, seed)` is the image of one. Noise is theirs.
            seeds_b: integers, of the images that lend their styles.
            layers: "coarse", "middle" or "fine", each a third of the resolutions from the smallest on, or "all".
            truncation: see `generate`.
            labels: where there are classes: that of all images.

        Returns:
            float32 array (len(seeds_a), len(seeds_b), height, width, channels) in [-1, 1].

        Raises:
            ValueError: layers is another word.
        """
        mixed = self._taken_from_b(layers)
        (w_a, noise), (w_b, _) = (self._w_of(seeds, truncation, labels) for seeds in (seeds_a, seeds_b))
        synthesis = self.sampler.get_layer("synthesis")
        rows = []
        for w, own in zip(w_a, noise, strict=True):
            styles = tf.where(mixed[:, None], w_b[:, None], w)
            rows.append(synthesis([styles, tf.repeat(own[None], len(w_b), axis=0)], training=False))
        return np.stack(rows)

    def _taken_from_b(self, layers: str) -> np.ndarray:
        """Return for each style whether it is among such layers."""
        thirds = np.array_split(np.arange(count_styles(self.image_shape) // 2), len(DEPTHS))
        levels = dict(zip(DEPTHS, thirds, strict=True)) | {"all": np.concatenate(thirds)}
        if layers not in levels:
            raise ValueError(f"layers must be one of {list(levels)}; received {layers!r}.")
        # Two styles a resolution.
        return np.isin(np.arange(count_styles(self.image_shape)) // 2, levels[layers])

    def _w_of(self, seeds, truncation: float, labels: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Return w and noise of the images of seeds."""
        chosen = labels if "labels" in self.takes else None
        each = [self.sampler_inputs(1, int(seed), labels=chosen) for seed in seeds]
        *given, noise = (tf.concat(parts, axis=0) for parts in zip(*each, strict=True))
        mapping, mean = (self.sampler.get_layer(name) for name in ("mapping", "mean"))
        return mean(mapping(as_input(given)), share=truncation), noise

    # Directions of w

    def sample_w(self, n: int, seed: int | None = None, truncation: float = 1.0, labels=None) -> np.ndarray:
        """Return the w of n new images, float32 (n, latent_dim): where attributes are moved.

        Args:
            n, seed, labels: see `generate`; the same seed stands for the same images, but for their noise.
            truncation: see `generate`.
        """
        *given, _ = self.sampler_inputs(n, seed, labels=labels)
        mapping, mean = (self.sampler.get_layer(name) for name in ("mapping", "mean"))
        return np.asarray(mean(mapping(as_input(given)), share=truncation))

    def decode(self, w, seed: int = 0) -> np.ndarray:
        """Return the images of w (n, latent_dim), float32 in [-1, 1]; all have the noise of one seed.

        Example:
            gan = kerasgan.from_preset("stylegan2_faces")
            smiling = gan.decode(gan.move(gan.sample_w(8, seed=1, truncation=0.7), smiling=1.0))
        """
        w = tf.convert_to_tensor(w, tf.float32)
        noise = tf.repeat(self.sampler_inputs(1, seed)[-1], len(w), axis=0)
        return self.latent_spaces()["w"].synthesize(w, {"noise": noise}).numpy()

    def coded_examples(self, images, labels) -> tuple[np.ndarray, np.ndarray]:
        """Return the w of samples, and how much each has of the attributes, by what labelled images look like.

        No image has to be found among the w first, which takes minutes for a few: what labels say of photographs is
        learned from how the discriminator sees them, by ridge regression, and then said of samples.
        """
        seen = self._discriminator_features()
        *given, noise = self.sampler_inputs(LABELLED_SAMPLES, seed=0)
        samples = self.sampler.predict([*given, noise], batch_size=128, verbose=0)
        of_images, of_samples = (seen.predict(each, batch_size=128, verbose=0) for each in (images, samples))
        return np.asarray(self.sampler.get_layer("mapping")(as_input(given))), scores_of(of_images, labels, of_samples)

    def _discriminator_features(self) -> keras.Model:
        """Return images to what the discriminator has of them after each halving, by means over 4x4 regions."""
        halved = [each.output for each in self.discriminator.layers if isinstance(each, keras.layers.Add)]
        pooled = [keras.layers.AdaptiveAveragePooling2D(4)(each) for each in halved if len(each.shape) == 4]
        flat = [keras.layers.Flatten()(each) for each in pooled]
        joined = keras.layers.Concatenate(dtype="float32")(flat) if len(flat) > 1 else flat[0]
        return keras.Model(self.discriminator.inputs[0], joined)

    def shown_points(self, n: int) -> tuple[np.ndarray, str]:
        """Return w near to their mean."""
        return self.sample_w(n, 0, SHOWN_TRUNCATION), f"Of samples with a truncation of {SHOWN_TRUNCATION:g}."

    def latent_spaces(self) -> dict[str, LatentSpace]:
        """Return, beside the latents, w: what they are mapped to, in which more images can be found."""
        synthesis = self.sampler.get_layer("synthesis")
        many = self._mapped(SPREAD_OF, 0)
        mean, spread = tf.reduce_mean(many, axis=0), tf.math.reduce_std(many, axis=0)

        def synthesize(points, given):
            styles = tf.repeat(points[:, None], count_styles(self.image_shape), axis=1)
            return synthesis([styles, given["noise"]], training=False)

        def unusual(points):
            squares = tf.reduce_mean(tf.square((points - mean) / (spread + 1e-6)), axis=1)
            return self.latent_dim / 4.0 * tf.square(tf.nn.relu(squares - 1.0))

        return super().latent_spaces() | {"w": LatentSpace(self._mapped, synthesize, unusual)}

    def _mapped(self, n: int, seed: int) -> tf.Tensor:
        """Return the w of so many latents, of all classes in turn."""
        *given, _ = self.sampler_inputs(n, seed)
        return self.sampler.get_layer("mapping")(as_input(given))

    def panels(self) -> dict[str, Panel]:
        """Return images that take the styles of some layers from others, and sliders of attributes."""
        top, left = (self._shown_alone(seeds) for seeds in (LENDERS, TAKERS))
        blank = np.full_like(top[:1], -1.0)
        panels = {}
        for depth in DEPTHS:
            mixed = self.mix(TAKERS, LENDERS, depth, SHOWN_TRUNCATION)
            rows = np.concatenate([np.concatenate([blank, top])[None], np.concatenate([left[:, None], mixed], 1)])
            described = f"Images of the first column, with the {depth} styles of those in the first row."
            panels[f"style_mixing/{depth}"] = Panel.of_rows(rows, described)
        return panels | super().panels()

    def _shown_alone(self, seeds) -> np.ndarray:
        return np.concatenate([self.mix([seed], [seed], "all", SHOWN_TRUNCATION)[0] for seed in seeds])

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "latent_dim": self.latent_dim,
            "base_filters": self.base_filters,
            "max_filters": self.max_filters,
            "num_classes": self.num_classes,
            "mapping_layers": self.mapping_layers,
            "style_mixing": self.style_mixing,
            "attributes": list(self.attributes),
        }


def _drawn_from(seed, number: int):
    return tf.random.experimental.stateless_fold_in(seed, number)
