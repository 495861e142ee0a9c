"""How fast and how large the distances between sets of features are, at the size of Inception's.

    python tests/benchmarks/distances.py

frechet  two Gaussians in 2048 dimensions: kerasgan against scipy.linalg.sqrtm of the product of the covariances, in
         one process, taking turns; medians and their ratio. Fails if the distances differ by more than 1e-6 or
         kerasgan is less than 5 times as fast.
prdc     precision, recall, density and coverage of 10,000 against 10,000 features of 2048 dimensions, in a process of
         its own: time and peak resident memory. Fails at 4 GB.

On an idle machine: threads of a matrix product that wait for a busy core distort both times and ratio.

The features are noise with a spectrum that falls as those of networks do; their values make no difference to time.
"""

import argparse
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

TARGET_RATIO, TOLERANCE, LIMIT_GB = 5.0, 1e-6, 4.0


def features(seed: int, n: int, dimensions: int) -> np.ndarray:
    """Return correlated float32 features (n, dimensions)."""
    random = np.random.default_rng(0)
    scales = np.logspace(0, -2, dimensions, dtype="float32")[:, None]
    mixing = scales * random.standard_normal((dimensions, dimensions), dtype="float32")
    return np.random.default_rng(seed).standard_normal((n, dimensions), dtype="float32") @ mixing


def compare_frechet(n: int, dimensions: int, rounds: int) -> bool:
    """Print the medians of both ways, and return whether kerasgan's is as good as it should be."""
    from kerasgan.metrics.frechet import GaussianStatistics, frechet_distance

    gaussians = [GaussianStatistics(dimensions) for _ in range(2)]
    for seed, gaussian in enumerate(gaussians, start=1):
        gaussian.update((1.0 + 0.1 * seed) * features(seed, n, dimensions))
    ways = {"kerasgan": frechet_distance, "sqrtm": with_general_root}
    seconds = {name: [] for name in ways}
    values = {}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            values[name] = way(*gaussians)
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ratio = medians["sqrtm"] / medians["kerasgan"]
    difference = abs(values["kerasgan"] / values["sqrtm"] - 1.0)
    print(
        f"frechet, {dimensions} dimensions, median of {rounds}: kerasgan {medians['kerasgan']:.2f} s, "
        f"scipy.linalg.sqrtm {medians['sqrtm']:.2f} s, {ratio:.1f} times as fast (goal {TARGET_RATIO:g}); "
        f"{values['kerasgan']:.8g} and {values['sqrtm']:.8g} differ by {difference:.1e}",
        flush=True,
    )
    return ratio >= TARGET_RATIO and difference <= TOLERANCE


def with_general_root(first, second) -> float:
    """Return the Frechet distance by the matrix root of the product, which is not symmetric."""
    import scipy.linalg

    shift = first.mean - second.mean
    covariances = first.covariance, second.covariance
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    return float(shift @ shift + np.trace(covariances[0] + covariances[1]) - 2.0 * np.trace(root).real)


def measure_prdc(n: int, dimensions: int) -> None:
    """Print the seconds and the peak resident memory, in GB, of this process."""
    from kerasgan.metrics.neighbours import prdc

    real, generated = (features(seed, n, dimensions) for seed in (1, 2))
    start = time.perf_counter()
    result = prdc(real, generated)
    seconds = time.perf_counter() - start
    # Linux counts in KiB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(result)
    print(seconds, peak)


def check_prdc(n: int, dimensions: int) -> bool:
    """Measure in a process of its own, print, and return whether memory stays within the limit."""
    command = [sys.executable, str(pathlib.Path(__file__)), "--child"]
    command += ["--samples", str(n), "--dimensions", str(dimensions)]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    seconds, peak = map(float, printed[-1].split())
    print(
        f"prdc, {n} x {n} x {dimensions}: {seconds:.1f} s, peak {peak:.2f} GB (limit {LIMIT_GB:g}); {printed[0]}",
        flush=True,
    )
    return peak < LIMIT_GB


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--dimensions", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each way to the Frechet distance")
    given = parser.parse_args()
    if given.child:
        measure_prdc(given.samples, given.dimensions)
        return 0
    good = [check_prdc(given.samples, given.dimensions)]
    good += [compare_frechet(given.samples, given.dimensions, given.rounds)]
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
