"""The embedded data set: 10,000 training and 2,000 test images of MNIST."""

import pathlib

import numpy as np

PATH = pathlib.Path(__file__).with_name("mnist_mini.npz")
SPLITS = ("train", "test")
CLASS_NAMES = tuple("0123456789")


def arrays(split: str) -> tuple[np.ndarray, np.ndarray]:
    """The images, uint8 (n, 28, 28, 1), and the labels, int32 (n,), of "train" or "test"."""
    with np.load(PATH, allow_pickle=False) as file:
        images, labels = file[f"{split}_images"], file[f"{split}_labels"]
    return images[..., None], labels.astype(np.int32)
