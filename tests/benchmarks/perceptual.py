"""What the perceptual distance thinks of changes that are equal to pixels.

    python tests/benchmarks/perceptual.py
    python tests/benchmarks/perceptual.py --depths block1_project block3_add

Each image is shifted by one pixel; then blurred, given noise, made brighter, flattened, and blended with another one,
so strongly that its root mean squared error is the same. Printed are distances, as roots of their means over images, in
shares of the distance from another image: a person sees blur and noise, and hardly a shift.
"""

import argparse

import numpy as np

import kerasgan
from kerasgan.metrics import perceptual

SETS = {"cifar10": "test", "fashion_mnist": "test", "lfwcrop": "train[95%:]"}
# Halvings of the interval in which the strength of a change is looked for.
HALVINGS = 14


def images_of(name: str, split: str, count: int) -> np.ndarray:
    """Return the first images of a split, float32 in [-1, 1]."""
    data = kerasgan.data.load(name, split=split, limit=count, batch_size=count, shuffle=False, drop_remainder=False)
    batch = next(iter(data.as_numpy_iterator()))
    return batch[0] if isinstance(batch, tuple) else batch


def error(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the root mean squared error of each image, (n,)."""
    return np.sqrt(np.square(first - second).mean(axis=(1, 2, 3)))


def changed(images: np.ndarray, others: np.ndarray) -> dict[str, np.ndarray]:
    """Return name -> changed images, all with the error of a shift by one pixel."""
    from scipy.ndimage import gaussian_filter

    shift = np.pad(images, ((0, 0), (0, 0), (1, 0), (0, 0)), "edge")[:, :, :-1]
    noise = np.random.default_rng(0).normal(size=images.shape)
    changes = {
        "blur": (8.0, lambda n, by: gaussian_filter(images[n], (by, by, 0), mode="nearest")),
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


def distances(images: np.ndarray, others: np.ndarray, size: int = 16) -> np.ndarray:
    """Return perceptual distances, (n,)."""
    parts = [slice(start, start + size) for start in range(0, len(images), size)]
    return np.concatenate([perceptual.perceptual_distance(images[part], others[part]) for part in parts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=64, help="images of each set (default: 64)")
    parser.add_argument(
        "--depths", nargs="+", default=perceptual.DEPTHS, help="outputs of the network that are compared"
    )
    arguments = parser.parse_args()
    perceptual.DEPTHS = arguments.depths
    for name, split in SETS.items():
        images, others = np.split(images_of(name, split, 2 * arguments.count), 2)
        unit = distances(images, others).mean()
        shares = {
            change: np.sqrt(distances(images, made).mean() / unit) for change, made in changed(images, others).items()
        }
        print(name, *(f"{change} {share:.2f}" for change, share in shares.items()), sep="  ", flush=True)


if __name__ == "__main__":
    main()
