"""The user's own methods are rewritten by AutoGraph where Keras traces them: models, fit, evaluate, predict."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras


def flipped(x):
    if tf.reduce_sum(x) > 0.0:
        return x
    return -x


class Flip(keras.layers.Layer):
    """Gives |sum| its sign back, after a few rounds in Python and as many as the data says."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.rounds = 0

    def call(self, x):
        for _ in range(1 + 3):
            self.rounds += 1
            x = x + 0.25
        n = 0
        while tf.reduce_sum(tf.abs(x)) > 100.0 and n < 5:
            x = x / 2.0
            n += 1
        return flipped(x)


def expected(x):
    x = x + 1.0
    n = 0
    while np.abs(x).sum() > 100.0 and n < 5:
        x, n = x / 2.0, n + 1
    return x if x.sum() > 0 else -x


ROWS = [np.full((3, 2), value, np.float32) for value in (-4.0, 0.5, 60.0)]


def test_a_layers_call_in_a_functional_model():
    layer = Flip()
    inputs = keras.Input([2])
    model = keras.Model(inputs, layer(inputs))
    assert layer.rounds == 4  # Python's range is not part of the program
    for rows in ROWS:
        np.testing.assert_allclose(model.predict(rows, batch_size=3, verbose=0), expected(rows), rtol=1e-6)
        np.testing.assert_allclose(model(rows).numpy(), expected(rows), rtol=1e-6)


def test_a_subclassed_models_call():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.flip = Flip()

        def call(self, x):
            return self.flip(x) if tf.reduce_max(x) < 1e6 else x

    model = Model()
    for rows in ROWS:
        np.testing.assert_allclose(model.predict(rows, batch_size=3, verbose=0), expected(rows), rtol=1e-6)


def test_a_layer_in_a_function():
    layer = Flip()
    traced = tf.function(lambda x: layer(x))
    for rows in ROWS:
        np.testing.assert_allclose(traced(tf.constant(rows)).numpy(), expected(rows), rtol=1e-6)


def test_a_function_without_autograph_leaves_layers_alone():
    layer = Flip()
    with pytest.raises(TypeError, match="autograph=False"):
        tf.function(lambda x: layer(x), autograph=False)(tf.constant(ROWS[0]))


def dense(units=1, **settings):
    return keras.layers.Dense(units, kernel_initializer="ones", **settings)


X = np.linspace(-1.0, 2.0, 12, dtype=np.float32).reshape(6, 2)
Y = X.sum(axis=1, keepdims=True) * 2.0 - 1.0


def huber_like(y_true, y_pred):
    error = y_true - y_pred
    if tf.reduce_max(tf.abs(error)) > 2.0:
        return tf.abs(error)
    return error * error


