"""The table of the toys: every loss, with everything that is added to it, over several seeds, as it came out."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from kerasgan.support import files
from kerasgan.toys.distributions import MIXTURES, Mixture
from kerasgan.toys.training import DEFAULTS, PointGAN, Settings, Trainer, samples
from kerasgan.toys.variants import LOSSES, STRENGTHS, Variant, parse

SEEDS = 5
RESULTS, TABLE, POINTS = "table.json", "table.md", "points"
# Added to every loss, one a column; and what the papers of some losses added to them.
COLUMNS = ((), ("packed",), ("r1",), ("r1", "r2"), ("gp",))
OF_PAPERS = ("wasserstein+clip", "non_saturating+dragan", "hinge+sn")


def variants() -> list[Variant]:
    """Return the variants of the table, row by row."""
    return [Variant(loss, column) for loss in LOSSES for column in COLUMNS] + [parse(name) for name in OF_PAPERS]


def run(
    folder: "str | Path", seeds: int = SEEDS, settings: Settings = DEFAULTS, toys=tuple(MIXTURES), models=None,
    tell: Callable[[str], None] = print,
) -> None:  # fmt: skip
    """Train what is missing of the table in a folder; each run is kept when it is done, and not trained again.

    Args:
        folder: for `table.json`, `table.md`, and the points of every model's first seed.
        seeds: 0 to seeds - 1.
        settings: what all variants share.
        toys: names of `MIXTURES`.
        models: names of variants; those of `variants` if left out.
        tell: is told every result.

    Raises:
        ValueError: the folder has a table of other settings.
    """
    results = begun(folder, settings)
    for toy, variant in _cells(toys, models):
        missing = [seed for seed in range(seeds) if find(results, toy.name, variant.name, seed) is None]
        if not missing:
            continue
        trainer = Trainer(toy, variant, settings)
        compiled = prepared(trainer)
        for seed in missing:
            row, gan = trained(trainer, seed)
            if seed == 0:
                _keep_points(folder, toy.name, variant.name, samples(gan))
            results["runs"].append(row | {"compile_seconds": compiled})
            write(folder, results)
            tell(as_line(row))


def begun(folder: "str | Path", settings: Settings) -> dict:
    """Return the results in a folder, or new ones that have no runs yet.

    Raises:
        ValueError: they are of other settings.
    """
    known = dataclasses.asdict(settings) | {"hidden": list(settings.hidden), "strengths": STRENGTHS}
    protocols = {toy.name: toy.protocol for toy in MIXTURES.values()}
    folder = Path(folder)
    if not (folder / RESULTS).is_file():
        return {"settings": known, "protocols": protocols, "runs": []}
    results = read(folder)
    if results.get("settings") != known or results.get("protocols") != protocols:
        raise ValueError(
            f"{str(folder / RESULTS)!r} was made with other settings: {results.get('settings')}, and not {known}. "
            "Choose another folder."
        )
    return results


def write(folder: "str | Path", results: dict) -> None:
    """Write results as JSON, and the table of them."""
    files.write_json(Path(folder) / RESULTS, results)
    files.write_text(Path(folder) / TABLE, as_markdown(results))


def prepared(trainer: Trainer) -> float:
    """Compile a trainer's step, and return how many processor seconds it took."""
    start = time.process_time()
    trainer.prepare()
    return round(time.process_time() - start, 2)


def trained(trainer: Trainer, seed: int, watch=None) -> tuple[dict, PointGAN]:
    """Train from a seed; return the run as the table has it, and the model."""
    start = time.process_time()
    gan = trainer.train(seed, watch)
    seconds = time.process_time() - start
    score = trainer.toy.score(samples(gan))
    row = {
        "toy": trainer.toy.name,
        "model": trainer.variant.name,
        "seed": seed,
        "covered": score.covered,
        "modes": trainer.toy.modes,
        "high_quality": round(score.high_quality, 4),
        "jsd": round(score.jsd, 4),
        "seconds": round(seconds, 2),
    }
    return row, gan


def find(results: dict, toy: str, model: str, seed: int) -> dict | None:
    """Return a run of a table, or None."""
    wanted = (toy, model, seed)
    return next((run for run in results["runs"] if (run["toy"], run["model"], run["seed"]) == wanted), None)


def as_line(row: dict) -> str:
    """Return one run as a line of text."""
    return (
        f"{row['toy']:<5} {row['model']:<26} seed {row['seed']}: {row['covered']:>2} of {row['modes']} modes, "
        f"{row['high_quality']:.1%} high quality, JSD {row['jsd']:.3f}, {row['seconds']:.1f} s"
    )


def as_markdown(results: dict) -> str:
    """Return the table: a part a toy, a line a model, means and standard deviations over seeds."""
    return "\n".join(text for name in MIXTURES for text in _part(results, name))


def read(folder: "str | Path") -> dict:
    """Return the results in a folder, as `run` keeps them."""
    return files.read_json(Path(folder) / RESULTS)


def points_of(folder: "str | Path", toy: str, model: str) -> np.ndarray | None:
    """Return the points that a model of a table made from seed 0, (n, 2), or None."""
    path = Path(folder) / POINTS / f"{toy}_{model}.npy"
    return np.load(path, allow_pickle=False) if path.is_file() else None


def _cells(toys, models) -> Iterator[tuple[Mixture, Variant]]:
    chosen = variants() if models is None else [parse(name) for name in models]
    # One toy after another for each variant: an interrupted table has whole rows.
    return ((MIXTURES[toy], variant) for variant in chosen for toy in toys)


def _keep_points(folder: "str | Path", toy: str, model: str, points: np.ndarray) -> None:
    with files.replacing(Path(folder) / POINTS / f"{toy}_{model}.npy") as temporary:
        np.save(temporary, points.astype("float32"))


def _part(results: dict, toy: str) -> Iterator[str]:
    rows = [row for row in results["runs"] if row["toy"] == toy]
    if not rows:
        return
    yield f"**{toy}**: {results['protocols'][toy]}.\n"
    yield f"| loss | added | seeds | modes of {rows[0]['modes']} | high quality | JSD | processor seconds |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for model in _in_order({row["model"] for row in rows}):
        same = [row for row in rows if row["model"] == model]
        loss, _, added = model.partition("+")
        yield (
            f"| {loss} | {added.replace('+', ' + ')} | {len(same)} | {_spread(same, 'covered', 1, 1)} "
            f"| {_spread(same, 'high_quality', 100, 1)} % | {_spread(same, 'jsd', 1, 3)} "
            f"| {np.mean([row['seconds'] for row in same]):.1f} |"
        )
    yield ""


def _in_order(models: set[str]) -> list[str]:
    """Return names of variants in the order of the table, others behind them."""
    known = [variant.name for variant in variants() if variant.name in models]
    return known + sorted(models - set(known))


def _spread(rows: list[dict], name: str, factor: float, digits: int) -> str:
    values = factor * np.array([row[name] for row in rows])
    spread = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"
