"""Semi-supervised GAN: a classifier that needs few labels, since it must also tell real images from generated ones."""

import functools
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from kerasgan import losses
from kerasgan.core.classifying import Classifying
from kerasgan.core.ema import average_towards, clone_network, warmed_up
from kerasgan.core.gan import GAN
from kerasgan.core.terms import Weighted
from kerasgan.kinds import Labels, Latents
from kerasgan.losses import mean
from kerasgan.networks.semi_supervised import semi_supervised_discriminator, semi_supervised_generator
from kerasgan.optimizers import Adam


@keras.saving.register_keras_serializable("kerasgan")
class SemiSupervisedGAN(Classifying, GAN):
    """The "improved GAN" for small images: the discriminator is a classifier with one class more, of generated images.

    A classifier of a hundred labelled images learns these by heart. Here it sees all the others too, without labels:
    they must belong to some class, and generated images to none, so it has to find out what real images have in common
    and where one class ends. The generator does not try to win: it makes images whose features, the classifier's last
    hidden layer, are the real ones on average (feature matching), which keeps it near the data but not on them. That
    is what the classifier learns most from, and why the images are no beauties: this family promises accuracy.
    Minibatch features, which make images better, make the classifier worse, and are not used.

    With K logits of the real classes and 0 as that of the generated ones, an image is real by the logarithm of the sum
    of their exponentials. Known labels add a cross-entropy; unknown ones, -1, add none. Images with known labels count
    in no other term, unless a batch has no others. Give both sorts in every batch: `kerasgan.data.load` does so.

    Salimans et al. 2016, sections 3.1 and 5 (https://arxiv.org/abs/1606.03498), with the settings of the code published
    with it, which averages the classifier's weights (at a rate of 1e-4) to test it.

    `classifier` is the averaged discriminator, a functional `keras.Model` with the logits `classes` among its outputs:
    `gan.classifier.export("digits")` makes a SavedModel of it. A data set whose labels leave out a class is refused
    where arrays are given and by `kerasgan.data.load`; batches of your own are only checked for labels out of range.

    Args:
        image_shape: (height, width, channels).
        latent_dim: length of a latent vector, uniform in [0, 1).
        hidden: widths of the generator's hidden layers.
        classifier_hidden: widths of the discriminator's hidden layers.
        num_classes: number of classes.
        classifier_decay: decay of the average over the discriminator's weights by which `classify` and `evaluate`
            classify, warmed up over the first steps.
        d_steps, ema_decay: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: classifier_decay is not in [0, 1), or there are fewer than two classes.

    Example:
        gan = kerasgan.SemiSupervisedGAN(num_classes=10)
        gan.compile()
        gan.fit(kerasgan.data.load("mnist", labels=True, labelled=100, batch_size=100), epochs=20)
        digits = gan.classify(images)

        # Arrays of your own, with the label -1 where you do not know it:
        gan.fit(kerasgan.data.load((images, labels), labels=True, batch_size=100), epochs=20)
    """

    terms: ClassVar[tuple[str, ...]] = ("d_loss", "d_class_loss", "g_loss")
    observations: ClassVar[tuple[str, ...]] = ("accuracy",)

    def __init__(
        self, image_shape=(28, 28, 1), latent_dim=100, hidden=(500, 500),
        classifier_hidden=(1000, 500, 250, 250, 250), num_classes=10, *,
        d_steps=1, ema_decay=0.999, classifier_decay=0.9999, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        if num_classes < 2:
            raise ValueError(f"num_classes must be at least 2; received {num_classes}.")
        if not 0.0 <= classifier_decay < 1.0:
            raise ValueError(f"classifier_decay must be in [0, 1); received {classifier_decay}.")
        image_shape, hidden, classifier_hidden = tuple(image_shape), tuple(hidden), tuple(classifier_hidden)
        d_seed = None if seed is None else seed + 1
        super().__init__(
            semi_supervised_generator(image_shape, latent_dim, hidden, dtype, seed),
            semi_supervised_discriminator(image_shape, classifier_hidden, num_classes, dtype, d_seed),
            num_classes=num_classes,
            d_steps=d_steps,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.hidden, self.classifier_hidden = hidden, classifier_hidden
        self.classifier_decay = classifier_decay
        self.classifier = clone_network(self.discriminator)

    def compile_defaults(self) -> dict:
        """Return the settings of the published code."""
        adam = {name: Adam(3e-3, beta_1=0.5) for name in ("d_optimizer", "g_optimizer")}
        return super().compile_defaults() | adam

    @functools.wraps(GAN.compile, assigned=())  # Recipes read what it takes.
    def compile(self, *args, **kwargs):
        """Configure training as `kerasgan.GAN.compile` does, but for the loss, which is the model's own.

        Raises:
            ValueError: another loss is asked for, or what `kerasgan.GAN.compile` refuses.
        """
        super().compile(*args, **kwargs)
        if type(self.loss) is not losses.NonSaturating or self.loss.get_config() != losses.NonSaturating().get_config():
            raise ValueError(
                f"SemiSupervisedGAN has a loss of its own, of num_classes + 1 classes; received {self.loss}. Leave out "
                "loss."
            )
        if self.top_k is not None:
            raise ValueError("SemiSupervisedGAN's generator matches features, not logits: leave out top_k.")

    # What it learns from, and what it is for

    @property
    def takes(self):
        """Latents that are uniform in [0, 1)."""
        return {"latents": Latents(self.latent_dim, "unit")}

    @property
    def learns(self):
        """Images, and labels of which -1 stands for those that are not known."""
        return {self.makes.name: self.makes, "labels": Labels(self.num_classes, unknown=True)}

    @property
    def networks(self):
        """The networks of a trained model: the generator that samples, and the discriminator that classifies."""
        return {"generator": self.sampler, "discriminator": self.classifier}

    def adopt_networks(self) -> None:
        """Let training go on from the averages."""
        super().adopt_networks()
        self.discriminator.set_weights(self.classifier.get_weights())

    def fit(self, x=None, y=None, *args, **kwargs):
        """Train as `kerasgan.GAN.fit` does, on images and labels of which -1 is not known.

        Raises:
            ValueError: a class has no example with a known label, or what `kerasgan.GAN.fit` refuses.
        """
        if isinstance(x, np.ndarray | tuple | list | dict):
            self._check_arrays(x, y)
            labels = self._split(x, y)["labels"]
            if isinstance(labels, np.ndarray):
                check_every_class(labels, self.num_classes)
        return super().fit(x, y, *args, **kwargs)

    # The game

    def discriminator_terms(self, batch):
        """Return the cross-entropy of real against generated, that of the known labels, and the accuracy on these."""
        # The real images first: they are what the weight-normalised layers are initialised on.
        classes, known = batch.real_outputs["classes"], batch.labels >= 0
        taken_for_fake = mean_over(_unlabelled(batch), tf.nn.softplus(-batch.real_logits[:, 0]))
        unsupervised = taken_for_fake + mean(tf.nn.softplus(batch.fake_logits))
        surprise = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(batch.labels, 0), classes)
        if not batch.training:
            classes = self.classifier(batch.real, training=False)["classes"]
        right = tf.equal(tf.argmax(classes, 1, tf.int32), batch.labels)
        terms = {
            "d_loss": 0.5 * unsupervised,
            "d_class_loss": mean_over(known, surprise),
            "accuracy": Weighted(mean_over(known, right), tf.reduce_sum(tf.cast(known, tf.float32))),
        }
        return terms | self._penalties("discriminator", batch, "")

    def generator_terms(self, batch):
        """Return how far the mean features of generated images are from those of real ones, squared."""
        real = mean_over(_unlabelled(batch), batch.real_outputs["features"])
        g_loss = losses.feature_matching(real[None], batch.fake_outputs["features"])
        return {"g_loss": g_loss} | self._penalties("generator", batch, "")

    def finish_round(self, examples, share):
        """Move the average of the discriminator too."""
        super().finish_round(examples, share)
        average_towards(
            self.classifier, self.discriminator, warmed_up(self.classifier_decay, self.d_optimizer.iterations)
        )

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "latent_dim": self.latent_dim,
            "hidden": list(self.hidden),
            "classifier_hidden": list(self.classifier_hidden),
            "num_classes": self.num_classes,
            "classifier_decay": self.classifier_decay,
        }


def mean_over(chosen: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Return the float32 mean, over the batch, of the values of those that are chosen; 0 where none is.

    Args:
        chosen: bool (batch,).
        values: (batch, ...).
    """
    weights = tf.cast(chosen, tf.float32)
    total = tf.tensordot(weights, tf.cast(values, tf.float32), 1)
    return total / tf.maximum(tf.reduce_sum(weights), 1.0)


def check_every_class(labels: np.ndarray, num_classes: int) -> None:
    """Raise a ValueError unless every class has an example with a known label."""
    missing = sorted(set(range(num_classes)) - set(np.unique(labels).tolist()))
    if missing:
        raise ValueError(
            f"Of {num_classes} classes, these have no example with a known label: {missing}. Label at least one of "
            "each, or build the model with the num_classes of the data."
        )


def _unlabelled(batch) -> tf.Tensor:
    """Return which images of a batch stand for those without labels: all, where every label is known."""
    unknown = batch.labels < 0
    return unknown | ~tf.reduce_any(unknown)
