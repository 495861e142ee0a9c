"""The folder where kerasgan keeps what it can fetch or compute again.

Set KERASGAN_CACHE to move it. Nothing in it is trusted: whoever reads a file there checks it, and makes it again where
it is damaged.
"""

import os
from pathlib import Path

from kerasgan.support import files
from kerasgan.support.configurable import unknown_name

VARIABLE = "KERASGAN_CACHE"
PARTS = ("weights", "features")
README = "README.txt"
_TEXT = f"""The cache of kerasgan, the GAN library for Keras.

weights/   networks that metrics need, downloaded once
features/  statistics of real images, computed once

Everything here is fetched or computed again when it is missing. To clear it: kerasgan cache clear
To keep it elsewhere, set the environment variable {VARIABLE}.
"""


def folder() -> Path:
    """Return the cache folder: KERASGAN_CACHE, else kerasgan in XDG_CACHE_HOME, else ~/.cache/kerasgan."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen).expanduser().absolute()
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification says to ignore a relative path.
    return (base if base.is_absolute() else Path.home() / ".cache") / "kerasgan"


def part(name: str) -> Path:
    """Return a sub-folder of the cache, made on first use together with a README.txt.

    Args:
        name: one of `PARTS`.

    Raises:
        ValueError: the name is unknown, the cache folder holds other files, or it cannot be written.
    """
    _check_part(name)
    _check_folder()
    path = folder() / name
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not (folder() / README).exists():
            files.write_text(folder() / README, _TEXT)
    except OSError as error:
        raise ValueError(
            f"The cache folder {folder()} cannot be written ({error}). Set {VARIABLE} to a folder that can."
        ) from error
    return path


def entries(what: str | None = None) -> list[tuple[Path, int]]:
    """Return the path and size in bytes of every file in the cache.

    Args:
        what: one of `PARTS`; None for all.

    Raises:
        ValueError: the name is unknown.
    """
    for name in (what,) if what else ():
        _check_part(name)
    folders = [folder() / name for name in ([what] if what else PARTS)]
    paths = [path for sub in folders if sub.is_dir() and not sub.is_symlink() for path in sorted(sub.iterdir())]
    return [(path, path.lstat().st_size) for path in paths if path.is_file() or path.is_symlink()]


def clear(what: str | None = None) -> int:
    """Delete the cached files and return the bytes freed; nothing outside the cache's own sub-folders is touched.

    Args:
        what: one of `PARTS`; None for all.

    Raises:
        ValueError: the name is unknown, or the folder is not one that kerasgan uses as a cache.
    """
    _check_folder()
    freed = 0
    for path, size in entries(what):
        path.unlink(missing_ok=True)  # Another process may have been quicker.
        freed += size
    return freed


def _check_part(name: str) -> None:
    if name not in PARTS:
        raise ValueError(unknown_name("part of the cache", name, PARTS))


def _check_folder() -> None:
    if folder().is_dir():
        others = sorted(
            path.name for path in folder().iterdir() if path.name not in (*PARTS, README) and path.name[0] != "."
        )
        if others:
            raise ValueError(
                f"{folder()} holds other files ({', '.join(others[:3])}), so it is not used as a cache. Set {VARIABLE} "
                "to an empty folder or one that does not exist."
            )
