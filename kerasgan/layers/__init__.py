"""Layers that Keras does not have, or that it has in a slower form; one idea a file.

Conditional batch norm is `ClassAffine(num_classes)([BatchNormalization(center=False, scale=False)(x), labels])`.
"""

from kerasgan.layers.basis import SpreadOverBasis, SumOverBasis
from kerasgan.layers.batch_norm import BatchNormalization
from kerasgan.layers.bounded import Bounded
from kerasgan.layers.class_conditioning import ClassAffine, ClassChannels, Projection
from kerasgan.layers.clipping import ClippedInInference
from kerasgan.layers.convolutions import Conv2D, Conv2DTranspose
from kerasgan.layers.equalized import EqualizedConv2D, EqualizedDense
from kerasgan.layers.filtering import FilteredDoubling, FilteredHalving
from kerasgan.layers.given_dropout import GivenDropout
from kerasgan.layers.given_noise import GivenNoise
from kerasgan.layers.image_pool import ImagePool
from kerasgan.layers.instance_norm import InstanceNormalization
from kerasgan.layers.learned_constant import LearnedConstant
from kerasgan.layers.minibatch import MinibatchDiscrimination, MinibatchStandardDeviation
from kerasgan.layers.modulation import ModulatedConv2D
from kerasgan.layers.phase_shuffle import PhaseShuffle
from kerasgan.layers.reflection import ReflectionPadding2D
from kerasgan.layers.resizing import GlobalSumPooling2D, ResizingConv2D
from kerasgan.layers.running_mean import RunningMean
from kerasgan.layers.self_attention import SelfAttention
from kerasgan.layers.spectral_norm import SNConv2D, SNDense, SNProjection, SNResizingConv2D
from kerasgan.layers.token_writer import TokenWriter, WritingSampler
from kerasgan.layers.tracked_mean import TrackedMean
from kerasgan.layers.virtual_batch_norm import ReferenceBatch, VirtualBatchNormalization, WithoutReference
from kerasgan.layers.weight_norm import WeightNormalization

__all__ = [
    "BatchNormalization",
    "Bounded",
    "ClassAffine",
    "ClassChannels",
    "ClippedInInference",
    "Conv2D",
    "Conv2DTranspose",
    "EqualizedConv2D",
    "EqualizedDense",
    "FilteredDoubling",
    "FilteredHalving",
    "GivenDropout",
    "GivenNoise",
    "GlobalSumPooling2D",
    "ImagePool",
    "InstanceNormalization",
    "LearnedConstant",
    "MinibatchDiscrimination",
    "MinibatchStandardDeviation",
    "ModulatedConv2D",
    "PhaseShuffle",
    "Projection",
    "ReferenceBatch",
    "ReflectionPadding2D",
    "ResizingConv2D",
    "RunningMean",
    "SNConv2D",
    "SNDense",
    "SNProjection",
    "SNResizingConv2D",
    "SelfAttention",
    "SpreadOverBasis",
    "SumOverBasis",
    "TokenWriter",
    "TrackedMean",
    "VirtualBatchNormalization",
    "WeightNormalization",
    "WithoutReference",
    "WritingSampler",
]
