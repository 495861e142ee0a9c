"""Case: one model under test, with its data and its tags."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerasgan.kinds import Kind
from kerasgan.testing.toy_data import toy_examples

TAGS = frozenset({"has_discriminator", "takes_networks", "no_optimizer"})


class Declared(NamedTuple):
    """What a model says of itself."""

    takes: dict[str, Kind]
    makes: Kind
    learns: dict[str, Kind]


# Compared by identity, so that a case can be the key of what was computed for it.
@dataclass(frozen=True, eq=False)
class Case:
    """One model under test. What it takes, makes and learns says what it is tested with.

    Args:
        id: short name, part of the pytest id.
        make: the model's class or a `functools.partial` of it: called with the keyword `seed`, it returns a new,
            uncompiled model. It has to be importable by name, since some checks call it in another process.
        tags: which checks apply besides: "has_discriminator" (two networks take turns), "takes_networks" (the
            constructor needs networks, so that it cannot be called without arguments), "no_optimizer" (it counts, and
            nothing is optimised).
        data: (n, seed) to n examples, arrays in the order of the model's `learns`. Small distinct distributions are
            what the check `fits_toy` can learn in seconds; the default has some of every kind.
        known_failures: name of a check -> the reason why this model fails it. Strict: it is an error if it passes.
        plays_after: epochs after which both networks take turns, of a model that is trained in phases.
        thorough: run all checks by default. Else those that take long, of which one model of a sort tells most, are
            marked slow for pytest, which `pytest -m slow` runs.
    """

    id: str
    make: Callable
    tags: frozenset = frozenset({"has_discriminator"})
    data: Callable | None = None
    known_failures: Mapping[str, str] = field(default_factory=dict)
    plays_after: int = 0
    thorough: bool = True

    def __post_init__(self):
        unknown = set(self.tags) - TAGS
        if unknown:
            raise ValueError(f"Unknown tags {sorted(unknown)} of case {self.id!r}; known: {sorted(TAGS)}.")
        object.__setattr__(self, "tags", frozenset(self.tags))

    @property
    def declared(self) -> Declared:
        """What the model takes, makes and learns."""
        return _declared(self)

    def examples(self, n: int, seed: int = 0) -> tuple:
        """Return n training examples, arrays in the order of `learns`."""
        return self.data(n, seed) if self.data is not None else toy_examples(self.declared.learns, n, seed)

    def parts(self, n: int, seed: int = 0) -> dict[str, np.ndarray]:
        """Return the parts of n training examples by name."""
        return dict(zip(self.declared.learns, tf.nest.flatten(self.examples(n, seed)), strict=True))

    def dataset(self, n: int = 12, batch_size: int = 6, seed: int = 0) -> tf.data.Dataset:
        """Return n training examples in batches of a fixed order."""
        return tf.data.Dataset.from_tensor_slices(self.examples(n, seed)).batch(batch_size)

    def batch(self, n: int = 8, seed: int = 0) -> tuple:
        """Return n training examples as tensors: what `train_step` takes."""
        return tf.nest.map_structure(tf.convert_to_tensor, self.examples(n, seed))

    @property
    def made(self) -> str:
        """The name of the part of an example that the model learns to make."""
        takes, makes, learns = self.declared
        return next(name for name, kind in learns.items() if isinstance(kind, type(makes)) and name not in takes)

    def target(self, n: int, seed: int = 0) -> np.ndarray:
        """Return n examples of what the model should learn to make."""
        return self.parts(n, seed)[self.made]

    def given(self, n: int, seed: int = 0) -> dict[str, np.ndarray]:
        """Return the inputs to generate n with, as the n examples have them: labels, captions, source images."""
        return {name: part for name, part in self.parts(n, seed).items() if name in self.declared.takes}


@functools.cache
def _declared(case: Case) -> Declared:
    model = case.make(seed=0)
    return Declared(model.takes, model.makes, model.learns)
