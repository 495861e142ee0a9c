"""One tiny family for each hook of the game, on dense networks: what the families to come are made of."""

from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from kerasgan import schedules
from kerasgan.core.gan import GAN
from kerasgan.core.judged import Batch
from kerasgan.kinds import Latents
from kerasgan.layers import ImagePool
from kerasgan.losses import mean
from kerasgan.networks.initializers import glorot
from kerasgan.networks.mlp import mlp_generator
from kerasgan.regularizers import DRAGAN, R1, R2, GradientPenalty, HistoricalAveraging

register = keras.saving.register_keras_serializable("kerasgan_tests")


class ToyGAN(GAN):
    """Base: a dense generator and a dense discriminator."""

    def __init__(
        self, image_shape=(16, 16, 1), latent_dim=4, width=32, num_classes=None, *,
        d_steps=1, ema_decay=0.9, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        image_shape = tuple(image_shape)
        super().__init__(
            self.make_generator(image_shape, latent_dim, width, num_classes, dtype, seed),
            self.make_discriminator(image_shape, width, dtype, seed),
            num_classes=num_classes, d_steps=d_steps, ema_decay=ema_decay, seed=seed, name=name, dtype=dtype,
        )  # fmt: skip
        self.width = width

    def make_generator(self, image_shape, latent_dim, width, num_classes, dtype, seed):
        return mlp_generator(image_shape, latent_dim, (width,), dtype, seed)

    def make_discriminator(self, image_shape, width, dtype, seed):
        initializers = glorot(None if seed is None else seed + 1)
        images = keras.Input(image_shape, name="images")
        x = layers.Dense(width, "leaky_relu", kernel_initializer=next(initializers), dtype=dtype)(
            layers.Flatten(dtype=dtype)(images)
        )
        logits = layers.Dense(1, kernel_initializer=next(initializers), dtype="float32")(x)
        return keras.Model(images, logits, name="discriminator")

    def compile_defaults(self):
        # Without momentum these games settle in a few hundred steps.
        return super().compile_defaults() | {
            name: keras.optimizers.Adam(2e-3, beta_1=0.0) for name in ("d_optimizer", "g_optimizer")
        }

    def get_config(self):
        own = {"image_shape": list(self.image_shape), "latent_dim": self.latent_dim, "width": self.width}
        return self.game_config() | own | {"num_classes": self.num_classes}


@register
class ToyRelativistic(ToyGAN):
    """R3GAN: the generator's loss sees real logits, penalties share the passes, and much is on a schedule."""

    def compile_defaults(self):
        gamma = schedules.Cosine(1.0, 0.1, over=400)
        adam = schedules.ScheduledAdam(2e-3, beta_1=0.0, beta_2=schedules.Cosine(0.9, 0.99, over=400))
        half_life = schedules.Cosine(0.0, 64.0, over=256, unit="images")
        own = {"d_optimizer": adam, "loss": "relativistic", "regularizers": (R1(gamma), R2(gamma))}
        return super().compile_defaults() | own | {"ema_half_life": half_life}


@register
class ToyLazyGAN(ToyGAN):
    """Two penalties, each in its own turn, several critic updates on fresh images, through an augmentation."""

    def __init__(self, image_shape=(16, 16, 1), latent_dim=4, width=32, *, d_steps=2, **settings):
        super().__init__(image_shape, latent_dim, width, d_steps=d_steps, **settings)

    def compile_defaults(self):
        penalties = (R1(0.1, every=2), GradientPenalty(0.1, every=3))
        return super().compile_defaults() | {"regularizers": penalties, "augment": "adaptive"}

    def get_config(self):
        config = super().get_config()
        config.pop("num_classes")
        return config


@register
class ToyReplayGAN(ToyGAN):
    """CycleGAN's image pool: the discriminator sees earlier images again."""

    def __init__(self, image_shape=(16, 16, 1), latent_dim=4, width=32, pool_size=8, **settings):
        super().__init__(image_shape, latent_dim, width, **settings)
        self.pool_size = pool_size
        self.pool = ImagePool(self.image_shape, pool_size)

    def update_discriminator(self, batch, share=1.0):
        seed = tf.random.experimental.stateless_fold_in(batch.seed, 1)
        mixed = self.pool(batch.fake, seed, share=share)
        return super().update_discriminator(Batch(batch.real, mixed, None, batch.given, batch.seed), share)

    def get_config(self):
        config = super().get_config() | {"pool_size": self.pool_size}
        config.pop("num_classes")
        return config


@register
class ToyTwoPhaseGAN(ToyGAN):
    """SeqGAN's order: the generator first learns the mean image on its own, then plays."""

    terms: ClassVar = ("d_loss", "g_loss", "warm_up_loss")

    @property
    def phase(self):
        return "warm-up" if self.epochs_done < 1 else "game"

    def train_step(self, data):
        return self.warm_up_step(data) if self.phase == "warm-up" else super().train_step(data)

    def warm_up_step(self, data):
        from kerasgan.core import replicas
        from kerasgan.core.optimizers import apply_gradients

        data, share = replicas.shard(data)
        real, given = self.unpack(data)
        with tf.GradientTape() as tape:
            batch = self.synthesize(real, given, self.next_seed())
            distance = mean(tf.square(tf.reduce_mean(batch.fake, 0) - tf.reduce_mean(real, 0)))
            objective = self.g_optimizer.scale_loss(distance * share)
        apply_gradients(tape, objective, self.generator, self.g_optimizer)
        self.finish_round((real, given), share)
        return self.track({"warm_up_loss": distance}, share)


@register
class ToyUniformGAN(ToyGAN):
    """Structured latents: uniform ones, said by the kind. Both players remember what they were."""

    def compile_defaults(self):
        return super().compile_defaults() | {"regularizers": (DRAGAN(0.01), HistoricalAveraging(1e-4))}

    @property
    def takes(self):
        return {"latents": Latents(self.latent_dim, "uniform")}
