"""kerasgan's models and, on the same networks as DCGAN's, the algorithm of the DCGAN guide on keras.io."""

import keras
import numpy as np
import tensorflow as tf
from modern import (
    GAMMA,
    MODERN,
    PATH_EVERY,
    PATH_WEIGHT,
    R1_EVERY,
    R1_WEIGHT,
    R3GAN_LATENTS,
    R3GAN_WIDTHS,
    STYLE_BASE,
    STYLE_LATENTS,
    STYLE_MOST,
)

import kerasgan
from kerasgan.regularizers import R1, R2, PathLength

IMAGE_SHAPE = (28, 28, 1)
LATENT_DIM = 64
BASE_FILTERS = 64
CLASSES = 10
# As in torch_translators.py.
TRANSLATED, TRANSLATOR_FILTERS = (128, 128, 3), 32


def ours(dtype: str, model: str = "dcgan") -> keras.Model:
    if model in MODERN:
        return modern(dtype, model)
    settings = {"seed": 0, "dtype": dtype, "d_steps": 1}
    if model == "sngan":
        gan = kerasgan.SNGAN(g_filters=BASE_FILTERS, d_filters=BASE_FILTERS, num_classes=CLASSES, **settings)
    elif model == "pix2pix":
        gan = kerasgan.Pix2Pix(TRANSLATED, base_filters=TRANSLATOR_FILTERS, **settings)
    elif model == "cyclegan":
        gan = kerasgan.CycleGAN(TRANSLATED, base_filters=TRANSLATOR_FILTERS, **settings)
    else:
        family = kerasgan.DCGAN if model == "dcgan" else kerasgan.WGANGP
        gan = family(IMAGE_SHAPE, LATENT_DIM, BASE_FILTERS, **settings)
    gan.compile()
    return gan


def modern(dtype: str, model: str) -> keras.Model:
    """Return R3GAN or StyleGAN2 as torch_modern.py has them."""
    chosen = MODERN[model]
    if chosen.family == "r3gan":
        gan = kerasgan.R3GAN(chosen.shape, R3GAN_LATENTS, R3GAN_WIDTHS, CLASSES, ends="basis", seed=0, dtype=dtype)
        rate, beta_2, loss, regularizers = 2e-3, 0.9, "relativistic", (R1(GAMMA), R2(GAMMA))
    else:
        gan = kerasgan.StyleGAN2(chosen.shape, STYLE_LATENTS, STYLE_BASE, STYLE_MOST, seed=0, dtype=dtype)
        rate, beta_2, loss = 1e-2, 0.99, "non_saturating"
        regularizers = (R1(R1_WEIGHT, R1_EVERY), PathLength(PATH_WEIGHT, PATH_EVERY))
    gan.compile(
        *(kerasgan.optimizers.Adam(rate, beta_1=0.0, beta_2=beta_2, epsilon=1e-8) for _ in range(2)),
        loss=loss,
        regularizers=regularizers if chosen.penalties else (),
    )
    return gan


def penalties(dtype: str) -> keras.Model:
    gan = kerasgan.DCGAN(IMAGE_SHAPE, LATENT_DIM, BASE_FILTERS, seed=0, dtype=dtype)
    gan.compile(regularizers=["r1", "r2"])
    return gan


def guide(dtype: str) -> keras.Model:
    gan = kerasgan.DCGAN(IMAGE_SHAPE, LATENT_DIM, BASE_FILTERS, seed=0, dtype=dtype, ema_decay=None)
    model = GuideDCGAN(with_keras_layers(gan.generator), with_keras_layers(gan.discriminator))
    model.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), keras.optimizers.Adam(2e-4, beta_1=0.5))
    return model


def with_keras_layers(network: keras.Model) -> keras.Model:
    def clone(layer):
        kind = getattr(keras.layers, type(layer).__name__)
        return kind.from_config(layer.get_config())

    return keras.models.clone_model(network, clone_function=clone)


