"""Export a model's sampler for use without kerasgan: TensorFlow SavedModel and LiteRT (TFLite).

Both functions check the file they wrote against Keras before it gets its name, and write a JSON
report with it.
"""

from kerasgan.export.report import QUANTIZATIONS, Report
from kerasgan.export.saved_model_writer import saved_model
from kerasgan.export.tflite_writer import tflite

__all__ = ["QUANTIZATIONS", "Report", "saved_model", "tflite"]
