"""Files that kerasgan 0.1.0 wrote load, give the same images, and train on as they did."""

from pathlib import Path

import keras
import numpy as np
import pytest

import kerasgan.models  # noqa: F401  Registers the classes.

FOLDER = Path(__file__).parent / "files_0_1"
EXPECTED = np.load(FOLDER / "expected.npz")


@pytest.mark.parametrize("name", ["gan", "dcgan", "vae"])
def test_a_saved_model_generates_what_it_did(name):
    model = keras.models.load_model(FOLDER / f"{name}.keras")
    # Rounding differs between processors.
    np.testing.assert_allclose(model.generate(3, seed=1), EXPECTED[f"{name}_generated"], atol=1e-5)
    assert model.epochs_done == 0  # It was saved without a clock.


# The discriminator of "gan" has dropout, and its penalty now shares the draw of the pass that it is taken at.
@pytest.mark.parametrize("name", ["dcgan", "vae"])
def test_a_saved_model_trains_on_as_it_did(name):
    model = keras.models.load_model(FOLDER / f"{name}.keras")
    images = EXPECTED["images"]
    history = model.fit(images, batch_size=8, epochs=2, initial_epoch=1, verbose=0, shuffle=False).history
    np.testing.assert_allclose(history["loss"], EXPECTED[f"{name}_loss"], rtol=1e-4)
    np.testing.assert_allclose(model.generate(3, seed=1), EXPECTED[f"{name}_after"], atol=1e-4)
