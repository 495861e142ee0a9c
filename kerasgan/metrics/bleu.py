"""BLEU: how much of what is written stands in real texts, word for word; and how much samples repeat one another.

Papineni et al. 2002 (https://aclanthology.org/P02-1040), of single sentences, smoothed by method 1 of Chen and Cherry
2014 (https://aclanthology.org/W14-3346): a phrase length of which nothing is found counts as a tenth of one find.
"""

import collections
import math
from collections.abc import Iterable, Sequence

import numpy as np

ORDERS = (2, 3, 4, 5)
_NOTHING_FOUND = 0.1


class References:
    """Sentences to compare with: for every phrase of up to five words, how often the richest of them have it.

    Args:
        sentences: sequences of words, or of their numbers.
    """

    def __init__(self, sentences: Iterable[Sequence]):
        # The two largest counts in a sentence: where one sentence is left out, the second may be what remains.
        self.most: dict[tuple, tuple[int, int]] = {}
        self.lengths = collections.Counter()
        for sentence in sentences:
            self.lengths[len(sentence)] += 1
            for phrases in phrases_of(sentence):
                for phrase, count in phrases.items():
                    self.most[phrase] = _two_largest(self.most.get(phrase, (0, 0)), count)

    def found(self, phrase: tuple, count: int, own: bool) -> int:
        """Return how many of `count` occurrences of a phrase a reference can account for.

        Args:
            phrase: of one to five words.
            count: occurrences in a sentence.
            own: whether that sentence is one of the references, and is not to be compared with itself.
        """
        first, second = self.most.get(phrase, (0, 0))
        return min(count, second if own and count == first else first)

    def nearest_length(self, length: int, own: bool) -> int:
        """Return the length of the reference whose length is nearest, the shorter one of two."""
        lengths = [each for each, many in self.lengths.items() if many > (own and each == length)]
        return min(lengths, key=lambda each: (abs(each - length), each))


def bleu(sentences: Sequence[Sequence], references: References, own: bool = False) -> dict[int, float]:
    """Return order -> mean BLEU of sentences, in 0 to 1: of phrases of up to so many words.

    Args:
        sentences: sequences of words, or of their numbers.
        references: what they are compared with, all of them at once.
        own: whether they are the references, each compared with the others.
    """
    scores = np.array([_sentence_bleu(sentence, references, own) for sentence in sentences])
    return dict(zip(ORDERS, scores.mean(axis=0).tolist(), strict=True))


def self_bleu(sentences: Sequence[Sequence]) -> dict[int, float]:
    """Return order -> mean BLEU of each sentence among the others: 1 where all are alike. Lower is more diverse."""
    return bleu(sentences, References(sentences), own=True)


def phrases_of(sentence: Sequence) -> list[collections.Counter]:
    """Return the phrases of one word, of two, up to five, each with how often it occurs."""
    words = tuple(sentence)
    return [
        collections.Counter(words[start : start + order] for start in range(len(words) - order + 1))
        for order in range(1, ORDERS[-1] + 1)
    ]


def _sentence_bleu(sentence: Sequence, references: References, own: bool) -> list[float]:
    if not len(sentence):
        return [0.0] * len(ORDERS)
    logs = []
    for phrases in phrases_of(sentence):
        found = sum(references.found(phrase, count, own) for phrase, count in phrases.items())
        if not logs and not found:
            return [0.0] * len(ORDERS)
        logs.append(math.log((found or _NOTHING_FOUND) / max(phrases.total(), 1)))
    brevity = min(0.0, 1.0 - references.nearest_length(len(sentence), own) / len(sentence))
    return [math.exp(brevity + sum(logs[:order]) / order) for order in ORDERS]


def _two_largest(present: tuple[int, int], count: int) -> tuple[int, int]:
    first, second = present
    return (count, first) if count > first else (first, max(second, count))
