"""GenerativeMetrics: FID, KID and the like after an epoch, where checkpoints and early stopping can use them."""

import contextlib
import math
import os
import random

import numpy as np
import tensorflow as tf

from kerasgan.callbacks.measurement import Measurement
from kerasgan.callbacks.summaries import EventFile, integer
from kerasgan.metrics import features, sounds, text
from kerasgan.metrics.evaluation import MEASURED_BY, evaluate
from kerasgan.metrics.extractors import Extractor, Features
from kerasgan.metrics.frechet import fid
from kerasgan.metrics.image_sets import ImageSet, generated
from kerasgan.metrics.inception_score import inception_score
from kerasgan.metrics.kid import kid
from kerasgan.metrics.neighbours import PRDC, prdc
from kerasgan.metrics.observe import observe, real_sets
from kerasgan.metrics.result import Result
from kerasgan.metrics.suitable import suitable_extractor
from kerasgan.metrics.suite import NEIGHBOURS, SPLITS, SUBSET_SIZE, SUBSETS
from kerasgan.support.configurable import unknown_name

METRICS = ("fid", "kid", "inception_score", *PRDC._fields)
DEFAULT = ("fid", "kid")
# Of what makes no images out of nothing; translators and what draws captions have all of theirs.
OTHERS = tuple({name: None for name in (*text.METRICS, *sounds.METRICS) if name not in METRICS})


