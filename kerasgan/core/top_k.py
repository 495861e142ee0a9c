"""Top-k training: the generator learns from the images that the discriminator takes for the most real."""

import tensorflow as tf


def learn_from_best(logits: tf.Tensor, share) -> tf.Tensor:
    """Return the same logits, whose gradients are those of a mean over the highest of them only.

    The worst images of a batch tend to pull the generator away from the data. Sinha et al. 2020, algorithm 1
    (https://arxiv.org/abs/2002.06224). What is reported stays the mean over all. Where several devices share a batch,
    each chooses among its part; of logits for patches, patches are chosen.

    Args:
        logits: of generated images, of any shape.
        share: of them that counts, a scalar in (0, 1]; at least one does.
    """
    flat = tf.stop_gradient(tf.reshape(logits, [-1]))
    count = tf.maximum(tf.cast(tf.math.ceil(share * tf.cast(tf.size(flat), tf.float32)), tf.int32), 1)
    least = tf.sort(flat, direction="DESCENDING")[count - 1]
    best = tf.cast(logits >= least, logits.dtype)  # More than that many where some are equal.
    weights = tf.stop_gradient(best / tf.reduce_mean(best))
    return tf.stop_gradient(logits * (1.0 - weights)) + logits * weights
