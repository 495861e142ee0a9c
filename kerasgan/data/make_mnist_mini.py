"""Remakes `mnist_mini.npz`, the embedded data set, from the TFDS data set `mnist`.

Run `python -m kerasgan.data.make_mnist_mini OUTPUT.npz` with `TFDS_DATA_DIR` set.
"""

import os
import sys

import numpy as np


def make(path: str, data_dir: str | None = None) -> None:
    """Writes the first 10,000 training and 2,000 test images of MNIST, in TFDS's order.

    Args:
        path: The `.npz` file to write. It holds `train_images` uint8 (10000, 28, 28),
            `train_labels` uint8 (10000,), `test_images` and `test_labels`.
        data_dir: The TFDS folder; the default is `TFDS_DATA_DIR`.
    """
    import tensorflow_datasets as tfds

    # Sequential reading keeps the order of the files, so that a rerun gives the same images.
    read_config = tfds.ReadConfig(interleave_cycle_length=1)
    arrays = {}
    for split, count in (("train", 10_000), ("test", 2_000)):
        dataset = tfds.load("mnist:3.0.1", split=split, data_dir=data_dir, read_config=read_config).take(count)
        examples = list(tfds.as_numpy(dataset))
        arrays[f"{split}_images"] = np.stack([e["image"][:, :, 0] for e in examples])
        arrays[f"{split}_labels"] = np.array([e["label"] for e in examples], np.uint8)
    temporary = f"{path}.tmp.npz"
    np.savez_compressed(temporary, **arrays)
    os.replace(temporary, path)


if __name__ == "__main__":
    make(sys.argv[1])
