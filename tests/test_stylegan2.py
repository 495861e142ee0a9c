"""StyleGAN2: its layers against what they are short for, what moves w's mean, truncation, mixing, path lengths."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.core.judged import Update, frozen_state
from kerasgan.layers import (
    EqualizedConv2D,
    EqualizedDense,
    FilteredDoubling,
    FilteredHalving,
    GivenNoise,
    ModulatedConv2D,
    TrackedMean,
    filtering,
)
from kerasgan.networks.style import count_noise, count_styles, resolutions
from kerasgan.regularizers import PathLength, path_lengths

SHAPE = (16, 16, 3)
FIR = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64.0
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 6, 8, 3)).astype("float32")


def make(**settings):
    return kerasgan.StyleGAN2(SHAPE, **{"latent_dim": 6, "base_filters": 4, "max_filters": 8, "seed": 0} | settings)


@pytest.fixture(scope="module")
def gan():
    """A model whose noise counts, and whose w has a mean; tests leave it as it is."""
    model = make()
    for layer in model.sampler._flatten_layers():
        if isinstance(layer, GivenNoise):
            layer.strength.assign(0.5)
    w = model.sampler.get_layer("mapping")(model.sample_latents(64, seed=3))
    model.sampler.get_layer("mean").mean.assign(tf.reduce_mean(w, axis=0))
    return model


# Layers


def convolve(image, kernel, before=1, after=1):
    """Return what a network calls the convolution of (h, w, c) with (a, b, c, o), padded by zeros."""
    image = np.pad(image, ((before, after), (before, after), (0, 0)))
    rows, columns = (image.shape[axis] - kernel.shape[axis] + 1 for axis in (0, 1))
    return sum(
        image[i : i + rows, j : j + columns] @ kernel[i, j]
        for i in range(kernel.shape[0])
        for j in range(kernel.shape[1])
    )


def filtered(image, before, after):
    return convolve(image, FIR[:, :, None, None] * np.eye(image.shape[-1]), before, after)


def with_zeros_between(image):
    larger = np.zeros((2 * image.shape[0], 2 * image.shape[1], image.shape[2]))
    larger[::2, ::2] = image
    return larger


@pytest.mark.parametrize("demodulated", [True, False])
@pytest.mark.parametrize("double", [True, False])
def test_scaling_channels_is_a_kernel_for_every_image(demodulated, double):
    styles = RNG.normal(size=(2, 3, 5)).astype("float32")
    layer = ModulatedConv2D(4, style=1, demodulated=demodulated, double=double, gain=1.5, seed=0)
    made = np.asarray(layer([IMAGES, styles]))
    layer.bias.assign([1.0, 2.0, 3.0, 4.0])
    affine, bias = (np.asarray(each) for each in (layer.affine.kernel, layer.affine.bias))
    np.testing.assert_array_equal(bias, 1.0)
    for image, style, one in zip(IMAGES, styles[:, 1], made, strict=True):
        scales = style @ affine / np.sqrt(5) + bias
        kernel = np.asarray(layer.kernel) / np.sqrt(27) * scales[:, None]
        if demodulated:
            kernel = kernel / np.sqrt((kernel**2).sum(axis=(0, 1, 2)))
        if double:
            # Zeros between pixels, and 4 times what is left of them.
            expected = 4.0 * filtered(convolve(with_zeros_between(image), kernel, 2, 1), 1, 2)[:12, :16]
        else:
            expected = convolve(image, kernel)
        np.testing.assert_allclose(one, 1.5 * expected, atol=2e-5)
    assert layer.compute_output_shape([IMAGES.shape, styles.shape]) == made.shape
    np.testing.assert_allclose(
        layer([IMAGES, styles]) - made, np.broadcast_to([1.5, 3.0, 4.5, 6.0], made.shape), rtol=1e-4
    )


def test_a_demodulated_style_changes_only_the_mixture():
    styles = RNG.normal(size=(2, 1, 5)).astype("float32")
    layer = ModulatedConv2D(4, seed=0)
    before = np.asarray(layer([IMAGES, styles]))
    layer.affine.kernel.assign(layer.affine.kernel * 100.0)
    layer.affine.bias.assign(layer.affine.bias * 100.0)
    np.testing.assert_allclose(layer([IMAGES, styles]), before, atol=1e-4)


def test_equalised_weights_are_of_one_size_and_scaled_where_used():
    values = RNG.normal(size=(3, 50)).astype("float32")
    layer = EqualizedDense(400, rate=0.01, bias=2.0, rectified=False, seed=0)
    made = np.asarray(layer(values))
    assert np.asarray(layer.kernel).std() == pytest.approx(100.0, rel=0.05)
    np.testing.assert_allclose(made, values @ np.asarray(layer.kernel) * 0.01 / np.sqrt(50) + 2.0, rtol=1e-4, atol=1e-4)
    convolution = EqualizedConv2D(40, seed=0)
    made = np.asarray(convolution(IMAGES))
    assert np.asarray(convolution.kernel).std() == pytest.approx(1.0, rel=0.1)
    plain = convolve(IMAGES[0], np.asarray(convolution.kernel) / np.sqrt(27))
    np.testing.assert_allclose(made[0], np.sqrt(2) * np.where(plain > 0, plain, 0.2 * plain), atol=1e-5)


def test_adam_moves_what_equalised_weights_do_by_their_rate():
    moves = []
    for rate in (1.0, 0.01):
        layer = EqualizedDense(4, rate=rate, rectified=False, seed=0)
        layer.build((None, 9))
        before = np.asarray(layer.kernel)
        optimizer = keras.optimizers.Adam(0.1)
        optimizer.apply([tf.ones((9, 4))], [layer.kernel])
        moves.append(np.abs(np.asarray(layer.kernel) - before).mean() * rate / 3.0)
    np.testing.assert_allclose(moves, [0.1 / 3.0, 0.001 / 3.0], rtol=1e-3)


def test_filters_against_an_explicit_convolution():
    halved, doubled = FilteredHalving()(IMAGES), FilteredDoubling()(IMAGES)
    convolution = EqualizedConv2D(4, halve=True, rectified=False, seed=0)
    made = np.asarray(convolution(IMAGES))
    for number, image in enumerate(IMAGES):
        np.testing.assert_allclose(halved[number], filtered(image, 1, 1)[::2, ::2], atol=1e-6)
        np.testing.assert_allclose(doubled[number], 4.0 * filtered(with_zeros_between(image), 2, 1), atol=1e-5)
        kernel = np.asarray(convolution.kernel) / np.sqrt(27)
        np.testing.assert_allclose(made[number], convolve(filtered(image, 2, 2), kernel, 0, 0)[::2, ::2], atol=1e-5)
    with pytest.raises(ValueError, match="Only even sides can be halved; received images of 7x8"):
        FilteredHalving().compute_output_shape((None, 7, 8, 3))


@pytest.mark.parametrize("name", ["halve", "double", "blur"])
def test_gradients_of_filters_and_theirs(name):
    function = {"halve": filtering.halve, "double": filtering.double, "blur": lambda x: filtering.blur(x, 2)}[name]
    images = tf.constant(IMAGES[:1, :4, :4, :1])
    # All are linear: their gradient is the transpose of their matrix, and the gradient of a gradient is the matrix.
    basis = tf.reshape(tf.eye(16), (16, 4, 4, 1))
    columns = function(basis)
    upstream = tf.random.stateless_normal(columns.shape[1:], (1, 2))
    with tf.GradientTape() as outer:
        outer.watch(upstream)
        with tf.GradientTape() as tape:
            tape.watch(images)
            value = tf.reduce_sum(function(images) * upstream)
        slope = tape.gradient(value, images)
        squared = tf.reduce_sum(slope**2) / 2
    expected = tf.tensordot(columns, upstream, [[1, 2, 3], [0, 1, 2]])
    np.testing.assert_allclose(np.ravel(slope), expected, atol=1e-5)
    np.testing.assert_allclose(
        outer.gradient(squared, upstream), tf.tensordot(expected, columns, [[0], [0]]), atol=1e-5
    )


def test_the_discriminator_compares_the_images_of_a_batch():
    gan = make()
    images = RNG.uniform(-1, 1, (4, *SHAPE)).astype("float32")
    alike = np.concatenate([images[:1]] * 4)
    assert not np.allclose(gan.discriminate(images)[0], gan.discriminate(alike)[0], atol=1e-5)


def test_what_cannot_be_built_is_refused():
    for change, message in (
        ({"image_shape": (8, 8, 3)}, "A StyleGAN2 makes images of 16 to 128 pixels"),
        ({"image_shape": (30, 32, 3)}, r"halved 2 times, so its sides have to be multiples of 4; received .*\(30, 32"),
        ({"style_mixing": 1.5}, "style_mixing is a probability; received 1.5"),
        ({"max_filters": 0}, "max_filters must be a whole number"),
    ):
        with pytest.raises(ValueError, match=message):
            kerasgan.StyleGAN2(**{"latent_dim": 4, "base_filters": 4, "max_filters": 4} | change)
    for layer, message in (
        (lambda: EqualizedDense(3, rate=0.0), "rate > 0; received 0.0"),
        (lambda: GivenNoise(-1), "first >= 0; received -1"),
        (lambda: TrackedMean(1.0), r"decay in \[0, 1\); received 1.0"),
    ):
        with pytest.raises(ValueError, match=message):
            layer()


def test_resolutions_styles_and_noise():
    assert resolutions((64, 64, 3)) == [(64, 64), (32, 32), (16, 16), (8, 8), (4, 4)]
    assert resolutions((28, 28, 1)) == [(28, 28), (14, 14), (7, 7)]
    assert resolutions((16, 24, 1)) == [(16, 24), (8, 12), (4, 6)]
    assert (count_styles((64, 64, 3)), count_noise((16, 24, 1))) == (10, 24 + 2 * 96 + 2 * 384)


# What training moves


def mean_of(network) -> np.ndarray:
    return np.asarray(network.get_layer("mean").mean)


def test_the_mean_of_w_is_moved_by_the_generators_own_update_and_saved(tmp_path):
    gan = make(d_steps=2, ema_decay=0.5)
    gan.compile(run_eagerly=True)
    real = tf.constant(RNG.uniform(-1, 1, (4, *SHAPE)).astype("float32"))
    seen = []
    synthesize = gan.synthesize

    def watched(*arguments, **settings):
        seen.append((mean_of(gan.generator), synthesize(*arguments, **settings)))
        return seen[-1][1]

    gan.synthesize = watched
    w = gan.generator.get_layer("mapping")
    gan.train_step(tf.concat([real, real], 0))
    # Two batches were made, and the first, of the discriminator alone, moved nothing.
    assert len(seen) == 2
    np.testing.assert_array_equal(seen[1][0], 0.0)
    gan.synthesize = synthesize
    before = mean_of(gan.generator)
    assert before.any()
    assert mean_of(gan.sampler).any()
    gan.evaluate(real, verbose=0)
    gan.generate(2, truncation=0.5)
    gan.update_discriminator(seen[1][1])
    np.testing.assert_array_equal(mean_of(gan.generator), before)
    latents = gan.sample_latents(8, seed=1)
    gan.generator([latents, tf.zeros((8, count_noise(SHAPE)))], training=True)
    expected = 0.995 * before + 0.005 * np.asarray(w(latents)).mean(axis=0)
    np.testing.assert_allclose(mean_of(gan.generator), expected, atol=1e-6)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    for network in ("generator", "ema_generator"):
        np.testing.assert_array_equal(mean_of(getattr(loaded, network)), mean_of(getattr(gan, network)))
    np.testing.assert_allclose(loaded.generate(2, 1, truncation=0.5), gan.generate(2, 1, truncation=0.5), atol=1e-6)


def test_penalties_are_lazy():
    gan = make()
    gan.compile(regularizers=[kerasgan.regularizers.R1(1.0, every=3), PathLength(2.0, every=2)])
    real = tf.constant(RNG.uniform(-1, 1, (4, *SHAPE)).astype("float32"))
    (lengths,) = gan.memories
    found, means = [], []
    for _ in range(4):
        gan.reset_metrics()
        found.append({name: float(value) for name, value in gan.train_step(real).items()})
        means.append(float(lengths.mean))
    assert [bool(each["r1"]) for each in found] == [True, False, False, True]
    assert [bool(each["path_length"]) for each in found] == [True, False] * 2
    assert means[0] == means[1] != means[2] == means[3]


def test_path_lengths_against_finite_differences(gan):
    synthesis = gan.sampler.get_layer("synthesis")
    seed = tf.constant([4, 5])
    styles = tf.random.stateless_normal((2, *synthesis.inputs[0].shape[1:]), seed=(1, 1))
    noise = tf.random.stateless_normal((2, count_noise(SHAPE)), seed=(1, 2))
    found = path_lengths(synthesis, styles, noise, seed)
    directions = tf.random.stateless_normal((2, *SHAPE), seed) / 16.0
    size, (count, dim) = 1e-2, styles.shape[1:]
    steps = size * np.eye(count * dim, dtype="float32").reshape(-1, count, dim)
    for number in range(2):
        repeated = tf.repeat(noise[number : number + 1], len(steps), axis=0)
        ends = [synthesis([styles[number] + sign * steps, repeated], training=True) for sign in (1, -1)]
        slopes = tf.reduce_sum((ends[0] - ends[1]) * directions[number], (1, 2, 3)) / (2 * size)
        expected = np.sqrt(np.mean(np.sum(np.reshape(slopes, (count, dim)) ** 2, axis=1)))
        assert float(found[number]) == pytest.approx(expected, rel=0.02)


def test_the_penalty_of_path_lengths_is_their_distance_from_the_mean_and_moves_nothing_else():
    gan = make(num_classes=3)
    gan.compile(regularizers=[PathLength(every=1)])
    real, labels = tf.zeros((4, *SHAPE)), tf.constant([0, 1, 2, 0])
    with frozen_state():
        batch = gan.synthesize(real, {"labels": labels}, tf.constant([1, 2]))
    (lengths,), before = gan.memories, mean_of(gan.generator)
    judged = gan.judged(batch, Update(gan.generator, gan.g_optimizer, frozen=True))
    penalty = float(gan.regularizers[0].penalty(judged))
    np.testing.assert_array_equal(mean_of(gan.generator), before)
    again = gan.judged(batch, Update(gan.generator, gan.g_optimizer, training=False, frozen=True))
    w = gan.generator.get_layer("mapping")([batch.latents[:2], labels[:2]])
    styles = tf.repeat(w[:, None], count_styles(SHAPE), axis=1)
    seen = path_lengths(gan.generator.get_layer("synthesis"), styles, batch.given["noise"][:2], again.next_seed())
    mean = 0.01 * np.mean(seen)
    assert float(lengths.mean) == pytest.approx(mean, rel=1e-4)
    assert penalty == pytest.approx(np.mean((seen - mean) ** 2), rel=1e-4)


def test_path_lengths_are_for_generators_with_styles():
    gan = kerasgan.DCGAN((16, 16, 1), 4, 4)
    with pytest.raises(ValueError, match=r"path_length is about the styles of a generator.*DCGAN has none"):
        gan.compile(regularizers=["path_length"])


def test_default_settings_are_the_authors():
    gan = kerasgan.StyleGAN2((64, 64, 3), 4, 4, 4)
    gan.compile()
    (penalty,) = gan.regularizers
    assert (penalty.weight, penalty.every) == (pytest.approx(0.0002 * 4096 / 32), 16)
    assert gan.r1_weight(64) == pytest.approx(0.0128)
    # An optimizer whose penalty comes in every 16th update: 16 of 17 steps.
    assert float(gan.d_optimizer.learning_rate) == pytest.approx(0.0025 * 16 / 17)
    assert (gan.d_optimizer.beta_1, gan.d_optimizer.beta_2) == (0.0, pytest.approx(0.99 ** (16 / 17)))
    assert float(gan.g_optimizer.learning_rate) == pytest.approx(0.0025)
    kernels = [
        np.asarray(each) for each in (*gan.generator.weights, *gan.discriminator.weights) if each.name == "kernel"
    ]
    assert not any(np.array_equal(kernel, other) for number, kernel in enumerate(kernels) for other in kernels[:number])


# What it makes


def test_noise_changes_the_image_and_repeats_it(gan):
    noise = RNG.normal(size=(2, count_noise(SHAPE))).astype("float32")
    latents = np.asarray(gan.sample_latents(2, seed=1))
    made = gan.generate(2, latents=latents, noise=noise)
    np.testing.assert_array_equal(gan.generate(2, latents=latents, noise=noise), made)
    assert np.abs(gan.generate(2, latents=latents, noise=-noise) - made).max() > 1e-2
    # Every layer has numbers of its own.
    for first in (0, 16, 80, 144, 400):
        other = noise.copy()
        other[:, first] += 3.0
        assert np.abs(gan.generate(2, latents=latents, noise=other) - made).max() > 1e-4, first


def test_truncation(gan):
    whole, cut, none = (gan.generate(4, 1, truncation=share, noise=np.zeros((4, 656))) for share in (1.0, 0.5, 0.0))
    np.testing.assert_allclose(gan.truncated(1.0).generate(4, 1, noise=np.zeros((4, 656))), whole, atol=1e-6)
    np.testing.assert_allclose(none, np.broadcast_to(none[:1], none.shape), atol=1e-6)
    styles = tf.tile(mean_of(gan.sampler)[None, None], [1, count_styles(SHAPE), 1])
    expected = gan.sampler.get_layer("synthesis")([styles, tf.zeros((1, 656))], training=False)
    np.testing.assert_allclose(none[:1], expected, atol=1e-6)
    assert 0.0 < np.std(cut, axis=0).mean() < np.std(whole, axis=0).mean()
    with pytest.raises(ValueError, match=r"truncation must be in \[0, 1\], 1 for none; received 1.5"):
        gan.generate(2, truncation=1.5)


def test_mixing(gan):
    a, b = (1, 2), (3, 4, 5)
    mixed = {layers: gan.mix(a, b, layers) for layers in ("coarse", "middle", "fine", "all")}
    assert mixed["all"].shape == (2, 3, *SHAPE)
    noise = {seed: np.asarray(gan.sampler_inputs(1, seed)[-1]) for seed in (*a, *b)}
    for column, seed in enumerate(b):
        latents = np.asarray(gan.sampler_inputs(1, seed)[0])
        second = gan.generate(1, latents=latents, noise=noise[a[0]])[0]
        np.testing.assert_allclose(mixed["all"][0, column], second, atol=1e-5)
    for row, seed in enumerate(a):
        own = gan.generate(1, seed)[0]
        np.testing.assert_allclose(gan.mix([seed], [seed], "fine")[0, 0], own, atol=1e-5)
        for layers in ("coarse", "middle", "fine"):
            assert not np.allclose(mixed[layers][row, 0], own, atol=1e-3)
            assert not np.allclose(mixed[layers][row, 0], mixed["all"][row, 0], atol=1e-3)
    with pytest.raises(ValueError, match=r"layers must be one of .*'coarse'.*received 'some'"):
        gan.mix(a, b, "some")
    panels = gan.panels()
    assert list(panels) == ["style_mixing/coarse", "style_mixing/middle", "style_mixing/fine"]
    made, columns, _ = panels["style_mixing/fine"]
    assert (made.shape, columns) == ((24, *SHAPE), 6)
    np.testing.assert_allclose(made[7], gan.mix([0], [3], "fine", truncation=0.7)[0, 0], atol=1e-5)


def test_mixing_in_training_gives_some_images_two_styles():
    gan = make(style_mixing=1.0)
    real, seed = tf.zeros((32, *SHAPE)), tf.constant([1, 2])
    with frozen_state():
        mixed = gan.synthesize(real, {}, seed)
        gan.style_mixing = 0.0
        plain = gan.synthesize(real, {}, seed)
        gan.style_mixing = 1e-9
        unmixed = gan.synthesize(real, {}, seed)
    np.testing.assert_allclose(unmixed.fake, plain.fake, atol=1e-5)
    differ = np.abs(mixed.fake - plain.fake).max(axis=(1, 2, 3)) > 1e-4
    assert differ.all()
    assert not np.abs(gan.generator.get_layer("mean").mean).any()


def test_classes_reach_both_players():
    gan = make(num_classes=3)
    alike = {"latents": np.ones((3, 6)), "noise": np.zeros((3, 656))}
    images = gan.generate(3, labels=[0, 1, 2], **alike)
    assert np.abs(images[0] - images[1]).max() > 1e-2
    assert np.abs(images[1] - images[2]).max() > 1e-2
    logits = [np.asarray(gan.discriminate(images, labels=np.full(3, label))) for label in (0, 1)]
    assert np.abs(logits[0] - logits[1]).max() > 1e-3
    assert gan.mix([1], [2], labels=1).shape == (1, 1, *SHAPE)


@pytest.mark.parametrize("num_classes", [None, 3])
def test_w_is_a_space_to_look_for_images_in(num_classes):
    gan = make(num_classes=num_classes)
    space = gan.latent_spaces()["w"]
    points = space.start(64, 5)
    given = dict(zip(gan.takes, gan.sampler_inputs(64, 5), strict=True))
    np.testing.assert_allclose(space.synthesize(points, given), gan.generate(64, 5), atol=1e-5)
    typical, far = space.unusual(points), space.unusual(10.0 * points)
    assert np.median(typical) < 1.0
    assert np.min(far) > np.max(typical)
