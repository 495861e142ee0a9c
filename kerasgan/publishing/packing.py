"""Make an entry of the zoo of a run: pack it as a preset, measure it, write its card."""

from dataclasses import replace
from pathlib import Path

from kerasgan import metrics, presets
from kerasgan.metrics import captions
from kerasgan.metrics.result import Result
from kerasgan.metrics.sounds import can_hear
from kerasgan.presets import files as preset_files
from kerasgan.publishing import cards
from kerasgan.runs import loading, recipes, training
from kerasgan.support import files

# Pixels a side up to which pictures are magnified in a card.
SMALL = 64


def pack(run: "str | Path", folder: "str | Path", data_dir: str | None = None, half: bool = False) -> Path:
    """Make a preset folder of a run: weights, recipe, measured results, sample grid and card.

    The results are those of `kerasgan evaluate` on the data set of the run; what does not learn from plain images has
    none, nor have sounds that no classifier here hears.

    Args:
        run: folder of the run.
        folder: of the preset.
        data_dir: folder of the TFDS data; None takes TFDS_DATA_DIR.
        half: keep the weights as float16, in half the space.

    Raises:
        ValueError: the run has no finished epoch, or the folder exists and is not a preset.
    """
    run, folder = Path(run), Path(folder)
    recipe, model, record = recipes.read(run / training.RECIPE), training.load_run(run), training.read_run(run)
    if not record:
        raise ValueError(f"{str(run)!r} was stopped before its first epoch ended: it has no {training.RUN}.")
    earlier = folder / training.RECIPE
    if earlier.is_file():
        # The texts of the card may be written after the run.
        recipe = replace(recipe, card=recipes.read(earlier).card or recipe.card)
        if [path.name for path in folder.iterdir()] == [training.RECIPE]:
            earlier.unlink()
            folder.rmdir()
    presets.save_preset(model, folder, half=half, training=_training_facts(recipe, record), **recipe.card)
    files.write_text(folder / training.RECIPE, recipe.to_toml())
    model = presets.from_preset(folder)
    training.save_samples(model, folder, _enlarged(model))
    panels = training.save_panels(model, folder, _enlarged(model))
    refresh(folder, **({"panels": panels} if panels else {}))
    if recipes.real_images(recipe) is not None and can_hear(model):
        measure(folder, data_dir)
    return folder


def measure(name_or_folder: "str | Path", data_dir: str | None = None, progress: bool = False) -> list[Result]:
    """Measure a preset on the data set it was trained on, write the results to its card, and return them.

    The card of what draws captions also gets pictures of captions that it was not trained on.

    Raises:
        ValueError: the preset names no data set, or the data are not there.
    """
    folder = preset_files.preset_folder(name_or_folder)
    real = loading.real_images(folder)
    if real is None:
        raise ValueError(
            f"The preset {folder.name!r} has no {training.RECIPE} that names a data set of images to measure it on."
        )
    model = presets.from_preset(folder)
    results = metrics.evaluate(model, **real, data_dir=data_dir, progress=progress)
    refresh(folder, results=[result.to_dict() for result in results])
    if model.reads == "captions":
        show_unseen(folder, data_dir)
    return results


def show_unseen(folder: Path, data_dir: str | None = None) -> None:
    """Put what a preset draws of captions that are new to it on its card, beside the nearest training images."""
    model = presets.from_preset(folder)
    panel = captions.unseen(model, **loading.real_images(folder), data_dir=data_dir)
    if panel is None:
        return
    written = training.save_panels(model, folder, _enlarged(model), {"unseen": panel})
    refresh(folder, panels=preset_files.read_metadata(folder).get("panels", {}) | written)


def _enlarged(model) -> int:
    """Return how many pixels of a card's picture one takes: 28x28 images are small on a page."""
    return 2 if model.makes.shape[0] <= SMALL else 1


def _training_facts(recipe, record: dict) -> dict:
    """Return what a card says of the training, from the recipe and what the run recorded."""
    hardware = record["hardware"]
    return {
        "data": ", ".join(recipes.sources(recipe.data)),
        **({"labels": f"of {recipe.data['labelled']} images"} if "labelled" in recipe.data else {}),
        "epochs": record["epochs"],
        "batch size": recipes.batch_size(recipe),
        "precision": recipe.precision,
        "seed": recipe.seed,
        "time": (
            f"{record['seconds'] / 60:.0f} minutes, wall clock; {record['cpu_seconds'] / 60:.0f} minutes of processor "
            f"time ({hardware['cpu']}, cores: {hardware['cores']})"
        ),
        "versions": ", ".join(f"{package} {version}" for package, version in record["versions"].items()),
    }


def refresh(folder: Path, **changes) -> None:
    """Write a preset's card from its metadata, updated with `changes`, and seal the folder again."""
    metadata = preset_files.read_metadata(folder) | changes
    metadata.pop("sha256"), metadata.pop("format_version")
    files.write_text(folder / "README.md", cards.card(metadata))
    preset_files.seal(folder, metadata)
