import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan import losses, regularizers, schedules
from kerasgan.core.judged import Batch, JudgedBatch, Update

RNG = np.random.default_rng(0)
SHAPE = (5, 4, 3, 2)
REAL, FAKE = (tf.constant(RNG.normal(size=SHAPE), "float32") for _ in range(2))
WEIGHTS = tf.constant(RNG.normal(size=SHAPE[1:]), "float32")


def linear(images):
    """Logits whose gradient is WEIGHTS, for every image."""
    return tf.reduce_sum(images * tf.cast(WEIGHTS, images.dtype), axis=(1, 2, 3))[:, None] + 3.0


def quadratic(images):
    """Logits whose gradient at an image is the image."""
    return 0.5 * tf.reduce_sum(tf.square(images), axis=(1, 2, 3))[:, None]


def judged(discriminate, real=REAL, fake=FAKE, network=None, optimizer=None, step=0, training=True):
    """A batch judged by a function of images, in an update of a network."""
    network = network or keras.Sequential([keras.Input((1,))])
    optimizer = optimizer or keras.optimizers.SGD()
    optimizer.build(network.trainable_variables)
    optimizer.iterations.assign(step)
    judges = {"": lambda images, given, seed: discriminate(images)}
    return JudgedBatch(Batch(real, fake, seed=tf.constant([3, 4])), judges, Update(network, optimizer, training))


@pytest.mark.parametrize("name", ["r1", "r2"])
def test_linear_discriminator(name):
    penalty = regularizers.REGULARIZERS[name](weight=2.5)(judged(linear))
    np.testing.assert_allclose(penalty, 0.5 * 2.5 * np.sum(WEIGHTS.numpy() ** 2), rtol=1e-5)
    assert penalty.shape == ()
    assert penalty.dtype == tf.float32


@pytest.mark.parametrize(("name", "images"), [("r1", REAL), ("r2", FAKE)])
def test_r1_looks_at_real_images_and_r2_at_generated_ones(name, images):
    penalty = regularizers.get(name)(judged(quadratic))
    expected = 0.5 * np.mean(np.sum(images.numpy() ** 2, axis=(1, 2, 3)))
    np.testing.assert_allclose(penalty, expected, rtol=1e-5)


def test_the_gradient_penalty_wants_slopes_of_one():
    norm = float(np.linalg.norm(WEIGHTS))
    np.testing.assert_allclose(regularizers.GradientPenalty(2.0)(judged(linear)), 2.0 * (norm - 1.0) ** 2, rtol=1e-5)
    flat = judged(lambda images: 0.1 * linear(images) / norm)
    np.testing.assert_allclose(regularizers.GradientPenalty(1.0)(flat), 0.81, rtol=1e-4)
    assert float(regularizers.GradientPenalty(1.0, one_sided=True)(flat)) == 0.0


def test_the_gradient_penalty_looks_at_one_point_an_image_on_the_way_from_real_to_generated():
    seen = []

    def recording(images):
        seen.append(images.numpy())
        return quadratic(images)

    regularizers.GradientPenalty()(judged(recording))
    (points,) = seen
    ways = (points - REAL.numpy()) / (FAKE.numpy() - REAL.numpy())
    ways = ways.reshape(len(points), -1)
    np.testing.assert_allclose(ways, ways[:, :1].repeat(ways.shape[1], 1), atol=1e-3)
    assert len(set(ways[:, 0].round(4))) == len(points)
    assert 0 <= ways.min() <= ways.max() <= 1


@pytest.mark.parametrize("cls", [regularizers.GradientPenalty, regularizers.DRAGAN])
def test_a_slope_of_zero_has_a_finite_gradient(cls):
    scale = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        penalty = cls()(judged(lambda images: scale * linear(images)))
    assert np.isfinite(tape.gradient(penalty, scale))


def test_dragan_wants_slopes_of_one():
    norm = float(np.linalg.norm(WEIGHTS))
    np.testing.assert_allclose(regularizers.DRAGAN(2.0)(judged(linear)), 2.0 * (norm - 1.0) ** 2, rtol=1e-5)