class HuberLike(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return huber_like(y_true, y_pred)


class Largest(keras.metrics.Metric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.value = self.add_weight("value", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        largest = tf.reduce_max(tf.abs(y_true - y_pred))
        if largest > self.value:
            self.value.assign(largest)

    def result(self):
        if self.value > 1e6:
            return self.value * 0.0
        return self.value.value()


class Penalty(keras.regularizers.Regularizer):
    def __call__(self, weights):
        total = tf.reduce_sum(weights)
        if total > 1.5:
            return total * 0.25
        return total * 0.0

    def get_config(self):
        return {}


def at_most_one(weights):
    if tf.reduce_max(weights) > 1.0:
        return weights / tf.reduce_max(weights)
    return weights


class Steps(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        if tf.norm(gradient) > 0.5:
            gradient = gradient / tf.norm(gradient) * 0.5
        variable.assign_sub(gradient * learning_rate)


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        if step < 2:
            return 0.1
        return 0.05

    def get_config(self):
        return {}


def bent(x):
    if tf.reduce_mean(x) > 0.0:
        return x
    return x * 0.5


def parts():
    yield "loss function", {"loss": huber_like}, {}
    yield "loss class", {"loss": HuberLike()}, {}
    yield "metric", {"loss": "mse", "metrics": lambda: [Largest(name="largest")]}, {}
    yield "metric function", {"loss": "mse", "metrics": lambda: [huber_like]}, {}
    yield "regularizer", {"loss": "mse"}, {"kernel_regularizer": Penalty()}
    yield "constraint", {"loss": "mse"}, {"kernel_constraint": at_most_one}
    yield "activation", {"loss": "mse"}, {"activation": bent}
    yield "activity regularizer", {"loss": "mse"}, {"activity_regularizer": Penalty()}
    yield "update_step", {"loss": "mse", "optimizer": lambda: Steps(0.1)}, {}
    yield "schedule", {"loss": "mse", "optimizer": lambda: keras.optimizers.SGD(Schedule())}, {}


@pytest.mark.parametrize(("settings", "layer"), [pytest.param(s, la, id=name) for name, s, la in parts()])
def test_training_is_the_same_compiled_and_eager(settings, layer):
    histories, weights = [], []
    for eagerly in (True, False):
        # fresh parts for each: they hold state
        given = {"optimizer": lambda: keras.optimizers.SGD(0.05), **settings}
        given = {key: value() if key in ("optimizer", "metrics") else value for key, value in given.items()}
        model = keras.Sequential([keras.Input([2]), dense(**layer)])
        model.compile(run_eagerly=eagerly, **given)
        history = model.fit(X, Y, epochs=3, batch_size=3, shuffle=False, verbose=0, validation_data=(X, Y))
        histories.append(history.history)
        weights.append(model.get_weights())
    for key in histories[0]:
        np.testing.assert_allclose(histories[1][key], histories[0][key], rtol=1e-5, err_msg=key)
    for a, b in zip(*weights):
        np.testing.assert_allclose(b, a, rtol=1e-5)


def test_a_users_steps():
    class Model(keras.Sequential):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                error = y - self(x, training=True)
                loss = tf.reduce_mean(error * error)
                if loss > 1.0:
                    loss = tf.sqrt(loss)
            gradients = tape.gradient(loss, self.trainable_variables)
            for variable, gradient in zip(self.trainable_variables, gradients):
                variable.assign_sub(0.1 * gradient)
            return {"loss": loss}

        def test_step(self, data):
            x, y = data
            loss = tf.reduce_mean(tf.abs(y - self(x)))
            return {"loss": loss if loss > 100.0 else loss * 2.0}

        def predict_step(self, data):
            y = self(data[0] if isinstance(data, tuple) else data)
            if tf.reduce_sum(y) > 0.0:
                y = y * 10.0
            return y

    results = []
    for eagerly in (True, False):
        model = Model([keras.Input([2]), dense()])
        model.compile(run_eagerly=eagerly)
        history = model.fit(X, Y, epochs=3, batch_size=3, shuffle=False, verbose=0)
        evaluated = model.evaluate(X, Y, batch_size=6, verbose=0)
        results.append([*history.history["loss"], evaluated, *model.predict(X, verbose=0).ravel()])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5)


def test_run_eagerly_calls_methods_as_they_are():
    seen = []

    class Look(keras.layers.Layer):
        def call(self, x):
            seen.append(float(tf.reduce_sum(x)))
            return x

    model = keras.Sequential([Look(), dense()])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, batch_size=6, shuffle=False, verbose=0)
    np.testing.assert_allclose(seen[-1], X.sum(), rtol=1e-6)


def test_dynamic_layers_run_as_python():
    class Look(keras.layers.Layer):
        def __init__(self):
            super().__init__(dynamic=True)

        def call(self, x):
            return x * 2.0 if float(tf.reduce_sum(x)) > 0.0 else x

        def compute_output_shape(self, shape):
            return shape

    inputs = keras.Input([2])
    model = keras.Model(inputs, Look()(inputs))
    assert model.dynamic and model.output.shape == (None, 2)
    model.compile("sgd", "mse")
    assert model.run_eagerly
    np.testing.assert_allclose(model.predict(X, batch_size=6, verbose=0), X * 2.0)
    assert not dense().dynamic
    with pytest.raises(TypeError, match="symbolic tensor"):
        tf.function(lambda x: model(x))(tf.constant(X))


def test_the_result_of_a_metric_may_decide_by_tensors():
    class Clipped(keras.metrics.Metric):
        def __init__(self):
            super().__init__(name="clipped")
            self.total = self.add_weight(name="total", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(tf.reduce_sum(y_true))

        def result(self):
            if self.total > 10.0:
                return self.total * 0.0 + 10.0
            return self.total + 0.0

    metric = Clipped()

    @tf.function
    def seen(y):
        return metric(y, y), metric.result()

    for value in (4.0, 20.0):
        assert [float(r) for r in seen(tf.constant([value]))] == [min(float(metric.total), 10.0)] * 2
    model = keras.Sequential([keras.Input([2]), dense()])
    metric.reset_state()

    class Own(keras.Model):
        def call(self, x):
            return model(x)

        def train_step(self, data):
            super().train_step(data)
            return self.get_metrics_result()

    own = Own()
    own.compile("sgd", "mse", metrics=[metric])
    log = own.fit(X, Y, batch_size=6, verbose=0).history["clipped"]
    assert log[0] == min(float(metric.total), 10.0)
