"""SampleSummary: what a model makes in TensorBoard, epoch by epoch."""

import os
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from kerasgan import images as image_module
from kerasgan.callbacks.summaries import EventFile, integer
from kerasgan.core.judged import frozen_state
from kerasgan.core.sampling import Sampling, as_input
from kerasgan.kinds import Images
from kerasgan.kinds.images import picture

# The step of what is made before any training: the first epoch ends at step 0, as Keras counts.
UNTRAINED = -1
INTERPOLATION_ROWS = 4
_DESCRIPTIONS = {
    "ema": "Fixed inputs through the averaged generator, which generates.",
    "live": "The same fixed inputs through the live generator, in inference mode.",
}


def sample_grid(network, latents, labels=None, columns: int | None = None) -> np.ndarray:
    """Return one picture of the images that a network makes of latents, in inference mode.

    No state is changed, random state included. A diverged network is shown rather than refused: NaN is mid-grey, and
    values outside [-1, 1] are clipped.

    Args:
        network: a kerasgan model or a generator.
        latents: float array (n, latent_dim).
        labels: n class indices, for a conditional network.
        columns: images in a row; None makes the grid as square as possible.

    Returns:
        uint8 array (height, width, 1 or 3); of 2 channels the first is shown, of more than 3 the first three.
    """
    return picture(_run(network, (latents,) if labels is None else (latents, labels)), columns)


class _Shown(NamedTuple):
    """One direction of a model with the inputs that stay the same in every epoch."""

    direction: Sampling
    inputs: tuple
    columns: int | None
    beside: np.ndarray | None


