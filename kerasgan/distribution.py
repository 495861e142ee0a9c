"""Precision and placement, from one word each, and the hardware they are chosen by."""

import dataclasses
import json
import os
import platform
import warnings
from pathlib import Path

import keras
import tensorflow as tf

from kerasgan.support.configurable import unknown_name

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
STRATEGIES = ("default", "mirrored", "multi_worker")

# x86 (/proc/cpuinfo), Arm (/proc/cpuinfo) and Apple (sysctl) names of bfloat16 matrix instructions.
BFLOAT16_FLAGS = ("amx_bf16", "avx512_bf16", "bf16", "FEAT_BF16")

_TF_CONFIG_EXAMPLE = (
    """TF_CONFIG='{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'"""
)


# Precision


def precision(word: str = "auto") -> keras.DTypePolicy:
    """Return the dtype policy for a word: the `dtype` argument of every model.

    Args:
        word: "float32"; "mixed_bfloat16" (computes in bfloat16, weights stay float32); "mixed_float16" (the same in
            float16, with loss scaling; GPUs only); "auto", the fastest of them that this machine has instructions for.

    Raises:
        ValueError: the word is unknown, or it is "mixed_float16" and there is no GPU.

    Warns:
        UserWarning: it is "mixed_bfloat16", and the machine has no instructions for that.

    Example:
        gan = kerasgan.DCGAN(dtype=kerasgan.precision("auto"))
    """
    if word not in PRECISIONS:
        raise ValueError(unknown_name("precision", str(word), PRECISIONS))
    if word == "auto":
        word = describe_hardware().precision
    elif word == "mixed_float16" and not tf.config.list_physical_devices("GPU"):
        raise ValueError(
            "mixed_float16 needs a GPU and TensorFlow sees none: on a CPU it is many times slower than float32. "
            "Use 'mixed_bfloat16', which needs no loss scaling either, 'float32', or 'auto'."
        )
    elif word == "mixed_bfloat16" and describe_hardware().precision == "float32":
        # 435 ms for a step of 38 on an AMD EPYC of 2021, a residual stage of 64 channels.
        warnings.warn(
            "mixed_bfloat16 on this processor, which has no instructions for it, takes some ten times as long as "
            "float32. Use 'float32', or 'auto'.",
            stacklevel=2,
        )
    return keras.DTypePolicy(word)


@dataclasses.dataclass(frozen=True)
class Hardware:
    """What a machine offers to training.

    Args:
        cpu: the processor's name.
        cores: logical cores that this process may use.
        memory_gib: main memory in GiB; None where the system does not tell.
        bfloat16: the CPU's bfloat16 instructions, such as "amx_bf16"; empty where it has none.
        gpus: of every GPU that TensorFlow sees, its name and compute capability, such as "NVIDIA T4 (7.5)".
        precision: what `precision("auto")` chooses.
    """

    cpu: str
    cores: int
    memory_gib: float | None
    bfloat16: tuple[str, ...]
    gpus: tuple[str, ...]
    precision: str


