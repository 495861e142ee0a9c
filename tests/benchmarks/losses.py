"""The classical losses on the same networks: the same images seen, the same optimizers, three seeds, two data sets.

    python tests/benchmarks/losses.py run                                    # all that is not kept yet
    python tests/benchmarks/losses.py run --losses minimax --data mnist --seeds 0
    python tests/benchmarks/losses.py table --readme README.md

`run` trains one model after another, measures each by `kerasgan.metrics.evaluate` and adds it to results/losses.json
when it is done: who stops it loses the run that is under way. `table` writes that file as Markdown between the two
marks of the README, in the order in which the losses were published: it ranks nothing.

All share DCGAN's generator and its discriminator without batch norm, which a gradient penalty does not go with, one
update of each player a batch, and one Adam without momentum, as WGAN-GP has it; clipped weights do not go with momentum
(Arjovsky et al. 2017, section 3). Only what a row names differs. No loss is tuned, and none gets the number of critic
updates of its own paper, with which the generator would make fewer steps on the same images. Networks compute in
bfloat16 where the processor has instructions for it, else in float32; the processor minutes are those of one of both.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from kerasgan.cli.start import start_tensorflow

if __name__ == "__main__":
    # Before Keras imports TensorFlow with its start-up messages.
    start_tensorflow()

import keras
from ledger import Ledger, add_table, mean, measured, minutes, row, show, values

import kerasgan
from kerasgan import distribution
from kerasgan.networks.dcgan import dcgan_discriminator, dcgan_generator

LEDGER = Ledger(
    Path(__file__).parent / "results" / "losses.json",
    key=("data", "epochs", "base_filters", "samples", "loss", "seed"),
)
DATA = ("mnist", "fashion_mnist")
METRICS = ("fid", "prdc")
COLUMNS = ("precision", "recall")
LATENT_DIM, BATCH_SIZE = 64, 64
ADAM = {"learning_rate": 5e-4, "beta_1": 0.0, "beta_2": 0.9}
START, END = "<!-- losses: made by `tests/benchmarks/losses.py table` -->", "<!-- end of losses -->"


@dataclass(frozen=True)
class Variant:
    """A row of the table: its title, the discriminator's own part, and what the model is compiled with."""

    title: str
    loss: str
    regularizers: tuple[str, ...] = ()
    constraint: Callable | None = None
    spectral: bool = False


VARIANTS = {
    "minimax": Variant("minimax", "minimax"),
    "non_saturating": Variant("non-saturating", "non_saturating"),
    "least_squares": Variant("least squares", "least_squares"),
    "wasserstein_clipping": Variant(
        "Wasserstein, weights clipped", "wasserstein", constraint=kerasgan.constraints.WeightClip
    ),
    "wasserstein_gp": Variant("Wasserstein, gradient penalty", "wasserstein", ("gradient_penalty",)),
    "dragan": Variant("non-saturating, DRAGAN's penalty", "non_saturating", ("dragan",)),
    "hinge_spectral": Variant("hinge, spectral norm", "hinge", spectral=True),
    "relativistic_r1_r2": Variant("relativistic, R1 and R2", "relativistic", ("r1", "r2")),
}


def build(loss: str, base_filters: int, seed: int) -> kerasgan.GAN:
    """Return the compiled model of a row."""
    variant, dtype = VARIANTS[loss], distribution.precision("auto")
    shape = (28, 28, 1)
    gan = kerasgan.GAN(
        dcgan_generator(shape, LATENT_DIM, base_filters, dtype, seed),
        dcgan_discriminator(shape, base_filters, dtype, seed + 1, normalized=False, spectral=variant.spectral),
        seed=seed,
        dtype=dtype,
    )
    gan.compile(
        d_optimizer=keras.optimizers.Adam(**ADAM),
        g_optimizer=keras.optimizers.Adam(**ADAM),
        loss=variant.loss,
        regularizers=variant.regularizers,
        d_constraint=variant.constraint and variant.constraint(),
    )
    return gan


def train(key: dict) -> tuple[kerasgan.GAN, dict]:
    """Train one model and return it with what that cost, without start-up and measuring, but with tracing."""
    # The run before leaves names and graphs behind.
    keras.backend.clear_session()
    seed = key["seed"]
    gan = build(key["loss"], key["base_filters"], seed)
    images = kerasgan.data.load(key["data"], batch_size=BATCH_SIZE, image_size=28, channels=1, seed=seed)
    start = time.monotonic(), time.process_time()
    gan.fit(images, epochs=key["epochs"], verbose=0)
    cost = {"seconds": time.monotonic() - start[0], "cpu_seconds": time.process_time() - start[1]}
    return gan, cost | {"hardware": asdict(distribution.describe_hardware())}


def alike(runs: list[dict]) -> list[dict]:
    """Return the runs whose processor times belong beside each other: those of the first one's precision."""
    return [each for each in runs if each["hardware"]["precision"] == runs[0]["hardware"]["precision"]]


def run(losses, sources, seeds, epochs: int, base_filters: int, samples: int) -> None:
    """Train and measure what is not kept yet, seed by seed, so that a table of fewer seeds comes first."""
    settings = {"epochs": epochs, "base_filters": base_filters, "samples": samples}
    for seed in seeds:
        for source in sources:
            for loss in losses:
                key = settings | {"data": source, "loss": loss, "seed": seed}
                if LEDGER.has(key):
                    continue
                gan, cost = train(key)
                results = measured(gan, source, METRICS, samples)
                LEDGER.keep(key | cost | {"results": results})
                print(f"{loss}, {source}, seed {seed}: fid {results['fid']['value']:.3g}", flush=True)


def table() -> str:
    """Return all runs as a Markdown table, one row for the seeds of one loss: means and standard deviations."""
    runs = LEDGER.runs()
    titles = ["data, epochs, filters", "loss", "seeds", "processor minutes", "FID", *COLUMNS]
    lines = [row(titles), "|---|---|" + "---:|" * (len(titles) - 2)]
    groups = {(each["data"], each["epochs"], each["base_filters"], each["loss"]) for each in runs}
    for group in sorted(groups, key=lambda each: (*each[:3], list(VARIANTS).index(each[3]))):
        found = [each for each in runs if (each["data"], each["epochs"], each["base_filters"], each["loss"]) == group]
        lines.append(_row(*group, found))
    return "\n".join(lines)


def _row(source: str, epochs: int, base_filters: int, loss: str, runs: list[dict]) -> str:
    title = VARIANTS[loss].title
    quality = [mean(values(runs, "fid"), 3), *(mean(values(runs, each), 2) for each in COLUMNS)]
    return row([f"{source}, {epochs}, {base_filters}", title, len(runs), minutes(alike(runs)), *quality])


def main(argv: list[str] | None = None) -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("--losses", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    running.add_argument("--data", nargs="+", default=DATA)
    running.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    running.add_argument("--epochs", type=int, default=3)
    running.add_argument("--base-filters", type=int, default=16)
    running.add_argument("--samples", type=int, default=10_000, help="images that are measured")
    add_table(commands)
    given = parser.parse_args(argv)
    if given.command == "run":
        run(given.losses, given.data, given.seeds, given.epochs, given.base_filters, given.samples)
    else:
        show(table(), START, END, given.readme)


if __name__ == "__main__":
    main()
