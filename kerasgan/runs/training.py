"""One training run in one folder: trained from a recipe, resumed after anything, kill -9 included.

runs/digits/
  recipe.toml      what is trained, complete
  model.keras      everything, after the last finished epoch: replaced in one step
  history.csv      the loss terms of every epoch
  run.json         training time so far, hardware and versions
  samples.png      what it makes after the last epoch, from fixed inputs; of sounds samples.wav too, of text samples.txt
  logs/            TensorBoard: terms and samples
"""

import contextlib
import csv
import importlib.metadata
import io
import signal
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path

import keras

from kerasgan import distribution, images
from kerasgan.callbacks import GenerativeMetrics, SampleSummary
from kerasgan.core.base import GenerativeModel
from kerasgan.presets.preset import from_preset
from kerasgan.presets.transfer import transfer
from kerasgan.runs import folder as run_folder
from kerasgan.runs import recipes
from kerasgan.runs.decay import stretch
from kerasgan.runs.folder import HISTORY, LOGS, MODEL, RECIPE, RUN, SAMPLES, read_history, read_run
from kerasgan.runs.keras_file import load_keras_file
from kerasgan.runs.recipes import Recipe
from kerasgan.support import files

__all__ = ["HISTORY", "LOGS", "MODEL", "RECIPE", "RUN", "SAMPLES", "load_run", "read_history", "read_run", "train"]


def train(
    recipe: Recipe, folder: "str | Path", *, resume=False, data_dir=None, log_dir=None, verbose="auto"
) -> GenerativeModel:
    """Train a recipe in a folder of its own and return the model.

    Args:
        recipe: what to train.
        folder: the run's folder; it must be new, unless the run is resumed.
        resume: go on after the last finished epoch.
        data_dir: folder of the TFDS data; None takes TFDS_DATA_DIR.
        log_dir: TensorBoard folder; None takes `logs` in the run's folder.
        verbose: as in `keras.Model.fit`.

    Raises:
        ValueError: the folder holds a run and `resume` is False, or the other way round; another process trains there.
    """
    folder, log_dir = Path(folder), Path(log_dir or Path(folder) / LOGS)
    # Before the data: several workers must find each other before TensorFlow does anything else.
    strategy = distribution.strategy(recipe.strategy)
    chief = distribution.is_chief(strategy)
    distribution.precision(recipe.precision)
    with contextlib.ExitStack() as stack:
        if chief:
            stack.enter_context(run_folder.begun(folder, recipe, resume))
            files.check_writable(log_dir)
        # Saving reads variables that all workers share, so all must save; but one folder can be only one worker's.
        own = folder if chief else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model = _build_or_load(recipe, folder, strategy, data_dir)
        _fit(model, recipe, own, chief, data_dir, log_dir, verbose)
    return model


def _build_or_load(recipe: Recipe, folder: Path, strategy, data_dir) -> GenerativeModel:
    info = recipes.describe_data(recipe, data_dir)
    with strategy.scope():
        if (folder / MODEL).is_file():
            model = load_run(folder)
            if "decay" in recipe.compile:
                stretch(model, max(recipes.count_rounds(recipe, info), 1))
            return model
        model = recipes.build_model(recipe, info)
        if "start" in recipe.model:
            print(f"From {recipe.model['start']}: {transfer(_start(recipe.model['start']), model)}")
    kinds = model.kinds_of_examples()
    if kinds:
        most = max(kind.examples for kind in kinds.values())
        parts = dict(zip(model.learns, recipes.load_examples(recipe, info, data_dir, most), strict=True))
        model.examples = {name: parts[name] for name in kinds}
    return model


def _start(preset_or_run: str) -> GenerativeModel:
    is_run = (Path(preset_or_run) / MODEL).is_file()
    return load_run(preset_or_run) if is_run else from_preset(preset_or_run)


def _fit(model, recipe: Recipe, folder: Path, chief: bool, data_dir, log_dir, verbose) -> None:
    """Train on after the model's last epoch, saving into `folder`."""
    dataset = recipes.load_data(recipe, data_dir)
    first_epoch = _epochs_done(model, len(dataset))
    if first_epoch > recipe.epochs:
        raise ValueError(
            f"The run has {first_epoch} epochs already, more than the {recipe.epochs} asked for. Ask for more, with "
            "--epochs, or for none: it is trained."
        )
    # Only now: what cannot be built or read leaves no run behind.
    files.write_text(folder / RECIPE, recipe.to_toml())
    if first_epoch:
        dataset = recipes.load_data(recipe, data_dir, first_epoch)
    callbacks = [
        *_metrics(recipe, data_dir, log_dir),
        SaveRun(folder, first_epoch, recipe),
        SampleSummary(log_dir, every=recipe.summary_every, images=_images_to_reconstruct(model, recipe, data_dir)),
    ]
    if chief:
        callbacks.append(keras.callbacks.TensorBoard(log_dir, write_graph=False))
    with Interrupts() as interrupts:
        callbacks.append(interrupts)
        model.fit(dataset, epochs=recipe.epochs, initial_epoch=first_epoch, verbose=verbose, callbacks=callbacks)


def _metrics(recipe: Recipe, data_dir, log_dir) -> list:
    """Return the callback that measures the model, to run before those that record what it logs."""
    if not recipe.metrics_every:
        return []
    real = recipes.real_images(recipe)
    if real is None:
        raise ValueError(f"metrics_every measures what `kerasgan evaluate` does; {recipe.model['type']!r} is not.")
    where = {} if data_dir is None else {"data_dir": data_dir}
    return [GenerativeMetrics(**real, every=recipe.metrics_every, log_dir=log_dir, **where)]


