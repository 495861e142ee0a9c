"""kerasgan's recipes beside the published keras.io ones: same images, same number of them, same measurement.

    python tests/benchmarks/side_by_side.py run dcgan --data mnist --epochs 2 --seeds 0 1 2
    python tests/benchmarks/side_by_side.py table --readme README.md

`run` trains both sides, one run after the other, each in a process of its own; what was finished earlier is not trained
again. It measures them by `kerasgan.metrics.evaluate` and adds the numbers to results/side_by_side.json. `table` writes
that file as Markdown between the two marks of the README. Ours are the recipes of the zoo's presets, with the seed and
the number of epochs that are asked for.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from ledger import COST, Ledger, add_table, mean, measured, minutes, row, show, values

HERE = Path(__file__).parent
LEDGER = Ledger(HERE / "results" / "side_by_side.json", key=("side", "model", "data", "epochs", "seed"))
# kerasgan's model -> recipe of keras_io.py
OPPONENTS = {"dcgan": "gan", "vae": "vae", "wgan_gp": "wgan_gp", "conditional_gan": "conditional_gan"}
SIDES = ("kerasgan", "keras.io")
NAMES = {"wgan_gp": "WGAN-GP", "conditional_gan": "conditional GAN"}
METRICS = ("fid", "prdc", "classes", "labels")
# Metric -> digits; `labels_heeded` is of conditional models.
COLUMNS = {"precision": 2, "recall": 2, "coverage": 2, "class_deviation": 2, "labels_heeded": 3}
START, END = "<!-- side by side: made by `tests/benchmarks/side_by_side.py table` -->", "<!-- end of side by side -->"


def run(model: str, source: str, epochs: int, seeds: list[int], runs: Path) -> None:
    for seed in seeds:
        for side in SIDES:
            key = {"side": side, "model": model, "data": source, "epochs": epochs, "seed": seed}
            if LEDGER.has(key):
                continue
            folder = runs / f"{side}-{model}-{source}-{epochs}-{seed}"
            subprocess.run([sys.executable, *_command(side, model, source, epochs, seed, folder)], check=True)
            cost = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            results = measured(_load(side, folder), source, METRICS)
            LEDGER.keep(key | {name: cost[name] for name in COST} | {"results": results})
            print(f"{side} {model} {source}, seed {seed}: fid {results['fid']['value']:.3g}", flush=True)


def _command(side: str, model: str, source: str, epochs: int, seed: int, folder: Path) -> list[str]:
    training = ["--out", str(folder), "--epochs", str(epochs), "--seed", str(seed)]
    if side == "keras.io":
        return [str(HERE / "keras_io.py"), "train", OPPONENTS[model], "--data", source, *training]
    if (folder / "recipe.toml").is_file():
        return ["-m", "kerasgan.cli", "train", "--resume", str(folder)]
    return ["-m", "kerasgan.cli", "train", f"{model}_{source}", "--precision", "auto", *training]


def _load(side: str, folder: Path):
    if side == "kerasgan":
        from kerasgan.runs import loading

        return loading.load(folder)
    import keras_io

    return keras_io.load(folder)


def table() -> str:
    """Return all runs as a Markdown table, one row for the seeds of one recipe: means and standard deviations."""
    runs = LEDGER.runs()
    columns = [name for name in COLUMNS if any(name in each["results"] for each in runs)]
    titles = ["data, epochs", "recipe", "seeds", "processor minutes", "FID", "times real against real"]
    lines = [
        row([*titles, *(name.replace("_", " ") for name in columns)]),
        "|---|---|" + "---:|" * (len(titles) - 2 + len(columns)),
    ]
    for group in sorted({(each["data"], each["epochs"], each["model"], each["side"]) for each in runs}):
        found = [each for each in runs if (each["data"], each["epochs"], each["model"], each["side"]) == group]
        lines.append(_row(*group, found, columns))
    return "\n".join(lines)


def _row(source: str, epochs: int, model: str, side: str, runs: list[dict], columns: list[str]) -> str:
    fid, name = values(runs, "fid"), model if side == "kerasgan" else OPPONENTS[model]
    return row(
        [
            f"{source}, {epochs}",
            f"{side} {NAMES.get(name, name.upper())}",
            len(runs),
            minutes(runs),
            mean(fid, 3),
            f"{np.mean(fid / values(runs, 'fid', 'floor')):.0f}",
            *(mean(values(runs, each), COLUMNS[each]) if each in runs[0]["results"] else "" for each in columns),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("model", choices=OPPONENTS)
    running.add_argument("--data", default="mnist")
    running.add_argument("--epochs", type=int, required=True)
    running.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    running.add_argument("--runs", type=Path, default=Path("runs/side_by_side"))
    add_table(commands)
    given = parser.parse_args()
    if given.command == "run":
        run(given.model, given.data, given.epochs, given.seeds, given.runs)
    else:
        show(table(), START, END, given.readme)


if __name__ == "__main__":
    main()
