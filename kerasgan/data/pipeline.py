"""From examples in uint8 to a `tf.data.Dataset` of float batches.

The order of epoch k is a pure function of (seed, k): a run that is resumed with `first_epoch=k`
sees the batches that an uninterrupted run would have seen.
"""

import functools
import itertools

import numpy as np
import tensorflow as tf

from kerasgan import images as image_module
from kerasgan.data.examples import Examples

# What `cache=False` keeps of a TFDS stream in memory to shuffle from.
STREAM_SHUFFLE_BUFFER = 10_000


class Batches:
    """Batch number `index` of epoch number `epoch`, as a pure function of both and the seed."""

    def __init__(self, examples: Examples, batch_size, seed, shuffle, flip, binarize):
        self.examples = examples
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.flip = flip
        self.binarize = binarize
        # An epoch's tail and the next one's head may be prepared at the same time.
        self._order = functools.lru_cache(maxsize=2)(self._compute_order)

    def _compute_order(self, epoch: int) -> np.ndarray:
        count = len(self.examples.images)
        if not self.shuffle:
            return np.arange(count)
        return np.random.default_rng((self.seed, epoch)).permutation(count)

    def __call__(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns float32 images (b, h, w, c) in [-1, 1] and int32 labels (b,)."""
        start = int(index) * self.batch_size
        chosen = self._order(int(epoch))[start : start + self.batch_size]
        labels = self.examples.labels
        labels = np.zeros(len(chosen), np.int32) if labels is None else labels[chosen]
        return self.finish(self.examples.images[chosen], epoch, index), labels

    def finish(self, images: np.ndarray, epoch: int, index: int) -> np.ndarray:
        """Flips and converts one uint8 batch; the only place where uint8 becomes float."""
        if self.flip:
            flipped = np.random.default_rng((self.seed, int(epoch), int(index))).random(len(images))
            images = np.where((flipped < 0.5)[:, None, None, None], images[:, :, ::-1], images)
        if self.binarize:
            images = np.where(images >= 128, np.uint8(255), np.uint8(0))
        return image_module.to_float(images)


def build(batches: Batches, *, labels: bool, first_epoch: int, drop_remainder: bool) -> tf.data.Dataset:
    """The dataset whose k-th iteration is epoch `first_epoch + k` of `batches`."""
    examples, batch_size = batches.examples, batches.batch_size
    count = examples.num_examples
    num_batches = count // batch_size if drop_remainder else -(-count // batch_size)
    epochs = itertools.count(first_epoch)

    def next_epoch(_):
        epoch = tf.numpy_function(lambda: np.int64(next(epochs)), [], tf.int64)
        return tf.ensure_shape(epoch, ())

    def shaped(images, y):
        static = batch_size if drop_remainder else None
        images = tf.ensure_shape(images, (static, *examples.image_shape))
        return (images, tf.ensure_shape(y, (static,))) if labels else images

    def by_index(epoch):
        return tf.data.Dataset.range(num_batches).map(lambda index: (epoch, index))

    def fetch(epoch, index):
        return shaped(*tf.numpy_function(batches, [epoch, index], (tf.float32, tf.int32)))

    def streamed(epoch):
        stream = examples.stream
        if batches.shuffle:
            # Any fixed mixing of the two numbers will do; it must not depend on the process.
            seed = batches.seed * 1_000_003 + epoch
            stream = stream.shuffle(STREAM_SHUFFLE_BUFFER, seed, reshuffle_each_iteration=False)
        stream = stream.batch(batch_size, drop_remainder).enumerate()
        return stream.map(lambda index, pair: (epoch, index, *pair))

    def finish(epoch, index, images, y):
        images = tf.numpy_function(batches.finish, [images, epoch, index], tf.float32)
        return shaped(images, y)

    dataset = tf.data.Dataset.range(1).map(next_epoch)
    if examples.stream is None:
        dataset = dataset.flat_map(by_index).map(fetch, tf.data.AUTOTUNE, deterministic=True)
    else:
        dataset = dataset.flat_map(streamed).map(finish, tf.data.AUTOTUNE, deterministic=True)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(num_batches))
    options = tf.data.Options()
    options.deterministic = True
    # Keras makes iterators that it never reads from; they must not use up an epoch.
    options.experimental_warm_start = False
    # There are no files for tf.distribute to share out; without this it says so in a warning.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    # A fixed depth: the autotuned one may grow to hundreds of batches of memory.
    return dataset.with_options(options).prefetch(4)
