"""What people read is made from metadata; here it is compared, so that neither can drift."""

from pathlib import Path

import pytest

from kerasgan.presets import files as preset_files
from kerasgan.publishing import cards

README = Path(__file__).parent.parent / "README.md"


def test_the_readme_table_is_the_zoo():
    text = README.read_text(encoding="utf-8")
    assert cards.readme_with_table(text) == text, "the zoo changed: run `kerasgan zoo table --out README.md`"


@pytest.mark.parametrize("name", preset_files.list_presets())
def test_every_card_is_its_metadata(name):
    folder = preset_files.preset_folder(name)
    assert (folder / "README.md").read_text(encoding="utf-8") == cards.card(preset_files.read_metadata(name))


def test_a_readme_without_marks_is_refused():
    with pytest.raises(ValueError, match="no place for this table"):
        cards.readme_with_table("# kerasgan")


def test_terminal_table_names_every_preset():
    table = cards.text_table()
    assert all(name in table for name in preset_files.list_presets())
