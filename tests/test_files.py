import pytest

from kerasgan.support import files


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    files.write_text(path, "first")
    with pytest.raises(RuntimeError):
        _fail_in(files.replacing(path), "")
    assert path.read_text() == "first"
    assert [each.name for each in path.parent.iterdir()] == ["file.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "folder"
    with files.replacing_folder(folder) as draft:
        (draft / "a").write_text("1")
    with pytest.raises(RuntimeError):
        _fail_in(files.replacing_folder(folder), "a")
    assert (folder / "a").read_text() == "1"
    with files.replacing_folder(folder) as draft:
        (draft / "b").write_text("3")
    assert [each.name for each in folder.iterdir()] == ["b"]
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_sha256(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert files.sha256(tmp_path / "empty").startswith("e3b0c44298fc1c14")


def _fail_in(writing, name):
    with writing as temporary:
        (temporary / name if name else temporary).write_text("half")
        raise RuntimeError
