"""ImagePool: a memory of generated images, so that a discriminator does not forget how earlier ones looked."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class ImagePool(keras.layers.Layer):
    """Keeps up to `size` generated images and gives some of them back in place of new ones.

    Each new image is kept while there is room. After that, every second one is given back as it is, and the others
    change places with a kept one. Shrivastava et al. 2017, section 2.3 (https://arxiv.org/abs/1612.07828); CycleGAN
    uses 50. Under a `tf.distribute` strategy all replicas keep the images of the first.

    Args:
        image_shape: (height, width, channels) of the images.
        size: number of images that are kept; 0 gives every image back as it is.
    """

    def __init__(self, image_shape, size: int = 50, **settings):
        super().__init__(**{"dtype": "float32"} | settings)
        self.image_shape, self.size = tuple(image_shape), size
        own = {"trainable": False, "initializer": "zeros", "aggregation": "only_first_replica"}
        self.images = self.add_weight(shape=(max(size, 1), *self.image_shape), name="images", **own)
        self.count = self.add_weight(shape=(), dtype="int32", name="count", **own)
        self.built = True

    def call(self, images, seed, share=1.0):
        """Return images (batch, *image_shape), some of them older ones.

        Args:
            images: new images.
            seed: two integers.
            share: of the batch that these images are, as `kerasgan.core.replicas.shard` gives it: with 0 they are a
                stand-in for none, and are not kept.
        """
        if not self.size:
            return images
        new, rest = images[: self.size], images[self.size :]
        number = tf.range(tf.shape(new)[0])
        coin, lots = (tf.random.experimental.stateless_fold_in(seed, each) for each in (0, 1))
        pool, count = tf.convert_to_tensor(self.images), tf.convert_to_tensor(self.count)
        # While there is room, an image takes the next free place; later, a place of its own by lot.
        fits = number < self.size - count
        by_lot = tf.argsort(tf.random.stateless_uniform((self.size,), lots))[: tf.shape(new)[0]]
        place = tf.where(fits, count + number, by_lot)
        swaps = (count == self.size) & (tf.random.stateless_uniform(tf.shape(number), coin) < 0.5)
        kept = (fits | swaps) & (tf.cast(share, tf.float32) > 0.0)

        older = tf.gather(pool, place)
        written = tf.where(_each(kept, new), new, older)
        self.images.assign(tf.tensor_scatter_nd_update(pool, place[:, None], written))
        self.count.assign(count + tf.reduce_sum(tf.cast(kept & fits, tf.int32)))
        return tf.concat([tf.where(_each(swaps, new), older, new), rest], axis=0)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"image_shape": list(self.image_shape), "size": self.size}


def _each(chosen, images):
    """Return one truth value an image in a shape that fits the images."""
    return tf.reshape(chosen, (-1, *[1] * (len(images.shape) - 1)))
