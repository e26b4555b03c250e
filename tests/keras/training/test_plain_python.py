"""Models whose `call` asks for values: run_eagerly=True and dynamic=True run it as plain Python."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


class ByValue(keras.layers.Layer):
    """Adds the mean of its inputs, computed outside of TensorFlow's operations."""

    def call(self, inputs):
        return inputs + float(np.mean(inputs.numpy()))

    def compute_output_shape(self, input_shape):
        return input_shape


class Own(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.out = ByValue(), keras.layers.Dense(1)
        self.calls = []

    def call(self, inputs):
        self.calls.append(int(inputs.shape[0]))
        return self.out(self.first(inputs))


@pytest.mark.parametrize("how", ["run_eagerly", "dynamic"])
def test_a_call_that_asks_for_values(how):
    model = Own(dynamic=True) if how == "dynamic" else Own()
    model.compile(loss="mse", optimizer="sgd", run_eagerly=True if how == "run_eagerly" else None)
    assert model.run_eagerly and model.dynamic is (how == "dynamic")
    before = model.fit(X, Y, batch_size=8, epochs=3, validation_data=(X, Y), verbose=0).history
    assert before["loss"][-1] < before["loss"][0]
    np.testing.assert_allclose(model.evaluate(X, Y, batch_size=20, verbose=0), before["val_loss"][-1], rtol=0.5)
    model.calls.clear()
    expected = (X + X.mean()) @ model.out.kernel.numpy() + model.out.bias.numpy()
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5)
    assert model.calls == [20]


def test_a_dynamic_layer_in_a_drawn_model():
    model = keras.Sequential([keras.layers.Dense(2, input_shape=[3]), ByValue(dynamic=True), keras.layers.Dense(1)])
    assert model.output_shape == (None, 1)
    assert [layer.dynamic for layer in model.layers] == [False, True, False]
    model.compile(loss="mse", optimizer="sgd")
    assert model.run_eagerly
    model.fit(X, Y, verbose=0)
    np.testing.assert_allclose(model.predict(X, verbose=0), model(X).numpy(), rtol=1e-6)


def test_dynamic_and_compiled_exclude_each_other():
    model = Own(dynamic=True, name="mine")
    with pytest.raises(ValueError) as caught:
        model.compile(loss="mse", run_eagerly=False)
    assert str(caught.value) == (
        "The model 'mine' was made with dynamic=True, or holds a layer that was: it runs as plain Python. "
        "Leave run_eagerly out, or leave dynamic=True out."
    )


def test_a_compiled_model_still_says_why_a_value_is_not_known():
    class Asks(keras.Model):
        def call(self, inputs):
            return inputs * float(np.mean(inputs.numpy()))

    model = Asks()
    model.compile(loss="mse", optimizer="sgd")
    with pytest.raises(TypeError, match="The value of a symbolic tensor"):
        model.fit(X, Y, verbose=0)


def test_a_wrong_call_fails_once_run_eagerly_too():
    class Wrong(keras.Model):
        def call(self, inputs):
            return tf.matmul(inputs, tf.ones([5, 1]))

    model = Wrong()
    model.compile(loss="mse", optimizer="sgd", run_eagerly=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="matmul"):
        model.fit(X, Y, verbose=0)
