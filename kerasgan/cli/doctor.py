"""`kerasgan doctor`: what this machine offers and which versions are installed."""

import importlib.metadata

PACKAGES = (
    "kerasgan",
    "tensorflow",
    "keras",
    "tensorflow-datasets",
    "tensorflow-probability",
    "tensorboard",
    "ai-edge-litert",
    "numpy",
)


def report() -> str:
    """Return the report as text, one fact a line."""
    from kerasgan import distribution, presets

    hardware = distribution.describe_hardware()
    lines = [
        _line("CPU", hardware.cpu),
        _line("cores", hardware.cores),
        _line("memory", "unknown" if hardware.memory_gib is None else f"{hardware.memory_gib} GiB"),
        _line("bfloat16 instructions", ", ".join(hardware.bfloat16) or "none"),
        _line("GPUs", ", ".join(hardware.gpus) or "none"),
        _line("precision auto", hardware.precision),
    ]
    lines += [_line(package, _version(package)) for package in PACKAGES]
    lines.append(_line("presets", ", ".join(presets.list_presets()) or "none"))
    return "\n".join(lines)


def _line(name: str, value) -> str:
    return f"{name:<24}{value}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
