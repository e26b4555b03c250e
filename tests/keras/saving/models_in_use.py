"""Models with every kind of custom part, made of the same code as the recorded files."""

import tensorsmith as tf
from tensorsmith import keras
from tests.fixtures import make_keras_files


class Ops:
    log, exp, abs, sum = tf.math.log, tf.exp, tf.abs, tf.reduce_sum
    where, ones, cast, matmul = tf.where, tf.ones, tf.cast, tf.matmul


PARTS = make_keras_files.parts(keras, Ops)
CUSTOM = {
    name: PARTS[name]
    for name in (
        "my_softplus", "my_initializer", "my_positive_weights", "MyL1Regularizer", "HuberLoss", "MyDense",
        "ResidualBlock", "ResidualRegressor",
    )
}  # fmt: skip


def trained():
    """name -> (model, inputs), each compiled, most of them trained."""
    return {name: (model, inputs) for name, model, inputs, _ in make_keras_files.models(keras, Ops)}
