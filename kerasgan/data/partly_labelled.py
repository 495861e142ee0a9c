"""Batches for semi-supervised learning: of examples without labels, and between them the few that have one.

Salimans et al. 2016, section 5 (https://arxiv.org/abs/1606.03498): every update sees as many labelled images as others.
Among 60,000 a hundred labelled ones would hardly ever be seen.
"""

import numpy as np

from kerasgan.data import options
from kerasgan.data.examples import Examples
from kerasgan.data.parts import Images, Order, Part

UNKNOWN = -1
# Of the random numbers of a seed: which examples keep their labels.
_PURPOSE = 7


def batches(examples: Examples, labelled: int | None, order: Order, flip: bool = False, binarize: bool = False):
    """Returns a `tf.data.Dataset` of (images, labels) whose batches hold both sorts, in turn.

    An epoch shows every example once with the label -1, and beside each one that is labelled. These begin anew, in
    another order, when all were shown.

    Args:
        examples: Images in memory with labels, -1 where one is not known.
        labelled: Keep only so many labels, the same number of every class. None keeps all that are known.
        order: Of the batches, which are of twice its size.
        flip: As in `kerasgan.data.load`.
        binarize: As in `kerasgan.data.load`.

    Raises:
        ValueError: The examples are streamed, or a class has too few labels or none.
    """
    import tensorflow as tf

    if examples.stream is not None:
        raise ValueError(f"Labels that are known in part need the labels in memory; read {examples.name!r} with cache=True.")
    chosen = choose(examples.name, examples.labels, examples.num_classes, labelled, order.seed)
    parts = [
        Images(examples.images, examples.image_shape, flip, binarize),
        Images(examples.images[chosen], examples.image_shape, flip, binarize, side=1),
        Part(examples.labels[chosen], side=1),
    ]

    def in_turn(images, labelled_images, labels):
        # One of each sort after the other: whatever shares a batch out gives everyone both.
        shape = tf.concat([[-1], tf.shape(images)[1:]], 0)
        both = tf.reshape(tf.stack([images, labelled_images], axis=1), shape)
        all_labels = tf.reshape(tf.stack([tf.fill(tf.shape(labels), UNKNOWN), labels], axis=1), [-1])
        size = None if images.shape[0] is None else 2 * images.shape[0]
        return tf.ensure_shape(both, (size, *images.shape[1:])), tf.ensure_shape(all_labels, (size,))

    mixed = options.batches(examples.name, parts, order, examples.num_examples)
    return mixed.map(in_turn, tf.data.AUTOTUNE, deterministic=True).prefetch(2)


def has_unknown(labels: np.ndarray | None) -> bool:
    """Returns whether there are labels and some of them are -1."""
    return labels is not None and bool((labels == UNKNOWN).any())


def choose(name: str, labels: np.ndarray, num_classes: int, count: int | None, seed: int) -> np.ndarray:
    """Returns the numbers of the examples whose labels are kept, ordered by class.

    Args:
        name: What to call the source in messages.
        labels: int32 (n,), -1 where one is not known.
        num_classes: Number of classes.
        count: How many to keep, the same number of every class, by lot. None keeps all.
        seed: Of the lots.

    Raises:
        ValueError: A class has too few known labels or none, or the count is no multiple of the number of classes.
    """
    members = [np.flatnonzero(labels == each) for each in range(num_classes)]
    missing = [each for each, some in enumerate(members) if not len(some)]
    if missing:
        raise ValueError(
            f"{name}: no example of the classes {missing} has a known label, of {num_classes} classes in all. Label at "
            "least one example of each, or number the classes from 0 without gaps."
        )
    if count is None:
        return np.concatenate(members)
    each, rest = divmod(options.check_count("labelled", count), num_classes)
    scarcest = min(map(len, members))
    if rest or each > scarcest:
        raise ValueError(
            f"{name}: labelled must be a multiple of its {num_classes} classes, of which each has at least {scarcest} "
            f"known labels: at most {num_classes * scarcest}; received {count}."
        )
    random = np.random.default_rng((seed, _PURPOSE))
    return np.concatenate([np.sort(random.choice(some, each, replace=False)) for some in members])
