"""Golden tensors: inputs that a preset keeps with what its model must make of them; and the examples it brings."""

from pathlib import Path

import numpy as np

from kerasgan.core.sampling import Sampling
from kerasgan.presets.files import EXAMPLES, GOLDEN, read_arrays

COUNT = 4


def write(folder: Path, model) -> None:
    """Keep four inputs of each direction of a model with what it makes of them, and the model's examples."""
    arrays = {}
    for prefix, direction in _directions(model):
        count = min([COUNT, *(len(array) for array in direction.examples.values())])
        inputs = direction.sampler_inputs(count, seed=0)
        kept = {name: np.asarray(part) for name, part in zip(direction.takes, inputs, strict=True)}
        made = np.asarray(direction.sample(inputs))
        # Inputs that are examples are kept once, as such.
        own = {name: part for name, part in kept.items() if name not in direction.examples}
        arrays |= {f"{prefix}{name}": part for name, part in {direction.makes.name: made, **own}.items()}
    np.savez_compressed(folder / GOLDEN, **arrays)
    if model.examples:
        kinds = model.kinds_of_examples()
        packed = {name: kinds[name].pack(array) for name, array in model.examples.items()}
        np.savez_compressed(folder / EXAMPLES, **packed)


def give_examples(folder: Path, model) -> None:
    """Give a model the examples of its preset."""
    kinds = model.kinds_of_examples()
    packed = read_arrays(folder, EXAMPLES)
    unknown = sorted(set(packed) - set(kinds))
    if unknown:
        raise ValueError(f"The preset {folder.name!r} has {EXAMPLES} with {unknown}, which its model does not take.")
    model.examples = {name: kinds[name].unpack(array) for name, array in packed.items()}


def compare(folder: Path, model) -> float:
    """Return the largest error of what a model makes of a preset's golden inputs.

    Raises:
        ValueError: the arrays do not fit the model, or an error is over what its kind allows.
    """
    golden, errors = read_arrays(folder, GOLDEN), []
    for prefix, direction in _directions(model):
        arrays = {name: golden.pop(f"{prefix}{name}", None) for name in (direction.makes.name, *direction.takes)}
        errors.append(_compare(folder.name, direction, arrays))
    if golden:
        raise _unfit(folder.name, f"it has {sorted(golden)} besides")
    return max(errors)


def _compare(preset: str, direction: Sampling, arrays: dict) -> float:
    expected = arrays.pop(direction.makes.name)
    count = 0 if expected is None or expected.ndim == 0 else len(expected)
    try:
        direction.makes.check(expected)
        # What is missing is drawn, or an example: only the latter is right.
        given = {name: direction.examples[name][:count] if array is None else array for name, array in arrays.items()}
        inputs = direction.sampler_inputs(count, seed=0, **given)
    except (ValueError, AttributeError, KeyError) as error:
        raise _unfit(preset, error) from error
    kind = direction.makes
    error = kind.error(np.asarray(direction.sample(inputs)), expected)
    if not error <= kind.golden_tolerance:
        raise ValueError(
            f"The preset {preset!r} does not give its golden {kind.name}: largest difference {error:.2g}, allowed "
            f"{kind.golden_tolerance}. Its files are intact, so this TensorFlow or processor computes otherwise."
        )
    return error


def _directions(model) -> list[tuple[str, Sampling]]:
    """Return (prefix of the arrays, direction): the model itself has none."""
    return [("" if each is model else f"{name}.", each) for name, each in model.directions().items()]


def _unfit(preset: str, why) -> ValueError:
    return ValueError(f"The preset {preset!r} has a {GOLDEN} that does not fit its model: {why}")
