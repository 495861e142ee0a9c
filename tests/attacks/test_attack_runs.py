"""Runs: what may begin, go on or be written where; and how the commands end that are stopped, killed or not heard."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kerasgan
from kerasgan import cli
from kerasgan.cli import signals
from kerasgan.runs import folder as run_folder
from kerasgan.runs import recipes, training
from kerasgan.support import files

RECIPE = {
    "epochs": 1,
    "precision": "float32",
    "model": {"type": "dcgan", "base_filters": 4, "latent_dim": 4},
    "data": {"source": "mnist_mini", "batch_size": 32, "limit": 64},
}
COMMAND = [sys.executable, "-m", "kerasgan"]
SIZE = ["--set", "model.base_filters=4", "--set", "data.limit=64", "--batch-size", "32"]


def train(folder, changes=None, **options):
    return training.train(recipes.from_dict(RECIPE | (changes or {})), folder, verbose=0, **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    train(folder, {"epochs": 2})
    return folder


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def contents(folder):
    return {path: files.sha256(path) for path in Path(folder).rglob("*") if path.is_file()}


def test_a_recipe_edited_by_hand_is_noticed(run):
    path = run / "recipe.toml"
    path.write_text(path.read_text().replace("batch_size = 32", "batch_size = 16").replace("seed = 0", "seed = 7"))
    before = contents(run)
    with pytest.raises(ValueError, match=r"edited.*batch_size was 32 and is 16.*seed was 0 and is 7"):
        training.train(recipes.read(path), run, resume=True)
    assert contents(run) == before


def test_more_epochs_were_trained_than_are_asked_for(run):
    before = contents(run)
    with pytest.raises(ValueError, match="2 epochs already, more than the 1 asked for"):
        train(run, resume=True)
    assert contents(run) == before
    train(run, {"epochs": 2}, resume=True)  # Nothing to do is no mistake.


def test_a_preset_is_no_run(tmp_path):
    folder = kerasgan.save_preset(kerasgan.DCGAN((16, 16, 1), latent_dim=4, base_filters=4, seed=0), tmp_path / "tiny")
    files.write_text(folder / "recipe.toml", recipes.from_dict(RECIPE).to_toml())
    before = contents(folder)
    for resume in (False, True):
        with pytest.raises(ValueError, match="is a preset, not a run"):
            train(folder, resume=resume)
    assert cli.main(["train", "--resume", str(folder)]) == 1
    assert contents(folder) == before


def test_one_process_a_run(run):
    with run_folder.begun(run, recipes.from_dict(RECIPE), True), pytest.raises(ValueError, match="Another process"):
        train(run, resume=True)
    # A killed process holds it no longer.
    code = f"import fcntl, os, time; fcntl.flock(os.open({str(run)!r}, 0), 2); print(flush=True); time.sleep(99)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        try:
            with pytest.raises(ValueError, match="Another process"):
                train(run, resume=True)
        finally:
            process.kill()
    train(run, {"epochs": 2}, resume=True)


FAILURES = [
    ({"data": RECIPE["data"] | {"batch_size": 10**6}}, "batch_size"),
    ({"data": {"source": "./nothing"}}, "nothing"),
    ({"model": {"type": "dcgan", "base_filters": 4}, "data": RECIPE["data"] | {"image_size": 8}}, "16"),
]


@pytest.mark.parametrize(("changes", "message"), FAILURES)
def test_a_run_that_fails_at_the_start_leaves_nothing(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        train(tmp_path / "deep" / "run", changes)
    assert not list(tmp_path.iterdir())


def failing(name):
    def fail(*_, **__):
        raise OSError(28, "No space left on device", name)

    return fail


def test_a_disk_that_is_full_at_the_first_save_leaves_nothing(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(training, "save_samples", failing("samples.png"))
        patch.setattr(kerasgan.DCGAN, "save", failing("model.keras"))
        with pytest.raises(OSError, match="No space left"):
            train(tmp_path / "run")
    assert not list(tmp_path.iterdir())
    train(tmp_path / "run")


def test_what_a_killed_run_left_is_begun_anew_but_not_what_others_wrote(tmp_path):
    run = tmp_path / "run"
    (run / "logs").mkdir(parents=True)
    files.write_text(run / "recipe.toml", recipes.from_dict(RECIPE | {"seed": 5}).to_toml())
    (run / ".partial-1234-model.keras").write_text("half")
    train(run)
    assert recipes.read(run / "recipe.toml").seed == 0
    assert not list(run.glob(".partial*"))
    own = tmp_path / "own"
    own.mkdir()
    (own / "recipe.toml").write_text("# mine\n" + recipes.from_dict(RECIPE).to_toml())
    before = contents(own)
    with pytest.raises(ValueError, match="holds a run"):
        train(own)
    assert contents(own) == before


@pytest.mark.parametrize("log_dir", ["file", "file/deep", "pipe"])
def test_logs_that_cannot_be_written(tmp_path, log_dir):
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="cannot be a folder"):
        train(tmp_path / "run", log_dir=tmp_path / log_dir)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "pipe"}


COMMANDS = [
    (["train", "dcgan", "--resume", "runs/x"], "Name one run"),
    (["train", "--resume", "runs/x", "--out", "y"], "Name one run"),
    (["train", "--resume"], "Name one run"),
    (["train", "--resume", "nothing"], "no recipe"),
    (["train", "dcgan", "--out", "file"], "file"),
    (["train", "pipe.toml"], "is a named pipe"),
    (["train", "folder.toml"], "is a folder"),
    (["demo", "--minutes", "nan"], "come to an end"),
    (["demo", "--minutes", "inf"], "come to an end"),
    (["demo", "--minutes", "-1"], "positive"),
    (["export", "dcgan_mnist", "--format", "saved_model", "--quantization", "int8"], "--quantization is for"),
    (["export", "dcgan_mnist", "--format", "saved_model", "--batch-size", "4"], "--batch-size is for"),
    (["export", "dcgan_mnist", "--batch-size", "1000000"], "makes at most"),
    (["export", "dcgan_mnist", "--batch-size", "0"], "positive integer"),
    (["export", "dcgan_mnist", "--out", "pipe.tflite"], "a named pipe"),
    (["export", "dcgan_mnist", "--format", "saved_model", "--out", "pipe.toml"], "pipe.toml"),
    (["generate", "dcgan_mnist", "-n", "1", "--out", "pipe.png"], "a named pipe"),
]


@pytest.mark.parametrize(("arguments", "message"), COMMANDS)
def test_commands_say_in_one_line_what_is_wrong(tmp_path, capsys, arguments, message):
    for name in ("pipe.toml", "pipe.tflite", "pipe.png"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "file").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    assert cli.main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("kerasgan: ")
    assert error.count("\n") == 1
    assert message in error
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("backend", ["torch", "jax", "numpy", "nonsense"])
def test_another_backend_is_named(monkeypatch, capsys, backend):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    assert cli.main(["doctor"]) == 1
    assert f"kerasgan runs on TensorFlow; received KERAS_BACKEND={backend}" in capsys.readouterr().err


def ended(error):
    def run(arguments):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ValueError("two\nlines"), 1, "kerasgan: two lines\n"),
        (OSError(28, "No space left on device", "x"), 1, "kerasgan: [Errno 28] No space left on device: 'x'\n"),
        (MemoryError(), 1, "kerasgan: Out of memory. MemoryError"),
        (KeyboardInterrupt(), 130, "Stopped"),
        (signals.Terminated(), 143, "Stopped"),
    ],
)
def test_how_commands_end(monkeypatch, capsys, error, status, said):
    monkeypatch.setattr(cli, "COMMANDS", [lambda commands: commands.add_parser("x").set_defaults(run=ended(error))])
    assert cli.main(["x"]) == status
    assert said in capsys.readouterr().err


def test_a_mistake_of_ours_is_not_hidden(monkeypatch):
    monkeypatch.setattr(
        cli, "COMMANDS", [lambda commands: commands.add_parser("x").set_defaults(run=ended(KeyError()))]
    )
    with pytest.raises(KeyError):
        cli.main(["x"])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_a_library_swallows_still_counts(monkeypatch, capsys, number, status):
    def run(arguments):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(number)

    before = signal.getsignal(number)
    monkeypatch.setattr(cli, "COMMANDS", [lambda commands: commands.add_parser("x").set_defaults(run=run)])
    assert cli.main(["x"]) == status
    assert signal.getsignal(number) is before


def test_sigterm_leaves_a_resumable_run_and_says_how(tmp_path):
    arguments = ["train", "dcgan", "--data", "mnist_mini", "--out", "run", "--epochs", "1000", *SIZE]
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not (tmp_path / "run" / training.RUN).is_file():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 143
    assert "Go on with: kerasgan train --resume run" in error
    assert "Traceback" not in error
    assert training.load_run(tmp_path / "run").built


def test_a_pipe_that_nobody_reads_ends_training_cleanly(tmp_path):
    arguments = " ".join(["train", "dcgan", "--data", "mnist_mini", "--out", "run", "--epochs", "1000", *SIZE])
    script = f"{sys.executable} -m kerasgan {arguments} | head -n 1; exit ${{PIPESTATUS[0]}}"
    answer = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert answer.returncode == 141, answer.stderr
    assert "Broken" not in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("target", [["--format", "saved_model", "--out", "folder"], ["--out", "generator.tflite"]])
def test_an_export_that_finds_no_room_says_so_and_leaves_nothing(tmp_path, target):
    limits = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limits += "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000,) * 2); "
    code = f"{limits}from kerasgan import cli; cli.main(['export', 'dcgan_mnist', *{target}])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200, check=False)
    assert "Traceback" not in answer.stderr
    assert "File too large" in answer.stderr or "TMPDIR" in answer.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(tmp_path, closed):
    script = f"{sys.executable} -m kerasgan zoo {closed}"
    assert subprocess.run(["bash", "-c", script], timeout=60, check=False).returncode == 0
