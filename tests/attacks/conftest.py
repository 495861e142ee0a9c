"""A tiny model as a preset and as a .keras file, to be damaged."""

import shutil

import pytest
from attack_tools import TINY

import kerasgan


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a preset and a .keras file of the same tiny model."""
    folder = tmp_path_factory.mktemp("made")
    gan = kerasgan.DCGAN(**TINY)
    gan.compile()
    gan.save(folder / "tiny.keras")
    kerasgan.save_preset(gan, folder / "tiny")
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made / "tiny", tmp_path / "tiny")
