"""Batches for semi-supervised learning: of examples without labels, and between them the few that have one.

Salimans et al. 2016, section 5 (https://arxiv.org/abs/1606.03498): every update sees labelled images and others. Among
60,000 a hundred labelled ones would hardly ever be seen.
"""

import numpy as np

from kerasgan.data import options
from kerasgan.data.examples import Examples
from kerasgan.data.parts import Images, Order, Part

UNKNOWN = -1
# Of the random numbers of a seed: which examples keep their labels.
_PURPOSE = 7


def has_unknown(labels: np.ndarray | None) -> bool:
    """Returns whether there are labels and some of them are -1."""
    return labels is not None and bool((labels == UNKNOWN).any())


def batches(
    examples: Examples, labelled: int | None, labelled_batch: int | None, order: Order, flip=False, binarize=False
):
    """Returns a `tf.data.Dataset` of (images, labels) whose batches hold both sorts, evenly spread.

    An epoch shows every example once with the label -1. The labelled ones begin anew, in another order, when all were
    shown.

    Args:
        examples: Images in memory with labels, -1 where one is not known.
        labelled: Keep only so many labels, the same number of every class. None keeps all that are known.
        labelled_batch: Labelled examples in a batch. None for as many as there are others.
        order: Of the others; `batch_size` is their number in a batch.
        flip: As in `kerasgan.data.load`.
        binarize: As in `kerasgan.data.load`.

    Raises:
        ValueError: The examples are streamed, or a class has too few labels or none.
    """
    import tensorflow as tf

    from kerasgan.data import pipeline

    if examples.stream is not None:
        raise ValueError(f"To mix in labelled images, they must be in memory: read {examples.name!r} with cache=True.")
    chosen = choose(examples.name, examples.labels, examples.num_classes, labelled, order.seed)
    size = order.batch_size if labelled_batch is None else options.check_count("labelled_batch", labelled_batch)
    shape = examples.image_shape
    labelled_parts = [
        Images(examples.images[chosen], shape, flip, binarize, side=1),
        Part(examples.labels[chosen], side=1),
    ]
    others = options.batches(
        examples.name, [Images(examples.images, shape, flip, binarize)], order, examples.num_examples
    )
    beside = options.batches(
        examples.name, labelled_parts, order._replace(batch_size=size), num_examples=len(others) * size
    )

    def mixed(images, with_labels):
        labelled_images, labels = with_labels
        unknown = tf.fill(tf.shape(images)[:1], UNKNOWN)
        return _spread(images, labelled_images), _spread(unknown, labels)

    return tf.data.Dataset.zip((others, beside)).map(mixed, pipeline.PARALLEL_CALLS, deterministic=True).prefetch(2)


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
            f"{name}: of {num_classes} classes, these have no example with a known label: {missing}. Label at least "
            "one of each, or number the classes from 0 on without gaps."
        )
    if count is None:
        return np.concatenate(members)
    each, rest = divmod(options.check_count("labelled", count), num_classes)
    scarcest = min(map(len, members))
    if rest or each > scarcest:
        raise ValueError(
            f"{name}: labelled must be a multiple of {num_classes}, the number of classes, and at most "
            f"{num_classes * scarcest}, since a class has {scarcest} known labels; received {count}."
        )
    random = np.random.default_rng((seed, _PURPOSE))
    return np.concatenate([np.sort(random.choice(some, each, replace=False)) for some in members])


def _spread(many, few):
    """Returns the rows of two tensors as one, spread evenly: whatever shares a batch out gives everyone of both."""
    import tensorflow as tf

    counts = [tf.shape(part)[0] for part in (many, few)]
    places = [(tf.cast(tf.range(count), "float32") + 0.5) / tf.cast(count, "float32") for count in counts]
    rows = tf.gather(tf.concat([many, few], 0), tf.argsort(tf.concat(places, 0), stable=True))
    sizes = (many.shape[0], few.shape[0])
    return tf.ensure_shape(rows, (None if None in sizes else sum(sizes), *many.shape[1:]))
