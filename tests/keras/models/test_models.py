"""Models that subclass: call, own steps, own constructors that pass symbols up; what every model can be asked."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


def text_of(call, kind=ValueError):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def same(things, others):
    return list(map(id, things)) == list(map(id, others))


class Two(keras.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = keras.layers.Dense(units, activation="relu", name="hidden")
        self.out = keras.layers.Dense(1, name="out")

    def call(self, inputs):
        return self.out(self.hidden(inputs))


# ---- subclasses


def test_a_subclass_makes_its_weights_at_the_first_call():
    model = Two(name="two")
    assert (model.name, model.built, model.weights) == ("two", False, [])
    expected = model(X).numpy()
    assert model.built and model.count_params() == 4 * 3 + 3 + 3 + 1
    assert same(model.layers, [model.hidden, model.out])
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_a_subclass_is_built_by_its_input_shape():
    model = Two()
    model.build((None, 4))
    assert model.built and [tuple(w.shape) for w in model.weights] == [(4, 3), (3,), (3, 1), (1,)]


class MadeInBuild(keras.Model):
    """Makes a layer as wide as its input, and ends its own `build` in the one above."""

    def __init__(self, calls_super=True, **kwargs):
        super().__init__(**kwargs)
        self.calls_super = calls_super
        self.out = keras.layers.Dense(1)

    def build(self, batch_input_shape):
        self.again = keras.layers.Dense(batch_input_shape[-1])
        if self.calls_super:
            super().build(batch_input_shape)

    def call(self, inputs):
        again = self.again(inputs)
        self.add_loss(0.05 * tf.reduce_mean(tf.square(again - inputs)))
        return self.out(again)


@pytest.mark.parametrize("calls_super", [True, False])
def test_a_subclass_that_makes_layers_in_build(calls_super):
    called, built, fitted = (MadeInBuild(calls_super) for _ in range(3))
    called(X)
    built.build((None, 4))
    built(X)
    fitted.compile(loss="mse", optimizer="sgd")
    fitted.fit(X, Y, verbose=0)
    for model in (called, built, fitted):
        assert sorted(tuple(w.shape) for w in model.weights) == [(1,), (4,), (4, 1), (4, 4)]
        again = model.again(X).numpy()
        model(X)
        np.testing.assert_allclose(model.losses[0].numpy(), 0.05 * np.mean((again - X) ** 2), rtol=1e-5)


def test_a_build_that_failed_leaves_the_model_unbuilt():
    class Needs(keras.Model):
        def __init__(self):
            super().__init__()
            self.width = None

        def build(self, input_shape):
            super().build(input_shape)

        def call(self, inputs):
            return inputs * self.width

    model = Needs()
    with pytest.raises(Exception, match="None"):
        model.build((None, 4))
    assert not model.built
    model.width = 2.0
    np.testing.assert_array_equal(model(X).numpy(), X * 2)


def test_a_subclass_inside_a_drawn_model():
    inner = Two()
    symbol = keras.Input(shape=(4,))
    model = keras.Model(symbol, inner(symbol) * 2)
    np.testing.assert_allclose(model(X).numpy(), inner(X).numpy() * 2, rtol=1e-6)
    assert same(model.trainable_weights, inner.trainable_weights)


def test_model_arguments():
    model = Two(5, name="mine", trainable=False)
    model(X)
    assert (model.name, model.units, model.trainable, model.trainable_weights) == ("mine", 5, False, [])
    assert text_of(lambda: Two(colour="red"), TypeError) == (
        "Two.__init__() got unexpected arguments: 'colour'. A layer takes name, trainable, dtype, "
        "activity_regularizer, input_shape and its own settings."
    )


def test_a_model_without_call():
    class Empty(keras.Model):
        pass

    assert text_of(lambda: Empty()(X), NotImplementedError) == (
        "The layer 'Empty' has no `call` method: write `def call(self, inputs): ...` in it."
    )


def test_inputs_and_outputs_as_dicts_in_a_subclass():
    class Named(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, inputs):
            result = self.dense(inputs["a"] + inputs["b"])
            return {"once": result, "twice": result * 2}

    model = Named()
    given = model.predict({"a": X, "b": X}, verbose=0)
    assert set(given) == {"once", "twice"}
    np.testing.assert_allclose(given["twice"], given["once"] * 2, rtol=1e-6)
    model.compile(loss={"once": "mse", "twice": "mae"}, optimizer="sgd")
    before = model.evaluate({"a": X, "b": X}, {"once": Y, "twice": Y * 2}, verbose=0)
    model.fit({"a": X, "b": X}, {"once": Y, "twice": Y * 2}, epochs=3, verbose=0)
    after = model.evaluate({"a": X, "b": X}, {"once": Y, "twice": Y * 2}, verbose=0)
    assert np.ravel(after)[0] < np.ravel(before)[0]


# ---- own steps


@pytest.mark.parametrize("eager", [False, True])
def test_a_model_that_passes_symbols_up_and_has_its_own_train_step(eager):
    class Own(keras.Model):
        def __init__(self, width):
            inputs = keras.Input(shape=(4,))
            outputs = keras.layers.Dense(1, kernel_initializer="ones")(inputs) * width
            super().__init__(inputs, outputs, name="own")
            self.width = width
            self.tracker = keras.metrics.Mean(name="mine")

        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(x, training=True) - y) ** 2)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            self.tracker.update_state(loss)
            return {"mine": self.tracker.result()}

        @property
        def metrics(self):
            return [self.tracker]

    model = Own(2.0)
    assert isinstance(model, Own) and isinstance(model, keras.Model) and model.name == "own"
    np.testing.assert_allclose(model(X).numpy(), Y * 2, rtol=1e-4, atol=1e-5)
    model.compile(optimizer=keras.optimizers.SGD(0.1), run_eagerly=eager)
    history = model.fit(X, Y, batch_size=40, epochs=2, verbose=0).history
    assert list(history) == ["mine"]
    np.testing.assert_allclose(history["mine"][0], (Y**2).mean(), rtol=1e-4)
    error = 2 * Y - Y
    kernel = np.ones((4, 1)) - 0.1 * 2 * 2 / 40 * X.T @ error
    bias = -0.1 * 2 * 2 * error.mean()
    np.testing.assert_allclose(history["mine"][1], (((X @ kernel + bias) * 2 - Y) ** 2).mean(), rtol=1e-4)


@pytest.mark.parametrize("eager", [False, True])
def test_compute_loss_and_test_step_of_ones_own(eager):
    class Own(Two):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return tf.reduce_mean(tf.abs(y - y_pred)) * 3.0

        def test_step(self, data):
            x, y = data
            return {"largest": tf.reduce_max(tf.abs(y - self(x, training=False)))}

    model = Own()
    model.compile(optimizer=keras.optimizers.SGD(0.0), run_eagerly=eager)
    history = model.fit(X, Y, batch_size=40, verbose=0).history
    error = np.abs(model.predict(X, verbose=0) - Y)
    np.testing.assert_allclose(history["loss"], [error.mean() * 3], rtol=1e-5)
    given = model.evaluate(X, Y, batch_size=40, verbose=0, return_dict=True)
    assert list(given) == ["largest"]
    np.testing.assert_allclose(given["largest"], error.max(), rtol=1e-5)


def test_a_predict_step_of_ones_own():
    class Own(Two):
        def predict_step(self, data):
            return super().predict_step(data) + 10.0

    model = Own()
    np.testing.assert_allclose(model.predict(X, verbose=0), model(X).numpy() + 10, rtol=1e-5)


def test_a_custom_loop_with_a_tape():
    model, optimizer = Two(), keras.optimizers.SGD(0.05)
    losses = []
    for _ in range(20):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(X, training=True) - Y))
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
        losses.append(float(loss))
    assert losses[-1] < losses[0] * 0.8


# ---- what every model can be asked


def make():
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(300, name="hidden"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dense(1, name="out", trainable=False),
        ],
        name="small",
    )


def test_get_layer_by_name_and_place():
    model = make()
    assert model.get_layer("norm") is model.layers[1] is model.get_layer(index=1)
    assert model.get_layer(index=-1).name == "out"
    assert text_of(lambda: model.get_layer("nrom")) == (
        "No such layer: 'nrom'. The model 'small' has ['hidden', 'norm', 'out']."
    )
    assert text_of(lambda: model.get_layer(index=3)) == "The model 'small' has 3 layers; there is none at index 3."


def test_count_params():
    model = make()
    assert model.count_params() == 4 * 300 + 300 + 4 * 300 + 301
    assert text_of(Two(name="two").count_params) == (
        "Layer 'two' has no weights yet: call it on data, or `build(input_shape)` it, then count."
    )


def test_the_text_of_summary(capsys):
    make().summary()
    lines = capsys.readouterr().out.splitlines()
    rows = [
        ("Layer (type)", "Output Shape", "Param #"),
        ("hidden (Dense)", "(None, 300)", "1,500"),
        ("norm (BatchNormalization)", "(None, 300)", "1,200"),
        ("out (Dense)", "(None, 1)", "301"),
    ]
    widths = [max(len(row[i]) for row in rows) + 2 for i in range(3)]
    table = ["".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    assert lines == [
        'Model: "small"',
        "_" * sum(widths),
        table[0],
        "=" * sum(widths),
        *table[1:],
        "=" * sum(widths),
        f"Total params: 3,001 ({3001 * 4 / 1024:.2f} KB)",
        f"Trainable params: 2,100 ({2100 * 4 / 1024:.2f} KB)",
        f"Non-trainable params: 901 ({901 * 4 / 1024:.2f} KB)",
        "_" * sum(widths),
    ]


def test_summary_gives_its_text_to_a_function_and_shows_what_is_trained():
    seen = []
    make().summary(print_fn=seen.append, show_trainable=True, line_length=90)
    text = "\n".join(seen)
    assert "Trainable" in text.splitlines()[2]
    assert text.splitlines()[4].endswith("Y") and text.splitlines()[6].endswith("N")
    assert text.splitlines()[1] == "_" * 90


def test_summary_of_a_model_that_was_only_called(capsys):
    model = Two(name="two")
    model(X)
    model.summary()
    out = capsys.readouterr().out
    assert "hidden (Dense)" in out and "Total params: 19 (76 bytes)" in out


def test_summary_before_there_are_weights(capsys):
    keras.Sequential([keras.layers.Dense(2, name="out")], name="late").summary()
    out = capsys.readouterr().out
    assert out.splitlines()[4].split() == ["out", "(Dense)", "?", "0"] and "Total params: 0 (0 bytes)" in out


def test_to_json_opens_again():
    model = make()
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


def test_a_clone_has_the_layers_and_weights_of_its_own():
    model = make()
    clone = keras.models.clone_model(model)
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(clone.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)