class GenerativeMetrics(Measurement):
    """Measures generated against real images, and adds `val_fid`, `val_kid`, ... to the logs of every epoch.

    Put it before the callbacks that use them, and tell those which way is better:

        metrics = GenerativeMetrics("mnist", log_dir=logs)
        best = keras.callbacks.ModelCheckpoint("best.keras", monitor="val_kid", mode="min", save_best_only=True)
        gan.fit(train, epochs=50, callbacks=[metrics, best])

    The images are those of `model.generate`, the averaged generator of a GAN, from the same latents every time; the
    training is left alone. Both sides, seed and settings are those of `kerasgan.metrics.evaluate`, which gives the
    same numbers for the same n and extractor. They are measured after the first epoch of a `fit`, after every `every`
    epochs and after the last; epochs in between repeat the last values, so that a monitored name is always there:
    patience counts epochs, not measurements. Images of a diverged generator, which cannot be measured, give NaN.

    What does not make images out of nothing is measured as `kerasgan.metrics.evaluate` does it, by what it reads: texts
    by BLEU and what a reader learns from them (`val_bleu_2`, `val_reverse_perplexity`, ...), sounds by what a
    classifier hears, what draws captions by whether they are found again, translators by their translations. All of it
    is made anew every time, the networks that it trains included: choose `every` and `n` for that. It is measured once
    before the first epoch too, to find out whether it can be.

    For TensorBoard, "metrics/fid" and so on are written as two runs that share a chart: `generated`, and `real`, a
    level line at what other real images score in place of the generated ones. Steps are epochs, counted from 0.

    Args:
        against: the real images: what `kerasgan.data.load` takes.
        metrics: one or more of fid, kid, inception_score, precision, recall, density, coverage; None takes fid and kid,
            and says so where there are too few images for fid. Of texts and sounds what `evaluate` takes.
        every: epochs from one measurement to the next.
        n: images on each side, or texts, or sounds; fewer where the data set has fewer.
        seed: of the generated images and of the random choices in the metrics.
        split: the real images to compare with; None takes "test" where there is one. Other real images come from
            "train"; where there is only one split, or an array, every second image is compared with, and the others
            are those between.
        extractor: what `kerasgan.metrics.features.get` takes; None takes the classifier of the data set, or
            "efficientnet_lite0" where there is none for images of this shape.
        log_dir: folder for the event files, in the sub-folders `generated` and `real`; None writes none.
        cached: keep the real images' features in the cache folder and use them again.
        **data: further arguments of `kerasgan.data.load`, such as data_dir.

    Attributes:
        floors: dict, what other real images score by each metric; filled when training begins.

    Raises:
        ValueError: a metric is unknown, or the model has no `generate`; when training begins: the data or weights do
            not exist, or a metric cannot be had from so few images or from this extractor.
    """

    def __init__(
        self,
        against,
        *,
        metrics=None,
        every: int = 1,
        n: int = 2000,
        seed: int = 0,
        split: str | None = None,
        extractor=None,
        log_dir: str | os.PathLike | None = None,
        cached: bool = True,
        **data,
    ):
        super().__init__(every)
        self.against = against
        self.metrics = DEFAULT if metrics is None else _chosen(metrics)
        self._asked = metrics is not None
        self.n = integer("n", n, "images", least=2)
        self.seed = integer("seed", seed, least=0)
        self.split = split
        self.extractor = extractor
        self.cached = cached
        self.data = data
        self.floors: dict[str, float] = {}
        self._runs = {} if log_dir is None else {name: EventFile(f"{log_dir}/{name}") for name in ("generated", "real")}

    def set_model(self, model) -> None:
        """Check that the model generates what can be measured."""
        super().set_model(model)
        if self._evaluated:
            return
        if unknown := [name for name in self.metrics if name not in METRICS]:
            raise ValueError(unknown_name("metric of images", unknown[0], METRICS))
        if not hasattr(model, "generate") or not hasattr(model, "image_shape"):
            raise ValueError(
                "GenerativeMetrics measures models that have `generate` and `image_shape`, as those of kerasgan do; "
                f"received {type(model).__name__}."
            )
        generated(model, 1, self.seed)  # What makes no images, or none without being given something, is refused now.

    @property
    def _evaluated(self) -> bool:
        """Whether the model is measured by what `MEASURED_BY` says, not by its images."""
        return getattr(self.model, "reads", None) in MEASURED_BY

    def on_train_begin(self, logs=None) -> None:
        """Read the real images, and find out by them whether everything can be measured."""
        super().on_train_begin(logs)
        if self._evaluated:
            results = self._evaluate()
            self.floors = {name: math.nan if each.floor is None else each.floor for name, each in results.items()}
            self._protocol = f"{self.model.name}, by kerasgan.metrics.evaluate against {_named(self.against)}."
            return
        height, width, channels = self.model.image_shape
        data = {"image_size": (height, width), "channels": channels} | self.data
        real, other, _ = real_sets(self.against, self.n, self.split, **data)
        self._extractor = _load(self.extractor or suitable_extractor(self.against, self.model.image_shape))
        self._real = observe(real, self._extractor, self.cached).features
        if not self._asked:
            self._leave_out_fid_of_few()
        _check_applicable(self.metrics, self._real, self._extractor, self.n)
        self.floors = self._compare(observe(other, self._extractor, self.cached).features)
        self._protocol = self._describe(real)

    def on_train_end(self, logs=None) -> None:
        """Close the event files."""
        for run in self._runs.values():
            run.close()

    def measure(self, epoch: int) -> dict[str, float]:
        """Return the metrics of what the model generates now."""
        makes = "images"
        try:
            if self._evaluated:
                makes = self.model.makes.name
                values = {name: result.value for name, result in self._evaluate().items()}
            else:
                images = generated(self.model, len(self._real.features), self.seed)
                values = self._compare(features.extract(self._extractor, images.read()))
        # Whatever else could be wrong has been found out before the first epoch.
        except ValueError as error:
            self.say(f"Epoch {epoch + 1}: the generated {makes} cannot be measured: {error}")
            values = dict.fromkeys(self.floors, math.nan)
        for run, numbers in (("generated", values), ("real", self.floors)):
            self._write(run, numbers, epoch)
        return {f"val_{name}": value for name, value in values.items()}

    def _evaluate(self) -> dict[str, Result]:
        """Return the results of `evaluate` by the names of their metrics; of several of a name, by their own."""
        chosen = self.metrics if self._asked else None
        settings = {"n": self.n, "seed": self.seed, "split": self.split, "extractor": self.extractor}
        with _undisturbed():
            results = evaluate(self.model, self.against, **settings, metrics=chosen, **self.data)
        names = [result.protocol["metric"] for result in results]
        if len(set(names)) < len(names):
            names = [result.name for result in results]
        return dict(zip(names, results, strict=True))

    def _leave_out_fid_of_few(self) -> None:
        count, dimensions = self._real.features.shape
        enough = count > dimensions
        self.metrics = DEFAULT if enough else tuple(name for name in DEFAULT if name != "fid")
        if not enough:
            self.say(
                f"GenerativeMetrics leaves fid out: the {dimensions} features of {self._extractor.name} need at least "
                f"{dimensions + 1} images on each side; here are {count}."
            )

    def _compare(self, observed: Features) -> dict[str, float]:
        return compare(self.metrics, observed, self._real, self.seed)

    def _write(self, run: str, values: dict[str, float], step: int) -> None:
        if self._runs:
            with self._runs[run].writing(self.model):
                for name, value in values.items():
                    tf.summary.scalar(f"metrics/{name}", value, step=step, description=self._protocol)

    def _describe(self, real: ImageSet) -> str:
        return (
            f"{real.count} images of {self.model.name} (seed {self.seed}) against {real.count} of {real.name}, by the "
            f"{self._real.features.shape[1]} features of {self._extractor.name}; resize: {self._extractor.resize}. "
            "The run `real` shows other real images in place of the generated ones."
        )


