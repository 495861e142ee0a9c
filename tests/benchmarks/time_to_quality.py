"""How good images get in how much processor time: a model after another, measured as it learns.

    python tests/benchmarks/time_to_quality.py run                                      # all that is not kept yet
    python tests/benchmarks/time_to_quality.py run --models r3gan --data fashion_mnist --minutes 10 --seeds 0
    python tests/benchmarks/time_to_quality.py table --readme README.md
    python tests/benchmarks/time_to_quality.py figure --out docs/time_to_quality.png

`run` trains each model for `--minutes` of processor time, on one thread, and measures it there and at 1, 2, 5 and 10
minutes on the way. What counts is all that the process does in `fit`: reading, tracing, updates, averages; start-up
and measuring do not. Schedules end with the run, whose images are guessed from a few timed rounds: in the middle of a
run of twenty minutes learning rates are still higher than at the end of one of ten.

Every point is added to results/time_to_quality.json when it is measured. The same command goes on after the last one,
with the next epoch, from the state in the run's folder. `quality_contenders.py` says who takes part. The samples of
ours and of the example with ADA are those of averaged weights; our networks compute as their recipes say, bfloat16 or
float32, the published ones in float32. Pictures of clothes are measured by the Fréchet distance of the data set's
classifier, 10,000 against the test split; faces by the KID of EfficientNet-Lite0, 661 against as many photographs that
were kept out of training.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from kerasgan.cli.start import start_tensorflow

if __name__ == "__main__":
    # Before Keras imports TensorFlow with its start-up messages.
    start_tensorflow()

import keras
import numpy as np
import quality_contenders as contenders
import tensorflow as tf
from ledger import Ledger, add_table, mean, measured, row, show, values

from kerasgan import distribution
from kerasgan.support import files
from kerasgan.toys import drawing

LEDGER = Ledger(
    Path(__file__).parent / "results" / "time_to_quality.json",
    key=("data", "model", "length", "samples", "seed", "minutes"),
)
RUNS = Path("runs/time_to_quality")
MARKS = (1, 2, 5, 10, 20)
# Data -> the number that is drawn, and what else is measured.
METRICS = {"fashion_mnist": "fid", "lfwcrop": "kid"}
NAMES = {"fid": "FID", "kid": "KID"}
START, END = (
    "<!-- time to quality: made by `tests/benchmarks/time_to_quality.py table` -->",
    "<!-- end of time to quality -->",
)
PICTURE = '<img src="docs/time_to_quality.png" alt="Distance from real images over processor minutes" width="760">'
TEXT = """\
### Quality over time

What counts on a small machine is how far a model gets in the minutes that there are. Each is trained on one thread and
measured at 1, 2, 5, 10 and 20 minutes of processor time, everything that training does included, measuring not. Ours
follow the recipes of presets, with schedules that end with the run; the keras.io examples, our own writing of them
again, are as published, but for images of 28 or 32 pixels. Nobody is told labels. Clothes: Fréchet distance by the data
set's classifier, 10,000 samples; faces: KID by EfficientNet-Lite0, 661 samples against as many photographs that were
not trained on.
"""
COMMANDS = """\
    python tests/benchmarks/time_to_quality.py run --models r3gan keras_io_ada --data fashion_mnist --minutes 20
    python tests/benchmarks/time_to_quality.py figure
    python tests/benchmarks/time_to_quality.py table --readme README.md
