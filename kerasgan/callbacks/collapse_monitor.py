"""CollapseMonitor: who is winning the game, is the generator collapsing, is anything no longer a number."""

import math
import os

import numpy as np
import tensorflow as tf

from kerasgan import data as data_module
from kerasgan.callbacks import game
from kerasgan.callbacks.measurement import Measurement
from kerasgan.callbacks.summaries import EventFile, integer
from kerasgan.core.gan import GAN
from kerasgan.core.judged import Batch, frozen_state
from kerasgan.core.sampling import as_seed

# Two generated images are near-duplicates where they are as close as the closest real ones: this share of them.
CLOSEST = 0.01
NAMES = ("real_accuracy", "fake_accuracy", "diversity", "duplicates")


class CollapseMonitor(Measurement):
    """Watches the game of a GAN, and says in words when it is being lost, by whom, and when it has recovered.

    It adds to the logs of every epoch, from both networks in inference mode, the generator being the live one:

    - `real_accuracy`: share of the real images that the discriminator takes for real.
    - `fake_accuracy`: share of the generated images that it takes for fake.
    - `diversity`: root mean square distance between two generated images over that between two real ones, in pixels.
    - `duplicates`: share of the generated images whose nearest other one is at least as close as the closest 1 % of
      the real images are to their nearest other real one. About 0.01 for real images.

    An image is taken for real where its logit is above 0, or above 0.5 under the loss "least_squares", whose targets
    are 0 and 1. Logits of a "wasserstein" critic have no such boundary: its accuracies are left out, and only collapse
    is judged. Pixels tell gross collapse only: a generator that draws many different 3s and nothing else passes. A
    generator that has only begun to learn draws nearly the same image always, which is reported as collapse too.

    The numbers are measured after the first epoch of a `fit`, after every `every` epochs and after the last; epochs in
    between repeat them. Whether loss terms are finite is looked up after every batch, weights after every epoch. The
    training is left alone: no state is changed, random state included.

    Args:
        images: fixed real images, best held out: what `kerasgan.data.load` takes, with labels for a conditional model.
        every: epochs from one measurement to the next.
        n: images on each side, judged in one batch; fewer where there are fewer.
        seed: fixes the latents.
        split: part of `images` that is taken; arrays are whatever split they are said to be.
        log_dir: folder for the event file, in the sub-folder `game`; None writes none.
        verbose: 1 says every change of state, 0 only that training is stopped.
        stop_on_nan: stop training at a NaN or infinite loss term or weight.
        winning: the discriminator wins where both its accuracies are at least this.
        fooled: the generator wins where `fake_accuracy` is at most this, and real images are believed no more than
            generated ones.
        least_diversity: below it is mode collapse.
        most_duplicates: above it is mode collapse.
        **data: further arguments of `kerasgan.data.load`, such as data_dir.

    Attributes:
        state: of the game, in words: one of `kerasgan.callbacks.game.STATES`.

    Raises:
        ValueError: an argument is out of range, or the model is no `kerasgan.GAN`; when training begins: the images do
            not exist, or do not differ from one another.

    Example:
        gan.fit(train, epochs=50, callbacks=[CollapseMonitor("mnist")])
    """

    def __init__(
        self,
        images,
        *,
        every: int = 1,
        n: int = 256,
        seed: int = 0,
        split: str = "test",
        log_dir: str | os.PathLike | None = None,
        verbose: int = 1,
        stop_on_nan: bool = True,
        winning: float = 0.98,
        fooled: float = 0.05,
        least_diversity: float = 0.6,
        most_duplicates: float = 0.2,
        **data,
    ):
        super().__init__(every)
        self.images = images
        self.n = integer("n", n, "images", least=2)
        self.seed = integer("seed", seed, least=0)
        self.split = split
        self.data = data
        self.verbose = verbose
        self.stop_on_nan = stop_on_nan
        self.thresholds = game.Thresholds(winning, fooled, least_diversity, most_duplicates)
        self.state = game.SMOOTH
        self._events = None if log_dir is None else EventFile(f"{log_dir}/game")

    def set_model(self, model) -> None:
        """Check that the model plays a game."""
        super().set_model(model)
        if not isinstance(model, GAN):
            raise ValueError(
                "CollapseMonitor watches a kerasgan.GAN, a generator that plays against a discriminator; received "
                f"{type(model).__name__}."
            )
        if model.reads != "images":
            raise ValueError(
                f"CollapseMonitor compares with plain images; {type(model).__name__} learns from {list(model.learns)}."
            )

    def on_train_begin(self, logs=None) -> None:
        """Read the real images and measure them."""
        super().on_train_begin(logs)
        self.state = game.SMOOTH
        self._real, self._labels = self._read()
        pixels = self._real.numpy()
        self._real_spread = game.spread(pixels)
        if not self._real_spread > 0.0:
            raise ValueError(
                f"CollapseMonitor needs real images that differ; received {len(pixels)} that do not. Give more."
            )
        self._close = np.quantile(game.nearest_other(pixels), CLOSEST)
        self._boundary = game.boundary(self.model.loss)

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        """Forget what was not finite in the last epoch: training may have recovered from it."""
        self._epoch = epoch
        self._broken: list[str] = []

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        """Look for loss terms that are not finite."""
        if not self._broken:
            self._guard(game.not_finite_terms(logs), f", batch {batch + 1}")

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Look for weights that are not finite, and measure where it is due."""
        if not self._broken:
            self._guard(game.not_finite_weights(self._networks()))
        if self._broken or self.state == game.NOT_FINITE:
            self._values = {}  # Not to be repeated.
        super().on_epoch_end(epoch, logs)

    def on_train_end(self, logs=None) -> None:
        """Close the event file."""
        if self._events:
            self._events.close()

    def measure(self, epoch: int) -> dict[str, float]:
        """Return the numbers of this moment, NaN where something is not finite, and say what is new."""
        with frozen_state():
            given = {} if self._labels is None else {"labels": self._labels}
            batch = self.model.synthesize(self._real, given, as_seed(self.seed), training=False)
        if not self._broken and not np.isfinite(batch.fake).all():
            self._guard(["generated images"])
        values = self._numbers(batch)
        self._write(values, epoch)
        if not self._broken:
            self._enter(*game.judge(values, self.thresholds))
        return values

    def _read(self) -> tuple[tf.Tensor, tf.Tensor | None]:
        height, width, channels = self.model.image_shape
        conditional = self.model.num_classes is not None
        data = {"image_size": (height, width), "channels": channels} | self.data
        fixed = {"batch_size": self.n, "limit": self.n, "shuffle": False, "drop_remainder": False}
        batch = next(iter(data_module.load(self.images, split=self.split, labels=conditional, **fixed, **data)))
        return batch if conditional else (batch, None)

    def _networks(self) -> dict:
        model = self.model
        averaged = {} if model.ema_generator is None else {"averaged generator": model.ema_generator}
        return {"generator": model.generator, "discriminator": model.discriminator} | averaged

    def _numbers(self, batch: Batch) -> dict[str, float]:
        names = ("diversity", "duplicates") if self._boundary is None else NAMES
        if self._broken:
            return dict.fromkeys(names, math.nan)
        fake = np.asarray(batch.fake)
        numbers = {
            "diversity": game.spread(fake) / self._real_spread,
            "duplicates": float((game.nearest_other(fake) <= self._close).mean()),
        }
        if self._boundary is not None:
            numbers["real_accuracy"] = self._taken_for_real(batch.real)
            numbers["fake_accuracy"] = 1.0 - self._taken_for_real(batch.fake)
        return {name: numbers[name] for name in names}

    def _taken_for_real(self, images) -> float:
        with frozen_state():
            logits = self.model.discriminate(images, self._labels, training=False)
        return float((np.asarray(logits, "float32") > self._boundary).mean())

    def _guard(self, broken: list[str], where: str = "") -> None:
        """Say what is not finite, if anything, and stop the training."""
        if not broken:
            return
        self._broken = broken
        message = f"{', '.join(broken)}: NaN or infinite."
        if self.stop_on_nan:
            self.model.stop_training = True
            message += " Training stops. Go on from an earlier checkpoint, with a lower learning rate."
        self._enter(game.NOT_FINITE, message, where, aloud=self.stop_on_nan)

    def _enter(self, state: str, message: str, where: str = "", aloud: bool = False) -> None:
        """Take on a state, and say so if it is a new one."""
        if state == self.state:
            return
        self.state = state
        message = f"Epoch {self._epoch + 1}{where}: {message}"
        if self.verbose or aloud:
            self.say(message)
        if self._events:
            with self._events.writing(self.model):
                tf.summary.text("game/state", message, step=self._epoch)

    def _write(self, values: dict[str, float], step: int) -> None:
        if self._events:
            with self._events.writing(self.model):
                for name, value in values.items():
                    tf.summary.scalar(f"game/{name}", value, step=step)
