"""The folder of a run: what is in it, who may write to it, and whether a run may begin or go on there."""

import contextlib
import csv
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from kerasgan.presets.files import METADATA
from kerasgan.runs import recipes
from kerasgan.runs.recipes import Recipe
from kerasgan.support import files

RECIPE, MODEL, HISTORY, LOGS = "recipe.toml", "model.keras", "history.csv", "logs"
# With the suffix of what the model makes: .png, .wav, .txt.
SAMPLES = "samples"
RUN = "run.json"
# What cannot change when a run goes on; epochs, strategy and summaries can.
FIXED = ("model", "data", "compile", "seed", "precision")


@contextlib.contextmanager
def begun(folder: Path, recipe: Recipe, resume: bool) -> Iterator[None]:
    """Hold a run's folder for this process, which trains a recipe there; a killed process holds it no longer.

    A run that fails before its first epoch ended leaves nothing behind, so that the same command may be given again.
    One that is interrupted or killed may be begun anew, or resumed.

    Raises:
        ValueError: another process trains there, or this recipe may not.
    """
    with held(folder):
        check(folder, recipe, resume)
        files.remove_partial(folder)
        if not resume:
            clear(folder)
        try:
            yield
        except Exception:
            if not resume and not (folder / MODEL).is_file():
                clear(folder)
            raise


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Lock a folder, made where it is missing; what was made and stays empty is removed again."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _locked(folder):
            yield
    finally:
        for each in made:
            with contextlib.suppress(OSError):  # Not empty: something was kept.
                each.rmdir()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows.
        yield
        return
    # The folder itself is locked: no file is left behind, and the system ends the lock with the process.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"Another process trains in {str(folder)!r}. Wait for it, or choose another.") from None
        except OSError:
            pass  # Some network file systems have no locks.
        yield
    finally:
        os.close(descriptor)


def check(folder: Path, recipe: Recipe, resume: bool) -> None:
    """Raise a ValueError unless the recipe may begin, or go on, in the folder."""
    if (folder / METADATA).is_file():
        raise ValueError(f"{str(folder)!r} is a preset, not a run: training would damage it. Choose another folder.")
    exists = (folder / RECIPE).is_file()
    if resume and not exists:
        raise ValueError(f"{str(folder)!r} holds no run to resume: it has no {RECIPE}.")
    if resume:
        _check_unchanged(folder, recipe)
    elif exists and not untrained(folder):
        raise ValueError(f"{str(folder)!r} holds a run. Go on with it (--resume), or choose another folder.")
    elif not exists and folder.is_dir() and any(folder.iterdir()):
        raise ValueError(f"{str(folder)!r} is not empty and holds no run; choose another folder.")


def untrained(folder: Path) -> bool:
    """Return whether a folder holds a run that ended before its first epoch did, and nothing else."""
    names = {path.name for path in folder.iterdir() if not path.name.startswith(files.PARTIAL)}
    # A recipe that somebody wrote by hand is not ours to replace.
    return names <= {RECIPE, LOGS, HISTORY} and recipes.is_canonical(folder / RECIPE)


def clear(folder: Path) -> None:
    """Remove what a run that finished no epoch has left."""
    for name in (RECIPE, HISTORY):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / LOGS, ignore_errors=True)
    files.remove_partial(folder)


def _check_unchanged(folder: Path, recipe: Recipe) -> None:
    earlier = recipes.read(folder / RECIPE)
    changed = [name for name in FIXED if getattr(earlier, name) != getattr(recipe, name)]
    if changed:
        raise ValueError(
            f"A resumed run keeps its recipe; received another {', '.join(changed)} than {folder / RECIPE} says. "
            "Start a new run for that, in another folder."
        )
    begun = read_run(folder).get("recipe")
    edited = differences(begun, fixed(recipe)) if isinstance(begun, dict) else []
    if edited:
        raise ValueError(
            f"A resumed run keeps its recipe, and {folder / RECIPE} was edited since the run began: "
            f"{'; '.join(edited)}. Put it back, or start a new run in another folder."
        )


def fixed(recipe: Recipe) -> dict:
    """Return the part of a recipe that a run keeps, as JSON has it."""
    return {name: value for name, value in asdict(recipe).items() if name in FIXED}


def differences(earlier: dict, later: dict, above: str = "") -> list[str]:
    """Return in words where two nested dicts differ."""
    found = []
    for key in [*earlier, *(key for key in later if key not in earlier)]:
        one, two = earlier.get(key), later.get(key)
        if isinstance(one, dict) and isinstance(two, dict):
            found += differences(one, two, f"{above}{key}.")
        elif one != two:
            found.append(f"{above}{key} was {one!r} and is {two!r}")
    return found


def read_run(folder: "str | Path") -> dict:
    """Return what `run.json` of a run says; empty before its first epoch ended."""
    path = Path(folder) / RUN
    return files.read_json(path) if path.is_file() else {}


def read_history(folder: "str | Path") -> list[dict]:
    """Return the rows of a run's `history.csv`, one an epoch; empty before its first epoch ended."""
    path = Path(folder) / HISTORY
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