def compare(metrics: tuple[str, ...], observed: Features, real: Features, seed: int) -> dict[str, float]:
    """Return metrics of `METRICS` by name: of observed features against real ones, with the settings of `evaluate`."""
    found = {}
    if "fid" in metrics:
        found["fid"] = fid(observed.features, real.features)
    if "kid" in metrics:
        size = min(SUBSET_SIZE, len(real.features), len(observed.features))
        found["kid"], _ = kid(observed.features, real.features, subsets=SUBSETS, subset_size=size, seed=seed)
    if "inception_score" in metrics:
        found["inception_score"], _ = inception_score(observed.probabilities, SPLITS)
    if set(metrics) & set(PRDC._fields):
        found |= prdc(real.features, observed.features, NEIGHBOURS)._asdict()
    return {name: found[name] for name in metrics}


def _chosen(metrics) -> tuple[str, ...]:
    metrics = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    if not metrics:
        raise ValueError(f"metrics must name at least one of {', '.join(METRICS)}; received none.")
    for name in metrics:
        if name not in METRICS + OTHERS:
            raise ValueError(unknown_name("metric", name, METRICS + OTHERS))
    return metrics


def _load(extractor) -> Extractor:
    with _undisturbed():
        return features.get(extractor)


@contextlib.contextmanager
def _undisturbed():
    """Give back the random states that Keras draws from when it builds a network: the training may draw from them."""
    state, numpy_state = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(numpy_state)


def _named(against) -> str:
    return str(against) if isinstance(against, str | os.PathLike) else "the given data"


def _check_applicable(metrics: tuple[str, ...], real: Features, extractor: Extractor, n: int) -> None:
    count, dimensions = real.features.shape
    if "fid" in metrics and count <= dimensions:
        raise ValueError(
            f"fid by the {dimensions} features of {extractor.name!r} needs at least {dimensions + 1} images on each "
            f"side; received n={n}, and {count} real images. Give a larger n, an extractor with fewer features, or "
            "metrics that do without, such as 'kid'."
        )
    if "inception_score" in metrics and real.probabilities is None:
        raise ValueError(
            f"inception_score needs class probabilities, and the extractor {extractor.name!r} gives none. Return "
            "(features, probabilities) from it, or leave inception_score out."
        )
