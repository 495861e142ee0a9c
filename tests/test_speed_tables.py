"""The tables of train steps and of finite differences say what was measured, and how products are counted."""

import sys
from pathlib import Path

import tensorflow as tf

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

import finite_differences
import roofline
import train_step

ROOT = Path(__file__).parents[1]


def test_the_tables_are_those_of_the_kept_results():
    for module, page in ((train_step, "README.md"), (finite_differences, "CONTRIBUTING.md")):
        table = module.table(module.LEDGER.runs())
        assert f"{module.START}\n{table}\n{module.END}" in (ROOT / page).read_text(encoding="utf-8"), page


def test_products_and_sums_are_counted():
    images, kernel = tf.zeros((2, 8, 8, 3)), tf.zeros((3, 3, 3, 5))
    outputs = tf.nn.conv2d(images, kernel, 2, "SAME")
    expected = 2 * (2 * 4 * 4 * 5) * (3 * 3 * 3)
    count = roofline.operations
    assert count("Conv2D", [images, kernel], [outputs]) == expected
    # A gradient uses every product once.
    assert count("Conv2DBackpropInput", [tf.zeros(4), kernel, outputs], [images]) == expected
    assert count("Conv2DBackpropFilter", [images, tf.zeros(4), outputs], [kernel]) == expected
    # (4 x 6) times (6 x 5), the first given as its transpose.
    assert count("MatMul", [tf.zeros((6, 4)), tf.zeros((6, 5))], [tf.zeros((4, 5))]) == 2 * 4 * 6 * 5
    assert count("Relu", [images], [images]) == 0


def test_finite_differences_are_the_squared_slope_on_average():
    matrix = tf.constant([[2.0, 1.0, 0.0], [1.0, -3.0, 0.5], [0.0, 0.5, 1.0]])
    images = tf.repeat(tf.constant([[1.0, -2.0, 0.5]]), 200_000, axis=0)

    class Quadratic:
        @staticmethod
        def judge(x):
            return 0.5 * tf.reduce_sum(x * (x @ matrix), axis=1, keepdims=True)

        @staticmethod
        def next_seed():
            return tf.constant([1, 2])

    near = finite_differences.near(Quadratic, images, Quadratic.judge(images))
    exact = 0.5 * tf.reduce_sum(tf.square(images[:1] @ matrix))
    # Deviation of the mean of 200,000 squares: 0.3 % of it.
    assert abs(float(near / exact) - 1.0) < 0.02
