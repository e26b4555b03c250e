"""Single layers: what each computes, against a formula or real Keras, and the errors of their arguments."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support import reference

X = np.random.default_rng(0).normal(size=(64, 6)).astype("float32") * 2 + 1
Y = X.sum(1, keepdims=True)


def text_of(call, kind=ValueError):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


# ---- Dropout


def test_dropout_is_the_identity_outside_training():
    layer = keras.layers.Dropout(0.5)
    for training in (None, False):
        np.testing.assert_array_equal(layer(X, training=training).numpy(), X)
    model = keras.Sequential([keras.Input(shape=(6,)), layer])
    np.testing.assert_array_equal(model.predict(X, verbose=0), X)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_dropout_drops_its_share_and_keeps_the_mean(rate):
    count = 40_000
    kept = keras.layers.Dropout(rate, seed=1)(np.ones((count // 10, 10), "float32"), training=True).numpy()
    assert set(np.unique(kept)) == {0.0, np.float32(1) / np.float32(1 - rate)}
    spread = np.sqrt(rate * (1 - rate) / count)
    assert abs((kept == 0).mean() - rate) < 5 * spread
    assert abs(kept.mean() - 1) < 5 * spread / (1 - rate)


def test_dropout_at_its_ends():
    assert (keras.layers.Dropout(1.0)(X, training=True).numpy() == 0).all()
    np.testing.assert_array_equal(keras.layers.Dropout(0)(X, training=True).numpy(), X)


def test_dropout_with_a_noise_shape_drops_whole_rows():
    dropped = keras.layers.Dropout(0.5, noise_shape=[64, 1], seed=2)(X, training=True).numpy() == 0
    assert (dropped.all(1) | ~dropped.any(1)).all()
    assert 10 < dropped.all(1).sum() < 54


@pytest.mark.parametrize("seed", [7, None])
def test_dropout_repeats_itself_with_a_seed_and_changes_from_call_to_call(seed):
    def draws():
        keras.utils.set_random_seed(3)
        layer = keras.layers.Dropout(0.5, seed=seed)
        return [layer(X, training=True).numpy() == 0 for _ in range(2)]

    first, again = draws(), draws()
    np.testing.assert_array_equal(first, again)
    assert (first[0] != first[1]).any()


@pytest.mark.parametrize("seed", [7, None])
@pytest.mark.parametrize("eager", [False, True])
def test_dropout_repeats_itself_in_fit(seed, eager):
    def weights(number):
        keras.utils.set_random_seed(number)
        layers = [keras.layers.Dropout(0.5, seed=seed), keras.layers.Dense(1, kernel_initializer="ones")]
        model = keras.Sequential([keras.Input(shape=(6,)), *layers])
        model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.01), run_eagerly=eager)
        model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        return model.get_weights()[0]

    first = weights(3)
    np.testing.assert_array_equal(first, weights(3))
    if seed is None:
        assert (first != weights(4)).any()
    else:
        np.testing.assert_array_equal(first, weights(4))


def test_a_seeded_dropout_draws_the_same_in_fit_as_by_hand():
    layer = keras.layers.Dropout(0.5, seed=7)
    seen = [layer(X[:16], training=True).numpy() for _ in range(3)]
    kernel = np.ones((6, 1), "float32")
    for dropped, start in zip(seen, (0, 16, 32), strict=True):
        dropped = np.where(dropped == 0, 0, X[start : start + 16] * 2).astype("float32")
        error = dropped @ kernel - Y[start : start + 16]
        kernel -= 0.01 * 2 / 16 * dropped.T @ error
    dense = keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    model = keras.Sequential([keras.Input(shape=(6,)), keras.layers.Dropout(0.5, seed=7), dense])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.01))
    model.fit(X[:48], Y[:48], batch_size=16, shuffle=False, verbose=0)
    np.testing.assert_allclose(dense.get_weights()[0], kernel, rtol=1e-4)


@pytest.mark.parametrize("rate", [-0.1, 1.5])
def test_dropout_with_a_rate_that_is_no_share(rate):
    assert text_of(lambda: keras.layers.Dropout(rate)) == f"Dropout: rate must be between 0 and 1; given {rate}."


# ---- normalization


def test_batch_normalization_in_training_uses_the_batch_and_moves_its_averages():
    layer = keras.layers.BatchNormalization(momentum=0.9, epsilon=0.01)
    mean, variance = X.mean(0), X.var(0)
    for steps in (1, 2):
        given = layer(X, training=True).numpy()
        np.testing.assert_allclose(given, (X - mean) / np.sqrt(variance + 0.01), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(layer.moving_mean.numpy(), mean * (1 - 0.9**steps), rtol=1e-5)
        np.testing.assert_allclose(layer.moving_variance.numpy(), variance + (1 - variance) * 0.9**steps, rtol=1e-5)
    moving, spread = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    np.testing.assert_allclose(layer(X).numpy(), (X - moving) / np.sqrt(spread + 0.01), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), moving)


def test_frozen_batch_normalization_uses_its_averages_in_training_too():
    layer = keras.layers.BatchNormalization()
    layer.trainable = False
    np.testing.assert_allclose(layer(X, training=True).numpy(), X / np.sqrt(1.001), rtol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(6))


def test_two_steps_of_fit_with_batch_normalization_are_those_of_keras():
    real = reference.keras()

    def make(library):
        layers = library.layers
        model = library.Sequential(
            [
                library.Input(shape=(6,)),
                layers.Dense(4, activation="tanh"),
                layers.BatchNormalization(momentum=0.8),
                layers.Dense(1),
            ]
        )
        model.compile(loss="mse", optimizer=library.optimizers.SGD(0.05))
        return model

    ours, theirs = make(keras), make(real)
    theirs.set_weights(ours.get_weights())
    for model in (ours, theirs):
        model.fit(X, Y, batch_size=32, epochs=1, shuffle=False, verbose=0)
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        assert one.name == other.name
        np.testing.assert_allclose(one.numpy(), np.asarray(other), rtol=2e-4, atol=1e-5, err_msg=one.path)
    np.testing.assert_allclose(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(ours.evaluate(X, Y, verbose=0), theirs.evaluate(X, Y, verbose=0), rtol=1e-4)


def test_layer_normalization_normalizes_each_row():
    layer = keras.layers.LayerNormalization(epsilon=0.01)
    mean, variance = X.mean(1, keepdims=True), X.var(1, keepdims=True)
    np.testing.assert_allclose(layer(X).numpy(), (X - mean) / np.sqrt(variance + 0.01), rtol=1e-4, atol=1e-5)
    assert [w.name for w in layer.weights] == ["gamma", "beta"]


# ---- Reshape, Flatten


def test_flatten_and_reshape_where_sizes_are_unknown():
    symbol = keras.Input(shape=(None, 4))
    flat, two = keras.layers.Flatten()(symbol), keras.layers.Reshape((-1, 2))(symbol)
    assert tuple(flat.shape) == (None, None) and tuple(two.shape) == (None, None, 2)
    values = np.arange(24, dtype="float32").reshape(2, 3, 4)
    np.testing.assert_array_equal(keras.Model(symbol, flat).predict(values, verbose=0), values.reshape(2, 12))
    np.testing.assert_array_equal(keras.Model(symbol, two).predict(values, verbose=0), values.reshape(2, 6, 2))


def test_flatten_gives_a_row_of_numbers_an_axis():
    assert keras.layers.Flatten()(np.ones(5, "float32")).shape == (5, 1)
    assert tuple(keras.layers.Flatten()(keras.Input(shape=())).shape) == (None, 1)


def test_an_empty_batch_keeps_its_shape():
    assert keras.layers.Flatten()(np.ones((0, 2, 3), "float32")).shape == (0, 6)
    assert keras.layers.Reshape((3, 2))(np.ones((0, 6), "float32")).shape == (0, 3, 2)
    assert keras.layers.Dense(2)(np.ones((0, 6), "float32")).shape == (0, 2)


def test_a_reshape_to_another_number_of_elements():
    text = text_of(lambda: keras.layers.Reshape((4, 2))(keras.Input(shape=(6,))))
    assert text == (
        "Reshape: the target shape (4, 2) holds another number of elements than the input; "
        "an input of shape (None, 6) has 6 in each row, the target 8."
    )
    text = text_of(lambda: keras.layers.Reshape((4, -1))(X))
    assert text == (
        "Reshape: the target shape (4, -1) holds another number of elements than the input; "
        "an input of shape (64, 6) has 6 in each row, which 4 does not divide."
    )


# ---- merging


def test_functions_that_merge():
    a, b, layers = X[:3], X[3:6], keras.layers
    for function, expected in (
        (layers.add, a + b),
        (layers.subtract, a - b),
        (layers.multiply, a * b),
        (layers.average, (a + b) / 2),
        (layers.maximum, np.maximum(a, b)),
        (layers.minimum, np.minimum(a, b)),
        (layers.concatenate, np.concatenate([a, b], -1)),
    ):
        np.testing.assert_allclose(function([a, b]).numpy(), expected, rtol=1e-6, err_msg=function.__name__)
    assert layers.concatenate([a, b], axis=0).shape == (6, 6)


def test_merging_takes_several_tensors():
    assert text_of(lambda: keras.layers.Add(name="sum")(X[:1, :2])).startswith(
        "Add 'sum' takes a list of at least 2 tensors; given "
    )
    assert text_of(lambda: keras.layers.Subtract(name="less")([X, X, X])).startswith(
        "Subtract 'less' takes a list of exactly 2 tensors; given 3."
    )


# ---- activations


def test_relu_refuses_negative_settings():
    assert text_of(lambda: keras.layers.ReLU(max_value=-1.0)) == (
        "ReLU: max_value, negative_slope and threshold must not be negative; given "
        "max_value=-1.0, negative_slope=0.0, threshold=0.0."
    )


def test_an_activation_layer_takes_functions():
    np.testing.assert_array_equal(keras.layers.Activation(tf.nn.relu)(X).numpy(), np.maximum(X, 0))
    np.testing.assert_allclose(keras.layers.Activation(lambda z: z * 2)(X).numpy(), X * 2)


def test_keras_2_calls_the_slope_alpha():
    np.testing.assert_allclose(keras.layers.LeakyReLU(alpha=0.5)([-2.0, 2.0]).numpy(), [-1.0, 2.0])


# ---- Dense


@pytest.mark.parametrize("units", [0, -3, 2.5, True])
def test_dense_units(units):
    assert (
        text_of(lambda: keras.layers.Dense(units)) == f"Dense: units must be a positive integer; given units={units!r}."
    )


def test_dense_needs_a_known_last_axis():
    text = text_of(lambda: keras.layers.Dense(2, name="out")(keras.Input(shape=(3, None))))
    assert text == (
        "The weight 'kernel' of layer 'out' (Dense) was given the shape (None, 2): every size of a weight must be "
        "known. Is the last size of the input known, as in keras.Input(shape=(8,))?"
    )


# ---- Lambda


def test_a_lambda_with_arguments_and_the_training_flag():
    def scaled(x, by, training=False):
        return x * by if training else x

    layer = keras.layers.Lambda(scaled, arguments={"by": 3.0})
    np.testing.assert_array_equal(layer(X).numpy(), X)
    np.testing.assert_allclose(layer(X, training=True).numpy(), X * 3)


def test_a_named_function_in_a_lambda_is_saved_by_name(tmp_path):
    def halved(x):
        return x / 2

    model = keras.Sequential([keras.Input(shape=(6,)), keras.layers.Lambda(halved)])
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", custom_objects={"halved": halved})
    np.testing.assert_allclose(again.predict(X, verbose=0), X / 2)


def test_a_lambda_of_several_inputs_and_outputs():
    layer = keras.layers.Lambda(lambda pair: (pair[0] + pair[1], pair[0] * pair[1]))
    one, two = keras.Input(shape=(6,)), keras.Input(shape=(6,))
    total, product = layer([one, two])
    model = keras.Model([one, two], [total, product])
    given = model.predict([X, X * 2], verbose=0)
    np.testing.assert_allclose(given[0], X * 3, rtol=1e-6)
    np.testing.assert_allclose(given[1], X * X * 2, rtol=1e-6)


def test_a_lambda_takes_a_function():
    assert text_of(lambda: keras.layers.Lambda(3), TypeError) == "Lambda takes a function; given 3."


# ---- Input, InputSpec


def test_an_input_says_what_will_come():
    symbol = keras.Input(shape=(8,), batch_size=4, dtype="int32", name="rows")
    assert (tuple(symbol.shape), symbol.dtype, symbol.name) == ((4, 8), tf.int32, "rows")
    assert tuple(keras.Input(shape=[3, None]).shape) == (None, 3, None)
    assert tuple(keras.Input(batch_shape=(2, 5)).shape) == (2, 5)
    assert tuple(keras.layers.InputLayer(input_shape=(8,)).batch_shape) == (None, 8)


def test_an_input_without_a_shape():
    assert text_of(keras.Input) == "An Input needs a shape: keras.Input(shape=(8,)) for rows of 8 features."


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({"ndim": 3}, "expected ndim=3, found ndim=2"),
        ({"min_ndim": 3}, "expected min_ndim=3, found ndim=2"),
        ({"max_ndim": 1}, "expected max_ndim=1, found ndim=2"),
        ({"axes": {-1: 5}}, "expected axis -1 of the input to have size 5"),
        ({"axes": {1: 5}}, "expected axis 1 of the input to have size 5"),
        ({"shape": (None, 5)}, "expected shape=(None, 5)"),
        ({"shape": (None, 6, 1)}, "expected ndim=3, found ndim=2"),
    ],
)
def test_what_an_input_spec_refuses(spec, wrong):
    class Plain(keras.layers.Layer):
        def __init__(self):
            super().__init__(name="plain")
            self.input_spec = keras.layers.InputSpec(**spec)

        def call(self, x):
            return x

    start = "Input 0 of layer 'plain' (Plain) is incompatible with the layer: "
    assert text_of(lambda: Plain()(X)) == f"{start}{wrong}; received an input of shape (64, 6)."
    assert text_of(lambda: Plain()(keras.Input(shape=(6,)))) == f"{start}{wrong}; received an input of shape (None, 6)."


def test_an_input_spec_for_each_of_several_inputs():
    class Two(keras.layers.Layer):
        def __init__(self):
            super().__init__(name="two")
            self.input_spec = [keras.layers.InputSpec(ndim=2), keras.layers.InputSpec(axes={-1: 3})]

        def call(self, pair):
            return pair[0]

    assert Two()([X, X[:, :3]]).shape == (64, 6)
    assert text_of(lambda: Two()([X, X])) == (
        "Input 1 of layer 'two' (Two) is incompatible with the layer: expected axis -1 of the input to have size 3; "
        "received an input of shape (64, 6)."
    )
    assert text_of(lambda: Two()(X)) == (
        "Layer 'two' expects 2 input(s), but it received 1 input tensors: [float32(64, 6)]."
    )


def test_an_input_spec_with_a_dtype():
    class Whole(keras.layers.Layer):
        def __init__(self):
            super().__init__(name="whole")
            self.input_spec = keras.layers.InputSpec(dtype="int32")

        def call(self, x):
            return x

    assert Whole()(np.arange(3, dtype="int32")).shape == (3,)
    assert text_of(lambda: Whole()(X)) == (
        "Input 0 of layer 'whole' (Whole) is incompatible with the layer: expected dtype=int32, found dtype=float32; "
        "received an input of shape (64, 6)."
    )


def test_unexpected_arguments_of_a_layer():
    assert text_of(lambda: keras.layers.Dense(2, unit=3, colour="red"), TypeError) == (
        "Dense.__init__() got unexpected arguments: 'unit', 'colour'. A layer takes name, trainable, dtype, "
        "activity_regularizer, input_shape and its own settings."
    )


# ---- the layer of an operation


def test_an_operation_on_symbols_is_a_layer_that_is_saved(tmp_path):
    symbol = keras.Input(shape=(6,))
    result = tf.reduce_sum(tf.where(symbol > 0.0, symbol, tf.zeros_like(symbol)), axis=1, keepdims=True) * 2 + 1
    model = keras.Model(symbol, result)
    expected = np.maximum(X, 0).sum(1, keepdims=True) * 2 + 1
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again.predict(X, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(keras.Model.from_config(model.get_config()).predict(X, verbose=0), expected, rtol=1e-5)
