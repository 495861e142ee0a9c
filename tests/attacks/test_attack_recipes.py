"""Recipes and `--set` of every wrong kind: refused in one line that names the key, before data are read."""

import os
import time

import pytest

from kerasgan import cli, presets
from kerasgan.cli import train
from kerasgan.runs import recipes

GOOD = {
    "epochs": 3,
    "model": {"type": "dcgan", "base_filters": 4},
    "data": {"source": "no_such_data", "batch_size": 16},
    "compile": {"loss": "hinge", "g_optimizer": {"name": "adam", "learning_rate": 0.25}},
}
NAN, INFINITE = float("nan"), float("inf")
ANY_NOT_INT = (1.5, "x", "3", True, [], {}, [3], NAN)
ANY_NOT_NUMBER = ("x", "0.5", True, [], [0.5], NAN, INFINITE)
ANY_NOT_TEXT = (1, 0.5, True, [], {}, ["adam"])
ANY_NOT_BOOL = ("yes", "true", 1, 0, 0.5, [], {})
ANY_NOT_TABLE = (1, 0.5, True, "x", [], [{}])


def rows(keys, values):
    return [(key, value) for key in keys.split() for value in values]


WRONG = [
    *rows("epochs summary_every data.batch_size data.limit model.base_filters model.latent_dim", (*ANY_NOT_INT, 0, -1)),
    *rows("model.d_steps compile.steps_per_execution data.channels", (*ANY_NOT_INT, 0, -1)),
    *rows("epochs data.batch_size model.base_filters seed", (2**31, 10**30)),
    *rows("seed metrics_every", (*ANY_NOT_INT, -1)),
    *rows("data.image_size", (1.5, "x", True, {}, 0, -1, [0, 1], [1.5, 2], ["x", "y"], [True, True], [])),
    *rows("data.channels", (2, 4, 255)),
    *rows("model.ema_decay", (*ANY_NOT_NUMBER, {}, 1, 1.0, 2, -0.1)),
    *rows("data.crop data.flip data.binarize data.shuffle data.drop_remainder data.cache", ANY_NOT_BOOL),
    *rows("compile.run_eagerly", ANY_NOT_BOOL),
    *rows("compile.jit_compile", ("maybe", "yes", 1, 0.5, [], {})),
    *rows("data.source", (*ANY_NOT_TEXT, "", "  ", "x\0y")),
    *rows("data.split data.data_dir model.name card.description card.limits", ANY_NOT_TEXT),
    *rows("precision strategy", (*ANY_NOT_TEXT, "float16", "", "auto ")),
    *rows("data.on_error", (*ANY_NOT_TEXT, "ignore")),
    *rows("model data compile card", ANY_NOT_TABLE),
    *rows("model.type", ANY_NOT_TEXT),
    *rows("compile.loss", (1, True, [], {}, "hing", ["hinge"], {"name": "hing"}, {"name": 3}, {"class_name": "Hinge"})),
    *rows("compile.regularizers", (1, 0.5, True, "r1", {}, {"name": "r1"}, ["r3"], [1], [[]], [{}])),
    *rows("compile.regularizers", ([{"name": "r1", "weight": -1}], [{"name": "r1", "wight": 1}])),
    *rows("compile.regularizers", ([{"name": "r1", "weight": v}] for v in ("x", True, NAN, [1]))),
    *rows("compile.regularizers", ([{"name": "feature_matching", "every": 2}], [{"name": "dragan", "every": 0}])),
    *rows("compile.loss", ({"name": "least_squares", "a": "x"}, {"name": "least_squares", "b": NAN})),
    *rows("compile.d_optimizer compile.g_optimizer", (1, True, [], {}, "adm", {"name": "adm"}, {"name": 3}, ["adam"])),
    *rows("compile.g_optimizer", ({"learning_rate": 0.1}, {"name": "adam", "learningrate": 0.1})),
    *rows("compile.g_optimizer.learning_rate", (*ANY_NOT_NUMBER, 0, 0.0, -1, -1e-4, {}, {"name": "x"}, {"name": 1})),
    *rows("compile.g_optimizer.beta_1 compile.g_optimizer.beta_2", (*ANY_NOT_NUMBER, {}, 1, 2, -0.5)),
    *rows("compile.g_optimizer.epsilon compile.g_optimizer.clipnorm", (*ANY_NOT_NUMBER, 0, -1)),
    *rows("compile.g_optimizer.weight_decay", (*ANY_NOT_NUMBER, -1)),
    *rows("compile.g_optimizer.amsgrad compile.g_optimizer.use_ema", ANY_NOT_BOOL),
    *rows("compile.g_optimizer.gradient_accumulation_steps", (*ANY_NOT_INT, 0, -1)),
]
WRONG += [
    *rows("model.pack", (*ANY_NOT_INT, 0)),
    *rows("compile.augment", (1, True, "x", [], {}, {"name": "adaptive", "target": "x"})),
    *rows("compile.d_constraint", (1, "x", {}, {"name": "weight_clip", "limit": 0})),
    *rows("compile.ema_half_life", (*ANY_NOT_NUMBER, 0, {}, {"name": "linear"}, {"name": "linear", "unit": "days"})),
    *rows("compile.g_optimizer.beta_1", ({"name": "linear", "start": 0, "end": 0.5, "over": 1000},)),
]
SCHEDULE = {"name": "cosine_decay", "initial_learning_rate": 0.1}
SCHEDULES = [
    {"name": "cosine_decay"},
    {"name": "exponential_decay", "initial_learning_rate": 0.1},
    {"name": "cosin_decay", "initial_learning_rate": 0.1},
    *[SCHEDULE | {"initial_learning_rate": v} for v in (*ANY_NOT_NUMBER, {}, 0, -1)],
    *[SCHEDULE | {"decay_steps": v} for v in (*ANY_NOT_INT, 0, -1)],
    *[SCHEDULE | {"alpha": v} for v in (*ANY_NOT_NUMBER, -1)],
    *[SCHEDULE | {"warmup_steps": v} for v in (*ANY_NOT_INT, -1)],
    SCHEDULE | {"alfa": 0.1},
]


