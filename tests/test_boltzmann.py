"""Machines small enough to enumerate: energies, gradients, chains, log Z; then the two models that use them."""

import itertools
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.boltzmann import annealing, mean_field, pretraining
from kerasgan.boltzmann.parameters import Parameters
from kerasgan.models import DBM, RBM
from kerasgan.presets import from_preset, save_preset
from kerasgan.testing.tools import count_different, snapshot

SHAPE = (4, 3, 1)
SIZES = [(12, 8), (12, 8, 5)]


def random_parameters(sizes, scale=0.7, seed=0) -> Parameters:
    random = np.random.default_rng(seed)
    biases = [tf.constant(random.normal(0, 0.5, size), tf.float32) for size in sizes]
    couplings = [tf.constant(random.normal(0, scale, pair), tf.float32) for pair in itertools.pairwise(sizes)]
    return Parameters(tuple(biases), tuple(couplings))


def all_states(units: int) -> tf.Tensor:
    return tf.constant(list(itertools.product([0.0, 1.0], repeat=units)), tf.float32)


def exact_log_z(parameters: Parameters) -> float:
    states = all_states(parameters.biases[1].shape[0])
    return float(tf.reduce_logsumexp(tf.cast(parameters.middle_log_weight(states), tf.float64)))


def images(n=32, seed=0) -> np.ndarray:
    """Images of which the left or the right half is white, with a few wrong pixels."""
    random = np.random.default_rng(seed)
    white = np.arange(12).reshape(SHAPE) % 3 < 1
    white = np.where(random.random((n, 1, 1, 1)) < 0.5, white, ~white) ^ (random.random((n, *SHAPE)) < 0.05)
    return np.where(white, 1.0, -1.0).astype("float32")


def compiled(model):
    model.compile()
    return model


# Energies


@pytest.mark.parametrize("sizes", [(5, 4), (4, 3, 3)])
def test_summed_out_layers_are_the_sums_over_their_states(sizes):
    parameters = random_parameters(sizes)
    rows = [np.array(state) for state in itertools.product([0.0, 1.0], repeat=sum(sizes))]
    parts = np.split(np.array(rows, "float32"), np.cumsum(sizes)[:-1], axis=1)
    outer, middle = list(map(tf.constant, parts[::2])), tf.constant(parts[1])
    energy = parameters.energy(outer, middle).numpy()
    by_hand = -sum(part @ bias.numpy() for part, bias in zip(parts, parameters.biases, strict=True))
    for (below, above), coupling in zip(itertools.pairwise(parts), parameters.couplings, strict=True):
        by_hand -= np.einsum("ni,ij,nj->n", below, coupling.numpy(), above)
    np.testing.assert_allclose(energy, by_hand, atol=1e-5)
    log_z = np.logaddexp.reduce(-by_hand)
    assert exact_log_z(parameters) == pytest.approx(log_z, abs=1e-4)
    assert np.logaddexp.reduce(-parameters.free_energy(outer).numpy().astype("float64")) == pytest.approx(
        # Every state of the outer layers is there once for each state of the middle one.
        log_z + sizes[1] * np.log(2.0), abs=1e-4,
    )  # fmt: skip


@pytest.mark.parametrize("sizes", SIZES)
def test_annealing_agrees_with_the_enumerated_sum(sizes):
    parameters = random_parameters(sizes)
    estimate = annealing.estimate_log_z(parameters, tf.zeros(12), 200, 500, seed=1)
    assert 0.0 < estimate.standard_error < 0.05
    assert abs(estimate.value - exact_log_z(parameters)) < 4 * estimate.standard_error
    other_base = annealing.estimate_log_z(parameters, tf.ones(12), 200, 500, seed=2)
    assert abs(other_base.value - exact_log_z(parameters)) < 4 * other_base.standard_error


