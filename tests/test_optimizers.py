"""The Adam of one pass over a variable is Keras's Adam, number by number."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.optimizers import Adam

SETTINGS = {"learning_rate": 0.01, "beta_1": 0.5, "beta_2": 0.99}
RANDOM = np.random.default_rng(0)
GRADIENTS = [RANDOM.normal(size=(4, 3)).astype("float32") for _ in range(5)]


def descend(optimizer, gradients=GRADIENTS, dtype="float32"):
    """Return a weight after updates with these gradients."""
    weight = keras.Variable(np.ones((4, 3)), dtype=dtype)
    optimizer.build([weight])
    step = tf.function(lambda gradient: optimizer.apply([gradient], [weight]))
    for gradient in gradients:
        step(tf.cast(tf.constant(gradient), dtype))
    return np.asarray(tf.cast(weight.value, "float64"))


@pytest.mark.parametrize(
    "settings",
    [{}, {"clipnorm": 0.5}, {"weight_decay": 0.1}, {"use_ema": True}, {"amsgrad": True}, {"epsilon": 0.1}],
    ids=lambda settings: "".join(settings) or "plain",
)
def test_it_is_kerass(settings):
    ours, theirs = (descend(each(**SETTINGS, **settings)) for each in (Adam, keras.optimizers.Adam))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert np.abs(ours - 1.0).mean() > 1e-3


def test_it_is_kerass_with_a_schedule_and_in_other_dtypes():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    for dtype in ("float32", "bfloat16", "float64"):
        both = [each(schedule, beta_1=0.5) for each in (Adam, keras.optimizers.Adam)]
        ours, theirs = (descend(each, dtype=dtype) for each in both)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_rows_of_an_embedding_are_updated_as_keras_does():
    results = []
    for optimizer in (Adam(0.1), keras.optimizers.Adam(0.1)):
        table = keras.layers.Embedding(5, 2, embeddings_initializer="ones")
        table.build()
        for _ in range(3):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(table(tf.constant([1, 3, 3])) ** 2)
            gradients = tape.gradient(loss, table.trainable_variables)
            assert isinstance(gradients[0], tf.IndexedSlices)
            optimizer.apply(gradients, table.trainable_variables)
        results.append(table.embeddings.numpy())
    np.testing.assert_allclose(*results, rtol=1e-5)


def test_it_is_saved_with_a_model_and_goes_on(make_dcgan, images, tmp_path):
    gan = make_dcgan()
    gan.compile()
    assert type(gan.d_optimizer) is Adam
    gan.fit(images, batch_size=8, shuffle=False, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert type(again.g_optimizer) is Adam
    logs = [each.fit(images, batch_size=8, shuffle=False, verbose=0).history for each in (gan, again)]
    assert logs[0] == logs[1]


def test_recipes_mean_it_by_adam():
    from kerasgan.runs import recipes

    recipe = recipes.from_dict(
        {"model": {"type": "dcgan"}, "data": {"source": "mnist_mini"}, "compile": {"g_optimizer": {"name": "adam"}}}
    )
    assert type(recipes.build_model(recipe, recipes.describe_data(recipe)).g_optimizer) is kerasgan.optimizers.Adam
