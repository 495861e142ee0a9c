"""Rebuild the .tflite files of the zoo, their reports, and the table in the README.

python export/rebuild.py                          # every preset
python export/rebuild.py dcgan_mnist vae_mnist    # some
python export/rebuild.py --quantizations float32 float16 int8
"""

import argparse
import json
import os
import pathlib
import sys

# Before TensorFlow is imported: its start-up messages say nothing about the export.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

QUANTIZATIONS = ("float32", "int8")
# Of one step of a text: 8 bits hardly change what is likely, and a page has to load it.
STEP_QUANTIZATION = "dynamic"
BEGIN, END = "<!-- table: written by rebuild.py -->", "<!-- end of table -->"
HERE = pathlib.Path(__file__).resolve().parent


# What the web page for samples makes up; `draw.html` is for what is made of something, `write.html` for texts.
MADE_UP = {"latents", "labels", "codes", "noise"}


def file_name(preset: str, quantization: str, direction: str = "") -> str:
    stem = "_".join(filter(None, (pathlib.Path(preset).name, direction)))
    return f"{stem}.tflite" if quantization == "float32" else f"{stem}_{quantization}.tflite"


def rebuild(presets: list[str], quantizations: list[str], folder: pathlib.Path) -> None:
    """Write the files of the given presets, names or folders; of the whole zoo if none is given.

    Of a model that writes, one step too, in 8 bits.
    """
    import kerasgan

    for preset in presets or kerasgan.list_presets():
        directions = kerasgan.from_preset(preset).directions()
        for direction, model in directions.items():
            for quantization in quantizations:
                # Of one direction, the preset's own name is enough.
                name = file_name(preset, quantization, direction if len(directions) > 1 else "")
                _write(kerasgan.export.tflite, model, folder / name, quantization)
            if model.stepwise():
                name = file_name(f"{preset}_step", STEP_QUANTIZATION)
                _write(kerasgan.export.tflite_step, model, folder / name, STEP_QUANTIZATION)
    write_index(folder)


def _write(write, model, path: pathlib.Path, quantization: str) -> None:
    try:
        print(write(model, path, quantization), flush=True)
    except ValueError as error:
        # One that does not bear 8 bits has no such file; the others have theirs.
        print(f"{path.name} left out. {error}", flush=True)


def write_index(folder: pathlib.Path) -> None:
    """Write `models.json` and `texts.json` for the web pages, and the README's table, from the reports."""
    reports = [json.loads(path.read_text()) for path in sorted(folder.glob("*.tflite.json"))]
    names = [report["path"] for report in reports if _shown_in_browsers(report)]
    texts = [report["path"] for report in reports if _is_step(report)]
    for file, listed in (("models.json", names), ("texts.json", texts)):
        (folder / file).write_text(json.dumps(listed, indent=2) + "\n")
    readme = folder / "README.md"
    if readme.exists():
        before, _, rest = readme.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        readme.write_text(f"{before}{BEGIN}\n{table(reports)}\n{END}{after}")


def _shown_in_browsers(report: dict) -> bool:
    """Return whether a file makes pictures of what the page can make up."""
    made = {each["name"] for each in report["outputs"]}
    return made == {"images"} and {each["name"] for each in report["inputs"]} <= MADE_UP


def _is_step(report: dict) -> bool:
    """Return whether a file makes one step of a text."""
    return any("first" in each for each in report["inputs"])


def table(reports: list[dict]) -> str:
    """Return the reports as a Markdown table."""
    lines = [
        "| File | Makes | Size | Max error | PSNR | Latency |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for report in reports:
        # Reports of 0.1 have the shape of the images.
        source = report["source"]
        image = source["makes"] if "makes" in source else "x".join(str(size) for size in source["image_shape"])
        image = f"a step: {image}" if _is_step(report) else image
        # Texts have no such ratio.
        same = "identical" if report["max_abs_error"] == 0 else ""
        psnr = same if report["psnr_db"] is None else f"{report['psnr_db']:.0f} dB"
        lines.append(
            f"| [{report['path']}]({report['path']}) | {image} "
            f"| {report['size_bytes'] / 1e6:.2f} MB | {report['max_abs_error']:.0e} | {psnr} "
            f"| {report['latency_ms']:.2g} ms |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", help="names or folders of presets (default: the whole zoo)")
    parser.add_argument(
        "--quantizations",
        nargs="+",
        default=QUANTIZATIONS,
        choices=("float32", "float16", "dynamic", "int8"),
        help="variants to write (default: float32 int8)",
    )
    parser.add_argument("--folder", type=pathlib.Path, default=HERE, help="where to (default: here)")
    arguments = parser.parse_args()
    try:
        rebuild(arguments.presets, arguments.quantizations, arguments.folder)
    except ValueError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
