"""`kerasgan demo`: the whole workflow on the embedded digits, in minutes on two CPU cores."""

import math
import sys
import textwrap
import time
from pathlib import Path

import keras
import numpy as np

import kerasgan
from kerasgan import callbacks, data, export, images, metrics, presets
from kerasgan.support import files

PRESET = "dcgan_fashion_mnist"
MOST_EPOCHS = 40


def run(folder: Path, minutes: float) -> None:
    """Sample the zoo, train a DCGAN for about `minutes`, evaluate and export it; everything made is in `folder`.

    Raises:
        ValueError: minutes is not positive, or not finite.
    """
    if not 0 < minutes < math.inf:
        raise ValueError(f"minutes must be positive, and come to an end; received {minutes}.")
    _say(1, f"Sampling the zoo's {PRESET}")
    zoo_grid = folder / "zoo.png"
    images.save_png(zoo_grid, images.grid(kerasgan.from_preset(PRESET).generate(64, seed=1)))
    print(f"      64 images it has never seen: {zoo_grid}")

    log_dir = Path("tensorboard_logs") / "demo" / time.strftime("%Y%m%d-%H%M%S")
    policy = kerasgan.precision("auto")
    _say(2, f"Training a DCGAN on 10,000 digits for about {minutes:g} minutes, in {policy.name}")
    gan = kerasgan.DCGAN(image_shape=(28, 28, 1), seed=0, dtype=policy)
    gan.compile()
    latents = gan.sample_latents(64, seed=0)
    before = np.asarray(gan(latents))
    train = data.load("mnist_mini", batch_size=64)
    gan.fit(
        train,
        epochs=MOST_EPOCHS,
        verbose=1 if sys.stdout.isatty() else 2,
        callbacks=[
            StopAfter(minutes),
            keras.callbacks.TensorBoard(log_dir, write_graph=False),
            callbacks.ImageSummary(log_dir),
        ],
    )
    grids = [images.grid(made, columns=8) for made in (before, np.asarray(gan(latents)))]
    gap = np.full((grids[0].shape[0], 12, 1), 255, "uint8")
    images.save_png(folder / "before_after.png", np.concatenate([grids[0], gap, grids[1]], axis=1))
    with files.replacing(folder / "digits.keras") as temporary:
        gan.save(temporary)

    _say(3, "Evaluating it on 2,000 digits it was not trained on")
    _tell(metrics.as_text(metrics.evaluate(gan, "mnist_mini")))

    _say(4, "Exporting the generator, checked against Keras")
    _tell(export.saved_model(gan, folder / "generator"))
    _tell(export.tflite(gan, folder / "generator.tflite"))
    _say_what_was_made(folder, log_dir)


class StopAfter(keras.callbacks.Callback):
    """End training with the epoch in which the time is up."""

    def __init__(self, minutes: float):
        super().__init__()
        self.seconds = 60 * minutes

    def on_train_begin(self, logs=None):
        """Start the clock."""
        self.start = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        """Stop when the time is up."""
        if time.monotonic() - self.start > self.seconds:
            self.model.stop_training = True


def _say(number: int, what: str) -> None:
    print(f"\n[{number}/4] {what}", flush=True)


def _tell(result) -> None:
    print(textwrap.indent(str(result), "      "))


def _say_what_was_made(folder: Path, log_dir: Path) -> None:
    print(f"""
Made in {folder}:
  zoo.png            images from the zoo's {PRESET}
  before_after.png   your generator before and after training, from the same latents
  digits.keras       the whole model: load it with keras.models.load_model and go on training
  generator          SavedModel for servers
  generator.tflite   for phones and browsers, with a report beside it

Next:
  tensorboard --logdir {log_dir.parent}               watch the digits appear
  kerasgan generate {folder}/digits.keras --interpolate 8 -n 8 --out morph.png
  kerasgan generate {presets.list_presets()[0]} --out samples.png
  kerasgan train dcgan --data PATH/TO/IMAGES --image-size 64     train on your own images
""")
