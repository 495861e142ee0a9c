"""Train small GANs on points, quickly: one compiled step for all seeds, and frames of what they do on the way."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from kerasgan import schedules
from kerasgan.core.gan import GAN
from kerasgan.kinds import Latents
from kerasgan.networks.points import point_discriminator, point_generator
from kerasgan.toys.distributions import SAMPLES, Toy
from kerasgan.toys.variants import Variant

# Of the latents of all scores and frames.
SAMPLE_SEED = 1
# Rounds in one call of the compiled step: Python between them costs as much as several rounds.
AT_ONCE = 100
# Rounds from which on XLA gives back the seconds that it takes.
WORTH_COMPILING = 1000


@dataclass(frozen=True)
class Settings:
    """What is the same for all variants.

    Attributes:
        rounds: of the game.
        batch_size: points that an update sees. All are fresh: no point is seen twice.
        hidden: widths of the hidden layers of both networks.
        latent_dim: of the latents.
        noise: their distribution, a word of `kerasgan.kinds.Latents`.
        d_steps: the discriminator's updates for each of the generator's.
        learning_rate: of both players' Adam; constant for half of the rounds, then in a straight line to 0.
        beta_1: of both.
        beta_2: of both.
        ema_decay: of the averaged generator, which is scored.
    """

    rounds: int = 8000
    batch_size: int = 128
    hidden: tuple[int, ...] = (64, 64, 64)
    latent_dim: int = 2
    noise: str = "normal"
    d_steps: int = 1
    learning_rate: float = 3e-3
    beta_1: float = 0.0
    beta_2: float = 0.99
    ema_decay: float = 0.99


DEFAULTS = Settings()


@keras.saving.register_keras_serializable("kerasgan")
class PointGAN(GAN):
    """A `kerasgan.GAN` whose latents may be uniform ones.

    Args:
        generator: see `kerasgan.GAN`.
        discriminator: see `kerasgan.GAN`.
        noise: distribution of the latents, a word of `kerasgan.kinds.Latents`.
        **settings: the other arguments of `kerasgan.GAN`.
    """

    def __init__(self, generator, discriminator, noise: str = "normal", **settings):
        super().__init__(generator, discriminator, **settings)
        self.noise = noise

    @property
    def takes(self) -> dict:
        """Latents of the chosen distribution."""
        return {"latents": Latents(self.latent_dim, self.noise)}

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"noise": self.noise}


class Trainer:
    """A variant on a toy, compiled once, and trained as often as one likes.

    Args:
        toy: what is learned.
        variant: how.
        settings: what all variants share.
        frames: how many equal parts a training is divided into, for those who watch.
        jit_compile: compile the step with XLA, which takes seconds, and makes a round several times as fast; None does
            so where the rounds are many enough.

    Raises:
        ValueError: the rounds cannot be divided into so many frames.
    """

    def __init__(
        self, toy: Toy, variant: Variant, settings: Settings = DEFAULTS, frames: int = 1,
        jit_compile: bool | None = None,
    ):  # fmt: skip
        if frames < 1 or settings.rounds % frames:
            raise ValueError(f"{settings.rounds} rounds cannot be divided into {frames} equal frames.")
        self.toy, self.variant, self.settings, self.frames = toy, variant, settings, frames
        self.jit_compile = settings.rounds >= WORTH_COMPILING if jit_compile is None else jit_compile
        self._gan = None

    def prepare(self) -> None:
        """Compile the step, by a few rounds that `train` forgets."""
        gan = self._begun(seed=0)
        gan.fit(self._batches(gan.steps_per_execution, seed=0), verbose=0)

    def train(self, seed: int, watch: Callable[[int, GAN], None] | None = None) -> GAN:
        """Train from a seed and return the model, which the next call trains anew.

        Args:
            seed: of the initial weights, the latents and the points.
            watch: called with the rounds played and the model, at the start and after each frame.
        """
        gan = self._begun(seed)
        part = self.settings.rounds // self.frames
        callbacks = []
        if watch is not None:
            watch(0, gan)
            tell = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: watch((epoch + 1) * part, gan))
            callbacks.append(tell)
        batches = self._batches(self.settings.rounds, seed)
        gan.fit(batches, epochs=self.frames, steps_per_epoch=part, callbacks=callbacks, verbose=0)
        return gan

    def _batches(self, rounds: int, seed: int) -> tf.data.Dataset:
        batches = rounds * self.settings.d_steps
        points = self.toy.draw(batches * self.settings.batch_size, seed)
        dataset = tf.data.Dataset.from_tensor_slices(points.reshape(batches, self.settings.batch_size, self.toy.size))
        options = tf.data.Options()
        # An autotuned iterator is waited for when it is thrown away, as long as a whole training takes.
        options.autotune.enabled = False
        return dataset.with_options(options)

    def _begun(self, seed: int) -> GAN:
        """Return the model as it is before training from a seed; its step is compiled once for all seeds."""
        part = self.settings.rounds // self.frames
        at_once = max(number for number in range(1, AT_ONCE + 1) if part % number == 0)
        fresh = build(
            self.toy, self.variant, self.settings, seed, steps_per_execution=at_once, jit_compile=self.jit_compile
        )
        if self._gan is None:
            self._gan = fresh
        for mine, other in zip(_state(self._gan), _state(fresh), strict=True):
            mine.assign(other)
        return self._gan


def build(toy: Toy, variant: Variant, settings: Settings, seed: int, **running) -> GAN:
    """Return a compiled GAN of points for a toy; `running` goes to its `compile`: how the step runs."""
    gan = PointGAN(
        point_generator(toy.size, settings.latent_dim, settings.hidden, toy.scale, seed=2 * seed),
        point_discriminator(
            toy.size * variant.pack, settings.hidden, toy.scale, seed=2 * seed + 1, spectral=variant.spectral
        ),
        settings.noise,
        d_steps=settings.d_steps,
        ema_decay=settings.ema_decay,
        pack=variant.pack,
        seed=seed,
    )
    with warnings.catch_warnings():
        # A table of every combination has those that make no sense, and shows it.
        warnings.simplefilter("ignore", UserWarning)
        gan.compile(
            _adam(settings),
            _adam(settings),
            variant.loss,
            variant.regularizers(toy.scale),
            d_constraint=variant.constraint(),
            **running,
        )
    return gan


def samples(gan: GAN, n: int = SAMPLES, seed: int = SAMPLE_SEED) -> np.ndarray:
    """Return n points of a model (n, d); the same latents every time."""
    return gan.generate(n, seed=seed, batch_size=n)


def judged(gan: GAN, points: np.ndarray) -> np.ndarray:
    """Return the discriminator's logits at points (n, d), float32 (n,); it is shown packs of one and the same point."""
    inputs = np.tile(points.astype("float32"), (1, gan.pack))
    return np.asarray(gan.discriminator(inputs, training=False))[:, 0]


def _adam(settings: Settings) -> keras.optimizers.Optimizer:
    half = settings.rounds / 2
    rate = schedules.Linear(settings.learning_rate, 0.0, over=half, after=half)
    return keras.optimizers.Adam(rate, settings.beta_1, settings.beta_2)


def _state(gan: GAN) -> list[tf.Variable]:
    """Return everything that training moves."""
    seeds = [generator.state for generator in gan._seed_generators_of_all_layers()]
    return [*gan.variables, *seeds, *gan.d_optimizer.variables, *gan.g_optimizer.variables]
