"""Write texts with a .tflite file: no TensorFlow, no Keras, no kerasgan.

pip install ai-edge-litert numpy
python write.py ../seqgan_coco.tflite --words ../../zoo/seqgan_coco/config.json --number 5 --seed 1
"""

import argparse
import json
import pathlib
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def write(path: str, words: list[str], number: int, seed: int) -> list[str]:
    """Return so many lines of text."""
    runner = Interpreter(model_path=path).get_signature_runner("serving_default")
    batch, length = (int(size) for size in runner.get_input_details()["latents"]["shape"])
    # One random number in [0, 1) a word.
    latents = np.random.default_rng(seed).random((number, length), dtype=np.float32)
    # The batch size is fixed in the file: the last batch is filled up, and the surplus cut below.
    batches = [latents[np.arange(start, start + batch) % number] for start in range(0, number, batch)]
    rows = np.concatenate([runner(latents=each)["tokens"] for each in batches])[:number]
    return [" ".join(words[token] for token in row if words[token]) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a .tflite file")
    parser.add_argument("--words", required=True, help="config.json of the preset, which has the words")
    parser.add_argument("--number", type=int, default=5, help="lines to write (default: 5)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same lines (default: 0)")
    arguments = parser.parse_args()
    for path in (arguments.model, arguments.words):
        if not pathlib.Path(path).is_file():
            parser.error(f"there is no file {path}")
    if arguments.number < 1 or arguments.seed < 0:
        parser.error("--number must be at least 1, and --seed at least 0")
    words = json.loads(pathlib.Path(arguments.words).read_text(encoding="utf-8"))["config"]["words"]
    if not words:
        parser.error(f"{arguments.words} has no words: the model was trained on numbers")
    print(*write(arguments.model, words, arguments.number, arguments.seed), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
