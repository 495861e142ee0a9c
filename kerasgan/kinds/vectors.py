"""Vectors: numbers with no picture to them, such as the embeddings of captions, or points of a plane."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kerasgan.kinds.kind import Kind

_LARGEST = float(np.finfo("float32").max)


@dataclass(frozen=True)
class Vectors(Kind):
    """Finite numbers, float32 (size,).

    Args:
        size: length of a vector.
    """

    size: int
    name: ClassVar[str] = "vectors"

    @property
    def shape(self):
        """(size,)."""
        return (self.size,)

    @property
    def bounds(self):
        """All finite numbers."""
        return -_LARGEST, _LARGEST

    @property
    def bounds_message(self):
        """What to say where a number is not finite."""
        return "Vectors must be finite."
