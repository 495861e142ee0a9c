"""Who takes part in `time_to_quality.py`: the zoo's recipes, and the published ones of keras.io.

Ours follow the recipes of presets, on other data where there is no preset for these. What follows a schedule in a
recipe follows it over the whole of a run here, however long that is. No model is told labels: the opponents take none.
"""

import time
import tomllib
from dataclasses import replace
from pathlib import Path

import keras
import keras_io
import tensorflow as tf

import kerasgan
from kerasgan.runs import recipes

ZOO = Path(__file__).parents[2] / "zoo"
# What every model is given of a data set; the others are read as they are.
DATA = {"lfwcrop": {"split": "train[:90%]", "image_size": 32, "flip": True}}
# What it is measured by: on which images, by which number, of how many samples at most.
MEASURED = {"lfwcrop": {"split": "train[90%:]"}}
PRESETS = {
    "dcgan": {1: "dcgan_fashion_mnist", 3: "dcgan_cifar10"},
    "sngan": {1: "sngan_cifar10", 3: "sngan_cifar10"},
    "r3gan": {1: "r3gan_fashion_mnist", 3: "r3gan_fashion_mnist"},
    "stylegan2": {1: "stylegan2_faces", 3: "stylegan2_faces"},
}
PUBLISHED = {"keras_io_dcgan": {1: "gan", 3: "gan_faces"}, "keras_io_ada": {1: "ada", 3: "ada_faces"}}
TITLES = {
    "dcgan": "DCGAN",
    "sngan": "SNGAN",
    "r3gan": "R3GAN",
    "stylegan2": "StyleGAN2",
    "keras_io_dcgan": "keras.io DCGAN",
    "keras_io_ada": "keras.io GAN with ADA",
}
# Rounds in which the speed is measured, after the first one: StyleGAN2's penalty comes in every 16th.
TIMED_ROUNDS = 16


def info(source: str) -> kerasgan.data.Info:
    """Return what there is of a data set, as every model is given it, but for labels."""
    known = {name: value for name, value in DATA.get(source, {}).items() if name != "flip"}
    found = kerasgan.data.info(source, **known)
    return replace(found, num_classes=None, arguments={"image_shape": found.image_shape})


def recipe_of(model: str, source: str) -> recipes.Recipe:
    """Return a preset's recipe for these data."""
    found = info(source)
    recipe = recipes.read(ZOO / PRESETS[model][found.image_shape[2]] / "recipe.toml")
    settings = {name: value for name, value in recipe.model.items() if name != "num_classes"}
    data = {"source": source, "batch_size": recipe.data["batch_size"]} | DATA.get(source, {})
    return replace(recipe, model=settings, data=data)


def build(model: str, source: str, seed: int, images: int = 1_000_000) -> keras.Model:
    """Return a compiled model whose schedules go over so many images."""
    channels = info(source).image_shape[2]
    if model in PUBLISHED:
        return keras_io.build(PUBLISHED[model][channels], seed)
    recipe = replace(recipe_of(model, source), seed=seed)
    batch_size = recipe.data["batch_size"]
    # An epoch of so many images: schedules ask for nothing else.
    compiled = _stretched(model, recipe, channels, images // batch_size)
    gan = recipes.build_model(
        replace(recipe, epochs=1, compile=compiled), replace(info(source), num_examples=max(images, batch_size))
    )
    if model == "r3gan":
        gan.compile(**gan.course(images, **_course_of(recipe)))
    return gan


def _course_of(recipe: recipes.Recipe) -> dict:
    """Return what R3GAN's recipe starts with; how long its course is depends on the run."""
    settings = recipe.compile
    return {
        "gamma": settings["regularizers"][0]["weight"]["start"],
        "learning_rate": settings["d_optimizer"]["learning_rate"]["start"],
    }


def _stretched(model: str, recipe: recipes.Recipe, channels: int, rounds: int) -> dict:
    """Return what a recipe compiles with; a learning rate that falls by steps falls after the same share of the run."""
    if model == "r3gan":
        return {}
    settings = dict(recipe.compile)
    for name in ("d_optimizer", "g_optimizer"):
        rate = settings[name]["learning_rate"]
        if isinstance(rate, dict) and "decay_steps" in rate:
            preset = ZOO / PRESETS[model][channels]
            share = rate["decay_steps"] / _rounds_of(preset, recipe)
            settings[name] = settings[name] | {"learning_rate": rate | {"decay_steps": max(1, round(share * rounds))}}
    return settings


def _rounds_of(preset: Path, recipe: recipes.Recipe) -> int:
    source = tomllib.loads((preset / "recipe.toml").read_text(encoding="utf-8"))["data"]["source"]
    return recipe.epochs * (kerasgan.data.info(source).num_examples // recipe.data["batch_size"])


def load(model: str, source: str, gan: keras.Model, seed: int, first_epoch: int = 0) -> tf.data.Dataset:
    """Return the batches that a model learns from, and never ends to: each pass over them is another epoch."""
    shape = info(source).image_shape
    settings = {"seed": seed, "first_epoch": first_epoch, "image_size": shape[:2]} | DATA.get(source, {})
    if model in PUBLISHED:
        return kerasgan.data.load(source, batch_size=gan.batch_size, **settings).map(gan.inward)
    return kerasgan.data.load(source, batch_size=recipe_of(model, source).data["batch_size"], **settings)


def batch_size(model: str, source: str, gan: keras.Model) -> int:
    """Return the images that a round sees."""
    return gan.batch_size if model in PUBLISHED else recipe_of(model, source).data["batch_size"]


def images_in(model: str, source: str, seconds: float) -> int:
    """Return how many images one of our models sees in so much processor time, by a few rounds of another of its kind.

    Where nothing follows a schedule, nobody needs to know: then it is 1,000,000.
    """
    if model in PUBLISHED or model == "stylegan2":
        return 1_000_000
    gan = build(model, source, seed=0)
    batches = load(model, source, gan, seed=0).repeat()
    starts = []
    for rounds in (1, TIMED_ROUNDS):
        starts.append(time.process_time())
        gan.fit(batches.take(rounds), shuffle=False, verbose=0)
    starts.append(time.process_time())
    first, rest = starts[1] - starts[0], starts[2] - starts[1]
    keras.backend.clear_session()
    rounds = max((seconds - first) / rest * TIMED_ROUNDS, 1.0)
    return round(rounds) * batch_size(model, source, gan)
