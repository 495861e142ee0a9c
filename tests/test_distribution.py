"""Strategies: run in processes of their own, since devices and workers are fixed when TensorFlow starts."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

import kerasgan
from kerasgan import distribution

WORKERS = Path(__file__).parent / "workers"
TIMEOUT = 400  # Seconds; a busy machine with two cores takes 100.
ROUNDING = 1e-6


def start(script: str, *arguments: str, **variables: str) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(Path(kerasgan.__file__).parents[1]), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        [sys.executable, str(WORKERS / script), *arguments],
        env=environment | {"CUDA_VISIBLE_DEVICES": "-1"} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def results(processes: list[subprocess.Popen]) -> list[dict]:
    """Wait for all processes and return the JSON each printed last; none outlives the call."""
    try:
        outputs = [process.communicate(timeout=TIMEOUT) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                stream.close()
    for process, (_, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors[-4000:]
    return [json.loads(output.strip().splitlines()[-1]) for output, _ in outputs]


@pytest.fixture(scope="module")
def two_devices() -> dict:
    return results([start("two_devices.py")])[0]


@pytest.fixture
def found(request, two_devices) -> dict:
    answer = two_devices[request.param]
    assert "error" not in answer, answer["error"]
    return answer


def finding(name: str):
    return pytest.mark.parametrize("found", [name], indirect=True)


@pytest.mark.parametrize("batches", ["even", "uneven", "device_without_images"])
@finding("same_as_one_device")
def test_two_devices_train_as_one_does(found, batches):
    found = found[batches]
    assert found["moved"] > 0.005
    assert found["weights"] < ROUNDING
    assert found["average"] < ROUNDING
    assert found["history"] < ROUNDING
    assert found["evaluation"] < ROUNDING
    assert found["replicas_agree"]


@finding("latents_differ")
def test_every_replica_draws_its_own_latents(found):
    assert found == {"latents": 4, "augmentations": 2, "first_replica_as_on_one_device": True}


def test_every_discriminator_update_draws_its_own_latents():
    class Recording(kerasgan.VanillaGAN):
        def synthesize(self, *arguments, **options):
            batch = super().synthesize(*arguments, **options)
            self.drawn.append(batch.latents.numpy().tobytes())
            return batch

    gan = Recording((16, 16, 1), latent_dim=4, hidden=(8,), d_steps=3, seed=1)
    gan.compile()
    gan.drawn = []
    for _ in range(2):
        gan.train_step(tf.zeros((2, 16, 16, 1)))
    assert len(gan.drawn) == len(set(gan.drawn)) == 6


@finding("dcgan")
def test_dcgan_trains_calibrates_saves_and_resumes(found):
    assert all(found.values()), found


@finding("vae")
def test_vae_trains(found):
    assert found == {"finite": True, "falls": True, "replicas_agree": True, "samples": [2, 16, 16, 1]}


@finding("labels")
def test_conditional_model_with_keras_batch_norm_trains(found):
    assert found == {"finite": True, "replicas_agree": True}


@finding("batch_layers")
def test_layers_that_look_at_several_examples(found):
    assert found == {"finite": True, "replicas_agree": True, "reference_stays": True}


@finding("learning_rate_callback")
def test_learning_rate_callbacks_move_both_optimizers(found):
    assert found["d_rate"] == pytest.approx(0.02)
    assert found["g_rate"] == pytest.approx(0.01)


@finding("nan_on_second_replica")
def test_nan_on_one_replica_skips_the_update_on_all(found):
    assert found["moved"] == {"discriminator": False, "generator": True}
    assert found["d_scale"] == [2.0**14] * 2
    assert found["g_scale"] == [2.0**15] * 2
    assert found["finite"]
    assert found["replicas_agree"]


def test_two_workers_end_with_equal_weights():
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    configs = [{"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}} for index in (0, 1)]
    first, second = results([start("one_of_several.py", TF_CONFIG=json.dumps(config)) for config in configs])
    assert first["replicas"] == 2
    assert first["finite"]
    assert first["latents"] != second["latents"]
    for name in ("digest", "history", "evaluation", "sample"):
        assert first[name] == second[name], name


# Words


def test_default_strategy_is_one_device():
    strategy = kerasgan.strategy("default")
    assert strategy.num_replicas_in_sync == 1
    with strategy.scope():
        assert not tf.distribute.has_strategy()


def test_unknown_strategy_is_named_and_the_nearest_suggested():
    with pytest.raises(ValueError, match=r"'miror'.*'mirrored'"):
        kerasgan.strategy("miror")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "not set"),
        ("", "not set"),
        ("localhost", "must be JSON"),
        ("[]", "must be JSON"),
        ('{"cluster": {"worker": ["a:1"]}}', "must be JSON"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "must be JSON"),
        ('{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}', "must be JSON"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "0"}}', "must be JSON"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}', "must be JSON"),
    ],
)
def test_bad_tf_config_is_shown_with_an_example(text, message, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=message) as error:
        kerasgan.strategy("multi_worker")
    assert '"index": 0' in str(error.value)


@pytest.mark.parametrize("kind", ["worker", "chief"])
def test_good_tf_config_passes(kind):
    distribution.check_tf_config(json.dumps({"cluster": {kind: ["a:1", "b:1"]}, "task": {"type": kind, "index": 1}}))


def test_late_multi_worker_strategy_says_to_make_it_first(monkeypatch):
    config = {"cluster": {"worker": ["localhost:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    tf.zeros(1)
    with pytest.raises(ValueError, match="top of the script"):
        kerasgan.strategy("multi_worker")