def test_an_estimate_takes_two_chains():
    with pytest.raises(ValueError, match="at least 2 chains"):
        annealing.estimate_log_z(random_parameters((3, 2)), tf.zeros(3), 1, 10, seed=0)


def test_a_chain_visits_states_as_often_as_they_are_probable():
    parameters = random_parameters((3, 2))
    (pixels,), _ = parameters.chain(tf.zeros((20000, 2)), 20, tf.constant([0, 1]))
    found = np.bincount(pixels.numpy().astype(int) @ (4, 2, 1), minlength=8) / 20000
    expected = np.exp(-parameters.free_energy([all_states(3)]).numpy() - exact_log_z(parameters))
    assert np.abs(found - expected).max() < 0.015


# The restricted machine


def test_the_gradient_is_that_of_contrastive_divergence():
    """Drawn pixels, and expectations for the hidden units that follow them: not a reconstruction error's gradient."""
    model = compiled(RBM(SHAPE, 5, l2=0.0, chains=7, seed=0))
    pixels = model.binary(images(6))
    drawn, _ = model.samples(pixels, tf.constant([1, 2]))
    assert set(np.unique(drawn)) <= {0.0, 1.0}
    with tf.GradientTape() as tape:
        loss = model.loss_terms(pixels, drawn)["contrastive_loss"]
    weights, hidden_bias = model.machine.couplings[0].numpy(), model.machine.biases[1].numpy()
    found = tape.gradient(loss, [model.machine.couplings[0].value, model.machine.biases[0].value])

    def moments(each):
        hidden = 1 / (1 + np.exp(-(each @ weights + hidden_bias)))
        return each.T @ hidden / len(each), each.mean(axis=0)

    for gradient, real, fake in zip(found, moments(pixels.numpy()), moments(drawn.numpy()), strict=True):
        np.testing.assert_allclose(gradient, fake - real, atol=1e-5)


def test_visible_biases_begin_at_the_logits_of_the_mean_pixels():
    model = compiled(RBM(SHAPE, 4, l2=0.0, seed=0))
    model.optimizer.learning_rate = 0.0
    model.fit(images(), batch_size=32, verbose=0)
    mean = np.clip((images() > 0).mean(axis=0).ravel(), 0.01, 0.99)
    np.testing.assert_allclose(model.machine.biases[0].numpy(), np.log(mean / (1 - mean)), atol=1e-5)
    model.fit(-images(), batch_size=32, verbose=0)
    np.testing.assert_allclose(model.machine.biases[0].numpy(), np.log(mean / (1 - mean)), atol=1e-5)


@pytest.mark.parametrize("persistent", [True, False])
def test_chains_go_on_from_where_the_last_step_left_them(persistent):
    model = compiled(RBM(SHAPE, 6, persistent=persistent, chains=9, seed=0))
    model.optimizer.learning_rate = 0.0
    batch = tf.constant(images(4))
    model.train_step(batch)
    model.machine.couplings[0].assign(random_parameters((12, 6)).couplings[0])
    before = tf.convert_to_tensor(model.machine.chains)
    seed = tf.constant([3, 4])
    expected = model.machine.parameters.chain(before, 1, tf.random.experimental.stateless_fold_in(seed, 1))[0][0]
    drawn, middle = model.samples(model.binary(batch), seed)
    assert np.array_equal(drawn, expected) if persistent else drawn.shape == (4, 12)
    model.train_step(batch)
    assert count_different(snapshot([model.machine.chains]), [before.numpy()])
    if persistent:
        assert middle.shape == before.shape
    model.machine.chains.assign(1.0 - before)
    elsewhere, _ = model.samples(model.binary(batch), seed)
    assert np.array_equal(elsewhere, drawn) != persistent


