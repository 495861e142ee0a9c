"""Report: what an exported file is, how close it is to Keras, and how fast it ran."""

import dataclasses
import json
import math
import os
import pathlib
from importlib import metadata
from typing import Any

QUANTIZATIONS = ("float32", "float16", "dynamic", "int8")


@dataclasses.dataclass(frozen=True)
class Report:
    """The facts about one exported file; `str(report)` says them in two lines.

    Attributes:
        path: the file, or the folder of a SavedModel, as given. The JSON keeps only its name.
        format: "tflite" or "saved_model".
        source: class, name and dtype policies of the model that was exported, and the size of what it makes; where the
            model has `attributes`, the direction of each, to be added to latents.
        quantization: one of `QUANTIZATIONS`.
        batch_size: how many one call makes; None where any number works.
        size_bytes: size of the file, or of all files in the folder.
        sha256: of the file; of a folder, see `kerasgan.export.saved_model_writer.folder_digest`.
        inputs: name, shape and dtype of every input; None in a shape is any size. Of random numbers also `drawn`, the
            distribution that they are to come from: a word of `kerasgan.kinds.Latents`. Of captions also `words`, the
            word of each number; of the tokens of one step `words` too, `first`, the number that stands before a text,
            and its `length`.
        outputs: the same of every output.
        ops: operator name -> number of uses; empty for a SavedModel.
        max_abs_error: largest absolute difference of a value from the float32 Keras sampler on a CPU; of tokens
            the share of sequences that differ; of one step that of a probability, along whole sequences.
        psnr_db: peak signal-to-noise ratio of images and sounds, peak-to-peak 2.0; None if identical, and where there
            is none.
        samples: number of outputs compared.
        seed: seed of the compared inputs, as given to `model.sampler_inputs`.
        latency_ms: median milliseconds an output: of a call that makes `latency_batch_size` of them,
            warmed up, divided by that number. Inputs are set and outputs read outside the clock
            for TFLite, inside it for a SavedModel.
        latency_runs: number of calls timed.
        latency_batch_size: how many a timed call makes.
        threads: threads of the interpreter; None where TensorFlow chose.
        machine: processor and number of logical cores that the latency was measured on.
        versions: versions of the packages involved.
        kept_in_float: operators that int8 would spoil, and that compute in float32 in an int8 file.
    """

    path: str
    format: str
    source: dict[str, Any]
    quantization: str
    batch_size: int | None
    size_bytes: int
    sha256: str
    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    ops: dict[str, int]
    max_abs_error: float
    psnr_db: float | None
    samples: int
    seed: int
    latency_ms: float
    latency_runs: int
    latency_batch_size: int
    threads: int | None
    machine: str
    versions: dict[str, str]
    kept_in_float: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        batch = "any batch size" if self.batch_size is None else f"batch size {self.batch_size}"
        psnr = f", PSNR {self.psnr_db:.1f} dB" if self.psnr_db is not None else ""
        error = "identical" if self.max_abs_error == 0.0 else f"max error {self.max_abs_error:.1e}{psnr}"
        ops = f", {sum(self.ops.values())} operators" if self.ops else ""
        ops += f" ({', '.join(self.kept_in_float)} in float32)" if self.kept_in_float else ""
        threads = "TensorFlow's threads" if self.threads is None else f"{self.threads} thread(s)"
        return (
            f"{self.path}: {self.format}, {self.quantization}, {readable_size(self.size_bytes)}, "
            f"{batch}{ops}.\n"
            f"Against Keras on {self.samples} samples: {error}; {self.latency_ms:.3g} ms each here "
            f"(median of {self.latency_runs} runs, {threads})."
        )

    def to_json(self) -> str:
        """Return the report as JSON text, with the file's name instead of its path."""
        fields = dataclasses.asdict(self)
        fields["path"] = pathlib.Path(self.path).name
        return json.dumps(fields, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """Return the report that `to_json` wrote; its path is the file's name only.

        Raises:
            ValueError: the text is not such a report.
        """
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(f"This JSON is not an export report: {error}.") from None


def readable_size(size_bytes: int) -> str:
    """Return a size in bytes as text in decimal units."""
    if size_bytes < 1e6:
        return f"{size_bytes / 1e3:.1f} kB"
    return f"{size_bytes / 1e6:.2f} MB"


def psnr_db(mean_squared_error: float, peak_to_peak: float) -> float | None:
    """Return the peak signal-to-noise ratio in dB; None if identical."""
    if mean_squared_error == 0.0:
        return None
    return 10.0 * math.log10(peak_to_peak**2 / mean_squared_error)


def package_versions(*names: str) -> dict[str, str]:
    """Return the installed versions of the named distributions."""
    return {name: metadata.version(name) for name in names}


def machine() -> str:
    """Return the processor's name and number of logical cores."""
    import platform

    name = platform.processor() or platform.machine()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.lower().startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name}, {os.cpu_count()} logical cores"
