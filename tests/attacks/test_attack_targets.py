"""Where files are written and read: nothing but a regular file is replaced by one, or waited for."""

import contextlib
import os
import socket
import stat

import pytest

from kerasgan.support import files


@pytest.fixture
def odd(tmp_path):
    """A folder with one of each that is no regular file."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as each:
        each.bind(str(tmp_path / "socket"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    for name in ("pipe", "socket", "folder", "file", "nothing"):
        (tmp_path / f"link-to-{name}").symlink_to(name)
    (tmp_path / "loop").symlink_to("loop")
    # Only root may make a device; it has the numbers of /dev/null and is asked for its kind alone.
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):
            os.mknod(tmp_path / "device", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    return tmp_path


def listing(folder):
    return {path.name: stat.S_IFMT(path.lstat().st_mode) for path in folder.iterdir()}


ODD = ("pipe", "socket", "device", "link-to-pipe", "link-to-socket")


@pytest.mark.parametrize("name", [*ODD, "folder", "link-to-folder", "loop"])
def test_no_file_takes_the_place_of_what_is_no_file(odd, name):
    if name == "device" and not (odd / name).exists():
        pytest.skip("only root makes devices")
    before = listing(odd)
    with pytest.raises((ValueError, OSError), match=name):
        files.write_text(odd / name, "new")
    assert listing(odd) == before


@pytest.mark.parametrize("name", [*ODD, "file", "link-to-file", "loop"])
def test_no_folder_takes_the_place_of_what_is_no_folder(odd, name):
    if name == "device" and not (odd / name).exists():
        pytest.skip("only root makes devices")
    before = listing(odd)
    with pytest.raises((ValueError, OSError), match=name), files.replacing_folder(odd / name):
        pass
    assert listing(odd) == before


@pytest.mark.parametrize("name", ["file", "link-to-file", "nothing", "link-to-nothing", "new/deep/file"])
def test_a_link_stays_and_its_file_is_replaced(odd, name):
    links = [path.name for path in odd.iterdir() if path.is_symlink()]
    files.write_text(odd / name, "new")
    assert (odd / name).read_text() == "new"
    assert [path.name for path in odd.iterdir() if path.is_symlink()] == links
    assert not list(odd.rglob(f"{files.PARTIAL}*"))


@pytest.mark.parametrize("name", ["folder", "link-to-folder", "nothing", "link-to-nothing", "new/deep/folder"])
def test_a_link_stays_and_its_folder_is_replaced(odd, name):
    links = [path.name for path in odd.iterdir() if path.is_symlink()]
    for content in ("old", "new"):
        with files.replacing_folder(odd / name) as draft:
            (draft / content).touch()
    assert [path.name for path in (odd / name).iterdir()] == ["new"]
    assert [path.name for path in odd.iterdir() if path.is_symlink()] == links
    assert not list(odd.rglob(f"{files.PARTIAL}*"))


@pytest.mark.parametrize("name", [*ODD, "folder", "link-to-folder", "loop", "nothing"])
def test_only_files_are_read(odd, name):
    if name == "device" and not (odd / name).exists():
        pytest.skip("only root makes devices")
    with pytest.raises((ValueError, OSError), match=name):
        files.read_text(odd / name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfea\x00", "not text in UTF-8"),
        (b"gr\xfc\xdfe", "byte 2"),
        (b"x" * 101, "at most 100 are read"),
    ],
)
def test_text_that_is_none(tmp_path, content, message):
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        files.read_text(tmp_path / "text", most=100)


def test_text_of_windows(tmp_path):
    (tmp_path / "text").write_bytes("\ufeffgrün\r\nrot\r\n".encode())
    assert files.read_text(tmp_path / "text") == "grün\nrot\n"


def test_room_is_asked_for(tmp_path):
    files.check_room(tmp_path, 1)
    with pytest.raises(ValueError, match=r"MB free.*TMPDIR"):
        files.check_room(tmp_path, 2**70)


def test_a_full_disk_is_named(tmp_path):
    with pytest.raises(OSError, match=r"No space left on device: .*file"), files.replacing(tmp_path / "file"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_whether_a_folder_can_be_written(tmp_path):
    files.check_writable(tmp_path / "new" / "deep")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"cannot be a folder: .*file' is a file"):
        files.check_writable(tmp_path / "file" / "deep")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
