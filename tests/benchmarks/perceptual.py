"""What the perceptual distance thinks of changes that are equal to pixels, and of changes that grow.

    python tests/benchmarks/perceptual.py
    python tests/benchmarks/perceptual.py --depths block1_project block3_add
    python tests/benchmarks/perceptual.py --network squeezenet_1_1_notop.npz

Each image is shifted by one pixel; then blurred, given noise, made brighter, flattened, and blended with another one,
so strongly that its root mean squared error is the same. Printed are distances, as roots of their means over images, in
shares of the distance from another image: a person sees blur and noise, and hardly a shift. `order` is the share of
images whose shift is nearer than their blur, and than their noise. `growth` is the rank correlation of the distance
with the strength, over four shifts, blurs and noises of an image, each kind on its own.

`--network` takes a file of SqueezeNet 1.1, its layers as `NAME/kernel`, `NAME/bias` and in `graph_json`, in place of
EfficientNet-Lite0: the taps of LPIPS, all counting the same.
"""

import argparse
import json
from pathlib import Path

from kerasgan.cli.start import start_tensorflow

if __name__ == "__main__":
    # Before Keras imports TensorFlow with its start-up messages.
    start_tensorflow()

import numpy as np

import kerasgan
from kerasgan.metrics import efficientnet, perceptual

SETS = {"cifar10": "test", "fashion_mnist": "test", "lfwcrop": "train[95%:]"}
# Halvings of the interval in which the strength of a change is looked for.
HALVINGS = 14
STRENGTHS = {"shift": (1, 2, 3, 4), "blur": (0.5, 1.0, 1.5, 2.0), "noise": (0.05, 0.1, 0.2, 0.4)}
TAPS = ("conv1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9")
# What SqueezeNet's input was lessened by: blue, green, red.
MEANS = (103.939, 116.779, 123.68)


def images_of(name: str, split: str, count: int) -> np.ndarray:
    """Return the first images of a split, float32 in [-1, 1]."""
    data = kerasgan.data.load(name, split=split, limit=count, batch_size=count, shuffle=False, drop_remainder=False)
    batch = next(iter(data.as_numpy_iterator()))
    return batch[0] if isinstance(batch, tuple) else batch


