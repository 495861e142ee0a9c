"""Measure a preset again and compare with what its card says."""

from typing import NamedTuple

from kerasgan.metrics.result import Result, check_comparable

# The same weights, latents and images give the same numbers but for rounding, which differs between processors: it
# moves a distance by a fraction of a per cent, and a few images across the border that precision counts.
RELATIVE, ABSOLUTE = 0.02, 0.0005
COUNTED_ABSOLUTE = 0.003
COUNTED = (
    "precision", "recall", "density", "coverage", "class_deviation", "memorised", "labels_heeded", "caption_class",
    "caption_tone", "caption_side", "caption_heeded", "caption_found",
)  # fmt: skip
TOLERANCE = f"2 % plus {ABSOLUTE}; plus {COUNTED_ABSOLUTE} for shares of images"


class Remeasured(NamedTuple):
    """One number of a card and what it is now."""

    stored: Result
    measured: Result

    @property
    def agrees(self) -> bool:
        """Whether both differ by no more than `TOLERANCE`, 2 % being of the stored value."""
        absolute = COUNTED_ABSOLUTE if self.stored.protocol["metric"] in COUNTED else ABSOLUTE
        return abs(self.measured.minus(self.stored)) <= RELATIVE * abs(self.stored.value) + absolute


def remeasure(name_or_folder, data_dir: str | None = None, progress: bool = False) -> list[Remeasured]:
    """Measure a preset as its card says it was measured.

    Args:
        name_or_folder: a name of the zoo, or a preset folder.
        data_dir: folder of the TFDS data; None takes TFDS_DATA_DIR.
        progress: show a progress bar.

    Raises:
        ValueError: the card has no results, the data are not there, or the protocols differ by now.
    """
    from kerasgan import presets
    from kerasgan.metrics.evaluation import evaluate
    from kerasgan.metrics.features import NAMES
    from kerasgan.runs import loading

    folder = presets.preset_folder(name_or_folder)
    stored = [Result.from_dict(result) for result in presets.read_metadata(folder).get("results", [])]
    real = loading.real_images(folder)
    if not stored or real is None:
        raise ValueError(f"The preset {folder.name!r} has no measured results to compare with.")
    protocol = stored[0].protocol
    count = next(protocol[key] for key in ("real images", "real sounds", "real sequences") if key in protocol)
    # Digits of another look have one a direction, which `evaluate` takes by itself.
    extractor = protocol.get("extractor") if protocol.get("extractor") in NAMES else None
    measured = {
        result.name: result
        for result in evaluate(
            presets.from_preset(folder), **real, n=count, seed=protocol.get("seed", 0),
            extractor=extractor, data_dir=data_dir, progress=progress,
        )
    }  # fmt: skip
    missing = [result.name for result in stored if result.name not in measured]
    if missing:
        raise ValueError(f"The card of {folder.name!r} has results that are not measured any more: {missing}.")
    pairs = [Remeasured(result, measured[result.name]) for result in stored]
    for pair in pairs:
        check_comparable(*pair)
    return pairs