def test_dragan_looks_at_brighter_neighbours_of_real_images():
    seen = []

    def recording(images):
        seen.append(images.numpy())
        return quadratic(images)

    real = tf.random.stateless_normal((200, 4, 3, 2), (1, 2)) * 3.0
    regularizers.DRAGAN()(judged(recording, real=real, fake=real))
    (points,) = seen
    # One deviation for the whole batch, and of it a part an image: noise that is never negative.
    parts = (points - real.numpy()).reshape(200, -1) / (0.5 * real.numpy().std())
    assert 0 <= parts.min() <= parts.max() <= 1
    assert parts.max() > 0.9
    np.testing.assert_allclose(parts.mean(), 0.25, atol=0.02)
    # The mean part of an image is that of its own way, and these are spread evenly.
    np.testing.assert_allclose(2 * parts.mean(1).std(), np.sqrt(1 / 12), atol=0.05)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("name", ["r1", "r2", "gradient_penalty", "dragan"])
def test_gradient_penalties_by_finite_differences(name, dtype):
    seen = []

    def curved(images):
        seen.append(images)
        flat = tf.cast(tf.reshape(images, (len(images), -1)), "float32")
        slopes = tf.reshape(WEIGHTS, (-1,))
        return tf.cast(tf.sin(flat @ slopes[:, None]) + 0.1 * tf.reduce_sum(flat**2, 1, keepdims=True), "float32")

    half = [tf.cast(each, dtype) for each in (REAL, FAKE)]
    batch = judged(curved, *half)
    penalty = regularizers.get(name)(batch)
    points = {"r1": half[0], "r2": half[1]}.get(name, seen[-1])
    points, step = tf.cast(points, "float32").numpy().astype("float64"), 1e-2
    numbers = points.reshape(len(points), -1)
    slopes = np.stack(
        [
            (np.asarray(curved((numbers + way).astype("float32"))) - curved((numbers - way).astype("float32")))[:, 0]
            for way in step * np.eye(numbers.shape[1])
        ],
        axis=1,
    ) / (2 * step)
    squares = (slopes**2).sum(1)
    expected = 0.5 * squares.mean() if name in ("r1", "r2") else 10.0 * ((np.sqrt(squares) - 1) ** 2).mean()
    # The pass is in half precision where the images are; norms and means are not.
    np.testing.assert_allclose(penalty, expected, rtol=0.01 if dtype == "float32" else 0.03)
    assert penalty.dtype == tf.float32


# Terms of the generator's


def features_and_logits():
    images = keras.Input((4, 3, 2))
    features = keras.layers.Dense(3, "tanh")(keras.layers.Flatten()(images))
    return keras.Model(images, {"logits": keras.layers.Dense(1)(features), "features": features})


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_feature_matching_against_numpy(dtype):
    def outputs(images):
        flat = tf.reshape(images, (len(images), -1))
        return {"logits": flat[:, :1], "features": flat[:, :5]}

    half = [tf.cast(each, dtype) for each in (REAL, FAKE)]
    found = regularizers.FeatureMatching(2.0)(judged(outputs, *half))
    real, fake = (np.asarray(tf.cast(each, "float32")).reshape(5, -1)[:, :5] for each in half)
    np.testing.assert_allclose(found, 2.0 * ((real.mean(0) - fake.mean(0)) ** 2).sum(), rtol=1e-5)
    assert found.dtype == tf.float32


