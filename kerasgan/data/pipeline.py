"""From examples to a `tf.data.Dataset` of batches.

The order of epoch k is a pure function of (seed, k): a run that is resumed with `first_epoch=k`
sees the batches that an uninterrupted run would have seen.
"""

import functools
import itertools

import numpy as np
import tensorflow as tf

from kerasgan.data.parts import Order, Part, Place

# What `cache=False` keeps of a TFDS stream in memory to shuffle from.
STREAM_SHUFFLE_BUFFER = 10_000
# TensorFlow's own where the user sets none.
GRAPH_SEED = 87654321
# Batches that are made at a time. They are made in Python, one at a time but for what NumPy does outside of its lock.
PARALLEL_CALLS = 2


class Batches:
    """Batch number `index` of epoch number `epoch`, as a pure function of both and the seed."""

    def __init__(self, parts: tuple[Part, ...], num_examples: int, order: Order):
        self.parts = parts
        self.num_examples = num_examples
        self.order = order
        # An epoch's tail and the next one's head may be prepared at the same time, each with two sides.
        self._numbers = functools.lru_cache(maxsize=4)(self._compute_numbers)

    def _compute_numbers(self, epoch: int, side: int) -> np.ndarray:
        """The order of one side's rows; a side of fewer rows than the epoch has begins anew, in another order."""
        count = next(len(part) for part in self.parts if part.side == side)
        passes = range(-(-self.num_examples // count))
        if not self.order.shuffle:
            return np.tile(np.arange(count), len(passes))[: self.num_examples]
        seed = self.order.seed
        first = (seed, epoch) if side == 0 else (seed, epoch, 0, side, 0)
        seeds = [(seed, epoch, 0, side, number) if number else first for number in passes]
        return np.concatenate([np.random.default_rng(seed).permutation(count) for seed in seeds])[: self.num_examples]

    def __call__(self, epoch: int, index: int) -> tuple[np.ndarray, ...]:
        """Returns each part of the batch."""
        place = Place(self.order.seed, int(epoch), int(index))
        start, size = place.index * self.order.batch_size, self.order.batch_size
        return tuple(
            part.batch(self._numbers(place.epoch, part.side)[start : start + size], place) for part in self.parts
        )

    def finish(self, epoch: int, index: int, *rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Returns each part of a batch whose rows were streamed."""
        place = Place(self.order.seed, int(epoch), int(index))
        return tuple(part.finish(some, place) for part, some in zip(self.parts, rows, strict=True))


def build(batches: Batches, stream: tf.data.Dataset | None = None) -> tf.data.Dataset:
    """The dataset whose k-th iteration is epoch `first_epoch + k` of `batches`, or of `stream` in their order."""
    order, parts = batches.order, batches.parts
    size = order.batch_size
    num_batches = batches.num_examples // size if order.drop_remainder else -(-batches.num_examples // size)
    epochs = itertools.count(order.first_epoch)
    dtypes = tuple(tf.as_dtype(part.dtype) for part in parts)

    def next_epoch(_):
        epoch = tf.numpy_function(lambda: np.int64(next(epochs)), [], tf.int64)
        return tf.ensure_shape(epoch, ())

    def shaped(*arrays):
        static = size if order.drop_remainder else None
        arrays = tuple(tf.ensure_shape(a, (static, *part.shape)) for a, part in zip(arrays, parts, strict=True))
        return arrays if len(arrays) > 1 else arrays[0]

    def by_index(epoch):
        return tf.data.Dataset.range(num_batches).map(lambda index: (epoch, index))

    def fetch(epoch, index):
        return shaped(*tf.numpy_function(batches, [epoch, index], dtypes))

    def streamed(epoch):
        rows = stream
        if order.shuffle:
            # Of the graph of this function only. With the user's, the order would depend on it; with a 0 of theirs,
            # TensorFlow takes no seed that is a tensor.
            tf.random.set_seed(GRAPH_SEED)
            # Any fixed mixing of the two numbers will do; it must not depend on the process.
            seed = order.seed * 1_000_003 + epoch
            rows = rows.shuffle(STREAM_SHUFFLE_BUFFER, seed, reshuffle_each_iteration=False)
        rows = rows.batch(size, order.drop_remainder).enumerate()
        return rows.map(lambda index, some: (epoch, index, *some[: len(parts)]))

    def finish(*arguments):
        return shaped(*tf.numpy_function(batches.finish, arguments, dtypes))

    dataset = tf.data.Dataset.range(1).map(next_epoch)
    if stream is None:
        dataset = dataset.flat_map(by_index).map(fetch, PARALLEL_CALLS, deterministic=True)
    else:
        dataset = dataset.flat_map(streamed).map(finish, PARALLEL_CALLS, deterministic=True)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(num_batches))
    options = tf.data.Options()
    options.deterministic = True
    # An autotuned iterator that is thrown away is waited for until its tuner wakes: half a minute after every epoch.
    options.autotune.enabled = False
    # Keras makes iterators that it never reads from; they must not use up an epoch.
    options.experimental_warm_start = False
    # There are no files for tf.distribute to share out; without this it says so in a warning.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    # A fixed depth: the autotuned one may grow to hundreds of batches of memory.
    return dataset.with_options(options).prefetch(4)
