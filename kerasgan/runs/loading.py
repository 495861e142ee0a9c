"""Find a trained model by whatever names it: a preset, a preset folder, a run, or a `.keras` file."""

from pathlib import Path

from kerasgan import presets
from kerasgan.core.base import GenerativeModel
from kerasgan.presets.files import METADATA
from kerasgan.runs import recipes, training
from kerasgan.runs.keras_file import load_keras_file


def load(name_or_path: "str | Path") -> GenerativeModel:
    """Return the trained model of a preset, a preset folder, a run's folder or a `.keras` file.

    Raises:
        ValueError: it is none of these, or it is damaged.
    """
    path = Path(name_or_path)
    if path.suffix == ".keras":
        return load_keras_file(path)
    if (path / training.RECIPE).is_file() and not (path / METADATA).is_file():
        return training.load_run(path)
    return presets.from_preset(name_or_path)


def real_images(name_or_path: "str | Path") -> dict | None:
    """Return the arguments of `kerasgan.metrics.evaluate` that name the images a preset or run was trained on.

    They are brought to its shape as they were in training. None where that is not recorded.
    """
    path = Path(name_or_path)
    if path.suffix == ".keras":
        return None
    folder = path if (path / training.RECIPE).is_file() else presets.preset_folder(name_or_path)
    recipe = folder / training.RECIPE
    return recipes.real_images(recipes.read(recipe)) if recipe.is_file() else None
