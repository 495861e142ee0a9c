"""Sequences of tokens as a kind: text where the words are known."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from kerasgan.kinds.kind import Kind
from kerasgan.support import files
from kerasgan.support.words import PADDING, UNKNOWN, numbers_of

_MOST_LINES = 32


@dataclass(frozen=True)
class Tokens(Kind):
    """Sequences of token numbers, int32 (length,).

    Args:
        length: tokens in a sequence.
        vocabulary: the tokens are 0 to vocabulary - 1.
        words: the text of each token, for showing sequences; None shows their numbers. An empty word is left out.
    """

    length: int
    vocabulary: int
    words: tuple[str, ...] | None = field(default=None, repr=False)
    name: ClassVar[str] = "tokens"
    dtype: ClassVar[str] = "int32"
    suffix: ClassVar[str] = ".txt"
    examples: ClassVar[int] = 256
    # A share of sequences: where a random number lies on the border of two words, rounding chooses between them, and
    # all that follows is another sequence.
    golden_tolerance: ClassVar[float] = 0.1

    def __post_init__(self):
        if self.words is None:
            return
        object.__setattr__(self, "words", tuple(self.words))
        if len(self.words) != self.vocabulary:
            raise ValueError(f"A vocabulary of {self.vocabulary} needs as many words; received {len(self.words)}.")

    @property
    def shape(self):
        """(length,)."""
        return (self.length,)

    @property
    def bounds(self):
        """The first and the last token."""
        return 0, self.vocabulary - 1

    @property
    def unwritten(self) -> tuple[int, ...]:
        """The numbers that stand for no word: a text may hold a word that is not known, nobody writes one."""
        return tuple(number for number, word in enumerate(self.words or ()) if word == UNKNOWN)

    @property
    def ending(self) -> int | None:
        """The number of padding, after which a text has no more words; None where the words are not known."""
        return self.words.index(PADDING) if PADDING in (self.words or ()) else None

    def counted(self, n):
        """Return "1 text" or "3 texts"."""
        return f"{n} text{'s' if n != 1 else ''}"

    def describe(self):
        """Return "20 of 5000 words"."""
        return f"{self.length} of {self.vocabulary} words"

    def describe_values(self):
        """Return "int32 in 0..4999"."""
        return f"int32 in 0..{self.vocabulary - 1}"

    def take(self, given, n, name, owner):
        """Return n sequences: of numbers, or, where the words are known, of text, of which one stands for all.

        Raises:
            ValueError: a text is empty, too long, or holds no word that is known; or the numbers do not fit.

        Warns:
            UserWarning: some words of a text are not known.
        """
        texts = [given] * n if isinstance(given, str) else given
        if not isinstance(texts, list | tuple) or not any(isinstance(each, str) for each in texts):
            return super().take(given, n, name, owner)
        if self.words is None:
            raise ValueError(f"{owner} knows {name} by their numbers only; received text. Build it with words=.")
        return super().take(numbers_of(texts, self.words, self.length), n, name, owner)

    def error(self, actual, expected):
        """Return the share of sequences that differ."""
        return float(np.mean(np.any(np.asarray(actual) != np.asarray(expected), axis=-1)))

    def text(self, sequences) -> list[str]:
        """Return each sequence (n, length) as a line of text; where all words are single characters, without spaces."""
        rows = np.asarray(sequences).tolist()
        if self.words is None:
            return [" ".join(map(str, row)) for row in rows]
        between = "" if all(len(word) == 1 for word in self.words[2:]) else " "
        return [between.join(self.words[token] for token in row if self.words[token]) for row in rows]

    def save(self, path, made, columns=None, beside=None, enlarge=1):
        """Write a UTF-8 text file, a line a sequence."""
        files.write_text(path, "\n".join(self.text(made)) + "\n")

    def summarize(self, tag, made, step, description=None, columns=None, beside=None):
        """Write the first 32 as text."""
        import tensorflow as tf

        # TensorBoard reads Markdown, where an indented line is shown as it is.
        lines = [f"    {line}" for line in self.text(made[:_MOST_LINES])]
        tf.summary.text(tag, "\n".join(lines), step=step, description=description)
