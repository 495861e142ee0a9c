"""Draw images with a generator in a .tflite file: no TensorFlow, no Keras, no kerasgan.

pip install ai-edge-litert numpy pillow
python generate.py ../dcgan_fashion_mnist.tflite --out samples.png --number 16 --seed 1
python generate.py ../text_to_image_fashion.tflite --text "a light high ankle boot"
"""

import argparse
import json
import math
import os
import pathlib
import re
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image


def generate(path: str, number: int, seed: int, label: int | None = None, text: str | None = None) -> np.ndarray:
    """Return uint8 images (number, height, width, channels)."""
    interpreter = Interpreter(model_path=path, num_threads=os.cpu_count())
    # The runner takes inputs by name: the file may hold them in any order.
    runner = interpreter.get_signature_runner("serving_default")
    details = runner.get_input_details()
    batch = int(next(iter(details.values()))["shape"][0])
    if label is not None and "labels" not in details:
        raise SystemExit(f"{path} is an unconditional model: leave out --label.")

    (makes,) = runner.get_output_details()
    if makes != "images":
        raise SystemExit(f"{path} makes {makes}, which this script cannot draw.")
    if text is not None and "captions" not in details:
        raise SystemExit(f"{path} takes no captions: leave out --text.")

    random = np.random.default_rng(seed)
    drawn = {
        name: draw(random, number, details[name]["shape"][1], how)
        for name, how in distributions(path).items()
        if name in details
    }
    if "labels" in details:
        drawn["labels"] = np.full(number, label or 0, np.int32)
    if text is not None:
        caption = numbers_of(text, described(path, "words")["captions"], details["captions"]["shape"][1])
        drawn["captions"] = np.tile(caption, (number, 1))
    elif "captions" in details:
        raise SystemExit(f"{path} draws what a text says: give --text.")
    unknown = details.keys() - drawn.keys()
    if unknown:
        raise SystemExit(f"{path} takes {', '.join(sorted(unknown))}, which this script cannot make up.")
    images = []
    for start in range(0, number, batch):
        # The batch size is fixed in the file: the last batch is filled up, and the surplus cut below.
        numbers = np.arange(start, start + batch) % number
        images.append(runner(**{name: array[numbers] for name, array in drawn.items()})["images"])
    levels = (np.concatenate(images)[:number] + 1.0) * 127.5
    return np.rint(levels.clip(0, 255)).astype(np.uint8)


def distributions(path: str) -> dict[str, str]:
    """Return how each random input is drawn, by the report beside the file; without one, normal latents."""
    return described(path, "drawn") or {"latents": "normal"}


def described(path: str, key: str) -> dict:
    """Return what the report beside the file says of each input under a key, where it says something."""
    report = pathlib.Path(f"{path}.json")
    if not report.is_file():
        return {}
    return {each["name"]: each[key] for each in json.loads(report.read_text())["inputs"] if key in each}


def numbers_of(text: str, words: list[str], length: int) -> np.ndarray:
    """Return int32 (length,): the numbers of a text's words, 1 for those that are not known, and 0 to fill up."""
    known = {word: number for number, word in enumerate(words)}
    found = re.findall(r"\w+(?:['\u2019]\w+)*|[^\w\s]", text.lower())
    if len(found) > length or not any(word in known for word in found):
        raise SystemExit(f"A text has at most {length} words, one of them of: {', '.join(words[2:])}.")
    return np.array([known.get(word, 1) for word in found] + [0] * (length - len(found)), np.int32)


def draw(random: np.random.Generator, number: int, size: int, distribution: str) -> np.ndarray:
    """Return float32 (number, size): "normal", "uniform" in [-1, 1), or "unit" in [0, 1)."""
    if distribution == "normal":
        return random.standard_normal((number, size), dtype=np.float32)
    unit = random.random((number, size), dtype=np.float32)
    return 2 * unit - 1 if distribution == "uniform" else unit


def grid(images: np.ndarray, padding: int = 2) -> np.ndarray:
    """Return one image (height, width, channels) with all images on it, row by row."""
    number, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(number))
    rows = math.ceil(number / columns)
    canvas = np.full(
        (padding + rows * (height + padding), padding + columns * (width + padding), channels),
        128,
        np.uint8,
    )
    for index, image in enumerate(images):
        top = padding + index // columns * (height + padding)
        left = padding + index % columns * (width + padding)
        canvas[top : top + height, left : left + width] = image
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a .tflite file")
    parser.add_argument("--out", default="samples.png", help="PNG file (default: samples.png)")
    parser.add_argument("--number", type=int, default=16, help="number of images (default: 16)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same images (default: 0)")
    parser.add_argument("--label", type=int, help="class, for a conditional model (default: 0)")
    parser.add_argument("--text", help="what to draw, for a model that takes captions")
    arguments = parser.parse_args()
    if not pathlib.Path(arguments.model).is_file():
        parser.error(f"there is no file {arguments.model}")
    if arguments.number < 1 or arguments.seed < 0:
        parser.error("--number must be at least 1, and --seed at least 0")

    images = generate(arguments.model, arguments.number, arguments.seed, arguments.label, arguments.text)
    canvas = grid(images)
    Image.fromarray(canvas.squeeze(-1) if canvas.shape[-1] == 1 else canvas).save(arguments.out)
    print(f"{arguments.out}: {len(images)} images of {images.shape[2]}x{images.shape[1]} pixels")


if __name__ == "__main__":
    sys.exit(main())
