"""What an evaluation costs: `kerasgan evaluate` in a process of its own, with an empty cache and again.

    python tests/benchmarks/evaluation.py dcgan_mnist
    python tests/benchmarks/evaluation.py --pictures 20000

The second measures a model of one's own photographs, with no network: a folder of so many drawn JPEG files of 64x64
pixels, half of them to compare with, and as many pictures by a DCGAN as it is before training.

Prints wall-clock and processor time, how many cores were busy, and the peak of memory. The aims, on two cores: 10,000
images of a 28x28 preset in under two minutes and under 2 GB; 10,000 of 64x64x3 in under eight minutes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZE = 64


def measure(arguments: list[str], cache: str) -> dict:
    """Run `kerasgan evaluate` once and return seconds, processor seconds and peak memory in bytes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "kerasgan.cli", "evaluate", *arguments]
    subprocess.run(command, check=True, env=os.environ | {"KERASGAN_CACHE": cache})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": time.perf_counter() - start,
        "processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        # Of the largest child so far; both runs do the same work.
        "bytes": after.ru_maxrss * 1024,
    }


def draw_pictures(folder: Path, count: int) -> None:
    """Write as many JPEG files: a soft ground of nine colours and three ellipses each."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(count):
        ground = Image.fromarray(random.integers(0, 256, (3, 3, 3), dtype="uint8"))
        picture = ground.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        for corners in random.integers(0, SIZE, (3, 2, 2)):
            colour = tuple(int(level) for level in random.integers(0, 256, 3))
            ImageDraw.Draw(picture).ellipse([*map(int, corners.min(axis=0)), *map(int, corners.max(axis=0))], colour)
        picture.save(folder / f"{number:06d}.jpg", quality=90)


def untrained_preset(folder: Path) -> None:
    """Save a DCGAN of 64x64x3 images, in a process of its own: its memory is not to be measured."""
    code = "import sys, kerasgan; kerasgan.save_preset(kerasgan.DCGAN((64, 64, 3), seed=0), sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arguments", nargs="*", help="of kerasgan evaluate: a preset, and options after --")
    parser.add_argument("--pictures", type=int, metavar="N", help="measure against so many drawn pictures instead")
    given = parser.parse_args()
    if bool(given.arguments) == (given.pictures is not None):
        parser.error("give a preset or --pictures")
    with tempfile.TemporaryDirectory() as folder:
        arguments = given.arguments
        if given.pictures:
            draw_pictures(Path(folder, "pictures"), given.pictures)
            untrained_preset(Path(folder, "untrained"))
            arguments = [f"{folder}/untrained", "--against", f"{folder}/pictures"]
        for name in ("empty cache", "filled cache"):
            found = measure(arguments, f"{folder}/cache")
            print(
                f"{name}: {found['seconds']:.0f} s, {found['processor']:.0f} s of processor time, "
                f"{found['processor'] / found['seconds']:.2f} cores busy, peak {found['bytes'] / 1e9:.2f} GB",
                flush=True,
            )


if __name__ == "__main__":
    main()
