"""Settings that do not go together: refused or warned about, with the reason; and those that do, in silence."""

import warnings

import keras
import pytest

import kerasgan
from kerasgan.augment import DiffAugment, ScheduledAugment
from kerasgan.constraints import WeightClip
from kerasgan.networks.mlp import mlp_generator

SHAPE = (16, 16, 1)


def discriminator(activation=None, norm=None, heads=(), last=None, **dense):
    images = keras.Input(SHAPE)
    x = keras.layers.Dense(4, **dense)(keras.layers.Flatten()(images))
    x = norm()(x) if norm else x
    logits = keras.layers.Dense(1, activation=activation, **dense)(x)
    logits = last(logits) if last else logits
    return keras.Model(images, {"logits": logits} | dict.fromkeys(heads, x) if heads else logits)


def compiled(network, **settings):
    gan = kerasgan.GAN(mlp_generator(SHAPE, 4, (4,)), network, ema_decay=None)
    gan.compile(**settings)
    return gan


REFUSED = {
    "sigmoid_and_squares": (discriminator("sigmoid"), {"loss": "least_squares"}, "ends in a sigmoid.*takes logits"),
    "sigmoid_and_default": (discriminator("sigmoid"), {}, "Leave the activation out"),
    "layer": (discriminator(last=keras.layers.Activation("sigmoid")), {"loss": "hinge"}, "ends in a sigmoid"),
    "softmax": (discriminator(last=keras.layers.Softmax()), {}, "ends in a softmax"),
    "in_a_dict": (discriminator("sigmoid", heads=("classes",)), {}, "ends in a sigmoid"),
    "nested": (keras.Sequential([keras.Input(SHAPE), discriminator("sigmoid")]), {}, "ends in a sigmoid"),
    "no_features": (discriminator(), {"regularizers": ["feature_matching"]}, "named 'features'; it has none"),
}


def texts():
    return kerasgan.SeqGAN(3, 3, embedding_dim=2, units=2, d_embedding_dim=2, windows=(1,), filters=(2,))


def waves():
    return kerasgan.WaveGAN(256, base_filters=1, latent_dim=2)


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (texts, {"top_k": 0.5}, "SeqGAN learns by rewards"),
        (texts, {"regularizers": ["consistency"]}, "consistency changes images"),
        (waves, {"augment": "ada"}, "AdaptiveAugment changes images; WaveGAN makes audio"),
        (waves, {"regularizers": ["consistency"]}, "Consistency changes images; WaveGAN makes audio"),
        (lambda: kerasgan.SemiSupervisedGAN(SHAPE, 4, (4,), (4,)), {"top_k": 0.5}, "matches features.*leave out top_k"),
    ],
)
def test_what_is_for_images_is_refused_elsewhere(make, settings, message):
    with pytest.raises(ValueError, match=message):
        make().compile(**settings)


@pytest.mark.parametrize(
    ("augment", "words"), [("diffaugment", "'color,translation,cutout' moves images"), (DiffAugment("color"), None)]
)
def test_a_source_stays_where_its_target_is(augment, words):
    gan = kerasgan.Pix2Pix((16, 16, 1), base_filters=2, d_halvings=1)
    with pytest.warns(UserWarning, match=words) if words else warnings.catch_warnings():
        gan.compile(augment=augment)


@pytest.mark.parametrize("name", REFUSED)
def test_contradictions_are_refused(name):
    network, settings, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        compiled(network, **settings)


CLIP = {"d_constraint": WeightClip(0.01)}
WASSERSTEIN, PENALTY = {"loss": "wasserstein"}, {"regularizers": ["gradient_penalty"]}
ADA = {"augment": "ada"}
DOUBTFUL = {
    "clipped_cross_entropy": (discriminator(), CLIP, "only weakens the discriminator"),
    "clipped_relativistic": (discriminator(), CLIP | {"loss": "relativistic"}, "only weakens the discriminator"),
    "bounded_twice": (discriminator(), WASSERSTEIN | CLIP | PENALTY, "bound the critic twice"),
    "batch_norm": (discriminator(norm=keras.layers.BatchNormalization), WASSERSTEIN | PENALTY, "batch norm mixes"),
    "our_batch_norm": (discriminator(norm=kerasgan.layers.BatchNormalization), PENALTY, "LayerNormalization"),
    "ada_relativistic": (discriminator(), ADA | {"loss": "relativistic"}, "means nothing to Relativistic"),
    "ada_wasserstein": (discriminator(), ADA | WASSERSTEIN | CLIP, "means nothing to Wasserstein"),
    "ada_squares": (discriminator(), ADA | {"loss": "least_squares"}, "means nothing to LeastSquares"),
    "leaking": (discriminator(), {"augment": ScheduledAugment(probability=0.9)}, "stay below 0.8"),
    "unbounded": (discriminator(), WASSERSTEIN, "Nothing bounds the critic"),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_makes_little_sense_is_warned_about_once(name):
    network, settings, message = DOUBTFUL[name]
    with pytest.warns(UserWarning, match=message) as caught:
        compiled(network, **settings)
    assert len(caught) == 1
    assert caught[0].filename == __file__


class MySpectralNormalization(keras.layers.Layer):
    def call(self, inputs):
        return inputs


class OfProbabilities:
    """A loss of a user's own, which may well be of probabilities."""

    def discriminator(self, real, fake):
        return 0.0

    def generator(self, fake):
        return 0.0


SOUND = {
    "clipped": (discriminator(), WASSERSTEIN | CLIP),
    "penalised": (discriminator(), WASSERSTEIN | PENALTY),
    "any_penalty": (discriminator(), WASSERSTEIN | {"regularizers": ["dragan"]}),
    "constrained": (discriminator(kernel_constraint="unit_norm"), WASSERSTEIN),
    "spectral": (discriminator(last=MySpectralNormalization()), WASSERSTEIN),
    "spectral_of_ours": (discriminator(last=kerasgan.layers.SNDense(1)), WASSERSTEIN),
    "layer_norm": (discriminator(norm=keras.layers.LayerNormalization), WASSERSTEIN | PENALTY),
    "r1_with_batch_norm": (discriminator(norm=keras.layers.BatchNormalization), {"regularizers": ["r1", "r2"]}),
    "own_loss": (discriminator("sigmoid"), {"loss": OfProbabilities()}),
    "tanh": (discriminator("tanh"), {"loss": "hinge"}),
    "features": (discriminator(heads=("features",)), {"regularizers": ["feature_matching", "historical_averaging"]}),
}


@pytest.mark.parametrize("name", SOUND)
def test_what_makes_sense_is_not_commented(name):
    network, settings = SOUND[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled(network, **settings)


def test_historical_averaging_is_for_one_game():
    class TwoGames(kerasgan.GAN):
        def judges(self):
            return {"_a": self.discriminator, "_b": self.discriminator}

    gan = TwoGames(mlp_generator(SHAPE, 4, (4,)), discriminator(), ema_decay=None)
    with pytest.raises(ValueError, match="single game; TwoGames plays 2"):
        gan.compile(regularizers=["historical_averaging"])
