"""Two tiny families that the core was not written for: labels, and two generators with two discriminators."""

from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from kerasgan.core.gan import GAN
from kerasgan.core.judged import Batch
from kerasgan.core.sampling import Direction, Translator


@keras.saving.register_keras_serializable("kerasgan_tests")
class ToyConditionalGAN(GAN):
    """Mirza and Osindero 2014: both networks see the label."""

    def __init__(
        self, image_shape=(16, 16, 1), latent_dim=4, num_classes=3, width=32, *,
        d_steps=1, ema_decay=0.999, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        image_shape = tuple(image_shape)
        latents = keras.Input((latent_dim,), name="latents")
        labels = keras.Input((), dtype="int32", name="labels")
        x = layers.Concatenate(dtype=dtype)([latents, _one_hot(num_classes, dtype)(labels)])
        x = _dense(2 * width, seed, 1, dtype)(_dense(width, seed, 0, dtype)(x))
        generator = keras.Model([latents, labels], _image(x, image_shape, seed), name="generator")

        images = keras.Input(image_shape, name="images")
        x = _dense(width, seed, 2, dtype)(layers.Flatten(dtype=dtype)(images))
        x = _dense(width, seed, 3, dtype)(x)
        # One logit a class; the label picks its own.
        logits = layers.Dot(1, dtype="float32")(
            [_logits(x, seed, num_classes), _one_hot(num_classes, "float32")(labels)]
        )
        discriminator = keras.Model([images, labels], logits, name="discriminator")
        super().__init__(
            generator, discriminator, num_classes=num_classes,
            d_steps=d_steps, ema_decay=ema_decay, seed=seed, name=name, dtype=dtype,
        )  # fmt: skip
        self.width = width

    def compile_defaults(self):
        return _calm_optimizers() | {"loss": "non_saturating", "regularizers": ("r1",)}

    def get_config(self):
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "latent_dim": self.latent_dim,
            "num_classes": self.num_classes,
            "width": self.width,
        }


@keras.saving.register_keras_serializable("kerasgan_tests")
class ToyTranslator(Translator, GAN):
    """Zhu et al. 2017 (CycleGAN): images of domain A to domain B and back, from unpaired examples."""

    reads = "unpaired"
    terms: ClassVar = ("d_loss_a", "d_loss_b", "g_loss_a", "g_loss_b", "cycle_loss")

    def __init__(
        self, image_shape=(16, 16, 1), width=32, cycle_weight=1.0, *,
        d_steps=1, ema_decay=0.999, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        image_shape = tuple(image_shape)
        a, b = keras.Input(image_shape, name="a"), keras.Input(image_shape, name="b")
        networks = [
            _translator(image_shape, width, seed, k, dtype, name) for k, name in enumerate(("a_to_b", "b_to_a"))
        ]
        generator = keras.Model([a, b], [networks[0](a), networks[1](b)], name="generator")
        judges = [_judge(image_shape, width, seed, k, dtype, name) for k, name in enumerate(("judge_a", "judge_b"), 2)]
        discriminator = keras.Model([a, b], [judges[0](a), judges[1](b)], name="discriminator")
        super().__init__(
            generator, discriminator, d_steps=d_steps, ema_decay=ema_decay, seed=seed, name=name, dtype=dtype
        )
        self.width = width
        self.cycle_weight = cycle_weight

    def compile_defaults(self):
        return _calm_optimizers() | {"loss": "least_squares", "regularizers": ()}

    @property
    def takes(self):
        return {"a": self.makes}

    @property
    def learns(self):
        return {"a": self.makes, "b": self.makes}

    @property
    def sampler(self):
        return super().sampler.get_layer("a_to_b")

    @property
    def networks(self):
        return {"generator": super().sampler, "discriminator": self.discriminator}

    def directions(self):
        back = super().sampler.get_layer("b_to_a")
        return {"a_to_b": self, "b_to_a": Direction(self, "b_to_a", back, {"b": self.makes}, self.makes)}

    def shown(self):
        return {"a_to_b/ema": self.sampler, "a_to_b/live": self.generator.get_layer("a_to_b")}

    def unpack(self, data):
        return tuple(self.parts(data).values()), {}

    def synthesize(self, real, given, seed, training=True):
        fake_b, fake_a = self.generator(list(real), training=training)
        return Batch(real, (fake_a, fake_b), seed=seed)

    def judges(self):
        return {f"_{name}": self.discriminator.get_layer(f"judge_{name}") for name in "ab"}

    def generator_terms(self, batch):
        again_b, again_a = self.generator(list(batch.fake), training=batch.training)
        distance = sum(tf.reduce_mean(tf.abs(x - y)) for x, y in zip(batch.real, (again_a, again_b), strict=True))
        return super().generator_terms(batch) | {"cycle_loss": self.cycle_weight * distance}

    def get_config(self):
        own = {"image_shape": list(self.image_shape), "width": self.width, "cycle_weight": self.cycle_weight}
        return self.game_config() | own


def _calm_optimizers():
    # Without momentum these two games settle in a few hundred steps.
    return {name: keras.optimizers.Adam(2e-3, beta_1=0.0) for name in ("d_optimizer", "g_optimizer")}


def _one_hot(num_classes, dtype):
    return layers.CategoryEncoding(num_classes, output_mode="one_hot", dtype=dtype)


def _dense(width, seed, number, dtype):
    initializer = keras.initializers.GlorotUniform(seed=None if seed is None else 100 * seed + number)
    return layers.Dense(width, "leaky_relu", kernel_initializer=initializer, dtype=dtype)


def _image(x, image_shape, seed, number=1):
    height, width, channels = image_shape
    initializer = keras.initializers.GlorotUniform(seed=None if seed is None else 100 * seed + 10 + number)
    x = layers.Dense(height * width * channels, "tanh", kernel_initializer=initializer, dtype="float32")(x)
    return layers.Reshape(image_shape, dtype="float32")(x)


def _logits(x, seed, count=1, number=4):
    initializer = keras.initializers.GlorotUniform(seed=None if seed is None else 100 * seed + 20 + number)
    return layers.Dense(count, kernel_initializer=initializer, dtype="float32")(x)


def _translator(image_shape, width, seed, number, dtype, name):
    source = keras.Input(image_shape)
    x = _dense(width, seed, 30 + number, dtype)(layers.Flatten(dtype=dtype)(source))
    return keras.Model(source, _image(x, image_shape, seed, number), name=name)


def _judge(image_shape, width, seed, number, dtype, name):
    images = keras.Input(image_shape)
    x = _dense(width, seed, 40 + number, dtype)(layers.Flatten(dtype=dtype)(images))
    x = _dense(width, seed, 50 + number, dtype)(x)
    return keras.Model(images, _logits(x, seed, 1, number), name=name)
