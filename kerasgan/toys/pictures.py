"""The table as pictures: what every model of it made from seed 0, a panel each, a sheet a toy."""

from pathlib import Path

from kerasgan.toys import drawing, plane, table
from kerasgan.toys.distributions import MIXTURES, Mixture
from kerasgan.toys.variants import LOSSES, Variant


def draw(folder: "str | Path") -> list[Path]:
    """Draw `ring.png` and `grid.png` into the folder of a table, from the points that it kept; return their paths."""
    folder = Path(folder)
    results = table.read(folder)
    drawn = []
    for name, toy in MIXTURES.items():
        if any(run["toy"] == name for run in results["runs"]):
            drawn.append(folder / f"{name}.png")
            _sheet(toy, results, folder, drawn[-1])
    return drawn


def _sheet(toy: Mixture, results: dict, folder: Path, path: Path) -> None:
    models = {run["model"] for run in results["runs"]}
    losses = [loss for loss in LOSSES if any(model.split("+")[0] == loss for model in models)]
    columns = [column for column in table.COLUMNS if any(Variant(loss, column).name in models for loss in losses)]
    with drawing.style():
        figure, axes = drawing.panels(len(losses), len(columns), 1.55, 1.75)
        for row, loss in enumerate(losses):
            for column, additions in enumerate(columns):
                _panel(axes[row, column], toy, results, folder, Variant(loss, additions).name)
            axes[row, 0].set_ylabel(loss.replace("_", " "), fontsize=9)
        for panel, additions in zip(axes[0], columns, strict=True):
            panel.annotate(
                " + ".join(additions) or "plain", (0.5, 1.2), xycoords="axes fraction", ha="center", fontsize=10,
                annotation_clip=False,
            )  # fmt: skip
        drawing.save(figure, path)


def _panel(panel, toy: Mixture, results: dict, folder: Path, model: str) -> None:
    reach = plane.extent(toy)
    panel.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=(), yticks=())
    run, points = table.find(results, toy.name, model, 0), table.points_of(folder, toy.name, model)
    if run is None or points is None:
        panel.axis("off")
        return
    panel.scatter(*toy.centers.T, s=16, facecolors="none", edgecolors=drawing.ORANGE, linewidths=0.6)
    panel.scatter(*points.T, s=1.0, color=drawing.BLUE, alpha=0.5, linewidths=0)
    panel.set_title(f"{run['covered']} of {run['modes']}, {run['high_quality']:.0%}", fontsize=8, pad=3)
