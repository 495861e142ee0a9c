"""Two published keras.io recipes, trained by their own settings: what kerasgan's presets are compared with.

    python tests/benchmarks/keras_io.py time
    python tests/benchmarks/keras_io.py train gan --data mnist --seed 0 --epochs 20 --out runs/keras_io/gan-mnist-0

gan  the 28x28 GAN that ends the guide "Customizing what happens in fit() with TensorFlow"
     (https://keras.io/guides/custom_train_step_in_tensorflow): batch 64; "about 20 epochs" for good images. The site's
     DCGAN example for faces trains by the same step, but its 64x64 networks cost about 2.4 G multiply-adds an image,
     days on two cores, most of it in a transposed convolution with 512 filters.
vae  the example "Variational AutoEncoder" (https://keras.io/examples/generative/vae): batch 128, 30 epochs.

Networks, initial weights, losses, optimizers and batch sizes are the published ones. Otherwise than there, the test
images are kept out of training, an epoch is in a new random order without the last, smaller batch, and the seed is an
argument. Images are in [0, 1] inside and in [-1, 1] from `generate`, as those of kerasgan's models.

A run's folder holds `state.npz`, everything after the last finished epoch, replaced in one step, and `run.json`, what
was trained and how long it took. The same command goes on with a run that was stopped.
"""

import argparse
import importlib.metadata
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from kerasgan.cli.start import start_tensorflow

if __name__ == "__main__":
    # Before Keras imports TensorFlow with its start-up messages.
    start_tensorflow()

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from kerasgan import data as kerasgan_data
from kerasgan import distribution
from kerasgan.core.sampling import as_seed
from kerasgan.support import files

STATE, RUN = "state.npz", "run.json"
DTYPES = ("float32", "mixed_bfloat16")
FIXED = ("recipe", "data", "seed", "dtype")


class Published(keras.Model):
    """What both recipes share: sampling, and all that a run needs to go on."""

    image_shape = (28, 28, 1)

    def __init__(self, sampler: keras.Model, latent_dim: int, seed: int, name: str):
        super().__init__(name=name)
        self.sampler = sampler
        self.latent_dim = latent_dim
        self.random = keras.random.SeedGenerator(seed)
        self.built = True

    def generate(self, n: int, seed: int | None = None, batch_size: int = 128) -> np.ndarray:
        """Return n new images, float32 of shape (n, 28, 28, 1) in [-1, 1]; the same seed gives the same images."""
        latents = tf.random.stateless_normal((n, self.latent_dim), seed=as_seed(seed))
        starts = range(0, n, batch_size)
        return np.concatenate([2.0 * self.sampler(latents[start : start + batch_size]) - 1.0 for start in starts])

    def state(self) -> list:
        """Return all variables that training changes: weights, random state, optimizers."""
        return self.variables + [variable for each in self.optimizers for variable in each.variables]


class PublishedGAN(Published):
    """The guide's GAN. Its logits are high for fake images."""

    batch_size = 64

    def __init__(self, seed: int, dtype: str):
        super().__init__(generator(dtype), latent_dim=128, seed=seed, name="keras_io_gan")
        self.discriminator = discriminator(dtype)
        self.d_optimizer, self.g_optimizer = keras.optimizers.Adam(3e-4), keras.optimizers.Adam(3e-4)
        self.d_optimizer.build(self.discriminator.trainable_variables)
        self.g_optimizer.build(self.sampler.trainable_variables)
        self.d_loss, self.g_loss = keras.metrics.Mean("d_loss"), keras.metrics.Mean("g_loss")
        self.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
        self.compile(optimizer=None)

    @property
    def optimizers(self) -> list:
        return [self.d_optimizer, self.g_optimizer]

    @property
    def metrics(self) -> list:
        return [self.d_loss, self.g_loss]

    def train_step(self, real):
        count = tf.shape(real)[0]
        self.d_loss.update_state(self.update_discriminator(real, count))
        self.g_loss.update_state(self.update_generator(count))
        return self.get_metrics_result()

    def update_discriminator(self, real, count):
        images = tf.concat([self.sampler(self.latents(count)), real], axis=0)
        labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
        labels += 0.05 * keras.random.uniform(tf.shape(labels), seed=self.random)
        with tf.GradientTape() as tape:
            loss = self.cross_entropy(labels, self.discriminator(images))
        apply_gradients(tape, loss, self.discriminator, self.d_optimizer)
        return loss

    def update_generator(self, count):
        latents = self.latents(count)
        with tf.GradientTape() as tape:
            loss = self.cross_entropy(tf.zeros((count, 1)), self.discriminator(self.sampler(latents)))
        apply_gradients(tape, loss, self.sampler, self.g_optimizer)
        return loss

    def latents(self, count):
        return keras.random.normal((count, self.latent_dim), seed=self.random)


