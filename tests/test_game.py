"""Packs, constraints, pools, class conditioning and several games on one batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.constraints import WeightClip
from kerasgan.core.judged import Batch, JudgedBatch, Update
from kerasgan.core.packing import pack_examples
from kerasgan.layers import ClassAffine, ImagePool, Projection
from kerasgan.networks.mlp import mlp_discriminator, mlp_generator


def test_a_pack_holds_whole_images_side_by_side():
    images = np.arange(5 * 2 * 2 * 3, dtype="float32").reshape(5, 2, 2, 3)
    packs = pack_examples(tf.constant(images), 2).numpy()
    assert packs.shape == (3, 2, 2, 6)
    for pack, (first, second) in zip(packs, [(0, 1), (2, 3), (4, 0)], strict=True):
        np.testing.assert_array_equal(pack[..., :3], images[first])
        np.testing.assert_array_equal(pack[..., 3:], images[second])


def test_a_pack_of_points_is_their_numbers_in_a_row():
    points = tf.reshape(tf.range(8.0), (4, 2))
    np.testing.assert_array_equal(pack_examples(points, 2), tf.reshape(points, (2, 4)))


def test_a_discriminator_has_to_be_built_for_packs(images):
    generator = mlp_generator((16, 16, 1), 4, (8,))
    with pytest.raises(ValueError, match=r"pack=2 shows .*\(16, 16, 2\).*takes \[\(16, 16, 1\)\]"):
        kerasgan.GAN(generator, mlp_discriminator((16, 16, 1), (8,)), pack=2)
    packed = kerasgan.GAN(generator, mlp_discriminator((16, 16, 2), (8,)), pack=2)
    packed.compile(regularizers=["r1"])
    packed.fit(images, batch_size=8, verbose=0)
    assert packed.discriminate(images).shape == (16, 1)


@pytest.mark.parametrize("family", ["VanillaGAN", "DCGAN", "LSGAN", "WGAN", "WGANGP"])
def test_a_family_builds_its_discriminator_for_packs(family, images):
    family = getattr(kerasgan, family)
    gan = family((16, 16, 1), 4, pack=4, seed=0)
    assert gan.discriminator.input_shape == (None, 16, 16, 4)
    assert gan.discriminate(images).shape == (8, 1)
    assert family.from_config(gan.get_config()).pack == 4
    with pytest.raises(ValueError, match="pack must be a positive whole number; received 0"):
        family((16, 16, 1), 4, pack=0)


def test_a_weight_clip_holds_from_the_start_and_after_every_update(make_gan, images, tmp_path):
    gan = make_gan()
    gan.compile(loss="wasserstein", d_constraint=WeightClip(0.01), d_optimizer=keras.optimizers.RMSprop(0.1))

    def largest(model):
        return max(float(np.abs(each).max()) for each in model.discriminator.trainable_variables)

    assert largest(gan) <= 0.01
    gan.fit(images, batch_size=16, verbose=0)
    assert largest(gan) == pytest.approx(0.01)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    loaded.fit(images, batch_size=16, verbose=0)
    assert largest(loaded) == pytest.approx(0.01)
    with pytest.raises(ValueError, match="limit > 0; received 0"):
        WeightClip(0)


def test_each_pass_is_made_once_and_penalties_share_it():
    passes = []

    def judge(images, given, seed):
        passes.append(images.shape[0])
        return {"logits": tf.reduce_sum(images, axis=(1, 2, 3))[:, None], "classes": images[:, 0, 0]}

    update = Update(keras.Sequential([keras.Input((1,))]), keras.optimizers.SGD())
    update.optimizer.build([])
    made = Batch(tf.ones((3, 2, 2, 1)), tf.zeros((4, 2, 2, 1)), seed=tf.constant([0, 0]))
    batch = JudgedBatch(made, {"": judge}, update)
    assert batch.real_logits.shape == (3, 1)
    assert batch.real_outputs["classes"].shape == (3, 1)
    np.testing.assert_allclose(batch.squared_gradient_norm("real"), 4.0)
    np.testing.assert_allclose(batch.squared_gradient_norm("fake"), 4.0)
    assert passes == [3, 4]
    assert len({tuple(batch.next_seed().numpy()) for _ in range(5)}) == 5


def test_the_slope_at_a_pack_is_that_of_all_its_images_together():
    def judge(images, given, seed):
        return tf.reduce_sum(pack_examples(images, 2) * [1.0, 2.0], axis=(1, 2, 3))[:, None]

    update = Update(keras.Sequential([keras.Input((1,))]), keras.optimizers.SGD())
    update.optimizer.build([])
    made = Batch(tf.ones((6, 2, 2, 1)), tf.zeros((6, 2, 2, 1)), seed=tf.constant([0, 0]))
    batch = JudgedBatch(made, {"": judge}, update, pack=2)
    np.testing.assert_allclose(batch.squared_gradient_norm("real"), [4 * (1 + 4)] * 3)
    np.testing.assert_allclose(batch.squared_gradient_norm_at(made.fake), [4 * (1 + 4)] * 3)


def test_class_affine_scales_and_shifts_by_class():
    layer = ClassAffine(3)
    images = tf.random.normal((4, 2, 2, 5))
    np.testing.assert_array_equal(layer([images, tf.constant([0, 1, 2, 0])]), images)
    layer.gamma.assign(tf.reshape(tf.range(15.0), (3, 5)))
    layer.beta.assign(tf.ones((3, 5)))
    found = layer([images, tf.constant([2, 1, 0, 2])])
    np.testing.assert_allclose(found[0], images[0] * np.arange(10, 15) + 1, rtol=1e-5)
    np.testing.assert_allclose(found[2], images[2] * np.arange(5) + 1, rtol=1e-5)


def test_projection_is_the_inner_product_with_the_label_s_vector():
    layer, features = Projection(3), tf.random.normal((4, 7))
    labels = tf.constant([2, 0, 1, 2])
    found = layer([features, labels])
    np.testing.assert_allclose(found[:, 0], np.sum(features * layer.embeddings.numpy()[labels], axis=1), rtol=1e-4)


def test_a_pool_gives_back_new_images_until_it_is_full_and_then_older_ones_too():
    pool = ImagePool((1, 1, 1), size=4)
    new = np.arange(1.0, 41.0, dtype="float32").reshape(-1, 2, 1, 1, 1)
    given = [pool(tf.constant(batch), tf.constant([3, number])).numpy() for number, batch in enumerate(new)]
    np.testing.assert_array_equal(given[:2], new[:2])
    older = sum((batch < images.min()).sum() for batch, images in zip(given[2:], new[2:], strict=True))
    assert 8 <= older <= 28  # Half of 36 by the toss of a coin.
    # The first four were given and kept; from then on an image is given or kept, never both, and none is made up.
    later = np.concatenate([np.ravel(given[2:]), np.ravel(pool.images)])
    assert sorted(later) == sorted(np.ravel(new))


def test_a_stand_in_for_no_image_does_not_enter_the_pool():
    pool = ImagePool((1, 1, 1), size=4)
    pool(tf.zeros((1, 1, 1, 1)), tf.constant([1, 2]), share=0.0)
    assert int(pool.count) == 0


def test_the_penalties_of_two_discriminators_are_computed_apart():
    class TwoGames(kerasgan.GAN):
        """Two discriminators of one image and its mirror image."""

        terms = ("d_loss_a", "d_loss_b", "g_loss_a", "g_loss_b")

        def unpack(self, data):
            (real,) = data
            return (real, real[:, :, ::-1]), {}

        def synthesize(self, real, given, seed, training=True):
            fake = self.generator(self.sample_latents(tf.shape(real[0])[0], seed), training=training)
            return Batch(real, (fake, fake[:, :, ::-1]), seed=seed)

        def judges(self):
            return {f"_{name}": self.discriminator.get_layer(name) for name in "ab"}

    judges = [mlp_discriminator((16, 16, 1), (8,)) for _ in "ab"]
    for judge, name in zip(judges, "ab", strict=True):
        judge.name = name
    both = [keras.Input((16, 16, 1)) for _ in "ab"]
    grouped = keras.Model(both, [judge(images) for judge, images in zip(judges, both, strict=True)])
    model = TwoGames(mlp_generator((16, 16, 1), 4, (8,)), grouped)
    model.compile(regularizers=["r1"])
    terms = model.train_step((tf.random.uniform((4, 16, 16, 1), -1, 1),))
    assert {"r1_a", "r1_b"} <= set(terms)
    assert float(terms["r1_a"]) != float(terms["r1_b"])
    assert float(terms["r1_a"]) > 0.0
