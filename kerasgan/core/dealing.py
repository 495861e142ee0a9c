"""Fresh real examples for each of a discriminator's updates in a round: batches joined before it, dealt out in it."""

import keras
import numpy as np
import tensorflow as tf


def deal(examples, hands: int) -> list:
    """Return a structure of tensors dealt out into so many hands of equal size, in order.

    Where the examples do not suffice for equal hands, the first ones are dealt again.
    """
    if hands == 1:
        return [examples]
    count = tf.shape(tf.nest.flatten(examples)[0])[0]
    size = -(-count // hands)

    def hand(number):
        chosen = (tf.range(size) + number * size) % count
        return tf.nest.map_structure(lambda part: tf.gather(part, chosen), examples)

    return [hand(number) for number in range(hands)]


def join_batches(x, batch_size: int | None, hands: int) -> tuple:
    """Return what `fit` takes, and its batch size, with `hands` batches joined to one that `deal` takes apart again.

    Anything but arrays, a `tf.data.Dataset` and a `keras.utils.PyDataset` is returned as it is: what comes out of a
    generator is dealt out as it comes.
    """
    if hands == 1:
        return x, batch_size
    if isinstance(x, tf.data.Dataset):
        return _join_dataset(x, hands), batch_size
    if isinstance(x, keras.utils.PyDataset):
        return Joined(x, hands), batch_size
    if hasattr(tf.nest.flatten(x)[0], "shape"):
        return x, (batch_size or 32) * hands  # 32 is what Keras takes.
    return x, batch_size


def _join_dataset(dataset: tf.data.Dataset, hands: int) -> tf.data.Dataset:
    size = tf.nest.flatten(dataset.element_spec)[0].shape[0]
    if size is None:
        # Without a look at the first batch: a data set may count every pass that is begun as an epoch.
        joined = dataset.ragged_batch(hands)
        joined = joined.map(lambda *parts: _single(tf.nest.map_structure(lambda part: part.merge_dims(0, 1), parts)))
        return joined.prefetch(2)
    batches = int(dataset.cardinality())
    # Batches of a static size had their remainder dropped by the user's wish; a lone round is kept all the same.
    drop = not 0 <= batches < hands
    joined = dataset.rebatch(size * hands, drop_remainder=drop)
    if batches >= 0:
        rounds = batches // hands if drop else -(-batches // hands)
        joined = joined.apply(tf.data.experimental.assert_cardinality(rounds))
    return joined.prefetch(2)


def _single(parts: tuple):
    return parts[0] if len(parts) == 1 else parts


class Joined(keras.utils.PyDataset):
    """A `PyDataset` whose items are those of another, several joined to one."""

    def __init__(self, dataset: keras.utils.PyDataset, hands: int):
        super().__init__(dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size)
        self.dataset, self.hands = dataset, hands

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.hands)

    def __getitem__(self, index: int):
        numbers = range(index * self.hands, min((index + 1) * self.hands, len(self.dataset)))
        items = [self.dataset[number] for number in numbers]
        return tf.nest.map_structure(lambda *parts: np.concatenate(parts), *items)

    def on_epoch_end(self) -> None:
        """Let the other know."""
        self.dataset.on_epoch_end()
