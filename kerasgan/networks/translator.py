"""The generator of CycleGAN: two halvings, residual blocks in which most of the work is done, two doublings.

Zhu et al. 2017, appendix 7.2 (https://arxiv.org/abs/1703.10593), after Johnson et al. 2016: reflection padding where
stride is 1, instance norm behind every convolution but the last.
"""

import keras
from keras import layers

from kerasgan.layers import Conv2D, Conv2DTranspose, InstanceNormalization, ReflectionPadding2D, ResizingConv2D
from kerasgan.networks.initializers import normal

HALVINGS = 2
# How the image grows back. A transposed convolution of 3x3 is the paper's.
UPSAMPLINGS = ("transposed", "resized")


def residual_translator(
    image_shape: tuple, base_filters: int, blocks: int, *, upsampling: str = "transposed", affine: bool = False,
    dtype=None, seed: int | None = None, name: str | None = None,
) -> keras.Model:  # fmt: skip
    """Return a network from images (batch, *image_shape) to float32 ones of the same shape in [-1, 1].

    Args:
        image_shape: (height, width, channels), sides multiples of 4, from 16 on.
        base_filters: filters next to the image; four times as many in the residual blocks.
        blocks: residual blocks; the paper has 6 for 128 pixels, 9 for 256.
        upsampling: "transposed", or "resized": nearest neighbours and a convolution, which has no checkerboards.
        affine: whether instance norms have scales and shifts.
        dtype: dtype policy or its name.
        seed: fixes the initial weights.
        name: of the model.

    Raises:
        ValueError: image_shape, blocks or upsampling is none of these.
    """
    check_sides(image_shape)
    if upsampling not in UPSAMPLINGS or blocks < 0:
        raise ValueError(
            f"upsampling must be one of {UPSAMPLINGS} and blocks at least 0; received {upsampling!r} and {blocks}."
        )
    initializers = normal(seed)

    def convolution(x, filters, size):
        x = ReflectionPadding2D(size // 2, dtype=dtype)(x)
        return Conv2D(filters, size, use_bias=False, kernel_initializer=next(initializers), dtype=dtype)(x)

    def normalized(x):
        return InstanceNormalization(affine, dtype=dtype)(x)

    def rectified(x):
        return layers.ReLU(dtype=dtype)(normalized(x))

    def halved(x, filters):
        settings = {"use_bias": False, "kernel_initializer": next(initializers), "dtype": dtype}
        return rectified(Conv2D(filters, 3, 2, "same", **settings)(x))

    def doubled(x, filters):
        settings = {"use_bias": False, "kernel_initializer": next(initializers), "dtype": dtype}
        if upsampling == "resized":
            return rectified(ResizingConv2D(filters, "double", **settings)(x))
        return rectified(Conv2DTranspose(filters, 3, 2, "same", **settings)(x))

    images = keras.Input(image_shape, name="images")
    x = rectified(convolution(images, base_filters, 7))
    for level in range(HALVINGS):
        x = halved(x, base_filters * 2 ** (level + 1))
    for _ in range(blocks):
        branch = rectified(convolution(x, x.shape[-1], 3))
        branch = normalized(convolution(branch, x.shape[-1], 3))
        x = layers.Add(dtype=dtype)([x, branch])
    for level in reversed(range(HALVINGS)):
        x = doubled(x, base_filters * 2**level)
    x = ReflectionPadding2D(3, dtype="float32")(x)
    x = Conv2D(image_shape[-1], 7, kernel_initializer=next(initializers), dtype="float32")(x)
    made = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(images, made, name=name)


def check_sides(image_shape: tuple) -> None:
    """Raise a ValueError unless the shape is (height, width, channels) with sides from 16 on that halve twice."""
    if len(image_shape) != 3 or any(side < 16 or side % 2**HALVINGS for side in image_shape[:2]):
        raise ValueError(
            f"CycleGAN takes images whose sides are multiples of {2**HALVINGS}, from 16 on; received "
            f"image_shape={tuple(image_shape)}, which should be (height, width, channels)."
        )
