"""One check of everything that a recipe or `--set` says, before data are read or anything is built.

What is called has the say: names, types and what may be left out are read from the signatures of the model, the data
reader, `compile`, optimizers, losses and schedules. What no signature tells, ranges and words, stands in tables here.
"""

import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping

import keras

from kerasgan import augment, constraints, likelihoods, losses, optimizers, regularizers, schedules
from kerasgan.distribution import PRECISIONS, STRATEGIES
from kerasgan.support.configurable import unknown_name

SCHEDULES = {
    "cosine_decay": keras.optimizers.schedules.CosineDecay,
    "exponential_decay": keras.optimizers.schedules.ExponentialDecay,
    "polynomial_decay": keras.optimizers.schedules.PolynomialDecay,
    **schedules.SCHEDULES,
}
OPTIMIZERS = {
    name.lower(): each
    for name, each in vars(keras.optimizers).items()
    if isinstance(each, type)
    and issubclass(each, keras.optimizers.Optimizer)
    and each not in (keras.optimizers.Optimizer, keras.optimizers.LossScaleOptimizer)
} | {"adam": optimizers.Adam, "scheduled_adam": schedules.ScheduledAdam}
# Arguments that are an object: what the errors call it, and the classes that a name may stand for. In a recipe it is
# such a name, or a table of `name` and the constructor's arguments.
OBJECTS: dict[str, tuple[str, Mapping[str, type]]] = {
    "optimizer": ("optimizer", OPTIMIZERS),
    "d_optimizer": ("optimizer", OPTIMIZERS),
    "g_optimizer": ("optimizer", OPTIMIZERS),
    "loss": ("loss", losses.LOSSES),
    "regularizers": ("regularizer", regularizers.REGULARIZERS),
    "augment": ("augmentation", augment.AUGMENTATIONS),
    "d_constraint": ("constraint", {"weight_clip": constraints.WeightClip}),
    "likelihood": ("likelihood", likelihoods.LIKELIHOODS),
}
# Of these there is a list.
LISTS = ("regularizers",)
# And of these there is a list of text.
TEXTS = ("attributes",)
# Numbers that may be a schedule, in a table of its name and arguments.
SCHEDULED = {
    "learning_rate": ("learning-rate schedule", SCHEDULES),
    "weight": ("schedule", schedules.SCHEDULES),
    "ema_half_life": ("schedule", schedules.SCHEDULES),
    "probability": ("schedule", schedules.SCHEDULES),
    "top_k": ("schedule", schedules.SCHEDULES),
    "beta_1": ("schedule", schedules.SCHEDULES),
    "beta_2": ("schedule", schedules.SCHEDULES),
}
# Only `ScheduledAdam` takes these as schedules.
BETAS = ("beta_1", "beta_2")
# What is known only when the run is: it is filled in.
FILLED_IN = ("decay_steps",)

