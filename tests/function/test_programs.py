"""program_of: one way to the program behind a function, a model, a step, a tape."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras

X = tf.TensorSpec([None, 3], name="x")


def names(program: tf.Program) -> list[str]:
    return [node.op.name for node in program.nodes]


def test_of_functions_and_their_traced_forms() -> None:
    @tf.function
    def f(x):
        return tf.exp(x) * 2.0

    concrete = f.get_concrete_function(X)
    assert tf.program_of(concrete) is concrete.program
    assert names(tf.program_of(f, X)) == names(tf.program_of(lambda x: tf.exp(x) * 2.0, X)) == ["exp", "multiply"]
    assert tf.program_of(concrete.program) is concrete.program
    assert names(tf.program_of(f, np.ones([2, 2], "float32"))) == ["exp", "multiply"]


def test_a_plain_function_is_converted() -> None:
    def f(x):
        if tf.reduce_sum(x) > 0.0:
            x = -x
        return x

    assert names(tf.program_of(f, X)) == ["reduce_sum", "greater", "cond"]


@pytest.mark.parametrize("kind", ["functional", "sequential", "deferred", "subclass"])
def test_of_models_without_arguments_for_any_batch(kind: str) -> None:
    if kind == "functional":
        inputs = keras.Input([3], name="features")
        model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    elif kind == "sequential":
        model = keras.Sequential([keras.Input([3]), keras.layers.Dense(2)])
    elif kind == "deferred":
        model = keras.Sequential([keras.layers.Dense(2)])
        model(np.ones([4, 3], "float32"))
    else:

        class Own(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.dense = keras.layers.Dense(2)

            def call(self, inputs):
                return self.dense(inputs)

        model = Own()
        with pytest.raises(ValueError, match=r"the shape of its inputs is not known yet.*Call it on data once"):
            tf.program_of(model)
        model(np.ones([4, 3], "float32"))
    program = tf.program_of(model)
    assert names(program) == ["matmul", "add"]
    assert program.specs[program.inputs[0]] == ((None, 3), np.dtype("float32"))
    if kind == "functional":
        assert str(program).splitlines()[1].startswith("features = input")


def test_of_a_train_step() -> None:
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    program = tf.program_of(model.train_step, (X, tf.TensorSpec([None, 1])))
    assert "gradient" in names(program)
    kernel = model.layers[0].kernel
    assert any(variable is kernel for variable, _ in program.updates)


def test_of_a_tape() -> None:
    w = tf.Variable([2.0, 3.0], name="w")
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        tf.reduce_sum(tf.concat([w * x, w], 0))
    text = str(tf.program_of(tape)).splitlines()
    assert text[0] == "tape:" and names(tf.program_of(tape)) == ["multiply", "concat", "reduce_sum"]
    assert [line.split("  ")[0].strip() for line in text[1:]] == [
        "watched_0 = input",
        "w = variable",
        "%0 = multiply(w, watched_0)",
        "%1 = concat([%0, w], axis=0)",
        "%2 = reduce_sum(%1)",
        "return %2",
    ]


def test_what_no_program_stands_behind() -> None:
    with pytest.raises(
        TypeError, match=r"^program_of: there is no program behind this \(given=3\); it takes a function"
    ):
        tf.program_of(3)
