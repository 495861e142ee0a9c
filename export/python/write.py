"""Write texts with a .tflite file: no TensorFlow, no Keras, no kerasgan.

pip install ai-edge-litert numpy
python write.py ../seqgan_coco_step_dynamic.tflite --number 5 --seed 1 --temperature 0.7 --top-k 50
python write.py ../seqgan_coco.tflite --words ../../zoo/seqgan_coco/config.json
"""

import argparse
import json
import pathlib
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def write(path: str, words: list[str], number: int, seed: int, temperature: float = 1.0, top_k: int | None = None):
    """Return so many lines of text."""
    runner = Interpreter(model_path=path).get_signature_runner("serving_default")
    # One random number in [0, 1) a word.
    random = np.random.default_rng(seed)
    if "state" in runner.get_input_details():
        facts = described(path)
        latents = random.random((number, facts["length"]), dtype=np.float32)
        rows = [by_steps(runner, facts["first"], each, temperature, top_k) for each in latents]
    else:
        batch, length = (int(size) for size in runner.get_input_details()["latents"]["shape"])
        latents = random.random((number, length), dtype=np.float32)
        # The batch size is fixed in the file: the last batch is filled up, and the surplus cut below.
        batches = [latents[np.arange(start, start + batch) % number] for start in range(0, number, batch)]
        rows = np.concatenate([runner(latents=each)["tokens"] for each in batches])[:number]
    between = "" if all(len(word) == 1 for word in words[2:]) else " "
    return [between.join(words[token] for token in row if words[token]) for row in rows]


def by_steps(runner, first: int, latents: np.ndarray, temperature: float, top_k: int | None) -> list[int]:
    """Return a sequence of tokens, each drawn among those that may follow, until the padding that ends a text."""
    token, state, written = first, np.zeros(runner.get_input_details()["state"]["shape"], np.float32), []
    for noise in latents:
        made = runner(tokens=np.array([token], np.int32), state=state)
        token, state = draw(made["logits"][0], noise, temperature, top_k), made["state"]
        if token == 0:
            break
        written.append(token)
    return written


def draw(logits: np.ndarray, noise: float, temperature: float, top_k: int | None) -> int:
    """Return the token whose stretch of [0, 1) holds the noise; stretches are as long as tokens are likely."""
    if top_k is not None and top_k < len(logits):
        logits = np.where(logits < np.partition(logits, -top_k)[-top_k], -np.inf, logits)
    ends = np.cumsum(np.exp((logits - logits.max()) / temperature, dtype=np.float64))
    return int(np.searchsorted(ends, noise * ends[-1], side="right"))


def described(path: str) -> dict:
    """Return what the report beside a file of one step says of its tokens: `words`, `first` and `length`."""
    report = pathlib.Path(f"{path}.json")
    inputs = json.loads(report.read_text(encoding="utf-8"))["inputs"] if report.is_file() else []
    return next((each for each in inputs if each["name"] == "tokens"), {})


def words_of(path: str) -> list[str] | None:
    """Return the words in the config.json of a preset; None where it was trained on numbers."""
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["config"]["words"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a .tflite file, of one step or of whole texts")
    parser.add_argument("--words", help="config.json of the preset, for a file whose report has no words")
    parser.add_argument("--number", type=int, default=5, help="lines to write (default: 5)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same lines (default: 0)")
    parser.add_argument(
        "--temperature", type=float, help="of one step: below 1, likely words come oftener (default: 1)"
    )
    parser.add_argument("--top-k", type=int, help="of one step: choose among so many words (default: all)")
    arguments = parser.parse_args()
    for path in filter(None, (arguments.model, arguments.words)):
        if not pathlib.Path(path).is_file():
            parser.error(f"there is no file {path}")
    if arguments.number < 1 or arguments.seed < 0:
        parser.error("--number must be at least 1, and --seed at least 0")
    facts = described(arguments.model)
    if not facts and (arguments.temperature, arguments.top_k) != (None, None):
        parser.error(
            "--temperature and --top-k are for files of one step, with their report (.tflite.json) beside them"
        )
    temperature = 1.0 if arguments.temperature is None else arguments.temperature
    if not temperature > 0 or (arguments.top_k is not None and arguments.top_k < 1):
        parser.error("--temperature must be above 0, and --top-k at least 1")
    if not arguments.words and "words" not in facts:
        parser.error(f"the report beside {arguments.model} has no words: give --words, the config.json of the preset")
    words = words_of(arguments.words) if arguments.words else facts["words"]
    if not words:
        parser.error(f"{arguments.words} has no words: the model was trained on numbers")
    chosen = {"temperature": temperature, "top_k": arguments.top_k}
    print(*write(arguments.model, words, arguments.number, arguments.seed, **chosen), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
