"""Runs that were measured, kept in a JSON file, and the Markdown tables made of them: what comparisons share."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from kerasgan.publishing import cards
from kerasgan.support import files

# What is kept of a finished run's `run.json`.
COST = ("seconds", "cpu_seconds", "hardware", "versions")


class Ledger:
    """A file of runs, each a dict that says what was trained, what it cost and what was measured.

    Args:
        path: the JSON file; it need not exist.
        key: names of the entries that tell one run from another.
    """

    def __init__(self, path: Path, key: tuple[str, ...]):
        self.path = path
        self.key = key

    def runs(self) -> list[dict]:
        """Return all runs, in the order of their keys."""
        return json.loads(self.path.read_text(encoding="utf-8"))["runs"] if self.path.is_file() else []

    def has(self, key: dict) -> bool:
        """Return whether there is a run with this key."""
        return any(self._key(each) == self._key(key) for each in self.runs())

    def keep(self, *runs: dict) -> None:
        """Add runs, in place of earlier ones with the same key."""
        by_key = {self._key(each): each for each in [*self.runs(), *runs]}
        files.write_json(self.path, {"runs": [by_key[key] for key in sorted(by_key)]})

    def _key(self, run: dict) -> tuple:
        return tuple(run[name] for name in self.key)


def measured(model, source: str, metrics: tuple[str, ...], n: int = 10_000, **settings) -> dict:
    """Return the results of `kerasgan.metrics.evaluate` by metric, as dicts; `settings` are further arguments of it."""
    from kerasgan.metrics import evaluate

    found = evaluate(model, source, metrics=metrics, n=n, **settings)
    return {each.protocol["metric"]: each.to_dict() for each in found}


def values(runs: list[dict], metric: str, field: str = "value") -> np.ndarray:
    """Return one metric of several runs."""
    return np.array([each["results"][metric][field] for each in runs])


def mean(values: np.ndarray, digits: int) -> str:
    """Return the mean, with the standard deviation where there is more than one value."""
    spread = f" ± {values.std(ddof=1):.{digits - 1}g}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}g}{spread}"


def minutes(runs: list[dict]) -> str:
    """Return the mean processor time of training, in minutes."""
    return f"{np.mean([each['cpu_seconds'] for each in runs]) / 60:.1f}"


def row(cells) -> str:
    """Return a row of a Markdown table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def add_table(commands) -> None:
    """Add the command `table` to a benchmark's parser."""
    tabling = commands.add_parser("table")
    tabling.add_argument("--readme", type=Path, help="README to bring up to date (default: print the table)")


def show(table: str, start: str, end: str, readme: Path | None) -> None:
    """Print a table, or write it between its marks of a README."""
    if readme is None:
        print(table)
    else:
        files.write_text(readme, cards.with_section(readme.read_text(encoding="utf-8"), start, end, table))


def run_command(argv: list[str] | None, doc: str, measure, ledger: Ledger, table, marks: tuple[str, str]) -> int:
    """Measure runs and keep what was found, or write the table; exit status 1 where a run cannot be measured.

    Args:
        argv: the command line.
        doc: what the command says of itself.
        measure: folder of a finished run -> what is kept of it.
        ledger: where it is kept.
        table: of such runs, as Markdown.
        marks: between which the README has the table.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("measure").add_argument("runs", nargs="+", type=Path, help="folders of finished runs")
    add_table(commands)
    given = parser.parse_args(argv)
    if given.command == "table":
        show(table(ledger.runs()), *marks, given.readme)
        return 0
    try:
        found = [measure(run) for run in given.runs]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    ledger.keep(*found)
    print(table(found))
    return 0
