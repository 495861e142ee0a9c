"""The files of presets: where they are, what they say, and whether they are intact. No TensorFlow is needed."""

import importlib.resources
import re
from pathlib import Path

import numpy as np

from kerasgan.support import arrays, files
from kerasgan.support.configurable import unknown_name

FORMAT_VERSION = 1
CONFIG, METADATA, GOLDEN, EXAMPLES = "config.json", "metadata.json", "golden.npz", "examples.npz"
WEIGHTS = ".weights.h5"
# Some inputs and what they must give: 4 images of 1024 pixels a side in three colours take a fifth of this.
_MOST_ARRAYS = 256 * 2**20
_AGAIN = "Reinstall kerasgan, or fetch the preset again."
# What `metadata.json` says, where it says it. The first ones it must say.
_REQUIRED = {"format_version": int, "name": str, "model": str, "parameters": dict, "sha256": dict}
_OPTIONAL = {
    "image_shape": list,
    "takes": dict,
    "makes": dict,
    "examples": int,
    "translates": list,
    "training": dict,
    "results": list,
    "panels": dict,
    "description": str,
    "limits": str,
    "search": str,
    "data_license": str,
}


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
    """Return the metadata of a preset, checked.

    Raises:
        ValueError: no such preset, damaged metadata, or a format newer than this version of kerasgan reads.
    """
    folder = preset_folder(name_or_folder)
    _check_place(folder, METADATA)
    metadata = read_json(folder / METADATA)
    version = metadata.get("format_version")
    if _is(version, int) and version > FORMAT_VERSION:
        raise ValueError(
            f"The preset {folder.name!r} has format version {version!r}; this kerasgan reads up to {FORMAT_VERSION}. "
            "Upgrade kerasgan: pip install -U kerasgan."
        )
    for key, kind in (_REQUIRED | {key: kind for key, kind in _OPTIONAL.items() if key in metadata}).items():
        if not _is(metadata.get(key), kind):
            raise _damaged(folder, f"needs {key}, as {kind.__name__}; it has {metadata.get(key)!r:.100}")
    if version < 1:
        raise _damaged(folder, f"has the format version {version}; the first one was 1")
    for key, kind in (("parameters", int), ("sha256", str)):
        wrong = [name for name, value in metadata[key].items() if not _is(value, kind)]
        if wrong:
            raise _damaged(folder, f"has {key} with {wrong[0]!r:.100} that is no {kind.__name__}")
    if not all(_is(result, dict) for result in metadata.get("results", [])):
        raise _damaged(folder, "has results that are no objects")
    return metadata


def seal(folder: Path, metadata: dict) -> None:
    """Write `metadata.json` with the format version and the sha256 of every other file of the folder."""
    hashes = {path.name: files.sha256(path) for path in sorted(folder.iterdir()) if path.name != METADATA}
    files.write_json(folder / METADATA, {"format_version": FORMAT_VERSION, **metadata, "sha256": hashes})


def check_files(folder: Path) -> list[str]:
    """Return the names of a preset's files, after comparing each with its sha256.

    Raises:
        ValueError: a file is missing, damaged or not in the folder itself, or one that is needed is not listed.
    """
    metadata = read_metadata(folder)
    hashes = metadata["sha256"]
    needed = {CONFIG, GOLDEN} | {f"{network}{WEIGHTS}" for network in metadata["parameters"]}
    unlisted = sorted(needed - set(hashes))
    if unlisted:
        raise _damaged(folder, f"lists no sha256 of {unlisted[0]!r:.100}")
    for name, expected in hashes.items():
        _check_place(folder, name)
        if files.sha256(folder / name) != expected:
            raise ValueError(f"The file {name} of the preset {folder.name!r} is damaged ({folder / name}). {_AGAIN}")
    return list(hashes)


def read_json(path: Path) -> dict:
    """Return the object in a JSON file of a preset; a ValueError says what to do where it cannot be read."""
    try:
        return files.read_json(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"Cannot read {path}: {error}. {_AGAIN}") from error


def read_arrays(folder: Path, name: str) -> dict[str, np.ndarray]:
    """Return the arrays of a preset's `.npz` file, each no larger than the bytes that it has in the file.

    Raises:
        ValueError: it is damaged, or larger than some inputs and outputs are.
    """
    try:
        with open(folder / name, "rb") as file:
            return arrays.read_npz(file, _MOST_ARRAYS)
    except (OSError, ValueError) as error:
        raise ValueError(f"The file {name} of the preset {folder.name!r} is damaged: {error}. {_AGAIN}") from error


def _check_place(folder: Path, name: str) -> None:
    """Raise a ValueError unless a preset's file is a regular one in its folder."""
    if not name or name in (".", "..") or re.search(r"[/\\:\0]", name):
        raise _damaged(folder, f"lists {name!r:.100}, which is not the name of a file in it")
    path = folder / name
    if not path.is_file():
        raise ValueError(f"The file {name} of the preset {folder.name!r} is missing ({path}). {_AGAIN}")
    if path.resolve().parent != folder.resolve():
        raise _damaged(folder, f"has the file {name} elsewhere: it is a symbolic link out of the folder")


def _damaged(folder: Path, what: str) -> ValueError:
    return ValueError(f"The preset {folder.name!r} is not one of kerasgan, or damaged: {METADATA} {what}. {_AGAIN}")


def _is(value, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))
