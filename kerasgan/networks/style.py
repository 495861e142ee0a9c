"""The networks of StyleGAN2, for images of 16 to 128 pixels.

Karras et al. 2020, figures 2c and 7 (https://arxiv.org/abs/1912.04958): a generator that adds up the images of all its
resolutions, a residual discriminator, equalised learning rates in both. Mapping networks of two layers, as in the
authors' later code (Karras et al. 2020, https://arxiv.org/abs/2006.06676).

Styles are counted from the smallest image: each resolution has two, of which its convolutions and those that lead to
the next take one each.
"""

import math

import keras
from keras import layers

from kerasgan.layers import (
    ClippedInInference,
    EqualizedConv2D,
    EqualizedDense,
    FilteredDoubling,
    FilteredHalving,
    GivenNoise,
    LearnedConstant,
    MinibatchStandardDeviation,
    ModulatedConv2D,
    Projection,
    TrackedMean,
)
from kerasgan.layers.equalized import GAIN, SLOPE, standard_normal
from kerasgan.networks.dcgan import check_sides
from kerasgan.networks.initializers import seeds

# The mapping network learns so much more slowly than all else.
MAPPING_RATE = 0.01
# The smaller side of the smallest image is at least so long.
SMALLEST = 4


def style_generator(
    image_shape: tuple, latent_dim: int, base_filters: int, max_filters: int, mapping_layers: int = 2, dtype=None,
    seed: int | None = None, num_classes: int | None = None,
) -> keras.Model:  # fmt: skip
    """Return a generator: [latents (batch, latent_dim), noise (batch, n)] to float32 images (batch, *image_shape).

    With `num_classes`, it takes int32 labels (batch,) between the two. Its parts are networks of their own: `mapping`,
    from latents and labels to w (batch, latent_dim), the layer `mean` of w, and `synthesis`, from styles (batch,
    count_styles(image_shape), latent_dim), which is w again and again, and noise. Images are in [-1, 1] in inference.

    Args:
        image_shape: (height, width, channels).
        latent_dim: length of a latent vector, and of a style.
        base_filters: filters of the layers next to the image, doubling at every halving.
        max_filters: the most filters of a layer.
        mapping_layers: layers from latents to w.
        dtype: dtype policy or its name.
        seed: fixes the initial weights.
        num_classes: number of classes; None for none.
    """
    numbers = seeds(seed)
    mapping = _mapping(latent_dim, mapping_layers, num_classes, numbers)
    synthesis = _synthesis(image_shape, latent_dim, base_filters, max_filters, dtype, numbers)
    return _generator(mapping, TrackedMean(dtype="float32", name="mean"), synthesis)


def truncated(generator: keras.Model, share: float) -> keras.Model:
    """Return a generator with the same weights whose w lie so far on the way from their mean to where they were.

    Karras et al. 2019, appendix B (https://arxiv.org/abs/1812.04948).
    """
    parts = (generator.get_layer(name) for name in ("mapping", "mean", "synthesis"))
    return _generator(*parts, share)


def _generator(mapping: keras.Model, mean: TrackedMean, synthesis: keras.Model, share: float = 1.0) -> keras.Model:
    styles, noise = synthesis.inputs
    given = [keras.Input(each.shape[1:], dtype=each.dtype, name=each.name) for each in mapping.inputs]
    noise = keras.Input(noise.shape[1:], name="noise")
    w = mean(mapping(given if len(given) > 1 else given[0]), share=share)
    repeated = layers.RepeatVector(styles.shape[1], dtype="float32")(w)
    return keras.Model([*given, noise], synthesis([repeated, noise]), name="generator")


def _mapping(latent_dim, mapping_layers, num_classes, numbers) -> keras.Model:
    """Return latents, and labels, to w. In float32: it is small, and everything hangs on it."""
    latents = keras.Input((latent_dim,), name="latents")
    given, x = [latents], _normalized(latents)
    if num_classes is not None:
        labels = keras.Input((), dtype="int32", name="labels")
        vectors = layers.Embedding(num_classes, latent_dim, standard_normal(next(numbers)), dtype="float32")(labels)
        given, x = [latents, labels], layers.Concatenate(dtype="float32")([x, _normalized(vectors)])
    for _ in range(mapping_layers):
        x = EqualizedDense(latent_dim, rate=MAPPING_RATE, seed=next(numbers), dtype="float32")(x)
    return keras.Model(given, x, name="mapping")


def _normalized(vectors):
    """Return vectors (batch, d) with a mean square of 1."""
    unit = layers.UnitNormalization(dtype="float32")(vectors)
    return layers.Rescaling(math.sqrt(vectors.shape[-1]), dtype="float32")(unit)


