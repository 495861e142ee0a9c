"""The figure of the paper of 2014: a generator learns one normal distribution from uniform noise, seen from inside.

Goodfellow et al. 2014, figure 1 (https://arxiv.org/abs/1406.2661): D's decision, the densities of the data and of G,
and where G sends the noise. With more discriminator updates a round, D's curve is nearer to the best possible,
p_data / (p_data + p_G).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kerasgan.support import files
from kerasgan.toys import drawing
from kerasgan.toys.distributions import Normal
from kerasgan.toys.training import Settings, Trainer, judged, samples
from kerasgan.toys.variants import parse

MODEL = "non_saturating"
D_STEPS = (1, 2, 5)
FRAMES = 30
SETTINGS = Settings(
    rounds=2400, hidden=(32, 32), latent_dim=1, noise="unit", learning_rate=2e-3, beta_1=0.5, beta_2=0.99
)
# The line on which curves are drawn, and how many arrows go from the noise to it.
LINE = np.linspace(-0.5, 4.5, 251)
ARROWS = 21


@dataclass(frozen=True)
class Moment:
    """What the figure shows of one game at one time.

    Attributes:
        rounds: played so far.
        density: of the generator on `LINE`.
        decision: of the discriminator on `LINE`: the probability of being real that it sees.
        ends: where the generator sends `ARROWS` equally spaced noises.
        distance: Wasserstein-1 distance of the generated points to the data.
    """

    rounds: int
    density: np.ndarray
    decision: np.ndarray
    ends: np.ndarray
    distance: float


def run(
    model: str, seeds: int, folder: "str | Path", settings: Settings = SETTINGS, frames: int = FRAMES,
    tell: Callable[[str], None] = print,
) -> None:  # fmt: skip
    """Train with 1, 2 and 5 discriminator updates a round; write the film and the last picture of the first seed.

    Args:
        model: name of a variant.
        seeds: 0 to seeds - 1.
        folder: for `gaussian.json`, `gaussian.png` and `training.gif`.
        settings: of the training; `d_steps` is changed.
        frames: of the film, the start not counted.
        tell: is told every result.
    """
    toy, variant, folder = Normal(), parse(model), Path(folder)
    films, results = [], []
    for d_steps in D_STEPS:
        trainer = Trainer(toy, variant, replace(settings, d_steps=d_steps), frames)
        for seed in range(seeds):
            film = []
            trainer.train(seed, lambda rounds, gan, film=film: film.append(moment(toy, gan, rounds)))
            films += [film] if seed == 0 else []
            results.append({"d_steps": d_steps, "seed": seed, "distance": round(film[-1].distance, 4)})
            files.write_json(folder / "gaussian.json", {"model": variant.name, "runs": results})
            tell(f"d_steps {d_steps}, seed {seed}: mean distance to the data {film[-1].distance:.3f}")
    _draw_all(toy, list(zip(*films, strict=True)), variant.name, folder)


def moment(toy: Normal, gan, rounds: int) -> Moment:
    """Return what the figure shows of a model now."""
    points = samples(gan, 20_000)
    width = LINE[1] - LINE[0]
    counts, _ = np.histogram(points, np.append(LINE - width / 2, LINE[-1] + width / 2))
    noise = np.linspace(0, 1, ARROWS, dtype="float32")[:, None]
    logits = judged(gan, LINE[:, None]).astype("float64")
    return Moment(
        rounds,
        _smoothed(counts / (len(points) * width)),
        0.5 * (1.0 + np.tanh(0.5 * logits)),
        np.asarray(gan.sample([noise]))[:, 0],
        toy.distance(points),
    )


def _smoothed(density: np.ndarray) -> np.ndarray:
    """Return a density with the noise of counting averaged away, over a fifth of the data's standard deviation."""
    kernel = np.exp(-0.5 * (np.arange(-15, 16) / 5.0) ** 2)
    return np.convolve(density, kernel / kernel.sum(), mode="same")


def _draw_all(toy: Normal, scenes: list[tuple[Moment, ...]], name: str, folder: Path) -> None:
    """Draw the last scene as a picture, and all as a film; a scene has one moment a game."""

    def draw(axes, moments):
        for panel, now, d_steps in zip(axes[0], moments, D_STEPS, strict=True):
            _draw(panel, toy, now, d_steps)
        axes[0, 0].set_ylabel("density, probability")
        axes[0, 0].figure.suptitle(f"{name}, round {moments[0].rounds:,}", fontsize=11)

    with drawing.style():
        figure, axes = drawing.panels(1, len(D_STEPS), 3.3, 3.6)
        draw(axes, scenes[-1])
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
        drawing.save(figure, folder / "gaussian.png")
        drawing.save_animation(drawing.film(figure, axes, scenes, draw), folder / "training.gif")


def _draw(panel, toy: Normal, now: Moment, d_steps: int) -> None:
    from matplotlib.collections import LineCollection

    data = toy.density(LINE)
    panel.plot(LINE, data, color=drawing.DARK, ls=":", lw=1.6, label="data")
    panel.fill_between(LINE, now.density, color=drawing.BLUE, alpha=0.25, lw=0)
    panel.plot(LINE, now.density, color=drawing.BLUE, lw=1.4, label="generator")
    panel.plot(LINE, now.decision, color=drawing.ORANGE, lw=1.6, label="D(x)")
    total = data + now.density
    best = np.divide(data, total, out=np.full_like(data, np.nan), where=total > 1e-3)
    panel.plot(LINE, best, color=drawing.ORANGE, lw=1.0, ls=(0, (1, 1.5)), label="best D(x) for this generator")
    # Below the axis: where equally spaced noises go.
    places = np.linspace(LINE[0] + 1, LINE[-1] - 1, ARROWS)
    ways = [[(place, -0.55), (end, -0.12)] for place, end in zip(places, now.ends, strict=True)]
    panel.add_collection(LineCollection(ways, colors=drawing.GREY, linewidths=0.6))
    panel.text(LINE[-1], -0.55, "noise z", ha="right", va="center", fontsize=8)
    panel.axhline(0, color=drawing.GREY, lw=0.6)
    steps = f"{d_steps} discriminator update{'s' if d_steps > 1 else ''} a round"
    panel.set(xlim=(LINE[0], LINE[-1]), ylim=(-0.6, 1.6), yticks=(0, 0.5, 1, 1.5))
    panel.set(title=f"{steps}\ndistance to the data {now.distance:.2f}", xlabel="x")
