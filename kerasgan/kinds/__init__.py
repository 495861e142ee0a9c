"""Kinds: what an array means.

A model says by kinds what its sampler `takes`, what it `makes` and what an example of its training data is (`learns`).
Whatever handles models asks the kinds and never the class: sampling, presets, export, summaries, runs, the command
line and the contract.
"""

from kerasgan.kinds.audio import Audio
from kerasgan.kinds.images import Images
from kerasgan.kinds.inputs import Labels, Latents
from kerasgan.kinds.kind import Kind
from kerasgan.kinds.tokens import Tokens
from kerasgan.kinds.vectors import Vectors

__all__ = ["Audio", "Images", "Kind", "Labels", "Latents", "Tokens", "Vectors"]
