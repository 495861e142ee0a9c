"""Signals, closed pipes and closed streams: however a command ends, it says so and has the status for it."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

INTERRUPTED, BROKEN_PIPE, TERMINATED = 130, 141, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM came, as schedulers send it before they take a machine: it is handled as Ctrl-C is."""


class Noticed:
    """The last signal that asked the command to stop, None if none did: some libraries swallow what it raises."""

    interrupt: KeyboardInterrupt | None = None


@contextlib.contextmanager
def handled() -> Iterator[Noticed]:
    """A context in which SIGINT and SIGTERM raise, and are remembered where that was ignored."""
    noticed = Noticed()
    if threading.current_thread() is not threading.main_thread():
        yield noticed
        return

    def interrupt(number, frame):
        noticed.interrupt = Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
        raise noticed.interrupt

    numbers = {
        number: signal.getsignal(number)
        for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL))
        # What was set to be ignored, as `nohup` does, stays so.
        if signal.getsignal(number) is default or signal.getsignal(number) == default
    }
    for number in numbers:
        signal.signal(number, interrupt)
    try:
        yield noticed
    finally:
        for number, handler in numbers.items():
            signal.signal(number, handler)


def status(interrupt: KeyboardInterrupt) -> int:
    """Return the exit status for an interrupt, as shells have it: 128 and the number of the signal."""
    return TERMINATED if isinstance(interrupt, Terminated) else INTERRUPTED


def open_closed_streams() -> None:
    """Open what was closed before the start: files would get the numbers of standard output, and be printed into."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  For the rest of the process.


def leave(exit_status: int) -> NoReturn:
    """End the process; after an interrupt at once, since threads that read data crash the interpreter's own end."""
    if exit_status in (INTERRUPTED, BROKEN_PIPE, TERMINATED):
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(exit_status)
    sys.exit(exit_status)


def leave_pipe() -> None:
    """Let the interpreter end without a word though nobody reads its output any more."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