def changed(key, value):
    """Return a good recipe with one value of it changed."""
    recipe = {name: dict(each) if isinstance(each, dict) else each for name, each in GOOD.items()}
    *tables, last = key.split(".")
    inner = recipe
    for table in tables:
        inner[table] = dict(inner.get(table, {}))
        inner = inner[table]
    inner[last] = value
    return recipe


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_value_of_the_wrong_kind_is_named(key, value):
    with pytest.raises(ValueError, match=key.split(".")[-1]) as caught:
        recipes.from_dict(changed(key, value))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_of_the_wrong_kind_is_named(schedule):
    with pytest.raises(ValueError, match=r"learning_rate in .*g_optimizer in .compile") as caught:
        recipes.from_dict(changed("compile.g_optimizer.learning_rate", schedule))
    assert "\n" not in str(caught.value)


LINEAR = {"name": "linear", "start": 0, "end": 0.5, "over": 1000, "unit": "images"}
RIGHT = [
    *rows("compile.jit_compile", (True, False, "auto")),
    *rows("compile.loss", ("hinge", {"name": "non_saturating", "label_smoothing": 0.1})),
    *rows("compile.regularizers", ([], ["r1", "r2"], [{"name": "r1", "weight": 10}, "r2"])),
    *rows("compile.g_optimizer", ("adam", "Adam", {"name": "sgd"}, {"name": "Adam", "beta_1": 0, "clipnorm": 1})),
    *rows("compile.g_optimizer.learning_rate", (1, 0.5, SCHEDULE, SCHEDULE | {"decay_steps": 5, "alpha": 0})),
    *rows("data.image_size", (28, [28, 32])),
    *rows("compile.regularizers", ([{"name": "gradient_penalty", "weight": LINEAR, "every": 4, "one_sided": True}],)),
    *rows("compile.regularizers", (["dragan", "feature_matching", {"name": "historical_averaging", "weight": 0.1}],)),
    *rows("compile.loss", ("relativistic_average", {"name": "least_squares", "a": -1, "b": 1, "c": 0})),
    *rows("compile.augment", ("diffaugment", {"name": "adaptive", "target": 0.5})),
    *rows("model.pack", (2,)),
    *rows("compile.d_constraint", ({"name": "weight_clip", "limit": 0.01},)),
    *rows("compile.ema_half_life", (10_000, LINEAR)),
    *rows(
        "compile.g_optimizer", ({"name": "scheduled_adam", "beta_1": LINEAR, "learning_rate": LINEAR, "clipnorm": 1},)
    ),
    *rows("model.ema_decay", (0, 0.0, 0.9999)),
    *rows("seed", (0, 2**31 - 2)),
    *rows("metrics_every", (0, 3)),
    *rows("model", ({"type": "vae", "likelihood": "gaussian", "beta": 0}, {"type": "gan", "hidden": [8, 8]})),
]


