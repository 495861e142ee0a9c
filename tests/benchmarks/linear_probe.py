"""What a DCGAN's discriminator has learned: a linear classifier on its features, with few labels or many.

    pip install -e '.[bench]'
    python tests/benchmarks/linear_probe.py run dcgan_mnist --data mnist --labels 100 1000 --seeds 5
    python tests/benchmarks/linear_probe.py table --readme README.md

`run` adds what it measures to results/linear_probe.json, `table` writes that file as Markdown between the two marks of
the README.

Radford et al. 2015, section 5 (https://arxiv.org/abs/1511.06434). Three representations get the same treatment: raw
pixels, `DCGAN.features` of the same networks with random weights that were never trained, and of the trained model.

For each number of labels and each seed: draw as many training images of every class; fit multinomial logistic
regression with an L2 penalty; report the accuracy on the whole test split. Its C, and whether each feature is divided
by its own standard deviation or all by one, are what does best on held-out parts of the labelled images: a fifth,
drawn five times (once above 5000 labels). No other label, and no test image, plays a part. The seed draws the images
and the weights of the untrained networks.
"""

import argparse
import hashlib
import json
import resource
import sys
import time
from pathlib import Path

from kerasgan.cli.start import start_tensorflow

if __name__ == "__main__":
    # Before anything imports TensorFlow with its start-up messages.
    start_tensorflow()

import numpy as np

import kerasgan
from kerasgan.publishing import cards
from kerasgan.runs import loading
from kerasgan.support import files

RESULTS = Path(__file__).parent / "results" / "linear_probe.json"
START, END = "<!-- linear probe: made by `tests/benchmarks/linear_probe.py table` -->", "<!-- end of linear probe -->"
C_GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
MAX_ITERATIONS = 500
MANY_LABELS = 5000