def describe_hardware() -> Hardware:
    """Return the CPU, memory and GPUs of this machine, and the precision they are best used with."""
    gpus = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    capabilities = [gpu.get("compute_capability") for gpu in gpus]
    flags = bfloat16_flags()
    return Hardware(
        cpu=_cpu_name(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=_memory_gib(),
        bfloat16=flags,
        gpus=tuple(_gpu_name(gpu) for gpu in gpus),
        precision=choose_precision(capabilities, bool(flags)),
    )


def choose_precision(capabilities: list, cpu_has_bfloat16: bool) -> str:
    """Return the precision for the GPUs' compute capabilities, or for the CPU where there are none.

    Args:
        capabilities: of every GPU (major, minor), or None where it is unknown; the least capable one decides.
        cpu_has_bfloat16: whether the CPU has bfloat16 matrix instructions.
    """
    if not capabilities:
        return "mixed_bfloat16" if cpu_has_bfloat16 else "float32"
    least = min(capability or (0, 0) for capability in capabilities)
    # Tensor cores compute in float16 from 7.0 on, and in bfloat16, which needs no loss scaling, from 8.0 on.
    return "mixed_bfloat16" if least >= (8, 0) else "mixed_float16" if least >= (7, 0) else "float32"


def _gpu_name(details: dict) -> str:
    capability = details.get("compute_capability")
    name = details.get("device_name", "unknown GPU")
    return f"{name} ({capability[0]}.{capability[1]})" if capability else name


def _cpu_info() -> dict[str, str]:
    """Return the first processor's entries of /proc/cpuinfo; empty on other systems."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def _cpu_name() -> str:
    return _cpu_info().get("model name") or platform.processor() or platform.machine() or "unknown"


def bfloat16_flags() -> tuple[str, ...]:
    """Return the names of this CPU's bfloat16 instructions, those of `BFLOAT16_FLAGS` that it has."""
    info = _cpu_info()
    present = (info.get("flags") or info.get("Features") or "").split()
    if platform.system() == "Darwin":
        present = _apple_features()
    return tuple(flag for flag in BFLOAT16_FLAGS if flag in present)


def _apple_features() -> list[str]:
    import subprocess

    command = ["/usr/sbin/sysctl", "-n", "hw.optional.arm.FEAT_BF16"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return ["FEAT_BF16"] if answer.strip() == "1" else []


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


# Placement


def strategy(word: str = "default") -> tf.distribute.Strategy:
    """Return the `tf.distribute` strategy for a word; build and compile the model in its scope.

    A batch is then split over the devices: `batch_size` is that of all of them together.

    Args:
        word: "default", one device; "mirrored", all GPUs of this machine (its CPU where there are none);
            "multi_worker", all machines that the environment variable TF_CONFIG names: run the same script on each.
            Make it before anything else is done with TensorFlow.

    Raises:
        ValueError: the word is unknown, TF_CONFIG is missing or malformed, or TensorFlow was already in use before a
            "multi_worker" strategy was made.

    Example:
        with kerasgan.strategy("mirrored").scope():
            gan = kerasgan.DCGAN(image_shape=(28, 28, 1))
            gan.compile()
        gan.fit(train, epochs=20)
    """
    if word not in STRATEGIES:
        raise ValueError(unknown_name("strategy", str(word), STRATEGIES))
    if word == "default":
        return tf.distribute.get_strategy()
    if word == "mirrored":
        return tf.distribute.MirroredStrategy()
    check_tf_config(os.environ.get("TF_CONFIG"))
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        if "program startup" not in str(error):
            raise
        raise ValueError(
            "A 'multi_worker' strategy must be made before TensorFlow is used for anything else in the process; "
            "received it later. Move kerasgan.strategy('multi_worker') to the top of the script, before data and model."
        ) from error


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Return whether this process writes the files of a run: the first worker, or the only one."""
    resolver = strategy.cluster_resolver
    return resolver is None or not resolver.task_type or resolver.task_id == 0


def check_tf_config(text: str | None) -> None:
    """Raise a ValueError unless the text is a TF_CONFIG that names the workers and this process's place among them."""
    if not text:
        raise ValueError(
            "A 'multi_worker' strategy reads the workers from the environment variable TF_CONFIG, which is not set. "
            f"Set it on every machine, index counting from 0, for example {_TF_CONFIG_EXAMPLE}"
        )
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        kind, index = task["type"], task["index"]
        listed = all(isinstance(addresses, list) for addresses in cluster.values())
        fits = listed and isinstance(index, int) and 0 <= index < len(cluster[kind]) and kind in ("worker", "chief")
    except (ValueError, KeyError, TypeError, AttributeError):
        fits = False
    if not fits:
        raise ValueError(
            "TF_CONFIG must be JSON with the addresses of the workers under cluster and this process's own type and "
            f"index under task, the index within the list; received {text!r}. An example: {_TF_CONFIG_EXAMPLE}"
        )