def error(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the root mean squared error of each image, (n,)."""
    return np.sqrt(np.square(first - second).mean(axis=(1, 2, 3)))


def shifted(images: np.ndarray, pixels: int) -> np.ndarray:
    """Return images moved to the right, with what was at the left edge again and again."""
    return np.pad(images, ((0, 0), (0, 0), (pixels, 0), (0, 0)), "edge")[:, :, :-pixels]


def blurred(image: np.ndarray, by: float) -> np.ndarray:
    """Return an image (height, width, channels) after a Gaussian of so many pixels."""
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(image, (by, by, 0), mode="nearest")


def changed(images: np.ndarray, others: np.ndarray) -> dict[str, np.ndarray]:
    """Return name -> changed images, all with the error of a shift by one pixel."""
    shift = shifted(images, 1)
    noise = np.random.default_rng(0).normal(size=images.shape)
    changes = {
        "blur": (8.0, lambda n, by: blurred(images[n], by)),
        "noise": (3.0, lambda n, by: images[n] + by * noise[n]),
        "brighter": (2.0, lambda n, by: images[n] + by),
        "flatter": (1.0, lambda n, by: (1 - by) * images[n] + by * images[n].mean()),
        "blend": (1.0, lambda n, by: (1 - by) * images[n] + by * others[n]),
    }
    wanted = error(shift, images)
    return {"shift": shift} | {name: _as_far(images, wanted, *change) for name, change in changes.items()}


def _as_far(images: np.ndarray, wanted: np.ndarray, most: float, change) -> np.ndarray:
    low, high = np.zeros(len(images)), np.full(len(images), most)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        made = np.stack([change(n, by) for n, by in enumerate(middle)]).clip(-1, 1).astype("float32")
        far = error(made, images) > wanted
        low, high = np.where(far, low, middle), np.where(far, middle, high)
    return made


def stronger(images: np.ndarray) -> dict[str, list[np.ndarray]]:
    """Return kind of change -> images changed by each of its strengths, the least first."""
    noise = np.random.default_rng(1).normal(size=images.shape)
    made = {
        "shift": [shifted(images, by) for by in STRENGTHS["shift"]],
        "blur": [np.stack([blurred(image, by) for image in images]) for by in STRENGTHS["blur"]],
        "noise": [images + by * noise for by in STRENGTHS["noise"]],
    }
    return {kind: [each.clip(-1, 1).astype("float32") for each in made[kind]] for kind in made}


def squeezenet(path: Path):
    """Return images in [-1, 1] to what SqueezeNet has of them at the taps of LPIPS, every place of length one."""
    import keras
    import tensorflow as tf

    with np.load(path, allow_pickle=False) as arrays:
        weights = dict(arrays)
    outputs = {"input": keras.Input((efficientnet.SIZE, efficientnet.SIZE, 3))}
    for layer in json.loads(str(weights["graph_json"])):
        given = [outputs[name] for name in layer["inputs"]]
        if layer["op"] == "concat":
            outputs[layer["name"]] = keras.layers.Concatenate()(given)
        elif layer["op"] == "maxpool":
            outputs[layer["name"]] = keras.layers.MaxPooling2D(3, 2)(given[0])
        else:
            shape = layer["cout"], layer["kernel"], layer["stride"], layer["padding"]
            convolution = keras.layers.Conv2D(*shape, activation="relu")
            outputs[layer["name"]] = convolution(given[0])
            convolution.set_weights([weights[f"{layer['name']}/{part}"] for part in ("kernel", "bias")])
    network = keras.Model(outputs["input"], [outputs[name] for name in TAPS])

    def features(images) -> list:
        images = tf.convert_to_tensor(images)
        images = tf.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images
        larger = efficientnet.bicubic((images + 1.0) * 127.5)
        return [perceptual.units(each) for each in network(larger[..., ::-1] - tf.constant(MEANS), training=False)]

    return features


def seen(features, images: np.ndarray, size: int = 16) -> list:
    """Return the features of images, batch by batch."""
    return [features(images[start : start + size]) for start in range(0, len(images), size)]


def distances(first: list, second: list) -> np.ndarray:
    """Return perceptual distances, (n,), of images that were `seen`."""
    return np.concatenate([perceptual.between(*batches) for batches in zip(first, second, strict=True)])


def growth(by_strength: np.ndarray) -> float:
    """Return the rank correlation of distances (strengths, n) with the strength, the mean over images."""
    ranks = by_strength.argsort(axis=0).argsort(axis=0)
    return float(np.mean([np.corrcoef(each, np.arange(len(each)))[0, 1] for each in ranks.T]))


def report(features, images: np.ndarray, others: np.ndarray) -> dict[str, float]:
    """Return name -> number of all that is printed."""
    own = seen(features, images)
    unit = distances(own, seen(features, others)).mean()
    equal = {name: distances(own, seen(features, made)) for name, made in changed(images, others).items()}
    numbers = {name: float(np.sqrt(each.mean() / unit)) for name, each in equal.items()}
    numbers["order"] = float(np.mean(equal["shift"] < np.minimum(equal["blur"], equal["noise"])))
    for kind, made in stronger(images).items():
        numbers[f"growth of {kind}"] = growth(np.stack([distances(own, seen(features, each)) for each in made]))
    return numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=64, help="images of each set (default: 64)")
    parser.add_argument("--data", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--network", type=Path, help="a file of SqueezeNet, in place of EfficientNet-Lite0")
    parser.add_argument(
        "--depths", nargs="+", default=perceptual.DEPTHS, help="outputs of EfficientNet-Lite0 that are compared"
    )
    arguments = parser.parse_args()
    perceptual.DEPTHS = arguments.depths
    features = perceptual.features if arguments.network is None else squeezenet(arguments.network)
    for name in arguments.data:
        images, others = np.split(images_of(name, SETS[name], 2 * arguments.count), 2)
        found = report(features, images, others)
        print(name, *(f"{what} {number:.2f}" for what, number in found.items()), sep="  ", flush=True)


if __name__ == "__main__":
    main()
