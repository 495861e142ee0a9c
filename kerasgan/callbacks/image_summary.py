"""ImageSummary: a model's images in TensorBoard, epoch by epoch."""

import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasgan import images as image_module
from kerasgan.callbacks.summaries import EventFile, integer
from kerasgan.core.gan import frozen_state

# The step of the images made before any training: the first epoch ends at step 0, as Keras counts.
UNTRAINED = -1
INTERPOLATION_ROWS = 4


def sample_grid(network, latents, labels=None, columns: int | None = None) -> np.ndarray:
    """Return one picture of the images that a network makes of latents, in inference mode.

    No state is changed, random state included. A diverged network is shown rather than refused: NaN is mid-grey, and
    values outside [-1, 1] are clipped.

    Args:
        network: a kerasgan model or a generator with one output.
        latents: float array (n, latent_dim).
        labels: n class indices, for a conditional network.
        columns: images in a row; None makes the grid as square as possible.

    Returns:
        uint8 array (height, width, 1 or 3); of 2 channels the first is shown, of more than 3 the first three.
    """
    return _picture(_run(network, (latents,) if labels is None else (latents, labels)), columns)


class ImageSummary(keras.callbacks.Callback):
    """Writes a model's images to TensorBoard after every epoch, always from the same latents.

    Tags: "samples/ema" and "samples/live" are a GAN's averaged and live generator, "samples" a VAE's decoder. Further
    "reconstructions" (originals each beside their reconstruction) where the model has `reconstruct` and `images` are
    given, and "interpolation". A network with several outputs gets a tag for each.

    Steps are those of `keras.callbacks.TensorBoard`, so that images and scalars line up: epochs counted from 0. The
    untrained model is at step -1; a run resumed with `initial_epoch` goes on in the same series.

    Args:
        log_dir: folder for the event file; give `keras.callbacks.TensorBoard` the same one for scalars.
        every: epochs from one picture to the next. The last epoch is always shown.
        num_images: images in a grid. A conditional model's grid has one column per class, filled up to whole rows,
            where it has room for every class.
        images: fixed images to reconstruct: (n, height, width, channels), uint8 or floats in [-1, 1]; at most
            `num_images` of them are used.
        labels: of a conditional model only: `num_images` class indices, or one for all; None shows every class.
        seed: integer that fixes the latents.
        interpolation: images in each row from one latent vector to another, at least 2; False for none.
        live: also show a GAN's live generator, where `samples/ema` is another one.

    Raises:
        ValueError: an argument is not what is described here, or does not fit the model.

    Example:
        logs = "tensorboard_logs/run"
        gan.fit(train, epochs=20, callbacks=[ImageSummary(logs), keras.callbacks.TensorBoard(logs)])
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
        self._events = EventFile(self.log_dir)

    def set_model(self, model) -> None:
        """Check that the model and the arguments fit, and fix the latents."""
        super().set_model(model)
        name = type(model).__name__
        if not hasattr(model, "sampler_inputs"):
            raise ValueError(f"ImageSummary shows kerasgan models (kerasgan.GAN, kerasgan.VAE, ...); received {name}.")
        if self.images is not None:
            if not hasattr(model, "reconstruct"):
                raise ValueError(f"images= are reconstructed, and {name} has no `reconstruct`. Omit images.")
            model.check_images(self.images)
        self._columns, count = None, self.num_images
        if self.labels is None and model.num_classes is not None and model.num_classes <= count:
            self._columns = model.num_classes
            count += -count % self._columns
        self._inputs = model.sampler_inputs(count, self.seed, self.labels)

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
            for tag, (picture, description) in self._pictures().items():
                tf.summary.image(tag, picture[None], step=step, max_outputs=1, description=description)

    def _pictures(self) -> dict[str, tuple[np.ndarray, str]]:
        """Return tag -> picture and its description."""
        found = {}
        for tag, network, description in self._networks():
            for suffix, output in _named(_run(network, self._inputs)):
                found[tag + suffix] = _picture(output, self._columns), description
        if self.images is not None:
            found["reconstructions"] = self._reconstructions(), "Each original with its reconstruction to its right."
        if self.interpolation:
            found["interpolation"] = self._interpolations(), "Each row leads from one fixed latent vector to another."
        return found

    def _networks(self):
        sampler, generator = self.model.sampler, getattr(self.model, "generator", None)
        if generator is None:
            return [("samples", sampler, "Fixed latents through the decoder.")]
        live = ("samples/live", generator, "Fixed latents through the live generator, in inference mode.")
        if generator is sampler:
            return [live]
        averaged = ("samples/ema", sampler, "The same fixed latents through the averaged generator, which generates.")
        return [averaged, live] if self.live else [averaged]

    def _reconstructions(self) -> np.ndarray:
        with frozen_state():
            copies = np.asarray(self.model.reconstruct(self.images))
        pairs = np.stack([self.images, copies], axis=1).reshape(-1, *self.images.shape[1:])
        return _picture(pairs, 2 * int(np.ceil(np.sqrt(len(self.images) / 2))))

    def _interpolations(self) -> np.ndarray:
        ends = self.model.sample_latents(2 * INTERPOLATION_ROWS, self.seed)
        with frozen_state():
            rows = [
                self.model.interpolate(ends[2 * row], ends[2 * row + 1], self.interpolation)
                for row in range(INTERPOLATION_ROWS)
            ]
        return _picture(np.concatenate(rows), self.interpolation)


def _run(network, inputs: tuple):
    inputs = [tf.convert_to_tensor(each) for each in inputs]
    with frozen_state():
        return network(inputs[0] if len(inputs) == 1 else inputs, training=False)


def _picture(images, columns: int | None) -> np.ndarray:
    images = np.clip(np.nan_to_num(np.asarray(images, "float32"), nan=0.0), -1.0, 1.0)
    channels = images.shape[-1]
    return image_module.grid(images[..., : 3 if channels >= 3 else 1], columns)


def _named(outputs) -> list[tuple[str, Any]]:
    """Return (tag suffix, images) of each output of a network."""
    if isinstance(outputs, dict):
        return [(f"/{name}", each) for name, each in outputs.items()]
    if isinstance(outputs, list | tuple):
        return [(f"/{number}", each) for number, each in enumerate(outputs)]
    return [("", outputs)]


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
