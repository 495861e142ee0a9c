"""How well the categories that InfoGAN finds on MNIST are digits: runs of several seeds, no label shown to any.

    kerasgan train zoo/infogan_mnist/recipe.toml --out runs/infogan_0
    kerasgan train zoo/infogan_mnist/recipe.toml --seed 1 --out runs/infogan_1
    python tests/benchmarks/infogan.py measure runs/infogan_*
    python tests/benchmarks/infogan.py table --readme README.md

`measure` adds to results/infogan.json how many images of the test split a run puts into another category than its
digit's, after the last epoch. Categories are matched with digits once, one to one, on the first 10,000 training images.
`table` writes that file as Markdown between the two marks of the README, beside the figure of Chen et al. 2016, section
7.2 (https://arxiv.org/abs/1606.03657): one run, an error of 5%. All runs that were measured are in it.
"""

import sys
from pathlib import Path

from kerasgan.cli.start import start_tensorflow

if __name__ == "__main__":
    # Before anything imports TensorFlow with its start-up messages.
    start_tensorflow()

import numpy as np
from ledger import Ledger, run_command

from kerasgan.metrics import classification, image_sets
from kerasgan.runs import recipes, training

LEDGER = Ledger(Path(__file__).parent / "results" / "infogan.json", key=("data", "seed"))
START = "<!-- infogan: made by `tests/benchmarks/infogan.py table` -->"
END = "<!-- end of infogan -->"
COLUMNS = ("data", "seed", "test error", "paper", "updates", "processor minutes")


def measure(run: Path) -> dict:
    """Return how many test images a run puts into a wrong category, and what it was.

    Raises:
        ValueError: the run has not come to its end, or the images have more or fewer classes than it has categories.
    """
    recipe, record = recipes.read(run / training.RECIPE), training.read_run(run)
    if record.get("epochs") != recipe.epochs:
        raise ValueError(f"{run} has {record.get('epochs', 0)} of {recipe.epochs} epochs; train it to its end first.")
    model, source = training.load_run(run), recipe.data["source"]
    shape = {"image_size": model.image_shape[:2], "channels": model.image_shape[2]}
    counted = classification.errors(model, source, image_sets.dataset(source, "test", **shape), {}, **shape)
    if not counted:
        raise ValueError(f"{run} has {model.categories} categories; {source} has more or fewer classes, or none.")
    (result,) = counted
    return {
        "data": source,
        "seed": recipe.seed,
        "errors": int(result.value),
        "protocol": result.protocol,
        "updates": int(model.g_optimizer.iterations.numpy()),
        "processor_minutes": round(record["cpu_seconds"] / 60, 1),
        "hardware": record["hardware"],
        "versions": record["versions"],
    }


def table(runs: list[dict]) -> str:
    """Return the errors as Markdown, one row a run, and their mean below."""
    rows = ["| " + " | ".join(COLUMNS) + " |", "|---|" + "---:|" * (len(COLUMNS) - 1)]
    for each in runs:
        cells = [each["data"], each["seed"], f"{share(each):.1%}", "5%", f"{each['updates']:,}"]
        rows.append("| " + " | ".join(map(str, [*cells, f"{each['processor_minutes']:.0f}"])) + " |")
    if len(runs) > 1:
        errors = [100 * share(each) for each in runs]
        rows.append(f"| all | | {np.mean(errors):.1f}% ± {np.std(errors, ddof=1):.1f} | 5% | | |")
    return "\n".join(rows)


def share(run: dict) -> float:
    """Return the share of wrong images."""
    return run["errors"] / run["protocol"]["real images"]


def main(argv: list[str] | None = None) -> int:
    """Run one command."""
    return run_command(argv, __doc__, measure, LEDGER, table, (START, END))


if __name__ == "__main__":
    sys.exit(main())
