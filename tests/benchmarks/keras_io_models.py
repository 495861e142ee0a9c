"""The published keras.io recipes as models: losses, steps and optimizers; trained by `keras_io.py`.

gan              the 28x28 GAN that ends the guide "Customizing what happens in fit() with TensorFlow"
                 (https://keras.io/guides/custom_train_step_in_tensorflow): batch 64; "about 20 epochs" for good images.
                 The site's DCGAN example for faces trains by the same step, but its 64x64 networks cost about 2.4 G
                 multiply-adds an image, days on two cores, most of it in a transposed convolution with 512 filters.
gan_faces        that example (https://keras.io/examples/generative/dcgan_overriding_train_step) for 32x32 pixels: the
                 generator begins at 4x4 instead of 8x8, and all else is as published: batch 32, "about 100 epochs".
ada, ada_faces   see `keras_io_ada.py`.
conditional_gan  the example "Conditional GAN" (https://keras.io/examples/generative/conditional_gan): batch 64,
                 20 epochs, of the test images too; labels as more latents and more channels.
wgan_gp          the example "WGAN-GP overriding Model.train_step" (https://keras.io/examples/generative/wgan_gp):
                 batch 512, 20 epochs; three updates of the critic, all on the same real images, to one of the
                 generator. With its corrections of 2023 and 2026: points between images are drawn uniformly, and the
                 root is kept from zero.
vae              the example "Variational AutoEncoder" (https://keras.io/examples/generative/vae): batch 128, 30 epochs.
"""

from typing import ClassVar

import keras
import keras_io_networks as networks
import numpy as np
import tensorflow as tf

from kerasgan.core.sampling import as_seed

cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)


class Published(keras.Model):
    """What the recipes share: sampling, and all that a run needs to go on."""

    image_shape = (28, 28, 1)
    # The darkest an image gets inside; the brightest is 1.
    lowest = 0.0
    # Of a conditional model.
    num_classes = None

    def __init__(self, sampler: keras.Model, latent_dim: int, seed: int, name: str):
        super().__init__(name=name)
        self.sampler = sampler
        self.latent_dim = latent_dim
        self.random = keras.random.SeedGenerator(seed)
        self.built = True

    def generate(self, n: int, seed: int | None = None, batch_size: int = 128, labels=None) -> np.ndarray:
        """Return n new images, float32 of shape (n, 28, 28, 1) in [-1, 1]; the same seed gives the same images.

        A conditional model makes those of the n `labels`, or of each class in turn.
        """
        inputs = tf.random.stateless_normal((n, self.latent_dim), seed=as_seed(seed))
        if self.num_classes is not None:
            labels = np.arange(n) % self.num_classes if labels is None else labels
            inputs = self.with_labels(inputs, labels)
        starts = range(0, n, batch_size)
        images = np.concatenate([self.sampler(inputs[start : start + batch_size]) for start in starts])
        return images if self.lowest == -1.0 else 2.0 * images - 1.0

    def inward(self, images):
        """Return images in [-1, 1] as the recipe has them."""
        return images if self.lowest == -1.0 else (images + 1.0) / 2.0

    def state(self) -> list:
        """Return all variables that training changes: weights, random state, optimizers."""
        return self.variables + [variable for each in self.optimizers for variable in each.variables]


class Adversarial(Published):
    """A generator and a discriminator, an Adam for each, and their losses."""

    adam: ClassVar[dict] = {"learning_rate": 3e-4}

    def __init__(self, generator: keras.Model, discriminator: keras.Model, seed: int, name: str, latent_dim=128):
        super().__init__(generator, latent_dim, seed, name)
        self.discriminator = discriminator
        self.d_optimizer, self.g_optimizer = keras.optimizers.Adam(**self.adam), keras.optimizers.Adam(**self.adam)
        self.d_optimizer.build(self.discriminator.trainable_variables)
        self.g_optimizer.build(self.sampler.trainable_variables)
        self.d_loss, self.g_loss = keras.metrics.Mean("d_loss"), keras.metrics.Mean("g_loss")
        self.compile(optimizer=None)

    @property
    def optimizers(self) -> list:
        return [self.d_optimizer, self.g_optimizer]

    @property
    def metrics(self) -> list:
        return [self.d_loss, self.g_loss]

    def latents(self, count):
        return keras.random.normal((count, self.latent_dim), seed=self.random)


class PublishedGAN(Adversarial):
    """The guide's GAN. Its logits are high for fake images."""

    batch_size = 64
    label_noise = 0.05

    def __init__(self, seed: int, dtype: str):
        super().__init__(networks.generator(dtype), networks.discriminator(dtype), seed, "keras_io_gan")

    def train_step(self, data):
        real, labels = (data, None) if self.num_classes is None else data
        self.d_loss.update_state(self.update_discriminator(real, labels))
        self.g_loss.update_state(self.update_generator(tf.shape(real)[0], labels))
        return self.get_metrics_result()

    def update_discriminator(self, real, labels=None):
        count = tf.shape(real)[0]
        images = tf.concat([self.sampler(self.sampler_inputs(count, labels)), real], axis=0)
        seen = self.seen(images, None if labels is None else tf.tile(labels, [2]))
        targets = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
        if self.label_noise:
            targets += self.label_noise * keras.random.uniform(tf.shape(targets), seed=self.random)
        with tf.GradientTape() as tape:
            loss = cross_entropy(targets, self.discriminator(seen))
        apply_gradients(tape, loss, self.discriminator, self.d_optimizer)
        return loss

    def update_generator(self, count, labels=None):
        inputs = self.sampler_inputs(count, labels)
        with tf.GradientTape() as tape:
            loss = cross_entropy(tf.zeros((count, 1)), self.discriminator(self.seen(self.sampler(inputs), labels)))
        apply_gradients(tape, loss, self.sampler, self.g_optimizer)
        return loss

    def sampler_inputs(self, count, labels):
        """Return latents; `labels` are of a conditional model."""
        del labels
        return self.latents(count)

    def seen(self, images, labels):
        """Return images as the discriminator sees them; `labels` are of a conditional model."""
        del labels
        return images


