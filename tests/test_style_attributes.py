"""Directions of StyleGAN2's w that have names, learned from labelled images."""

import numpy as np
import pytest

import kerasgan
from kerasgan.core.attributes import scores_of
from kerasgan.export.sampler_graph import describe_source
from kerasgan.models import stylegan2

NAMES = ("red", "dark")


def has(images) -> np.ndarray:
    """Return 1 where an image is redder, or darker, than most."""
    red = images[..., 0].mean(axis=(1, 2)) - images[..., 1:].mean(axis=(1, 2, 3))
    dark = -images.mean(axis=(1, 2, 3))
    return np.stack([red > np.median(red), dark > np.median(dark)], axis=1).astype(float)


@pytest.fixture(scope="module")
def gan():
    """A model that has learned what is red and what is dark; tests leave it as it is."""
    gan = kerasgan.StyleGAN2(
        (16, 16, 3), latent_dim=6, base_filters=4, max_filters=8, attributes=NAMES, ema_decay=None, seed=0
    )
    given = gan.generate(400, seed=7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stylegan2, "LABELLED_SAMPLES", 512)
        gan.learn_attributes(given, has(given))
    return gan


def test_moving_w_changes_what_the_name_says_more_than_the_rest(gan):
    w = gan.sample_w(32, seed=1)
    before = gan.decode(w)
    change = {name: gan.decode(gan.move(w, **{name: 1.0})) - before for name in NAMES}
    red = {name: each[..., 0].mean() - each[..., 1:].mean() for name, each in change.items()}
    bright = {name: each.mean() for name, each in change.items()}
    assert red["red"] > max(0.0, red["dark"])
    assert bright["dark"] < 0.0
    # Of what it changes, more is what its name says than of what the other changes.
    assert abs(red["dark"] / bright["dark"]) < abs(red["red"] / bright["red"])
    np.testing.assert_allclose(gan.decode(gan.move(gan.move(w, dark=1.0), dark=-1.0)), before, atol=1e-5)


def test_w_is_of_the_images_of_a_seed(gan):
    w = gan.sample_w(3, seed=5)
    # The layers' noise counts for nothing before training.
    np.testing.assert_allclose(gan.decode(w), gan.generate(3, seed=5), atol=1e-5)
    nearer = gan.sample_w(3, seed=5, truncation=0.5)
    np.testing.assert_allclose(gan.decode(nearer), gan.generate(3, seed=5, truncation=0.5), atol=1e-5)


def test_sliders_are_shown_and_kept_and_not_exported(gan, tmp_path):
    panels = gan.panels()
    assert {"attributes", "style_mixing/coarse"} <= set(panels)
    assert "truncation" in panels["attributes"].description
    kerasgan.save_preset(gan, tmp_path / "preset", description="")
    kept = kerasgan.from_preset(tmp_path / "preset")
    assert kept.attributes == NAMES
    for name, direction in gan.attribute_directions().items():
        assert direction.any()
        np.testing.assert_array_equal(kept.attribute_directions()[name], direction)
    # They are of w, and the file takes latents.
    assert "attributes" not in describe_source(gan)


def test_scores_say_of_others_what_labels_say_of_examples():
    rng = np.random.default_rng(0)
    features, others = rng.normal(size=(300, 8)), rng.normal(size=(100, 8))
    labels = (features[:, :2] > 0).astype(float)
    scores = scores_of(features, labels, others)
    assert scores.shape == (100, 2)
    assert ((scores > 0.5) == (others[:, :2] > 0)).mean() > 0.9
    # Where there is nothing to be learned, all are as likely as any.
    assert np.abs(scores_of(features, rng.integers(0, 2, (300, 1)).astype(float), others) - 0.5).max() < 0.5
