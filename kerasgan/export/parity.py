"""Compare an exported sampler with Keras, and time it."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasgan.export.report import psnr_db

WARM_UP_CALLS = 3
MOST_RUNS, FEWEST_RUNS = 50, 5
TIME_BUDGET_S = 1.0


class Parity(NamedTuple):
    """How far exported images are from Keras's."""

    max_abs_error: float
    psnr_db: float | None


class Latency(NamedTuple):
    """Median duration of a call, and how many calls were timed."""

    median_ms: float
    runs: int


def compare(expected: dict[str, np.ndarray], actual: dict[str, np.ndarray]) -> Parity:
    """Return the difference between two sets of float32 outputs with equal names.

    Raises:
        ValueError: names or shapes differ, or an exported value is not finite.
    """
    shapes = [{name: value.shape for name, value in each.items()} for each in (expected, actual)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"Keras returns {shapes[0]}, the exported sampler {shapes[1]}.")
    difference = np.concatenate([(actual[name] - expected[name]).ravel() for name in expected])
    if not np.isfinite(difference).all():
        raise ValueError("The exported sampler returns values that are not finite; Keras does not.")
    difference = difference.astype("float64")
    return Parity(float(np.abs(difference).max()), psnr_db(float(np.mean(difference**2))))


def check_error(parity: Parity, limit: float) -> None:
    """Raise a ValueError if the largest absolute error is over the limit."""
    if not parity.max_abs_error <= limit:
        raise ValueError(
            f"The exported sampler differs from Keras by up to {parity.max_abs_error:.2e} on "
            f"images in [-1, 1]; at most {limit:.0e} is allowed, so nothing was written. Does the "
            "network draw random numbers of its own? Make them an input."
        )


def check_psnr(parity: Parity, limit_db: float, quantization: str) -> None:
    """Raise a ValueError if the peak signal-to-noise ratio is under the limit."""
    if parity.psnr_db is not None and not parity.psnr_db >= limit_db:
        raise ValueError(
            f"After {quantization} quantization the images have a PSNR of {parity.psnr_db:.1f} dB "
            f"against Keras; under {limit_db:g} dB they are not the same images, so nothing was "
            'written. Export with quantization="float16" or "float32".'
        )


def measure(call: Callable[[], object]) -> Latency:
    """Return the median duration of a call: 3 warm-up calls, then up to 50 within a second."""
    for _ in range(WARM_UP_CALLS):
        call()
    durations = []
    begin = time.perf_counter()
    while len(durations) < FEWEST_RUNS or (len(durations) < MOST_RUNS and time.perf_counter() - begin < TIME_BUDGET_S):
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return Latency(float(np.median(durations)) * 1e3, len(durations))
