"""Which extractor sees most in which images."""

from kerasgan.data import captioned
from kerasgan.metrics import classifiers

# Data set -> its classifier; whatever has none takes the network for pictures of any kind.
EXTRACTORS = {name: name for name in classifiers.NAMES} | {"mnist_mini": "mnist"} | captioned.SOURCES
ANY_PICTURE = "efficientnet_lite0"


def suitable_extractor(against, image_shape: tuple[int, int, int]) -> str:
    """Return the name of the extractor that `evaluate` takes where none is asked for.

    Args:
        against: the real images: what `kerasgan.data.load` takes.
        image_shape: (height, width, channels) of the images to measure.

    Returns:
        The classifier of that data set, where there is one for such images; else "efficientnet_lite0".
    """
    name = EXTRACTORS.get(against) if isinstance(against, str) else None
    fits = name and tuple(classifiers.card(name)["image_shape"]) == tuple(image_shape)
    return name if fits else ANY_PICTURE
