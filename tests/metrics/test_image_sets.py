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


def test_n_takes_the_first_and_half_every_second():
    np.testing.assert_array_equal(all_of(metrics.dataset(PIXELS, n=700)), PIXELS[:700])
    found = metrics.dataset(PIXELS[:1199], half=1)
    assert (found.count, found.name) == (599, "array/test[1::2]")
    np.testing.assert_array_equal(all_of(found), PIXELS[1:1198:2])
    np.testing.assert_array_equal(all_of(metrics.dataset(PIXELS, n=500, half=0)), PIXELS[:1000:2])
    with pytest.raises(ValueError, match="has 1 images; at least 2"):
        metrics.dataset(PIXELS[:1], half=0)


@pytest.fixture
def sorted_folder(tmp_path):
    """61 images in sub-folders, one a class: the level of each image is its number, and tens are the class."""
    for level in range(61):
        images.save_png(tmp_path / "sorted" / str(level // 10) / f"{level}.png", np.full((4, 4), level, "uint8"))
    return tmp_path / "sorted"


def levels(image_set):
    return all_of(image_set)[:, 0, 0, 0]


def test_the_first_images_of_a_folder_are_of_all_classes(sorted_folder):
    found = metrics.dataset(sorted_folder, "train")
    assert found.name == f"{sorted_folder}/train"
    assert sorted(levels(found)) == list(range(61))
    np.testing.assert_array_equal(levels(found), levels(found))
    assert len(np.unique(found.first(20)[:, 0, 0, 0] // 10)) >= 5
    assert len(np.unique(levels(metrics.dataset(sorted_folder, "train", n=20)) // 10)) >= 5


@pytest.mark.parametrize("n", [None, 1, 20, 30, 100])
def test_the_halves_of_a_folder_share_no_image(sorted_folder, n):
    first, second = (levels(metrics.dataset(sorted_folder, "train", n=n, half=half)) for half in (0, 1))
    assert len(first) == len(second) == min(n or 30, 30)
    assert not set(first) & set(second)


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


def test_a_conditional_model_draws_each_of_many_classes_in_turn():
    class Labelled:
        name, num_classes = "labelled", 700

        def generate(self, n, seed, labels):
            return np.broadcast_to(np.reshape(labels / 350 - 1, (n, 1, 1, 1)), (n, 2, 2, 1))

    made = all_of(metrics.generated(Labelled(), 1400, 0))[:, 0, 0, 0]
    np.testing.assert_array_equal(made, images.to_uint8(np.arange(1400) % 700 / 350 - 1))


def test_generated_images_are_those_of_generate(make_gan):
    gan = make_gan()
    made = all_of(metrics.generated(gan, 3, 0))
    (batch_seed,) = np.random.SeedSequence((0, 0)).generate_state(1)
    np.testing.assert_array_equal(made, images.to_uint8(gan.generate(3, seed=int(batch_seed >> 1))))


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="no split"):
        metrics.dataset(PIXELS, split="nonsense")
