"""Captioned clothes: Fashion-MNIST with a sentence for each picture, of words that can be read off it.

"a dark narrow dress", "a light high ankle boot": how bright a thing is, how wide (clothes) or high (shoes and bags) for
its class, and the class. What the attributes say can be measured on any picture, a generated one too, so that one can
count how many words of a caption were heeded.
"""

import numpy as np

# Name of the source -> that of the pictures it is made of.
SOURCES = {"captioned_fashion_mnist": "fashion_mnist"}
# How a caption calls each class, in the order of the labels.
THINGS = (
    "a {} {} top", "{} {} trousers", "a {} {} pullover", "a {} {} dress", "a {} {} coat",
    "a {} {} sandal", "a {} {} shirt", "a {} {} sneaker", "a {} {} bag", "a {} {} ankle boot",
)  # fmt: skip
# Shoes and bags fill the width of a picture, clothes its height: what differs is the other side.
CLOTHES = (True, True, True, True, True, False, True, False, False, False)
# The median of that side in pixels, of the first 20,000 training pictures of each class.
MEDIANS = (22, 11, 21, 15, 20, 15, 21, 13, 25, 21)
TONES, SIDES = ("dark", "grey", "light"), (("low", "high"), ("narrow", "wide"))
# Bounds of the tones: a third of all training pictures each.
DARK_BELOW, LIGHT_FROM = 0.56, 0.72
# Levels from here on belong to the thing, not to the black around it.
_INK = 26


def captions(pictures: np.ndarray, labels: np.ndarray) -> list[str]:
    """Returns a caption for each picture, uint8 (n, height, width, 1), of something of class `labels` (n,)."""
    return [
        THINGS[label].format(TONES[tone], SIDES[CLOTHES[label]][side])
        for label, tone, side in zip(labels, tones(pictures), sides(pictures, labels), strict=True)
    ]


def tones(pictures: np.ndarray) -> np.ndarray:
    """Returns the number of the tone in `TONES` that each thing has, by the mean level of what is not black."""
    ink = pictures >= _INK
    levels = np.where(ink, pictures, 0).sum(axis=(1, 2, 3)) / np.maximum(ink.sum(axis=(1, 2, 3)), 1) / 255
    return (levels >= DARK_BELOW).astype(int) + (levels >= LIGHT_FROM)


def sides(pictures: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns 1 where a thing is wider, or higher, than the median of its class, else 0."""
    ink = pictures[..., 0] >= _INK
    widths, heights = (ink.any(axis=axis).sum(axis=1) for axis in (1, 2))
    return (np.where(np.array(CLOTHES)[labels], widths, heights) > np.array(MEDIANS)[labels]).astype(int)


def read(caption: str) -> tuple[int, int, int]:
    """Returns class, tone and side that a caption of `captions` names, as numbers."""
    for label, thing in enumerate(THINGS):
        for tone, word in enumerate(TONES):
            for side, other in enumerate(SIDES[CLOTHES[label]]):
                if caption == thing.format(word, other):
                    return label, tone, side
    raise ValueError(
        f"{caption!r} is no caption of this data set, such as {THINGS[3].format(TONES[0], SIDES[1][0])!r}."
    )
