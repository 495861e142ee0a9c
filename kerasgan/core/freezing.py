"""The first layers of a discriminator kept as they are, where it goes on from another's training (FreezeD)."""

import keras


def freeze_first(network: keras.Model, count: int) -> None:
    """Let no training change the first so many layers with a kernel, nor what follows them up to the next one.

    What a discriminator sees first, edges and textures, is of use for other images too. Mo et al. 2020
    (https://arxiv.org/abs/2002.10964). Batch norm among those layers keeps its statistics. All other layers are
    trained.

    Args:
        network: whose layers, in the order from its inputs.
        count: how many; embeddings have a kernel too.

    Raises:
        ValueError: no layer would be left to train.
    """
    layers = list(_with_weights(network))
    number = 0
    for layer in layers:
        number += any(len(weight.shape) > 1 for weight in layer.weights)
        layer.trainable = number > count
    if number <= count and layers:
        raise ValueError(
            f"freeze_d={count} leaves nothing to train: {network.name!r} has {number} layers with a kernel."
        )


def _with_weights(network: keras.Model):
    """Return the layers of a network that have weights, those of models inside of it instead of these."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _with_weights(layer)
        elif layer.weights:
            yield layer
