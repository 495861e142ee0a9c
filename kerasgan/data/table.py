"""Reads columns of numbers from a table in a CSV file."""

import csv
import pathlib
from collections.abc import Sequence

import numpy as np

from kerasgan.data import text
from kerasgan.support.configurable import unknown_name


def read_columns(path: "str | pathlib.Path", names: Sequence[str]) -> np.ndarray:
    """Returns columns of a CSV file with a heading, float64 (rows, len(names)); an empty cell is NaN.

    Args:
        path: The file.
        names: Of columns. "blond_hair" also finds one that is called "Blond Hair".

    Raises:
        ValueError: The file cannot be read, a column is missing, or a cell is no number.
    """
    path = pathlib.Path(path)
    rows = csv.reader(text.read(path).splitlines())
    heading = {_plain(name): place for place, name in enumerate(next(rows, []))}
    for name in names:
        if _plain(name) not in heading:
            raise ValueError(f"{path}: " + unknown_name("column", name, sorted(heading)))
    places = [heading[_plain(name)] for name in names]
    found = [[_number(path, line, row, place) for place in places] for line, row in enumerate(rows, 2) if row]
    return np.array(found, "float64").reshape(-1, len(places))


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


def _number(path, line: int, row: list[str], place: int) -> float:
    cell = row[place].strip() if place < len(row) else ""
    try:
        return float(cell or "nan")
    except ValueError:
        raise ValueError(f"{path}, line {line}: {cell!r} is no number.") from None
