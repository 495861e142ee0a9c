"""What the commands print is readable on every terminal: spelled in its letters, and a warning is one line."""

import codecs
import contextlib
import io
import sys
import warnings
from collections.abc import Iterator

_SPELLED = {"±": "+/-"}


@contextlib.contextmanager
def plain_output() -> Iterator[None]:
    """A context in which nothing printed fails for its letters, and warnings show no source code."""
    stream, format_before = sys.stdout, warnings.formatwarning
    errors_before = stream.errors if isinstance(stream, io.TextIOWrapper) else None
    codecs.register_error("kerasgan.spell", _spell)
    warnings.formatwarning = _one_line
    try:
        if errors_before:
            stream.reconfigure(errors="kerasgan.spell")
        yield
    finally:
        warnings.formatwarning = format_before
        if errors_before:
            stream.reconfigure(errors=errors_before)


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Return what stands in for the letters that a stream's encoding lacks, and where they end."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    spelled = (_SPELLED.get(letter, letter.encode("ascii", "backslashreplace").decode()) for letter in letters)
    return "".join(spelled), error.end


def _one_line(message, category, filename, lineno, line=None) -> str:
    return f"kerasgan: warning: {' '.join(str(message).split())}\n"