def load_run(folder: "str | Path") -> GenerativeModel:
    """Return the model of a run as it was after the last finished epoch.

    Raises:
        ValueError: the folder holds no finished epoch.
    """
    path = Path(folder) / MODEL
    if not path.is_file():
        raise ValueError(f"{str(folder)!r} holds no {MODEL}: not a run, or stopped before its first epoch ended.")
    return load_keras_file(path)


class SaveRun(keras.callbacks.Callback):
    """Save the history, the whole model, a sample grid and the time spent after every epoch.

    Each file is replaced in one step, the model after the history: a row too many is dropped on resuming, while a
    missing one could not be made up.
    """

    def __init__(self, folder: "str | Path", first_epoch: int, recipe: Recipe):
        super().__init__()
        self.folder = Path(folder)
        self.recipe = run_folder.fixed(recipe)
        self.rows = [row for row in read_history(folder) if int(row["epoch"]) < first_epoch]
        record = read_run(folder)
        self.seconds, self.cpu_seconds = record.get("seconds", 0.0), record.get("cpu_seconds", 0.0)

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock of the epoch."""
        self.start = time.monotonic(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        """Save."""
        self.seconds += time.monotonic() - self.start[0]
        self.cpu_seconds += time.process_time() - self.start[1]
        self.rows.append({"epoch": epoch, **(logs or {})})
        files.write_text(self.folder / HISTORY, _csv(self.rows))
        with files.replacing(self.folder / MODEL) as temporary:
            try:
                self.model.save(temporary)
            except RuntimeError as error:  # What HDF5 makes of a disk that is full.
                raise OSError(f"{self.folder / MODEL} could not be written: {error}") from error
        save_samples(self.model, self.folder)
        versions = {package: importlib.metadata.version(package) for package in ("kerasgan", "tensorflow", "keras")}
        time_spent = {"seconds": round(self.seconds, 1), "cpu_seconds": round(self.cpu_seconds, 1)}
        record = {"epochs": epoch + 1, **time_spent, "versions": versions, "recipe": self.recipe}
        files.write_json(self.folder / RUN, record | {"hardware": asdict(distribution.describe_hardware())})


class Interrupts(keras.callbacks.Callback):
    """Raise an interrupt that got lost again, before the next epoch.

    Ctrl-C, and whatever signal is handled likewise, raises wherever the main thread is, and where that is in code that
    ignores every exception, training would go on as if nothing had been said. It notices while it is entered as a
    context, in the main thread.
    """

    def __enter__(self):
        self.noticed = None
        in_main_thread = threading.current_thread() is threading.main_thread()
        handled = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        self.handlers = {number: each for number, each in handled.items() if callable(each) and in_main_thread}
        for number in self.handlers:
            signal.signal(number, self._notice)
        return self

    def __exit__(self, *error):
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def on_epoch_begin(self, epoch, logs=None):
        """Raise what was noticed and has not ended the training."""
        if self.noticed:
            raise self.noticed

    def _notice(self, number, frame):
        try:
            self.handlers[number](number, frame)
        except KeyboardInterrupt as interrupt:
            self.noticed = interrupt
            raise


def _epochs_done(model: GenerativeModel, batches: int) -> int:
    """Return the finished epochs of a run; one of 0.1 did not count them, and made an update of G a batch."""
    optimizer = getattr(model, "g_optimizer", model.optimizer)
    if not model.epochs_done and optimizer is not None:
        steps = int(keras.ops.convert_to_numpy(optimizer.iterations))  # int() takes no mirrored variable.
        model.clock.epochs.assign(round(steps / batches))
    return model.epochs_done


def save_samples(model: GenerativeModel, folder: Path, enlarge: int = 1) -> None:
    """Write what a model makes of fixed inputs to a folder, in the one file that its kind is shown by.

    What cannot be seen, such as sounds, has a picture beside it.

    Images of a model that takes labels stand in columns, one a class, where there is room for all.
    """
    count, columns = model.at_most(model.makes.most_shown), None
    classes = getattr(model.takes.get("labels"), "num_classes", None)
    if classes and classes <= count:
        columns = classes
        count -= count % columns
    beside = model.beside(model.sampler_inputs(count, seed=0))
    path = Path(folder) / f"{SAMPLES}{model.makes.suffix}"
    made = model.generate(count, seed=0)
    model.makes.save(path, made, columns, beside=beside, enlarge=enlarge)
    picture = model.makes.picture(made, columns)
    if picture is not None:
        images.save_png(path.with_suffix(".png"), picture)


def save_panels(model: GenerativeModel, folder: Path, enlarge: int = 1, panels: dict | None = None) -> dict[str, str]:
    """Write panels, by default what a model shows of itself, to a folder; return name of the file -> what it shows."""
    written = {}
    for tag, panel in (model.panels() if panels is None else panels).items():
        name = f"{tag.replace('/', '_')}{model.makes.suffix}"
        model.makes.save(Path(folder) / name, panel.made, panel.columns, enlarge=enlarge)
        written[name] = panel.description
    return written


def _csv(rows: list[dict]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _images_to_reconstruct(model: GenerativeModel, recipe: Recipe, data_dir):
    """Return fixed images for models that reconstruct; None for those that do not."""
    if not hasattr(model, "reconstruct"):
        return None
    # A data set of its own: the training data count every pass as an epoch.
    few = min(32, recipe.data.get("limit", 32))
    batch = next(iter(recipes.load_data(recipe, data_dir, limit=few, batch_size=few)))
    return (batch[0] if isinstance(batch, tuple) else batch).numpy()
