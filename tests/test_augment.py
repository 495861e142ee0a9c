import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import map_coordinates

import kerasgan
from kerasgan import augment, regularizers, schedules
from kerasgan.augment import AdaptiveAugment, DiffAugment, ScheduledAugment, adaptive
from kerasgan.core.clock import Clock

SHAPES = ((64, 16, 12, 3), (64, 16, 16, 1))
IMAGES, GREY = (tf.constant(np.random.default_rng(0).uniform(-1, 1, shape), tf.float32) for shape in SHAPES)
SEED = tf.constant([1, 2])
DIFFERENCE = {f"DiffAugment {word}": DiffAugment(word) for word in DiffAugment.steps}
ADAPTIVE = {f"ADA {word}": ScheduledAugment(word, 0.8) for word in ScheduledAugment.steps}
STEPS = DIFFERENCE | ADAPTIVE


@pytest.mark.parametrize("images", [IMAGES, GREY], ids=("colour", "grey"))
@pytest.mark.parametrize("name", STEPS)
def test_every_step_changes_images_by_the_seed(name, images):
    step = STEPS[name]
    changed = step(images, SEED)
    assert changed.shape == images.shape
    assert np.isfinite(changed).all()
    assert (np.abs(changed - images).max(axis=(1, 2, 3)) > 0).mean() > 0.35  # Half of "flip".
    np.testing.assert_array_equal(step(images, SEED), changed)
    assert not np.array_equal(step(images, SEED + 1), changed)
    # Every image by a draw of its own, which does not depend on the others.
    alike = tf.repeat(images[:1], 32, axis=0)
    assert len({image.tobytes() for image in step(alike, SEED).numpy()}) >= (2 if "flip" in name else 10)