def _synthesis(image_shape, latent_dim, base_filters, max_filters, dtype, numbers) -> keras.Model:
    sizes = resolutions(image_shape)
    channels = image_shape[-1]
    styles = keras.Input((count_styles(image_shape), latent_dim), name="styles")
    noise = keras.Input((count_noise(image_shape),), name="noise")
    used = 0

    def styled(x, level: int, style: int, double: bool = False):
        nonlocal used
        filters = filters_at(base_filters, max_filters, level)
        x = ModulatedConv2D(filters, style, double=double, gain=GAIN, seed=_two(numbers), dtype=dtype)([x, styles])
        x = GivenNoise(used, gain=GAIN, dtype=dtype)([x, noise])
        used += math.prod(x.shape[1:3])
        # The gain, which it keeps, is in what went into it.
        return layers.LeakyReLU(SLOPE, dtype=dtype)(x)

    def seen(x, style: int):
        return ModulatedConv2D(channels, style, 1, demodulated=False, seed=_two(numbers), dtype="float32")([x, styles])

    first = len(sizes) - 1
    start = (*sizes[first], filters_at(base_filters, max_filters, first))
    x = LearnedConstant(start, next(numbers), dtype=dtype)(styles)
    x = styled(x, first, 0)
    images = seen(x, 1)
    for number, level in enumerate(reversed(range(first)), 1):
        x = styled(x, level, 2 * number - 1, double=True)
        x = styled(x, level, 2 * number)
        images = layers.Add(dtype="float32")([FilteredDoubling(dtype="float32")(images), seen(x, 2 * number + 1)])
    return keras.Model([styles, noise], ClippedInInference(dtype="float32")(images), name="synthesis")


def _two(numbers) -> int | None:
    """Return a seed for a layer that takes the next one as well."""
    number = next(numbers)
    next(numbers)
    return number


def style_discriminator(
    image_shape: tuple, base_filters: int, max_filters: int, dtype=None, seed: int | None = None,
    num_classes: int | None = None, group_size: int = 4,
) -> keras.Model:  # fmt: skip
    """Return a discriminator: images (batch, *image_shape) to float32 logits (batch, 1).

    Args:
        image_shape: (height, width, channels).
        base_filters: filters of the layers next to the image, doubling at every halving.
        max_filters: the most filters of a layer.
        dtype: dtype policy or its name.
        seed: fixes the initial weights.
        num_classes: with it, it takes int32 labels (batch,) too, and adds the projection of its features on each
            label's vector.
        group_size: images that are compared with one another.
    """
    numbers = seeds(seed)
    last = len(resolutions(image_shape)) - 1

    def convolved(x, level: int, **settings):
        filters = filters_at(base_filters, max_filters, level)
        return EqualizedConv2D(filters, **{"seed": next(numbers), "dtype": dtype} | settings)(x)

    images = keras.Input(image_shape, name="images")
    x = convolved(images, 0, kernel_size=1)
    for level in range(last):
        # Branch and shortcut are weighed so that their sum is as large as either was.
        branch = convolved(convolved(x, level), level + 1, halve=True, gain=1.0)
        halved = FilteredHalving(dtype=dtype)(x)
        shortcut = convolved(halved, level + 1, kernel_size=1, rectified=False, gain=math.sqrt(0.5))
        x = layers.Add(dtype=dtype)([branch, shortcut])
    x = convolved(MinibatchStandardDeviation(group_size, dtype=dtype)(x), last)
    x = layers.Flatten(dtype=dtype)(x)
    features = EqualizedDense(filters_at(base_filters, max_filters, last), seed=next(numbers), dtype=dtype)(x)
    logits = EqualizedDense(1, rectified=False, seed=next(numbers), dtype="float32")(features)
    if num_classes is None:
        return keras.Model(images, logits, name="discriminator")
    labels = keras.Input((), dtype="int32", name="labels")
    scaled = layers.Rescaling(1.0 / math.sqrt(features.shape[-1]), dtype="float32")(features)
    fit = Projection(num_classes, standard_normal(next(numbers)), dtype="float32")([scaled, labels])
    return keras.Model([images, labels], layers.Add(dtype="float32")([logits, fit]), name="discriminator")


def filters_at(base_filters: int, max_filters: int, level: int) -> int:
    """Return the filters of layers where the image was halved `level` times."""
    return min(base_filters * 2**level, max_filters)


def resolutions(image_shape: tuple) -> list[tuple[int, int]]:
    """Return (height, width) of the image and of its halvings, until the shorter side has 4 to 7 pixels.

    Raises:
        ValueError: the sides are out of range, or cannot be halved so often.
    """
    check_sides(image_shape, "A StyleGAN2")
    height, width = image_shape[:2]
    halvings = int(math.log2(min(height, width) / SMALLEST))
    if height % 2**halvings or width % 2**halvings:
        raise ValueError(
            f"An image of this size is halved {halvings} times, so its sides have to be multiples of {2**halvings}; "
            f"received image_shape={tuple(image_shape)}. Pad or resize the images."
        )
    return [(height >> level, width >> level) for level in range(halvings + 1)]


def count_styles(image_shape: tuple) -> int:
    """Return how many styles an image has: two for each resolution."""
    return 2 * len(resolutions(image_shape))


def count_noise(image_shape: tuple) -> int:
    """Return how many numbers of noise an image takes: two for each pixel, one for those of the smallest resolution."""
    *others, (height, width) = resolutions(image_shape)
    return height * width + sum(2 * height * width for height, width in others)
