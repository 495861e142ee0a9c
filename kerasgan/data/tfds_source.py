"""Opens data sets of TensorFlow Datasets, downloading them only where they are absent."""

import difflib
import os
import pathlib
import re
import socket
import urllib.parse
import urllib.request

from kerasgan.data.examples import check_split


class Split:
    """One split of a TFDS data set, ready to be read.

    Attributes:
        name: Of the data set.
        features: Its features by name.
        num_examples: How many examples are read of it.
    """

    def __init__(self, name: str, split: str, data_dir: str | None = None, limit: int | None = None, side: str = ""):
        """Opens a split, or, with a `side` ("A"), the one of that name with the side appended: "trainA[:90%]"."""
        self.name = name
        self._builder = _builder(name, data_dir)
        self._split = re.sub(r"^\w+", lambda word: word[0] + side, split) if side else split
        self.features = self._builder.info.features
        count = self._count()
        self.num_examples = count if limit is None else min(count, limit)

    def _count(self) -> int:
        splits = self._builder.info.splits
        try:
            return splits[self._split].num_examples
        except (KeyError, ValueError):
            check_split(f"The TFDS data set {self.name!r}", self._split, sorted(splits))
            raise

    def keys(self, kind: type) -> list[str]:
        """Returns the names of the features of one class of `tfds.features`."""
        return [key for key in self.features if isinstance(self.features[key], kind)]

    def key(self, kind: type, preferred: tuple[str, ...]) -> str:
        """Returns the name of the feature of a class: a preferred name, or else the only one.

        Raises:
            ValueError: there is none, or several of other names.
        """
        keys = self.keys(kind)
        named = next((name for name in preferred if name in keys), None)
        if named is None and len(keys) != 1:
            raise ValueError(
                f"The TFDS data set {self.name!r} has {len(keys)} features of type {kind.__name__}; one is needed, or "
                f"one named {' or '.join(map(repr, preferred))}. Its features are {sorted(self.features)}."
            )
        return named or keys[0]

    def stream(self, image_key: str | None = None):
        """Returns a `tf.data.Dataset` of dicts of features, in the order of the files."""
        import tensorflow_datasets as tfds

        return self._builder.as_dataset(
            split=self._split,
            # Masks and other images would be decoded for nothing.
            decoders={key: tfds.decode.SkipDecoding() for key in self.keys(tfds.features.Image) if key != image_key},
            # One file after the other: reading several at once gives another order.
            read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
        ).take(self.num_examples)

    def texts(self, key: str) -> list[str]:
        """Returns a text feature of all examples, in the order of the files."""
        stream = self.stream().map(lambda example: example[key])
        return [text.decode("utf-8", "replace") for text in stream.as_numpy_iterator()]


def _builder(name: str, data_dir: str | None):
    import tensorflow_datasets as tfds

    # TFDS reads the variable once, when it is imported; here it may change.
    data_dir = data_dir or os.environ.get("TFDS_DATA_DIR") or None
    where = data_dir or "the default TFDS folder (TFDS_DATA_DIR is not set)"
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except Exception as error:  # TFDS raises many kinds: unknown name, config, version, network.
        raise ValueError(
            f"{name!r} is not a data set that can be loaded. Tried: the embedded 'mnist_mini', a "
            f"file or folder of that name, TFDS data prepared in {where}, and the data sets TFDS "
            f"can prepare.{_nearest(name, data_dir)} TFDS said: {_first_line(error)}"
        ) from error
    if not builder.data_path.exists():
        try:
            _require_network(builder)
            builder.download_and_prepare()
        except Exception as error:
            raise ValueError(
                f"The TFDS data set {name!r} is not in {where}, and preparing it failed. "
                f"{_first_line(error)} Connect to the network, or pass data_dir= (or set "
                "TFDS_DATA_DIR to) the folder that holds it."
            ) from error
    return builder


def _require_network(builder) -> None:
    """Fails at once where TFDS would retry for minutes, printing page after page."""
    hosts = {urllib.parse.urlsplit(url).hostname for url in builder.url_infos} - {None}
    fetched = pathlib.Path(builder.data_path).parents[1] / "downloads"
    # A proxy resolves names itself, and archives that were fetched before need no network.
    if not hosts or urllib.request.getproxies() or fetched.exists():
        return
    for host in hosts:
        try:
            socket.getaddrinfo(host, 443)
            return
        except OSError:
            continue
    raise OSError(f"no network: the address of {' or '.join(sorted(hosts))} cannot be found.")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


def _nearest(name: str, data_dir: str | None) -> str:
    import tensorflow_datasets as tfds

    known = {"mnist_mini", *tfds.list_builders(with_community_datasets=False)}
    if data_dir and pathlib.Path(data_dir).is_dir():
        known |= {path.name for path in pathlib.Path(data_dir).iterdir() if path.is_dir()}
    near = difflib.get_close_matches(name, sorted(known), n=3)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
