"""Runs in folders: resumed runs equal uninterrupted ones, even after kill -9."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from kerasgan.runs import recipes, training

RECIPE = {
    "epochs": 3,
    "precision": "float32",
    "model": {"type": "dcgan", "base_filters": 4, "latent_dim": 4},
    "data": {"source": "mnist_mini", "batch_size": 32, "limit": 128},
}
COMMAND = [sys.executable, "-m", "kerasgan.cli", "train"]


def train(folder, **options):
    return training.train(recipes.from_dict(RECIPE), folder, verbose=0, **options)


def weights(folder):
    model = training.load_run(folder)
    return [*model.get_weights(), *(np.asarray(variable) for variable in model.g_optimizer.variables)]


def rows(folder):
    return training.read_history(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(folder)
    return folder


def test_a_run_is_complete(whole):
    names = {path.name for path in whole.iterdir()}
    assert names == {"recipe.toml", "model.keras", "history.csv", "run.json", "samples.png", "logs"}
    assert [row["epoch"] for row in rows(whole)] == ["0", "1", "2"]
    record = training.read_run(whole)
    assert record["epochs"] == 3
    assert record["seconds"] > 0
    assert recipes.read(whole / "recipe.toml") == recipes.from_dict(RECIPE)


class Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_exactly(whole, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(training, "SampleSummary", lambda *_, **__: Interrupt())
        with pytest.raises(KeyboardInterrupt):
            train(folder)
    train(folder, resume=True)
    for expected, resumed in zip(weights(whole), weights(folder), strict=True):
        np.testing.assert_array_equal(resumed, expected)
    assert rows(folder) == rows(whole)


class Swallow(keras.callbacks.Callback):
    """Press Ctrl-C where the interrupt is ignored."""

    def on_epoch_end(self, epoch, logs=None):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_an_interrupt_that_a_library_swallows_still_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SampleSummary", lambda *_, **__: Swallow())
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run")
    assert len(rows(tmp_path / "run")) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_kill_9_loses_at_most_one_epoch(whole, tmp_path):
    folder = tmp_path / "run"
    (tmp_path / "recipe.toml").write_text(recipes.from_dict(RECIPE | {"epochs": 1000}).to_toml())
    run = [*COMMAND, str(tmp_path / "recipe.toml"), "--out", str(folder)]
    process = subprocess.Popen(run, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while len(rows(folder)) < 2:
            assert process.poll() is None, "the run ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    killed_after = len(rows(folder))
    with open(folder / "history.csv", "a") as file:
        file.write("999,0,0\n")  # A row whose model was not saved.
    saved = round(int(training.load_run(folder).g_optimizer.iterations) / 4)
    assert saved >= killed_after - 1
    resume = [*COMMAND, "--resume", str(folder), "--epochs", str(saved + 1)]
    answer = subprocess.run(resume, cwd=tmp_path, capture_output=True, text=True, env=os.environ, check=True)
    assert "kerasgan generate" in answer.stdout
    assert "0000" not in answer.stderr, answer.stderr
    assert [int(row["epoch"]) for row in rows(folder)][-1] == saved
    assert not list(folder.glob(".partial*"))


def test_folder_mistakes_are_named(whole, tmp_path):
    with pytest.raises(ValueError, match=r"holds a run. Go on with it"):
        train(whole)
    with pytest.raises(ValueError, match="no run to resume"):
        train(tmp_path / "none", resume=True)
    other = recipes.from_dict(RECIPE | {"seed": 7, "model": RECIPE["model"] | {"base_filters": 8}})
    with pytest.raises(ValueError, match="another model, seed than"):
        training.train(other, whole, resume=True)
    with pytest.raises(ValueError, match="no_such_folder"):
        training.train(recipes.from_dict(RECIPE | {"data": {"source": "./no_such_folder"}}), tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "precious.txt").write_text("keep")
    with pytest.raises(ValueError, match="is not empty"):
        train(tmp_path)
    with pytest.raises(ValueError, match="not a run"):
        training.load_run(tmp_path)


def test_the_learned_scale_and_reconstructions_of_a_vae_run(tmp_path):
    recipe = RECIPE | {"epochs": 1, "model": {"type": "vae", "base_filters": 4, "likelihood": "gaussian"}}
    model = training.train(recipes.from_dict(recipe), tmp_path / "vae", verbose=0)
    loaded = training.load_run(tmp_path / "vae")
    images = model.generate(2, seed=0)
    np.testing.assert_array_equal(loaded.reconstruct(images), model.reconstruct(images))


def test_a_recipe_may_measure_while_it_trains(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASGAN_CACHE", str(tmp_path / "cache"))
    recipe = recipes.from_dict(RECIPE | {"epochs": 2, "metrics_every": 1})
    training.train(recipe, tmp_path / "run", verbose=0)
    first, last = rows(tmp_path / "run")
    assert 0.0 < float(last["val_fid"]) != float(first["val_fid"])
    assert {"generated", "real"} <= {path.name for path in (tmp_path / "run" / "logs").iterdir()}


def test_a_recipe_of_texts_measures_their_words(tmp_path):
    (tmp_path / "texts").mkdir()
    for split in ("train", "test"):
        (tmp_path / "texts" / f"{split}.txt").write_text("a dog runs\na cat sleeps\n" * 2, encoding="utf-8")
    small = {"windows": [1], "filters": [2], "units": 4, "embedding_dim": 4, "pretraining": [1, 0], "d_steps": 1}
    recipe = {"epochs": 1, "precision": "float32", "metrics_every": 1, "model": {"type": "seqgan", **small}}
    recipe |= {"data": {"source": str(tmp_path / "texts"), "batch_size": 4}}
    training.train(recipes.from_dict(recipe), tmp_path / "run", verbose=0)
    (row,) = rows(tmp_path / "run")
    assert 0.0 <= float(row["val_bleu_2"]) <= 1.0
    assert float(row["val_reverse_perplexity"]) > 1.0
    assert (tmp_path / "run" / "logs" / "real").is_dir()


def test_two_workers_train_one_run(tmp_path):
    """Two processes on loopback: the first writes the run, the second writes nothing, and both finish."""
    ports = [free_port(), free_port()]
    recipe = RECIPE | {"epochs": 1, "strategy": "multi_worker"}
    (tmp_path / "recipe.toml").write_text(recipes.from_dict(recipe).to_toml())
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    workers = []
    for index in range(2):
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        run = [*COMMAND, str(tmp_path / "recipe.toml"), "--out", "run"]
        environment = os.environ | {"TF_CONFIG": config}
        workers.append(subprocess.Popen(run, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True))
    try:
        errors = [worker.communicate(timeout=240)[1] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert [worker.returncode for worker in workers] == [0, 0], errors
    assert training.read_run(tmp_path / "run")["epochs"] == 1
    assert len(rows(tmp_path / "run")) == 1
    assert not list(tmp_path.glob("run/.partial*"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_run_goes_on_from_another_and_its_decay_follows_the_number_of_epochs(tmp_path, capsys):
    first = recipes.from_dict(RECIPE | {"epochs": 1, "compile": {"decay": "linear"}})
    one = training.train(first, tmp_path / "first", verbose=0)
    schedule = one.g_optimizer._learning_rate
    assert (schedule.over, float(schedule(0))) == (4, 0.0)
    longer = recipes.from_dict(RECIPE | {"epochs": 2, "compile": {"decay": "linear"}})
    two = training.train(longer, tmp_path / "first", resume=True, verbose=0)
    assert two.g_optimizer._learning_rate.over == 8
    assert float(two.d_optimizer.learning_rate) == 0.0

    model = RECIPE["model"] | {"start": str(tmp_path / "first")}
    still = {player: {"name": "sgd", "learning_rate": 1e-30} for player in ("d_optimizer", "g_optimizer")}
    second = recipes.from_dict(RECIPE | {"epochs": 1, "seed": 9, "model": model, "compile": still})
    other = training.train(second, tmp_path / "second", verbose=0)
    assert "weights taken over." in capsys.readouterr().out
    for mine, theirs in zip(other.discriminator.trainable_weights, two.discriminator.trainable_weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
