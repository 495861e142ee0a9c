import numpy as np
import pytest

from kerasgan import images, metrics

PIXELS = np.random.default_rng(0).integers(0, 256, (1200, 4, 4, 1), dtype="uint8")


def all_of(image_set):
    return np.concatenate(list(image_set.read()))


def test_a_data_set_comes_back_exactly_and_again():
    found = metrics.dataset(PIXELS)
    assert found.count == 1200
    np.testing.assert_array_equal(all_of(found), PIXELS)
    np.testing.assert_array_equal(all_of(found), PIXELS)


def test_start_and_n_cut_out_a_part():
    found = metrics.dataset(PIXELS, start=600, n=500)
    assert (found.count, found.name) == (500, "array/test[600:]")
    np.testing.assert_array_equal(all_of(found), PIXELS[600:1100])
    assert metrics.dataset(PIXELS, start=1000, n=500).count == 200


def test_first_head_and_at():
    found = metrics.dataset(PIXELS)
    np.testing.assert_array_equal(found.first(700), PIXELS[:700])
    np.testing.assert_array_equal(all_of(found.head(501)), PIXELS[:501])
    assert found.head(5000) is found
    chosen = [1100, 3, 3, 600]
    np.testing.assert_array_equal(found.at(chosen), PIXELS[chosen])


def test_the_fingerprint_is_of_the_content():
    same = metrics.dataset(PIXELS.copy(), split="train").fingerprint
    assert metrics.dataset(PIXELS).fingerprint == same
    changed = PIXELS.copy()
    changed[700, 2, 2] ^= 1
    assert metrics.dataset(changed).fingerprint != same
    assert metrics.dataset(PIXELS, n=1000).fingerprint != same


def test_generated_images_repeat_by_seed_without_sharing_batches(make_gan):
    gan = make_gan()
    first, again, other = (all_of(metrics.generated(gan, 700, seed)) for seed in (0, 0, 1))
    assert first.shape == (700, 16, 16, 1)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    # No image of one seed, and none of the first batch, comes up again.
    assert len(np.unique(np.concatenate([first, other]).reshape(1400, -1), axis=0)) == 1400


def test_generated_images_are_those_of_generate(make_gan):
    gan = make_gan()
    made = all_of(metrics.generated(gan, 3, 0))
    (batch_seed,) = np.random.SeedSequence((0, 0)).generate_state(1)
    np.testing.assert_array_equal(made, images.to_uint8(gan.generate(3, seed=int(batch_seed >> 1))))


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="no split"):
        metrics.dataset(PIXELS, split="nonsense")
