"""Test errors of classifiers that were told few labels: runs of `semi_supervised` on MNIST, with 20 to 200 of them.

    kerasgan train zoo/semi_supervised_mnist/recipe.toml --out runs/semi_100_0
    kerasgan train zoo/semi_supervised_mnist/recipe.toml --set data.labelled=20 --out runs/semi_20_0
    kerasgan train zoo/semi_supervised_mnist/recipe.toml --seed 1 --out runs/semi_100_1
    python tests/benchmarks/semi_supervised.py measure runs/semi_*
    python tests/benchmarks/semi_supervised.py table --readme README.md

A run's seed draws the labelled images, as well as weights and the order of all images. `measure` adds what it counts to
results/semi_supervised.json: how many images of the test split the averaged classifier of the run gets wrong, after its
last epoch. No test image and no other label plays a part before. `table` writes that file as Markdown between the two
marks of the README, beside the figures of Salimans et al. 2016 (https://arxiv.org/abs/1606.03498), table 1, which are
means and standard deviations over ten draws, of 300 epochs each.
"""

import sys
from pathlib import Path

from kerasgan.cli.start import start_tensorflow

if __name__ == "__main__":
    # Before anything imports TensorFlow with its start-up messages.
    start_tensorflow()

import numpy as np
from ledger import Ledger, run_command

from kerasgan import data
from kerasgan.runs import recipes, training

LEDGER = Ledger(Path(__file__).parent / "results" / "semi_supervised.json", key=("data", "labels", "seed"))
START = "<!-- semi-supervised: made by `tests/benchmarks/semi_supervised.py table` -->"
END = "<!-- end of semi-supervised -->"
PAPER = {20: "1677 ± 452", 50: "221 ± 136", 100: "93 ± 6.5", 200: "90 ± 4.2"}


def measure(run: Path, source: str | None = None, limit: int | None = None) -> dict:
    """Return what a run was told and how many test images it gets wrong.

    Args:
        run: folder of the run.
        source: other test images than those of its data set.
        limit: use only so many of them.

    Raises:
        ValueError: the run has not come to its end, or was told all labels.
    """
    recipe, record = recipes.read(run / training.RECIPE), training.read_run(run)
    if record.get("epochs") != recipe.epochs:
        # Halfway, a third may be wrong that is right in the end.
        raise ValueError(f"{run} has {record.get('epochs', 0)} of {recipe.epochs} epochs; train it to its end first.")
    if "labelled" not in recipe.data:
        raise ValueError(f"{run} was told all labels: its recipe has no data.labelled.")
    model = training.load_run(run)
    test = data.load(
        source or recipe.data["source"], split="test", labels=True, limit=limit, batch_size=500, drop_remainder=False
    )
    wrong = [model.classify(images) != labels for images, labels in test.as_numpy_iterator()]
    return {
        "data": recipe.data["source"],
        "labels": recipe.data["labelled"],
        "seed": recipe.seed,
        "errors": int(np.sum(np.concatenate(wrong))),
        "test_images": len(np.concatenate(wrong)),
        "epochs": recipe.epochs,
        "processor_minutes": round(record["cpu_seconds"] / 60, 1),
        "hardware": record["hardware"],
        "versions": record["versions"],
    }


def table(runs: list[dict]) -> str:
    """Return the errors as Markdown, one row a number of labels."""
    rows = [
        "| data | labels | test errors of | draws | errors | paper | epochs | processor minutes |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for source, labels in sorted({(each["data"], each["labels"]) for each in runs}):
        group = [each for each in runs if (each["data"], each["labels"]) == (source, labels)]
        errors = [each["errors"] for each in group]
        spread = f"{np.mean(errors):.0f} ± {np.std(errors, ddof=1):.0f}" if len(errors) > 1 else f"{errors[0]}"
        single = f" ({', '.join(map(str, errors))})" if len(errors) > 1 else ""
        minutes = np.mean([each["processor_minutes"] for each in group])
        cells = [source, labels, f"{group[0]['test_images']:,}", len(group), spread + single, PAPER.get(labels, "")]
        rows.append("| " + " | ".join(map(str, [*cells, group[0]["epochs"], f"{minutes:.0f}"])) + " |")
    return "\n".join(rows)


def main(argv: list[str] | None = None) -> int:
    """Run one command."""
    return run_command(argv, __doc__, measure, LEDGER, table, (START, END))


if __name__ == "__main__":
    sys.exit(main())
