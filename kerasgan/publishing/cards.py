"""What people read about the presets, all of it made from their metadata: tables and model cards."""

from pathlib import Path

from kerasgan.metrics.result import Result, by_extractor, shared_protocol, words
from kerasgan.presets import files as preset_files

README_START, README_END = "<!-- zoo table: made by `kerasgan zoo table` -->", "<!-- end of zoo table -->"
# The metrics that the table of the whole zoo shows; a preset's card has all of them.
HEADLINES = (
    "fid", "precision", "recall", "class_deviation", "labels_heeded", "importance_weighted_bound_64", "log_likelihood",
    "log_likelihood_bound", "classification_errors", "l1", "l1_of_mean_target", "perceptual",
    "perceptual_of_mean_target", "class_kept", "cycle_l1", "bleu_2", "bleu_4", "self_bleu_2", "reverse_perplexity",
    "caption_class", "caption_heeded", "caption_found", "caption_variety",
)  # fmt: skip


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
    training, makes = metadata.get("training", {}), made(metadata)
    lines = [
        f"# {metadata['name']}",
        "",
        metadata.get("description", ""),
        "",
        f"{'!' if makes['suffix'] == '.png' else ''}[samples](samples{makes['suffix']})",
        *([] if makes["suffix"] != ".wav" else ["", "![spectrograms of these](samples.png)"]),
        "",
        "```python",
        f'model = kerasgan.from_preset("{metadata["name"]}")',
        f"{makes['kind']} = model.generate({_how_many(metadata)}, seed=0)",
        *_translating(metadata),
        "```",
        "",
        "| | |",
        "|---|---|",
        f"| model | `{metadata['model']}` |",
        f"| {makes['kind']} | {makes['size']}, {makes['values']} |",
        f"| parameters | {', '.join(f'{name} {count:,}' for name, count in metadata['parameters'].items())} |",
        *(f"| {key} | {value} |" for key, value in training.items()),
    ]
    for file, shows in metadata.get("panels", {}).items():
        lines += ["", shows, "", f"{'!' if makes['suffix'] == '.png' else ''}[{Path(file).stem}]({file})"]
    if metadata.get("results"):
        lines += ["", "## Results", "", *_results(metadata)]
    lines += ["", "## Make it again", "", f"    kerasgan train {metadata['name']} --out runs/{metadata['name']}", ""]
    if metadata.get("search"):
        lines += ["## What was tried before", "", metadata["search"].strip(), ""]
    if metadata.get("limits"):
        lines += ["## Limits", "", metadata["limits"], ""]
    if metadata.get("data_license"):
        lines += ["## Data", "", metadata["data_license"], ""]
    return "\n".join(lines)


def _all_metadata() -> list[dict]:
    return [preset_files.read_metadata(name) for name in preset_files.list_presets()]


def _rows() -> list[tuple]:
    return [_row(metadata) for metadata in _all_metadata()]


def _row(metadata: dict) -> tuple[str, ...]:
    parameters = metadata["parameters"]
    size = f"{parameters.get('generator', parameters.get('decoder', 0)):,}"
    training = metadata.get("training", {})
    trained = f"{training['data']}, {training['epochs']} epochs" if training else ""
    return metadata["name"], metadata["model"], made(metadata)["size"], size, trained


def made(metadata: dict) -> dict:
    """Return what a preset's model makes: kind, size, values and suffix; presets of 0.1 say a shape of images."""
    if "makes" in metadata:
        return metadata["makes"]
    size = "x".join(str(side) for side in metadata["image_shape"])
    return {"kind": "images", "size": size, "values": "float32 in [-1, 1]", "suffix": ".png"}


def _how_many(metadata: dict) -> int:
    """Return how many a model can make without being given anything."""
    return 64 if metadata.get("examples") is None else min(64, metadata["examples"])


def _translating(metadata: dict) -> list[str]:
    """Return how to give a translator images of one's own; what it generates is made of the examples it keeps."""
    directions = metadata.get("translates", [])
    if len(directions) == 1:
        return ["translated = model.translate(photos)"]
    return [f'translated = model.translate(photos, direction="{name}")' for name in directions]


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
