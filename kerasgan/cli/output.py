"""Where commands put what they make: one file for all, or one each in a folder."""

import re
from collections.abc import Iterator
from pathlib import Path


def target(out: str, kind) -> tuple[Path, bool]:
    """Return where to write, and whether it is one file for all rather than a folder.

    Raises:
        ValueError: it is neither, such as a file of a format that is not written.
    """
    path = Path(out)
    if path.suffix.lower() == kind.suffix and not path.is_dir():
        return path, True
    if path.is_dir() or out.endswith(("/", "\\")):
        return path, False
    if path.exists() or re.fullmatch(r"\.[A-Za-z]\w{0,4}", path.suffix):
        raise ValueError(
            f"{kind.name.capitalize()} are written to one {kind.suffix} file, or into a folder; received {out!r}."
        )
    return path, False


def check_room(kind, count: int) -> None:
    """Raise a ValueError where one file cannot hold so many."""
    if count > kind.most_in_a_file:
        raise ValueError(
            f"One {kind.suffix} file holds at most {kind.most_in_a_file:,} {kind.name} ({kind.describe()}); received "
            f"{count:,}. Give a folder instead: --out samples/"
        )


def write(kind, made: Iterator, out: Path, one_file: bool, columns=None, beside=None) -> None:
    """Write batches as they come: into a folder nothing but the present one is held."""
    import numpy as np

    if one_file:
        kind.save(out, np.concatenate(list(made)), columns=columns, beside=beside)
        return
    first = 0
    for batch in made:
        kind.save_each(out, batch, first)
        first += len(batch)
