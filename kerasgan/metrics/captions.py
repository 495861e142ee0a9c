"""Whether images show what their captions say: by how they are found again, and by what can be read off them."""

import numpy as np

from kerasgan.core.sampling import Panel
from kerasgan.data import captioned
from kerasgan.data import captions as reader
from kerasgan.images import to_float, to_uint8
from kerasgan.metrics import image_sets
from kerasgan.metrics.checks import held_out_or_train
from kerasgan.metrics.features import extract, get
from kerasgan.metrics.matcher import PAIRS, found_among, train_matcher
from kerasgan.metrics.neighbours import nearest
from kerasgan.metrics.result import Result
from kerasgan.metrics.suitable import suitable_extractor
from kerasgan.metrics.translation import Measuring, among, apart_from

# Captions to choose from, the right one included: Xu et al. 2018 (https://arxiv.org/abs/1711.10485), appendix B.
CHOICES = 100
BATCH_SIZE = 500
# Captions in a picture of those that are new, and in a row of it.
UNSEEN, UNSEEN_COLUMNS = 16, 4


def evaluate(
    model, against, n: int, seed: int, split: str | None, extractor, metrics, provenance: dict, **data
) -> list[Result]:
    """Return what `kerasgan.metrics.evaluate` says of a model that draws captions.

    It draws the captions of real images that it was not trained on, one image each. `kid`, and `fid` where there are
    more images than features, compare what it makes with those images. `caption_found` is the share of images whose
    caption a matcher, which is trained for this measurement on real images and captions, finds among others; the same
    of real images stands beside it, and the protocol names the chance. `caption_variety` is the mean absolute
    difference of two images of one caption, in shares of the range, where captions come more than once: near 0, a
    caption is one image. Where captions can be read off images, `caption_class`, `caption_tone` and `caption_side` are
    the shares of images that show what these words say, and `caption_heeded` that of images that show all of it; the
    class is that which the extractor sees.

    Args:
        model: a model that reads captions and knows their words.
        against: what `kerasgan.data.captions.load` takes.
        n: images at most.
        seed: of what is random in the images, in the metrics and in the matcher.
        split: of the captions; None takes "test", or, where there is none, "train".
        extractor: what `kerasgan.metrics.features.get` takes; None for the suitable one.
        metrics: not asked; all are measured.
        provenance: of the results.
        **data: further arguments of that reader.

    Raises:
        ValueError: the data do not exist, or the model does not know the words of its captions.
    """
    told = model.takes["captions"]
    if told.words is None:
        raise ValueError(f"{model.name} knows captions by their numbers only, and cannot be measured on texts.")
    del metrics
    extractor = get(extractor or suitable_extractor(against, model.image_shape))
    data = {"image_size": model.image_shape[:2], "channels": model.image_shape[2]} | data
    known = {"words": told.words, "caption_length": told.length} | data
    split, (real, captions) = held_out_or_train(lambda each: _read(against, each, n, known), split)
    training, training_captions = _read(against, apart_from(split) or "train", max(n, PAIRS), known)
    drawn = image_sets.generated(model, len(captions), seed, {"captions": captions})
    made = drawn.first(drawn.count)
    facts = {
        "extractor": extractor.name,
        "weights": extractor.sha256,
        "resize": extractor.resize,
        "real": f"{against if isinstance(against, str) else 'given'}/{split}",
        "real images": len(real),
        "seed": seed,
    }
    measuring = Measuring(extractor, seed, "", facts, provenance)
    features = [measuring.features(images) for images in (made, real, training[: len(real)])]
    by_features = measuring._replace(tag=f"{extractor.name}_")
    results = among({"": features[0]}, *features[1:], by_features)
    results.append(_found(made, real, captions, training[:PAIRS], training_captions[:PAIRS], model, measuring))
    results += _variety(made, real, captions, measuring)
    if isinstance(against, str) and against in captioned.SOURCES:
        results += _read_off(made, real, model.takes["captions"].text(captions), measuring)
    return results


