"""Small classifiers of MNIST, Fashion-MNIST and CIFAR-10, whose features say more of these images than Inception's.

Each is a `.weights.h5` file with a `.json` card: how it was trained and how often it is right. Train one anew with
`python -m kerasgan.metrics.classifiers.train NAME`.
"""

import functools
import json
from pathlib import Path

NAMES = ("mnist", "fashion_mnist", "cifar10")
FOLDER = Path(__file__).parent


def card(name: str, folder: Path = FOLDER) -> dict:
    """Return what is known of a classifier: recipe, test accuracy, sha256 of its weights.

    Raises:
        ValueError: it was not trained.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        raise ValueError(
            f"There is no trained classifier {name!r} in {folder}. Make it with "
            f"`python -m kerasgan.metrics.classifiers.train {name}`, or choose another extractor."
        )
    return json.loads(path.read_text(encoding="utf-8"))


@functools.cache
def load(name: str, folder: Path = FOLDER):
    """Return a classifier as an extractor: features are the averaged last feature map, probabilities its softmax.

    Raises:
        ValueError: the classifier was not trained, or its weights are not the ones that the card names.
    """
    import tensorflow as tf

    from kerasgan import images
    from kerasgan.metrics.classifiers.network import classifier
    from kerasgan.metrics.extractors import Extractor, Features
    from kerasgan.support import files

    facts = card(name, folder)
    weights = folder / f"{name}.weights.h5"
    if files.sha256(weights) != facts["sha256"]:
        raise ValueError(f"The classifier's weights {weights} are damaged. Reinstall kerasgan.")
    network = classifier(tuple(facts["image_shape"]), facts["num_classes"], facts["filters"], "float32")
    network.load_weights(weights)

    @tf.function(input_signature=[tf.TensorSpec((None, *facts["image_shape"]), tf.float32)])
    def run(batch):
        features, logits = network(batch, training=False)
        return features, tf.nn.softmax(logits)

    def extract(batch):
        return Features(*(part.numpy() for part in run(tf.constant(images.to_float(batch)))))

    return Extractor(
        name, extract, sha256=facts["sha256"], resize="none",
        dimensions=facts["filters"][-1], image_shape=tuple(facts["image_shape"]),
    )  # fmt: skip