@pytest.mark.parametrize("name", STEPS)
def test_gradients_are_those_of_finite_differences(name):
    step, way = STEPS[name], tf.random.stateless_normal(IMAGES.shape, [3, 4])
    with tf.GradientTape() as tape:
        tape.watch(IMAGES)
        total = tf.reduce_sum(way * step(IMAGES, SEED))
    slope = tape.gradient(total, IMAGES)
    # All steps are affine in the images: the difference is exact, however far apart.
    direction = tf.random.stateless_normal(IMAGES.shape, [5, 6])
    there, back = (step(IMAGES + sign * direction, SEED) for sign in (0.5, -0.5))
    by_slope, by_difference = (tf.reduce_sum(each, (1, 2, 3)) for each in (slope * direction, way * (there - back)))
    np.testing.assert_allclose(by_slope, by_difference, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("images", [IMAGES, GREY], ids=("colour", "grey"))
@pytest.mark.parametrize("word", ScheduledAugment.steps)
def test_a_probability_of_zero_changes_nothing(word, images):
    np.testing.assert_array_equal(ScheduledAugment(word, 0.0)(images, SEED), images)
    np.testing.assert_array_equal(ScheduledAugment(f"{word}:0", 1.0)(images, SEED), images)


@pytest.mark.parametrize(("word", "operations"), [("blit", 4), ("geometry", 5), ("color", 5), ("cutout", 1)])
def test_below_a_probability_of_one_images_are_left_alone_as_often_as_all_coins_say(word, operations):
    many = tf.repeat(IMAGES[:1], 2000, axis=0)
    kept = np.all(ScheduledAugment(word, 0.4)(many, SEED) == IMAGES[:1], axis=(1, 2, 3)).mean()
    # What is drawn may be nothing too: half of the mirrorings, half of the half turns, a few of the moves.
    alone = {"blit": (1 - 0.2) ** 2 * (1 - 0.4 * 3 / 4) * (1 - 0.4 * 2 / 3), "color": 0.6**4 * 0.8}
    assert kept == pytest.approx(alone.get(word, 0.6**operations), abs=0.04)


def test_shares_of_the_policy():
    blank = tf.ones((4000, 8, 8, 1))
    cut = np.any(ScheduledAugment("color:0, cutout:0.5", 0.6)(blank, SEED) == 0, axis=(1, 2, 3))
    assert cut.mean() == pytest.approx(0.3, abs=0.03)


def test_blit_turns_squares_by_the_eight_symmetries_each_undone_by_another():
    # Too small to be moved by whole pixels.
    square = np.arange(16, dtype="float32").reshape(4, 4, 1)
    symmetries = {np.rot90(each, turns).tobytes() for each in (square, square[:, ::-1]) for turns in range(4)}
    made = ScheduledAugment("blit", 1.0)(np.repeat(square[None], 400, 0), SEED).numpy()
    found, counts = np.unique(made.reshape(400, -1), axis=0, return_counts=True)
    assert {each.tobytes() for each in found} == symmetries
    assert counts.min() > 25  # Each an eighth of them.


def test_blit_moves_whole_pixels_and_mirrors_the_border():
    image = IMAGES[0].numpy()
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    possible = {}
    for row in range(5):
        for column in range(5):
            moved = padded[row : row + 16, column : column + 12]
            for turned in (moved, moved[:, ::-1], moved[::-1], moved[::-1, ::-1]):
                possible[np.ascontiguousarray(turned).tobytes()] = row, column
    made = ScheduledAugment("blit", 1.0)(np.repeat(image[None], 300, 0), SEED).numpy()
    places = [possible[each.tobytes()] for each in made]  # No squares: no quarter turns.
    assert {row for row, _ in places} == {0, 1, 2, 3, 4}
    assert {column for _, column in places} == {1, 2, 3} | ({0, 4} & {column for _, column in places})


def test_between_pixels_is_read_as_scipy_does():
    rows, columns = np.random.default_rng(1).uniform(-40, 50, (2, 64, 16, 12, 1)).astype("float32")
    read = adaptive._read(IMAGES, adaptive._mirrored_into(rows, 16), adaptive._mirrored_into(columns, 12)).numpy()
    for number in range(0, 64, 16):
        for channel in range(3):
            places = [rows[number, ..., 0], columns[number, ..., 0]]
            expected = map_coordinates(IMAGES[number, ..., channel].numpy(), places, order=1, mode="mirror")
            np.testing.assert_allclose(read[number, ..., channel], expected, atol=1e-5)


@pytest.mark.parametrize(("probability", "unscaled"), [(1.0, 0.0), (0.5, 0.5)])
def test_geometry_draws_sizes_of_the_paper_and_never_turns_images_inside_out(probability, unscaled):
    # Two ramps tell where the middle of an image was read from, and its neighbours.
    side = 65
    rows, columns = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    ramps = np.repeat(np.stack([rows, columns], -1)[None].astype("float32"), 1500, 0)
    made = ScheduledAugment("geometry", probability)(ramps, SEED).numpy()
    middle = side // 2
    inside = np.all((made[:, middle] > 4) & (made[:, middle] < side - 5), axis=-1)[:, middle - 1 : middle + 2].all(1)
    down, right = (
        (made[inside, middle + 1, middle] - made[inside, middle - 1, middle]) / 2,
        (made[inside, middle, middle + 1] - made[inside, middle, middle - 1]) / 2,
    )
    determinant = down[:, 0] * right[:, 1] - down[:, 1] * right[:, 0]
    assert inside.mean() > 0.9
    assert determinant.min() > 0.0
    sizes = 0.5 * np.log(determinant)
    still = np.abs(sizes) < 1e-5
    assert still.mean() == pytest.approx(unscaled, abs=0.05)
    assert sizes[~still].std() == pytest.approx(0.2 * np.log(2), rel=0.1)


def test_color_keeps_greys_grey_and_turns_all_colors_of_an_image_alike():
    made = ScheduledAugment("color", 1.0)(IMAGES, SEED).numpy()
    grey, grey_before = made.mean(-1, keepdims=True), IMAGES.numpy().mean(-1, keepdims=True)
    lengths = np.linalg.norm(made - grey, axis=-1) / np.linalg.norm(IMAGES - grey_before, axis=-1)
    np.testing.assert_allclose(lengths, lengths[:, :1, :1] * np.ones_like(lengths), rtol=1e-3)
    angles = np.sum((made - grey) * (IMAGES - grey_before), -1) / np.linalg.norm(IMAGES - grey_before, axis=-1) ** 2
    np.testing.assert_allclose(angles, angles[:, :1, :1] * np.ones_like(angles), atol=2e-3)
    assert np.ptp(angles[:, 0, 0] / lengths[:, 0, 0]) > 1.5  # Cosines of all hues.
    # Greys by one line an image: contrast, negative for half of them, and brightness.
    lines = [np.polyfit(grey_before[k].ravel(), grey[k].ravel(), 1) for k in range(len(made))]
    np.testing.assert_allclose(grey[5], np.polyval(lines[5], grey_before[5]), atol=1e-4)
    slopes = np.array(lines)[:, 0]
    assert 0.3 < np.mean(slopes < 0) < 0.7
    assert np.log(np.abs(slopes)).std() == pytest.approx(0.5 * np.log(2), rel=0.3)


def test_color_of_grey_images_is_contrast_brightness_and_light_for_dark():
    made = ScheduledAugment("color", 1.0)(GREY, SEED).numpy()
    for before, after in zip(GREY.numpy(), made, strict=True):
        line = np.polyfit(before.ravel(), after.ravel(), 1)
        np.testing.assert_allclose(after, np.polyval(line, before), atol=1e-4)


def test_translation_moves_whole_images_by_at_most_an_eighth():
    marked = np.zeros((200, 16, 16, 1), "float32")
    marked[:, 8, 8] = 1.0
    rows, columns = np.nonzero(DiffAugment("translation")(tf.constant(marked), SEED).numpy()[..., 0])[1:]
    assert set(rows) == set(columns) == {6, 7, 8, 9, 10}


def test_cutout_takes_a_rectangle_of_at_most_half_the_sides():
    white = DiffAugment("cutout")(tf.ones((100, 16, 16, 1)), SEED).numpy()
    gone = (white == 0).sum(axis=(1, 2, 3))
    assert 0 < gone.min() < gone.max() <= 64


def test_what_is_certain_is_augmented_more():
    certain = AdaptiveAugment("cutout,color", target=0.5, images=640)
    np.testing.assert_array_equal(certain(IMAGES, SEED), IMAGES)
    for _ in range(3):
        certain.adapt(tf.ones((64, 1)))
    np.testing.assert_allclose(certain.report()["augment_probability"], 0.3, rtol=1e-5)
    changed = np.abs(certain(IMAGES, SEED) - IMAGES).max(axis=(1, 2, 3)) > 0
    assert changed.mean() == pytest.approx(1 - 0.7**5 * 0.85, abs=0.15)
    for _ in range(9):
        certain.adapt(tf.constant([[1.0], [-1.0]] * 32))
    assert float(certain.report()["augment_probability"]) == 0.0


def test_a_schedule_moves_the_probability():
    scheduled = ScheduledAugment("color", schedules.Linear(0.0, 0.5, over=100, unit="images"))
    again = keras.saving.deserialize_keras_object(
        json.loads(json.dumps(keras.saving.serialize_keras_object(scheduled)))
    )
    assert again.get_config() == scheduled.get_config()
    clock = Clock()
    schedules.bind(clock, again)
    np.testing.assert_array_equal(again(IMAGES, SEED), IMAGES)
    clock.tick(tf.zeros((50, 1)), 1.0)
    assert float(again.report()["augment_probability"]) == 0.25
    assert not np.array_equal(again(IMAGES, SEED), IMAGES)


def test_a_relativistic_game_follows_a_schedule_and_goes_on_with_it_when_loaded(make_gan, images, tmp_path):
    gan = make_gan()
    ramp = schedules.Cosine(0.0, 0.3, over=64, unit="images")
    settings = {"augment": ScheduledAugment(probability=ramp), "regularizers": ["r1", "r2"]}
    gan.compile(loss="relativistic", **settings)
    gan.fit(images, batch_size=16, epochs=1, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    histories = [each.fit(images, batch_size=16, epochs=1, shuffle=False, verbose=0).history for each in (gan, loaded)]
    assert histories[0] == histories[1]
    # In two rounds the clock has come to 32 and 48 images of 64.
    expected = np.mean([0.3 * 0.5 * (1 - np.cos(np.pi * share)) for share in (0.5, 0.75)])
    assert histories[0]["augment_probability"][0] == pytest.approx(expected, abs=0.3 / 4)


def test_the_probability_is_saved_with_the_model(make_gan, images, tmp_path):
    gan = make_gan()
    gan.compile(augment=AdaptiveAugment(target=-0.9, images=100))
    history = gan.fit(images, batch_size=16, epochs=1, verbose=0).history
    probability = float(gan.augment.probability)
    assert history["augment_probability"][0] > 0.0
    # Observed, and no part of what is minimised.
    np.testing.assert_allclose(history["loss"], history["d_loss"][0] + history["g_loss"][0], rtol=1e-5)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert float(loaded.augment.probability) == probability > 0.0


def test_names_and_configs():
    assert type(augment.get("ada")) is type(augment.get("adaptive")) is AdaptiveAugment
    assert augment.get("ada").policy == "blit,geometry,color"
    # By the registered name, whatever the module was called when a file was written.
    config = keras.saving.serialize_keras_object(DiffAugment("cutout")) | {"module": "kerasgan.augmentations"}
    assert augment.get(config).policy == "cutout"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DiffAugment("color,rotation"), "Unknown step of an augmentation 'rotation'"),
        (lambda: DiffAugment("geometry"), "Unknown step of an augmentation 'geometry'.*Known: color"),
        (lambda: AdaptiveAugment("blit,color:2"), "the share of color must be a number from 0 to 1"),
        (lambda: AdaptiveAugment("color:often"), "the share of color must be a number from 0 to 1"),
        (lambda: AdaptiveAugment(target=1.5), "-1 < target < 1.*received 1.5"),
        (lambda: ScheduledAugment(probability=1.5), "from 0 to 1; received 1.5"),
        (lambda: ScheduledAugment(probability=schedules.Linear(0, 2, over=9)), "from 0 to 1; received 0, 2"),
        (lambda: augment.get("aba"), "Unknown augmentation 'aba'. Did you mean 'ada'"),
        (lambda: augment.get(keras.layers.Flatten()), "adapt"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@keras.saving.register_keras_serializable("kerasgan_tests")
class Halved(augment.Augmentation):
    def call(self, images, seed):
        return 0.5 * images


@pytest.mark.parametrize(("penalty", "factor"), [("r1", 0.25), ("r2", 0.25), ("gradient_penalty", None)])
def test_penalties_of_slopes_are_about_the_images_before_the_augmentation(make_gan, images, penalty, factor):
    pixels = keras.Input((16, 16, 1))
    kernel = np.random.default_rng(1).normal(size=(256, 1)).astype("float32")
    linear = keras.layers.Dense(1, use_bias=False)
    discriminator = keras.Model(pixels, linear(keras.layers.Flatten()(pixels)))
    linear.set_weights([kernel])
    gan = kerasgan.GAN(make_gan().generator, discriminator, seed=0)
    regularizer = regularizers.get(penalty)
    still = [keras.optimizers.SGD(0.0) for _ in range(2)]
    gan.compile(*still, augment=Halved(), regularizers=[regularizer])
    term = gan.train_step(tf.constant(images))[penalty]
    square = np.sum(kernel**2)
    # D(x / 2) has half of D's slope.
    expected = 0.5 * factor * square if factor else 10.0 * (0.5 * np.sqrt(square) - 1.0) ** 2
    np.testing.assert_allclose(term, regularizer.weight * expected if factor else expected, rtol=1e-5)


def test_both_sides_of_both_players_are_augmented_and_nothing_in_evaluation(make_gan, images):
    @keras.saving.register_keras_serializable("kerasgan_tests")
    class Blank(augment.Augmentation):
        def call(self, images, seed):
            return 0.0 * images

    gan = make_gan(dropout=0.0)
    gan.compile(*(keras.optimizers.SGD(0.0) for _ in range(2)), augment=Blank())
    terms = gan.train_step(tf.constant(images))
    # The discriminator sees one blank image everywhere: its logit is 0 but for the bias, which is 0.
    np.testing.assert_allclose([terms["d_loss"], terms["g_loss"]], [2 * np.log(2), np.log(2)], rtol=1e-4)
    assert gan.evaluate(images, verbose=0, return_dict=True)["g_loss"] != pytest.approx(np.log(2), rel=1e-4)
