"""What an evaluation costs: `kerasgan evaluate PRESET` in a process of its own, with an empty cache and again.

    python tests/benchmarks/evaluation.py dcgan_mnist

Prints wall-clock and processor time, how many cores were busy, and the peak of memory. The aims: 10,000 images of a
28x28 preset in under two minutes on two cores and under 2 GB.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time


def measure(arguments: list[str], cache: str) -> dict:
    """Run `kerasgan evaluate` once and return seconds, processor seconds and peak memory in bytes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "kerasgan.cli", "evaluate", *arguments]
    subprocess.run(command, check=True, env=os.environ | {"KERASGAN_CACHE": cache}, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": time.perf_counter() - start,
        "processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        # Of the largest child so far; both runs do the same work.
        "bytes": after.ru_maxrss * 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arguments", nargs="+", help="of kerasgan evaluate: a preset, and options after --")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("empty cache", "filled cache"):
            found = measure(given.arguments, f"{folder}/cache")
            print(
                f"{name}: {found['seconds']:.0f} s, {found['processor'] / found['seconds']:.2f} cores busy, "
                f"peak {found['bytes'] / 1e9:.2f} GB",
                flush=True,
            )


if __name__ == "__main__":
    main()
