import subprocess
import sys

import pytest

from kerasgan.support import cache


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert cache.folder() == tmp_path / ".cache/kerasgan"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == tmp_path / "xdg/kerasgan"
    monkeypatch.setenv(cache.VARIABLE, "~/mine")
    assert cache.folder() == tmp_path / "mine"


def test_asking_for_the_folder_makes_nothing(folder):
    assert cache.folder() == folder
    assert cache.entries() == []
    assert cache.clear() == 0
    assert not folder.exists()


def test_first_use_explains_the_folder(folder):
    assert cache.part("weights") == folder / "weights"
    text = (folder / cache.README).read_text()
    assert "kerasgan cache clear" in text
    assert cache.VARIABLE in text


def test_clear_deletes_what_was_asked_for_and_nothing_else(folder):
    (cache.part("weights") / "a.pth").write_bytes(b"12345")
    (cache.part("features") / "b.npz").write_bytes(b"123")
    (folder / "weights" / "deeper").mkdir()
    (folder / "weights" / "deeper" / "users.txt").write_text("kept")
    assert cache.entries() == [(folder / "weights/a.pth", 5), (folder / "features/b.npz", 3)]
    assert cache.clear("features") == 3
    assert cache.entries() == [(folder / "weights/a.pth", 5)]
    assert cache.clear() == 5
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == [cache.README, "users.txt"]


def test_clear_follows_no_links(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("kept")
    (cache.part("weights") / "link").symlink_to(outside / "precious")
    (folder / "features").symlink_to(outside)
    cache.clear()
    assert (outside / "precious").read_text() == "kept"
    assert not (folder / "weights/link").is_symlink()


def test_a_folder_with_other_files_is_no_cache(folder):
    (folder / "weights").mkdir(parents=True)
    (folder / "weights" / "thesis.h5").write_text("kept")
    (folder / "thesis.tex").write_text("kept")
    for use in (lambda: cache.part("weights"), cache.clear):
        with pytest.raises(ValueError, match=r"thesis\.tex"):
            use()
    assert (folder / "weights" / "thesis.h5").exists()


def test_errors(folder, tmp_path, monkeypatch):
    for use in (cache.part, cache.entries, cache.clear):
        with pytest.raises(ValueError, match="Did you mean 'weights'"):
            use("weight")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "below"))
    with pytest.raises(ValueError, match="cannot be written"):
        cache.part("weights")


def test_cache_and_features_import_no_tensorflow():
    code = "import sys, kerasgan.support.cache, kerasgan.metrics.features; print('tensorflow' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
