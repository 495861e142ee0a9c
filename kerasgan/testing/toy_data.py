"""Small distinct distributions of every kind, which tiny networks learn in seconds."""

import numpy as np

from kerasgan.kinds import Audio, Images, Kind, Labels, Tokens, Vectors

SHAPE = (16, 16, 1)
# Sorts of caption: so many patterns stand beside images.
CAPTIONS = 3


def toy_examples(learns: dict[str, Kind], n: int, seed: int = 0) -> tuple:
    """Return n examples of what a model learns, arrays in the order of `learns`.

    Labels and captions say where the square of an image is, or how high a sound; of two images, the first has it on the
    left and the second on the right.

    Args:
        learns: name -> kind of the parts of an example.
        n: number of examples.
        seed: of what is drawn.
    """
    kinds = list(learns.values())
    classes = next((kind.num_classes for kind in kinds if isinstance(kind, Labels)), None)
    captioned = any(isinstance(kind, Tokens) for kind in kinds) and len(kinds) > 1
    groups = np.arange(n) % (classes or (CAPTIONS if captioned else 1))
    pictures = sum(isinstance(kind, Images) for kind in kinds)
    parts, side = [], 0
    for kind in kinds:
        if isinstance(kind, Images):
            moves = _moves(groups, kind.shape[1], classes or captioned, side, pictures)
            (images,) = toy_images(n, seed + side, kind.shape)
            parts.append(np.stack([np.roll(image, move, 1) for image, move in zip(images, moves, strict=True)]))
            side += 1
        else:
            parts.append(_toy_part(kind, groups, seed, given=captioned))
    return tuple(parts)


def toy_images(n: int, seed: int = 0, shape: tuple = SHAPE) -> tuple:
    """Return (images,): a bright square of random brightness in the middle of a dark image, float32 in [-1, 1]."""
    bright = np.random.default_rng(seed).uniform(0.4, 0.8, (n, 1, 1, 1))
    return (np.where(_square(shape, shape[1] // 4), bright, -0.7).astype("float32"),)


def toy_labelled_images(n: int, seed: int = 0, shape: tuple = SHAPE, num_classes: int = 3) -> tuple:
    """Return (images, int32 labels): the square is bright, and the further right the larger the label."""
    return toy_examples({"images": Images(shape), "labels": Labels(num_classes)}, n, seed)


def toy_pairs(n: int, seed: int = 0, shape: tuple = SHAPE) -> tuple:
    """Return ((source, target),): the square on the left and, of other brightness, on the right; not paired."""
    return (toy_examples({"source": Images(shape), "target": Images(shape)}, n, seed),)


def _moves(groups, width: int, grouped: bool, side: int, pictures: int) -> np.ndarray:
    """Return how far the square of each image is moved to the right."""
    if grouped:
        return groups * (width // 2) // max(int(groups.max()), 1) - width // 4
    return np.full(len(groups), 0 if pictures == 1 else (-width // 4, width // 4)[side])


def _square(shape, left):
    height, width, _ = shape
    mask = np.zeros(shape, bool)
    mask[height // 4 : height // 4 + height // 2, left : left + width // 2] = True
    return mask


def _toy_part(kind: Kind, groups: np.ndarray, seed: int, given: bool) -> np.ndarray:
    random, n = np.random.default_rng(seed), len(groups)
    if isinstance(kind, Labels):
        return groups.astype("int32")
    if isinstance(kind, Audio):
        loud = random.uniform(0.4, 0.8, (n, 1, 1))
        waves = 2 * np.pi * (1 + groups[:, None, None]) * np.arange(kind.samples)[:, None] / kind.samples
        return np.broadcast_to(loud * np.sin(waves), (n, *kind.shape)).astype("float32")
    if isinstance(kind, Tokens) and given:
        return np.repeat(groups[:, None] % (kind.vocabulary - 1) + 1, kind.length, axis=1).astype("int32")
    if isinstance(kind, Tokens):
        return ((random.integers(0, 2, (n, 1)) + np.arange(kind.length)) % kind.vocabulary).astype("int32")
    if isinstance(kind, Vectors):
        ends = np.where(np.arange(kind.size) % 2, 0.8, -0.8)
        return (ends + random.normal(0, 0.1, (n, kind.size))).astype("float32")
    raise ValueError(f"There are no toy examples of {kind.name}: give the case its own `data`.")
