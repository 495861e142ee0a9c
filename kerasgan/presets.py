"""Presets: trained models in a folder of plain files, from the zoo or of your own.

A preset folder holds `config.json` (how to build the model), one `.weights.h5` file a network, `golden.npz` (latents
and the images they must give), and `metadata.json` (what the model is, and the sha256 of every other file). Nothing is
ever unpickled.
"""

import importlib.resources
import json
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from kerasgan import files
from kerasgan.base import GenerativeModel
from kerasgan.configurable import unknown_name

FORMAT_VERSION = 1
CONFIG, METADATA, GOLDEN = "config.json", "metadata.json", "golden.npz"
# Rounding differs between processors; a wrong or damaged weight moves images by far more.
GOLDEN_TOLERANCE = 1e-3


class Verification(NamedTuple):
    """What `verify` found: files checked, and the largest difference from the golden images (range 2.0)."""

    name: str
    files: int
    max_error: float


def zoo_folder() -> Path:
    """Return the folder of the zoo that is installed with kerasgan."""
    return Path(str(importlib.resources.files("kerasgan.zoo")))


def list_presets() -> list[str]:
    """Return the names of the zoo's presets, sorted."""
    return sorted(path.parent.name for path in zoo_folder().glob(f"*/{METADATA}"))


def preset_folder(name_or_folder: "str | Path") -> Path:
    """Return the folder of a preset, by its name in the zoo or by its path.

    Raises:
        ValueError: neither a preset of the zoo nor a preset folder.
    """
    for folder in (zoo_folder() / str(name_or_folder), Path(name_or_folder)):
        if (folder / METADATA).is_file():
            return folder
    if Path(name_or_folder).is_dir():
        raise ValueError(f"The folder {str(name_or_folder)!r} is not a preset: it has no {METADATA}.")
    raise ValueError(unknown_name("preset", str(name_or_folder), list_presets()) + " Or give the path of a folder.")


def read_metadata(name_or_folder: "str | Path") -> dict:
    """Return the metadata of a preset.

    Raises:
        ValueError: no such preset, damaged metadata, or a format newer than this version of kerasgan reads.
    """
    folder = preset_folder(name_or_folder)
    metadata = _read_json(folder / METADATA)
    version = metadata.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise ValueError(
            f"The preset {folder.name!r} has format version {version!r}; this kerasgan reads up to {FORMAT_VERSION}. "
            "Upgrade kerasgan: pip install -U kerasgan."
        )
    return metadata


def from_preset(name_or_folder: "str | Path", model_class: type | None = None, dtype=None) -> GenerativeModel:
    """Return a trained model, ready to generate or to compile and train on. No network or data set is needed.

    Args:
        name_or_folder: a name of `list_presets()`, or a folder written by `save_preset`.
        model_class: the class you expect; another one is an error.
        dtype: dtype policy to build with, such as "mixed_bfloat16"; None takes float32 for models of kerasgan.

    Raises:
        ValueError: no such preset, one of another class, a damaged file, or a newer format.
    """
    folder = preset_folder(name_or_folder)
    _check_files(folder)
    config = _read_json(folder / CONFIG)
    model = _build(folder.name, config, dtype)
    if model_class is not None and not isinstance(model, model_class):
        raise ValueError(
            f"The preset {folder.name!r} is a {type(model).__name__}, not a {model_class.__name__}. "
            f"Use {type(model).__name__}, or leave model_class out."
        )
    for name, network in model.networks.items():
        network.load_weights(folder / f"{name}.weights.h5")
    model.adopt_networks()
    return model


