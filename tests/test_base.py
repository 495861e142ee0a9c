"""What every model can do, beyond the contract: own variables, defaults of what it takes and makes, refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.kinds import Images, Labels, Latents, Vectors

SHAPE = (16, 16, 1)
TINY = {"image_shape": SHAPE, "latent_dim": 4, "base_filters": 4}


@keras.saving.register_keras_serializable("kerasgan_tests_base")
class Counting(kerasgan.DCGAN):
    """A DCGAN with a variable of its own."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")


@pytest.mark.parametrize("path", ["model.keras", "model.weights.h5"])
def test_a_models_own_variables_are_saved(tmp_path, path):
    model = Counting(**TINY)
    model.count.assign(7.0)
    if path.endswith(".keras"):
        model.save(tmp_path / path)
        loaded = keras.models.load_model(tmp_path / path)
    else:
        model.save_weights(tmp_path / path)
        loaded = Counting(**TINY)
        loaded.load_weights(tmp_path / path)
    assert float(loaded.count) == 7.0


def test_channels_first_is_refused_by_name():
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match=r"channels_last .*image_data_format = \"channels_first\""):
            kerasgan.DCGAN(**TINY)
    finally:
        keras.config.set_image_data_format("channels_last")


def two_networks(shape, inputs=1):
    layers = keras.layers
    taken = [keras.Input((4,)), keras.Input((), dtype="int32")][:inputs]
    units = int(np.prod(shape))
    generator = keras.Model(taken, layers.Reshape(shape)(layers.Dense(units, "tanh")(taken[0])))
    judged = keras.Input(shape)
    return generator, keras.Model(judged, layers.Dense(1)(layers.Flatten()(judged)))


def test_what_a_model_takes_and_makes_follows_from_its_networks():
    images = kerasgan.GAN(*two_networks(SHAPE))
    assert (images.takes, images.makes, images.learns) == (
        {"latents": Latents(4)},
        Images(SHAPE),
        {"images": Images(SHAPE)},
    )
    conditional = kerasgan.GAN(*two_networks(SHAPE, 2), num_classes=3)
    assert conditional.takes == {"latents": Latents(4), "labels": Labels(3)}
    assert conditional.learns == {"images": Images(SHAPE), "labels": Labels(3)}
    assert kerasgan.GAN(*two_networks((2,))).makes == Vectors(2)
    with pytest.raises(ValueError, match=r"output has the shape \(8, 3\).*a property `makes`"):
        kerasgan.GAN(*two_networks((8, 3))).fit(np.zeros((2, 8, 3), "float32"))


def test_classes_that_cannot_be_chosen_are_learned_from_and_not_taken():
    gan = kerasgan.GAN(*two_networks(SHAPE), num_classes=3)
    assert list(gan.takes) == ["latents"]
    assert list(gan.learns) == ["images", "labels"]
    with pytest.raises(ValueError, match=r"unconditional; received labels"):
        gan.generate(2, labels=1)


def test_points_of_a_plane_are_learned_like_images():
    gan = kerasgan.GAN(*two_networks((2,)), seed=0)
    gan.compile()
    points = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    assert np.isfinite(gan.fit(points, verbose=0).history["loss"]).all()
    assert gan.generate(3, seed=0).shape == (3, 2)
    with pytest.raises(ValueError, match="Vectors must be finite"):
        gan.fit(points * np.inf, verbose=0)


@pytest.mark.parametrize("run_eagerly", [True, False])
def test_labels_out_of_range_are_refused_in_arrays_and_data_sets(run_eagerly):
    gan = kerasgan.GAN(*two_networks(SHAPE), num_classes=3)
    gan.compile(run_eagerly=run_eagerly)
    images = np.zeros((4, *SHAPE), "float32")
    for label in (-1, 3):
        labels = np.full(4, label)
        with pytest.raises(ValueError, match=r"labels must be in 0\.\.2.*Smallest"):
            gan.fit(images, labels, verbose=0)
        with pytest.raises(ValueError, match=r"labels must be in 0\.\.2"):
            gan.fit(tf.data.Dataset.from_tensors((images, labels)), verbose=0)
    with pytest.raises(ValueError, match=r"shape \(batch,\), one an example; received \(4, 1\)"):
        gan.fit(images, np.zeros((4, 1), "int32"), verbose=0)


class Watching(kerasgan.DCGAN):
    """A DCGAN that reports a number besides what it minimises."""

    terms = (*kerasgan.DCGAN.terms, "hundred")
    observations = ("hundred",)

    def generator_terms(self, batch):
        return super().generator_terms(batch) | {"hundred": 100.0 + 0.0 * batch.fake_logits[0, 0]}


def test_what_is_observed_is_reported_and_not_minimised():
    def fit(model_class):
        model = model_class(**TINY, seed=0)
        model.compile(run_eagerly=True)
        return model.fit(np.zeros((4, *SHAPE), "float32"), verbose=0).history

    plain, watched = fit(kerasgan.DCGAN), fit(Watching)
    assert watched.pop("hundred") == [100.0]
    assert watched == plain


def test_interpolation_holds_other_inputs_still():
    gan = kerasgan.GAN(*two_networks(SHAPE, 2), num_classes=3, seed=0)
    start, end = np.asarray(gan.sample_latents(2, seed=1))
    made = gan.interpolate(start, end, 4, labels=2)
    np.testing.assert_allclose(made[[0, 3]], gan.sampler([np.stack([start, end]), np.array([2, 2])]), atol=1e-5)
    with pytest.raises(ValueError, match="at least 2"):
        gan.interpolate(start, end, 1)