@pytest.mark.parametrize(("key", "value"), RIGHT)
def test_what_is_right_is_taken(key, value):
    recipe = changed(key, value)
    if key == "model":
        recipe["compile"] = {}
    assert recipes.from_dict(recipe)


@pytest.mark.parametrize("content", [{}, [], 3, "x", None, {"model": {}}, {"data": {}}, {"model": {"type": "dcgan"}}])
def test_a_recipe_that_is_none(content):
    with pytest.raises(ValueError, match=r"needs model|needs data|recipe must be a table"):
        recipes.from_dict(content)


@pytest.mark.parametrize("name", presets.list_presets())
def test_the_recipes_of_the_zoo_are_valid(name):
    recipe = recipes.read(presets.preset_folder(name) / "recipe.toml")
    assert recipes.from_dict(recipes.resolved(recipe).__dict__)


FILES = [
    (b"", "needs model.type"),
    (b"epochs =", "not valid TOML"),
    (b"\xff\xfe\x00", "not text in UTF-8"),
    (b"x = " + b"[" * 50_000, "nested too deeply|not valid TOML"),
    (b"x = " + b"[" * 150 + b"]" * 150, "nested more than"),
    (b"# " + b"x" * 2**20, "at most 1,048,576 are read"),
    (b"epochs = 3\nepochs = 4", "not valid TOML"),
]


@pytest.mark.parametrize(("content", "message"), FILES)
def test_a_file_that_is_no_recipe(tmp_path, content, message):
    (tmp_path / "recipe.toml").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        recipes.read(tmp_path / "recipe.toml")


def test_recipes_that_have_no_end(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    start = time.monotonic()
    with pytest.raises(ValueError, match="is a named pipe"):
        recipes.read(tmp_path / "pipe.toml")
    assert time.monotonic() - start < 1


def test_a_recipe_of_windows(tmp_path):
    text = "\ufeff" + recipes.from_dict(GOOD).to_toml().replace("\n", "\r\n")
    (tmp_path / "recipe.toml").write_bytes(text.encode())
    assert recipes.read(tmp_path / "recipe.toml") == recipes.from_dict(GOOD)


SETTINGS = [
    ("epochs.x=3", "epochs"),
    ("model.base_filters.x=3", "base_filters"),
    ("data.source.name=3", "source"),
    ("=5", "Unknown key ''"),
    (".=5", "Unknown key|''"),
    ("model.=5", "Unknown key ''"),
    ("model=5", r"\[model\] must be a table"),
    ("model={}", "needs model.type"),
    ("seed=abc", "seed"),
    ("model.ema_decay=abc", "ema_decay"),
    ("model.d_steps=1.5", "d_steps"),
    ("compile.jit_compile=maybe", "jit_compile"),
    ("epochs=true", "epochs"),
    ("data.shuffle=yes", "shuffle"),
    ("compile.g_optimizer={name='adam', beta_1=2}", "beta_1"),
    ("compile.g_optimizer={name='adam', learning_rate=-1}", "learning_rate"),
    ("compile.regularizers=3", "regularizers"),
    ("epochs", "--set takes KEY=VALUE"),
    ("data.batch_size=0", "batch_size"),
    ("model.base_filters=" + "[" * 10_000, "base_filters"),
]


@pytest.mark.parametrize(("setting", "message"), SETTINGS)
def test_set_of_the_wrong_kind_is_named(setting, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = cli.build_parser().parse_args(["train", "dcgan", "--set", setting])
    with pytest.raises(ValueError, match=message) as caught:
        train._recipe_and_folder(arguments)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