class PublishedVAE(Published):
    """The example's VAE with two latents."""

    batch_size = 128

    def __init__(self, seed: int, dtype: str):
        super().__init__(decoder(dtype), latent_dim=2, seed=seed, name="keras_io_vae")
        self.encoder = encoder(dtype)
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


RECIPES = {"gan": PublishedGAN, "vae": PublishedVAE}


def apply_gradients(tape, loss, network: keras.Model, optimizer) -> None:
    optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)


# The networks. Their layers follow the policy `dtype`; outputs are float32, as Keras advises for mixed precision.


def discriminator(dtype: str) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 3, strides=2, padding="same", dtype=dtype),
            layers.LeakyReLU(0.2, dtype=dtype),
            layers.Conv2D(128, 3, strides=2, padding="same", dtype=dtype),
            layers.LeakyReLU(0.2, dtype=dtype),
            layers.GlobalMaxPooling2D(dtype=dtype),
            layers.Dense(1, dtype="float32"),
        ],
        name="discriminator",
    )


def generator(dtype: str) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((128,)),
            layers.Dense(7 * 7 * 128, dtype=dtype),
            layers.LeakyReLU(0.2, dtype=dtype),
            layers.Reshape((7, 7, 128), dtype=dtype),
            layers.Conv2DTranspose(128, 4, strides=2, padding="same", dtype=dtype),
            layers.LeakyReLU(0.2, dtype=dtype),
            layers.Conv2DTranspose(128, 4, strides=2, padding="same", dtype=dtype),
            layers.LeakyReLU(0.2, dtype=dtype),
            layers.Conv2D(1, 7, padding="same", dtype=dtype),
            layers.Activation("sigmoid", dtype="float32"),
        ],
        name="generator",
    )


def encoder(dtype: str) -> keras.Model:
    inputs = keras.Input((28, 28, 1))
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", dtype=dtype)(inputs)
    x = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu", dtype=dtype)(x)
    x = layers.Dense(16, activation="relu", dtype=dtype)(layers.Flatten(dtype=dtype)(x))
    mean, log_variance = layers.Dense(2, dtype="float32")(x), layers.Dense(2, dtype="float32")(x)
    return keras.Model(inputs, [mean, log_variance], name="encoder")


def decoder(dtype: str) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(7 * 7 * 64, activation="relu", dtype=dtype),
            layers.Reshape((7, 7, 64), dtype=dtype),
            layers.Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu", dtype=dtype),
            layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu", dtype=dtype),
            layers.Conv2DTranspose(1, 3, padding="same", dtype=dtype),
            layers.Activation("sigmoid", dtype="float32"),
        ],
        name="decoder",
    )


def build(recipe: str, seed: int = 0, dtype: str = "float32") -> Published:
    """Return a new model of a recipe, compiled; the seed fixes its initial weights and its draws in training."""
    # The recipes' layers take their initial weights from Keras's global seed.
    keras.utils.set_random_seed(seed)
    return RECIPES[recipe](seed, dtype)


# Training


def train(recipe: str, source, folder: "str | Path", *, seed=0, epochs: int, dtype="float32", threads=None, verbose=2):
    """Train a recipe in a folder of its own, or go on with it, and return the model.

    Args:
        recipe: a key of `RECIPES`.
        source: what `kerasgan.data.load` takes; its images are made 28x28 and grey.
        folder: the run's folder.
        seed: of weights, draws in training, and the order of the images.
        epochs: passes over the training images, those of earlier calls included.
        dtype: "float32" or "mixed_bfloat16".
        threads: what TensorFlow was told to use, for the record.
        verbose: as in `keras.Model.fit`.

    Raises:
        ValueError: the folder holds a run of something else.
    """
    folder = Path(folder)
    files.remove_partial(folder)
    data = source if isinstance(source, str) else "array"
    settings = {"recipe": recipe, "data": data, "seed": seed, "dtype": dtype}
    record = settings | {"epochs": 0, "images": 0, "seconds": 0.0, "cpu_seconds": 0.0}
    model = build(recipe, seed, dtype)
    if (folder / STATE).is_file():
        record = restore(model, folder, settings)
    hardware = distribution.describe_hardware()
    record |= {"threads": threads or hardware.cores, "versions": versions(), "hardware": asdict(hardware)}
    batches = kerasgan_data.load(
        source, batch_size=model.batch_size, image_size=28, channels=1, seed=seed, first_epoch=record["epochs"]
    )
    batches = batches.map(lambda images: (images + 1.0) / 2.0)
    saving = SaveRun(folder, record, images_an_epoch=len(batches) * model.batch_size)
    first_epoch = record["epochs"]
    model.fit(batches, initial_epoch=first_epoch, epochs=epochs, shuffle=False, verbose=verbose, callbacks=[saving])
    return model


