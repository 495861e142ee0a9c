"""What lies in a folder is not trusted: each attack ends at once, in a ValueError that names the file."""

import os
import socket
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from kerasgan import data, images
from kerasgan.data import walk

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n(ran) print\nshowpage\n%%EOF\n"


def picture(path, level=0, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, level).save(path)


def bomb(width, height):
    """A PNG of few bytes that unpacks to width x height grey pixels."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    compressed = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", compressed) + chunk(b"IEND", b"")


def listening(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


HOSTILE_FILES = {
    "eps": (lambda path: path.write_bytes(EPS), "not a PNG, JPEG, WebP or BMP"),
    "gif": (lambda path: Image.new("L", (8, 8)).save(path, format="GIF"), "not a PNG, JPEG, WebP or BMP"),
    "tiff": (lambda path: Image.new("L", (8, 8)).save(path, format="TIFF"), "not a PNG, JPEG, WebP or BMP"),
    "pdf": (lambda path: path.write_bytes(b"%PDF-1.4\n"), "not a PNG, JPEG, WebP or BMP"),
    "empty": (lambda path: path.write_bytes(b""), "not a PNG, JPEG, WebP or BMP"),
    "above our limit": (lambda path: path.write_bytes(bomb(8001, 8000)), r"8001x8000.*at most 64,000,000"),
    "above Pillow's warning": (lambda path: path.write_bytes(bomb(13_000, 13_000)), r"13000x13000.*at most 64,000,000"),
    "above Pillow's limit": (lambda path: path.write_bytes(bomb(2**16, 2**16)), r"too many pixels.*at most 64,000,000"),
    "named pipe": (os.mkfifo, "is a named pipe, not an ordinary file"),
    "socket": (listening, "is a socket, not an ordinary file"),
    "link to a device": (lambda path: path.symlink_to("/dev/zero"), "is a device, not an ordinary file"),
    "link to itself": (lambda path: path.symlink_to(path.name), "x.png cannot be read"),
    "link to nothing": (lambda path: path.symlink_to("nothing"), "x.png cannot be read"),
}


@pytest.fixture
def short_path(tmp_path, monkeypatch):
    # The names of sockets are limited to some hundred bytes.
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("attack", HOSTILE_FILES)
def test_a_hostile_file_is_named_and_can_be_skipped(short_path, attack):
    make, words = HOSTILE_FILES[attack]
    picture(short_path / "photos" / "good.png")
    make((short_path / "photos" / "x.png").relative_to(short_path))
    for read in (data.info, data.load):
        with pytest.raises(ValueError, match=rf"x\.png cannot be read.*{words}|{words}"):
            read("photos")
    with pytest.warns(UserWarning, match=r"Skipped 1 file of photos:\n.*x\.png") as caught:
        info = data.info("photos", on_error="skip")
    assert info.num_examples == 1
    assert [warning.filename for warning in caught] == [__file__]


def test_a_file_of_too_many_bytes_is_not_read(tmp_path):
    picture(tmp_path / "x.bmp")
    os.truncate(tmp_path / "x.bmp", 2**40)
    with pytest.raises(ValueError, match=r"x\.bmp.*holds 1,099,511,627,776 bytes"):
        data.info(tmp_path)


def test_the_gate_takes_the_formats_it_names(tmp_path):
    for name, format in (("a.png", "PNG"), ("b.jpg", "JPEG"), ("c.webp", "WEBP"), ("d.bmp", "BMP")):
        picture(tmp_path / name, 7)
        with images.open_image(tmp_path / name) as image:
            assert image.format == format
    with pytest.raises(ValueError, match="is a folder, not an ordinary file"):
        images.read_image(tmp_path)
    assert np.asarray(images.read_image(tmp_path / "a.png")).tolist() == [[7] * 8] * 8


def test_links_that_lead_back_up_are_not_followed(tmp_path):
    picture(tmp_path / "x" / "1.png")
    picture(tmp_path / "x" / "y" / "2.png")
    for name in ("a", "b"):
        (tmp_path / "x" / name).symlink_to(tmp_path)
        (tmp_path / "x" / "y" / name).symlink_to(tmp_path / "x")
    assert data.info(tmp_path).num_examples == 2
    assert data.info(tmp_path).class_names == ("x",)


def test_a_linked_folder_counts_as_often_as_it_is_linked(tmp_path):
    picture(tmp_path / "cat" / "1.png")
    (tmp_path / "dog").symlink_to(tmp_path / "cat")
    assert data.info(tmp_path).class_names == ("cat", "dog")
    assert data.info(tmp_path).num_examples == 2


@pytest.mark.parametrize("with_images", [False, True])
def test_links_that_fork_end_in_an_error(tmp_path, monkeypatch, with_images):
    # 2^30 paths lead through thirty folders, and none of them in a circle.
    for number in range(30):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in ("a", "b"):
            (folder / name).symlink_to(tmp_path / str(number + 1), target_is_directory=True)
    (tmp_path / "30").mkdir()
    if with_images:
        picture(tmp_path / "30" / "x.png")
    monkeypatch.setattr(walk, "MOST_FOLDERS", 3000)
    monkeypatch.setattr(walk, "MOST_IN_VAIN", 1000)
    with pytest.raises(ValueError, match=r"has more than [13],000 sub-folders.*Give the folder"):
        data.info(tmp_path / "0")


def test_a_sub_folder_that_cannot_be_read(tmp_path, monkeypatch):
    for name in ("closed", "open"):
        picture(tmp_path / name / "x.png")
    scandir = os.scandir

    def closed(path):
        # Permissions do not bind root, as whom these tests may run.
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(ValueError, match=r"folder .*closed cannot be read \(PermissionError.*on_error='skip'"):
        data.info(tmp_path)
    with pytest.warns(UserWarning, match=r"Skipped 1 file of .*\n.*closed: .*PermissionError"):
        assert data.info(tmp_path, on_error="skip").num_examples == 1
    with pytest.raises(ValueError, match="cannot be read"):
        data.info(tmp_path / "closed", on_error="skip")


@pytest.mark.parametrize("source", ["", " "])
def test_an_empty_name_is_refused(source):
    with pytest.raises(ValueError, match="Give the name"):
        data.info(source)


def test_the_working_folder_is_read_only_if_it_is_one_of_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "deep" / "down" / "x.png")
    with pytest.raises(ValueError, match="holds no images, in itself or directly in its sub-folders"):
        data.info(".")
    picture(tmp_path / "deep" / "x.png")
    assert data.info(".").num_examples == 2
    monkeypatch.chdir(tmp_path / "deep")
    assert data.info("..").num_examples == 2


def promising(path):
    """A file that says it holds 64 TB, and holds nothing."""
    with open(path, "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**12, 8, 8, 1)}
        np.lib.format.write_array_header_1_0(file, header)


HOSTILE_ARRAYS = {
    "pipe.npy": (os.mkfifo, "pipe.npy is a named pipe"),
    "pipe.npz": (os.mkfifo, "pipe.npz is a named pipe"),
    "zero.npy": (lambda path: path.symlink_to("/dev/zero"), "zero.npy is a device"),
    "folder.npz": (lambda path: path.mkdir(), "folder.npz is a folder"),
    "none.npy": (lambda path: None, "no file none.npy"),
    "pickle.npy": (lambda path: np.save(path, np.array([{}], object)), "pickle.npy cannot be read"),
    "huge.npy": (promising, "huge.npy cannot be read"),
}


@pytest.mark.parametrize("name", HOSTILE_ARRAYS)
def test_hostile_arrays(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    make, words = HOSTILE_ARRAYS[name]
    make(tmp_path / name)
    with pytest.raises(ValueError, match=words):
        data.info(name)


def test_labels_that_int32_cannot_hold():
    for label in (2**31, 2**40, 2**63):
        labels = np.array([0, label], np.uint64)
        with pytest.raises(ValueError, match=rf"received {label}, which int32 cannot hold"):
            data.info((np.zeros((2, 4, 4, 1), np.uint8), labels))
