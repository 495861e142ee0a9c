"""What people read about the presets, all of it made from their metadata: tables, model cards, packed runs."""

from dataclasses import replace
from pathlib import Path

from kerasgan import files, preset_files
from kerasgan.metrics.result import Result, by_extractor, shared_protocol, words

RECIPE = "recipe.toml"
README_START, README_END = "<!-- zoo table: made by `kerasgan zoo table` -->", "<!-- end of zoo table -->"
# The metrics that the table of the whole zoo shows; a preset's card has all of them.
HEADLINES = ("fid", "precision", "recall", "class_deviation", "importance_weighted_bound_64")


def text_table() -> str:
    """Return the zoo as aligned text for a terminal."""
    rows = [("PRESET", "MODEL", "IMAGES", "PARAMETERS", "TRAINED ON"), *_rows()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def markdown_table() -> str:
    """Return the zoo as a Markdown table, with the measured results."""
    lines = ["| preset | model | images | generator parameters | trained | results |", "|---|---|---|---|---|---|"]
    for metadata in _all_metadata():
        name, model, shape, size, trained = _row(metadata)
        leading = [Result.from_dict(result) for result in metadata.get("results", []) if _leads(result)]
        results = "<br>".join(_headline(result) for result in leading)
        lines.append(f"| [`{name}`](zoo/{name}) | {model} | {shape} | {size} | {trained} | {results} |")
    return "\n".join(lines)


def readme_with_table(readme: str) -> str:
    """Return the README's text with the zoo table between its two marks made anew.

    Raises:
        ValueError: a mark is missing.
    """
    return with_section(readme, README_START, README_END, markdown_table())


def with_section(text: str, start: str, end: str, section: str) -> str:
    """Return a text with what stands between two lines replaced.

    Raises:
        ValueError: one of the lines is missing.
    """
    if start not in text or end not in text:
        raise ValueError(f"The README has no place for this table: it needs the lines {start!r} and {end!r}.")
    before, rest = text.split(start)
    return f"{before}{start}\n{section}\n{end}{rest.split(end)[1]}"


def card(metadata: dict) -> str:
    """Return the model card of a preset, a README in Markdown."""
    training = metadata.get("training", {})
    lines = [
        f"# {metadata['name']}",
        "",
        metadata.get("description", ""),
        "",
        "![samples](samples.png)",
        "",
        "```python",
        f'model = kerasgan.from_preset("{metadata["name"]}")',
        "images = model.generate(64, seed=0)",
        "```",
        "",
        "| | |",
        "|---|---|",
        f"| model | `{metadata['model']}` |",
        f"| images | {_shape(metadata)}, float32 in [-1, 1] |",
        f"| parameters | {', '.join(f'{name} {count:,}' for name, count in metadata['parameters'].items())} |",
        *(f"| {key} | {value} |" for key, value in training.items()),
    ]
    if metadata.get("results"):
        lines += ["", "## Results", "", *_results(metadata)]
    lines += ["", "## Make it again", "", f"    kerasgan train {metadata['name']} --out runs/{metadata['name']}", ""]
    if metadata.get("limits"):
        lines += ["## Limits", "", metadata["limits"], ""]
    if metadata.get("data_license"):
        lines += ["## Data", "", metadata["data_license"], ""]
    return "\n".join(lines)


def pack(run: "str | Path", folder: "str | Path", data_dir: str | None = None) -> Path:
    """Make a preset folder of a run: weights, recipe, measured results, sample grid and card.

    The results are those of `kerasgan evaluate` on the data set of the run.

    Raises:
        ValueError: the run has no finished epoch, or the folder exists and is not a preset.
    """
    from kerasgan import images, presets, recipes, training

    run, folder = Path(run), Path(folder)
    recipe, model, record = recipes.read(run / training.RECIPE), training.load_run(run), training.read_run(run)
    if not record:
        raise ValueError(f"{str(run)!r} was stopped before its first epoch ended: it has no {training.RUN}.")
    earlier = folder / training.RECIPE
    if earlier.is_file():
        # The texts of the card may be written after the run.
        recipe = replace(recipe, card=recipes.read(earlier).card or recipe.card)
        if [path.name for path in folder.iterdir()] == [training.RECIPE]:
            earlier.unlink()
            folder.rmdir()
    presets.save_preset(model, folder, training=_training_facts(recipe, record), **recipe.card)
    files.write_text(folder / training.RECIPE, recipe.to_toml())
    model = presets.from_preset(folder)
    grid = images.grid(model.generate(64, seed=0))
    # Twice the size, pixel for pixel: 28x28 images are small on a page.
    images.save_png(folder / "samples.png", grid.repeat(2, axis=0).repeat(2, axis=1))
    measure(folder, data_dir)
    return folder


def measure(name_or_folder: "str | Path", data_dir: str | None = None, progress: bool = False) -> list[Result]:
    """Measure a preset on the data set it was trained on, write the results to its card, and return them.

    Raises:
        ValueError: the preset names no data set, or the data are not there.
    """
    from kerasgan import loading, metrics, presets

    folder = preset_files.preset_folder(name_or_folder)
    real = loading.real_images(folder)
    if real is None:
        raise ValueError(f"The preset {folder.name!r} has no {RECIPE}, which would name its data set.")
    results = metrics.evaluate(presets.from_preset(folder), **real, data_dir=data_dir, progress=progress)
    refresh(folder, results=[result.to_dict() for result in results])
    return results


def _training_facts(recipe, record: dict) -> dict:
    """Return what a card says of the training, from the recipe and what the run recorded."""
    hardware = record["hardware"]
    return {
        "data": recipe.data["source"],
        "epochs": record["epochs"],
        "batch size": recipe.data.get("batch_size", 128),
        "precision": recipe.precision,
        "seed": recipe.seed,
        "time": (
            f"{record['seconds'] / 60:.0f} minutes, wall clock; {record['cpu_seconds'] / 60:.0f} minutes of processor "
            f"time ({hardware['cpu']}, cores: {hardware['cores']})"
        ),
        "versions": ", ".join(f"{package} {version}" for package, version in record["versions"].items()),
    }


def refresh(folder: Path, **changes) -> None:
    """Write a preset's card from its metadata, updated with `changes`, and seal the folder again."""
    metadata = preset_files.read_metadata(folder) | changes
    metadata.pop("sha256"), metadata.pop("format_version")
    files.write_text(folder / "README.md", card(metadata))
    preset_files.seal(folder, metadata)


def _all_metadata() -> list[dict]:
    return [preset_files.read_metadata(name) for name in preset_files.list_presets()]


def _rows() -> list[tuple]:
    return [_row(metadata) for metadata in _all_metadata()]


def _row(metadata: dict) -> tuple[str, ...]:
    parameters = metadata["parameters"]
    size = f"{parameters.get('generator', parameters.get('decoder', 0)):,}"
    training = metadata.get("training", {})
    trained = f"{training['data']}, {training['epochs']} epochs" if training else ""
    return metadata["name"], metadata["model"], _shape(metadata), size, trained


def _shape(metadata: dict) -> str:
    return "x".join(str(side) for side in metadata["image_shape"])


def _leads(result: dict) -> bool:
    return result["protocol"]["metric"] in HEADLINES


def _headline(result: Result) -> str:
    if result.protocol["metric"] == "fid":
        return f"{result.name} {result.value:.3g} ({result.times_floor():.0f} times real against real)"
    floor = "" if result.floor is None else f" (real {result.floor:.3g})"
    # Three digits, but no exponent for the thousands of nats of a bound.
    value = f"{result.value:.3g}" if abs(result.value) < 1000 else f"{result.value:.0f}"
    return f"{result.name} {value}{floor}"


def _results(metadata: dict) -> list[str]:
    """Return the results as tables, one an extractor, what the results of a table share below it."""
    results = [Result.from_dict(result) for result in metadata["results"]]
    lines = []
    for group in by_extractor(results):
        shared = shared_protocol(group)
        lines += ["| result | value | real against real | how |", "|---|---:|---:|---|"]
        lines += [_table_row(result, shared) for result in group]
        lines += ["", f"All of these: {words(shared)}.", ""]
    return [
        *lines,
        f"Measured by `kerasgan evaluate {metadata['name']}` with {words(results[0].provenance)}. "
        f"`kerasgan zoo verify {metadata['name']}` measures again and compares.",
    ]


def _table_row(result: Result, shared: dict) -> str:
    spread = "" if result.spread is None else f" ± {result.spread:.2g}"
    floor = "" if result.floor is None else f"{result.floor:.4g}"
    how = {key: value for key, value in result.protocol.items() if key not in shared and key != "metric"}
    return f"| {result.name} | {result.value:.4g}{spread} | {floor} | {words(how)} |"