def versions() -> dict:
    return {package: importlib.metadata.version(package) for package in ("kerasgan", "tensorflow", "keras")}


class SaveRun(keras.callbacks.Callback):
    """Save the state after every epoch, with the time spent in finished epochs: not in start-up, nor in saving."""

    def __init__(self, folder: Path, record: dict, images_an_epoch: int):
        super().__init__()
        self.folder, self.record, self.images_an_epoch = folder, record, images_an_epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.monotonic(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        self.record["seconds"] += time.monotonic() - self.start[0]
        self.record["cpu_seconds"] += time.process_time() - self.start[1]
        self.record["epochs"] = epoch + 1
        self.record["images"] += self.images_an_epoch
        arrays = {f"variable_{index}": each.numpy() for index, each in enumerate(self.model.state())}
        # The record travels with the state, so that the two always belong together; run.json is for reading.
        with files.replacing(self.folder / STATE) as temporary:
            np.savez(temporary, record=json.dumps(self.record), **arrays)
        files.write_json(self.folder / RUN, self.record | {"last_epoch": {name: float(logs[name]) for name in logs}})


def restore(model: Published, folder: Path, settings: dict) -> dict:
    """Load a run's state into a new model and return its record."""
    with np.load(folder / STATE, allow_pickle=False) as arrays:
        record = json.loads(str(arrays["record"]))
        changed = [key for key in FIXED if record[key] != settings[key]]
        if changed:
            raise ValueError(
                f"{str(folder)!r} holds a run with another {', '.join(changed)}. Give those of its {RUN} to go on "
                "with it, or choose another folder."
            )
        for index, variable in enumerate(model.state()):
            variable.assign(arrays[f"variable_{index}"])
    return record


def load(folder: "str | Path") -> Published:
    """Return the model of a run as it was after the last finished epoch.

    Raises:
        ValueError: the folder holds no finished epoch.
    """
    path = Path(folder) / STATE
    if not path.is_file():
        raise ValueError(f"{str(folder)!r} holds no {STATE}: not a run, or stopped before its first epoch ended.")
    with np.load(path, allow_pickle=False) as arrays:
        record = json.loads(str(arrays["record"]))
    model = build(record["recipe"], record["seed"], record["dtype"])
    restore(model, Path(folder), record)
    return model


# Timing


def step_times(recipe: str, dtype: str, steps: int = 20, warm_up: int = 3) -> np.ndarray:
    """Return float64 (steps, 2): wall clock and processor time, in ms, of steps as `fit` takes them, data at hand."""
    model = build(recipe, 0, dtype)
    images = np.random.default_rng(0).uniform(0, 1, (model.batch_size, *model.image_shape)).astype("float32")
    iterator = iter(tf.data.Dataset.from_tensors(images).repeat())
    model.make_train_function()
    times = []
    for _ in range(warm_up + steps):
        start = time.perf_counter(), time.process_time()
        {name: float(value) for name, value in model.train_function(iterator).items()}
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return 1e3 * np.asarray(times[warm_up:])


def print_times(steps: int) -> None:
    hardware = distribution.describe_hardware()
    print(f"{hardware.cpu}, {hardware.cores} cores, load average {os.getloadavg()[0]:.1f} at the start", flush=True)
    for recipe in RECIPES:
        for dtype in DTYPES:
            wall, processor = np.median(step_times(recipe, dtype, steps), axis=0)
            batch = RECIPES[recipe].batch_size
            minutes = wall * (60_000 // batch) / 60_000
            print(
                f"{recipe}, batch {batch}, {dtype}: {wall:.1f} ms a step, {processor:.1f} ms of processor time; "
                f"{minutes:.1f} minutes an epoch of 60,000 images",
                flush=True,
            )


def main(argv: list[str] | None = None) -> int:
    """Run one command; exit status 1 on wrong settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("recipe", choices=RECIPES)
    training.add_argument("--data", default="mnist")
    training.add_argument("--seed", type=int, default=0)
    training.add_argument("--epochs", type=int, required=True)
    training.add_argument("--out", required=True, help="folder of the run; one that was stopped goes on")
    training.add_argument("--dtype", choices=DTYPES, default="float32")
    timing = commands.add_parser("time")
    timing.add_argument("--steps", type=int, default=20)
    for each in (training, timing):
        each.add_argument("--threads", type=int, help="default: what TensorFlow chooses")
    given = parser.parse_args(argv)
    if given.threads:
        tf.config.threading.set_intra_op_parallelism_threads(given.threads)
        tf.config.threading.set_inter_op_parallelism_threads(given.threads)
    if given.command == "time":
        print_times(given.steps)
        return 0
    try:
        train(
            given.recipe, given.data, given.out,
            seed=given.seed, epochs=given.epochs, dtype=given.dtype, threads=given.threads,
        )  # fmt: skip
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