def read(source, split: str, image_shape: tuple, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return a split's images, float32 (n, h, w, c) in [-1, 1], and labels, int32 (n,)."""
    batches = kerasgan.data.load(
        source, split=split, image_size=image_shape[:2], channels=image_shape[2], labels=True, limit=limit,
        batch_size=1000, shuffle=False, cache=True,
    )  # fmt: skip
    images, labels = zip(*batches.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def draw_balanced(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return the indices of `count` examples, equally many of every class.

    Raises:
        ValueError: the count cannot be shared out equally, or a class has too few examples.
    """
    classes = np.unique(labels)
    each, rest = divmod(count, len(classes))
    scarcest = min(np.sum(labels == one) for one in classes)
    # A fifth held out must have one of every class.
    if rest or not 5 <= each <= scarcest:
        raise ValueError(
            f"The number of labels must be a multiple of {len(classes)}, the number of classes, from 5 to {scarcest} "
            f"a class; received {count}."
        )
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.choice(np.flatnonzero(labels == one), each, replace=False) for one in classes])


def untrained(model, seed: int):
    """Return the same networks with random weights."""
    return type(model).from_config(model.get_config() | {"seed": seed})


def representations(model, seed: int) -> dict:
    """Return name -> function from images to features (n, d), in the order of the table's columns."""
    return {
        "pixels": lambda images: images.reshape(len(images), -1),
        "untrained": untrained(model, seed).features,
        "trained": model.features,
    }


def probe(train: np.ndarray, labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray, seed: int, grid) -> dict:
    """Return the test accuracy of a linear classifier, and how it was chosen.

    Args:
        train: float32 features (n, d) of the labelled images.
        labels: their classes (n,).
        test: float32 features (m, d).
        test_labels: their classes (m,).
        seed: of the held-out parts.
        grid: values of C to choose from.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    # One number for all features, so that one grid of C suits every representation.
    scale = train.std()
    steps = [("scale", StandardScaler()), ("classify", LogisticRegression(max_iter=MAX_ITERATIONS))]
    choices = {"scale": [StandardScaler(), StandardScaler(with_std=False)], "classify__C": list(grid)}
    held_out = StratifiedShuffleSplit(1 if len(labels) > MANY_LABELS else 5, test_size=0.2, random_state=seed)
    search = GridSearchCV(Pipeline(steps), choices, cv=held_out)
    # The products are small: on two busy cores, threads waiting for each other made fits 10 to 40 times slower.
    with threadpool_limits(1):
        search.fit(train / scale, labels)
    best = search.best_estimator_
    return {
        "accuracy": float(best.score(test / scale, test_labels)),
        "validation_accuracy": float(search.best_score_),
        "C": search.best_params_["classify__C"],
        "each_feature_scaled": search.best_params_["scale"].with_std,
        "converged": bool(best["classify"].n_iter_.max() < MAX_ITERATIONS),
    }


def measure(model, train, test, counts: list, seeds: int, grid=C_GRID) -> list[dict]:
    """Return one entry for each number of labels and representation, with every seed's outcome.

    Args:
        model: a DCGAN.
        train: (images, labels) to draw labelled images from.
        test: (images, labels) to report on.
        counts: numbers of labels; None is all of them, as they are.
        seeds: number of repetitions.
        grid: values of C to choose from.
    """
    entries = []
    for count in counts:
        outcomes: dict[str, list] = {}
        for seed in range(seeds):
            chosen = np.arange(len(train[1])) if count is None else draw_balanced(train[1], count, seed)
            for name, represent in representations(model, seed).items():
                start = time.monotonic()
                labelled, labels = represent(train[0][chosen]), train[1][chosen]
                outcome = probe(labelled, labels, represent(test[0]), test[1], seed, grid)
                outcomes.setdefault(name, []).append(outcome | {"seconds": round(time.monotonic() - start, 1)})
        entries += [summary(len(chosen), name, runs) for name, runs in outcomes.items()]
        for entry in entries[-len(outcomes) :]:
            print(f"{entry['labels']} labels, {entry['representation']}: {accuracy_text(entry)}", flush=True)
    return entries


def summary(labels: int, representation: str, runs: list[dict]) -> dict:
    accuracies = [run["accuracy"] for run in runs]
    return {
        "labels": labels,
        "representation": representation,
        "mean": float(np.mean(accuracies)),
        "sd": float(np.std(accuracies, ddof=1)) if len(runs) > 1 else None,
        "runs": runs,
    }


def accuracy_text(entry: dict) -> str:
    spread = "" if entry["sd"] is None else f" ± {100 * entry['sd']:.2f}"
    return f"{100 * entry['mean']:.2f}{spread} %"


def keep(report: dict) -> None:
    """Add a report to the results, in place of an earlier one of the same data, preset and numbers of labels."""
    others = [each for each in reports() if _key(each) != _key(report)]
    files.write_json(RESULTS, {"reports": sorted([*others, report], key=_key, reverse=True)})


def reports() -> list[dict]:
    """Return all that was measured and kept."""
    return json.loads(RESULTS.read_text(encoding="utf-8"))["reports"] if RESULTS.is_file() else []


def _key(report: dict) -> tuple:
    labels = sorted({entry["labels"] for entry in report["results"]})
    return report["protocol"]["data"], report["protocol"]["preset"], labels


def table(measured: list[dict]) -> str:
    """Return the accuracies as Markdown, one row a model and number of labels."""
    rows = [
        "| data, model | labels | raw pixels | untrained discriminator | trained discriminator |",
        "|---|---:|---:|---:|---:|",
    ]
    for report in measured:
        facts = report["protocol"]
        for labels in dict.fromkeys(entry["labels"] for entry in report["results"]):
            cells = [accuracy_text(entry) for entry in report["results"] if entry["labels"] == labels]
            rows.append(f"| {facts['data']}, `{facts['preset']}` | {labels} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def readme_with_table(readme: str) -> str:
    """Return the README's text with the table between its marks made anew."""
    return cards.with_section(readme, START, END, table(reports()))


def weights_sha256(model) -> str:
    """Return the sha256 of the discriminator's weights: the same for a run and for the preset made of it."""
    digest = hashlib.sha256()
    for array in model.discriminator.get_weights():
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def protocol(given: argparse.Namespace, model, test_images: int) -> dict:
    import sklearn

    return {
        "data": given.data,
        "preset": Path(given.preset).name,
        "sha256": weights_sha256(model),
        "test_images": test_images,
        "seeds": given.seeds,
        "classifier": f"multinomial logistic regression, L2, lbfgs, at most {MAX_ITERATIONS} iterations",
        "C_grid": list(given.c_grid),
        "scaling": "each feature centred, and divided by its own standard deviation or all by one: chosen with C",
        "validation": f"a fifth of the labelled images, 5 times (once above {MANY_LABELS} labels), stratified",
        "versions": {"kerasgan": kerasgan.__version__, "scikit-learn": sklearn.__version__},
    }


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table, write the JSON; exit status 1 on wrong settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("preset", help="a preset, a preset folder, a run or a .keras file")
    running.add_argument("--data", default="mnist", help="labelled data that kerasgan.data.load takes")
    running.add_argument("--labels", nargs="+", default=["100", "1000"], help="numbers of labels, or all")
    running.add_argument("--seeds", type=int, default=5)
    running.add_argument("--c-grid", type=float, nargs="+", default=C_GRID)
    running.add_argument("--limit", type=int, help="use only so many images of each split")
    tabling = commands.add_parser("table")
    tabling.add_argument("--readme", type=Path, help="README to bring up to date (default: print the table)")
    given = parser.parse_args(argv)
    if given.command == "table":
        _table(given.readme)
        return 0
    try:
        run(given)
    except (ValueError, ModuleNotFoundError) as error:
        hint = " Install the extra: pip install -e '.[bench]'" if isinstance(error, ModuleNotFoundError) else ""
        print(f"{error}{hint}", file=sys.stderr)
        return 1
    return 0


def _table(readme: Path | None) -> None:
    if readme:
        files.write_text(readme, readme_with_table(readme.read_text(encoding="utf-8")))
    else:
        print(table(reports()))


def run(given: argparse.Namespace) -> None:
    if given.seeds < 1:
        raise ValueError(f"--seeds must be at least 1; received {given.seeds}.")
    counts = [None if text == "all" else int(text) for text in given.labels]
    model = loading.load(given.preset)
    if not hasattr(model, "features"):
        raise ValueError(f"The probe needs a model with discriminator features, a DCGAN; {given.preset!r} has none.")
    train, test = (read(given.data, split, model.image_shape, given.limit) for split in ("train", "test"))
    report = {"protocol": protocol(given, model, len(test[1]))}
    report["results"] = measure(model, train, test, counts, given.seeds, given.c_grid)
    # Linux counts in KiB.
    report["peak_memory_gb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 2)
    print(table([report]))
    keep(report)


if __name__ == "__main__":
    sys.exit(main())