def test_training_raises_the_exact_likelihood():
    model = RBM(SHAPE, 8, chains=50, seed=0)
    model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.5))
    model.fit(images(), batch_size=32, verbose=0)
    before = model.log_prob(images(), exact_log_z(model.machine.parameters)).mean()
    model.fit(images(), batch_size=32, epochs=300, verbose=0)
    log_z = exact_log_z(model.machine.parameters)
    after = model.log_prob(images(), log_z).mean()
    assert after > before + 2.0
    # The model's own estimate, and what `evaluate` makes of it.
    assert model.estimate_log_z(100, 500).value == pytest.approx(log_z, abs=0.2)
    found = model.log_likelihoods(images())
    assert found.metric == "log_likelihood"
    assert found.values.mean() == pytest.approx(after, abs=0.2)
    probabilities = np.exp(-model.free_energy(_as_images(all_states(12))).astype("float64") - log_z)
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-4)
    assert model.free_energy_gap(images(), -np.ones((4, *SHAPE), "float32")) > 1.0


def test_the_pseudo_likelihood_is_the_mean_over_turned_pixels():
    model = compiled(RBM(SHAPE, 5, seed=0))
    model.machine.couplings[0].assign(random_parameters((12, 5)).couplings[0])
    pixels = model.binary(images(1))
    parameters = model.machine.parameters
    turned = tf.abs(pixels - tf.eye(12))
    each = tf.math.log_sigmoid(parameters.free_energy([turned]) - parameters.free_energy([pixels]))
    found = model.observe(tf.repeat(pixels, 4000, axis=0), tf.constant([1, 2]))["pseudo_log_likelihood"]
    assert float(found) == pytest.approx(float(tf.reduce_sum(each)), rel=0.05)


# The deep machine


def test_mean_field_never_loosens_the_bound_and_is_a_bound():
    parameters = random_parameters((12, 8, 5))
    pixels = all_states(12)[::200]
    start = tf.fill((pixels.shape[0], 8), 0.5)
    energies = [
        mean_field.variational_free_energy(parameters, pixels, *mean_field.infer(parameters, start, pixels, steps))
        for steps in (1, 2, 5, 50)
    ]
    for before, after in itertools.pairwise(energies):
        assert np.all(after.numpy() <= before.numpy() + 1e-4)
    top = all_states(5)
    exact = [
        float(tf.reduce_logsumexp(-parameters.free_energy([tf.repeat(each[None], 32, axis=0), top]))) for each in pixels
    ]
    gaps = np.array(exact) + energies[-1].numpy()
    assert gaps.min() > -1e-4
    assert gaps.max() < 3.0


def test_pretraining_doubles_bottom_up_below_and_top_down_above():
    parameters = random_parameters((12, 8, 5))
    pixels = all_states(12)[::200]
    middle = tf.cast(tf.random.stateless_uniform((pixels.shape[0], 8), [0, 1]) < 0.5, tf.float32)
    (below, hidden), _ = pretraining.first_statistics(parameters, pixels, middle, tf.constant([1, 2]))
    assert below is pixels
    logits = parameters.biases[1] + 2.0 * pixels @ parameters.couplings[0]
    np.testing.assert_allclose(hidden, tf.sigmoid(logits), atol=1e-6)

    # The other ways are single: from the middle layer to the pixels, and up to the top layer.
    many = tf.repeat(middle[:1], 20000, axis=0)
    _, (drawn, hidden) = pretraining.first_statistics(parameters, tf.zeros((20000, 12)), many, tf.constant([1, 2]))
    expected = tf.sigmoid(parameters.biases[0] + tf.linalg.matvec(parameters.couplings[0], middle[0]))
    assert np.abs(drawn.numpy().mean(axis=0) - expected).max() < 0.02
    np.testing.assert_allclose(
        hidden, tf.sigmoid(parameters.biases[1] + 2.0 * drawn @ parameters.couplings[0]), atol=1e-6
    )
    for state, top in pretraining.second_statistics(parameters, middle, tf.constant([3, 4])):
        np.testing.assert_allclose(top, tf.sigmoid(parameters.biases[2] + state @ parameters.couplings[1]), atol=1e-6)

    # With a top layer that is certain, the middle layer is drawn with its doubled input.
    forced = parameters._replace(biases=(*parameters.biases[:2], tf.fill((5,), 50.0)))
    many = tf.zeros((20000, 8))
    (_, top), (drawn, _) = pretraining.second_statistics(forced, many, tf.constant([3, 4]))
    np.testing.assert_allclose(top, tf.ones_like(top), atol=1e-6)
    expected = tf.sigmoid(parameters.biases[1] + 2.0 * tf.reduce_sum(parameters.couplings[1], axis=1))
    assert np.abs(drawn.numpy().mean(axis=0) - expected).max() < 0.02


