import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import schedules
from kerasgan.core.clock import Clock


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (schedules.Linear(4.0, 2.0, over=10), {0: 4.0, 5: 3.0, 10: 2.0, 99: 2.0}),
        (schedules.Linear(4.0, 2.0, over=10, after=20), {0: 4.0, 20: 4.0, 25: 3.0, 30: 2.0}),
        (schedules.Cosine(0.0, 1.0, over=8), {0: 0.0, 2: 0.5 - 0.5 * math.sqrt(0.5), 4: 0.5, 8: 1.0, 20: 1.0}),
    ],
)
def test_courses(schedule, expected):
    for step, value in expected.items():
        np.testing.assert_allclose(schedule(step), value, rtol=1e-6)
    again = keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(schedule))))
    assert again.get_config() == schedule.get_config()


@pytest.mark.parametrize("unit", schedules.UNITS)
def test_a_clock_tells_the_time_in_either_unit(unit):
    clock, schedule = Clock(), schedules.Linear(0.0, 1.0, over=100, unit=unit)
    schedule.bind(clock)
    for _ in range(2):
        clock.tick(tf.zeros((20, 1)), 1.0)
    # What the optimizer counts is another matter: a discriminator may have made five updates a round.
    np.testing.assert_allclose(schedule(10), 0.02 if unit == "steps" else 0.4, rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unit": "epochs"}, "unit must be one of.*received 'epochs'"),
        ({"over": 0}, "over > 0 and after >= 0; received 0"),
        ({"after": -1}, "received 10 and -1"),
    ],
)
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        schedules.Linear(**{"start": 1.0, "end": 0.0, "over": 10} | settings)


def descend(optimizer, steps=6):
    variable = keras.Variable([1.0, -2.0])
    optimizer.build([variable])
    for step in range(steps):
        optimizer.apply([tf.constant([0.3, -0.1]) * (step + 1)], [variable])
    return np.asarray(variable)


def test_scheduled_adam_is_adam_where_nothing_changes():
    plain = descend(keras.optimizers.Adam(0.01, beta_1=0.5, beta_2=0.9))
    np.testing.assert_array_equal(descend(schedules.ScheduledAdam(0.01, 0.5, 0.9)), plain)
    still = schedules.ScheduledAdam(0.01, schedules.Linear(0.5, 0.5, over=3), schedules.Cosine(0.9, 0.9, over=3))
    np.testing.assert_allclose(descend(still), plain, rtol=1e-6)


def test_scheduled_adam_uses_the_betas_of_the_step():
    moving = schedules.ScheduledAdam(0.01, 0.0, schedules.Linear(0.5, 0.9, over=1))
    moments = np.zeros(2)
    descend(moving, steps=3)
    for step in range(3):
        beta = 0.5 if step == 0 else 0.9
        moments = beta * moments + (1 - beta) * np.square(np.array([0.3, -0.1]) * (step + 1))
    np.testing.assert_allclose(moving._velocities[0], moments, rtol=1e-5)
    again = keras.optimizers.deserialize(json.loads(json.dumps(keras.optimizers.serialize(moving))))
    assert again.get_config() == moving.get_config()


def test_one_course_for_both_players_whatever_their_updates(make_gan, images):
    gan = make_gan(d_steps=2)
    rates = [schedules.Linear(1e-3, 0.0, over=4) for _ in range(2)]
    gan.compile(*(keras.optimizers.Adam(rate) for rate in rates))
    gan.fit(images, batch_size=8, epochs=1, verbose=0)  # 32 images in 2 rounds of 2 batches.
    assert (int(gan.clock.steps), int(gan.clock.images)) == (2, 32)
    assert int(gan.d_optimizer.iterations) == 4
    for optimizer in (gan.d_optimizer, gan.g_optimizer):
        np.testing.assert_allclose(float(optimizer.learning_rate), 5e-4, rtol=1e-6)