# Types of arguments whose default, None or a word, does not tell them.
TYPES = {
    "source": (str, list),
    "num_classes": (int,),
    "name": (str,),
    "jit_compile": (bool, str),
    "ema_half_life": (float,),
    "freeze_d": (int,),
    "top_k": (float,),
    "accumulate": (int,),
    "clipnorm": (float,),
    "clipvalue": (float,),
    "global_clipnorm": (float,),
    "weight_decay": (float,),
    "loss_scale_factor": (float,),
    "ema_overwrite_frequency": (int,),
    "gradient_accumulation_steps": (int,),
    "warmup_target": (float,),
    "initial_learning_rate": (float,),
    "decay_rate": (float,),
    "decay_steps": (int,),
}
WORDS = {
    "precision": PRECISIONS,
    "strategy": STRATEGIES,
    "architecture": ("conv", "mlp"),
    "estimator": ("policy_gradient", "gumbel_softmax"),
    "conditioning": ("projection", "concatenation"),
    "upsampling": ("transposed", "resized"),
    "unit": schedules.UNITS,
    "on_error": ("raise", "skip"),
    "place": ("start", "centre", "random"),
    "jit_compile": ("auto",),
    "decay": tuple(schedules.SCHEDULES),
}
# Whole numbers are at least 1, but for these; and all are what fits 32 bits, with room for one more.
AT_LEAST_0 = (
    "seed", "metrics_every", "warmup_steps", "iterations", "pretraining", "matching_epochs", "jitter", "blocks",
    "pool_size", "phase_shuffle", "freeze_d",
)  # fmt: skip
MOST = 2**31 - 2
# Numbers in [0, 1), above 0, and at least 0; others need only be finite.
BELOW_1 = ("beta_1", "beta_2", "rho", "momentum", "ema_momentum", "ema_decay", "classifier_decay", "dropout")
ABOVE_0 = (
    "learning_rate", "initial_learning_rate", "epsilon", "clipnorm", "clipvalue", "global_clipnorm", "decay_rate",
    "power", "warmup_target", "loss_scale_factor", "ema_half_life", "over", "limit",
    "gumbel_temperature",
)  # fmt: skip
NOT_NEGATIVE = (
    "after", "weight_decay", "weight", "beta", "alpha", "end_learning_rate", "label_smoothing", "d_class_weight",
    "d_fake_class_weight", "g_class_weight", "information_weight", "interpolation_weight", "variety_weight", "l2",
    "l1_weight", "cycle_weight", "identity_weight",
)  # fmt: skip
_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text", list: "a list", dict: "a table"}


def check_arguments(where: str, given, function: Callable, skip: tuple = (), also: tuple = ()) -> None:
    """Raise a ValueError unless a table holds arguments that a function takes.

    Args:
        where: what errors call the table, such as "[model]".
        given: name -> value, as read from TOML.
        function: what is to be called, or a class.
        skip: arguments of it that do not come from the table.
        also: names in the table that were checked elsewhere.
    """
    check_type(where, given, (dict,))
    parameters = _parameters(function, skip)
    for name, value in given.items():
        if name in also:
            continue
        if name not in parameters:
            raise ValueError(f"In {where}: " + unknown_name("key", name, (*parameters, *also)))
        fixed = name in BETAS and function is not schedules.ScheduledAdam
        if name in SCHEDULED and isinstance(value, dict) and not fixed:
            _check_table(f"{name} in {where}", value, *SCHEDULED[name])
        else:
            _check_argument(f"{name} in {where}", name, value, parameters[name])
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in (*given, *FILLED_IN):
            raise ValueError(f"{where} needs {name}; received {_shown(given)}.")


def _parameters(function: Callable, skip: tuple) -> dict[str, inspect.Parameter]:
    """Return what a function takes, or a class and those above it that its constructor passes keywords on to."""
    found = {}
    for each in function.__mro__ if isinstance(function, type) else (function,):
        if isinstance(each, type) and "__init__" not in vars(each):
            continue
        parameters = inspect.signature(each.__init__ if isinstance(each, type) else each).parameters.values()
        found = {parameter.name: parameter for parameter in parameters} | found
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    collecting = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {name: each for name, each in found.items() if name not in ("self", *skip) and each.kind not in collecting}


def _check_argument(label: str, name: str, value, parameter: inspect.Parameter) -> None:
    if name in LISTS:
        check_type(label, value, (list,))
        for each in value:
            _check_object(label, name, each)
    elif name in OBJECTS:
        _check_object(label, name, value)
    else:
        allowed = _types(name, parameter)
        check_type(label, value, allowed)
        _check_range(label, name, value, float not in allowed)


def _check_object(label: str, name: str, value) -> None:
    kind, table = OBJECTS[name]
    check_type(label, value, (str, dict))
    if isinstance(value, dict):
        _check_table(label, value, kind, table)
    elif value.lower() not in table:
        raise ValueError(f"In {label}: " + unknown_name(kind, value, table))


