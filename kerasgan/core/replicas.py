"""Several replicas that train as one device would: shares of a batch, one state, random numbers of their own."""

import keras
import tensorflow as tf


def shard(data) -> tuple:
    """Return this replica's part of a batch and the share of the batch's images it holds.

    Replicas' gradients are summed: losses are means over a part, so each counts by its share. The last batch of
    an epoch splits unevenly, and may leave a replica nothing; it then gets one blank image with a share of 0,
    since the mean over no images is NaN. On a single device: the data itself and 1.
    """
    replica = _replica_context()
    if replica is None:
        return data, 1.0
    size = tf.shape(tf.nest.flatten(data)[0])[0]
    total = replica.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(size, "float32"))
    blanks = tf.cast(tf.equal(size, 0), "int32")

    def filled(part):
        blank = tf.zeros(tf.concat([[blanks], tf.shape(part)[1:]], 0), part.dtype)
        return tf.ensure_shape(tf.concat([part, blank], 0), [None, *part.shape[1:]])

    data = tf.nest.map_structure(lambda part: None if part is None else filled(part), data)
    return data, tf.cast(size, "float32") / total


def count_examples(data, share) -> tf.Tensor:
    """Return how many examples all replicas have together, from one's part of them and its share."""
    size = tf.cast(tf.shape(tf.nest.flatten(data)[0])[0], "float32")
    replica = _replica_context()
    if replica is None:
        return size
    # A blank image stands for none.
    return replica.all_reduce(tf.distribute.ReduceOp.SUM, tf.where(tf.cast(share, "float32") > 0.0, size, 0.0))


def average(value: tf.Tensor, share) -> tf.Tensor:
    """Return the mean of all replicas' values, each counting by its share."""
    replica = _replica_context()
    return value if replica is None else replica.all_reduce(tf.distribute.ReduceOp.SUM, share * value)


def synchronize(network: keras.Model, share) -> None:
    """Give all replicas the same batch-norm statistics: the mean of theirs, each counting by its share.

    Keras lets every replica track its own and saves those of the first.
    """
    replica = _replica_context()
    variables = [each for each in network.non_trainable_variables if _differs_between_replicas(each)]
    if replica is None or not variables:
        return
    parts = [tf.cast(share, each.dtype) * each for each in variables]
    for variable, value in zip(variables, replica.all_reduce(tf.distribute.ReduceOp.SUM, parts), strict=True):
        variable.assign(value)


def _differs_between_replicas(variable) -> bool:
    # What all take from the first replica would only gather rounding errors.
    return tf.as_dtype(variable.dtype).is_floating and variable.aggregation != "only_first_replica"


def on_this_replica(seed: tf.Tensor) -> tf.Tensor:
    """Return two integers for a seed that all replicas share: other ones on every replica, the same on the first."""
    replica = tf.distribute.get_replica_context()
    number = replica.replica_id_in_sync_group if replica else 0
    return seed + tf.stack([0, 1_000_003 * tf.cast(number, "int32")])


def _replica_context():
    """Return the replica context where several replicas share a batch, else None."""
    replica = tf.distribute.get_replica_context()
    return replica if replica is not None and replica.num_replicas_in_sync > 1 else None