def save_preset(model: GenerativeModel, folder: "str | Path", **metadata) -> Path:
    """Write a model as a preset folder that `from_preset` loads, and return the folder.

    The folder appears whole or not at all; an earlier preset of that name is replaced.

    Args:
        model: a model of kerasgan, or of a class registered with `keras.saving.register_keras_serializable`.
        folder: where to write; an existing folder must be a preset.
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
            network.save_weights(draft / f"{name}.weights.h5")
        _write_golden(draft)
        seal(draft, {"name": folder.name, "model": type(model).__name__, **_sizes(model), **metadata})
    return folder


def seal(folder: Path, metadata: dict) -> None:
    """Write `metadata.json` with the format version and the sha256 of every other file of the folder."""
    hashes = {path.name: files.sha256(path) for path in sorted(folder.iterdir()) if path.name != METADATA}
    files.write_json(folder / METADATA, {"format_version": FORMAT_VERSION, **metadata, "sha256": hashes})


def verify(name_or_folder: "str | Path") -> Verification:
    """Check a preset's files against their sha256 and its images against the golden ones.

    Raises:
        ValueError: a file is missing or damaged, or the images differ by more than 1e-3 (of a range of 2).
    """
    folder = preset_folder(name_or_folder)
    count = _check_files(folder)
    model = from_preset(folder)
    golden = np.load(folder / GOLDEN, allow_pickle=False)
    inputs = [golden[name] for name in ("latents", "labels") if name in golden]
    images = np.asarray(model(inputs[0] if len(inputs) == 1 else inputs))
    error = float(np.abs(images - golden["images"]).max())
    if not error <= GOLDEN_TOLERANCE:
        raise ValueError(
            f"The preset {folder.name!r} does not give its golden images: largest difference {error:.2g}, "
            f"allowed {GOLDEN_TOLERANCE}. Its files are as published, so this TensorFlow or processor computes otherwise."
        )
    return Verification(folder.name, count, error)


def _describe(model: GenerativeModel) -> dict:
    config = keras.saving.serialize_keras_object(model)
    config.pop("compile_config", None)
    config.pop("build_config", None)
    return config


def _build(name: str, config: dict, dtype) -> GenerativeModel:
    config = dict(config, config=dict(config["config"]))
    # Mixed precision is a choice of the training run, and slow on processors without it.
    config["config"]["dtype"] = keras.saving.serialize_keras_object(keras.dtype_policies.get(dtype or "float32"))
    try:
        return keras.saving.deserialize_keras_object(config)
    except TypeError as error:
        raise ValueError(
            f"The preset {name!r} is of the class {config.get('registered_name')!r}, which cannot be built: {error} "
            "Import the module that defines and registers it first."
        ) from error


def _write_golden(folder: Path) -> None:
    """Keep four latents and their images, made by the model as it will be loaded."""
    model = _build(folder.name, _read_json(folder / CONFIG), None)
    for name, network in model.networks.items():
        network.load_weights(folder / f"{name}.weights.h5")
    inputs = [np.asarray(part) for part in model.sampler_inputs(4, seed=0)]
    images = np.asarray(model(inputs[0] if len(inputs) == 1 else inputs))
    np.savez_compressed(folder / GOLDEN, images=images, **dict(zip(("latents", "labels"), inputs, strict=False)))


def _sizes(model: GenerativeModel) -> dict:
    return {
        "image_shape": list(model.image_shape),
        "latent_dim": model.latent_dim,
        "num_classes": model.num_classes,
        "parameters": {name: network.count_params() for name, network in model.networks.items()},
    }


def _check_files(folder: Path) -> int:
    """Return how many files were checked; raise a ValueError naming the first that is missing or damaged."""
    hashes = read_metadata(folder).get("sha256", {})
    for name, expected in hashes.items():
        path = folder / name
        problem = "is missing" if not path.is_file() else "is damaged" if files.sha256(path) != expected else None
        if problem:
            raise ValueError(
                f"The file {name} of the preset {folder.name!r} {problem} ({path}). "
                "Reinstall kerasgan, or fetch the preset again."
            )
    return len(hashes)


def _read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"Cannot read {path}: {error}. Reinstall kerasgan, or fetch the preset again.") from error
