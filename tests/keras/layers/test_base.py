"""Layer: weights, tracking, losses, calls, configs, and the errors of layers that users write."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras

X = np.arange(12, dtype="float32").reshape(3, 4)
Layer = keras.layers.Layer


def text_of(call, kind=ValueError):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def notes_of(call, kind):
    with pytest.raises(kind) as caught:
        call()
    return caught.value.__notes__


class Scale(Layer):
    """x * factor, factor of the last axis."""

    def __init__(self, start=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        self.factor = self.add_weight(
            name="factor", shape=(input_shape[-1],), initializer=keras.initializers.Constant(self.start)
        )

    def call(self, x):
        return x * self.factor


# ---- weights


def test_add_weight_in_both_dialects():
    layer = Layer()
    two = layer.add_weight("kernel", [3, 2])
    three = layer.add_weight(shape=(3, 2), name="kernel")
    by_place = layer.add_weight((3, 2), "zeros")
    for weight in (two, three, by_place):
        assert (tuple(weight.shape), weight.dtype, weight.trainable) == ((3, 2), tf.float32, True)
    assert (two.name, three.name, by_place.name) == ("kernel", "kernel", "weight_2")
    assert (by_place.numpy() == 0).all()
    limit = np.sqrt(6 / 5)
    assert 0 < abs(two.numpy()).max() <= limit
    assert same(layer.weights, [two, three, by_place])


def test_defaults_of_add_weight():
    layer = Layer()
    number = layer.add_weight("total", initializer="ones")
    count = layer.add_weight(name="count", dtype="int64", trainable=False)
    assert (tuple(number.shape), number.numpy()) == ((), 1.0)
    assert (tuple(count.shape), count.dtype, count.numpy()) == ((), tf.int64, 0)
    wide = Layer(dtype="float64").add_weight(shape=(2,), initializer="ones")
    assert wide.dtype is tf.float64
    assert layer.add_variable("more", (2,), initializer="zeros").numpy().tolist() == [0, 0]


def test_an_initializer_function_and_keras_2_settings():
    weight = Layer().add_weight(
        "w", (2, 3), tf.float32, lambda shape, dtype=None: tf.fill(shape, 7.0), use_resource=True, partitioner=None
    )
    assert (weight.numpy() == np.full((2, 3), 7.0)).all()


def test_errors_of_add_weight():
    layer = Scale(name="scale")
    assert text_of(lambda: layer.add_weight(name="w", shape=(None, 2))) == (
        "The weight 'w' of layer 'scale' (Scale) was given the shape (None, 2): every size of a weight must be known. "
        "Is the last size of the input known, as in keras.Input(shape=(8,))?"
    )
    assert text_of(lambda: layer.add_weight(name="w", shape=(2,), colour=1), TypeError) == (
        "scale.add_weight() got unexpected arguments: 'colour'"
    )
    text = text_of(lambda: layer.add_weight("w", (2, 3), initializer=lambda shape, dtype=None: tf.zeros((3, 2))))
    assert text == ("initializer of 'w': <lambda> gave another shape than was asked (given=(3, 2), asked=(2, 3)).")
    assert layer.weights == []


def same(variables, others):
    """The same objects in the same order (variables compare by value)."""
    return list(map(id, variables)) == list(map(id, others))


class Nested(Layer):
    def __init__(self):
        super().__init__(name="nested")
        self.first = Scale(name="first")
        self.many = [Scale(name="a"), {"b": Scale(name="b")}, (Scale(name="c"),)]
        self.plain = tf.Variable([1.0, 2.0], name="plain")
        self.fixed = tf.Variable([3.0], trainable=False, name="fixed")

    def build(self, shape):
        self.state = self.add_weight(name="state", shape=(), initializer="zeros", trainable=False)
        self.bias = self.add_weight(name="bias", shape=(4,), initializer="zeros")

    def call(self, x):
        for layer in (self.first, self.many[0], self.many[1]["b"], self.many[2][0]):
            x = layer(x)
        return x + self.bias


def test_weights_are_found_wherever_they_are_held_in_order():
    layer = Nested()
    layer(X)
    assert [w.name.removesuffix(":0") for w in layer.weights] == [
        "bias", "plain", "state", "fixed", "factor", "factor", "factor", "factor",
    ]  # fmt: skip
    inner = [layer.first, layer.many[0], layer.many[1]["b"], layer.many[2][0]]
    assert same(layer.weights[4:], [part.factor for part in inner])
    assert same(layer.trainable_weights, [*layer.weights[:2], *layer.weights[4:]])
    assert same(layer.non_trainable_weights, [layer.state, layer.fixed])
    assert same(layer.variables, layer.weights)
    assert [part.name for part in layer._flatten_layers()] == ["nested", "first", "a", "b", "c"]
    assert layer.count_params() == 4 + 2 + 1 + 1 + 4 * 4


def test_metrics_inside_have_variables_that_are_no_weights():
    class Watches(Layer):
        def __init__(self):
            super().__init__()
            self.means = [keras.metrics.Mean(name="seen")]
            self.inner = Scale()

        def call(self, x):
            self.means[0].update_state(tf.reduce_mean(x))
            return self.inner(x)

    class Around(Layer):
        def __init__(self):
            super().__init__()
            self.watches = Watches()

        def call(self, x):
            return self.watches(x)

    layer = Around()
    layer(X)
    mean = layer.watches.means[0]
    assert same(layer.weights, [layer.watches.inner.factor])
    assert same(layer.variables, [*layer.weights, *mean.variables]) and same(layer.metrics, [mean])
    model = keras.Sequential([keras.Input(shape=(4,)), layer])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    history = model.fit(X, X, verbose=0, batch_size=1, epochs=2).history
    # started again in each epoch
    np.testing.assert_allclose(history["seen"], [X.mean()] * 2, rtol=1e-6)
    assert [metric.name for metric in model.metrics] == ["loss", "seen"]


def test_a_layer_held_twice_counts_once():
    class Twice(Layer):
        def __init__(self):
            super().__init__()
            self.one = self.two = Scale()
            self.all = [self.one]

        def call(self, x):
            return self.two(self.one(x))

    layer = Twice()
    layer(X)
    assert same(layer.weights, [layer.one.factor])


def test_the_trainable_switch_reaches_all_inside_and_comes_back():
    layer = Nested()
    layer(X)
    before = layer.trainable_weights
    layer.trainable = False
    assert layer.trainable_weights == [] and same(layer.non_trainable_weights, layer.weights)
    assert not layer.many[1]["b"].trainable
    layer.trainable = True
    assert same(layer.trainable_weights, before)
    layer.first.trainable = False
    assert same(layer.trainable_weights, [w for w in before if w is not layer.first.factor])
    assert same(layer.non_trainable_weights, [layer.state, layer.fixed, layer.first.factor])


def test_a_frozen_layer_is_not_trained():
    frozen, free = Scale(trainable=False), Scale()
    model = keras.Sequential([keras.Input(shape=(4,)), frozen, free])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.001))
    model.fit(X, X * 2, verbose=0)
    assert (frozen.factor.numpy() == 1).all() and (free.factor.numpy() > 1).all()
    frozen.trainable, free.trainable = True, False
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.001))
    kept = free.factor.numpy()
    model.fit(X, X * 2, verbose=0)
    assert (frozen.factor.numpy() > 1).all() and (free.factor.numpy() == kept).all()


def test_weights_are_read_and_set_whole_or_not_at_all():
    layer = keras.layers.Dense(2, name="out")
    assert layer.get_weights() == []
    layer(X)
    layer.set_weights([np.ones((4, 2)), [5.0, 6.0]])
    np.testing.assert_array_equal(layer(X).numpy(), X.sum(1, keepdims=True) + np.array([5.0, 6.0]))
    assert text_of(lambda: layer.set_weights([np.zeros((4, 2))])) == (
        "You called set_weights(weights) on layer 'out' with 1 arrays, but it has 2 weights. "
        "Their shapes are [(4, 2), (2,)]."
    )
    assert text_of(lambda: layer.set_weights([np.zeros((4, 2)), np.zeros(3)])) == (
        "Layer 'out': the weight 'bias' has shape (2,), the value given for it (3,)."
    )
    assert (layer.get_weights()[0] == 1).all()


def test_count_params_before_there_are_weights():
    assert text_of(lambda: keras.layers.Dense(2, name="out").count_params()) == (
        "Layer 'out' has no weights yet: call it on data, or `build(input_shape)` it, then count."
    )


def test_names():
    keras.backend.clear_session()
    assert [keras.layers.Dense(1).name for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert Scale(name="mine").name == "mine" and Nested().name == "nested"
    layer = Scale(name="mine")
    layer(X)
    assert layer.factor.path == "mine/factor" and layer.factor.name == "factor"


# ---- constructors


def test_attributes_may_be_set_before_super_init():
    class Early(Layer):
        def __init__(self, units, **kwargs):
            self.units = units
            self.inner = [keras.layers.Dense(units)]
            super().__init__(**kwargs)
            self.later = keras.layers.Dense(1)

        def call(self, x):
            return self.later(self.inner[0](x))

    layer = Early(3, name="early")
    assert layer(X).shape == (3, 1) and layer.name == "early"
    assert [tuple(w.shape) for w in layer.weights] == [(4, 3), (3,), (3, 1), (1,)]


def test_a_forgotten_super_init():
    class Forgetful(Layer):
        def __init__(self):
            self.units = 3

        def call(self, x):
            return x

    wanted = "Forgetful.__init__() did not call super().__init__(): write `super().__init__(**kwargs)` in it."
    assert text_of(lambda: Forgetful()(X), RuntimeError) == wanted
    assert text_of(lambda: Forgetful()(keras.Input(shape=(4,))), RuntimeError) == wanted
    assert text_of(lambda: keras.Sequential([Forgetful()]), RuntimeError) == wanted


def test_a_model_that_forgot_super_init():
    class Forgetful(keras.Model):
        def __init__(self):
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    wanted = "Forgetful.__init__() did not call super().__init__(): write `super().__init__(**kwargs)` in it."
    assert text_of(lambda: Forgetful()(X), RuntimeError) == wanted


def test_a_layer_without_call():
    class Empty(Layer):
        pass

    assert text_of(lambda: Empty()(X), NotImplementedError) == (
        "The layer 'Empty' has no `call` method: write `def call(self, inputs): ...` in it."
    )


def test_a_build_need_not_call_the_one_above_and_may():
    class Own(Scale):
        def build(self, input_shape):
            assert input_shape.as_list() == [3, 4]
            assert input_shape[-1] == 4 and input_shape == (3, 4)
            super().build(input_shape)

    class Above(Layer):
        def build(self, input_shape):
            self.w = self.add_weight(name="w", shape=(input_shape[-1],))
            super().build(input_shape)

        def call(self, x):
            return x + self.w

    for layer in (Own(), Above()):
        assert not layer.built
        layer(X)
        assert layer.built and len(layer.weights) == 1
        layer(X[:1])
        assert len(layer.weights) == 1


@pytest.mark.parametrize("shape", [(None, 4), [None, 4], tf.TensorShape([None, 4])])
def test_build_by_hand(shape):
    layer = Scale()
    layer.build(shape)
    assert layer.built and tuple(layer.factor.shape) == (4,)
    assert (layer(X).numpy() == X).all()


def test_a_build_with_the_shape_of_each_argument():
    class Two(Layer):
        def build(self, query_shape, value_shape):
            self.seen = tuple(query_shape), tuple(value_shape)
            self.w = self.add_weight(name="w", shape=(query_shape[-1], value_shape[-1]), initializer="ones")

        def call(self, query, value):
            return query @ self.w + value

    layer = Two()
    np.testing.assert_array_equal(layer(X, X[:, :2]).numpy(), X.sum(1, keepdims=True) + X[:, :2])
    assert layer.seen == ((3, 4), (3, 2))
    named = Two()
    np.testing.assert_array_equal(named(X, value=X[:, :2]).numpy(), layer(X, X[:, :2]).numpy())
    assert tuple(Two()(keras.Input(shape=(4,)), keras.Input(shape=(2,))).shape) == (None, 2)


# ---- losses


def test_regularizers_and_add_loss_and_activity_regularizers_are_losses():
    class Penalised(Layer):
        def build(self, shape):
            self.w = self.add_weight(name="w", shape=(4,), initializer="ones", regularizer=keras.regularizers.L2(0.5))

        def call(self, x):
            self.add_loss(tf.reduce_sum(x) * 0.1)
            return x * self.w

    layer = Penalised(activity_regularizer=keras.regularizers.L1(0.01))
    layer(X)
    values = [float(loss) for loss in layer.losses]
    np.testing.assert_allclose(values, [X.sum() * 0.1, 0.01 * X.sum() / 3, 0.5 * 4], rtol=1e-6)
    # those of the next call replace those of this one
    layer(X[:1])
    values = [float(loss) for loss in layer.losses]
    np.testing.assert_allclose(values, [X[:1].sum() * 0.1, 0.01 * X[:1].sum(), 0.5 * 4], rtol=1e-6)


def test_losses_of_layers_inside_and_of_a_layer_called_twice():
    class Adds(Layer):
        def call(self, x):
            self.add_loss(tf.reduce_sum(x))
            return x * 2.0

    class Holds(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Adds()

        def call(self, x):
            return self.inner(self.inner(x))

    layer = Holds()
    for _ in range(2):
        layer(X)
        np.testing.assert_allclose([float(loss) for loss in layer.losses], [X.sum(), 2 * X.sum()])
    # alone, the inner layer forgets them
    layer.inner(X[:1])
    np.testing.assert_allclose([float(loss) for loss in layer.inner.losses], [X[:1].sum()])


def test_a_frozen_weight_has_no_penalty():
    layer = keras.layers.Dense(1, kernel_regularizer="l2")
    layer(X)
    assert len(layer.losses) == 1
    layer.trainable = False
    assert layer.losses == []


@pytest.mark.parametrize("eager", [False, True])
def test_losses_of_layers_are_trained_on(eager):
    class Adds(Layer):
        def __init__(self):
            super().__init__()
            self.w = self.add_weight(shape=(), initializer="ones", name="w")

        def call(self, x):
            self.add_loss([tf.square(self.w - 3.0)])
            return x

    layer = Adds()
    model = keras.Sequential([keras.Input(shape=(4,)), layer])
    model.compile(optimizer=keras.optimizers.SGD(0.25), run_eagerly=eager)
    history = model.fit(X, verbose=0, epochs=2)
    # w goes half the way to 3 in each step: 1, 2, 2.5
    np.testing.assert_allclose(history.history["loss"], [4.0, 1.0])
    assert layer.w.numpy() == 2.5


def test_the_penalty_of_activities_counts_in_fit_as_it_does_in_a_call():
    def make(**settings):
        dense = keras.layers.Dense(2, activity_regularizer=keras.regularizers.L2(0.1), kernel_initializer="ones")
        model = keras.Sequential([keras.Input(shape=(4,)), dense])
        model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0), **settings)
        return model

    y = np.zeros((3, 2), "float32")
    outputs = np.repeat(X.sum(1, keepdims=True), 2, 1)
    expected = (outputs**2).mean() + 0.1 * (outputs**2).sum() / 3
    for eager in (False, True):
        model = make(run_eagerly=eager)
        np.testing.assert_allclose(model.evaluate(X, y, verbose=0), expected, rtol=1e-6)
        np.testing.assert_allclose(model.fit(X, y, verbose=0).history["loss"], [expected], rtol=1e-6)


# ---- calls


def test_calls_on_lists_arrays_tensors_variables_and_symbols():
    layer = Scale(2.0)
    expected = X * 2
    for given in (X, X.tolist(), tuple(map(tuple, X.tolist())), tf.constant(X), tf.Variable(X), X.astype("float64")):
        result = layer(given)
        assert isinstance(result, tf.Tensor) and result.dtype is tf.float32
        np.testing.assert_array_equal(result.numpy(), expected)
    symbol = layer(keras.Input(shape=(4,)))
    assert tuple(symbol.shape) == (None, 4) and symbol.dtype is tf.float32


def test_whole_numbers_are_not_cast():
    class Same(Layer):
        def call(self, x):
            return x

    assert Same()(np.arange(3)).dtype is tf.int64
    assert Same()(np.array([True])).dtype is tf.bool
    assert Same()(keras.Input(shape=(2,), dtype="int32")).dtype is tf.int32
    assert Same(dtype="float64")(X).dtype is tf.float64
    assert Same(autocast=False)(X.astype("float64")).dtype is tf.float64


class Mixed(Layer):
    def call(self, inputs):
        left, right = inputs
        return left + right, {"product": left * right}


def test_several_inputs_and_outputs_keep_their_form():
    for inputs in ([X, X * 2], (X, X * 2)):
        total, rest = Mixed()(inputs)
        np.testing.assert_array_equal(total.numpy(), X * 3)
        np.testing.assert_array_equal(rest["product"].numpy(), X * X * 2)
    total, rest = Mixed()([keras.Input(shape=(4,)), keras.Input(shape=(4,))])
    assert tuple(total.shape) == tuple(rest["product"].shape) == (None, 4)


def test_a_dict_of_inputs():
    class Difference(Layer):
        def build(self, shapes):
            self.seen = {key: tuple(shape) for key, shape in shapes.items()}

        def call(self, inputs):
            return inputs["a"] - inputs["b"]

    layer = Difference()
    np.testing.assert_array_equal(layer({"b": X, "a": X * 3}).numpy(), X * 2)
    assert layer.seen == {"a": (3, 4), "b": (3, 4)}


def test_further_arguments_of_call():
    class Shifted(Layer):
        def call(self, x, shift, times=1):
            return x * times + shift

    layer = Shifted()
    np.testing.assert_array_equal(layer(X, 1.0, times=2).numpy(), X * 2 + 1)
    np.testing.assert_array_equal(layer(X, shift=X.astype("float64")).numpy(), X * 2)
    symbol = keras.Input(shape=(4,))
    model = keras.Model(symbol, layer(symbol, shift=symbol, times=3))
    np.testing.assert_array_equal(model.predict(X, verbose=0), X * 4)


class Flag(Layer):
    def call(self, x, training=None):
        return x + (100.0 if training else 0.0)


class Around(Layer):
    """Does not name `training`: the flag goes through it."""

    def __init__(self):
        super().__init__()
        self.inner = [Flag(), Flag()]

    def call(self, x):
        for layer in self.inner:
            x = layer(x)
        return x


class Turns(Layer):
    """Names the flag, and turns it for the layer inside."""

    def __init__(self):
        super().__init__()
        self.inner = Flag()

    def call(self, x, training=False):
        return self.inner(x, training=not training)


@pytest.mark.parametrize("drawn", [False, True])
def test_the_training_flag_goes_through_layers(drawn):
    def called(layer):
        if not drawn:
            return layer
        symbol = keras.Input(shape=(4,))
        return keras.Model(symbol, layer(symbol))

    for training, plain in ((None, 0), (False, 0), (True, 100)):
        assert (called(Flag())(X, training=training).numpy() == X + plain).all()
        assert (called(Around())(X, training=training).numpy() == X + 2 * plain).all()
        assert (called(Turns())(X, training=training).numpy() == X + 100 - plain).all()
    outer = keras.Sequential([keras.Input(shape=(4,)), keras.Sequential([Around()])])
    assert (outer(X, training=True).numpy() == X + 200).all()
    assert (outer(X).numpy() == X).all()


def test_a_flag_given_when_the_model_is_drawn_stays():
    symbol = keras.Input(shape=(4,))
    model = keras.Model(symbol, Flag()(symbol, training=True))
    assert (model(X).numpy() == X + 100).all()
    assert (model.predict(X, verbose=0) == X + 100).all()


def test_the_flag_in_fit_evaluate_and_predict():
    class Counts(Layer):
        def __init__(self):
            super().__init__()
            self.trained = self.add_weight(name="trained", shape=(), initializer="zeros", trainable=False)
            self.tested = self.add_weight(name="tested", shape=(), initializer="zeros", trainable=False)
            self.w = self.add_weight(name="w", shape=(), initializer="ones")

        def call(self, x, training=False):
            (self.trained if training else self.tested).assign_add(1.0)
            return x * self.w

    layer = Counts()
    model = keras.Sequential([keras.Input(shape=(4,)), layer])
    model.compile(loss="mse", optimizer="sgd")
    layer.trained.assign(0.0)
    layer.tested.assign(0.0)
    model.fit(X, X, batch_size=1, epochs=2, verbose=0)
    assert (layer.trained.numpy(), layer.tested.numpy()) == (6, 0)
    model.evaluate(X, X, batch_size=2, verbose=0)
    assert (layer.trained.numpy(), layer.tested.numpy()) == (6, 2)


def test_shapes_promised_by_compute_output_shape():
    assert tuple(keras.layers.Dense(3).compute_output_shape((None, 7, 4))) == (None, 7, 3)
    assert tuple(Scale().compute_output_shape((None, 4))) == (None, 4)
    shapes = Mixed().compute_output_shape([(None, 4), (None, 4)])
    assert tuple(shapes[0]) == tuple(shapes[1]["product"]) == (None, 4)


def test_errors_in_call_and_build_name_the_layer():
    class Bad(Layer):
        def call(self, x):
            return x @ tf.ones((3, 2))

    class Outer(Layer):
        def __init__(self):
            super().__init__(name="outer")
            self.bad = Bad(name="bad")

        def call(self, x):
            return self.bad(x)

    assert notes_of(lambda: Outer()(X), ValueError)[-2:] == [
        "in 'bad' (Bad), given float32(3, 4)", "in 'outer' (Outer), given float32(3, 4)",
    ]  # fmt: skip
    assert notes_of(lambda: Bad(name="bad")(keras.Input(shape=(4,))), ValueError)[-1] == (
        "in 'bad' (Bad), given float32(None, 4)"
    )

    class Unbuilt(Layer):
        def build(self, input_shape):
            raise KeyError("mine")

        def call(self, x):
            return x

    assert notes_of(lambda: Unbuilt(name="u")(X), KeyError)[0] == (
        "in build of 'u' (Unbuilt), given input_shape=(3, 4)"
    )


def test_a_layer_that_failed_to_build_can_be_called_again():
    class Fails(Layer):
        fail = True

        def build(self, input_shape):
            self.w = self.add_weight(name="w", shape=(4,), initializer="ones")
            if self.fail:
                raise KeyError("mine")

        def call(self, x):
            return x * self.w

    layer = Fails()
    with pytest.raises(KeyError):
        layer(X)
    layer.fail = False
    assert (layer(X).numpy() == X).all()
    assert len(layer.weights) == 1


# ---- configs


def test_plain_constructor_arguments_are_remembered():
    class Power(Layer):
        def __init__(self, by, also=(1, 2), *, name=None, **kwargs):
            super().__init__(name=name, **kwargs)
            self.by, self.also = by, also

        def call(self, x):
            return x**self.by + sum(self.also)

    layer = Power(2.0, also=[3, 4], name="power", trainable=False)
    config = layer.get_config()
    assert config == {"name": "power", "trainable": False, "dtype": "float32", "by": 2.0, "also": [3, 4]}
    again = Power.from_config(config)
    np.testing.assert_array_equal(again(X).numpy(), X**2 + 7)
    assert not again.trainable and again.name == "power"


def test_a_layer_whose_arguments_are_not_plain_says_what_to_write():
    class Applies(Layer):
        def __init__(self, function, times=2, **kwargs):
            super().__init__(**kwargs)
            self.function, self.times = function, times

        def call(self, x):
            return self.function(x) * self.times

    assert text_of(Applies(tf.square).get_config, NotImplementedError) == (
        "Applies cannot be saved: its constructor takes function, times, and it has no get_config that tells them. "
        "Write in the class:\n"
        "    def get_config(self):\n"
        '        return {**super().get_config(), "function": self.function, "times": self.times}'
    )


def test_settings_added_to_a_built_in_layer():
    class Wide(keras.layers.Dense):
        def __init__(self, units, times=2, **kwargs):
            super().__init__(units, **kwargs)
            self.times = times

        def call(self, x):
            return super().call(x) * self.times

        def get_config(self):
            return {**super().get_config(), "times": self.times}

    layer = Wide(3, times=5, activation="relu", name="wide")
    expected = layer(X).numpy()
    again = Wide.from_config(layer.get_config())
    again(X)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(X).numpy(), expected)
    assert (again.times, again.name) == (5, "wide")


def test_a_layer_from_a_config_of_real_keras():
    config = {
        "name": "d", "trainable": True, "units": 3, "activation": "relu", "quantization_config": None,
        "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float64"}, "registered_name": None},
    }  # fmt: skip
    layer = keras.layers.Dense.from_config(config)
    assert (layer.name, layer.units, layer.dtype) == ("d", 3, "float64")
    made = keras.layers.deserialize({"class_name": "Dense", "module": "keras.layers", "config": config})
    assert (type(made), made.units) == (keras.layers.Dense, 3)
    assert keras.layers.deserialize(keras.layers.serialize(layer)).get_config() == layer.get_config()