def test_the_player_of_a_term_is_trained_on_it_and_the_other_is_not():
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(24), keras.layers.Reshape((4, 3, 2))])
    gan = kerasgan.GAN(generator, features_and_logits(), seed=1)
    images = np.full((64, 4, 3, 2), 0.9, "float32")
    still = keras.optimizers.SGD(0.0)
    gan.compile(still, keras.optimizers.SGD(0.5), loss=Silent(), regularizers=["feature_matching"])
    before = gan.discriminator.get_weights()
    history = gan.fit(images, batch_size=64, epochs=40, verbose=0).history
    assert set(history) == {"loss", "d_loss", "g_loss", "feature_matching"}
    assert history["feature_matching"][-1] < 0.3 * history["feature_matching"][0]
    for old, new in zip(before, gan.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@keras.saving.register_keras_serializable("kerasgan_tests")
class Silent(losses.AdversarialLoss):
    """A loss without a slope: what is learned comes from the regularizers."""

    def discriminator(self, real_logits, fake_logits):
        return 0.0 * tf.reduce_mean(real_logits)

    def generator(self, fake_logits):
        return tf.zeros(())


def test_a_lazy_term_of_the_generator_is_refused():
    class Mine(regularizers.Regularizer):
        players = ("generator",)

    with pytest.raises(ValueError, match="every=1; got 2"):
        Mine(1.0, every=2)


# Memory


def test_historical_averaging_against_numpy():
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    term = regularizers.HistoricalAveraging(0.5)
    (memory,) = term.remember({"discriminator": network})
    past, rng = [], np.random.default_rng(0)
    for _ in range(5):
        now = [rng.normal(size=weight.shape) for weight in network.get_weights()]
        network.set_weights(now)
        middle = [np.mean([each[number] for each in past or [now]], 0) for number in range(2)]
        expected = 0.5 * sum(((a - b) ** 2).sum() for a, b in zip(now, middle, strict=True))
        resting = term(judged(linear, network=network, training=False))
        with tf.GradientTape() as tape:
            value = term(judged(linear, network=network))
        np.testing.assert_allclose([resting, value], expected, rtol=1e-4, atol=1e-6)
        slope = tape.gradient(value, network.trainable_variables)[0]
        np.testing.assert_allclose(slope, now[0] - middle[0], rtol=1e-4, atol=1e-6)
        past.append(now)
    assert int(memory.count) == 5


def test_historical_averaging_holds_each_player_to_its_own_past_and_goes_on_after_loading(make_gan, images, tmp_path):
    gan = make_gan()
    gan.compile(regularizers=["historical_averaging"])
    history = gan.fit(images[:16], batch_size=4, epochs=2, shuffle=False, verbose=0).history
    assert {"d_historical_averaging", "g_historical_averaging"} < set(history)
    assert history["d_historical_averaging"][1] > history["d_historical_averaging"][0] > 0
    assert history["g_historical_averaging"][1] > history["g_historical_averaging"][0] > 0
    assert {"d_historical_averaging", "g_historical_averaging"} < set(gan.evaluate(images, return_dict=True, verbose=0))
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert [int(each.count) for each in again.memories] == [8, 8]
    logs = [each.fit(images[:16], batch_size=4, shuffle=False, verbose=0).history for each in (gan, again)]
    assert logs[0] == logs[1]
    # Compiled anew, a player's past begins anew.
    gan.compile(regularizers=["historical_averaging"])
    assert [int(each.count) for each in gan.memories] == [0, 0]


def test_one_object_of_historical_averaging_serves_several_models(make_gan, images):
    regularizer = regularizers.HistoricalAveraging()
    first, second = make_gan(), make_gan()
    for gan in (first, second):
        gan.compile(regularizers=[regularizer])
    for gan in (first, second):
        gan.fit(images[:8], batch_size=4, verbose=0)
        assert [int(each.count) for each in gan.memories] == [2, 2]


def test_the_penalty_can_be_trained_on():
    scale = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        penalty = regularizers.R1(1.0)(judged(lambda images: scale * linear(images)))
    # The penalty is scale^2 |w|^2 / 2, so its slope is scale |w|^2.
    np.testing.assert_allclose(tape.gradient(penalty, scale), 2.0 * np.sum(WEIGHTS.numpy() ** 2), rtol=1e-5)


def test_tiny_half_precision_gradients_are_squared_in_float32():
    # 1e-4 squared is below the smallest float16.
    half = tf.cast(REAL, "float16")
    penalty = regularizers.R1(1.0)(
        judged(lambda images: tf.reduce_sum(images, axis=(1, 2, 3))[:, None] * 1e-4, half, half)
    )
    assert penalty.dtype == tf.float32
    np.testing.assert_allclose(penalty, 0.5 * 24 * 1e-8, rtol=0.02)


def test_under_mixed_bfloat16_the_penalty_is_close_to_float32s(make_dcgan, images):
    values = []
    for dtype in ("float32", "mixed_bfloat16"):
        gan = make_dcgan(dtype=dtype)
        penalty = regularizers.R1(1.0)(judged(gan.discriminate, tf.constant(images)))
        assert penalty.dtype == tf.float32
        values.append(float(penalty))
    assert values[0] > 0
    assert values[1] == pytest.approx(values[0], rel=0.05)


# Laziness, schedules


@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_a_lazy_penalty_counts_as_often_as_it_is_left_out(step):
    network = keras.Sequential([keras.Input((4, 3, 2)), keras.layers.Flatten(), keras.layers.Dense(1)])
    gradients = {}
    for every in (1, 3):
        batch = judged(network, network=network, step=step)
        with tf.GradientTape() as tape:
            penalty = regularizers.R1(2.0, every=every)(batch)
        gradients[every] = float(penalty), tape.gradient(penalty, network.trainable_variables)[0]
    times = 3.0 if step % 3 == 0 else 0.0
    assert gradients[3][0] == pytest.approx(times * gradients[1][0], rel=1e-5)
    np.testing.assert_allclose(gradients[3][1], times * gradients[1][1], rtol=1e-5)


def test_in_evaluation_a_lazy_penalty_is_itself():
    lazy = regularizers.R1(2.0, every=3)(judged(linear, step=1, training=False))
    np.testing.assert_allclose(lazy, regularizers.R1(2.0)(judged(linear)), rtol=1e-6)


def test_the_weight_follows_a_schedule():
    lazy = regularizers.R1(schedules.Linear(4.0, 0.0, over=10))
    plain = float(regularizers.R1(1.0)(judged(linear)))
    for step, weight in ((0, 4.0), (5, 2.0), (20, 0.0)):
        np.testing.assert_allclose(lazy(judged(linear, step=step)), weight * plain, rtol=1e-5)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(lazy)))
    assert regularizers.get(config).weight.get_config() == lazy.weight.get_config()


