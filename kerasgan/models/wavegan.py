"""WaveGAN: sounds, sample by sample."""

import keras

from kerasgan.core.gan import GAN
from kerasgan.kinds import Audio, Latents
from kerasgan.networks.wavegan import wavegan_discriminator, wavegan_generator
from kerasgan.optimizers import Adam


@keras.saving.register_keras_serializable("kerasgan")
class WaveGAN(GAN):
    """A GAN that makes half a second to a few seconds of sound: a word, a drum, a bird.

    A picture of a sound, its spectrogram, is easier to make, and cannot be played: the phases are missing. Here the
    generator makes the samples themselves, with long kernels that reach over a whole period. What gives its sounds away
    is a hum of its transposed convolutions, at the same phase in all of them; so that the critic does not judge by
    that alone, its features are moved a little at random (`kerasgan.layers.PhaseShuffle`).

    Donahue et al. 2019 (https://arxiv.org/abs/1802.04208), with the loss of WGAN-GP (Gulrajani et al. 2017, equation 3,
    https://arxiv.org/abs/1704.00028): -E[D(x)] + E[D(G(z))] + 10 E[(|grad D| - 1)^2]. The paper makes 16,384 samples at
    16,000 Hz of no chosen class. Here 4,096 at 8,000 Hz are the default, half a second at telephone quality and much
    less work; and with `num_classes` it says the word it is told, by latents of its own for every class and
    by a projection in the critic, which are not the paper's.

    Args:
        samples: length of a sound, 256 to 65,536; powers of four fit best.
        channels: 1 for mono, 2 for stereo.
        rate: samples a second.
        latent_dim: length of a latent vector, uniform in [-1, 1).
        base_filters: filters of the layers next to the sound, d of the paper, doubling at every quarter.
        num_classes: number of classes to choose from; None for a model that makes what it likes.
        phase_shuffle: the most that features are moved by, n of the paper; 0 for not at all.
        d_steps, ema_decay: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: samples, channels, rate or phase_shuffle is out of range.

    Example:
        gan = kerasgan.WaveGAN(num_classes=10)
        gan.compile()
        gan.fit(kerasgan.data.audio.load("spoken_digit", samples=4096, labels=True), epochs=100)
        sevens = gan.generate(4, labels=7)
        gan.makes.save("sevens.wav", sevens)
    """

    reads = "audio"

    def __init__(
        self, samples=4096, channels=1, rate=8000, latent_dim=100, base_filters=64, num_classes=None, *,
        phase_shuffle=2, d_steps=5, ema_decay=0.999, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        if isinstance(channels, bool) or channels not in (1, 2):
            raise ValueError(f"channels must be 1 (mono) or 2 (stereo); received {channels!r}.")
        critic_seed = None if seed is None else seed + 1
        super().__init__(
            wavegan_generator(samples, channels, latent_dim, base_filters, dtype, seed, num_classes),
            wavegan_discriminator(samples, channels, base_filters, phase_shuffle, dtype, critic_seed, num_classes),
            num_classes=num_classes,
            d_steps=d_steps,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.samples, self.channels, self.rate = samples, channels, rate
        self.base_filters = base_filters
        self.phase_shuffle = phase_shuffle

    @property
    def takes(self):
        """Uniform latents, and labels where there are classes."""
        return super().takes | {"latents": Latents(self.latent_dim, "uniform")}

    @property
    def makes(self):
        """Sounds."""
        return Audio(self.samples, self.channels, self.rate)

    def compile_defaults(self) -> dict:
        """Return the paper's settings."""
        return {
            "d_optimizer": Adam(1e-4, beta_1=0.5, beta_2=0.9),
            "g_optimizer": Adam(1e-4, beta_1=0.5, beta_2=0.9),
            "loss": "wasserstein",
            "regularizers": ("gradient_penalty",),
        }

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "samples": self.samples,
            "channels": self.channels,
            "rate": self.rate,
            "latent_dim": self.latent_dim,
            "base_filters": self.base_filters,
            "num_classes": self.num_classes,
            "phase_shuffle": self.phase_shuffle,
        }
