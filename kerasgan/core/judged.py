"""One batch and what the discriminator makes of it, shared by losses, penalties and auxiliary terms."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import keras
import tensorflow as tf

from kerasgan.core.packing import pack_examples


@dataclass(frozen=True)
class Batch:
    """What one round is played with.

    Args:
        real: images, or whatever the model learns to make; a tuple with one part a game where several are played.
        fake: what the generator made beside them, of the same structure.
        latents: what it was made of; None for a model without latents.
        given: name -> tensor, the other parts of the examples: labels, source images, captions.
        seed: two integers, of all random draws that belong to this batch.
    """

    real: Any
    fake: Any
    latents: Any = None
    given: dict[str, tf.Tensor] = field(default_factory=dict)
    seed: Any = None


@dataclass(frozen=True)
class Update:
    """The update that a batch is judged for.

    Args:
        network: the network that is updated.
        optimizer: its optimizer.
        training: False in `evaluate`.
        frozen: the discriminator's state is read, not written, as in the generator's update.
    """

    network: keras.Model
    optimizer: Any
    training: bool = True
    frozen: bool = False


class JudgedBatch:
    """A batch and the discriminator's outputs on it, for one update; each pass is made once, when first asked for.

    Input gradients are taken through the same passes: a penalty at the real images costs no pass of its own.

    Args:
        batch: what is judged; its `real`, `fake`, `latents` and `given` are attributes here.
        judges: suffix of the terms -> function (images, given, seed) to the discriminator's outputs, one for every game
            that is played on the batch. The only game of most models has the suffix "".
        update: the update it is judged for.
        pack: how many examples the discriminator judges together.
    """

    def __init__(self, batch: Batch, judges: dict[str, Callable], update: Update, pack: int = 1):
        self.real, self.fake, self.latents, self.given = batch.real, batch.fake, batch.latents, batch.given
        self.network, self.training, self.step = update.network, update.training, update.optimizer.iterations
        self._batch, self._judges, self._update, self._pack, self._draws = batch, judges, update, pack, 0
        self._tape = tf.GradientTape(persistent=True, watch_accessed_variables=False)

    @property
    def labels(self) -> tf.Tensor | None:
        """The labels of the examples, int32 (batch,); None where there are none."""
        return self.given.get("labels")

    @cached_property
    def games(self) -> dict[str, "JudgedBatch"]:
        """Suffix -> the batch as one game sees it: part k of real and fake belongs to game k."""
        if len(self._judges) == 1:
            return {next(iter(self._judges)): self}
        parts = zip(self._judges.items(), self.real, self.fake, strict=True)
        return {
            suffix: JudgedBatch(
                replace(self._batch, real=real, fake=fake, seed=self.next_seed()),
                {suffix: judge},
                self._update,
                self._pack,
            )
            for (suffix, judge), real, fake in parts
        }

    @cached_property
    def real_outputs(self):
        """All outputs of the discriminator on the real images."""
        return self._recorded(self.real)

    @cached_property
    def fake_outputs(self):
        """All outputs of the discriminator on the generated images."""
        return self._recorded(self.fake)

    @property
    def real_logits(self) -> tf.Tensor:
        """The logits of the real images."""
        return logits_of(self.real_outputs)

    @property
    def fake_logits(self) -> tf.Tensor:
        """The logits of the generated images."""
        return logits_of(self.fake_outputs)

    def judge(self, images, **given):
        """Return the discriminator's outputs on other images, beside the same or other given parts."""
        (judge,) = self._judges.values()
        with frozen_state() if self._update.frozen else contextlib.nullcontext():
            return judge(images, self.given | given, self.next_seed())

    def next_seed(self) -> tf.Tensor:
        """Return the seed of the next random draw of this update: two integers."""
        self._draws += 1
        # The two updates of a round share a batch, but no draws.
        return tf.random.experimental.stateless_fold_in(self._batch.seed, 2 * self._draws + self._update.frozen)

    def squared_gradient_norm(self, side: str) -> tf.Tensor:
        """Return |grad D(x)|^2 of a side, "real" or "fake", by the pass already made.

        Of each image, or of each pack, which then is what D takes: float32 (n,).
        """
        logits = getattr(self, f"{side}_logits")
        return self._squared_norm(self._tape.gradient(logits, getattr(self, side)))

    def squared_gradient_norm_at(self, images: tf.Tensor) -> tf.Tensor:
        """Return |grad D(x)|^2 at other images or packs, by a pass of its own that moves no state: float32 (n,)."""
        with frozen_state(), tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            logits = logits_of(self.judge(images))
        return self._squared_norm(tape.gradient(logits, images))

    def lazily(self, every: int, penalty: Callable[["JudgedBatch"], tf.Tensor]) -> tf.Tensor:
        """Return a term that is `every` times a penalty in each `every`-th update, and 0 in the others.

        Its gradient is taken inside of the branch, since XLA cannot differentiate through one, and enters the update
        as the term's.

        Args:
            every: the interval in updates. In `evaluate` the penalty itself is returned.
            penalty: function of a `JudgedBatch`, whose passes are made in the branch only; they move no state.
        """
        if every == 1 or not self.training:
            return penalty(self)
        network, scale = self._update.network, self._update.optimizer.scale_loss(1.0)
        again = JudgedBatch(
            replace(self._batch, seed=self.next_seed()), self._judges, replace(self._update, frozen=True), self._pack
        )
        # Read outside of the branches, whose zeros need their shapes.
        weights = [tf.convert_to_tensor(each) for each in network.trainable_variables]

        def active():
            with tf.GradientTape() as tape:
                value = every * penalty(again)
                scaled = value * scale
            slopes = tape.gradient(scaled, network.trainable_variables)
            return value, [_or_zeros(slope, each) / scale for slope, each in zip(slopes, weights, strict=True)]

        def idle():
            return tf.zeros(()), [tf.zeros_like(each) for each in weights]

        value, slopes = tf.cond(tf.equal(self.step % every, 0), active, idle)

        @tf.custom_gradient
        def term(*weights):
            return tf.identity(value), lambda upstream: [upstream * slope for slope in slopes]

        return term(*weights)

    def _squared_norm(self, gradient: tf.Tensor) -> tf.Tensor:
        # In float32: half-precision norms are several percent off.
        gradient = pack_examples(tf.cast(gradient, tf.float32), self._pack)
        return tf.reduce_sum(tf.square(gradient), axis=range(1, len(gradient.shape)))

    def _recorded(self, images):
        with self._tape:
            # Tokens have no slopes.
            self._tape.watch([part for part in tf.nest.flatten(images) if part.dtype.is_floating])
            return self.judge(images)


def logits_of(outputs) -> tf.Tensor:
    """Return the logits among a discriminator's outputs: its only output, or the one that is named so."""
    return outputs["logits"] if isinstance(outputs, dict) else outputs


def frozen_state():
    """Run networks for their outputs only: batch statistics, dropout seeds and the like are read, not written.

    One network's update must not move the other's state.
    """
    return keras.StatelessScope()


def _or_zeros(slope, weight: tf.Tensor) -> tf.Tensor:
    return tf.zeros_like(weight) if slope is None else tf.convert_to_tensor(slope)
