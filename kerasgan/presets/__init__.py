"""Presets: trained models as folders of plain, hashed files.

Resolved on first use: what only reads the files (`kerasgan.presets.files`) does not wait for TensorFlow.
"""

import importlib

_MODULES = {
    "preset": ("Verification", "from_preset", "save_preset", "verify"),
    "transfer": ("Transferred", "transfer"),
    "files": ("list_presets", "preset_folder", "read_metadata", "seal", "zoo_folder"),
}

__all__ = [name for names in _MODULES.values() for name in names]


def __getattr__(name: str):
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"kerasgan.presets.{module}"), name)
    raise AttributeError(f"module 'kerasgan.presets' has no attribute {name!r}")
