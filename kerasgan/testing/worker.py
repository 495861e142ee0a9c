"""Another process, with TensorFlow and two logical CPUs, for what a check cannot do in its own."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import tensorflow as tf

# Not fork: a forked TensorFlow hangs.
CONTEXT = multiprocessing.get_context("spawn")


def run_in_worker(function: Callable, *arguments):
    """Return what a function returns in the worker process, or raise what it raises there.

    All checks share one worker, since importing TensorFlow is what costs. Function and arguments have to be
    importable by name.
    """
    return _worker().submit(function, *arguments).result()


@cache
def two_devices() -> tf.distribute.Strategy:
    """Return a strategy over two logical CPUs, in the worker.

    There is one a process: TensorFlow reuses the keys of its collective operations in a second one, which fails.
    """
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@cache
def _worker() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=CONTEXT, initializer=_configure)


def _configure() -> None:
    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
