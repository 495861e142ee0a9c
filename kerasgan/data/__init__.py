"""Data for training: from a name, path or array to a `tf.data.Dataset`.

A reader is a module with two functions: `load` gives the batches, `info` what is known of them before. The readers
keep the same promises: the order, and all that is drawn, of epoch k is a function of (seed, k); a run that is resumed
with `first_epoch=k` goes on exactly; what cannot be used is named in a ValueError. `load` and `info` here are those of
images.
"""

import types

from kerasgan.data import audio, captions, images, pairs, tokens, unpaired
from kerasgan.data.drawings import edges
from kerasgan.data.examples import Info
from kerasgan.data.images import info, load

__all__ = [
    "READERS",
    "Info",
    "audio",
    "captions",
    "edges",
    "images",
    "info",
    "load",
    "pairs",
    "reader",
    "tokens",
    "unpaired",
]

READERS = {
    "images": images,
    "pairs": pairs,
    "unpaired": unpaired,
    "captions": captions,
    "audio": audio,
    "tokens": tokens,
}


def reader(word: str) -> types.ModuleType:
    """Returns the reader of a sort of data: a module with the functions `load` and `info`.

    Args:
        word: "images", "pairs", "unpaired", "captions", "audio" or "tokens".

    Raises:
        ValueError: There is no such reader.
    """
    if word not in READERS:
        raise ValueError(f"There is no reader of {word!r}; there are {', '.join(READERS)}.")
    return READERS[word]
