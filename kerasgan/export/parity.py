"""Compare an exported sampler with Keras, and time it."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasgan.export.report import psnr_db
from kerasgan.kinds import Kind

WARM_UP_CALLS = 3
MOST_RUNS, FEWEST_RUNS = 50, 5
TIME_BUDGET_S = 1.0


class Parity(NamedTuple):
    """How far what was exported is from Keras: by its kind's error, and, of images and sounds, in dB."""

    max_abs_error: float
    psnr_db: float | None


class Latency(NamedTuple):
    """Median duration of a call, and how many calls were timed."""

    median_ms: float
    runs: int


def compare(kind: Kind, expected: np.ndarray, actual: np.ndarray) -> Parity:
    """Return the difference between what Keras makes and what the exported sampler makes.

    Raises:
        ValueError: shapes or dtypes differ, or an exported value is not finite.
    """
    described = [f"{array.dtype} {array.shape}" for array in (expected, actual)]
    if described[0] != described[1]:
        raise ValueError(f"Keras returns {described[0]}, the exported sampler {described[1]}.")
    if not np.isfinite(actual).all():
        raise ValueError("The exported sampler returns values that are not finite; Keras does not.")
    psnr = None
    if kind.peak_to_peak is not None:
        mean_squared_error = float(np.mean((actual.astype("float64") - expected) ** 2))
        psnr = psnr_db(mean_squared_error, kind.peak_to_peak)
    return Parity(kind.error(actual, expected), psnr)


def check_error(kind: Kind, parity: Parity, limit: float) -> None:
    """Raise a ValueError if the error is over the limit, or, where rounding decides, over the kind's own tolerance."""
    limit = limit if kind.dtype == "float32" else kind.golden_tolerance
    if not parity.max_abs_error <= limit:
        raise ValueError(
            f"The exported sampler differs from Keras by up to {parity.max_abs_error:.2e} ({kind.name}); at most "
            f"{limit:.0e} is allowed, so nothing was written. Does the network draw random numbers of its own? Make "
            "them an input."
        )


def check_psnr(kind: Kind, parity: Parity, limit_db: float, quantization: str) -> None:
    """Raise a ValueError if the peak signal-to-noise ratio is under the limit."""
    if parity.psnr_db is not None and not parity.psnr_db >= limit_db:
        raise ValueError(
            f"After {quantization} quantization the {kind.name} have a PSNR of {parity.psnr_db:.1f} dB against Keras; "
            f"under {limit_db:g} dB they are not the same, so nothing was written. Export with "
            'quantization="float16" or "float32".'
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
