"""What every reader of folders does: finds the files, splits and classes, and says what it left out."""

import os
import pathlib
import sys
import warnings

from kerasgan.data.examples import check_split

# More than the largest data sets have. Symbolic links that fork can make 2^40 paths out of a few folders.
MOST_FOLDERS = 1_000_000
# Folders that hold nothing wanted before the first that does: beyond these, the wrong folder was given.
MOST_IN_VAIN = 10_000
_SPLIT_FOLDERS = {"train": ("train",), "validation": ("validation", "val"), "test": ("test",)}
_LISTED = 50


def find(base: pathlib.Path, suffixes: tuple[str, ...], skipped: dict | None = None) -> list[pathlib.Path]:
    """Returns the files below `base` whose names end in one of `suffixes`, sorted by the parts of their paths.

    Symbolic links are followed, but not back into a folder that they lie in. Hidden files and folders are left out:
    they include the "._name.jpg" companions that macOS writes.

    Args:
        base: Where to begin.
        suffixes: Endings in lower case, with the dot.
        skipped: Receives {folder: reason} for each folder that cannot be read. Without it, the first is an error.

    Raises:
        ValueError: A folder cannot be read, or there are more folders than a data set can have.
    """
    found: list[pathlib.Path] = []
    visited = 0
    waiting = [(base, frozenset())]
    while waiting:
        folder, above = waiting.pop()
        visited += 1
        if visited > (MOST_FOLDERS if found else MOST_IN_VAIN):
            holds = "" if found else f", and none of them holds a file that ends in {', '.join(suffixes)}"
            raise ValueError(
                f"{base} has more than {visited - 1:,} sub-folders{holds}. Give the folder that holds the data; "
                "look for symbolic links that lead back up."
            )
        try:
            entries, mark = _entries(folder)
        except ValueError as error:
            if skipped is None:
                raise
            skipped[folder] = str(error)
            continue
        if mark in above:
            continue
        for name, is_folder in entries:
            if is_folder and name != "__MACOSX":
                waiting.append((folder / name, above | {mark}))
            elif not is_folder and name.lower().endswith(suffixes):
                found.append(folder / name)
    # By parts, so that the order does not depend on the platform's separator.
    return sorted(found, key=lambda path: path.relative_to(base).parts)


def subfolders(folder: pathlib.Path) -> set[str]:
    """Returns the names of the visible folders in a folder; ValueError if it cannot be read."""
    return {name for name, is_folder in _entries(folder)[0] if is_folder}


def is_near(base: pathlib.Path, suffixes: tuple[str, ...]) -> bool:
    """Returns whether a file that ends in one of `suffixes` lies in `base` or in a folder directly in it."""
    folders = [base, *(base / name for name in subfolders(base))]
    return any(
        not is_folder and name.lower().endswith(suffixes)
        for folder in folders
        for name, is_folder in _entries(folder)[0]
    )


def split_folder(root: pathlib.Path, split: str) -> pathlib.Path:
    """Returns the folder of one split: `root` itself, unless all its folders are named after splits."""
    folders = subfolders(root)
    split_names = {name for names in _SPLIT_FOLDERS.values() for name in names}
    if "train" in folders and folders <= split_names:
        present = [s for s, names in _SPLIT_FOLDERS.items() if folders & set(names)]
        check_split(f"The folder {root}", split, present)
        return root / next(name for name in _SPLIT_FOLDERS[split] if name in folders)
    check_split(f"The folder {root}", split, ("train",))
    return root


def two_sides(root: pathlib.Path, split: str) -> tuple[pathlib.Path, pathlib.Path, str] | None:
    """Returns the folders of two domains in `root`, and the split to read of each; None if there are none.

    They are trainA and trainB (testA and testB, ...), which are read whole, or A and B, which may hold splits.
    """
    pairs = [(f"{word}A", f"{word}B", "train") for word in _SPLIT_FOLDERS.get(split, ())]
    for a, b, inner in (*pairs, ("A", "B", split)):
        if (root / a).is_dir() and (root / b).is_dir():
            return root / a, root / b, inner
    return None


def class_names(base: pathlib.Path, files: list[pathlib.Path]) -> tuple[str, ...] | None:
    """Returns the sorted names of the sub-folders that `files` lie in; None if some lie in none."""
    parts = [file.relative_to(base).parts for file in files]
    if any(len(part) == 1 for part in parts):
        return None
    return tuple(sorted({part[0] for part in parts}))


def warn_of_skipped(root: pathlib.Path, skipped: dict[pathlib.Path, str]) -> None:
    """Warns once, in the name of the code outside of kerasgan that asked, of all that was left out."""
    if not skipped:
        return
    lines = [f"  {file}: {reason}" for file, reason in sorted(skipped.items())]
    if len(lines) > _LISTED:
        lines[_LISTED:] = [f"  ... and {len(lines) - _LISTED} more"]
    plural = "file" if len(skipped) == 1 else "files"
    message = f"Skipped {len(skipped)} {plural} of {root}:\n" + "\n".join(lines)
    warnings.warn(message, stacklevel=_depth_of_caller())


def _depth_of_caller() -> int:
    depth, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("kerasgan."):
        depth, frame = depth + 1, frame.f_back
    return depth


def _entries(folder: pathlib.Path) -> tuple[list[tuple[str, bool]], tuple[int, int]]:
    """The visible (name, is it a folder) of a folder, and what tells the folder from every other."""
    try:
        status = os.stat(folder)
        with os.scandir(folder) as entries:
            listed = [(entry.name, _is_folder(entry)) for entry in entries if entry.name[0] != "."]
    except OSError as error:
        raise ValueError(
            f"The folder {folder} cannot be read ({type(error).__name__}: {error.strerror}). Change its permissions, "
            "or pass on_error='skip' to leave out such sub-folders."
        ) from error
    return listed, (status.st_dev, status.st_ino)


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A symbolic link to itself.
        return False
