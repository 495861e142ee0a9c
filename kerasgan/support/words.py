"""Text as numbers: how it is cut into words or characters, and which number each has.

Words are lower-case runs of letters and digits, apostrophes inside included, and single punctuation marks; characters
are taken as they are. Number 0 is padding, number 1 any word that is not in the vocabulary.
"""

import collections
import re
import warnings
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


def numbers_of(texts: Sequence[str], words: Sequence[str], length: int) -> np.ndarray:
    """Returns texts that a user wrote as numbers of known words, int32 (n, length), padded with 0.

    Raises:
        ValueError: One is no text, is empty or too long, or holds no known word.

    Warns:
        UserWarning: Some words are not known: they are number 1.
    """
    known = frozenset(words[2:])
    parts, unknown = [], []
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"A text needs at least one word; received {text!r}.")
        found = split(text)
        if len(found) > length:
            raise ValueError(f"A text has at most {length} words and marks; received {len(found)}: {text!r}.")
        if known.isdisjoint(found):
            some = ", ".join(words[2:12])
            raise ValueError(f"None of the words of {text!r} is among the {len(known)} known ones, such as {some}.")
        parts.append(found)
        unknown += [word for word in found if word not in known and word not in unknown]
    if unknown:
        listed = ", ".join(unknown)
        warnings.warn(f"{len(unknown)} words are not known and say nothing: {listed}.", stacklevel=2)
    return encode(parts, words, length)
