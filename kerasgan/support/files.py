"""Files from outside, read with suspicion; files of our own, written so that nothing half-written is ever seen."""

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
# Recipes, cards and configurations take kilobytes: whatever has more is something else, or without end.
MOST_TEXT = 16 * 2**20
# The deepest configurations, of functional models, have some twenty brackets in each other.
MOST_NESTED = 100


# Writing


@contextlib.contextmanager
def replacing(path: "str | Path") -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place when the block ends without an error.

    A symbolic link stays: the file that it points to is replaced.

    Raises:
        ValueError: something that is not a regular file is there, such as a folder or a device.
    """
    path = _target(path, stat.S_ISREG, "a file")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Drawn, because processes in containers or on other machines share their numbers. The ending stays: Keras chooses
    # the format by it.
    temporary = path.with_name(f"{PARTIAL}{secrets.token_hex(4)}-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.errno and error.filename is None:  # A disk that is full does not say which.
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(folder: "str | Path") -> Iterator[Path]:
    """Give a temporary folder that takes the place of `folder` when the block ends without an error.

    A symbolic link stays: the folder that it points to is replaced.

    Raises:
        ValueError: something that is not a folder is there.
    """
    folder = _target(folder, stat.S_ISDIR, "a folder")
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


def _target(path: "str | Path", fits, wanted: str) -> Path:
    """Return where to write, symbolic links followed; refuse to put a file in the place of anything else."""
    given, path = path, Path(os.path.realpath(path))
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return path
    if not fits(mode):
        raise ValueError(f"Cannot write {wanted} to {str(given)!r}: it is {_kind(mode)}. Choose another path.")
    return path


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFREG: "a file",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(mode), "a device")


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


def check_room(folder: "str | Path", size: int) -> None:
    """Raise a ValueError unless the file system of a folder has room for `size` bytes."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise ValueError(
            f"{str(folder)!r} has {free / 1e6:.1f} MB free, and {size / 1e6:.1f} MB are needed. Make room there, or "
            "choose another folder (for temporary files: the environment variable TMPDIR)."
        )


def check_writable(folder: "str | Path") -> None:
    """Raise a ValueError unless files can be written to a folder, or to the one that it will be made in."""
    folder = Path(folder).absolute()
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if not existing.is_dir():
        raise ValueError(f"{str(folder)!r} cannot be a folder: {str(existing)!r} is {_kind(existing.stat().st_mode)}.")
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(bytes(2**16))
    except OSError as error:
        raise ValueError(f"{str(folder)!r} cannot be written: {error.strerror or error}.") from error


# Reading


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
        raise ValueError(f"{path} is {_kind(found.st_mode)}, not an ordinary file.")
    if limit is not None and found.st_size > limit:
        raise ValueError(f"{path} holds {found.st_size:,} bytes; at most {limit:,} are read from a file of its kind.")


def read_text(path: "str | Path", most: int = MOST_TEXT) -> str:
    """Return the text of a UTF-8 file, without the byte-order mark that Windows puts before it.

    Raises:
        ValueError: it is no UTF-8, larger than `most` bytes, or not a regular file.
        OSError: it is missing or cannot be read.
    """
    with open_regular(path, most) as file:
        # The limit again: files of /proc say that they hold nothing.
        content = file.read(most)
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{str(path)!r} is not text in UTF-8 (byte {error.start}). Save it as UTF-8.") from None


def read_json(path: "str | Path", most: int = MOST_TEXT) -> dict:
    """Return the object in a JSON file.

    Raises:
        ValueError: it is no JSON, no object, nested too deeply, or what `read_text` refuses.
        OSError: it is missing or cannot be read.
    """
    return parse_json(read_text(path, most), str(path))


def parse_json(text: str, name: str) -> dict:
    """Return the object in a text of JSON that came from outside; a ValueError names it where it is not one."""
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError(f"{name!r} is nested too deeply.") from None
    except ValueError as error:
        raise ValueError(f"{name!r} is not valid JSON: {error}.") from None
    if not isinstance(content, dict):
        raise ValueError(f"{name!r} holds a {type(content).__name__} where a JSON object belongs.")
    check_nesting(content, name)
    return content


def check_nesting(content, name: str) -> None:
    """Raise a ValueError where lists and tables are in each other more than `MOST_NESTED` deep."""
    level = [content]
    for _ in range(MOST_NESTED):
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [each for container in inner for each in container]
        if not level:
            return
    raise ValueError(f"{name!r} is nested more than {MOST_NESTED} deep.")


def sha256(path: "str | Path") -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
