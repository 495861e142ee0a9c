"""How many test images a model that classifies gets wrong."""

import numpy as np

from kerasgan.metrics.categories import match
from kerasgan.metrics.image_sets import BATCH_SIZE, ImageSet
from kerasgan.metrics.result import Result, short

# Training images that tell which category is which class. Their labels decide these names, and nothing else.
MATCHED_ON = 10_000


def errors(model, against, real: ImageSet, provenance: dict, **data) -> list[Result]:
    """Return the number of wrong answers of `model.classify` on the images that are compared with.

    Categories that a model found without labels are matched with the classes first: once, one to one, on training
    images. There is no result where the images may be training images, have no labels, or others than the model's
    classes.

    Args:
        model: with `classify(images)` to class numbers and `num_classes`, or to categories and `categories`, which is
            how many there are.
        against: where the images come from, as `kerasgan.data.load` takes it.
        real: the images.
        provenance: of the results.
        **data: further arguments of `kerasgan.data.load`.
    """
    from kerasgan.data import info

    split = real.name.rpartition("/")[2]
    if split.startswith("train") or "::" in split:
        return []
    known = {key: value for key, value in data.items() if key not in ("crop", "cache", "flip")}
    count = model.num_classes or getattr(model, "categories", None)
    if not count or info(against, split=split, **known).num_classes != count:
        return []
    protocol = {"metric": "classification_errors", "real": real.name, "real images": real.count, "unit": "images"}
    found, labels = _classified(model, against, split, real.count, data)
    if model.num_classes is None:
        categories, classes = _classified(model, against, "train", MATCHED_ON, data)
        found = match(categories, classes, count)[found]
        protocol["categories"] = f"found without labels; matched with classes one to one on {len(classes):,} of train"
    wrong = float(np.sum(found != labels))
    return [Result(f"classification_errors_{short(real.count)}", wrong, protocol=protocol, provenance=provenance)]


def _classified(model, against, split: str, limit: int, data: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return what the model takes the first images of a split for, and their labels."""
    from kerasgan.data import load

    batches = load(
        against, split=split, labels=True, limit=limit, batch_size=BATCH_SIZE, shuffle=False, drop_remainder=False,
        **data,
    )  # fmt: skip
    pairs = [(model.classify(images), labels) for images, labels in batches.as_numpy_iterator()]
    found, labels = zip(*pairs, strict=True)
    return np.concatenate(found), np.concatenate(labels)
