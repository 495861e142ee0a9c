"""Classifying: what a model whose discriminator also names classes can do with images."""

from typing import ClassVar

import numpy as np
import tensorflow as tf


class Classifying:
    """A mixin for models one of whose networks is a `discriminator` with class logits among its outputs."""

    # The output of the discriminator that holds them.
    class_head: ClassVar[str] = "classes"

    def classify(self, images, probabilities: bool = False, batch_size: int = 256) -> np.ndarray:
        """Return the class of each image, by the discriminator of the trained model.

        Args:
            images: float array (n, height, width, channels) in [-1, 1].
            probabilities: return those of all classes instead; of an image, they add up to 1.
            batch_size: images processed at a time.

        Returns:
            int32 array (n,), or float32 (n, classes).

        Raises:
            ValueError: the images do not fit.
        """
        self.check_images(images)
        self.makes.check_values(np.asarray(images))
        outputs = self.networks["discriminator"].predict(np.asarray(images), batch_size=batch_size, verbose=0)
        logits = outputs[self.class_head]
        return np.asarray(tf.nn.softmax(logits)) if probabilities else logits.argmax(axis=1).astype("int32")
