"""Keras callbacks that show how a generative model learns, measure it, and say when the game is lost.

The averaged generator is calibrated by `GAN.fit` before any callback given to `fit` runs.
"""

from kerasgan.callbacks.collapse_monitor import CollapseMonitor
from kerasgan.callbacks.generative_metrics import GenerativeMetrics
from kerasgan.callbacks.sample_summary import ImageSummary, SampleSummary, sample_grid

__all__ = ["CollapseMonitor", "GenerativeMetrics", "ImageSummary", "SampleSummary", "sample_grid"]