class GuideDCGAN(keras.Model):
    """The guide's step: a generator pass for each update, one joined batch for D, noise added to its labels.

    It keeps no average of the generator, which kerasgan's step does.
    """

    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.seeds = keras.random.SeedGenerator(0)
        self.built = True

    def compile(self, d_optimizer, g_optimizer):
        super().compile(optimizer=None, jit_compile=False)
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
        self.d_loss, self.g_loss = keras.metrics.Mean("d_loss"), keras.metrics.Mean("g_loss")

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def train_step(self, real):
        count = tf.shape(real)[0]
        latents = keras.random.normal((count, LATENT_DIM), seed=self.seeds)
        joined = tf.concat([self.generator(latents, training=True), real], axis=0)
        # In the guide 1 stands for fake.
        labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
        labels += 0.05 * keras.random.uniform(tf.shape(labels), seed=self.seeds)
        with tf.GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(joined, training=True))
        variables = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, variables), variables, strict=True))

        latents = keras.random.normal((count, LATENT_DIM), seed=self.seeds)
        with tf.GradientTape() as tape:
            logits = self.discriminator(self.generator(latents, training=True), training=True)
            g_loss = self.loss_fn(tf.zeros((count, 1)), logits)
        variables = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, variables), variables, strict=True))
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


def stepper(model: keras.Model, batch_size: int):
    """Return a function that takes one step as `fit` does, on a batch that lies ready."""
    iterator = iter(tf.data.Dataset.from_tensors(examples(model, batch_size)).repeat())
    model.make_train_function()

    def step():
        return {name: float(value) for name, value in model.train_function(iterator).items()}

    return step


def examples(model: keras.Model, count: int):
    """Return images, labels with them where the model learns these, or pairs."""
    random = np.random.default_rng(0)
    if getattr(model, "reads", "images") != "images":
        return tuple(random.uniform(-1, 1, (count, *kind.shape)).astype("float32") for kind in model.learns.values())
    shape = getattr(model, "image_shape", IMAGE_SHAPE)
    images = random.uniform(-1, 1, (count, *shape)).astype("float32")
    labelled = getattr(model, "num_classes", None) is not None
    return (images, np.arange(count, dtype="int32") % CLASSES) if labelled else images


def waiting(model: keras.Model, batch_size: int, steps: int) -> dict:
    """Return how long the steps wait for `kerasgan.data.load`, in ms: medians of waits and whole steps."""
    clock = Clock(model, _read(model, batch_size))
    clock.run(3)
    waits, totals = clock.run(steps)
    return {"wait_ms": 1e3 * float(np.median(waits)), "step_ms": 1e3 * float(np.median(totals))}


def _read(model: keras.Model, batch_size: int):
    """Return batches as `kerasgan.data` reads them of arrays."""
    random = np.random.default_rng(0)
    if model.reads != "images":
        sides = tuple(random.integers(0, 256, (400, *kind.shape), dtype="uint8") for kind in model.learns.values())
        return kerasgan.data.reader(model.reads).load(sides, batch_size=batch_size, flip=True)
    data = kerasgan.data.load(
        random.integers(0, 256, (60_000, *model.image_shape), dtype="uint8"), batch_size=batch_size
    )
    if model.num_classes is not None:
        data = data.map(lambda batch: (batch, tf.range(tf.shape(batch)[0]) % CLASSES))
    return data


class Clock:
    """Times the two halves of a step: waiting for the batch, and computing."""

    def __init__(self, model, dataset):
        self.batches = iter(dataset)
        self.train_step = tf.function(model.train_step)

    def run(self, steps: int):
        import time

        waits, totals = [], []
        for _ in range(steps):
            start = time.perf_counter()
            batch = next(self.batches)
            waits.append(time.perf_counter() - start)
            float(next(iter(self.train_step(batch).values())))
            totals.append(time.perf_counter() - start)
        return waits, totals


CONTENDERS = {"penalties": penalties, "guide": guide}


def build(name: str, dtype: str, batch_size: int, model: str = "dcgan"):
    """Return (step, waiting) of a contender; `waiting` only for kerasgan's own."""
    model = ours(dtype, model) if name == "ours" else CONTENDERS[name](dtype)
    return stepper(model, batch_size), (lambda steps: waiting(model, batch_size, steps)) if name == "ours" else None
