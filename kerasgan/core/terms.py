"""Terms: the named numbers that a model minimises or only reports, as averages over an epoch."""

from typing import ClassVar, NamedTuple

import keras
import tensorflow as tf


class Weighted(NamedTuple):
    """An observation that counts by a weight in its average over an epoch: of so many examples here, or none."""

    value: tf.Tensor
    weight: tf.Tensor


class Terms:
    """A mixin of `GenerativeModel`: one metric for each named term, and the sum of those that are minimised."""

    # Terms that are reported and not minimised, such as an accuracy.
    observations: ClassVar[tuple[str, ...]] = ()

    @property
    def metrics(self) -> list:
        """One `keras.metrics.Mean` for every loss term, in the order they are reported."""
        return list(self._trackers.values())

    def set_tracked_terms(self, names) -> None:
        """Make one epoch-average metric for each name, after `loss`; call it in `compile`."""
        with self.distribute_strategy.scope():
            self._trackers = {name: keras.metrics.Mean(name) for name in ("loss", *names)}

    @property
    def observed(self) -> tuple[str, ...]:
        """The names of the terms that are reported and not minimised."""
        return self.observations

    def total(self, terms: dict[str, tf.Tensor]) -> tf.Tensor:
        """Return the sum of the terms that are minimised, without those in `observed`."""
        minimised = [value for name, value in terms.items() if name not in self.observed]
        return tf.add_n(minimised) if minimised else tf.zeros(())

    def track(self, terms: dict[str, tf.Tensor], share=None) -> dict[str, tf.Tensor]:
        """Add the terms to their averages and return the logs of a step.

        They come with `loss`, the sum of what is minimised unless a term is named so. Of a GAN it measures no progress;
        it is what callbacks such as `TerminateOnNaN` look at, and not finite as soon as one of those terms is not.

        Args:
            terms: name -> scalar, or a `Weighted` one.
            share: what `replicas.shard` gave; None counts all replicas alike.

        Raises:
            ValueError: a term was not announced to `set_tracked_terms`.
        """
        terms = {"loss": self.total(terms), **terms}
        unknown = sorted(set(terms) - set(self._trackers))
        if unknown:
            raise ValueError(
                f"{type(self).__name__} reports the terms {unknown}, but announced only {list(self._trackers)}. "
                "List them in the class attribute `terms`."
            )
        # The weights of all replicas add up to their number: a batch counts once, however it was split.
        weight = None if share is None else share * self.num_replicas
        for name, value in terms.items():
            counted = weight
            if isinstance(value, Weighted):
                value, own = value
                # A count of its own, not a part of the share; the blank image of an empty replica is none.
                counted = own if share is None else tf.where(share > 0.0, own, 0.0)
            self._trackers[name].update_state(value, counted)
        logs = self.get_metrics_result()
        if isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras joins the logs of several workers along axis 0, which a scalar does not have.
            logs = {name: tf.reshape(value, (1,)) for name, value in logs.items()}
        return logs
