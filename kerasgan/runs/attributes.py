"""Teach the trained model of a run what its attributes look like."""

from pathlib import Path

import numpy as np

from kerasgan.core.attributes import Attributes
from kerasgan.data.table import read_columns
from kerasgan.data.tfds_source import grouped
from kerasgan.runs import folder as run_folder
from kerasgan.runs import recipes, training
from kerasgan.support import files


def learn_attributes(run: "str | Path", table: "str | Path", data_dir: str | None = None) -> dict[str, int]:
    """Learn the directions of a model's attributes from a table, and keep them in its run.

    Args:
        run: the folder of a run whose model has `attributes`.
        table: CSV file with a column for each attribute of 1 and 0, and a row for each stored record, in their order.
            Rows of records that the run did not learn from are left aside; those after the last one may be missing.
        data_dir: folder of the TFDS data; None takes TFDS_DATA_DIR.

    Returns:
        Attribute -> how many of the images have it.

    Raises:
        ValueError: the model has no attributes, the run did not learn from the first records on, or the table does not
            fit.
    """
    run = Path(run)
    with run_folder.held(run):
        model = training.load_run(run)
        if not isinstance(model, Attributes) or not model.attributes:
            raise ValueError(f"The {type(model).__name__} of {str(run)!r} has no names for attributes: it needs some "
                             'in its recipe, as in attributes = ["smiling"].')  # fmt: skip
        images, rows = _training_images(recipes.read(run / training.RECIPE), data_dir)
        labels = read_columns(table, model.attributes)
        if len(labels) <= rows[-1]:
            raise ValueError(
                f"{table} has {len(labels)} rows; the run learned from {len(images)} images, the last of row "
                f"{rows[-1] + 1}."
            )
        labels = labels[rows]
        model.learn_attributes(images, labels)
        with files.replacing(run / training.MODEL) as temporary:
            model.save(temporary)
    return dict(zip(model.attributes, np.nansum(labels, axis=0).astype(int).tolist(), strict=True))


def _training_images(recipe, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the images of a run's training split in stored order, as they are, and their numbers in that order."""
    split = recipe.data.get("split", "train")
    if "[" in split and "[:" not in split:
        raise ValueError(f"The rows of the table are those of the records from the first on; the run took {split!r}.")
    still = {"shuffle": False, "flip": False, "drop_remainder": False}
    batches = recipes.load_data(recipe, data_dir, **still)
    images = np.concatenate([batch[0] if isinstance(batch, tuple) else batch for batch in batches.as_numpy_iterator()])
    if "group" not in recipe.data:
        return images, np.arange(len(images))
    data = {name: recipe.data.get(name) for name in ("group", "limit")} | {"split": split}
    return images, grouped(recipe.data["source"], data_dir=data_dir or recipe.data.get("data_dir"), **data).rows
