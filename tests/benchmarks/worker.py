"""One contender in a process of its own: builds, then takes steps when told to, so that contenders can be interleaved.

Reads JSON lines, {"steps": k} or {"waiting": k}, and answers each with a JSON line. Ends with its input. Of steps it
tells the time on the wall and the processor time of all threads.
"""

import argparse
import json
import os
import resource
import sys
import time

from modern import MODERN


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=("ours", "guide", "penalties", "torch"))
    parser.add_argument("dtype")
    parser.add_argument("batch_size", type=int)
    parser.add_argument("threads", type=int)
    parser.add_argument(
        "--model", default="dcgan", choices=("dcgan", "sngan", "wgan_gp", "pix2pix", "cyclegan", *MODERN)
    )
    given = parser.parse_args()
    # Answers go to the real standard output; whatever libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**values):
        print(json.dumps(values), file=answers, flush=True)

    start = time.perf_counter()
    contender = load(given.name, given.threads)
    imported = time.perf_counter()
    step, waiting = contender.build(given.name, given.dtype, given.batch_size, given.model)
    step()
    first = time.perf_counter() - imported
    answer(
        import_s=imported - start,
        first_step_s=getattr(contender.build, "first_step_s", first),
        note=getattr(contender.build, "note", ""),
    )
    for line in sys.stdin:
        order = json.loads(line)
        if "waiting" in order:
            answer(**waiting(order["waiting"]))
        else:
            wall, processor = zip(*(timed(step) for _ in range(order["steps"])), strict=True)
            answer(wall=wall, processor=processor, peak_mb=peak_mb())


def load(name: str, threads: int):
    if name == "torch":
        import torch

        torch.set_num_threads(threads)
        torch.set_num_interop_threads(threads)
        import torch_contender

        return torch_contender
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    import keras_contenders

    return keras_contenders


def timed(step) -> tuple[float, float]:
    """Return milliseconds on the wall and of the processor."""
    start = time.perf_counter(), time.process_time()
    step()
    return 1e3 * (time.perf_counter() - start[0]), 1e3 * (time.process_time() - start[1])


def peak_mb() -> float:
    """Return the largest resident memory of this process so far (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