class PublishedFacesGAN(PublishedGAN):
    """The example's DCGAN for faces. Its discriminator ends in a sigmoid, which is the same loss of logits."""

    image_shape = (32, 32, 3)
    batch_size = 32
    adam: ClassVar[dict] = {"learning_rate": 1e-4}

    def __init__(self, seed: int, dtype: str):
        players = networks.faces_generator(dtype), networks.faces_discriminator(dtype)
        Adversarial.__init__(self, *players, seed, "keras_io_gan_faces")


class PublishedConditionalGAN(PublishedGAN):
    """The same, told the label: as ten more latents, and as ten more channels."""

    num_classes = 10
    label_noise = 0.0

    def __init__(self, seed: int, dtype: str):
        generator = networks.generator(dtype, inputs=128 + self.num_classes)
        discriminator = networks.discriminator(dtype, channels=1 + self.num_classes)
        Adversarial.__init__(self, generator, discriminator, seed, "keras_io_conditional_gan")

    def sampler_inputs(self, count, labels):
        return self.with_labels(self.latents(count), labels)

    def seen(self, images, labels):
        return self.with_labels(images, labels)

    def with_labels(self, values, labels):
        """Return values (n, ..., channels) with the one-hot labels as more channels."""
        one_hot = tf.one_hot(labels, self.num_classes)
        one_hot = tf.reshape(one_hot, (-1, *[1] * (len(values.shape) - 2), self.num_classes))
        return tf.concat([values, one_hot * tf.ones_like(values[..., :1])], axis=-1)


class PublishedWGANGP(Adversarial):
    """The example's Wasserstein GAN with gradient penalty."""

    batch_size = 512
    lowest = -1.0
    adam: ClassVar[dict] = {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.9}
    d_steps = 3
    penalty_weight = 10.0

    def __init__(self, seed: int, dtype: str):
        super().__init__(networks.upsampling_generator(dtype), networks.critic(dtype), seed, "keras_io_wgan_gp")

    def train_step(self, real):
        for _ in range(self.d_steps):
            d_loss = self.update_discriminator(real)
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(self.update_generator(tf.shape(real)[0]))
        return self.get_metrics_result()

    def update_discriminator(self, real):
        fake = self.sampler(self.latents(tf.shape(real)[0]), training=True)
        with tf.GradientTape() as tape:
            gap = tf.reduce_mean(self.scores(fake)) - tf.reduce_mean(self.scores(real))
            loss = gap + self.penalty_weight * self.penalty(real, fake)
        apply_gradients(tape, loss, self.discriminator, self.d_optimizer)
        return loss

    def penalty(self, real, fake):
        way = keras.random.uniform((tf.shape(real)[0], 1, 1, 1), seed=self.random)
        between = real + way * (fake - real)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(between)
            scores = self.scores(between)
        squared = tf.reduce_sum(tf.square(tape.gradient(scores, between)), axis=(1, 2, 3))
        return tf.reduce_mean(tf.square(tf.sqrt(squared + keras.config.epsilon()) - 1.0))

    def update_generator(self, count):
        latents = self.latents(count)
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(self.scores(self.sampler(latents, training=True)))
        apply_gradients(tape, loss, self.sampler, self.g_optimizer)
        return loss

    def scores(self, images):
        return self.discriminator(images, training=True)


class PublishedVAE(Published):
    """The example's VAE with two latents."""

    batch_size = 128

    def __init__(self, seed: int, dtype: str):
        super().__init__(networks.decoder(dtype), latent_dim=2, seed=seed, name="keras_io_vae")
        self.encoder = networks.encoder(dtype)
        self.terms = {name: keras.metrics.Mean(name) for name in ("loss", "reconstruction_loss", "kl_loss")}
        self.compile(optimizer=keras.optimizers.Adam())
        self.optimizer.build(self.trainable_variables)

    @property
    def optimizers(self) -> list:
        return [self.optimizer]

    @property
    def metrics(self) -> list:
        return list(self.terms.values())

    def train_step(self, images):
        with tf.GradientTape() as tape:
            mean, log_variance = self.encoder(images)
            noise = keras.random.normal(tf.shape(mean), seed=self.random)
            pixels = keras.losses.binary_crossentropy(images, self.sampler(mean + tf.exp(log_variance / 2) * noise))
            reconstruction = tf.reduce_mean(tf.reduce_sum(pixels, axis=(1, 2)))
            divergence = (tf.square(mean) + tf.exp(log_variance) - 1 - log_variance) / 2
            divergence = tf.reduce_mean(tf.reduce_sum(divergence, axis=1))
            loss = reconstruction + divergence
        apply_gradients(tape, loss, self, self.optimizer)
        for metric, value in zip(self.metrics, (loss, reconstruction, divergence), strict=True):
            metric.update_state(value)
        return self.get_metrics_result()


GAME_RECIPES = {
    "gan": PublishedGAN,
    "gan_faces": PublishedFacesGAN,
    "conditional_gan": PublishedConditionalGAN,
    "wgan_gp": PublishedWGANGP,
    "vae": PublishedVAE,
}


def apply_gradients(tape, loss, network: keras.Model, optimizer) -> None:
    optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