def unseen(model, against, seed: int = 0, split: str | None = None, extractor=None, **data) -> Panel | None:
    """Return images of captions that the model was not trained on, each with the nearest training image to its right.

    Nearest is what the extractor's features say: what looks like a training image may be a copy of it.

    Args:
        model: a model that reads captions and knows their words.
        against: what `kerasgan.data.captions.load` takes.
        seed: of the images.
        split: of the captions; None takes "test", where there is one. What the model was trained on is apart from it.
        extractor: what `kerasgan.metrics.features.get` takes; None for the suitable one.
        **data: further arguments of that reader.

    Returns:
        Up to 16 captions, four in a row, of words that the model all knows; None where there is no such caption.
    """
    told = model.takes["captions"]
    known = {"words": told.words, "caption_length": told.length}
    known |= {"image_size": model.image_shape[:2], "channels": model.image_shape[2]} | data
    split, (_, captions) = held_out_or_train(lambda each: _read(against, each, None, known), split)
    training, seen = _read(against, apart_from(split) or "train", None, known)
    captions = np.unique(captions, axis=0)
    new = ~(captions[:, None] == np.unique(seen, axis=0)).all(axis=2).any(axis=1)
    captions = captions[new & ~np.isin(captions, told.unwritten).any(axis=1)]
    if not len(captions):
        return None
    captions = captions[np.linspace(0, len(captions) - 1, min(UNSEEN, len(captions))).astype(int)]
    made = image_sets.generated(model, len(captions), seed, {"captions": captions}).first(len(captions))
    extractor = get(extractor or suitable_extractor(against, model.image_shape))
    looks = Measuring(extractor, seed, "", {}, {}).features
    indices, _ = nearest(looks(made), looks(training))
    pairs = np.stack([made, training[indices[:, 0]]], axis=1).reshape(-1, *made.shape[1:])
    listed = "; ".join(told.text(captions))
    description = (
        "Captions that it was not trained on; to the right of each picture stands the training image nearest to it by "
        f"the features of {extractor.name}. In reading order: {listed}."
    )
    return Panel(to_float(pairs), 2 * UNSEEN_COLUMNS, description)


def _read(against, split: str, n: int | None, data: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 images and their captions as numbers, in their stored order."""
    loaded = reader.load(
        against, split=split, limit=n, batch_size=BATCH_SIZE, shuffle=False, drop_remainder=False, **data
    )
    images, captions = zip(*loaded.as_numpy_iterator(), strict=True)
    return to_uint8(np.concatenate(images)), np.concatenate(captions)


def _found(made, real, captions, training, training_captions, model, measuring: Measuring):
    """Return the share of images whose caption is found among others."""
    matcher = train_matcher(training, training_captions, model.takes["captions"].vocabulary, measuring.seed)
    choices = min(CHOICES, len(np.unique(captions, axis=0)))
    value, floor = (found_among(matcher, images, captions, choices, measuring.seed) for images in (made, real))
    settings = {"choices": choices, "chance": round(1 / choices, 4), "matcher trained on": f"{len(training)} pairs"}
    return measuring.result("caption_found", value, floor, **settings)


def _variety(made, real, captions, measuring: Measuring) -> list:
    """Return how far apart images of one caption are; nothing where each caption comes once."""
    _, numbers = np.unique(captions, axis=0, return_inverse=True)
    order = np.argsort(numbers.ravel(), kind="stable")
    one, other = order[:-1], order[1:]
    same = numbers.ravel()[one] == numbers.ravel()[other]
    if not same.any():
        return []
    value, floor = (
        np.abs(images[one[same]].astype("int16") - images[other[same]]).mean() / 255 for images in (made, real)
    )
    return [measuring.result("caption_variety", value, floor, pairs=int(same.sum()), unit="share of the range")]


def _read_off(made, real, texts: list[str], measuring: Measuring) -> list:
    """Return the shares of images that show what the words of their captions say."""
    labels, tones, sides = np.array([captioned.read(text) for text in texts]).T
    shown = {"class": [], "tone": [], "side": []}
    for images in (made, real):
        starts = range(0, len(images), BATCH_SIZE)
        seen = extract(measuring.extractor, (images[start : start + BATCH_SIZE] for start in starts)).probabilities
        shown["class"].append(seen.argmax(axis=1) == labels)
        shown["tone"].append(captioned.tones(images) == tones)
        shown["side"].append(captioned.sides(images, labels) == sides)
    shown["heeded"] = [np.all(each, axis=0) for each in zip(*shown.values(), strict=True)]
    return [measuring.result(f"caption_{name}", value.mean(), floor.mean()) for name, (value, floor) in shown.items()]