class SampleSummary(keras.callbacks.Callback):
    """Writes what a model makes to TensorBoard after every epoch, always from the same inputs.

    Images go to the page of images, those that they were made of to their left; sounds to that of audio, tokens to that
    of text. Tags: "samples/ema" and "samples/live" are a GAN's averaged and live generator, "samples" a VAE's decoder;
    a model with several directions has tags of its own. Further "reconstructions" (originals each beside their
    reconstruction) where the model has `reconstruct` and `images` are given, "interpolation", and what the model itself
    adds in its `panels`, such as "traversals/category". Captions and other inputs that no picture shows are written
    once, as "given/<name>".

    Steps are those of `keras.callbacks.TensorBoard`, so that images and scalars line up: epochs counted from 0. The
    untrained model is at step -1; a run resumed with `initial_epoch` goes on in the same series.

    Args:
        log_dir: folder for the event file; give `keras.callbacks.TensorBoard` the same one for scalars.
        every: epochs from one picture to the next. The last epoch is always shown.
        num_images: how many are made. A conditional model's grid has one column per class, filled up to whole rows,
            where it has room for every class.
        images: fixed images to reconstruct: (n, height, width, channels), uint8 or floats in [-1, 1]; at most
            `num_images` of them are used.
        labels: of a conditional model only: `num_images` class indices, or one for all; None shows every class.
        seed: integer that fixes what is drawn.
        interpolation: images in each row from one latent vector to another, at least 2; False for none.
        live: also show a GAN's live generator, where `samples/ema` is another one.
        **given: inputs of the model that nobody can make up, by their names in `takes`, at most `num_images` of which
            are used; what is not given are the model's `examples`.

    Raises:
        ValueError: an argument is not what is described here, or does not fit the model.

    Example:
        logs = "tensorboard_logs/run"
        gan.fit(train, epochs=20, callbacks=[SampleSummary(logs), keras.callbacks.TensorBoard(logs)])
    """

    def __init__(
        self,
        log_dir: str | os.PathLike,
        *,
        every: int = 1,
        num_images: int = 64,
        images=None,
        labels=None,
        seed: int = 0,
        interpolation: int | bool = False,
        live: bool = True,
        **given,
    ):
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self.every = integer("every", every, "epochs", least=1)
        self.num_images = integer("num_images", num_images, "images", least=1)
        self.seed = integer("seed", seed)
        self.interpolation = interpolation is not False and integer(
            "interpolation", interpolation, "images in a row (or False for none)", least=2
        )
        self.images = None if images is None else _float_images(images)[: self.num_images]
        self.labels = labels
        self.live = live
        self.given = {name: np.asarray(value)[: self.num_images] for name, value in given.items()}
        self._events = EventFile(self.log_dir)
        self._shown = []
        self._wrote_given = False

    def set_model(self, model) -> None:
        """Check that the model and the arguments fit, and fix the inputs."""
        super().set_model(model)
        name = type(model).__name__
        if not isinstance(model, Sampling):
            raise ValueError(f"SampleSummary shows kerasgan models (kerasgan.GAN, kerasgan.VAE, ...); received {name}.")
        if self.images is not None:
            if not hasattr(model, "reconstruct"):
                raise ValueError(f"images= are reconstructed, and {name} has no `reconstruct`. Omit images.")
            model.check_images(self.images)
        directions = list(model.directions().values())
        unknown = sorted(set(self.given) - {taken for direction in directions for taken in direction.takes})
        if unknown:
            raise ValueError(f"{name} takes no {unknown}; it takes {list(model.takes)}.")
        self._shown = [self._fix_inputs(direction) for direction in directions]

    def _fix_inputs(self, direction: Sampling) -> _Shown:
        given = {name: self.given[name] for name in direction.takes if name in self.given}
        left = [array for name, array in direction.examples.items() if name not in given]
        count = min([self.num_images, *map(len, given.values()), *map(len, left)])
        given, columns = {name: array[:count] for name, array in given.items()}, None
        classes = getattr(direction.takes.get("labels"), "num_classes", None)
        if classes and self.labels is None and classes <= count == self.num_images:
            columns, count = classes, count + -count % classes
        inputs = direction.sampler_inputs(count, self.seed, self.labels, **given)
        return _Shown(direction, inputs, columns, direction.beside(inputs))

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        """Show the untrained model; a resumed run starts at a later epoch."""
        if epoch == 0:
            self._write(UNTRAINED)

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Show the model where it is due."""
        if (epoch + 1) % self.every == 0 or epoch + 1 == self.params.get("epochs"):
            self._write(epoch)

    def on_train_end(self, logs=None) -> None:
        """Close the event file; another `fit` opens a new one."""
        self._events.close()

    def _write(self, step: int) -> None:
        with self._events.writing(self.model):
            for shown in self._shown:
                self._write_samples(shown, step)
                self._write_panels(shown.direction, step)
                if not self._wrote_given:
                    self._write_given(shown, step)
            self._wrote_given = True
            if self.images is not None:
                self._write_reconstructions(step)
            if self.interpolation:
                self._write_interpolations(step)

    def _write_samples(self, shown: _Shown, step: int) -> None:
        networks = shown.direction.shown()
        for tag, network in networks.items():
            last = tag.rpartition("/")[2]
            if last == "live" and not self.live and len(networks) > 1:
                continue
            shown.direction.makes.summarize(
                tag, _run(network, shown.inputs), step,
                description=_DESCRIPTIONS.get(last, "Fixed inputs through the network that generates."),
                columns=shown.columns, beside=shown.beside,
            )  # fmt: skip

    def _write_panels(self, direction: Sampling, step: int) -> None:
        with frozen_state():
            panels = direction.panels()
        for tag, panel in panels.items():
            direction.makes.summarize(tag, panel.made, step, description=panel.description, columns=panel.columns)

    def _write_given(self, shown: _Shown, step: int) -> None:
        for (name, kind), array in zip(shown.direction.takes.items(), shown.inputs, strict=True):
            if not kind.drawn and (shown.beside is None or not isinstance(kind, Images)):
                kind.summarize(f"given/{name}", np.asarray(array), step, description="What the samples are made of.")

    def _write_reconstructions(self, step: int) -> None:
        with frozen_state():
            copies = np.asarray(self.model.reconstruct(self.images))
        description = "Each original with its reconstruction to its right."
        self.model.makes.summarize("reconstructions", copies, step, description=description, beside=self.images)

    def _write_interpolations(self, step: int) -> None:
        ends = self.model.sample_latents(2 * INTERPOLATION_ROWS, self.seed)
        with frozen_state():
            rows = [
                self.model.interpolate(ends[2 * row], ends[2 * row + 1], self.interpolation)
                for row in range(INTERPOLATION_ROWS)
            ]
        description = "Each row leads from one fixed latent vector to another."
        made = np.concatenate(rows)
        self.model.makes.summarize("interpolation", made, step, description=description, columns=self.interpolation)


# Its name since the days when models made images only.
ImageSummary = SampleSummary


def _run(network, inputs: tuple) -> np.ndarray:
    inputs = [tf.convert_to_tensor(each) for each in inputs]
    with frozen_state():
        return np.asarray(network(as_input(inputs), training=False))


def _float_images(images) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 4 or len(images) == 0:
        raise ValueError(
            f"images must be at least one image shaped (n, height, width, channels); received shape {images.shape}."
        )
    if images.dtype == np.uint8:
        return image_module.to_float(images)
    if not np.issubdtype(images.dtype, np.floating) or not np.abs(images).max() <= 1.0 + 1e-3:
        raise ValueError(
            f"images must be uint8, or floats in [-1, 1]; received dtype {images.dtype} with values from "
            f"{images.min()} to {images.max()}."
        )
    return images.astype("float32")
