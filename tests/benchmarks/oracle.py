"""SeqGAN's own experiment: a fixed LSTM, the oracle, wrote the real sequences, and says how likely it finds new ones.

    python tests/benchmarks/oracle.py run oracle_lstm.npz                # all that is not kept yet
    python tests/benchmarks/oracle.py run oracle_lstm.npz --seeds 0 --epochs 20 --game 2
    python tests/benchmarks/oracle.py table --readme README.md
    python tests/benchmarks/oracle.py figure --out docs/oracle.png       # the same runs, a dot each

The file holds the oracle's weights: `embedding`, `W_i`, `U_i`, `b_i` and so on for the gates i, f, c and o_gate,
`W_out` and `b_out`. The generator is first trained by likelihood, and from there on in three ways, each for the same
processor time: in the game, by likelihood as before, and in the game with a reward that is always the same. The last
two are what a gain has to be compared with.

The oracle's opinion of what is written (NLL-oracle, Yu et al. 2017, table 1) can be had by writing the same likely
sequence again and again. What the generator makes of sequences of the oracle that it has not seen (NLL-test) shows
that. Both are in nats a token, of as many sequences as are learned from; less is better.
"""

import argparse
import time
from dataclasses import asdict
from pathlib import Path

from kerasgan.cli.start import start_tensorflow

if __name__ == "__main__":
    # Before Keras imports TensorFlow with its start-up messages.
    start_tensorflow()

import keras
import numpy as np
import tensorflow as tf
from ledger import Ledger, add_table, mean, minutes, row, show

import kerasgan
from kerasgan import distribution
from kerasgan.networks.seqgan import seqgan_generator
from kerasgan.toys import drawing

LEDGER = Ledger(
    Path(__file__).parent / "results" / "oracle.json",
    key=("sequences", "epochs", "game", "rollouts", "way", "seed"),
)
WAYS = {
    "random": "untrained",
    "likelihood": "likelihood",
    "game": "likelihood, then SeqGAN",
    "longer": "likelihood, as long as SeqGAN",
    "constant": "likelihood, then a constant reward",
}
# What the paper reports (Yu et al. 2017, table 1): way -> NLL-oracle.
PAPER = {"random": 10.310, "likelihood": 9.038, "game": 8.736}
MEASURES = {"nll_oracle": "NLL-oracle: of what it writes", "nll_test": "NLL-test: of unseen sequences"}
LENGTH, BATCH_SIZE = 20, 64
WINDOWS, FILTERS = (2, 3), (100, 200)
START, END = "<!-- oracle: made by `tests/benchmarks/oracle.py table` -->", "<!-- end of oracle -->"


def oracle(path: Path) -> keras.Model:
    """Return the oracle: a network from tokens to the logits of each, given those before it."""
    with np.load(path) as file:
        weights = dict(file)
    tokens, size = weights["embedding"].shape
    network = seqgan_generator(LENGTH, tokens, size, weights["U_i"].shape[0])
    # It begins after token 0; Keras has the gates side by side, in this order.
    gates = ("i", "f", "c", "o_gate")
    network.set_weights(
        [
            np.concatenate([weights["embedding"], weights["embedding"][:1]]),
            *(np.concatenate([weights[f"{part}_{gate}"] for gate in gates], axis=-1) for part in "WUb"),
            weights["W_out"],
            weights["b_out"],
        ]
    )
    return network


def written(network: keras.Model, count: int, seed: int) -> np.ndarray:
    """Return sequences that a network writes."""
    write = tf.function(network.get_layer("writer").write)
    noise = tf.random.stateless_uniform((count, LENGTH), [seed, 1])
    return np.concatenate([write(noise[start : start + 500]).numpy() for start in range(0, count, 500)])


def nll(network: keras.Model, sequences: np.ndarray) -> float:
    """Return how unlikely a network finds sequences, in nats a token."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    parts = np.array_split(sequences, max(1, len(sequences) // 500))
    return float(np.mean([float(loss(part, network(part))) for part in parts]))


def build(tokens: int, epochs: int, rollouts: int, seed: int) -> kerasgan.SeqGAN:
    """Return the compiled model, with the paper's generator."""
    model = kerasgan.SeqGAN(
        LENGTH, tokens, windows=WINDOWS, filters=FILTERS, rollouts=rollouts, pretraining=(epochs, 1), seed=seed
    )
    model.compile(d_optimizer=kerasgan.optimizers.Adam(1e-3))
    return model


def run(path: Path, sequences: int, seeds, epochs: int, game: int, rollouts: int) -> None:
    """Train and measure all ways of a seed that are not kept yet."""
    judge = oracle(path)
    real, unseen = written(judge, sequences, 0), written(judge, sequences, 1)
    for seed in seeds:
        key = {"sequences": sequences, "epochs": epochs, "game": game, "rollouts": rollouts, "seed": seed}
        if all(LEDGER.has(key | {"way": way}) for way in WAYS):
            continue
        keras.backend.clear_session()

        def keep(way, model, seconds, key=key, seed=seed):
            made = model.generate(sequences, seed=seed)
            found = {"nll_oracle": nll(judge, made), "nll_test": nll(model.networks["generator"], unseen)}
            hardware = asdict(distribution.describe_hardware())
            LEDGER.keep(key | {"way": way, "cpu_seconds": seconds, "hardware": hardware} | found)
            print(f"{way}, seed {seed}: {found}", flush=True)

        start = build(judge.output.shape[-1], epochs, rollouts, seed)
        keep("random", start, 0.0)
        learned = trained(start, real, epochs)
        keep("likelihood", start, learned)
        begun = [np.array(each) for each in start.get_weights()]
        # The discriminator's own epoch belongs to the game's time.
        seconds = trained(start, real, 1 + game)
        keep("game", start, learned + seconds)
        for way in ("longer", "constant"):
            model = build(judge.output.shape[-1], 10**6 if way == "longer" else epochs, rollouts, seed)
            model.constant_reward = 0.5 if way == "constant" else None
            model.set_weights(begun)
            model.clock.epochs.assign(epochs if way == "longer" else epochs + 1)
            keep(way, model, learned + trained(model, real, 10**6, seconds))


