"""Presets: trained models in a folder of plain files, from the zoo or of your own.

A preset folder holds `config.json` (how to build the model), one `.weights.h5` file a network, `golden.npz` (inputs
and the outputs they must give), where the model takes what nobody can make up `examples.npz` (some of that), and
`metadata.json` (what the model is, and the sha256 of every other file). Nothing is ever unpickled.
"""

import warnings
from pathlib import Path
from typing import NamedTuple

import keras

from kerasgan.core.base import GenerativeModel
from kerasgan.presets import golden, limits
from kerasgan.presets.files import (
    CONFIG,
    EXAMPLES,
    METADATA,
    WEIGHTS,
    check_files,
    preset_folder,
    read_json,
    seal,
)
from kerasgan.presets.half import halve
from kerasgan.presets.transfer import transfer
from kerasgan.support import files
from kerasgan.support.configurable import unknown_name


class Verification(NamedTuple):
    """What `verify` found: files checked, and the largest error of the golden outputs (images have a range of 2.0)."""

    name: str
    files: int
    max_error: float


def from_preset(
    name_or_folder: "str | Path", model_class: type | None = None, dtype=None, **changes
) -> GenerativeModel:
    """Return a trained model, ready to generate or to compile and train on. No network or data set is needed.

    A program that loads many, one after another, calls `keras.backend.clear_session()` now and then: Keras gives every
    layer a new name, and TensorFlow keeps a kernel for every name of a variable, about half a megabyte a preset.

    Args:
        name_or_folder: a name of `list_presets()`, or a folder written by `save_preset`.
        model_class: the class you expect; another one is an error.
        dtype: dtype policy to build with, such as "mixed_bfloat16"; None takes float32 for models of kerasgan.
        **changes: constructor arguments to build it with instead of its own, to train it on other data: num_classes=43.
            What then does not fit is new.

    Raises:
        ValueError: no such preset, one of another class, a damaged file, or a newer format; or no weight fits.

    Warns:
        UserWarning: says which weights are new, where there are changes.
    """
    import kerasgan.models  # noqa: F401  The classes are registered when their modules are imported.

    folder = preset_folder(name_or_folder)
    listed = check_files(folder)
    model = _load(folder, listed, dtype)
    if model_class is not None and not isinstance(model, model_class):
        raise ValueError(
            f"The preset {folder.name!r} is a {type(model).__name__}, not a {model_class.__name__}. "
            f"Use {type(model).__name__}, or leave model_class out."
        )
    return _changed(model, changes) if changes else model


def _changed(model: GenerativeModel, changes: dict) -> GenerativeModel:
    """Return a model with other constructor arguments, and what fits of the weights."""
    config = model.get_config()
    for name in changes:
        if name not in config:
            raise ValueError(unknown_name(f"argument of {type(model).__name__}", name, config))
    changed = type(model).from_config(config | changes)
    warnings.warn(f"{model.name!r} with {changes}: {transfer(model, changed)}", stacklevel=3)
    return changed


def save_preset(model: GenerativeModel, folder: "str | Path", *, half: bool = False, **metadata) -> Path:
    """Write a model as a preset folder that `from_preset` loads, and return the folder.

    The folder appears whole or not at all; an earlier preset of that name is replaced.

    Args:
        model: a model of kerasgan, or of a class registered with `keras.saving.register_keras_serializable`.
        folder: where to write; an existing folder must be a preset.
        half: keep the weights as float16, in half the space; the model computes in float32 all the same.
        **metadata: JSON values to keep in `metadata.json`, such as title="...", dataset="mnist".

    Raises:
        ValueError: the folder exists and is not a preset.
    """
    folder = Path(folder)
    if folder.exists() and not (folder / METADATA).is_file():
        raise ValueError(f"{str(folder)!r} exists and is not a preset; choose another folder or remove it.")
    with files.replacing_folder(folder) as draft:
        files.write_json(draft / CONFIG, _describe(model))
        for name, network in model.networks.items():
            network.save_weights(draft / f"{name}{WEIGHTS}")
            if half:
                halve(draft / f"{name}{WEIGHTS}")
        golden.write(draft, _as_loaded(draft, model))
        seal(draft, {"name": folder.name, "model": type(model).__name__, **_sizes(model), **metadata})
    return folder


def verify(name_or_folder: "str | Path") -> Verification:
    """Check a preset's files against their sha256, and what its model makes against the golden outputs.

    Raises:
        ValueError: a file is missing or damaged, or an output differs by more than its kind allows, images by 1e-3.
    """
    folder = preset_folder(name_or_folder)
    count = len(check_files(folder))
    return Verification(folder.name, count, golden.compare(folder, from_preset(folder)))


def _describe(model: GenerativeModel) -> dict:
    config = keras.saving.serialize_keras_object(model)
    config.pop("compile_config", None)
    config.pop("build_config", None)
    return config


def _load(folder: Path, listed: list[str], dtype) -> GenerativeModel:
    """Return the model of a preset, built within what its files of weights hold."""
    name = f"The preset {folder.name!r}"
    config = read_json(folder / CONFIG)
    limits.check_class(config, name)
    paths = [folder / file for file in listed if file.endswith(WEIGHTS)]
    parts = [limits.weights_held(path, path.stat().st_size, f"{name}: {path.name}") for path in paths]
    held = limits.Held(*(sum(counts) for counts in zip(*parts, strict=True)))
    with limits.building(held, name):
        model = _build(config, dtype)
        for network_name, network in model.networks.items():
            if f"{network_name}{WEIGHTS}" not in listed:
                raise ValueError(f"it has no {network_name}{WEIGHTS}")
            network.load_weights(folder / f"{network_name}{WEIGHTS}")
    if EXAMPLES in listed:
        golden.give_examples(folder, model)
    model.adopt_networks()
    return model


def _build(config: dict, dtype) -> GenerativeModel:
    config = dict(config, config=dict(config["config"]))
    # Mixed precision is a choice of the training run, and slow on processors without it.
    config["config"]["dtype"] = keras.saving.serialize_keras_object(keras.dtype_policies.get(dtype or "float32"))
    return keras.saving.deserialize_keras_object(config)


def _as_loaded(folder: Path, model: GenerativeModel) -> GenerativeModel:
    """Return the model as it will be loaded: in float32, whatever it was trained in."""
    loaded = _build(read_json(folder / CONFIG), None)
    for name, network in loaded.networks.items():
        network.load_weights(folder / f"{name}{WEIGHTS}")
    loaded.examples = model.examples
    return loaded


def _sizes(model: GenerativeModel) -> dict:
    examples = {"examples": min(map(len, model.examples.values()))} if model.examples else {}
    # Of images, and in which directions.
    translates = {"translates": list(model.directions())} if getattr(model, "source", None) else {}
    return {
        **examples,
        **translates,
        "takes": {name: kind.describe() for name, kind in model.takes.items()},
        "makes": {
            "kind": model.makes.name,
            "size": model.makes.describe(),
            "values": model.makes.describe_values(),
            "suffix": model.makes.suffix,
        },
        "parameters": {name: network.count_params() for name, network in model.networks.items()},
    }