def _check_table(label: str, value: dict, kind: str, table: Mapping[str, type]) -> None:
    if not isinstance(value.get("name"), str):
        raise ValueError(f'{label} needs a name, as in {{ name = "{next(iter(table))}" }}; received {_shown(value)}.')
    name = value["name"].lower()
    if name not in table:
        raise ValueError(f"In {label}: " + unknown_name(kind, value["name"], table))
    check_arguments(label, value, table[name], skip=("name",), also=("name",))


def _types(name: str, parameter: inspect.Parameter) -> tuple[type, ...]:
    """Return which of TOML's types an argument may have; none where nothing tells."""
    if name in TYPES:
        return TYPES[name]
    if parameter.annotation is not parameter.empty:
        hint = parameter.annotation
        union = typing.get_origin(hint) in (typing.Union, types.UnionType)
        hints = [typing.get_origin(each) or each for each in (typing.get_args(hint) if union else (hint,))]
    else:
        hints = [type(parameter.default)]
    hints = [list if hint is tuple else hint for hint in hints]
    return tuple(hint for hint in hints if hint in _NAMES)


def check_word(label: str, name: str, value) -> None:
    """Raise a ValueError unless a value is one of the words that an argument of this name may be."""
    check_type(label, value, (str,))
    _check_range(label, name, value, False)


def check_type(label: str, value, allowed: tuple[type, ...]) -> None:
    """Raise a ValueError unless a value of TOML has one of the types: true is no number, but 1 is one with a point."""
    # Python's own kinds: a tuple is what a default has for a list, and true is a whole number to isinstance.
    python = {float: (int, float), list: (list, tuple)}
    fits = any(isinstance(value, python.get(each, each)) for each in allowed)
    if isinstance(value, bool):
        fits = bool in allowed
    if allowed and not fits:
        raise ValueError(f"{label} must be {' or '.join(_NAMES[each] for each in allowed)}; received {_shown(value)}.")


def _check_range(label: str, name: str, value, whole: bool) -> None:
    if name == "source":
        _check_source(label, value)
    elif isinstance(value, list | tuple):
        for each in value:
            check_type(f"Every part of {label}", each, (str,) if name in TEXTS else (int,))
            _check_range(label, name, each, whole)
        if not value and name not in TEXTS:
            raise ValueError(f"{label} must not be empty.")
    elif isinstance(value, str):
        if name in WORDS and value not in WORDS[name]:
            raise ValueError(f"In {label}: " + unknown_name(name, value, WORDS[name]))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        words = _range(name, value, whole)
        if words:
            raise ValueError(f"{label} must be {words}; received {_shown(value)}.")


def _check_source(label: str, value) -> None:
    """Raise a ValueError unless this names data, or two sources, of the two sides of pairs or of two domains."""
    names = value if isinstance(value, list) else [value]
    if any(not isinstance(name, str) or not name.strip() or "\0" in name for name in names):
        raise ValueError(f"{label} must name data; received {value!r}.")
    if isinstance(value, list) and len(value) != 2:
        raise ValueError(f"{label} must be one name, or a list of two; received {value!r}.")


def _range(name: str, value: int | float, whole: bool) -> str | None:
    """Return what a number should have been; None where it is."""
    if not math.isfinite(value):
        return "finite"
    if name in BELOW_1:
        return None if 0 <= value < 1 else "at least 0 and below 1"
    if name in ABOVE_0:
        return None if value > 0 else "above 0"
    if name in NOT_NEGATIVE:
        return None if value >= 0 else "at least 0"
    if name == "channels":
        return None if value in (1, 3) else "1 (grey) or 3 (RGB)"
    least = 0 if name in AT_LEAST_0 else 1
    if whole:
        return None if least <= value <= MOST else f"at least {least} and at most {MOST}"
    return None


def _shown(value) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:100] + " ..."