def trained(model, real: np.ndarray, epochs: int, seconds: float = float("inf")) -> float:
    """Train for so many epochs or so much processor time, whichever is less, and return the time."""
    start = time.process_time()
    stop = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: setattr(
            model, "stop_training", model.stop_training or time.process_time() - start > seconds
        )
    )
    for _ in range(epochs):
        model.fit(real, batch_size=BATCH_SIZE, epochs=1, verbose=0, callbacks=[stop])
        if time.process_time() - start > seconds:
            break
    return time.process_time() - start


def table() -> str:
    """Return all runs as a Markdown table, one row for the seeds of one way."""
    titles = ["sequences, epochs by likelihood and of the game, rollouts", "way", "seeds", "processor minutes"]
    lines = [row([*titles, "NLL-oracle", "NLL-test"]), "|---|---|---:|---:|---:|---:|"]
    for setting, ways in by_setting().items():
        for way, found in ways.items():
            numbers = [mean(np.array([each[name] for each in found]), 4) for name in MEASURES]
            first = f"{setting[0]:,}, {setting[1]} and {setting[2]}, {setting[3]}"
            lines.append(row([first, WAYS[way], len(found), minutes(found), *numbers]))
    return "\n".join(lines)


def by_setting() -> dict[tuple, dict[str, list[dict]]]:
    """Return all runs: (sequences, epochs, game, rollouts) -> way, in the order of `WAYS` -> its seeds."""
    runs = LEDGER.runs()
    found = {}
    for setting in sorted({tuple(each[name] for name in LEDGER.key[:4]) for each in runs}):
        same = [each for each in runs if tuple(each[name] for name in LEDGER.key[:4]) == setting]
        ways = {way: [each for each in same if each["way"] == way] for way in WAYS}
        found[setting] = {way: each for way, each in ways.items() if each}
    return found


def figure():
    """Return the runs as a matplotlib figure: a dot for each seed, a row for each way; the paper's numbers as lines."""
    settings = by_setting()
    if not settings:
        raise ValueError(f"No run is kept in {LEDGER.path} yet: `oracle.py run` makes some.")
    with drawing.style():
        made, axes = drawing.panels(len(settings), len(MEASURES), 4.2, 2.8)
        for line, (setting, ways) in zip(axes, settings.items(), strict=True):
            for panel, name in zip(line, MEASURES, strict=True):
                _dots(panel, ways, name)
            for panel in line:
                panel.set_yticks(range(len(ways)), [])
            line[0].set_yticklabels([f"{WAYS[way]}\n{minutes(found)} processor min" for way, found in ways.items()])
            sequences, epochs, game, rollouts = setting
            line[0].set_title(
                f"{sequences:,} sequences, {epochs} epochs by likelihood, {game} of the game, {rollouts} rollouts",
                loc="left",
            )
        axes[0, 0].legend(loc="best")
        for panel, title in zip(axes[-1], MEASURES.values(), strict=True):
            panel.set_xlabel(f"{title}\nnats a token, less is better")
    return made


def _dots(panel, ways: dict[str, list[dict]], name: str) -> None:
    """Draw one measure: the ways from above, each a row."""
    for place, (way, found) in enumerate(ways.items()):
        colour = drawing.ORANGE if way == "game" else drawing.BLUE
        panel.scatter([each[name] for each in found], [place] * len(found), color=colour, alpha=0.7, linewidths=0)
        if name == "nll_oracle" and way in PAPER:
            first = not panel.get_lines()
            panel.plot(
                [PAPER[way]] * 2, [place - 0.35, place + 0.35], color=drawing.DARK, label="paper" if first else None
            )
    panel.set_ylim(len(ways) - 0.5, -0.5)
    panel.grid(axis="y", linewidth=0.4, alpha=0.5)


def main(argv: list[str] | None = None) -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("oracle", type=Path, help="the oracle's weights (.npz)")
    running.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    running.add_argument("--sequences", type=int, default=10_000, help="that are learned from, and measured")
    running.add_argument("--epochs", type=int, default=20, help="by likelihood, before the game")
    running.add_argument("--game", type=int, default=4, help="epochs of the game")
    running.add_argument("--rollouts", type=int, default=4)
    add_table(commands)
    commands.add_parser("figure").add_argument("--out", type=Path, required=True, help="PNG file")
    given = parser.parse_args(argv)
    if given.command == "run":
        run(given.oracle, given.sequences, given.seeds, given.epochs, given.game, given.rollouts)
    elif given.command == "figure":
        drawing.require_matplotlib()
        drawing.save(figure(), given.out)
    else:
        show(table(), START, END, given.readme)


if __name__ == "__main__":
    main()
