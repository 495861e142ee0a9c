"""What people read is made from metadata; here it is compared, so that neither can drift."""

from pathlib import Path

import numpy as np
import pytest

import kerasgan
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


def test_a_translators_card_says_how_to_give_it_photos(tmp_path):
    sides = np.random.default_rng(0).uniform(-1, 1, (2, 4, 16, 16, 3)).astype("float32")
    both = kerasgan.CycleGAN((16, 16, 3), base_filters=4, blocks=0, d_halvings=1, seed=0)
    both.examples = dict(zip("ab", sides, strict=True))
    one = kerasgan.Pix2Pix((16, 16, 3), base_filters=4, d_halvings=1, seed=0)
    one.examples = dict(zip(("source", "target"), sides, strict=True))
    texts = []
    for name, gan in (("both", both), ("one", one)):
        kerasgan.save_preset(gan, tmp_path / name)
        texts.append(cards.card(preset_files.read_metadata(tmp_path / name)))
    assert 'model.translate(photos, direction="b_to_a")' in texts[0]
    assert "model.translate(photos)" in texts[1]
    assert "model.generate(4, seed=0)" in texts[1]
    assert "translate" not in cards.card(preset_files.read_metadata("dcgan_mnist"))


def test_a_card_keeps_what_was_tried_before():
    metadata = preset_files.read_metadata("dcgan_mnist") | {"search": "| batch | FID |\n|---:|---:|\n| 16 | 7 |\n"}
    assert "## What was tried before\n\n| batch | FID |\n|---:|---:|\n| 16 | 7 |\n\n## Limits" in cards.card(metadata)