@pytest.mark.parametrize("cls", regularizers.REGULARIZERS.values())
def test_serialisation_and_errors(cls):
    regularizer = cls(weight=0.25)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(regularizer)))
    assert regularizers.get(config) == regularizer
    with pytest.raises(ValueError, match="weight >= 0; received -1"):
        cls(weight=-1)
    if "generator" not in cls.players:
        with pytest.raises(ValueError, match="every >= 1; received 0"):
            cls(every=0)


@pytest.mark.parametrize(("bad", "message"), [("r3", "Unknown regularizer 'r3'"), (3, "received 3")])
def test_what_is_no_regularizer_is_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        regularizers.get(bad)


def test_consistency_compares_an_image_with_what_the_policy_makes_of_it():
    seen = []

    def recording(images):
        seen.append(images.numpy())
        return linear(images)

    penalty = regularizers.Consistency(2.0, policy="flip")(judged(recording))
    real, changed = seen
    np.testing.assert_array_equal(real, REAL)
    turned = np.any(changed != real, axis=(1, 2, 3))
    np.testing.assert_array_equal(changed[turned], real[turned][:, :, ::-1])
    expected = 2.0 * np.mean(np.square(linear(real) - linear(changed)))
    np.testing.assert_allclose(penalty, expected, rtol=1e-5)
    # A discriminator that sees no sides is left in peace; balanced, generated images count as much.
    assert (
        float(regularizers.Consistency(policy="flip")(judged(lambda images: linear(images + images[:, :, ::-1]))))
        < 1e-6
    )
    seen.clear()
    balanced = regularizers.Consistency(2.0, balanced=True, policy="flip")(judged(recording))
    parts = [np.mean(np.square(linear(a) - linear(b))) for a, b in (seen[:2], seen[2:])]
    np.testing.assert_array_equal(seen[2], FAKE)
    np.testing.assert_allclose(balanced, 2.0 * sum(parts), rtol=1e-5)


def test_consistency_trains_lazily_and_with_other_outputs_beside_the_logits(make_gan, images):
    pixels = keras.Input((16, 16, 1))
    hidden = keras.layers.Dense(4)(keras.layers.Flatten()(pixels))
    discriminator = keras.Model(pixels, {"logits": keras.layers.Dense(1)(hidden), "features": hidden})
    gan = kerasgan.GAN(make_gan().generator, discriminator, seed=0)
    gan.compile(regularizers=[regularizers.Consistency(every=2, balanced=True)])
    history = gan.fit(images, batch_size=16, verbose=0).history
    assert np.isfinite(history["consistency"]).all()
    assert history["consistency"][0] > 0.0
