"""How much faster than it lasts a sound is made, by TFLite files of each precision, on one thread and on two.

    python tests/benchmarks/realtime.py run wavegan_digits
    python tests/benchmarks/realtime.py table --readme README.md

`run` exports the preset in every precision, times calls that make one sound each (median of up to 50, warmed up;
inputs are set and sounds read outside of the clock), and keeps the numbers in results/realtime.json. Run it on an idle
machine.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from kerasgan.cli.start import start_tensorflow

if __name__ == "__main__":
    # Before anything imports TensorFlow with its start-up messages.
    start_tensorflow()

import numpy as np
from ledger import Ledger, add_table, row, show

from kerasgan import export, from_preset
from kerasgan.export import parity
from kerasgan.export.report import machine

LEDGER = Ledger(Path(__file__).parent / "results" / "realtime.json", key=("preset", "order"))
START = "<!-- real time: made by `tests/benchmarks/realtime.py table` -->"
END = "<!-- end of real time -->"
THREADS = (1, 2)
COLUMNS = ("preset", "precision", "file", "PSNR", "1 thread", "times real time", "2 threads", "times real time")


def measure(preset: str) -> list[dict]:
    """Return what each precision of a preset's file costs and gives."""
    model = from_preset(preset)
    kind = model.makes
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for order, precision in enumerate(export.QUANTIZATIONS):
            report = export.tflite(model, Path(folder) / f"{precision}.tflite", precision)
            found.append(
                {
                    "preset": preset,
                    "order": order,
                    "precision": precision,
                    "bytes": report.size_bytes,
                    "psnr_db": report.psnr_db,
                    "seconds_of_sound": kind.samples / kind.rate,
                    "ms": {str(threads): latency(report.path, threads) for threads in THREADS},
                    "machine": machine(),
                    "versions": report.versions,
                }
            )
    return found


def latency(path: str, threads: int) -> float:
    """Return the median milliseconds of a call."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=path, num_threads=threads)
    interpreter.allocate_tensors()
    for each in interpreter.get_input_details():
        value = np.random.default_rng(0).uniform(-1, 1, each["shape"]).astype(each["dtype"])
        interpreter.set_tensor(each["index"], value)
    return parity.measure(interpreter.invoke).median_ms


def table(runs: list[dict]) -> str:
    """Return the measured files as Markdown, a row each."""
    rows = [row(COLUMNS), "|---|---|" + "---:|" * (len(COLUMNS) - 2)]
    for each in runs:
        speeds = [
            cell
            for ms in each["ms"].values()
            for cell in (f"{ms:.2g} ms", f"{1000 * each['seconds_of_sound'] / ms:,.0f}")
        ]
        size = f"{each['bytes'] / 1e6:.2f} MB"
        rows.append(row([f"`{each['preset']}`", each["precision"], size, f"{each['psnr_db']:.0f} dB", *speeds]))
    return "\n".join(rows)


def main(argv: list[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run").add_argument("presets", nargs="+", help="names of the zoo, or preset folders")
    add_table(commands)
    given = parser.parse_args(argv)
    if given.command == "run":
        for preset in given.presets:
            LEDGER.keep(*measure(preset))
    show(table(LEDGER.runs()), START, END, getattr(given, "readme", None))
    return 0


if __name__ == "__main__":
    sys.exit(main())
