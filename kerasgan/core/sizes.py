"""Sizes that no network can be built with, refused before one is tried."""

import inspect
import numbers

# Arguments of models that are whole numbers from 1 on, or None where they have no other default.
COUNTS = (
    "latent_dim", "base_filters", "num_classes", "categories", "codes", "d_steps", "chains", "sampling_steps",
    "gibbs_steps", "mean_field_steps", "d_halvings", "samples", "rate", "length", "vocabulary", "embedding_dim",
    "units", "d_embedding_dim", "rollouts", "max_filters", "mapping_layers",
)  # fmt: skip


def check_sizes(model: type, given: tuple, named: dict) -> None:
    """Raise a ValueError unless the sizes among a model's constructor arguments are ones.

    Args:
        model: the class, whose constructor says what the arguments are called.
        given: the arguments without names.
        named: those with names.
    """
    parameters = {name: each for name, each in inspect.signature(model.__init__).parameters.items() if name != "self"}
    arguments = dict(zip(parameters, given, strict=False)) | named
    for name in COUNTS:
        value = arguments.get(name)
        needed = name in arguments and name in parameters and isinstance(parameters[name].default, int)
        if (value is not None or needed) and not is_count(value):
            raise ValueError(f"{name} must be a whole number, at least 1; received {value!r}.")
    shape = arguments.get("image_shape")
    if shape is not None and not (hasattr(shape, "__len__") and len(shape) == 3 and all(map(is_count, shape))):
        raise ValueError(
            "image_shape must be (height, width, channels), three whole numbers of at least 1; received "
            f"image_shape={shape!r}."
        )


def is_count(value) -> bool:
    """Return whether a value is a whole number, at least 1."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= 1
