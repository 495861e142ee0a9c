"""Recipes: everything a training run depends on, as a short TOML file.

    epochs = 20
    seed = 0
    precision = "mixed_bfloat16"

    [model]
    type = "dcgan"
    base_filters = 64

    [data]
    source = "mnist"
    batch_size = 128

    [compile]
    loss = "non_saturating"
    g_optimizer = { name = "adam", learning_rate = 2e-4, beta_1 = 0.5 }

`model` takes the constructor arguments of the model, `data` those of the reader of what the model learns from, such as
`kerasgan.data.load`, `compile` those of the model's `compile`. What the data decide, such as the shape of images, comes
from them.
"""

import inspect
import re
import tomllib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import tomli_w

from kerasgan.kinds.kind import Kind
from kerasgan.runs import validation
from kerasgan.runs.decay import decay
from kerasgan.support import files
from kerasgan.support.configurable import unknown_name

# Recipes have a page; TOML is read by Python, slowly.
MOST_BYTES = 2**20
CARD = ("description", "search", "limits", "data_license")
# What decides which images are read and what they look like, besides their shape. Binarised images are not here: a
# model of them is measured against the grey ones that it stands for.
TRANSFORMS = {
    "images": ("crop", "on_error", "group"),
    "pairs": ("crop", "on_error", "channels", "swap", "edges"),
    "unpaired": ("crop", "on_error", "channels"),
    "audio": ("normalize", "on_error"),
    "tokens": ("level", "cut"),
    "captions": ("crop", "on_error"),
}
# Arguments of a model that the recipe gives elsewhere, or the data.
MODEL_GIVEN = ("image_shape", "source_shape", "seed", "dtype")
DATA_GIVEN = ("seed", "first_epoch", "labels")
# Of images from so many pixels a side on, a model keeps half as many examples: presets carry them.
LARGE = 128


@dataclass(frozen=True)
class Recipe:
    """A training run, before it starts.

    Args:
        model: `type` (a name of `kerasgan.models.MODELS`) and constructor arguments. With `start`, a preset or a run's
            folder, training goes on from all of its weights that fit: see `kerasgan.transfer`.
        data: `source` and other arguments of the reader that the model's `reads` names in `kerasgan.data`: `load`
            for images.
        compile: arguments of the model's `compile`; optimizers, losses and regularizers as a name, or a
            table with `name` and arguments. A `learning_rate` may be a table too, of a schedule; its `decay_steps`,
            where left out, are the whole run. `decay`, "cosine" or "linear", lets all learning rates fall to 0 by the
            end of the run.
        epochs: passes over the data.
        seed: of weights, data order and latents.
        precision: a word of `kerasgan.precision`.
        strategy: a word of `kerasgan.strategy`.
        summary_every: epochs between image summaries.
        metrics_every: epochs between measurements by `kerasgan.callbacks.GenerativeMetrics`; 0 for none.
        card: texts for the model card of a preset: description, search (what was tried before, Markdown), limits,
            data_license.
    """

    model: dict
    data: dict
    compile: dict = field(default_factory=dict)
    epochs: int = 20
    seed: int = 0
    precision: str = "auto"
    strategy: str = "default"
    summary_every: int = 1
    metrics_every: int = 0
    card: dict = field(default_factory=dict)

    def to_toml(self) -> str:
        """Return the recipe as TOML, plain values before tables."""
        content = asdict(self)
        return tomli_w.dumps(dict(sorted(content.items(), key=lambda item: isinstance(item[1], dict))))


def read(path: "str | Path") -> Recipe:
    """Return the recipe in a TOML file.

    Raises:
        ValueError: the file is missing, not TOML or too large, or what it says is not valid.
    """
    return from_dict(read_dict(path))


