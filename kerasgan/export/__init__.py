"""Export a model's sampler for use without kerasgan: TensorFlow SavedModel and LiteRT (TFLite).

Each function checks the file it wrote against Keras before it gets its name, and writes a JSON
report with it.
"""

from kerasgan.export.report import QUANTIZATIONS, Report
from kerasgan.export.saved_model_writer import saved_model
from kerasgan.export.step_writer import STEP_QUANTIZATIONS, tflite_step
from kerasgan.export.tflite_writer import tflite

__all__ = ["QUANTIZATIONS", "STEP_QUANTIZATIONS", "Report", "saved_model", "tflite", "tflite_step"]
