"""Data sets with one stored split, "train": which of their examples are held out, as "test"."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

# One group in so many is held out.
ONE_IN = 10


class Apart(NamedTuple):
    """What divides a stored split into "train" and "test".

    Attributes:
        key: Name of the feature that decides: one text or whole number for each example.
        held_out: Of the value's bytes: whether such an example belongs to "test". Whole numbers come as decimal digits.
    """

    key: str
    held_out: Callable[[bytes], bool]


def tenth_of_groups(key: str) -> Apart:
    """Holds out a tenth of the groups that a feature tells apart, each as a whole, by the hash of its value.

    Nothing but its own name decides where a group belongs: neither a seed nor the order, nor what else there is.
    """
    return Apart(key, lambda value: int.from_bytes(hashlib.sha256(value).digest()) % ONE_IN == 0)
