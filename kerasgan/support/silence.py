"""Keep what C++ and Python code prints out of the terminal, without losing it."""

import contextlib
import ctypes
import io
import os
import sys
import tempfile
import threading
import warnings

# File descriptors belong to the process: two threads that swap them in turn would restore each
# other's redirection and leave the terminal closed for good.
_LOCK = threading.RLock()


class Silence:
    """A context in which nothing reaches standard output or standard error.

    Python's streams, the descriptors that C++ code writes to, and warnings are all caught;
    everything is as before on leaving, also through an exception. What other threads print
    meanwhile is caught too.

    Attributes:
        text: after leaving, what was printed and warned.

    Example:
        with Silence() as silence:
            converter.convert()
        print(silence.text)
    """

    def __init__(self):
        self.text = ""

    def __enter__(self) -> "Silence":
        with contextlib.ExitStack() as stack:
            stack.enter_context(_LOCK)
            file = stack.enter_context(tempfile.TemporaryFile())
            stack.callback(self._read, file)
            caught = stack.enter_context(warnings.catch_warnings(record=True))
            warnings.simplefilter("always")
            stack.callback(self._add_warnings, caught, file)
            for descriptor in (1, 2):
                stack.callback(_restore, descriptor, _redirect(descriptor, file))
            stack.callback(_flush)
            stream = io.TextIOWrapper(
                os.fdopen(os.dup(file.fileno()), "wb", buffering=0),
                encoding="utf-8",
                errors="replace",
                write_through=True,
            )
            stack.enter_context(stream)
            stack.enter_context(contextlib.redirect_stdout(stream))
            stack.enter_context(contextlib.redirect_stderr(stream))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        # Returns nothing: an exception always goes on.
        self._stack.__exit__(*error)

    def _read(self, file) -> None:
        file.seek(0)
        self.text = file.read().decode("utf-8", "replace").strip()

    @staticmethod
    def _add_warnings(caught, file) -> None:
        file.seek(0, os.SEEK_END)
        for warning in caught:
            text = " ".join(str(warning.message).split())
            file.write(f"{warning.category.__name__}: {text}\n".encode())


def _redirect(descriptor: int, file) -> int | None:
    """Point a descriptor at the file; return a copy of the old one, None if it was closed."""
    _flush()
    try:
        saved = os.dup(descriptor)
    except OSError:
        saved = None
    os.dup2(file.fileno(), descriptor)
    return saved


def _restore(descriptor: int, saved: int | None) -> None:
    if saved is None:
        os.close(descriptor)
        return
    os.dup2(saved, descriptor)
    os.close(saved)


def _flush() -> None:
    """Empty the buffers of Python and of the C library, so that no text changes sides."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        # A stream may be missing (pythonw), closed, or a stand-in without flush.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.flush()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).fflush(None)