def test_each_phase_trains_its_own_weights():
    model = DBM(SHAPE, (6, 5), pretraining=(1, 1), chains=8, seed=0)
    model.compile()
    machine = model.machine
    groups = {
        "first layer": [machine.couplings[0], machine.biases[0], machine.biases[1]],
        "second layer": [machine.couplings[1], machine.biases[2]],
        "joint": model.trainable_variables,
    }
    for phase, group in groups.items():
        assert model.phase == phase
        before = snapshot(model.trainable_variables)
        model.fit(images(), batch_size=8, epochs=1, verbose=0)
        moved = {id(v) for v, old in zip(model.trainable_variables, before, strict=True) if np.any(v.numpy() != old)}
        assert moved == {id(variable) for variable in group}, phase


def test_joint_training_raises_the_bound():
    model = DBM(SHAPE, (8, 5), pretraining=(10, 10), chains=50, seed=0)
    model.compile()
    model.fit(images(), batch_size=32, epochs=21, verbose=0)
    before = model.variational_bound(images(), exact_log_z(model.machine.parameters)).mean()
    model.fit(images(), batch_size=32, epochs=300, verbose=0)
    after = model.variational_bound(images(), exact_log_z(model.machine.parameters)).mean()
    assert after > before + 1.0
    found = model.log_likelihoods(images())
    assert found.metric == "log_likelihood_bound"
    assert found.values.mean() == pytest.approx(after, abs=0.3)


@pytest.mark.parametrize("family", [partial(RBM, hidden=6), partial(DBM, hidden=(6, 5), pretraining=(1, 1))])
def test_a_preset_is_trained_on_from_where_it_was(family, tmp_path):
    """Begun anew, it would have the biases and chains of one batch, and a deep machine its layers trained apart."""
    model = compiled(family(SHAPE, chains=8, seed=0))
    model.fit(images(), batch_size=8, epochs=3, verbose=0)
    save_preset(model, tmp_path / "preset")
    again = compiled(from_preset(tmp_path / "preset"))
    assert again.phase == model.phase
    np.testing.assert_array_equal(again.machine.chains, model.machine.chains)
    again.optimizer.learning_rate = 0.0
    again.fit(images(), batch_size=8, verbose=0)
    np.testing.assert_array_equal(again.machine.biases[0], model.machine.biases[0])
    np.testing.assert_array_equal(again.machine.base, model.machine.base)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"chains": 0}, "chains must be a whole number, at least 1; received 0"),
        ({"gibbs_steps": 1.5}, "gibbs_steps must be a whole number, at least 1; received 1.5"),
        ({"l2": -1.0}, "l2 must be at least 0"),
        ({"hidden": (4,)}, "hidden must be two numbers"),
        ({"hidden": (4, 0)}, r"hidden layers must have whole numbers of units, at least 1; received \[4, 0\]"),
        ({"pretraining": (4,)}, "pretraining must be two numbers"),
        ({"mean_field_steps": 0}, "mean_field_steps must be a whole number, at least 1; received 0"),
    ],
)
def test_wrong_arguments_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        DBM(SHAPE, **settings)


def _as_images(pixels) -> np.ndarray:
    return 2.0 * pixels.numpy().reshape(-1, *SHAPE) - 1.0
