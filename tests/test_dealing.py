import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.core.dealing import deal, join_batches

NUMBERS = np.arange(22, dtype="float32")


@pytest.mark.parametrize(("count", "hands", "sizes"), [(20, 4, 5), (22, 4, 6), (3, 5, 1)])
def test_hands_are_equal_and_every_example_is_dealt(count, hands, sizes):
    dealt = deal((tf.constant(NUMBERS[:count]), {"labels": tf.range(count)}), hands)
    assert [len(real) for real, _ in dealt] == [sizes] * hands
    assert set(np.concatenate([real for real, _ in dealt])) == set(NUMBERS[:count])
    for real, given in dealt:
        np.testing.assert_array_equal(real, given["labels"])


def batches_dealt(x, batch_size, hands):
    joined, size = join_batches(x, batch_size, hands)
    if isinstance(joined, np.ndarray):
        joined = tf.data.Dataset.from_tensor_slices(joined).batch(size)
    items = [joined[k] for k in range(len(joined))] if isinstance(joined, keras.utils.PyDataset) else list(joined)
    assert len(joined) == len(items)
    return [np.asarray(hand).tolist() for item in items for hand in deal(tf.convert_to_tensor(item), hands)]


class Numbers(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return NUMBERS[4 * index : 4 * index + 4]


@pytest.mark.parametrize(
    "x",
    [
        NUMBERS[:20],
        tf.data.Dataset.from_tensor_slices(NUMBERS[:20]).batch(4),
        tf.data.Dataset.from_tensor_slices(NUMBERS).batch(4, drop_remainder=True),
        Numbers(),
    ],
    ids=["array", "dataset", "static", "pydataset"],
)
def test_an_update_sees_a_batch_of_the_size_that_was_given(x):
    dealt = batches_dealt(x, 4, 2)
    assert dealt[:4] == [NUMBERS[4 * k : 4 * k + 4].tolist() for k in range(4)]
    # The last batch alone is dealt out in halves, or dropped with a static size.
    assert dealt[4:] in ([], [[16, 17], [18, 19]])


def test_one_short_epoch_is_still_a_round():
    lone = tf.data.Dataset.from_tensors(NUMBERS[:4])
    assert batches_dealt(lone, None, 2) == [[0, 1], [2, 3]]


def test_a_round_takes_as_many_batches_as_the_critic_has_updates(make_gan, images):
    gan = make_gan(d_steps=2)
    gan.compile()
    seen = []
    update = gan.update_discriminator

    def watched(batch, *arguments):
        seen.append(batch.real.numpy())
        return update(batch, *arguments)

    gan.update_discriminator = watched
    gan.compile(run_eagerly=True)
    gan.fit(images, batch_size=8, shuffle=False, verbose=0)
    np.testing.assert_array_equal(np.concatenate(seen), images)
    assert [len(each) for each in seen] == [8] * 4


def test_joining_begins_no_pass_over_the_data():
    begun = []

    def numbers():
        begun.append(1)
        yield from NUMBERS[:20]

    spec = tf.TensorSpec((), tf.float32)
    data = tf.data.Dataset.from_generator(numbers, output_signature=spec).batch(4)
    joined, _ = join_batches(data, None, 2)
    assert not begun
    assert [len(batch) for batch in joined] == [8, 8, 4]
    labelled, _ = join_batches(tf.data.Dataset.zip(data, {"labels": data}), None, 2)
    real, given = next(iter(labelled))
    np.testing.assert_array_equal(real, given["labels"])
