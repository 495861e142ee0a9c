"""A model is in four places: its file, the MODELS table, the contract, and the zoo. None may be missing or stale."""

import importlib
import pkgutil

import pytest
from test_contract import CASES

import kerasgan.models
from kerasgan.core.base import GenerativeModel
from kerasgan.models import MODELS
from kerasgan.presets import files as preset_files
from kerasgan.runs import recipes


def classes_in_files() -> set[type]:
    found = set()
    for info in pkgutil.iter_modules(kerasgan.models.__path__):
        module = importlib.import_module(f"kerasgan.models.{info.name}")
        members = [each for each in vars(module).values() if isinstance(each, type)]
        found |= {each for each in members if issubclass(each, GenerativeModel) and each.__module__ == module.__name__}
    return found


def test_every_model_file_is_in_the_table():
    assert classes_in_files() == set(MODELS.values())


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_public_and_has_a_contract_case(name):
    assert getattr(kerasgan, MODELS[name].__name__) is MODELS[name]
    assert MODELS[name] in {type(case.make()) for case in CASES}


@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_a_preset(name):
    assert MODELS[name].__name__ in {
        preset_files.read_metadata(preset)["model"] for preset in preset_files.list_presets()
    }


def test_every_zoo_folder_is_a_preset_with_a_recipe_card_and_grid():
    folders = [path for path in preset_files.zoo_folder().iterdir() if path.is_dir() and not path.name.startswith("__")]
    assert {path.name for path in folders} == set(preset_files.list_presets())
    for folder in folders:
        assert list(folder.glob("samples.*"))
        assert folder.name in (folder / "README.md").read_text()
        recipe = recipes.read(folder / "recipe.toml")
        assert MODELS[recipe.model["type"]].__name__ == preset_files.read_metadata(folder)["model"]
