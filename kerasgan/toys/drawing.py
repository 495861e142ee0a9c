"""What all figures share: matplotlib, where it is installed, colours, and frames to an animation.

The colours are of Okabe and Ito, which people of every colour vision tell apart. Figures have a white ground and dark
lettering of their own: they read the same on a light page and on a dark one.
"""

import importlib.util
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from kerasgan.support import files

BLUE, ORANGE, GREY, DARK = "#0072B2", "#D55E00", "#8C8C8C", "#333333"
DPI = 110
FRAME_DPI = 76
FRAME_MILLISECONDS, LAST_MILLISECONDS = 120, 2500
STYLE = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "axes.edgecolor": GREY,
    "axes.labelcolor": DARK,
    "axes.titlecolor": DARK,
    "text.color": DARK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": DARK,
    "ytick.labelcolor": DARK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "legend.frameon": False,
    "figure.facecolor": "white",
}


def require_matplotlib() -> None:
    """Raise a ValueError that says how to install matplotlib, where it is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        raise ValueError("Figures are drawn with matplotlib, which is not installed: pip install 'kerasgan[plots]'")


def style():
    """Return a context in which figures look alike; a user's own settings stay as they are."""
    import matplotlib

    return matplotlib.rc_context(STYLE)


def panels(rows: int, columns: int, width: float, height: float):
    """Return a figure, and its axes (rows, columns), each panel so wide and high in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # No pyplot, which keeps every figure, and looks for a screen.
    figure = Figure(figsize=(columns * width, rows * height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def save(figure, path: "str | Path") -> None:
    """Write a figure as a PNG file of 256 colours, whole or not at all."""
    from PIL import Image

    figure.set_dpi(DPI)
    figure.canvas.draw()
    picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3].copy())
    with files.replacing(path) as temporary:
        picture.quantize(256, dither=Image.Dither.NONE).save(temporary, format="PNG", optimize=True)


def film(figure, axes, scenes: list, draw: Callable) -> Iterator[np.ndarray]:
    """Yield one picture a scene, uint8 (height, width, 3), by `draw(axes, scene)`; nothing moves but what is drawn."""
    figure.set_dpi(FRAME_DPI)
    # Places are found for the last scene, and kept.
    draw(axes, scenes[-1])
    figure.canvas.draw()
    figure.set_layout_engine("none")
    for scene in scenes:
        for panel in axes.flat:
            panel.clear()
        draw(axes, scene)
        figure.canvas.draw()
        yield np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()


def save_animation(frames: Iterable[np.ndarray], path: "str | Path") -> None:
    """Write frames as a GIF that repeats for ever, and stays on its last frame for a while; whole or not at all."""
    from PIL import Image

    frames = [Image.fromarray(frame) for frame in frames]
    palette = Image.new("P", (1, 1))
    palette.putpalette(_palette().tobytes())
    frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    durations = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    with files.replacing(path) as temporary:
        frames[0].save(
            temporary, format="GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=True
        )


def _palette() -> np.ndarray:
    """Return the colours of an animation, uint8 (n, 3): few, since flat areas compress well, and every hue in use.

    Colours that are found by counting would all be greys.
    """
    white, light = np.full(3, 255.0), np.full(3, 200.0)
    ways = [(white, DARK, 14), (white, BLUE, 7), (light, BLUE, 4), (white, ORANGE, 6)]
    mixed = [
        (1 - share) * start + share * np.array([int(end[place : place + 2], 16) for place in (1, 3, 5)])
        for start, end, steps in ways
        for share in np.linspace(0, 1, steps)
    ]
    return np.unique(np.rint(mixed).astype("uint8"), axis=0)
