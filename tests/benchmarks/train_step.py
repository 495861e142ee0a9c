"""How long a train step takes, against the keras.io guide's algorithm and PyTorch, on one machine in one run.

    python tests/benchmarks/train_step.py
    python tests/benchmarks/train_step.py --model sngan --batch-sizes 64
    python tests/benchmarks/train_step.py --model cyclegan --batch-sizes 1
    python tests/benchmarks/train_step.py --model r3gan stylegan2 --batch-sizes 32 --threads 1 --clock processor --keep
    python tests/benchmarks/train_step.py --table README.md

Networks, the same in all contenders: kerasgan.DCGAN for 28x28x1 images, 64 base filters, 64 latents; WGANGP likewise;
SNGAN for 32x32x3 images of 10 classes, 64 filters in all blocks, 128 latents; Pix2Pix and CycleGAN for 128x128x3
images, 32 base filters and all else as published; R3GAN and StyleGAN2 as the presets `r3gan_mnist` and
`stylegan2_faces` (modern.py), StyleGAN2 for 64x64x3 images too, with their penalties and, `_bare`, without. One
discriminator update a step. Every contender is a process of its own with the same number of threads; they take turns, a
few steps each, so that a busy or warm machine treats them alike. Only one computes at any time. Reported: medians, and
ratios of medians. Where a penalty is computed in some updates only, a time is the mean of all updates after which it
comes again. On a machine with other load, take one thread and its processor time (`--threads 1 --clock processor`).

penalties  kerasgan's step with R1 and R2, both in every update
before  kerasgan's step as it is in another checkout: --before FOLDER
guide   separate generator passes, one joined batch of real and fake for D, label noise, plain Keras layers
torch   the usual loop, which makes each fake batch once, float32 or bfloat16 autocast, in the faster memory layout

Guide, penalties: of DCGAN only. PyTorch's SNGAN doubles and halves images apart from the convolutions next to them, as
every one published does; in its generator's update, and in WGAN-GP's, the discriminator's weights need no gradient.

Only kerasgan keeps an averaged generator, and its step is timed with it. The guide's networks have a joined batch's
statistics in D's batch norm, which is part of its algorithm.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys

import roofline
from ledger import Ledger, row, show
from modern import MODERN

FOLDER = pathlib.Path(__file__).parent
LEDGER = Ledger(FOLDER / "results" / "train_step.json", key=("model", "batch_size", "dtype"))
START, END = "<!-- train step: made by `tests/benchmarks/train_step.py --table` -->", "<!-- end of train step -->"
DTYPES = ("float32", "mixed_bfloat16")
TARGET = {
    "dcgan": {"float32": 0.8, "mixed_bfloat16": 0.6},
    "sngan": {"float32": 0.8, "mixed_bfloat16": 0.7},
    "wgan_gp": {"float32": 0.8, "mixed_bfloat16": 0.7},
    "pix2pix": {"float32": 0.8, "mixed_bfloat16": 0.7},
    "cyclegan": {"float32": 0.8, "mixed_bfloat16": 0.7},
} | {name: {"float32": 0.8, "mixed_bfloat16": 0.7} for name in MODERN}
# How the table calls a model.
TITLES = {
    "r3gan": "`R3GAN`, 28x28x1, widths 64 and 32, 10 classes, R1 and R2 in every update",
    "r3gan_bare": "the same without R1 and R2",
    "stylegan2": "`StyleGAN2`, 32x32x3, 16 to 64 filters, R1 in each 16th update, path lengths in each 4th",
    "stylegan2_bare": "the same without R1 and path lengths",
    "stylegan2_64": "`StyleGAN2`, 64x64x3, the same filters, with both",
    "stylegan2_64_bare": "the same without",
}


class Worker:
    """A contender's process."""

    def __init__(
        self,
        name: str,
        dtype: str,
        batch_size: int,
        threads: int,
        python: str,
        checkout: str | None = None,
        model: str = "dcgan",
        clock: str = "wall",
    ):
        self.key, self.clock = (name, dtype), clock
        self.period = MODERN[model].period if model in MODERN else 1
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": str(threads)}
        if checkout:
            environment["PYTHONPATH"] = checkout
        played = "ours" if name == "before" else name
        self.process = subprocess.Popen(
            [python, str(FOLDER / "worker.py"), played, dtype, str(batch_size), str(threads), "--model", model],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
        self.times: list[float] = []
        self.facts = self._answer()

    def steps(self, count: int) -> list[float]:
        """Take steps, in whole periods, and return the mean times in ms of each period's."""
        reply = self._ask(steps=-(-count // self.period) * self.period)
        self.facts["peak_mb"] = reply["peak_mb"]
        times = reply[self.clock]
        return [statistics.mean(times[first : first + self.period]) for first in range(0, len(times), self.period)]

    def waiting(self, count: int) -> dict:
        """Return the median wait for the input pipeline, and the median step with it, in ms."""
        return self._ask(waiting=count)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def _ask(self, **order) -> dict:
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"The process of {self.key} ended; run worker.py with these arguments to see why.")
        return json.loads(line)


def measure(
    batch_size: int, rounds: int, steps: int, threads: int, torch_python: str | None, before=None, model="dcgan",
    clock="wall", dtypes=DTYPES,
) -> dict:  # fmt: skip
    """Return (contender, dtype) -> facts, with the median step in ms."""
    names = [
        "ours",
        *(["guide", "penalties"] if model == "dcgan" else []),
        *(["torch"] if torch_python else []),
        *(["before"] if before else []),
    ]
    workers = []
    try:
        for dtype in dtypes:
            for name in names:
                python = torch_python if name == "torch" else sys.executable
                workers.append(
                    Worker(name, dtype, batch_size, threads, python, before if name == "before" else None, model, clock)
                )
        for worker in workers:
            worker.steps(3)
        for number in range(rounds):
            # Every round starts with another contender: none always runs on the caches of the same neighbour.
            turn = number % len(workers)
            for worker in workers[turn:] + workers[:turn]:
                worker.times += worker.steps(steps)
        for worker in workers:
            if worker.key[0] == "ours" and model not in MODERN:
                worker.facts["waiting"] = worker.waiting(steps * rounds)
        return {
            worker.key: worker.facts | {"ms": statistics.median(worker.times), "best_ms": min(worker.times)}
            for worker in workers
        }
    finally:
        for worker in workers:
            worker.close()


def report(batch_size: int, results: dict, model: str = "dcgan") -> str:
    """Return a Markdown table of one batch size."""
    lines = [
        f"\nBatch {batch_size}",
        "",
        "| | dtype | ms/step | images/s | ours / it | first step, s | peak MB |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for (name, dtype), facts in results.items():
        ratio = results["ours", dtype]["ms"] / facts["ms"]
        shown = f"{name} ({facts['note']})" if facts["note"] else name
        lines.append(
            f"| {shown} | {dtype} | {facts['ms']:.1f} | {1e3 * batch_size / facts['ms']:.0f} | {ratio:.2f} "
            f"| {facts['first_step_s']:.1f} | {facts['peak_mb']:.0f} |"
        )
    lines.append("")
    for dtype in dict.fromkeys(dtype for _, dtype in results):
        ours = results["ours", dtype]
        against = [f"{name} {ours['ms'] / facts['ms']:.2f}" for (name, d), facts in results.items() if d == dtype]
        against += [
            f"{n} float32 {ours['ms'] / f['ms']:.2f}" for (n, d), f in results.items() if d == "float32" != dtype
        ]
        lines.append(f"{dtype}: {waits(ours)}ours / {', ours / '.join(against[1:])} (goal {TARGET[model][dtype]})")
    return "\n".join(lines)


def waits(ours: dict) -> str:
    if "waiting" not in ours:
        return ""
    wait, step = ours["waiting"]["wait_ms"], ours["waiting"]["step_ms"]
    return f"waits {wait:.2f} ms of {step:.1f} ms for data ({100 * wait / step:.1f} %); "


def keep(model: str, batch_size: int, results: dict, protocol: dict) -> None:
    """Add what was measured to results/train_step.json, with the step's products and the processor's peak."""
    products = roofline.flops(model)
    for dtype in dict.fromkeys(dtype for _, dtype in results):
        ms = {name: facts["ms"] for (name, of), facts in results.items() if of == dtype}
        work = {"gflop": batch_size * products / 1e9, "peak_gflops": roofline.peak(dtype, protocol["threads"]) / 1e9}
        LEDGER.keep({"model": model, "batch_size": batch_size, "dtype": dtype, "ms": ms} | work | protocol)


def table(runs: list[dict]) -> str:
    """Return what was kept as Markdown, a row for each model, batch and precision."""
    titles = ("model", "batch", "precision", "kerasgan", "PyTorch", "kerasgan / PyTorch", "GFLOP", "of the peak")
    lines = [row(titles), "|---|---:|---|" + "---:|" * (len(titles) - 3)]
    for each in sorted(runs, key=lambda run: (list(TITLES).index(run["model"]), run["batch_size"], run["dtype"])):
        ours, torch = each["ms"]["ours"], each["ms"]["torch"]
        share = each["gflop"] / (1e-3 * ours) / each["peak_gflops"]
        times = f"{ours:.0f} ms", f"{torch:.0f} ms", f"{ours / torch:.2f}"
        dtype = each["dtype"].removeprefix("mixed_")
        lines.append(
            row([TITLES[each["model"]], each["batch_size"], dtype, *times, f"{each['gflop']:.1f}", f"{share:.0%}"])
        )
    return "\n".join(lines)


def python_with_torch(given: str | None) -> str | None:
    """Return the interpreter that has PyTorch; None where there is none."""
    if given:
        return given
    return sys.executable if importlib.util.find_spec("torch") else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", default=["dcgan"], choices=TARGET)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[128, 64])
    parser.add_argument("--rounds", type=int, default=10, help="turns of each contender")
    parser.add_argument("--steps", type=int, default=5, help="steps in a turn")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--torch-python", help="interpreter of an environment with torch==2.13.0")
    parser.add_argument("--before", help="another checkout of kerasgan to compare with")
    parser.add_argument("--dtypes", nargs="+", default=DTYPES, choices=DTYPES)
    parser.add_argument("--clock", default="wall", choices=("wall", "processor"))
    parser.add_argument("--keep", action="store_true", help="add the times to results/train_step.json")
    parser.add_argument("--table", type=pathlib.Path, help="only write the table of what was kept into this README")
    given = parser.parse_args()
    if given.table:
        show(table(LEDGER.runs()), START, END, given.table)
        return
    torch_python = python_with_torch(given.torch_python)
    if torch_python is None:
        print("PyTorch is not installed here: left out (see --torch-python).")
    for model in given.model:
        print(f"{model}, {given.threads} threads, {given.rounds} rounds of {given.steps} steps, {given.clock} time")
        for size in given.batch_sizes:
            results = measure(
                size, given.rounds, given.steps, given.threads, torch_python, given.before, model, given.clock,
                given.dtypes,
            )  # fmt: skip
            print(report(size, results, model), flush=True)
            if given.keep:
                protocol = {name: getattr(given, name) for name in ("threads", "rounds", "steps", "clock")}
                keep(model, size, results, protocol | {"hardware": roofline.processor()})


if __name__ == "__main__":
    main()
