"""Train the classifier of spoken digits: `python -m kerasgan.metrics.classifiers.train_listener`."""

import argparse
import importlib.metadata
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Recipe(NamedTuple):
    """How it is trained."""

    epochs: int = 40
    filters: tuple[int, ...] = (16, 32, 64)
    # Samples that a sound is moved by, and the loudest noise that is laid over it, both at the most.
    shift: int = 400
    noise: float = 0.03
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 5e-2
    seed: int = 0


def train(folder: Path, recipe: Recipe | None = None, data_dir: str | None = None) -> dict:
    """Train on the train split, test once at the end, write weights and card, and return the card."""
    import keras

    from kerasgan import data, distribution
    from kerasgan.metrics.classifiers import listener
    from kerasgan.metrics.classifiers.train import fit
    from kerasgan.support import files

    recipe = recipe or Recipe()
    keras.utils.set_random_seed(recipe.seed)
    sounds = data.audio.load(
        listener.NAME, samples=listener.HEARS.samples, batch_size=recipe.batch_size, labels=True, normalize=True,
        seed=recipe.seed, data_dir=data_dir,
    )  # fmt: skip
    network = listener.network(recipe.filters, "float32")
    started = time.monotonic()
    fit(network, sounds.map(lambda x, y: (_disturbed(x, recipe), y)), recipe)
    minutes = (time.monotonic() - started) / 60
    weights = folder / f"{listener.NAME}.weights.h5"
    with files.replacing(weights) as temporary:
        network.save_weights(temporary)
    card = {
        "name": listener.NAME,
        "hears": listener.HEARS.describe(),
        "num_classes": 10,
        "filters": list(recipe.filters),
        "parameters": network.count_params(),
        "sha256": files.sha256(weights),
        "recipe": {"data": listener.NAME, **recipe._asdict()},
    }
    # Tested as it will be used: from the file.
    files.write_json(folder / f"{listener.NAME}.json", card)
    card["test_accuracy"], card["test_recordings"] = accuracy(listener.load(folder), data_dir)
    card["training"] = {
        "minutes": round(minutes, 1),
        "machine": distribution.describe_hardware().cpu,
        "versions": {package: importlib.metadata.version(package) for package in ("tensorflow", "keras")},
    }
    files.write_json(folder / f"{listener.NAME}.json", card)
    return card


def accuracy(listener, data_dir: str | None = None) -> tuple[float, int]:
    """Return the share of the test recordings that are heard as what they say, and how many there are."""
    from kerasgan import data

    batches = data.audio.load(
        "spoken_digit", split="test", samples=4096, batch_size=250, labels=True, shuffle=False, drop_remainder=False,
        data_dir=data_dir,
    )  # fmt: skip
    right = [listener(batch.numpy()).probabilities.argmax(axis=1) == labels.numpy() for batch, labels in batches]
    return float(np.mean(np.concatenate(right))), sum(map(len, right))


def _disturbed(sounds, recipe: Recipe):
    """Move each sound in time, silence coming in, and lay noise of random loudness over it."""
    import tensorflow as tf

    count, samples = tf.shape(sounds)[0], sounds.shape[1]
    starts = tf.random.uniform((count, 1), 0, 2 * recipe.shift + 1, tf.int32)
    padded = tf.pad(sounds, ((0, 0), (recipe.shift, recipe.shift), (0, 0)))
    moved = tf.gather(padded, starts + tf.range(samples), axis=1, batch_dims=1)
    return moved + tf.random.uniform((count, 1, 1), 0, recipe.noise) * tf.random.normal(tf.shape(moved))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for weights and card")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--data-dir", help="folder of TFDS data (default: TFDS_DATA_DIR)")
    arguments = parser.parse_args()
    recipe = Recipe() if arguments.epochs is None else Recipe(epochs=arguments.epochs)
    card = train(arguments.out, recipe, arguments.data_dir)
    print(f"test accuracy {card['test_accuracy']:.4f}, {card['training']['minutes']} minutes")


if __name__ == "__main__":
    main()
