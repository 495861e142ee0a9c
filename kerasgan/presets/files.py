"""The files of presets: where they are, what they say, and whether they are intact. No TensorFlow is needed."""

import importlib.resources
import json
from pathlib import Path

from kerasgan.support import files
from kerasgan.support.configurable import unknown_name

FORMAT_VERSION = 1
CONFIG, METADATA, GOLDEN = "config.json", "metadata.json", "golden.npz"


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
    metadata = read_json(folder / METADATA)
    version = metadata.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise ValueError(
            f"The preset {folder.name!r} has format version {version!r}; this kerasgan reads up to {FORMAT_VERSION}. "
            "Upgrade kerasgan: pip install -U kerasgan."
        )
    return metadata


def seal(folder: Path, metadata: dict) -> None:
    """Write `metadata.json` with the format version and the sha256 of every other file of the folder."""
    hashes = {path.name: files.sha256(path) for path in sorted(folder.iterdir()) if path.name != METADATA}
    files.write_json(folder / METADATA, {"format_version": FORMAT_VERSION, **metadata, "sha256": hashes})


def check_files(folder: Path) -> int:
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


def read_json(path: Path) -> dict:
    """Return the content of a JSON file of a preset; a ValueError says what to do where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"Cannot read {path}: {error}. Reinstall kerasgan, or fetch the preset again.") from error
