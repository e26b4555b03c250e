"""Functional models: several inputs and outputs, shared layers, operations on symbols, nesting, depth, configs."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support import reference

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
Z = np.random.default_rng(1).normal(size=(40, 2)).astype("float32")
Dense = keras.layers.Dense


def text_of(call, kind=ValueError):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def close(given, expected):
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-5)


def two_inputs():
    wide, deep = keras.Input(shape=(4,), name="wide"), keras.Input(shape=(2,), name="deep")
    hidden = Dense(3, name="hidden")(deep)
    joined = keras.layers.concatenate([wide, hidden], name="joined")
    return keras.Model([wide, deep], [Dense(1, name="main")(joined), Dense(1, name="side")(hidden)], name="both")


def by_hand(model, x, z):
    (k, b), (m, c), (s, d) = (model.get_layer(name).get_weights() for name in ("hidden", "main", "side"))
    hidden = z @ k + b
    return np.concatenate([x, hidden], 1) @ m + c, hidden @ s + d


def test_several_inputs_and_outputs():
    model = two_inputs()
    assert (model.input_names, model.output_names) == (["wide", "deep"], ["main", "side"])
    main, side = by_hand(model, X, Z)
    for given in (model([X, Z]), model.predict([X, Z], verbose=0), model((X, Z)), model.predict((X, Z), verbose=0)):
        assert len(given) == 2
        close(np.asarray(given[0]), main)
        close(np.asarray(given[1]), side)


def test_inputs_by_name():
    model = two_inputs()
    main, side = by_hand(model, X, Z)
    given = model.predict({"deep": Z, "wide": X}, verbose=0)
    close(given[0], main)
    close(given[1], side)
    assert text_of(lambda: model({"deep": Z})) == (
        "The model 'both' takes the inputs ['wide', 'deep']; ['wide'] are missing from the given ['deep']."
    )
    assert text_of(lambda: model([X])) == "The model 'both' takes 2 inputs (wide, deep); 1 were given."


@pytest.mark.parametrize("given", ["int64", "float64", "bool", "float32", "uint8"])
@pytest.mark.parametrize("wanted", ["float32", "int32", "bool"])
def test_an_input_has_the_dtype_that_it_was_drawn_with(given, wanted):
    values = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 1.0]]).astype(given)

    def made(library):
        drawn = library.Input((3,), dtype=wanted)
        return library.Model(drawn, drawn if wanted == "bool" else drawn + 2)

    truth = np.asarray(made(reference.keras())(values))
    sequence = keras.Sequential(
        [keras.Input((3,), dtype=wanted), keras.layers.Lambda(lambda x: x if wanted == "bool" else x + 2)]
    )
    for model in (made(keras), sequence):
        found = model(values)
        assert found.dtype.name == truth.dtype.name
        np.testing.assert_array_equal(found, truth)
        np.testing.assert_array_equal(model.predict(values, verbose=0), truth)


def test_an_input_of_64_bits_keeps_them(tmp_path):
    values = np.array([[1 / 3, 1e-12]])
    drawn = keras.Input((2,), dtype="float64")
    model = keras.Model(drawn, tf.square(drawn))
    assert model(values).numpy().tolist() == (values**2).tolist()
    model.save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras")(values).numpy().tolist() == (values**2).tolist()


def test_a_cast_input_keeps_its_mask():
    drawn = keras.Input((None, 1))
    model = keras.Model(drawn, keras.layers.GlobalAveragePooling1D()(drawn))
    steps = tf.constant([[[4], [8]]])
    steps._keras_mask = tf.constant([[True, False]])
    assert model(steps).numpy().tolist() == [[4]]


def test_a_sequence_remembers_the_input_that_it_was_told(tmp_path):
    model = keras.Sequential([keras.Input((2,), dtype="int32", name="numbers"), keras.layers.Activation("relu")])
    for again in (keras.models.clone_model(model), keras.Sequential.from_config(model.get_config())):
        assert again.inputs[0].dtype is tf.int32 and again.inputs[0].name == "numbers"
        assert again(np.array([[-1.0, 2.0]])).numpy().tolist() == [[0, 2]]


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("eager", [False, True])
def test_the_order_in_which_a_dict_was_filled_means_nothing(names, eager):
    one, two = keras.Input(shape=(4,), name="a"), keras.Input(shape=(4,), name="b")
    scale = Scale()
    model = keras.Model({"a": one, "b": two}, {"b": scale(one) - two, "a": two * 2})
    values = {"a": X, "b": X * 3}
    filled = {name: values[name] for name in names}
    given = model.predict(filled, verbose=0)
    close(given["b"], X * -2)
    close(given["a"], X * 6)
    targets = {"a": X * 6, "b": X * -2}
    model.compile(loss={"b": "mse", "a": "mae"}, optimizer="sgd", run_eagerly=eager)
    close(model.evaluate(filled, {name: targets[name] for name in names}, verbose=0)[0], 0)
    history = model.fit(filled, {name: targets[name] for name in names}, verbose=0, shuffle=False).history
    close(history["loss"], [0])


def test_training_on_several_outputs():
    main, side = X.sum(1, keepdims=True), Z.sum(1, keepdims=True)
    for losses, weights, targets in (
        (["mse", "mae"], [1.0, 0.5], [main, side]),
        ({"main": "mse", "side": "mae"}, {"main": 1.0, "side": 0.5}, {"main": main, "side": side}),
    ):
        model = two_inputs()
        model.compile(loss=losses, loss_weights=weights, optimizer="sgd", metrics={"main": "mae"})
        expected_main, expected_side = by_hand(model, X, Z)
        given = model.evaluate([X, Z], targets, batch_size=40, verbose=0, return_dict=True)
        first, second = ((expected_main - main) ** 2).mean(), abs(expected_side - side).mean()
        close(given["loss"], first + 0.5 * second)
        close(given["main_loss"], first)
        close(given["side_loss"], second)
        close(given["main_mae"], abs(expected_main - main).mean())
        model.fit({"wide": X, "deep": Z}, targets, epochs=5, verbose=0)
        assert model.evaluate([X, Z], targets, verbose=0)[0] < given["loss"]


def test_dicts_as_the_form_of_inputs_and_outputs():
    one, two = keras.Input(shape=(4,), name="one"), keras.Input(shape=(4,), name="two")
    model = keras.Model({"b": two, "a": one}, {"difference": one - two, "sum": one + two})
    for given in (model({"a": X, "b": X * 3}), model.predict({"a": X, "b": X * 3}, verbose=0)):
        assert sorted(given) == ["difference", "sum"]
        close(np.asarray(given["difference"]), X * -2)
        close(np.asarray(given["sum"]), X * 4)


def test_a_list_of_one_output_gives_the_output_itself():
    symbol = keras.Input(shape=(4,))
    model = keras.Model(inputs=[symbol], outputs=[symbol * 2])
    for made in (model, keras.Model.from_config(model.get_config())):
        close(made.predict(X, verbose=0), X * 2)
        close(made([X]).numpy(), X * 2)


def test_a_shared_layer_has_its_weights_once():
    one, two = keras.Input(shape=(4,)), keras.Input(shape=(4,))
    shared = Dense(2, kernel_initializer="ones")
    model = keras.Model([one, two], shared(one) - shared(two))
    assert len(model.weights) == 2 and model.count_params() == 10
    close(model.predict([X, X * 3], verbose=0), np.repeat(X.sum(1, keepdims=True) * -2, 2, 1))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.01))
    model.fit([X, X * 3], Z, batch_size=40, verbose=0)
    # d/dk mean((xk - 3xk - z)^2): both calls count
    error = np.repeat(X.sum(1, keepdims=True) * -2, 2, 1) - Z
    close(shared.kernel.numpy(), 1 - 0.01 * 2 / 80 * (X * -2).T @ error)
    close(shared.bias.numpy(), 0)


def test_operations_on_symbols():
    symbol = keras.Input(shape=(4,))
    result = tf.exp(-(symbol * 2 + 1)) / (1.0 + tf.reduce_sum(tf.square(symbol), axis=-1, keepdims=True))
    result = tf.concat([result, symbol[:, 1:3], 3.0 - symbol], axis=-1)
    assert tuple(result.shape) == (None, 10)
    model = keras.Model(symbol, result)
    first = np.exp(-(X * 2 + 1)) / (1 + (X**2).sum(1, keepdims=True))
    close(model.predict(X, verbose=0), np.concatenate([first, X[:, 1:3], 3 - X], 1))


def test_operations_of_keras_3_on_symbols():
    symbol = keras.Input(shape=(4,))
    ops = keras.ops
    result = ops.concatenate([ops.relu(symbol), ops.mean(symbol, axis=1, keepdims=True)], axis=-1)
    result = ops.matmul(result, ops.ones((5, 2))) @ tf.constant([[1.0], [2.0]])
    model = keras.Model(symbol, result)
    close(model.predict(X, verbose=0), (np.maximum(X, 0).sum(1) + X.mean(1))[:, None] * 3)


def test_operations_on_symbols_with_arrays_and_variables():
    symbol, weight = keras.Input(shape=(4,)), tf.Variable(2.0)
    model = keras.Model(symbol, symbol * np.arange(4, dtype="float32") + weight)
    close(model.predict(X, verbose=0), X * np.arange(4) + 2)


def test_the_value_of_a_symbol_is_not_known():
    symbol = keras.Input(shape=(4,))
    for ask in (lambda: bool(symbol[0, 0] > 0), lambda: symbol.numpy(), lambda: float(symbol[0, 0])):
        with pytest.raises((TypeError, AttributeError, NotImplementedError, RuntimeError, ValueError)):
            ask()


def test_a_graph_that_is_not_connected():
    one, two = keras.Input(shape=(4,), name="one"), keras.Input(shape=(4,), name="two")
    assert text_of(lambda: keras.Model(one, one + two, name="broken")) == (
        "The model 'broken' is not connected: its outputs need the input 'two', which is not among the inputs given."
    )


def test_inputs_and_outputs_that_are_no_symbols():
    symbol = keras.Input(shape=(4,))
    assert text_of(lambda: keras.Model(3, symbol)) == (
        "All inputs of a functional model must come from keras.Input; given 3."
    )
    assert text_of(lambda: keras.Model(symbol, "x")) == (
        "All outputs of a functional model must be results of its layers; given 'x'."
    )


def test_names_must_differ():
    symbol = keras.Input(shape=(4,))
    assert text_of(lambda: keras.Model(symbol, Dense(1, name="a")(Dense(2, name="a")(symbol)), name="m")) == (
        "All layers of the model 'm' should have unique names: 'a' stands for 2 of them. Give them another `name=`."
    )


def test_a_wrong_shape_names_the_input():
    model = two_inputs()
    assert text_of(lambda: model([X, X])) == (
        "Input 'deep' of model 'both' takes shape (None, 2); a value of shape (40, 4) was given."
    )


def test_a_part_of_a_model_as_a_model():
    model = two_inputs()
    part = keras.Model(model.inputs, model.get_layer("hidden").output)
    close(part.predict([X, Z], verbose=0), model.get_layer("hidden")(Z).numpy())
    after = keras.Model(model.get_layer("joined").output, model.get_layer("main").output)
    joined = np.concatenate([X, model.get_layer("hidden")(Z).numpy()], 1)
    close(after.predict(joined, verbose=0), by_hand(model, X, Z)[0])


def test_an_input_that_no_output_needs():
    one, two = keras.Input(shape=(4,), name="one"), keras.Input(shape=(2,), name="two")
    model = keras.Model([one, two], one * 2)
    close(model.predict([X, Z], verbose=0), X * 2)


def test_models_inside_models():
    inner = two_inputs()
    one, two = keras.Input(shape=(4,)), keras.Input(shape=(2,))
    main, side = inner([one, two])
    model = keras.Model([one, two], keras.layers.Add()([main, side]))
    close(model.predict([X, Z], verbose=0), sum(by_hand(inner, X, Z)))
    assert inner in model.layers and len(model.weights) == 6
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    close(again.predict([X, Z], verbose=0), sum(by_hand(inner, X, Z)))


@pytest.mark.parametrize("make", [two_inputs, lambda: shared_twice()])
def test_a_config_makes_a_model_that_does_the_same(make):
    model = make()
    inputs = [X, Z] if len(model.inputs) == 2 else X
    again = keras.Model.from_config(model.get_config())
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert again.name == model.name
    again.set_weights(model.get_weights())
    for one, other in zip(
        np.atleast_1d(again.predict(inputs, verbose=0)), np.atleast_1d(model.predict(inputs, verbose=0)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def shared_twice():
    symbol = keras.Input(shape=(4,), name="in")
    shared = Dense(4, name="shared", activation="tanh")
    once = shared(symbol)
    return keras.Model(symbol, shared(once) + once * 0.5, name="shared_twice")


def test_layers_and_weights_stand_in_the_order_of_keras():
    real = reference.keras()

    def make(library):
        one = library.Input(shape=(4,), name="one")
        two = library.Input(shape=(2,), name="two")
        a = library.layers.Dense(3, name="a")(two)
        b = library.layers.Dense(3, name="b")(one)
        c = library.layers.Add(name="c")([library.layers.Dense(3, name="d")(b), a])
        return library.Model([one, two], [library.layers.Dense(1, name="e")(c), library.layers.Dense(1, name="f")(a)])

    ours, theirs = make(keras), make(real)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [tuple(w.shape) for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    theirs.set_weights(ours.get_weights())
    for mine, other in zip(ours.predict([X, Z], verbose=0), theirs.predict([X, Z], verbose=0), strict=True):
        close(mine, other)


def test_a_model_of_five_hundred_layers():
    symbol = keras.Input(shape=(4,))
    x = symbol
    for _ in range(500):
        x = Scale()(x)
    model = keras.Model(symbol, x)
    assert len(model.layers) == 501 and len(model.weights) == 500
    close(model(X).numpy(), X)
    again = keras.Model.from_config(model.get_config(), custom_objects={"Scale": Scale})
    assert len(again.weights) == 500
    close(again(X).numpy(), X)


class Scale(keras.layers.Layer):
    def build(self, shape):
        self.factor = self.add_weight(name="factor", shape=(), initializer="ones")

    def call(self, x):
        return x * self.factor


def test_the_same_model_is_drawn_on_twice():
    inner = keras.Sequential([keras.Input(shape=(4,)), Dense(2, kernel_initializer="ones")])
    one, two = keras.Input(shape=(4,)), keras.Input(shape=(4,))
    model = keras.Model([one, two], inner(one) * inner(two))
    assert len(model.weights) == 2
    expected = np.repeat((X.sum(1) * X.sum(1) * 2)[:, None], 2, 1)
    close(model.predict([X, X * 2], verbose=0), expected)
