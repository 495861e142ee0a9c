"""Published keras.io recipes, trained by their own settings: what kerasgan's presets are compared with.

    python tests/benchmarks/keras_io.py time
    python tests/benchmarks/keras_io.py train gan --data mnist --seed 0 --epochs 20 --out runs/keras_io/gan-mnist-0

`keras_io_models.py` says which ones. Networks, initial weights, losses, optimizers and batch sizes are the published
ones. Otherwise than there, the test images are kept out of training, an epoch is in a new random order without the
last, smaller batch, and the seed is an argument. Images are in [-1, 1] from `generate`, as those of kerasgan's models.

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
from keras_io_ada import ADA_RECIPES
from keras_io_models import GAME_RECIPES, Published

from kerasgan import data as kerasgan_data
from kerasgan import distribution
from kerasgan.support import files

RECIPES = GAME_RECIPES | ADA_RECIPES
STATE, RUN = "state.npz", "run.json"
DTYPES = ("float32", "mixed_bfloat16")
FIXED = ("recipe", "data", "seed", "dtype")


def build(recipe: str, seed: int = 0, dtype: str = "float32") -> Published:
    """Return a new model of a recipe, compiled; the seed fixes its initial weights and its draws in training."""
    # The recipes' layers take their initial weights from Keras's global seed.
    keras.utils.set_random_seed(seed)
    return RECIPES[recipe](seed, dtype)


def train(recipe: str, source, folder: "str | Path", *, seed=0, epochs: int, dtype="float32", threads=None, verbose=2):
    """Train a recipe in a folder of its own, or go on with it, and return the model.

    Args:
        recipe: a key of `RECIPES`.
        source: what `kerasgan.data.load` takes; its images are brought to the recipe's size and channels.
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
    labels = model.num_classes is not None
    batches = kerasgan_data.load(
        source, batch_size=model.batch_size, image_size=model.image_shape[:2], channels=model.image_shape[2],
        labels=labels, seed=seed, first_epoch=record["epochs"],
    )  # fmt: skip
    batches = batches.map(lambda images, *labels: (model.inward(images), *labels) if labels else model.inward(images))
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
    images = np.random.default_rng(0).uniform(-1, 1, (model.batch_size, *model.image_shape)).astype("float32")
    labels = np.arange(model.batch_size) % (model.num_classes or 1)
    batch = model.inward(images) if model.num_classes is None else (model.inward(images), labels)
    iterator = iter(tf.data.Dataset.from_tensors(batch).repeat())
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
