"""Text as numbers: how it is cut into words or characters, and which number each has.

Words are lower-case runs of letters and digits, apostrophes inside included, and single punctuation marks; characters
are taken as they are. Number 0 is padding, number 1 any word that is not in the vocabulary.
"""

import collections
import re
from collections.abc import Iterable, Sequence

import numpy as np

PADDING, UNKNOWN = "", "<unknown>"
LEVELS = ("words", "characters")
_WORD_OR_MARK = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")


def split(text: str, level: str = "words") -> list[str]:
    """Returns the words and marks of a text, or its characters.

    Raises:
        ValueError: `level` is neither "words" nor "characters".
    """
    if level not in LEVELS:
        raise ValueError(f"level must be {' or '.join(map(repr, LEVELS))}; received {level!r}.")
    return list(text) if level == "characters" else _WORD_OR_MARK.findall(text.lower())


def vocabulary(texts: Iterable[list[str]], most: int | None = None) -> tuple[str, ...]:
    """Returns padding, unknown, and the words of texts that are split: the commonest first, ties in alphabetical order.

    Args:
        texts: Lists of words.
        most: Length of the vocabulary, if there are more words.
    """
    counts = collections.Counter(word for text in texts for word in text)
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return (PADDING, UNKNOWN, *ordered)[:most]


def encode(texts: Sequence[list[str]], words: Sequence[str], length: int) -> np.ndarray:
    """Returns split texts as numbers, int32 (n, length): what is longer is cut, what is shorter padded with 0."""
    number = {word: index for index, word in enumerate(words)}
    encoded = np.zeros((len(texts), length), np.int32)
    for row, text in zip(encoded, texts, strict=True):
        row[: len(text)] = [number.get(word, 1) for word in text[:length]]
    return encoded
