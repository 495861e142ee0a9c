"""What commands are told that a model shall make: classes."""


def integers(text: str) -> list[int]:
    """Return the whole numbers of a text such as 3 or 0,1,2."""
    return [int(part) for part in text.split(",")]


def labels_of(model, count: int, given: list[int] | None):
    """Return a function from (start, number) to the labels of a part."""
    import numpy as np

    if given is None and "labels" not in model.takes:
        return lambda start, number: None
    if given is None:
        return lambda start, number: np.arange(start, start + number) % model.takes["labels"].num_classes
    if len(given) == 1:
        return lambda start, number: given[0]
    if len(given) != count:
        raise ValueError(f"--labels must be one class for all, or one for each of the {count}; received {len(given)}.")
    return lambda start, number: given[start : start + number]