def read_dict(path: "str | Path") -> dict:
    """Return the unchecked content of a recipe file."""
    try:
        content = tomllib.loads(files.read_text(path, MOST_BYTES))
    except FileNotFoundError:
        raise ValueError(f"There is no recipe {str(path)!r}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"The recipe {str(path)!r} is not valid TOML: {error}.") from None
    except RecursionError:
        raise ValueError(f"The recipe {str(path)!r} is nested too deeply.") from None
    files.check_nesting(content, str(path))
    return content


def is_canonical(path: "str | Path") -> bool:
    """Return whether a recipe file is as `to_toml` writes it, and not by hand."""
    try:
        return read(path).to_toml() == files.read_text(path)
    except (ValueError, OSError):
        return False


def from_dict(content: dict) -> Recipe:
    """Return a checked recipe from nested dicts.

    Raises:
        ValueError: a key, model type or value is unknown or missing.
    """
    validation.check_type("A recipe", content, (dict,))
    for table, key in (("model", "type"), ("data", "source")):
        values = content.get(table, {})
        validation.check_type(f"[{table}]", values, (dict,))
        if key not in values:
            raise ValueError(f"A recipe needs {table}.{key}; received {table} = {content.get(table)!r}.")
    validation.check_arguments("the recipe", content, Recipe)
    recipe = Recipe(**content)
    model = _model_class(recipe)
    validation.check_arguments("[model]", recipe.model, model, skip=MODEL_GIVEN, also=("type", "start"))
    validation.check_arguments("[data]", recipe.data, reader(recipe).load, skip=DATA_GIVEN)
    validation.check_arguments("[compile]", recipe.compile, model.compile, also=("decay",))
    validation.check_word("decay in [compile]", "decay", recipe.compile.get("decay", "linear"))
    validation.check_type("start in [model]", recipe.model.get("start", ""), (str,))
    for key, text in recipe.card.items():
        if key not in CARD:
            raise ValueError("In [card]: " + unknown_name("key", key, CARD))
        validation.check_type(f"{key} in [card]", text, (str,))
    return recipe


def build_model(recipe: Recipe, info):
    """Return the compiled model of a recipe for its data; call it inside the scope of the recipe's strategy.

    Args:
        recipe: what to build.
        info: of the data, as `describe_data` returns it.

    Raises:
        ValueError: the model learns another number of classes than the data have.
    """
    from kerasgan.distribution import precision

    model_class = _model_class(recipe)
    known = _arguments(model_class.__init__)
    rounds = count_rounds(recipe, info)
    decided = {name: value for name, value in info.arguments.items() if name in known}
    given = {name: _made(name, value, rounds) for name, value in recipe.model.items() if name not in ("type", "start")}
    model = model_class(**decided | given, seed=recipe.seed, dtype=precision(recipe.precision))
    _check_classes(model, info)
    # Each network's optimizer counts its own updates; schedules of kerasgan count rounds wherever they stand.
    updates = {"d_optimizer": rounds * _d_steps(recipe)}
    settings = {name: value for name, value in recipe.compile.items() if name != "decay"}
    model.compile(**{name: _made(name, value, updates.get(name, rounds)) for name, value in settings.items()})
    if "decay" in recipe.compile:
        decay(model, recipe.compile["decay"], max(rounds, 1))
    return model


def count_rounds(recipe: Recipe, info) -> int:
    """Return how many rounds of the game a recipe asks for, of data that `describe_data` described."""
    return recipe.epochs * (info.num_examples // batch_size(recipe) // _d_steps(recipe))


def _d_steps(recipe: Recipe) -> int:
    return recipe.model.get("d_steps", _defaults(_model_class(recipe).__init__, ()).get("d_steps", 1))


def _check_classes(model, info) -> None:
    classes = info.arguments.get("num_classes")
    if "labels" in model.learns and classes not in (None, model.num_classes):
        raise ValueError(
            f"num_classes in [model] is {model.num_classes}, but {info.name} has {classes} classes. Leave it out: the "
            "data decide it."
        )


def sources(data: dict) -> list[str]:
    """Return what a recipe's table of data names: one source, or the two of pairs or of two domains."""
    source = data["source"]
    return list(source) if isinstance(source, list) else [source]


def batch_size(recipe: Recipe) -> int:
    """Return the examples that one update sees."""
    return recipe.data.get("batch_size", inspect.signature(reader(recipe).load).parameters["batch_size"].default)


def real_images(recipe: Recipe) -> dict | None:
    """Return the arguments of `kerasgan.metrics.evaluate` and of `GenerativeMetrics` that name a recipe's images.

    Size and channels are the model's; the rest of what was done to the images is here, and the split where a part of
    "train" was held out. None where the data are no images.
    """
    reads = _model_class(recipe).reads
    if reads not in TRANSFORMS:
        return None
    arguments = {name: recipe.data[name] for name in TRANSFORMS[reads] if name in recipe.data}
    rest = {} if held_out(recipe) == "test" else {"split": held_out(recipe)}
    return {"against": recipe.data["source"]} | arguments | rest


def held_out(recipe: Recipe) -> str:
    """Return the split that a recipe does not learn from: "test", or the rest of "train" where it takes a part."""
    part = re.fullmatch(r"train\[:(\d+%?)\]", recipe.data.get("split", "train"))
    return f"train[{part[1]}:]" if part else "test"


def resolved(recipe: Recipe) -> Recipe:
    """Return the recipe with every default written out, and the precision that "auto" means on this machine."""
    from kerasgan.distribution import precision

    model = _defaults(_model_class(recipe).__init__, skip=(*MODEL_GIVEN, "name"))
    loading = _defaults(reader(recipe).load, skip=(*DATA_GIVEN, "data_dir"))
    return replace(
        recipe,
        model={"type": recipe.model["type"]} | model | recipe.model,
        data={"source": recipe.data["source"]} | loading | recipe.data,
        precision=precision(recipe.precision).name,
    )


def wants_labels(recipe: Recipe, data_dir: str | None = None) -> bool:
    """Return whether the recipe's model takes `num_classes`, and needs them or finds some in the data."""
    classes = inspect.signature(_model_class(recipe).__init__).parameters.get("num_classes")
    if classes is None or classes.default is not None:
        return classes is not None
    return describe_data(recipe, data_dir).arguments.get("num_classes") is not None


def reader(recipe: Recipe):
    """Return the module of `kerasgan.data` that reads what the recipe's model learns from."""
    from kerasgan import data

    return data.reader(_model_class(recipe).reads)


def load_data(recipe: Recipe, data_dir: str | None = None, first_epoch: int = 0, **others):
    """Return the training data of a recipe as a `tf.data.Dataset`; `others` come before what the recipe says."""
    load = reader(recipe).load
    arguments = _data_arguments(recipe, data_dir) | {"seed": recipe.seed, "first_epoch": first_epoch} | others
    if "labels" in _arguments(load):
        arguments["labels"] = wants_labels(recipe, data_dir)
    return load(**arguments)


def describe_data(recipe: Recipe, data_dir: str | None = None):
    """Return the `kerasgan.data.Info` of a recipe's data."""
    info = reader(recipe).info
    arguments = _data_arguments(recipe, data_dir)
    known = _arguments(info)
    return info(**{name: value for name, value in arguments.items() if name in known})


def load_examples(recipe: Recipe, info, data_dir: str | None = None, most: int = Kind.examples) -> tuple:
    """Return some examples of a recipe's data as arrays: held-out ones, or, where there are none, of the training's.

    Args:
        recipe: whose data are read.
        info: of the data; words keep the numbers that they have in training.
        data_dir: folder of the TFDS data.
        most: how many, of small images.
    """
    large = info.image_shape is not None and max(info.image_shape[:2]) >= LARGE
    count = min(most // 2 if large else most, info.num_examples)
    fixed = {"shuffle": False, "drop_remainder": False, "batch_size": count, "limit": count}
    known = {name: value for name, value in info.arguments.items() if name in ("words", "length", "caption_length")}
    still = {"flip": False, "jitter": 0}
    fixed |= {name: value for name, value in still.items() if name in _arguments(reader(recipe).load)}
    try:
        data = load_data(recipe, data_dir, **fixed, **known, split=held_out(recipe))
    except ValueError:
        data = load_data(recipe, data_dir, **fixed, **known)
    batch = next(iter(data))
    return tuple(part.numpy() for part in (batch if isinstance(batch, tuple) else (batch,)))


def _data_arguments(recipe: Recipe, data_dir: str | None) -> dict:
    return recipe.data if data_dir is None else recipe.data | {"data_dir": data_dir}


def _made(name: str, value, steps: int):
    """Return the object that an argument's table stands for, the tables in it first; anything else as it is."""
    if isinstance(value, list):
        return [_made(name, each, steps) for each in value]
    kinds = validation.OBJECTS | validation.SCHEDULED
    if name in validation.OBJECTS and isinstance(value, str):
        value = {"name": value}
    if name not in kinds or not isinstance(value, dict):
        return value
    made = kinds[name][1][value["name"].lower()]
    settings = {key: _made(key, each, steps) for key, each in value.items() if key != "name"}
    if "decay_steps" in _arguments(made.__init__):
        settings = {"decay_steps": steps} | settings
    return made(**settings)


def _model_class(recipe: Recipe) -> type:
    from kerasgan.models import MODELS

    name = recipe.model["type"]
    validation.check_type("type in [model]", name, (str,))
    if name not in MODELS:
        raise ValueError(unknown_name("model", name, MODELS))
    return MODELS[name]


def _arguments(function) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in ("self", "args", "kwargs")]


def _defaults(function, skip: tuple) -> dict:
    """Return a function's default arguments that TOML can say (it has no None)."""
    parameters = inspect.signature(function).parameters.values()
    defaults = {each.name: each.default for each in parameters if each.name not in skip}
    return {name: value for name, value in defaults.items() if value not in (None, inspect.Parameter.empty)}