"""
STATE = "state.npz"
NEW = {"minutes": 0, "cpu_seconds": 0.0, "seconds": 0.0, "rounds": 0, "epochs": 0}
FOREVER = 10**6


class Until(keras.callbacks.Callback):
    """Ends training when so much processor time has gone by since it began.

    Args:
        seconds: of processor time.
        forgiven: do not count the first round, in which a resumed run makes its training step a second time.
    """

    def __init__(self, seconds: float, forgiven: bool = False):
        super().__init__()
        self.seconds, self.forgiven = seconds, forgiven
        self.rounds = self.epochs = 0

    def on_train_begin(self, logs=None):
        self.start = time.process_time()

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs += 1

    def on_train_batch_end(self, batch, logs=None):
        if self.forgiven and not self.rounds:
            self.start = time.process_time()
        self.rounds += 1
        if time.process_time() - self.start >= self.seconds:
            self.model.stop_training = True


class Run:
    """One training that stops at marks, and goes on after them, in another process if need be.

    Args:
        key: model, data, seed and length.
        folder: where its state is kept.
    """

    def __init__(self, key: dict, folder: Path):
        # The run before leaves names and graphs behind.
        keras.backend.clear_session()
        self.path = folder / STATE
        name, source, seed = key["model"], key["data"], key["seed"]
        self.resumed = self.path.is_file()
        self.record = self._read() if self.resumed else dict(NEW)
        if not self.resumed:
            self.record["images_planned"] = contenders.images_in(name, source, 60 * key["length"])
        self.model = contenders.build(name, source, seed, self.record["images_planned"])
        self.batch_size = contenders.batch_size(name, source, self.model)
        self.batches = contenders.load(name, source, self.model, seed, self.record["epochs"])
        if self.resumed:
            with np.load(self.path, allow_pickle=False) as arrays:
                for index, variable in enumerate(variables(self.model)):
                    variable.assign(arrays[f"variable_{index}"])

    def _read(self) -> dict:
        with np.load(self.path, allow_pickle=False) as arrays:
            return json.loads(str(arrays["record"]))

    def until(self, minutes: float) -> dict:
        """Train until so much processor time is spent, keep the state, and return what it cost."""
        if self.record["minutes"] >= minutes:
            return self.record
        clock = Until(60 * minutes - self.record["cpu_seconds"], forgiven=self.resumed)
        started = time.monotonic()
        self.model.fit(self.batches, epochs=FOREVER, shuffle=False, verbose=0, callbacks=[clock])
        self.record["minutes"] = minutes
        self.record["cpu_seconds"] += time.process_time() - clock.start
        self.record["seconds"] += time.monotonic() - started
        self.record["rounds"] += clock.rounds
        self.record["epochs"] += clock.epochs
        self.record["images"] = self.record["rounds"] * self.batch_size
        self.resumed = False
        arrays = {f"variable_{index}": np.asarray(each) for index, each in enumerate(variables(self.model))}
        with files.replacing(self.path) as temporary:
            np.savez(temporary, record=json.dumps(self.record), **arrays)
        return self.record


def variables(model) -> list:
    """Return all that training changes."""
    return [*model.variables, *model.d_optimizer.variables, *model.g_optimizer.variables]


def marks(length: float) -> list[float]:
    """Return after how many minutes a run of such a length is measured."""
    return [*(each for each in MARKS if each < length), length]


def run(models, sources, seeds, length: float, samples: int, runs: Path) -> None:
    """Train and measure what is not kept yet, seed by seed, so that a figure of one seed comes first."""
    for seed in seeds:
        for source in sources:
            for model in models:
                key = {"data": source, "model": model, "length": length, "samples": samples, "seed": seed}
                wanted = [each for each in marks(length) if not LEDGER.has(key | {"minutes": each})]
                if wanted:
                    _run(key, wanted, runs / f"{model}-{source}-{length:g}-{seed}")


def _run(key: dict, wanted: list[float], folder: Path) -> None:
    training = Run(key, folder)
    hardware = asdict(distribution.describe_hardware()) | {"precision": training.model.dtype_policy.name}
    for minutes in marks(key["length"]):
        if training.record["minutes"] > minutes:
            if minutes in wanted:
                raise ValueError(f"{str(folder)!r} is past {minutes:g} minutes, which were not measured. Delete it.")
            continue
        cost = training.until(minutes)
        if minutes not in wanted:
            continue
        metric = METRICS.get(key["data"], "fid")
        settings = contenders.MEASURED.get(key["data"], {})
        results = measured(training.model, key["data"], (metric, "prdc"), key["samples"], **settings)
        LEDGER.keep(key | cost | {"hardware": hardware, "results": results})
        print(
            f"{key['model']}, {key['data']}, seed {key['seed']}: {metric} {results[metric]['value']:.3g} after "
            f"{cost['cpu_seconds'] / 60:.2f} of {minutes:g} processor minutes, {cost['images']:,} images",
            flush=True,
        )


# The table and the figure


def groups(runs: list[dict]) -> list[tuple]:
    """Return (data, model, length) of all runs, the models in the order of the contenders."""
    order = list(contenders.TITLES)
    found = {(each["data"], each["model"], each["length"]) for each in runs}
    return sorted(found, key=lambda each: (each[0], order.index(each[1]), each[2]))


def points(runs: list[dict], group: tuple) -> dict[float, list[dict]]:
    """Return minutes -> the seeds of a group, in the order of minutes."""
    found = [each for each in runs if (each["data"], each["model"], each["length"]) == group]
    times = sorted({each["minutes"] for each in found})
    return {minutes: [each for each in found if each["minutes"] == minutes] for minutes in times}


def table() -> str:
    """Return all runs as a Markdown table, one row for the seeds of one model: means and standard deviations."""
    runs = LEDGER.runs()
    columns = sorted({each["minutes"] for each in runs})
    titles = ["data", "model", "seeds", "images", *(f"{minutes:g} min" for minutes in columns), "precision", "recall"]
    lines = [row(titles), "|---|---|" + "---:|" * (len(titles) - 2)]
    for group in groups(runs):
        by_minutes, metric = points(runs, group), METRICS.get(group[0], "fid")
        last = by_minutes[max(by_minutes)]
        cells = [mean(values(by_minutes[each], metric), 3) if each in by_minutes else "" for each in columns]
        seen = f"{np.mean([each['images'] for each in last]):,.0f}"
        quality = [mean(values(last, name), 2) for name in ("precision", "recall")]
        data = f"{group[0]}, {NAMES[metric]}"
        lines.append(row([data, contenders.TITLES[group[1]], len(last), seen, *cells, *quality]))
    return "\n".join(lines)


def section() -> str:
    """Return what the README shows: of what, the figure, the table, and how to make them again."""
    return f"{TEXT}\n{PICTURE}\n\n{table()}\n\n{COMMANDS}"


def figure(path: Path) -> None:
    """Draw every model's longest runs: the number over the processor time spent, both by logarithms."""
    drawing.require_matplotlib()
    runs = LEDGER.runs()
    longest = {}
    for group in groups(runs):
        longest[group[:2]] = group
    sources = sorted({source for source, _ in longest})
    with drawing.style():
        drawn, axes = drawing.panels(1, len(sources), 4.6, 3.6)
        for panel, source in zip(axes[0], sources, strict=True):
            _panel(panel, runs, source, [group for group in longest.values() if group[0] == source])
        drawing.save(drawn, path)


