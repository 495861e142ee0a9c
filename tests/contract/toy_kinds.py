"""One tiny family for each kind of input and output: source images, captions, sounds and sequences of words."""

from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from kerasgan.core.gan import GAN
from kerasgan.core.sampling import Translator, as_input
from kerasgan.kinds import Audio, Images, Latents, Tokens
from kerasgan.networks.initializers import glorot

register = keras.saving.register_keras_serializable("kerasgan_tests")


class ToyKindsGAN(GAN):
    """Base: dense networks between whatever a family takes, makes and judges."""

    # name -> kind of the generator's and of the discriminator's inputs; the first one is judged.
    taken: ClassVar[dict] = {}
    seen: ClassVar[dict] = {}

    def __init__(self, width=32, *, d_steps=1, ema_decay=0.9, seed=None, name=None, dtype=None):
        numbers = glorot(seed)
        super().__init__(
            self.make_generator(width, dtype, numbers), self.make_discriminator(width, dtype, numbers),
            d_steps=d_steps, ema_decay=ema_decay, seed=seed, name=name, dtype=dtype,
        )  # fmt: skip
        self.width = width

    def make_generator(self, width, dtype, numbers):
        inputs, x = _joined(self.taken, width, dtype, numbers)
        shape = self.makes.shape
        x = _dense(tf.TensorShape(shape).num_elements(), "tanh", "float32", numbers)(x)
        return keras.Model(as_input(inputs), layers.Reshape(shape, dtype="float32")(x), name="generator")

    def make_discriminator(self, width, dtype, numbers):
        inputs, x = _joined(self.seen, width, dtype, numbers)
        return keras.Model(as_input(inputs), _dense(1, None, "float32", numbers)(x), name="discriminator")

    @property
    def takes(self):
        return self.taken

    def compile_defaults(self):
        # Without momentum these games settle in a few hundred steps.
        calm = {name: keras.optimizers.Adam(2e-3, beta_1=0.0) for name in ("d_optimizer", "g_optimizer")}
        return super().compile_defaults() | calm | {"regularizers": ("r1",)}

    def get_config(self):
        return self.game_config() | {"width": self.width}


@register
class ToyRecolourer(Translator, ToyKindsGAN):
    """Isola et al. 2017 (pix2pix): a target of a source image and noise; the discriminator sees both."""

    reads = "pairs"
    makes = Images((16, 16, 1))
    taken: ClassVar = {"source": makes, "latents": Latents(4, "unit")}
    seen: ClassVar = {"target": makes, "source": makes}

    @property
    def learns(self):
        return {"source": self.makes, "target": self.makes}


@register
class ToyPainter(ToyKindsGAN):
    """Reed et al. 2016 (GAN-CLS): an image of latents and a caption."""

    reads = "captions"
    makes = Images((16, 16, 1))
    taken: ClassVar = {"latents": Latents(4), "captions": Tokens(3, 5, ("", "left", "middle", "right", "dark"))}
    seen: ClassVar = {"images": makes, "captions": taken["captions"]}

    @property
    def learns(self):
        return self.seen


@register
class ToySinger(ToyKindsGAN):
    """Donahue et al. 2019 (WaveGAN): a sound of uniform latents."""

    reads = "audio"
    makes = Audio(64, rate=8000)
    taken: ClassVar = {"latents": Latents(4, "uniform")}
    seen: ClassVar = {"audio": makes}


@register
class ToyWriter(ToyKindsGAN):
    """Sequences of words: trained on how likely each word is, sampled as the likeliest."""

    reads = "tokens"
    makes = Tokens(4, 3)
    taken: ClassVar = {"latents": Latents(4)}

    def __init__(self, width=32, *, d_steps=1, ema_decay=0.9, seed=None, name=None, dtype=None):
        super().__init__(width, d_steps=d_steps, ema_decay=ema_decay, seed=seed, name=name, dtype=dtype)
        likely = super().sampler
        self._writer = keras.Model(likely.input, Likeliest(dtype="float32")(likely.output), name="writer")

    def make_generator(self, width, dtype, numbers):
        inputs, x = _joined(self.taken, width, dtype, numbers)
        x = layers.Reshape((4, 3), dtype="float32")(_dense(12, None, "float32", numbers)(x))
        return keras.Model(as_input(inputs), layers.Softmax(dtype="float32")(x), name="generator")

    def make_discriminator(self, width, dtype, numbers):
        likely = keras.Input((4, 3), name="likely")
        x = _dense(width, "leaky_relu", dtype, numbers)(layers.Flatten(dtype=dtype)(likely))
        return keras.Model(likely, _dense(1, None, "float32", numbers)(x), name="discriminator")

    @property
    def sampler(self):
        return self._writer

    @property
    def networks(self):
        return {"generator": super().sampler, "discriminator": self.discriminator}

    def shown(self):
        return {"samples": self.sampler}

    def unpack(self, data):
        tokens, given = super().unpack(data)
        return tf.one_hot(tokens, self.makes.vocabulary), given


@register
class Likeliest(layers.Layer):
    """Picks the likeliest word at each place."""

    def call(self, inputs):
        return tf.argmax(inputs, axis=-1, output_type="int32")

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape[:-1], "int32")


def _joined(kinds: dict, width, dtype, numbers) -> tuple:
    """Return inputs of these kinds, and a dense layer over all of them."""
    inputs = [keras.Input(kind.shape, dtype=kind.dtype, name=name) for name, kind in kinds.items()]
    flat = [
        layers.Flatten(dtype=dtype)(_embedded(kind, dtype, numbers)(x) if isinstance(kind, Tokens) else x)
        for x, kind in zip(inputs, kinds.values(), strict=True)
    ]
    x = flat[0] if len(flat) == 1 else layers.Concatenate(dtype=dtype)(flat)
    return inputs, _dense(width, "leaky_relu", dtype, numbers)(x)


def _embedded(kind, dtype, numbers):
    return layers.Embedding(kind.vocabulary, 4, embeddings_initializer=next(numbers), dtype=dtype)


def _dense(units, activation, dtype, numbers):
    return layers.Dense(units, activation, kernel_initializer=next(numbers), dtype=dtype)
