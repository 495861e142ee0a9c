"""At how many pixels should `efficientnet_lite0` see its images? What each size knows, how it ranks damage, its cost.

    pip install -e '.[bench]'
    python tests/benchmarks/extractor_size.py 128 160 224

It reads cifar10, for a linear classifier on the features (5000 labels, 2000 test images), and 8000 images of a TFDS
data set of faces, `lfwcrop` unless another is named: 2000 to compare with, 2000 others, and 2000 that are damaged. For
every damage it prints how many times the floor, the distance of the others, its Frechet distance is, and precision.
"""

import argparse
import io
import time

from kerasgan.cli.start import start_tensorflow

if __name__ == "__main__":
    # Before anything imports TensorFlow with its start-up messages.
    start_tensorflow()

import numpy as np
from PIL import Image, ImageFilter
from sklearn.linear_model import LogisticRegression

from kerasgan import data, images, metrics
from kerasgan.metrics import efficientnet

COUNT = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="+")
    parser.add_argument("--faces", default="lfwcrop")
    given = parser.parse_args()
    faces = metrics.dataset(given.faces, "train", 4 * COUNT).first(4 * COUNT)
    real, others, source = (faces[start::4] for start in range(3))
    train, test = labelled("train", 5000), labelled("test", COUNT)
    for size in given.sizes:
        extractor = at(size)
        reference = features(extractor, real)
        start = time.process_time()
        floor = metrics.fid(features(extractor, others), reference)
        print(
            f"{size}: {COUNT / (time.process_time() - start):.0f} images a second of processor time, floor {floor:.3g}"
        )
        print(f"  linear classifier of cifar10: {probe(extractor, train, test):.1%}")
        for name, damaged in damages(source, train[0]):
            found = features(extractor, damaged)
            precision = metrics.prdc(reference, found).precision
            times = metrics.fid(found, reference) / floor
            print(f"  {name}: {times:.2f} times the floor, precision {precision:.2f}", flush=True)


def at(size: int) -> metrics.Extractor:
    """Return the extractor as it would be at another size."""
    efficientnet.SIZE = size
    efficientnet.load.cache_clear()
    return efficientnet.load()


def features(extractor: metrics.Extractor, batch: np.ndarray) -> np.ndarray:
    return metrics.extract(extractor, batch).features


def labelled(split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    batches = data.load("cifar10", split=split, limit=count, batch_size=count, labels=True, shuffle=False)
    pictures, labels = next(batches.as_numpy_iterator())
    return images.to_uint8(pictures), labels


def probe(extractor: metrics.Extractor, train: tuple, test: tuple) -> float:
    """Return the share of the test images that logistic regression on the features gets right."""
    known, unknown = (features(extractor, pictures) for pictures, _ in (train, test))
    deviation = known.std(axis=0) + 1e-6
    model = LogisticRegression(C=0.01, max_iter=300).fit(known / deviation, train[1])
    return model.score(unknown / deviation, test[1])


def damages(source: np.ndarray, strangers: np.ndarray):
    """Yield names and damaged copies of the images."""
    random = np.random.default_rng(0)
    for deviation in (2, 4, 16):
        noise = random.normal(0, deviation, source.shape)
        yield f"noise of {deviation} levels", (source + noise).round().clip(0, 255).astype("uint8")
    for radius in (0.5, 1):
        yield (
            f"blur of {radius} pixels",
            each(source, lambda image, r=radius: image.filter(ImageFilter.GaussianBlur(r))),
        )
    yield "JPEG of quality 50", each(source, jpeg)
    size = source.shape[2], source.shape[1]
    mixed = source.copy()
    mixed[: COUNT // 20] = each(strangers[: COUNT // 20], lambda image: image.resize(size, Image.Resampling.BICUBIC))
    yield "5 % of CIFAR-10 among them", mixed
    yield "200 images ten times each", source[random.integers(0, COUNT // 10, COUNT)]


def each(batch: np.ndarray, change) -> np.ndarray:
    return np.stack([np.asarray(change(Image.fromarray(image))) for image in batch])


def jpeg(image: Image.Image) -> Image.Image:
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=50)
    return Image.open(packed).convert("RGB")


if __name__ == "__main__":
    main()