# Of Okabe and Ito: ours in colours, the opponents' in greys.
COLORS = dict(
    zip(contenders.TITLES, ("#0072B2", "#009E73", "#D55E00", "#CC79A7", drawing.DARK, drawing.GREY), strict=True)
)


def _panel(panel, runs: list[dict], source: str, found: list[tuple]) -> None:
    metric = METRICS.get(source, "fid")
    for group in found:
        by_minutes, model = points(runs, group), group[1]
        spent = [np.mean([each["cpu_seconds"] for each in seeds]) / 60 for seeds in by_minutes.values()]
        numbers = [values(seeds, metric).mean() for seeds in by_minutes.values()]
        dashes = "--" if model in contenders.PUBLISHED else "-"
        panel.plot(
            spent, numbers, dashes, color=COLORS[model], marker="o", markersize=3.5, label=contenders.TITLES[model]
        )
        for seeds in by_minutes.values():
            panel.plot(
                [each["cpu_seconds"] / 60 for each in seeds],
                values(seeds, metric),
                ".",
                color=COLORS[model],
                markersize=2,
            )
    floor = next(each["results"][metric]["floor"] for each in runs if each["data"] == source)
    panel.axhline(floor, color=drawing.GREY, linewidth=0.7, linestyle=":")
    panel.annotate("real against real", (0.02, floor), xycoords=("axes fraction", "data"), va="bottom", fontsize=7)
    panel.set(xscale="log", yscale="log", xlabel="processor minutes", ylabel=NAMES[metric], title=source)
    panel.set_xticks(MARKS, [str(each) for each in MARKS])
    panel.minorticks_off()
    panel.legend(fontsize=7)


def main(argv: list[str] | None = None) -> int:
    """Run one command; exit status 1 where a run cannot go on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("--models", nargs="+", choices=contenders.TITLES, default=list(contenders.TITLES))
    running.add_argument("--data", nargs="+", default=list(METRICS))
    running.add_argument("--seeds", type=int, nargs="+", default=[0])
    running.add_argument("--minutes", type=float, default=20.0, help="of processor time that a run lasts")
    running.add_argument("--samples", type=int, default=10_000, help="images that are measured, at most")
    running.add_argument("--runs", type=Path, default=RUNS, help="folder of the runs' states")
    add_table(commands)
    commands.add_parser("figure").add_argument("--out", type=Path, default=Path("docs/time_to_quality.png"))
    given = parser.parse_args(argv)
    if given.command == "run":
        try:
            run(given.models, given.data, given.seeds, given.minutes, given.samples, given.runs)
        except ValueError as error:
            print(error, file=sys.stderr)
            return 1
    elif given.command == "figure":
        figure(given.out)
    else:
        show(section(), START, END, given.readme)
    return 0


if __name__ == "__main__":
    # One core's worth, whatever the machine has.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    sys.exit(main())
