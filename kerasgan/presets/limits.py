"""What a file from outside may make us build: a model of ours, with no more weights than come with it."""

import contextlib
import math
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import keras
import tensorflow as tf

from kerasgan.core.base import GenerativeModel

# Networks may be built that are not shipped: a generator beside its average, optimizers.
_FACTOR, _SPARE_NUMBERS, _SPARE_ARRAYS = 8, 2**22, 100


class Held(NamedTuple):
    """How many arrays, and numbers in all of them, files of weights hold."""

    arrays: int
    numbers: int


def weights_held(file, size: int, name: str) -> Held:
    """Count what a file of weights (HDF5) holds; nothing is read but its table of contents.

    Args:
        file: path or open binary file.
        size: its bytes.
        name: what errors call it.

    Raises:
        ValueError: it is damaged, points to other files, or claims more than it has bytes for.
    """
    import h5py

    datasets, links = [], []
    try:
        with h5py.File(file, "r") as store:
            store.visititems(lambda _, item: datasets.append(item) if isinstance(item, h5py.Dataset) else None)
            store.visititems_links(lambda _, link: links.append(link) if not isinstance(link, h5py.HardLink) else None)
            outside = bool(links) or any(dataset.external or dataset.is_virtual for dataset in datasets)
            held = Held(len(datasets), sum(dataset.size or 0 for dataset in datasets))
            claimed = sum(dataset.nbytes for dataset in datasets)
    except Exception as error:  # h5py raises what the damaged byte happens to mean.
        raise ValueError(f"{name} is damaged: {one_line(error)}") from error
    if outside:
        raise ValueError(f"{name} refers to data in other files. Files of weights are whole; this one is not loaded.")
    if claimed > size:
        raise ValueError(f"{name} is damaged: it claims {claimed:,} bytes of weights and has {size:,}.")
    return held


def check_class(config: dict, name: str) -> None:
    """Raise a ValueError unless a serialised model is of a registered class of generative models."""
    registered, inner = config.get("registered_name"), config.get("config")
    if not isinstance(config.get("class_name"), str) or not isinstance(inner, dict):
        raise ValueError(f"{name} is damaged: its config names no class with a config of its own.")
    known = keras.saving.get_registered_object(registered) if isinstance(registered, str) else None
    if known is None and isinstance(registered, str) and ">" in registered:
        raise ValueError(
            f"{name} is of the class {registered!r}, which is not known here. Import the module that defines and "
            "registers it first."
        )
    if not (isinstance(known, type) and issubclass(known, GenerativeModel)):
        raise ValueError(f"{name} holds a {config['class_name'][:100]}, which is not a model of kerasgan.")


@contextlib.contextmanager
def building(held: Held, name: str) -> Iterator[None]:
    """Build within what is held: the first variable too many ends it before any memory is taken.

    Raises:
        ValueError: more is built than was held, or the building fails for whatever reason.
    """
    most = Held(*(_FACTOR * count + spare for count, spare in zip(held, (_SPARE_ARRAYS, _SPARE_NUMBERS), strict=True)))
    arrays = numbers = 0

    def count(next_creator, **arguments):
        nonlocal arrays, numbers
        arrays += 1
        numbers += math.prod(_shape(arguments["initial_value"]))
        if arrays > most.arrays or numbers > most.numbers:
            raise ValueError(f"its config asks for more weights than its files hold ({held.numbers:,} numbers)")
        return next_creator(**arguments)

    try:
        with tf.variable_creator_scope(count), warnings.catch_warnings():
            # Keras only warns where it leaves layers with the weights they were born with.
            warnings.filterwarnings("error", "Skipping nested container")
            yield
    except Exception as error:  # What a config from outside may break cannot be foreseen.
        raise ValueError(f"{name} cannot be loaded: {one_line(error)}") from error


def _shape(initial_value) -> tuple:
    if not callable(initial_value):
        return getattr(initial_value, "shape", ())
    with tf.Graph().as_default():  # There it is only described, not computed.
        return tuple(initial_value().shape)


def one_line(error: BaseException, most: int = 300) -> str:
    """Return what an error of Keras or HDF5 says, on one line of limited length."""
    text = str(error) or type(error).__name__
    # Keras prints the whole config before the reason.
    text = text.rpartition("Exception encountered: ")[2]
    text = " ".join(text.split())
    return text if len(text) <= most else text[:most] + " ..."
