"""Writing files so that nothing half-written is ever seen, even after kill -9; opening others' files without a wait."""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PARTIAL = ".partial-"


@contextlib.contextmanager
def replacing(path: "str | Path") -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place when the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Drawn, because processes in containers or on other machines share their numbers. The ending stays: Keras chooses
    # the format by it.
    temporary = path.with_name(f"{PARTIAL}{secrets.token_hex(4)}-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(folder: "str | Path") -> Iterator[Path]:
    """Give a temporary folder that takes the place of `folder` when the block ends without an error."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f"{PARTIAL}{folder.name}-", dir=folder.parent))
    temporary.chmod(0o755)
    try:
        yield temporary
        if folder.exists():
            old = temporary.with_name(f"{temporary.name}-old")
            os.replace(folder, old)
            try:
                os.replace(temporary, folder)
            except OSError:
                os.replace(old, folder)
                raise
            shutil.rmtree(old)
        else:
            os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def open_regular(path: "str | Path", limit: int | None = None) -> BinaryIO:
    """Open a file for reading, if it is one: a pipe would wait for ever, and a device might never end.

    Args:
        path: the file; a symbolic link to one will do.
        limit: most bytes it may hold.

    Raises:
        ValueError: it is a folder, pipe, socket or device, or holds more than `limit` bytes.
        OSError: it does not exist or may not be read.
    """
    # Asked before opening, because to open some devices is to use them; and after, because it may have been exchanged.
    _check_regular(path, os.stat(path), limit)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _check_regular(path, os.fstat(descriptor), limit)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _check_regular(path, found: os.stat_result, limit: int | None) -> None:
    if not stat.S_ISREG(found.st_mode):
        kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
        raise ValueError(f"{path} is {kinds.get(stat.S_IFMT(found.st_mode), 'a device')}, not an ordinary file.")
    if limit is not None and found.st_size > limit:
        raise ValueError(f"{path} holds {found.st_size:,} bytes; at most {limit:,} are read from a file of its kind.")


def remove_partial(folder: "str | Path") -> None:
    """Remove what writers that were killed left in a folder; no other process may be writing there."""
    for path in Path(folder).glob(f"{PARTIAL}*"):
        path.unlink()


def write_text(path: "str | Path", text: str) -> None:
    """Write a UTF-8 text file in one step."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: "str | Path", content: dict) -> None:
    """Write a JSON file, indented, in one step."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def sha256(path: "str | Path") -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
