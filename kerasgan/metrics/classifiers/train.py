"""Train a classifier and write its weights and card: `python -m kerasgan.metrics.classifiers.train mnist`."""

import argparse
import importlib.metadata
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Recipe(NamedTuple):
    """How one classifier is trained."""

    epochs: int
    filters: tuple[int, ...]
    shift: int
    flip: bool
    batch_size: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    seed: int = 0
    precision: str = "mixed_bfloat16"


RECIPES = {
    "mnist": Recipe(epochs=6, filters=(24, 48, 96), shift=2, flip=False),
    "fashion_mnist": Recipe(epochs=10, filters=(24, 48, 96), shift=2, flip=True),
    "cifar10": Recipe(epochs=12, filters=(32, 64, 128, 256), shift=4, flip=True, weight_decay=5e-2),
}


def train(name: str, folder: Path, data_dir: str | None = None, epochs: int | None = None) -> dict:
    """Train a classifier on a data set's train split, test it once at the end, write it and return its card."""
    import keras

    from kerasgan import data, distribution
    from kerasgan.metrics import classifiers
    from kerasgan.metrics.classifiers.network import classifier
    from kerasgan.support import files

    recipe = RECIPES[name] if epochs is None else RECIPES[name]._replace(epochs=epochs)
    keras.utils.set_random_seed(recipe.seed)
    info = data.info(name, data_dir=data_dir)
    images = data.load(
        name, batch_size=recipe.batch_size, labels=True, flip=recipe.flip, seed=recipe.seed, data_dir=data_dir
    )
    network = classifier(info.image_shape, info.num_classes, recipe.filters, recipe.precision)
    started = time.monotonic()
    fit(network, images.map(lambda x, y: (_shifted(x, recipe.shift), y)), recipe)
    minutes = (time.monotonic() - started) / 60

    weights = folder / f"{name}.weights.h5"
    with files.replacing(weights) as temporary:
        network.save_weights(temporary)
    # Tested as it will be used: in float32, from the file.
    card = {
        "name": name,
        "image_shape": list(info.image_shape),
        "num_classes": info.num_classes,
        "filters": list(recipe.filters),
        "parameters": network.count_params(),
        "sha256": files.sha256(weights),
        "recipe": {"data": name, **recipe._asdict()},
    }
    files.write_json(folder / f"{name}.json", card)
    card["test_accuracy"] = accuracy(classifiers.load(name, folder), name, "test", data_dir)
    card["training"] = {
        "minutes": round(minutes, 1),
        "machine": distribution.describe_hardware().cpu,
        "versions": {package: importlib.metadata.version(package) for package in ("tensorflow", "keras")},
    }
    files.write_json(folder / f"{name}.json", card)
    return card


def accuracy(extractor, source: str, split: str, data_dir: str | None = None) -> float:
    """Return the share of a split's images whose most probable class is their label."""
    from kerasgan import data, images

    batches = data.load(source, split=split, batch_size=500, labels=True, shuffle=False, data_dir=data_dir)
    right = total = 0
    for batch, labels in batches:
        predicted = extractor(images.to_uint8(batch.numpy())).probabilities.argmax(axis=1)
        right, total = right + np.sum(predicted == labels.numpy()), total + len(labels)
    return float(right / total)


def fit(network, dataset, recipe) -> None:
    """Train a network of (features, logits) as a recipe says: `epochs`, `learning_rate` and `weight_decay`."""
    import keras

    steps = recipe.epochs * len(dataset)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 5, warmup_target=recipe.learning_rate, warmup_steps=steps // 5
    )
    model = keras.Model(network.input, network.output[1])
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(dataset, epochs=recipe.epochs, shuffle=False, verbose=2)


def _shifted(images, most: int):
    """Move each image by up to `most` pixels along both axes; what comes in is as dark as -1."""
    import tensorflow as tf

    count, height, width, _ = images.shape
    padded = tf.pad(images, ((0, 0), (most, most), (most, most), (0, 0)), constant_values=-1.0)
    rows, columns = (
        tf.random.uniform((count, 1), 0, 2 * most + 1, tf.int32) + tf.range(size) for size in (height, width)
    )
    return tf.gather(tf.gather(padded, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for weights and card")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--data-dir", help="folder of TFDS data (default: TFDS_DATA_DIR)")
    arguments = parser.parse_args()
    card = train(arguments.name, arguments.out, arguments.data_dir, arguments.epochs)
    print(f"{card['name']}: test accuracy {card['test_accuracy']:.4f}, {card['training']['minutes']} minutes")


if __name__ == "__main__":
    main()
