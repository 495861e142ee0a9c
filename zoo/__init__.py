"""Trained models, shipped in the wheel; `kerasgan.presets` reads them."""
