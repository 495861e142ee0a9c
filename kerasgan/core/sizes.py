"""Sizes that no network can be built with, refused before one is tried."""

import inspect
import numbers

# Arguments of models that are whole numbers from 1 on, or None.
COUNTS = ("latent_dim", "base_filters", "num_classes", "categories", "codes", "d_steps")


def check_sizes(model: type, given: tuple, named: dict) -> None:
    """Raise a ValueError unless the sizes among a model's constructor arguments are ones.

    Args:
        model: the class, whose constructor says what the arguments are called.
        given: the arguments without names.
        named: those with names.
    """
    names = [name for name in inspect.signature(model.__init__).parameters if name != "self"]
    arguments = dict(zip(names, given, strict=False)) | named
    for name in COUNTS:
        value = arguments.get(name)
        if value is not None and not _is_count(value):
            raise ValueError(f"{name} must be a whole number, at least 1; received {value!r}.")
    shape = arguments.get("image_shape")
    if shape is not None and not (len(shape) == 3 and all(map(_is_count, shape))):
        raise ValueError(
            "image_shape must be (height, width, channels), three whole numbers of at least 1; received "
            f"image_shape={tuple(shape)}."
        )


def _is_count(value) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= 1
