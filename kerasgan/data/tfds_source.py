"""Opens data sets of TensorFlow Datasets, downloading them only where they are absent."""

import difflib
import os
import pathlib
import re
import socket
import urllib.parse
import urllib.request

import numpy as np

from kerasgan.data.apart import Apart, tenth_of_groups
from kerasgan.data.examples import check_split
from kerasgan.support.configurable import unknown_name


class Split:
    """One split of a TFDS data set, ready to be read.

    Attributes:
        name: Of the data set.
        features: Its features by name.
        num_examples: How many examples are read of it.
        rows: Numbers of these among the stored ones, in order; None where they are the first ones of the stored split.
    """

    def __init__(
        self,
        name: str,
        split: str,
        data_dir: str | None = None,
        limit: int | None = None,
        side: str = "",
        apart: Apart | None = None,
    ):
        """Opens a split, or, with a `side` ("A"), the one of that name with the side appended: "trainA[:90%]".

        With `apart`, the split is that part of the stored "train".
        """
        self.name = name
        self._builder = _builder(name, data_dir)
        self._split = re.sub(r"^\w+", lambda word: word[0] + side, split) if side else split
        self.features = self._builder.info.features
        self.rows = self._rows(apart, split)[:limit] if apart else None
        count = self._count() if self.rows is None else len(self.rows)
        self.num_examples = count if limit is None else min(count, limit)

    def _count(self) -> int:
        splits = self._builder.info.splits
        try:
            return splits[self._split].num_examples
        except (KeyError, ValueError):
            check_split(f"The TFDS data set {self.name!r}", self._split, sorted(splits))
            raise

    def _rows(self, apart: Apart, split: str) -> np.ndarray:
        """Finds the rows of one side of what is apart, reading nothing but the feature that decides."""
        import tensorflow_datasets as tfds

        check_split(f"The TFDS data set {self.name!r}, divided by {apart.key!r},", split, ("train", "test"))
        self._split = "train"
        stored = self._builder.as_dataset(
            split="train",
            decoders=tfds.decode.PartialDecoding({apart.key}),
            read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
        )
        values = [example[apart.key] for example in stored.as_numpy_iterator()]
        values = [value if isinstance(value, bytes) else str(value).encode() for value in values]
        rows = np.flatnonzero([apart.held_out(value) == (split == "test") for value in values])
        if not len(rows):
            raise ValueError(
                f"The TFDS data set {self.name!r} has {len(set(values))} different values of {apart.key!r}, too few: "
                f"none of them is in {split!r}. Divide it by a feature that has more, or by slices of a split."
            )
        return rows

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
        import tensorflow as tf
        import tensorflow_datasets as tfds

        stored = self._builder.as_dataset(
            split=self._split,
            # Masks and other images would be decoded for nothing.
            decoders={key: tfds.decode.SkipDecoding() for key in self.keys(tfds.features.Image) if key != image_key},
            # One file after the other: reading several at once gives another order.
            read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
        )
        if self.rows is not None:
            chosen = np.zeros(self._count(), bool)
            chosen[self.rows] = True
            pairs = tf.data.Dataset.zip(stored, tf.data.Dataset.from_tensor_slices(chosen))
            stored = pairs.filter(lambda _, kept: kept).map(lambda example, _: example)
        return stored.take(self.num_examples)

    def texts(self, key: str) -> list[str]:
        """Returns a text feature of all examples, in the order of the files."""
        stream = self.stream().map(lambda example: example[key])
        return [text.decode("utf-8", "replace") for text in stream.as_numpy_iterator()]


def grouped(name: str, group: str, split: str, data_dir: str | None = None, limit: int | None = None) -> Split:
    """Opens one side of a data set of which whole groups are held out, as `tenth_of_groups` chooses them.

    Raises:
        ValueError: There is no such feature, it does not name groups, or the makers of the data hold out others.
    """
    builder = _builder(name, data_dir)
    splits = sorted(builder.info.splits)
    if "train" not in splits or "test" in splits:
        raise ValueError(
            f"group divides data that are stored as 'train', without a 'test'; the TFDS data set {name!r} has the "
            f"splits {splits}. Leave out group."
        )
    features = builder.info.features
    groups = [one for one in features if features[one].shape == () and np.dtype(features[one].np_dtype).kind in "OSUiu"]
    if group not in groups:
        raise ValueError(f"group in {name!r}: " + unknown_name("feature of one text or whole number", group, groups))
    return Split(name, split, data_dir, limit, apart=tenth_of_groups(group))


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
