"""Has a model copied its training images? The nearest of them to each generated image, in numbers and in a picture."""

import numpy as np

from kerasgan.metrics.extractors import Extractor
from kerasgan.metrics.features import extract
from kerasgan.metrics.image_sets import ImageSet
from kerasgan.metrics.neighbours import nearest
from kerasgan.metrics.observe import observe

# Larger images are compared at this size: copies stay copies, and 60,000 of them fit in memory.
LARGEST_SIDE = 32
# Real images nearer to each other than this part of what is usual are copies themselves, and no measure of distance.
COPIES = 0.001
# Of unseen real images, this share lies nearer to a training image than the threshold.
QUANTILE = 0.01


def memorised_share(generated: ImageSet, unseen: ImageSet, training: ImageSet) -> float:
    """Return the share of generated images that lie suspiciously near to a training image.

    Suspicious is what is nearer, in Euclidean distance of pixels, than 99 % of unseen real images are to their nearest
    training image. A model that generalises stays about as far from its training images as unseen ones do, so it
    scores about 0.01; one that copies scores near 1.

    Args:
        generated: images of the model.
        unseen: real images that the model was not trained on.
        training: images that it was trained on.
    """
    return share_of_copies(*map(thumbnails, (generated, training, unseen)))


def share_of_copies(generated: np.ndarray, training: np.ndarray, unseen: np.ndarray | None = None) -> float:
    """Return the share of generated vectors nearer to a training vector than 99 % of unseen ones are.

    Args:
        generated: (n, d), features or pixels.
        training: (m, d).
        unseen: (k, d); None where there are none: what is usual is then the distance from a training vector to the
            nearest other one.
    """
    _, distances = nearest(generated, training)
    if unseen is not None:
        _, usual = nearest(unseen, training)
    else:
        _, (_, usual) = (array.T for array in nearest(training, training, k=2))
        usual = usual[usual > COPIES * np.median(usual)]
    return float(np.mean(distances < np.quantile(usual, QUANTILE)))


def neighbours_picture(
    generated: ImageSet, training: ImageSet, n: int = 32, columns: int = 8, extractor: Extractor | None = None
) -> np.ndarray:
    """Return one picture of n generated images, each with its nearest training image to its right.

    Args:
        generated: images of the model.
        training: images that it was trained on.
        n: how many to draw.
        columns: pairs in a row.
        extractor: the nearest are those by its features, where its `neighbours` says so; otherwise by pixels.

    Returns:
        uint8 array (height, width, channels).
    """
    from kerasgan.images import grid

    samples = generated.first(n)
    if extractor is not None and extractor.neighbours == "features":
        base = observe(training, extractor, cached=True).features.features
        indices, _ = nearest(extract(extractor, samples).features, base)
    else:
        indices, _ = nearest(_shrunk(samples), thumbnails(training))
    found = training.at(indices[:, 0])
    pairs = np.stack([samples, found], axis=1).reshape(-1, *samples.shape[1:])
    return grid(pairs, 2 * columns)


def thumbnails(images: ImageSet) -> np.ndarray:
    """Return all images of a set as float32 vectors (n, pixels), shrunk to at most 32 pixels a side."""
    return np.concatenate([_shrunk(batch) for batch in images.read()])


def _shrunk(batch: np.ndarray) -> np.ndarray:
    block = -(-max(batch.shape[1:3]) // LARGEST_SIDE)
    count, height, width, channels = batch.shape
    height, width = height // block, width // block
    blocks = batch[:, : height * block, : width * block].reshape(count, height, block, width, block, channels)
    return blocks.mean(axis=(2, 4), dtype="float32").reshape(count, -1)
