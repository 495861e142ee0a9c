"""Training that goes on from a trained model: other classes, other channels, and layers that stay as they are."""

import keras
import numpy as np
import pytest

import kerasgan
from kerasgan.presets.transfer import transfer

TINY = {"image_shape": (16, 16, 1), "latent_dim": 4, "base_filters": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A conditional model of ten classes that is not as it was born."""
    model = kerasgan.ConditionalGAN(**TINY, num_classes=10, seed=0)
    for network in (model.generator, model.ema_generator, model.discriminator):
        network.set_weights([np.asarray(each) + 0.5 for each in network.get_weights()])
    return kerasgan.save_preset(model, tmp_path_factory.mktemp("presets") / "ten")


def by_path(network):
    return {weight.path: np.asarray(weight) for weight in network.weights}


def test_the_function_is_found_where_its_module_was_imported_first():
    assert kerasgan.transfer is transfer


def test_another_number_of_classes_keeps_all_but_their_embeddings(folder):
    ten = kerasgan.from_preset(folder)
    with pytest.warns(UserWarning, match="num_classes.*weights taken over; new: generator/.*discriminator/"):
        three = kerasgan.from_preset(folder, num_classes=3)
    assert three.num_classes == 3
    new = 0
    for name, network in three.networks.items():
        for mine, theirs in zip(network.weights, ten.networks[name].weights, strict=True):
            if mine.shape == theirs.shape:
                np.testing.assert_array_equal(mine, theirs)
            else:
                new += 1
                assert (mine.shape[0], theirs.shape[0]) == (3, 10)
                assert "embedding" in mine.path or mine.shape[1:] == theirs.shape[1:]
    assert new > 0
    # The live generator goes on from the averaged one.
    for live, averaged in zip(three.generator.weights, three.ema_generator.weights, strict=True):
        np.testing.assert_array_equal(live, averaged)
    three.compile()
    three.fit(np.zeros((6, 16, 16, 1), "float32"), np.arange(6) % 3, verbose=0)


def test_other_channels_and_a_model_without_classes_take_what_fits(folder):
    source = kerasgan.from_preset(folder)
    colour = kerasgan.ConditionalGAN(**TINY | {"image_shape": (16, 16, 3)}, num_classes=10, seed=1)
    found = transfer(source, colour)
    # The first kernel of the discriminator; the last, with its bias, of the generator.
    assert [path.partition("/")[0] for path in found.new].count("discriminator") == 1
    assert 1 <= [path.partition("/")[0] for path in found.new].count("generator") <= 2
    plain = kerasgan.DCGAN(**TINY, seed=1)
    found = transfer(source, plain)
    assert any(path.startswith("discriminator/conv2d") for path in found.copied)
    assert str(found).startswith(f"{len(found.copied)} of {len(found.copied) + len(found.new)} weights taken over")


def test_what_does_not_fit_is_refused(folder, images):
    source = kerasgan.from_preset(folder)
    source.compile()
    with pytest.raises(ValueError, match=r"num_classes|10"):
        source.fit(images, np.full(len(images), 11), verbose=0)
    with pytest.raises(ValueError, match=r"\(16, 16, 1\)"):
        source.fit(np.zeros((4, 16, 16, 3), "float32"), np.zeros(4, int), verbose=0)
    with pytest.raises(ValueError, match=r"Unknown argument of ConditionalGAN 'classes'.*num_classes"):
        kerasgan.from_preset(folder, classes=3)
    with pytest.raises(ValueError, match=r"fits.*base_filters"):
        transfer(source, kerasgan.VAE(**TINY))
    one, other = (
        kerasgan.SeqGAN(3, 3, words, embedding_dim=2, units=2, d_embedding_dim=2, windows=(1,), filters=(2,))
        for words in (["a", "b", "c"], ["a", "c", "b"])
    )
    with pytest.raises(ValueError, match="know other words"):
        transfer(one, other)


def moved(before, network):
    return {path for path, value in by_path(network).items() if not np.array_equal(before[path], value)}


def test_frozen_layers_stay_bitwise_as_they_are_and_others_move(images, make_dcgan, tmp_path):
    gan = make_dcgan()
    gan.compile(freeze_d=1)
    frozen = [layer for layer in gan.discriminator.layers if layer.weights and not layer.trainable]
    kernels = [layer for layer in gan.discriminator.layers if any(len(each.shape) > 1 for each in layer.weights)]
    assert kernels[0] in frozen
    assert kernels[1] not in frozen
    kept = {weight.path for layer in frozen for weight in layer.weights}
    before = by_path(gan.discriminator)
    gan.fit(images, batch_size=16, epochs=1, verbose=0)
    assert moved(before, gan.discriminator) == set(before) - kept

    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    histories = [each.fit(images, batch_size=16, epochs=2, shuffle=False, verbose=0).history for each in (gan, loaded)]
    assert histories[0] == histories[1]
    for one, other in zip(gan.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert kept & moved(before, gan.discriminator) == set()

    gan.compile()
    gan.fit(images, batch_size=16, epochs=1, verbose=0)
    assert moved(before, gan.discriminator) == set(before)


def test_batch_norm_between_frozen_layers_keeps_its_statistics(images, make_dcgan):
    gan = make_dcgan()
    norms = [layer for layer in gan.discriminator.layers if isinstance(layer, keras.layers.BatchNormalization)]
    gan.compile(freeze_d=2)
    statistics = [np.asarray(each) for each in norms[0].non_trainable_variables]
    gan.fit(images, batch_size=16, epochs=1, verbose=0)
    assert not norms[0].trainable
    for one, other in zip(statistics, norms[0].non_trainable_variables, strict=True):
        np.testing.assert_array_equal(one, other)


def test_both_discriminators_of_two_games_are_frozen_alike():
    gan = kerasgan.CycleGAN((16, 16, 1), base_filters=2, blocks=1, d_halvings=1)
    gan.compile(freeze_d=1)
    for judge in gan.judges().values():
        assert [layer.trainable for layer in judge.layers if layer.weights][:1] == [False]
        assert judge.trainable_variables


@pytest.mark.parametrize(
    ("count", "message"),
    [(99, "freeze_d=99 leaves nothing to train.*layers with a kernel"), (-1, "at least 0; received -1"), (0.5, "0.5")],
)
def test_errors_of_freezing(make_dcgan, count, message):
    with pytest.raises(ValueError, match=message):
        make_dcgan().compile(freeze_d=count)
