"""How much memory training takes: DCGAN on 60,000 images of 28x28x1, at most 2 GB; CycleGAN on 256x256x3, at most 6;
R3GAN and StyleGAN2 on 64x64x3, at most 3.

    python tests/benchmarks/memory.py
    python tests/benchmarks/memory.py --model cyclegan

R3GAN, with 16 to 128 channels and both penalties, and StyleGAN2, with 16 to 64 filters, R1 and path lengths, take
batches of 64 images in float32. CycleGAN has its paper's networks, in float32, and batches of one image. Of DCGAN, each
way of giving the data runs in a process of its own, with ImageSummary and checkpoints as in a real run. The images are
noise: their values make no difference to memory. Prints the peak resident memory; exit status 1 above the limit.
"""

import argparse
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

LIMIT_GB = 2.0
SOURCES = ("load", "array")
CYCLEGAN_LIMIT_GB = 6.0
MODERN_LIMIT_GB = 3.0
# Steps of R3GAN and StyleGAN2, among them those with lazy penalties.
MODERN_STEPS = 5


def train_modern(name: str) -> None:
    """Take some steps on 64x64x3 images, 64 a batch, and print the peak resident memory of this process in GB."""
    import numpy as np

    import kerasgan

    if name == "r3gan":
        gan = kerasgan.R3GAN((64, 64, 3), 64, (128, 64, 32, 16), seed=0)
        gan.compile()
    else:
        gan = kerasgan.StyleGAN2((64, 64, 3), 64, 16, 64, seed=0)
        penalties = (kerasgan.regularizers.R1(0.03, every=16), kerasgan.regularizers.PathLength())
        gan.compile(regularizers=penalties)
    images = np.random.default_rng(0).integers(0, 256, (64 * MODERN_STEPS, 64, 64, 3), dtype="uint8")
    gan.fit(kerasgan.data.load(images, batch_size=64), epochs=1, verbose=0)
    print(peak())


def train_cyclegan() -> None:
    """Take six steps and print the peak resident memory of this process in GB."""
    import numpy as np

    import kerasgan

    gan = kerasgan.CycleGAN((256, 256, 3), seed=0)
    gan.compile()
    images = np.random.default_rng(0).integers(0, 256, (3, 256, 256, 3), dtype="uint8")
    gan.fit(kerasgan.data.unpaired.load((images, images)), epochs=2, verbose=0)
    print(peak())


def train(source: str, batch_size: int, epochs: int, steps: int | None) -> None:
    """Train and print the peak resident memory of this process in GB."""
    import keras
    import numpy as np

    import kerasgan

    images = np.random.default_rng(0).integers(0, 256, (60_000, 28, 28, 1), dtype="uint8")
    if source == "load":
        data, arguments = kerasgan.data.load(images, batch_size=batch_size), {}
    else:
        data, arguments = kerasgan.images.to_float(images), {"batch_size": batch_size}
        del images
    gan = kerasgan.DCGAN(image_shape=(28, 28, 1), latent_dim=64, base_filters=64, seed=0)
    gan.compile()
    with tempfile.TemporaryDirectory() as folder:
        callbacks = [
            kerasgan.callbacks.ImageSummary(f"{folder}/logs"),
            keras.callbacks.ModelCheckpoint(f"{folder}/model.keras"),
        ]
        gan.fit(data, epochs=epochs, steps_per_epoch=steps, verbose=0, callbacks=callbacks, **arguments)
    print(peak())


def peak() -> float:
    # Linux counts in KiB.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", choices=(*SOURCES, "cyclegan", "r3gan", "stylegan2"), help=argparse.SUPPRESS)
    parser.add_argument("--model", choices=("dcgan", "cyclegan", "r3gan", "stylegan2"), default="dcgan")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--steps", type=int, default=None, help="steps in an epoch; all images if left out")
    given = parser.parse_args()
    if given.source == "cyclegan":
        train_cyclegan()
        return 0
    if given.source in ("r3gan", "stylegan2"):
        train_modern(given.source)
        return 0
    if given.source:
        train(given.source, given.batch_size, given.epochs, given.steps)
        return 0
    if given.model == "cyclegan":
        used = peak_gb("cyclegan", given)
        print(f"CycleGAN, 256x256x3, batch 1: {used:.2f} GB; limit: {CYCLEGAN_LIMIT_GB:.2f} GB")
        return int(used >= CYCLEGAN_LIMIT_GB)
    if given.model in ("r3gan", "stylegan2"):
        used = peak_gb(given.model, given)
        print(f"{given.model}, 64x64x3, batch 64: {used:.2f} GB; limit: {MODERN_LIMIT_GB:.2f} GB")
        return int(used >= MODERN_LIMIT_GB)
    peaks = {source: peak_gb(source, given) for source in SOURCES}
    print(f"kerasgan.data.load (uint8 array): {peaks['load']:.2f} GB")
    print(f"float32 array given to fit:       {peaks['array']:.2f} GB")
    print(f"limit:                            {LIMIT_GB:.2f} GB")
    return int(max(peaks.values()) >= LIMIT_GB)


def peak_gb(source: str, given: argparse.Namespace) -> float:
    """Run one way of giving the data in a process of its own and return its peak in GB."""
    command = [sys.executable, str(pathlib.Path(__file__)), "--source", source]
    command += ["--batch-size", str(given.batch_size), "--epochs", str(given.epochs)]
    command += ["--steps", str(given.steps)] if given.steps else []
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    sys.exit(main())
