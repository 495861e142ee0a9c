"""Open `.keras` files: one place that tells a damaged one, or one that is not ours, from a model."""

import zipfile
from pathlib import Path

import keras

from kerasgan.core.base import GenerativeModel
from kerasgan.presets import limits
from kerasgan.support import files

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
# Keras stores without compressing; a file that somebody packed again is smaller, but not by far: weights are noise.
_MOST_COMPRESSED = 100


def load_keras_file(path: "str | Path") -> GenerativeModel:
    """Return the model in a `.keras` file.

    Raises:
        ValueError: there is no such file, it is damaged, it holds no model of kerasgan, or more than its weights.
    """
    import kerasgan.models  # noqa: F401  The classes are registered when their modules are imported.

    path = Path(path)
    if not path.exists():
        raise ValueError(f"There is no file {str(path)!r}.")
    name = repr(str(path))
    config, held = _contents(path, name)
    limits.check_class(config, name)
    with limits.building(held, name):
        return keras.saving.load_model(path)


def _contents(path: Path, name: str) -> tuple[dict, limits.Held]:
    """Return the config of a `.keras` file and the count of its weights, all bytes compared with their checksums."""
    with files.open_regular(path) as file:
        try:
            archive = zipfile.ZipFile(file)
            members = {member.filename: member for member in archive.infolist()}
            if _CONFIG in members and _WEIGHTS in members:
                packed = max(members.values(), key=lambda member: member.file_size / (member.compress_size + 1000))
                if packed.file_size > _MOST_COMPRESSED * (packed.compress_size + 1000):
                    raise ValueError(f"{packed.filename} unpacks to {packed.file_size:,} bytes")
                if members[_CONFIG].file_size > files.MOST_TEXT:
                    raise ValueError(f"{_CONFIG} has {members[_CONFIG].file_size:,} bytes")
                if broken := archive.testzip():
                    raise ValueError(f"the checksum of {broken} is wrong")
                text = archive.read(_CONFIG).decode("utf-8")
        except Exception as error:  # zipfile raises what the damaged byte happens to mean.
            raise ValueError(f"{name} is damaged, or no .keras file: {limits.one_line(error)}.") from error
        missing = [member for member in (_CONFIG, _WEIGHTS) if member not in members]
        if missing:
            raise ValueError(f"{name} is no .keras file: it has no {missing[0]} inside.")
        config = files.parse_json(text, f"{path}: {_CONFIG}")
        with archive.open(_WEIGHTS) as weights:
            return config, limits.weights_held(weights, members[_WEIGHTS].file_size, name)
