"""Groups of a TFDS data set that are held out as a whole, such as all photographs of a person."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from kerasgan import data
from kerasgan import images as image_module
from kerasgan.metrics import observe
from kerasgan.runs import recipes, training
from kerasgan.runs.attributes import learn_attributes

PEOPLE = 40
# Those whose "person N" has a hash that a tenth of all names have.
HELD_OUT = {1, 4, 8, 10, 15, 23}


@pytest.fixture(scope="module")
def portraits(tmp_path_factory):
    """A TFDS data set of people, each on three images that are as bright as the person's number, far apart."""
    folder = tmp_path_factory.mktemp("portraits")
    people = [person for _ in range(3) for person in range(PEOPLE)]
    records = {
        "image": np.ones((len(people), 4, 4, 1), np.uint8) * np.array(people, np.uint8)[:, None, None, None] * 6,
        "person": np.array([f"person {person}" for person in people]),
        "number": np.array(people),
        "side": np.array([0, 1] * (len(people) // 2)),
    }
    tfds.dataset_builders.store_as_tfds_dataset(
        name="portraits",
        version="1.0.0",
        data_dir=str(folder),
        features=tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(4, 4, 1)),
                "person": tfds.features.Text(),
                "number": tfds.features.Scalar(np.int64),
                "side": tfds.features.Scalar(np.int64),
            }
        ),
        split_datasets={"train": tf.data.Dataset.from_tensor_slices(records)},
        disable_shuffling=True,
    )
    return str(folder)


def people_on(data_dir, split, **options):
    options = {"shuffle": False, "drop_remainder": False, "group": "person"} | options
    batches = data.load("portraits", split=split, data_dir=data_dir, **options)
    return [int(level) // 6 for batch in batches for level in image_module.to_uint8(batch.numpy())[:, 0, 0, 0]]


@pytest.mark.parametrize("group", ["person", "number"])
def test_a_group_is_wholly_on_one_side(portraits, group):
    train, test = (people_on(portraits, split, group=group) for split in ("train", "test"))
    assert set(train).isdisjoint(test)
    assert np.bincount(train + test, minlength=PEOPLE).tolist() == [3] * PEOPLE
    assert 1 <= len(set(test)) <= PEOPLE // 4
    assert data.info("portraits", split="test", group=group, data_dir=portraits).num_examples == len(test)


def test_who_is_held_out_never_changes(portraits):
    """By name alone, so that neither seed nor limit nor streaming moves anybody, nor a later version of the data."""
    test = people_on(portraits, "test")
    assert set(test) == HELD_OUT
    train = people_on(portraits, "train")
    assert people_on(portraits, "train", limit=50) == train[:50]
    streamed = people_on(portraits, "train", cache=False, shuffle=True, seed=5)
    assert sorted(streamed) == sorted(train)
    assert streamed != train
    keras.utils.set_random_seed(0)
    assert people_on(portraits, "train", cache=False, shuffle=True, seed=5) == streamed


def test_what_is_held_out_is_what_is_measured(portraits):
    facts = {"group": "person", "data_dir": portraits}
    real, other, training = observe.real_sets("portraits", 4, **facts)
    assert (real.name, other.name) == ("portraits by person/test", "portraits by person/train")
    assert (real.count, training.count) == (4, len(people_on(portraits, "train")))
    assert set(real.first(4)[:, 0, 0, 0] // 6) <= HELD_OUT


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"group": "persons"}, "'persons'. Did you mean 'person'"),
        ({"group": "image"}, "one text or whole number 'image'. Known: number, person, side"),
        ({"group": "side"}, "2 different values of 'side', too few: none of them is in 'test'"),
        ({"group": 3}, "group must be the name of a feature.*received 3"),
        ({"group": "person", "split": "train[:50%]"}, r"no split 'train\[:50%\]'. Use split='train' or 'test'"),
    ],
)
def test_groups_that_cannot_be(portraits, options, words):
    with pytest.raises(ValueError, match=words):
        data.load("portraits", data_dir=portraits, **({"split": "test"} | options))


def test_only_tfds_data_have_groups(tmp_path):
    image_module.save_png(tmp_path / "1.png", np.zeros((4, 4, 1), np.uint8))
    for source in (np.zeros((4, 8, 8, 1), np.uint8), "mnist_mini", str(tmp_path)):
        with pytest.raises(ValueError, match=r"group='name' names a feature of a TFDS data set.*Leave out group"):
            data.load(source, group="name")


def test_a_run_on_groups_is_measured_on_the_others_and_learns_attributes_of_its_own(portraits, tmp_path):
    recipe = recipes.Recipe(
        model={"type": "vae", "architecture": "mlp", "hidden": [4], "latent_dim": 2, "attributes": ["bright"]},
        data={"source": "portraits", "group": "person", "batch_size": 32, "data_dir": portraits},
        epochs=1,
        precision="float32",
    )
    assert recipes.held_out(recipe) == "test"
    assert recipes.real_images(recipe) == {"against": "portraits", "group": "person"}
    training.train(recipe, tmp_path / "run", verbose=0)
    rows = [person for _ in range(3) for person in range(PEOPLE)]
    table = tmp_path / "table.csv"
    table.write_text("bright\n" + "".join(f"{int(person >= 15)}\n" for person in rows))
    counts = learn_attributes(tmp_path / "run", table)
    assert counts == {"bright": sum(person >= 15 and person not in HELD_OUT for person in rows)}
    table.write_text("bright\n" + "1\n" * (len(rows) - 1))
    with pytest.raises(ValueError, match="has 119 rows; the run learned from 102 images, the last of row 120"):
        learn_attributes(tmp_path / "run", table)
