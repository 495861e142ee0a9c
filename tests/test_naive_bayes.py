"""NaiveBayes against its formula in NumPy, over epochs and on two devices."""

import keras
import numpy as np
import pytest

from kerasgan.models import NaiveBayes
from kerasgan.presets import from_preset, save_preset
from kerasgan.testing.worker import run_in_worker, two_devices

SHAPE = (4, 4, 1)


def toy(n=60, seed=0):
    """Grey images, brighter in one quarter of their pixels for each class; classes are not equally frequent."""
    random = np.random.default_rng(seed)
    labels = random.choice(3, n, p=(0.5, 0.3, 0.2)).astype("int32")
    images = random.uniform(-1.0, 0.6, (n, *SHAPE)) + 0.4 * (
        np.arange(16).reshape(SHAPE) // 5 == labels[:, None, None, None]
    )
    return images.astype("float32"), labels


def fitted(images, labels, epochs=1, batch_size=25, **settings):
    model = NaiveBayes(SHAPE, 3, **settings)
    model.compile()
    model.fit(images, labels, batch_size=batch_size, epochs=epochs, verbose=0)
    return model


def by_hand(images, labels, new, alpha=0.5, threshold=0.0):
    """Return log p(image, class) of new images."""
    on, new = (each.reshape(len(each), -1) >= threshold for each in (images, new))
    columns = []
    for label in range(3):
        own = on[labels == label]
        white = (own.sum(axis=0) + alpha) / (len(own) + 2 * alpha)
        prior = (len(own) + alpha) / (len(labels) + 3 * alpha)
        columns.append(np.where(new, np.log(white), np.log(1 - white)).sum(axis=1) + np.log(prior))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("settings", [{}, {"alpha": 2.0, "threshold": 0.3}])
def test_probabilities_are_those_of_the_formula(settings):
    images, labels = toy()
    new, new_labels = toy(20, seed=1)
    model, joint = fitted(images, labels, **settings), by_hand(images, labels, new, **settings)
    np.testing.assert_allclose(model.log_prob(new), np.logaddexp.reduce(joint, axis=1), atol=1e-4)
    priors = (np.bincount(labels, minlength=3) + model.alpha) / (len(labels) + 3 * model.alpha)
    conditional = joint[np.arange(20), new_labels] - np.log(priors)[new_labels]
    np.testing.assert_allclose(model.log_prob(new, new_labels), conditional, atol=1e-4)
    assert np.array_equal(model.classify(new), joint.argmax(axis=1))
    report = model.evaluate(new, new_labels, batch_size=20, verbose=0, return_dict=True)
    assert report["accuracy"] == pytest.approx((joint.argmax(axis=1) == new_labels).mean())
    assert report["negative_log_likelihood"] == pytest.approx(-model.log_prob(new).mean(), rel=1e-4)


def test_all_images_together_have_probability_one():
    """Of four pixels there are sixteen images."""
    random = np.random.default_rng(0)
    model = NaiveBayes((2, 2, 1), 2)
    model.compile()
    model.fit(random.uniform(-1, 1, (30, 2, 2, 1)).astype("float32"), np.arange(30) % 2, verbose=0)
    images = 2.0 * ((np.arange(16)[:, None] >> np.arange(4)) & 1).reshape(-1, 2, 2, 1).astype("float32") - 1.0
    assert np.exp(model.log_prob(images)).sum() == pytest.approx(1.0, abs=1e-4)
    assert np.exp(model.log_prob(images, 1)).sum() == pytest.approx(1.0, abs=1e-4)


def test_more_epochs_over_the_same_images_change_nothing():
    images, labels = toy()
    once, often = fitted(images, labels), fitted(images, labels, epochs=3)
    np.testing.assert_allclose(often.log_prob(images), once.log_prob(images), atol=1e-4)
    assert often.epochs_done == 3


def test_nor_do_more_epochs_of_a_preset(tmp_path):
    images, labels = toy()
    once = fitted(images, labels)
    save_preset(once, tmp_path / "preset")
    again = from_preset(tmp_path / "preset")
    again.compile()
    again.fit(images, labels, batch_size=25, verbose=0)
    np.testing.assert_allclose(again.log_prob(images), once.log_prob(images), atol=1e-4)


def test_samples_have_the_counted_frequencies_and_only_black_and_white():
    images, labels = toy()
    model = fitted(images, labels)
    made = model.generate(4000, seed=0, labels=1)
    assert set(np.unique(made)) == {-1.0, 1.0}
    expected = (images[labels == 1] >= 0).mean(axis=0)
    # Smoothing by half an image of each colour, and the spread of 4,000 coins.
    assert np.abs((made > 0).mean(axis=0) - expected).max() < 0.08


def test_a_class_that_never_occurred_is_possible():
    images, labels = toy()
    model = fitted(images, np.minimum(labels, 1))
    assert np.isfinite(model.log_prob(images, 2)).all()


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="alpha must be above 0"):
        NaiveBayes(SHAPE, 3, alpha=0.0)
    with pytest.raises(ValueError, match=r"labels must be in 0\.\.2"):
        fitted(*toy()).log_prob(toy(4)[0], [0, 1, 2, 3])


def test_two_devices_count_what_one_does():
    run_in_worker(_two_devices, None)


def _two_devices(_):
    strategy = two_devices()
    images, labels = toy(27)
    alone = fitted(images, labels, batch_size=9)
    with strategy.scope():
        shared = NaiveBayes(SHAPE, 3)
        shared.compile()
    shared.fit(images, labels, batch_size=9, shuffle=False, verbose=0)
    for one, other in zip(alone.counts.weights, shared.counts.weights, strict=True):
        assert np.array_equal(*(keras.ops.convert_to_numpy(each) for each in (one, other))), one.name
