"""The toys of the plane, `ring` and `grid`: training to watch, a picture of every seed, and the modes counted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasgan.toys import drawing, table
from kerasgan.toys.distributions import MIXTURES, Mixture
from kerasgan.toys.training import DEFAULTS, Settings, Trainer, judged, samples
from kerasgan.toys.variants import Variant, parse

MODEL = "relativistic+r1+r2"
FRAMES = 25
# Lines on which the discriminator's logits are drawn, and how many contours.
RESOLUTION, CONTOURS = 120, 8
COLUMNS = 3


@dataclass(frozen=True)
class Scene:
    """What a picture of the plane shows.

    Attributes:
        points: (n, 2), of the generator.
        logits: (RESOLUTION, RESOLUTION), of the discriminator over the area, rows from the bottom up.
        title: what stands above.
    """

    points: np.ndarray
    logits: np.ndarray
    title: str


def run(
    name: str, model: str, seeds: int, folder: "str | Path", settings: Settings = DEFAULTS, frames: int = FRAMES,
    tell: Callable[[str], None] = print,
) -> None:  # fmt: skip
    """Train a model on a mixture from several seeds; write a table, a picture, and the film of the first seed.

    Args:
        name: "ring" or "grid".
        model: name of a variant.
        seeds: 0 to seeds - 1.
        folder: for `table.json`, `table.md`, `samples.png` and `training.gif`.
        settings: of the training.
        frames: of the film, the start not counted.
        tell: is told every result.
    """
    toy, variant, folder = MIXTURES[name], parse(model), Path(folder)
    film, scenes = [], []
    trainer = Trainer(toy, variant, settings, frames)
    results = table.begun(folder, settings) | {"runs": []}
    compiled = table.prepared(trainer)
    for seed in range(seeds):
        watch = (lambda rounds, gan: film.append(_scene(toy, gan, _progress(variant, rounds)))) if seed == 0 else None
        row, gan = table.trained(trainer, seed, watch)
        results["runs"].append(row | {"compile_seconds": compiled})
        table.write(folder, results)
        scenes.append(_scene(toy, gan, _score(row)))
        tell(table.as_line(row))
    draw(toy, scenes, folder / "samples.png", title=f"{variant.name} on the {toy.name}")
    with drawing.style():
        figure, axes = drawing.panels(1, 1, 4.4, 4.6)
        frames_drawn = drawing.film(figure, axes, film, lambda axes, scene: _draw_scene(axes[0, 0], toy, scene))
        drawing.save_animation(frames_drawn, folder / "training.gif")


def draw(toy: Mixture, scenes: list[Scene], path: "str | Path", title: str) -> None:
    """Write a picture of scenes, one a panel."""
    columns = min(COLUMNS, len(scenes))
    rows = -(-len(scenes) // columns)
    with drawing.style():
        figure, axes = drawing.panels(rows, columns, *((3.4, 3.5) if columns > 1 else (4.2, 5.4)))
        for number, panel in enumerate(axes.flat):
            if number < len(scenes):
                _draw_scene(panel, toy, scenes[number])
            else:
                panel.axis("off")
        _draw_legend(figure, columns)
        figure.suptitle(title, fontsize=11)
        drawing.save(figure, path)


def extent(toy: Mixture) -> float:
    """Return how far from the origin the area reaches that pictures show."""
    return float(1.35 * np.abs(toy.centers).max())


def _scene(toy: Mixture, gan, title: str) -> Scene:
    side = np.linspace(-extent(toy), extent(toy), RESOLUTION)
    area = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return Scene(samples(gan), judged(gan, area).reshape(RESOLUTION, RESOLUTION), title)


def _progress(variant: Variant, rounds: int) -> str:
    return f"{variant.name}\nround {rounds:,}"


def _score(row: dict) -> str:
    return f"seed {row['seed']}: {row['covered']} of {row['modes']} modes, {row['high_quality']:.0%} high quality"


def _draw_scene(panel, toy: Mixture, scene: Scene) -> None:
    reach = extent(toy)
    if np.isfinite(scene.logits).all() and np.ptp(scene.logits) > 0:
        side = np.linspace(-reach, reach, RESOLUTION)
        # Levels at equal shares of the area: a few steep places would take all of equal steps.
        levels = np.unique(np.quantile(scene.logits, np.linspace(0, 1, CONTOURS + 1)))
        greys = [str(shade) for shade in np.linspace(1.0, 0.72, len(levels) - 1)]
        panel.contourf(side, side, scene.logits, levels, colors=greys)
    panel.scatter(*toy.centers.T, s=42, facecolors="none", edgecolors=drawing.ORANGE, linewidths=1.1)
    panel.scatter(*scene.points.T, s=3, color=drawing.BLUE, alpha=0.35, linewidths=0)
    panel.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=scene.title, xlabel="x", ylabel="y")


def _draw_legend(figure, columns: int) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], marker="o", ls="", mfc="none", mec=drawing.ORANGE, label="a mode of the data"),
        Line2D([], [], marker="o", ls="", mec="none", mfc=drawing.BLUE, ms=4, label="generated"),
        Patch(color="#BBBBBB", label="discriminator: the darker, the more real"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3 if columns > 1 else 1)
