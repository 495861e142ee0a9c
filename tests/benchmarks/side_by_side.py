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

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "side_by_side.json"
# kerasgan's model -> recipe of keras_io.py
OPPONENTS = {"dcgan": "gan", "vae": "vae"}
SIDES = ("kerasgan", "keras.io")
METRICS = ("fid", "prdc", "classes")
COLUMNS = ("precision", "recall", "coverage", "class_deviation")
START, END = "<!-- side by side: made by `tests/benchmarks/side_by_side.py table` -->", "<!-- end of side by side -->"


def run(model: str, source: str, epochs: int, seeds: list[int], runs: Path) -> None:
    for seed in seeds:
        for side in SIDES:
            folder = runs / f"{side}-{model}-{source}-{epochs}-{seed}"
            subprocess.run([sys.executable, *_command(side, model, source, epochs, seed, folder)], check=True)
            record = _measured(side, folder, source)
            key = {"side": side, "model": model, "data": source, "epochs": epochs, "seed": seed}
            _keep(key, key | record)
            print(f"{side} {model} {source}, seed {seed}: fid {record['results']['fid']['value']:.3g}", flush=True)


def _command(side: str, model: str, source: str, epochs: int, seed: int, folder: Path) -> list[str]:
    if side == "keras.io":
        command = [str(HERE / "keras_io.py"), "train", OPPONENTS[model], "--data", source, "--out", str(folder)]
    else:
        resume = ["--resume"] if (folder / "recipe.toml").is_file() else []
        command = ["-m", "kerasgan.cli", "train", f"{model}_{source}", "--out", str(folder), *resume]
    return [*command, "--epochs", str(epochs), "--seed", str(seed)]


def _measured(side: str, folder: Path, source: str) -> dict:
    """Return the cost of a run and its results by metric."""
    from kerasgan import metrics

    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    results = metrics.evaluate(_load(side, folder), source, metrics=METRICS)
    cost = {name: record[name] for name in ("seconds", "cpu_seconds", "hardware", "versions")}
    return cost | {"results": {result.protocol["metric"]: result.to_dict() for result in results}}


def _load(side: str, folder: Path):
    if side == "kerasgan":
        from kerasgan.runs import loading

        return loading.load(folder)
    sys.path.insert(0, str(HERE))
    import keras_io

    return keras_io.load(folder)


def _keep(key: dict, record: dict) -> None:
    from kerasgan.support import files

    others = [each for each in _records() if any(each[name] != value for name, value in key.items())]
    order = sorted([*others, record], key=lambda each: [str(each[name]) for name in key])
    files.write_json(RESULTS, {"runs": order})


def _records() -> list[dict]:
    return json.loads(RESULTS.read_text(encoding="utf-8"))["runs"] if RESULTS.is_file() else []


def table() -> str:
    """Return all runs as a Markdown table, one row for the seeds of one recipe: means and standard deviations."""
    lines = [
        "| data, epochs | recipe | seeds | processor minutes | FID | times real against real | "
        + " | ".join(column.replace("_", " ") for column in COLUMNS)
        + " |",
        "|---|---|---:|---:|---:|---:|" + "---:|" * len(COLUMNS),
    ]
    records = _records()
    for group in sorted({(each["data"], each["epochs"], each["model"], each["side"]) for each in records}):
        found = [each for each in records if (each["data"], each["epochs"], each["model"], each["side"]) == group]
        lines.append(_row(*group, found))
    return "\n".join(lines)


def _row(source: str, epochs: int, model: str, side: str, runs: list[dict]) -> str:
    def values(metric: str, field: str = "value"):
        return np.array([each["results"][metric][field] for each in runs])

    fid = values("fid")
    cells = [
        f"{source}, {epochs}",
        f"kerasgan {model.upper()}" if side == "kerasgan" else f"keras.io {OPPONENTS[model].upper()}",
        str(len(runs)),
        f"{np.mean([each['cpu_seconds'] for each in runs]) / 60:.1f}",
        _mean(fid, 3),
        f"{np.mean(fid / values('fid', 'floor')):.0f}",
        *(_mean(values(column), 2) for column in COLUMNS),
    ]
    return "| " + " | ".join(cells) + " |"


def _mean(values: np.ndarray, digits: int) -> str:
    spread = f" ± {values.std(ddof=1):.{digits - 1}g}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}g}{spread}"


def readme_with_table(readme: str) -> str:
    """Return the README's text with the table between its marks made anew."""
    from kerasgan.publishing import cards

    return cards.with_section(readme, START, END, table())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("model", choices=OPPONENTS)
    running.add_argument("--data", default="mnist")
    running.add_argument("--epochs", type=int, required=True)
    running.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    running.add_argument("--runs", type=Path, default=Path("runs/side_by_side"))
    tabling = commands.add_parser("table")
    tabling.add_argument("--readme", type=Path, help="README to bring up to date (default: print the table)")
    given = parser.parse_args()
    if given.command == "run":
        run(given.model, given.data, given.epochs, given.seeds, given.runs)
    elif given.readme:
        from kerasgan.support import files

        files.write_text(given.readme, readme_with_table(given.readme.read_text(encoding="utf-8")))
    else:
        print(table())


if __name__ == "__main__":
    main()
