"""Sequential: adding and taking layers, when weights are made, what it refuses."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
Y = X.sum(1, keepdims=True)
Dense = keras.layers.Dense


def text_of(call, kind=ValueError):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def ones(units, **settings):
    return Dense(units, kernel_initializer="ones", **settings)


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [keras.Input(shape=(4,)), ones(3), ones(1)],
        lambda: [keras.layers.InputLayer(shape=(4,)), ones(3), ones(1)],
        lambda: [ones(3, input_shape=(4,)), ones(1)],
        lambda: [ones(3, input_shape=[4]), ones(1)],
        lambda: [ones(3, input_dim=4), ones(1)],
        lambda: [ones(3, batch_input_shape=(None, 4)), ones(1)],
    ],
)
def test_a_known_input_makes_the_weights_at_once(layers):
    model = keras.Sequential(layers())
    assert model.built and model.count_params() == 19
    assert tuple(model.input_shape) == (None, 4) and tuple(model.output_shape) == (None, 1)
    assert [type(layer) for layer in model.layers] == [Dense, Dense]
    np.testing.assert_allclose(model(X).numpy(), Y * 3, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("first", ["call", "predict", "fit", "build", "evaluate"])
def test_else_the_first_use_makes_them(first):
    model = keras.Sequential([ones(3), ones(1)])
    assert not model.built and model.weights == []
    assert text_of(lambda: model.input, AttributeError).endswith("has no input yet: it was not built.")
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    if first == "call":
        model(X)
    elif first == "predict":
        model.predict(X, verbose=0)
    elif first == "fit":
        model.fit(X, Y, verbose=0)
    elif first == "evaluate":
        model.evaluate(X, Y, verbose=0)
    else:
        model.build((None, 4))
    assert model.built and tuple(model.output_shape) == (None, 1)
    np.testing.assert_allclose(model.predict(X, verbose=0), Y * 3, rtol=1e-4, atol=1e-5)
    # other numbers of rows may follow
    assert model(X[:1]).shape == (1, 1)


def test_add_and_pop():
    model = keras.Sequential()
    model.add(keras.Input(shape=(4,)))
    model.add(ones(3))
    assert tuple(model.output_shape) == (None, 3)
    last = ones(1)
    model.add(last)
    np.testing.assert_allclose(model.predict(X, verbose=0), Y * 3, rtol=1e-4, atol=1e-5)
    assert model.pop() is last
    np.testing.assert_allclose(model.predict(X, verbose=0), np.repeat(Y, 3, 1), rtol=1e-4, atol=1e-5)
    model.add(ones(2, name="other"))
    assert len(model.weights) == 4
    np.testing.assert_allclose(model(X).numpy(), np.repeat(Y * 3, 2, 1), rtol=1e-4, atol=1e-5)


def test_pop_of_nothing():
    assert text_of(lambda: keras.Sequential(name="empty").pop(), TypeError) == (
        "The Sequential model 'empty' has no layers: there is none to take away."
    )


def test_no_layers():
    model = keras.Sequential(name="empty")
    assert text_of(lambda: model(X)) == "The Sequential model 'empty' has no layers: it cannot be built."
    assert text_of(lambda: model.build((None, 4))) == "The Sequential model 'empty' has no layers: it cannot be built."


def test_names_must_differ():
    assert text_of(lambda: keras.Sequential([Dense(1, name="a"), Dense(1, name="a")])) == (
        "All layers of a Sequential model should have unique names: 'a' is there already. Give this one another `name=`."
    )


def test_the_same_layer_twice():
    layer = ones(4)
    model = keras.Sequential([keras.Input(shape=(4,)), layer, layer])
    assert model.count_params() == 20
    np.testing.assert_allclose(model.predict(X, verbose=0), np.repeat(Y * 4, 4, 1), rtol=1e-4, atol=1e-5)


def test_an_input_stands_first():
    assert text_of(lambda: keras.Sequential([Dense(1), keras.Input(shape=(4,))])) == (
        "An Input can only stand first in a Sequential model."
    )
    assert text_of(lambda: keras.Sequential([keras.Input(shape=(4,)), keras.Input(shape=(4,))])) == (
        "An Input can only stand first in a Sequential model."
    )


def test_what_is_no_layer():
    assert text_of(lambda: keras.Sequential([Dense(1), "dense"]), TypeError) == (
        "A Sequential model takes layers; given 'dense' (str)."
    )
    assert text_of(lambda: keras.Sequential([Dense]), TypeError) == (
        f"A Sequential model takes layers; given {Dense!r} (type). Did you mean Dense(...)?"
    )


def test_functions_become_layers():
    model = keras.Sequential([keras.Input(shape=(4,)), tf.square, lambda x: x + 1.0])
    np.testing.assert_allclose(model.predict(X, verbose=0), X**2 + 1, rtol=1e-6)


def test_sequentials_inside_each_other():
    inner = keras.Sequential([keras.Input(shape=(4,)), ones(3)], name="inner")
    model = keras.Sequential([inner, ones(1)])
    assert model.built and tuple(model.input_shape) == (None, 4)
    np.testing.assert_allclose(model.predict(X, verbose=0), Y * 3, rtol=1e-4, atol=1e-5)
    late = keras.Sequential([keras.Sequential([ones(3)]), ones(1)])
    np.testing.assert_allclose(late.predict(X, verbose=0), Y * 3, rtol=1e-4, atol=1e-5)


def test_a_config_makes_a_model_that_does_the_same():
    model = keras.Sequential([keras.Input(shape=(4,)), Dense(3, activation="selu"), Dense(1)], name="mine")
    again = keras.Sequential.from_config(model.get_config())
    assert again.name == "mine" and [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    unbuilt = keras.Sequential.from_config(keras.Sequential([Dense(3)]).get_config())
    assert not unbuilt.built and unbuilt(X).shape == (40, 3)


def test_a_subclass_of_sequential():
    class Mine(keras.Sequential):
        def train_step(self, data):
            logs = super().train_step(data)
            return {**logs, "more": logs["loss"] * 2}

    model = Mine([keras.Input(shape=(4,)), ones(1)])
    model.compile(loss="mse", optimizer="sgd")
    history = model.fit(X, Y * 2, verbose=0).history
    np.testing.assert_allclose(history["more"], np.multiply(history["loss"], 2), rtol=1e-6)


def test_a_layer_is_frozen_in_place():
    model = keras.Sequential([keras.Input(shape=(4,)), ones(3), ones(1)])
    model.layers[0].trainable = False
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.01))
    model.fit(X, Y, verbose=0)
    assert (model.layers[0].kernel.numpy() == 1).all() and (model.layers[1].kernel.numpy() != 1).any()


def test_a_wrong_number_of_features_names_the_layer():
    model = keras.Sequential([keras.Input(shape=(4,)), Dense(1, name="out")])
    assert text_of(lambda: model(X[:, :3])) == (
        "Input 0 of layer 'out' (Dense) is incompatible with the layer: expected axis -1 of the input to have size 4; "
        "received an input of shape (40, 3)."
    )
