"""Measure images against real ones: features (what is compared) apart from statistics (how).

`evaluate` computes everything that applies; each metric is also a function of plain arrays. Every result carries the
protocol it was measured by.
"""

from kerasgan.metrics.evaluation import evaluate
from kerasgan.metrics.extractors import Extractor, Features
from kerasgan.metrics.features import extract, stream
from kerasgan.metrics.features import get as extractor
from kerasgan.metrics.frechet import GaussianStatistics, fid, fid_infinity, frechet_distance
from kerasgan.metrics.image_sets import ImageSet, dataset, generated
from kerasgan.metrics.inception_score import inception_score
from kerasgan.metrics.kid import kid
from kerasgan.metrics.memorisation import memorised_share, neighbours_picture
from kerasgan.metrics.modes import class_histogram, jensen_shannon, mode_statistics, toy_modes
from kerasgan.metrics.ms_ssim import diversity, ms_ssim
from kerasgan.metrics.neighbours import nearest, prdc
from kerasgan.metrics.perceptual import perceptual_distance
from kerasgan.metrics.result import Result, as_text, check_comparable, read, save
from kerasgan.metrics.sliced_wasserstein import sliced_wasserstein
from kerasgan.metrics.suitable import EXTRACTORS, suitable_extractor
from kerasgan.metrics.suite import METRICS

__all__ = [
    "EXTRACTORS",
    "METRICS",
    "Extractor",
    "Features",
    "GaussianStatistics",
    "ImageSet",
    "Result",
    "as_text",
    "check_comparable",
    "class_histogram",
    "dataset",
    "diversity",
    "evaluate",
    "extract",
    "extractor",
    "fid",
    "fid_infinity",
    "frechet_distance",
    "generated",
    "inception_score",
    "jensen_shannon",
    "kid",
    "memorised_share",
    "mode_statistics",
    "ms_ssim",
    "nearest",
    "neighbours_picture",
    "perceptual_distance",
    "prdc",
    "read",
    "save",
    "sliced_wasserstein",
    "stream",
    "suitable_extractor",
    "toy_modes",
]
