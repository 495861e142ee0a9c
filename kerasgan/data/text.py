"""Reads text files."""

import pathlib

from kerasgan.support import files

# Far more than sentences to learn from; split into words it takes some fifty times as much memory.
MOST_BYTES = 2**28


def read(path: pathlib.Path) -> str:
    """Returns the text of a UTF-8 file, with or without a byte-order mark.

    Raises:
        ValueError: It is not an ordinary file, too long, or not UTF-8.
    """
    try:
        with files.open_regular(path, MOST_BYTES) as file:
            return file.read().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ValueError(f"There is no file {path}.") from error
    except OSError as error:
        raise ValueError(f"The file {path} cannot be read ({type(error).__name__}: {error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not text in UTF-8 (byte {error.start} is {error.object[error.start]:#x})."
        ) from error


def lines(path: pathlib.Path) -> list[str]:
    """Returns the lines of a text file that are not empty, without white space around them."""
    return [line for line in map(str.strip, read(path).splitlines()) if line]


def known_words(name: str, texts: list[list[str]], words, vocabulary: int | None, split: str) -> tuple[str, ...]:
    """Returns the words of a vocabulary: those that were given, or those of the training texts.

    Raises:
        ValueError: Another split than that of training is read without words, so that its numbers would mean others.
    """
    from kerasgan.support.words import vocabulary as vocabulary_of

    if words is not None:
        if len(words) < 2 or len(set(words)) != len(words):
            raise ValueError(
                f"words must begin with padding and unknown and name no word twice; received {len(words)} words."
            )
        return tuple(words)
    if not split.startswith("train"):
        raise ValueError(
            f"{name}: the words of split {split!r} have no numbers of their own. Give words= of the training split: "
            "info(source).arguments['words']."
        )
    return vocabulary_of(texts, vocabulary)
