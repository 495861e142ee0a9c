"""How many test images a model that classifies gets wrong."""

import numpy as np

from kerasgan.metrics.image_sets import BATCH_SIZE, ImageSet
from kerasgan.metrics.result import Result, short


def errors(model, against, real: ImageSet, provenance: dict, **data) -> list[Result]:
    """Return the number of wrong answers of `model.classify` on the images that are compared with.

    There are none where these may be training images, have no labels, or others than the model's classes.

    Args:
        model: with `classify(images)` to class numbers, and `num_classes`.
        against: where the images come from, as `kerasgan.data.load` takes it.
        real: the images.
        provenance: of the results.
        **data: further arguments of `kerasgan.data.load`.
    """
    from kerasgan.data import info, load

    split = real.name.rpartition("/")[2]
    if split.startswith("train") or "::" in split:
        return []
    known = {key: value for key, value in data.items() if key not in ("crop", "cache", "flip")}
    if info(against, split=split, **known).num_classes != model.num_classes:
        return []
    batches = load(
        against, split=split, labels=True, limit=real.count, batch_size=BATCH_SIZE, shuffle=False,
        drop_remainder=False, **data,
    )  # fmt: skip
    wrong = sum(int(np.sum(model.classify(images) != labels)) for images, labels in batches.as_numpy_iterator())
    protocol = {"metric": "classification_errors", "real": real.name, "real images": real.count}
    name = f"classification_errors_{short(real.count)}"
    return [Result(name, float(wrong), protocol=protocol | {"unit": "images"}, provenance=provenance)]
