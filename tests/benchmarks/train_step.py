"""How long a train step takes, against the keras.io guide's algorithm and PyTorch, on one machine in one run.

    python tests/benchmarks/train_step.py
    python tests/benchmarks/train_step.py --model sngan --batch-sizes 64
    python tests/benchmarks/train_step.py --model cyclegan --batch-sizes 1

Networks, the same in all contenders: kerasgan.DCGAN for 28x28x1 images, 64 base filters, 64 latents; WGANGP likewise;
SNGAN for 32x32x3 images of 10 classes, 64 filters in all blocks, 128 latents; Pix2Pix and CycleGAN for 128x128x3
images, 32 base filters and all else as published. One discriminator update a step. Every
contender is a process of its own with the same number of threads; they take turns, a few steps each, so that a busy or
warm machine treats them alike. Only one computes at any time. Reported: medians, and ratios of medians.

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

FOLDER = pathlib.Path(__file__).parent
DTYPES = ("float32", "mixed_bfloat16")
TARGET = {
    "dcgan": {"float32": 0.8, "mixed_bfloat16": 0.6},
    "sngan": {"float32": 0.8, "mixed_bfloat16": 0.7},
    "wgan_gp": {"float32": 0.8, "mixed_bfloat16": 0.7},
    "pix2pix": {"float32": 0.8, "mixed_bfloat16": 0.7},
    "cyclegan": {"float32": 0.8, "mixed_bfloat16": 0.7},
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
    ):
        self.key = (name, dtype)
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
        """Take steps and return their times in ms."""
        reply = self._ask(steps=count)
        self.facts["peak_mb"] = reply["peak_mb"]
        return reply["ms"]

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
    batch_size: int, rounds: int, steps: int, threads: int, torch_python: str | None, before=None, model="dcgan"
) -> dict:
    """Return (contender, dtype) -> facts, with the median step in ms."""
    names = [
        "ours",
        *(["guide", "penalties"] if model == "dcgan" else []),
        *(["torch"] if torch_python else []),
        *(["before"] if before else []),
    ]
    workers = []
    try:
        for dtype in DTYPES:
            for name in names:
                python = torch_python if name == "torch" else sys.executable
                workers.append(
                    Worker(name, dtype, batch_size, threads, python, before if name == "before" else None, model)
                )
        for worker in workers:
            worker.steps(3)
        for number in range(rounds):
            # Every round starts with another contender: none always runs on the caches of the same neighbour.
            turn = number % len(workers)
            for worker in workers[turn:] + workers[:turn]:
                worker.times += worker.steps(steps)
        for worker in workers:
            if worker.key[0] == "ours":
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
    for dtype in DTYPES:
        ours, wait = results["ours", dtype], results["ours", dtype]["waiting"]
        against = [f"{name} {ours['ms'] / facts['ms']:.2f}" for (name, d), facts in results.items() if d == dtype]
        against += [
            f"{n} float32 {ours['ms'] / f['ms']:.2f}" for (n, d), f in results.items() if d == "float32" != dtype
        ]
        lines.append(
            f"{dtype}: waits {wait['wait_ms']:.2f} ms of {wait['step_ms']:.1f} ms for data "
            f"({100 * wait['wait_ms'] / wait['step_ms']:.1f} %); ours / {', ours / '.join(against[1:])} "
            f"(goal {TARGET[model][dtype]})"
        )
    return "\n".join(lines)


def python_with_torch(given: str | None) -> str | None:
    """Return the interpreter that has PyTorch; None where there is none."""
    if given:
        return given
    return sys.executable if importlib.util.find_spec("torch") else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="dcgan", choices=TARGET)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[128, 64])
    parser.add_argument("--rounds", type=int, default=10, help="turns of each contender")
    parser.add_argument("--steps", type=int, default=5, help="steps in a turn")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--torch-python", help="interpreter of an environment with torch==2.13.0")
    parser.add_argument("--before", help="another checkout of kerasgan to compare with")
    given = parser.parse_args()
    torch_python = python_with_torch(given.torch_python)
    if torch_python is None:
        print("PyTorch is not installed here: left out (see --torch-python).")
    print(f"{given.model}, {given.threads} threads, {given.rounds} rounds of {given.steps} steps")
    for batch_size in given.batch_sizes:
        print(
            report(
                batch_size,
                measure(batch_size, given.rounds, given.steps, given.threads, torch_python, given.before, given.model),
                given.model,
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
