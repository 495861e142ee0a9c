"""Transfer: what one model has learned, as far as it fits, for another: other classes, channels, or layers."""

import difflib
import re
from typing import NamedTuple

import keras

from kerasgan.core.base import GenerativeModel


class Transferred(NamedTuple):
    """What `transfer` did, by network and path of the weights.

    Attributes:
        copied: weights that are the other model's now.
        new: those that stayed as they were, since nothing there has their place and shape.
    """

    copied: list[str]
    new: list[str]

    def __str__(self) -> str:
        total = len(self.copied) + len(self.new)
        new = f"; new: {', '.join(self.new)}" if self.new else ""
        return f"{len(self.copied)} of {total} weights taken over{new}."


def transfer(source: GenerativeModel, model: GenerativeModel) -> Transferred:
    """Give a model all weights of another one that fit it, and return which did; training goes on from them.

    Networks of one name are laid side by side, layer by layer: a weight fits if it is the same weight of the same sort
    of layer at the same place, of the same shape. Embeddings of classes, where there are more or fewer, do not, nor do
    the first and the last layer of images with other channels.

    Args:
        source: a trained model, such as `from_preset` returns.
        model: of the same family, or a similar one; it is changed. Compile it before or after.

    Raises:
        ValueError: nothing fits, or the two have other words for their tokens.
    """
    if getattr(source, "words", None) != getattr(model, "words", None):
        raise ValueError(
            f"{source.name!r} and {model.name!r} know other words, so that numbers mean something else to each. Build "
            "the model with the words of the other, or train it anew."
        )
    copied, new = [], []
    for name, network in model.networks.items():
        fitting = _fitting(source.networks[name], network) if name in source.networks else {}
        for number, weight in enumerate(network.weights):
            if number in fitting:
                weight.assign(fitting[number])
            (copied if number in fitting else new).append(f"{name}/{weight.path}")
    if not copied:
        raise ValueError(
            f"No weight of {type(source).__name__} {source.name!r} fits this {type(model).__name__}: they have no "
            "layers in common. Build the model with the same arguments, such as base_filters."
        )
    model.adopt_networks()
    return Transferred(copied, new)


def _fitting(source: keras.Model, network: keras.Model) -> dict:
    """Return number of a network's weight -> the source's weight that fits it."""
    theirs, ours = source.weights, network.weights
    matcher = difflib.SequenceMatcher(None, [_sort(each) for each in theirs], [_sort(each) for each in ours], False)
    pairs = [(block.a + step, block.b + step) for block in matcher.get_matching_blocks() for step in range(block.size)]
    return {our: theirs[their] for their, our in pairs if theirs[their].shape == ours[our].shape}


def _sort(weight) -> str:
    """Return what a weight is, without the numbers that tell layers of one sort apart."""
    return re.sub(r"_\d+(?=/|$)", "", weight.path)
