"""R1 and R2 by finite differences against the exact ones: processor time of a step, and quality of short trainings.

    python tests/benchmarks/finite_differences.py steps
    python tests/benchmarks/finite_differences.py run --images 48000
    python tests/benchmarks/finite_differences.py run --methods finite_differences --images 64000
    python tests/benchmarks/finite_differences.py table --readme CONTRIBUTING.md

The square of the change of a logit along small normal noise, over the noise's variance, is the squared slope on average
over the noise (Lin et al. 2025, section 3.3, https://arxiv.org/abs/2501.08316). It costs a pass of the discriminator in
place of a second derivative, and one sample of the noise is all that an image has.

Both methods train the networks of the preset `r3gan_mnist` by `R3GAN.course`, one thread each. `steps` takes turns, a
few steps each, with the optimizers that move nothing, and tells medians of processor time; `run` measures each training
and adds it to results/finite_differences.json.
"""

import argparse
import statistics
import time
from pathlib import Path

from kerasgan.cli.start import start_tensorflow

if __name__ == "__main__":
    start_tensorflow()

import numpy as np
import tensorflow as tf
from ledger import Ledger, add_table, mean, measured, row, show, values

import kerasgan
from kerasgan.losses import mean as mean_of
from kerasgan.regularizers import R1, R2

LEDGER = Ledger(
    Path(__file__).parent / "results" / "finite_differences.json", key=("dtype", "images", "method", "seed")
)
START = "<!-- finite differences: made by `tests/benchmarks/finite_differences.py table` -->"
END = "<!-- end of finite differences -->"
BATCH_SIZE = 32
# Of the noise, in units of the images' range of 2: the paper's.
SIGMA = 0.01


def near(batch, images, logits):
    """Return half the squared change of logits along noise, over its variance."""
    noise = SIGMA * tf.random.stateless_normal(tf.shape(images), batch.next_seed())
    change = tf.cast(batch.judge(images + noise), tf.float32) - tf.cast(logits, tf.float32)
    return 0.5 * mean_of(tf.square(change / SIGMA))


class NearR1(R1):
    """R1 by finite differences."""

    def penalty(self, batch):
        return near(batch, batch.real, batch.real_logits)


class NearR2(R2):
    """R2 by finite differences."""

    def penalty(self, batch):
        return near(batch, batch.fake, batch.fake_logits)


METHODS = {"exact": (R1, R2), "finite_differences": (NearR1, NearR2), "none": ()}


def build(method: str, images: int, dtype: str, seed: int) -> kerasgan.R3GAN:
    """Return a compiled model for a training on so many images."""
    gan = kerasgan.R3GAN((28, 28, 1), 64, (64, 32), num_classes=10, ends="basis", seed=seed, dtype=dtype)
    course = gan.course(images)
    weight = course["regularizers"][0].weight
    gan.compile(**course | {"regularizers": tuple(each(weight) for each in METHODS[method])})
    return gan


def steps(rounds: int = 20, each: int = 3) -> dict:
    """Return (dtype, method) -> median milliseconds of processor time of a step."""
    batch = (
        np.random.default_rng(0).uniform(-1, 1, (BATCH_SIZE, 28, 28, 1)).astype("float32"),
        np.arange(BATCH_SIZE, dtype="int32") % 10,
    )
    taken, times = {}, {}
    for dtype in ("float32", "mixed_bfloat16"):
        for method in METHODS:
            taken[dtype, method] = tf.function(build(method, 1_000_000, dtype, 0).train_step)
            taken[dtype, method](batch)
            times[dtype, method] = []
    for _ in range(rounds):
        for key, step in taken.items():
            for _ in range(each):
                start = time.process_time()
                float(step(batch)["d_loss"])
                times[key].append(1e3 * (time.process_time() - start))
    return {key: statistics.median(found) for key, found in times.items()}


def run(methods, images: int, dtype: str, seeds) -> None:
    """Train and measure what is not kept yet."""
    for seed in seeds:
        for method in methods:
            key = {"dtype": dtype, "images": images, "method": method, "seed": seed}
            if LEDGER.has(key):
                continue
            gan = build(method, images, dtype, seed)
            data = kerasgan.data.load("mnist", labels=True, batch_size=BATCH_SIZE, seed=seed)
            start = time.process_time()
            gan.fit(data.repeat(), epochs=1, steps_per_epoch=images // BATCH_SIZE, verbose=0)
            cost = {"cpu_seconds": time.process_time() - start}
            results = measured(gan, "mnist", ("fid",))
            LEDGER.keep(key | cost | {"results": results})
            print(key, cost, results["fid"]["value"], flush=True)


def table(runs: list[dict]) -> str:
    """Return all runs as Markdown: means and standard deviations over seeds."""
    titles = ("precision", "images", "R1 and R2", "seeds", "processor seconds", "FID")
    lines = [row(titles), "|---|---:|---|---:|---:|---:|"]
    for group in dict.fromkeys((each["dtype"], each["images"], each["method"]) for each in runs):
        found = [each for each in runs if (each["dtype"], each["images"], each["method"]) == group]
        dtype, images, method = group
        seconds = f"{np.mean([each['cpu_seconds'] for each in found]):.0f}"
        cells = [dtype, f"{images:,}", method.replace("_", " "), len(found), seconds, mean(values(found, "fid"), 3)]
        lines.append(row(cells))
    return "\n".join(lines)


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("steps")
    running = commands.add_parser("run")
    running.add_argument("--methods", nargs="+", choices=METHODS, default=["exact", "finite_differences"])
    running.add_argument("--images", type=int, default=48_000)
    running.add_argument("--dtype", default="float32")
    running.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    add_table(commands)
    given = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if given.command == "steps":
        for (dtype, method), ms in steps().items():
            print(f"{dtype} {method}: {ms:.1f} ms")
    elif given.command == "run":
        run(given.methods, given.images, given.dtype, given.seeds)
    else:
        show(table(LEDGER.runs()), START, END, given.readme)


if __name__ == "__main__":
    main()
