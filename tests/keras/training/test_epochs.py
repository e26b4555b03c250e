"""Whole stretches of an epoch in one program give what single steps give."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(75, 5)).astype("float32")
Y = (X @ RNG.normal(size=(5, 1)) + 0.1 * RNG.normal(size=(75, 1))).astype("float32")


def huber(y_true, y_pred):
    error = y_true - y_pred
    small = tf.abs(error) < 1
    return tf.where(small, tf.square(error) / 2, tf.abs(error) - 0.5)


def make(seed=1, width=30, loss=huber, optimizer="nadam", metrics=("mae",), **settings):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [keras.Input(shape=(5,)), keras.layers.Dense(width, activation="selu"), keras.layers.Dense(1)]
    )
    model.compile(loss=loss, optimizer=optimizer, metrics=list(metrics), **settings)
    return model


def assert_same(a, b, rtol=1e-4, atol=1e-5):
    for one, other in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


@pytest.mark.parametrize("width", [30, 8, 100])
def test_a_compiled_epoch_equals_eager_steps_with_a_short_last_batch(width):
    compiled, eager = make(width=width), make(width=width, run_eagerly=True)
    history = [m.fit(X, Y, epochs=2, batch_size=32, shuffle=False, verbose=0).history for m in (compiled, eager)]
    assert_same(compiled, eager)
    assert list(history[0]) == list(history[1]) == ["loss", "mae"]
    np.testing.assert_allclose(history[0]["loss"], history[1]["loss"], rtol=1e-4)
    np.testing.assert_allclose(history[0]["mae"], history[1]["mae"], rtol=1e-4)


class Sorted(keras.layers.Layer):
    def call(self, inputs):
        return tf.sort(inputs, axis=-1)


def test_a_sort_of_units_in_a_compiled_epoch():
    models = []
    for eagerly in (False, True):
        base = make()
        model = keras.Sequential([keras.Input(shape=(5,)), base.layers[0], Sorted(), base.layers[1]])
        model.compile(loss="mse", optimizer="sgd", run_eagerly=eagerly)
        model.fit(X, Y, batch_size=32, shuffle=False, verbose=0)
        models.append(model)
    assert_same(*models)


class Noise(keras.layers.Layer):
    def call(self, inputs, training=None):
        if training:
            return inputs + tf.random.normal(tf.shape(inputs), stddev=0.1)
        return inputs


@pytest.mark.parametrize("layer", [lambda: keras.layers.Dropout(0.5), Noise])
def test_draws_as_large_as_the_batch_with_a_short_last_one(layer):
    models = []
    for eagerly in (False, True):
        model = make()
        noisy = keras.Sequential([keras.Input(shape=(5,)), layer(), *model.layers])
        noisy.compile(loss="mse", optimizer="nadam", run_eagerly=eagerly)
        keras.utils.set_random_seed(7)
        noisy.fit(X, Y, epochs=2, batch_size=32, shuffle=False, verbose=0, validation_data=(X, Y))
        models.append(noisy)
    assert_same(*models)


def test_a_compiled_epoch_equals_train_on_batch():
    whole, single = make(), make()
    whole.fit(X, Y, batch_size=32, shuffle=False, verbose=0)
    for first in range(0, 75, 32):
        single.train_on_batch(X[first : first + 32], Y[first : first + 32])
    assert_same(whole, single)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    runs = []
    for seed in (3, 3, 4):
        model = make(seed)
        model.fit(X, Y, epochs=2, verbose=0)
        runs.append(model.get_weights()[0])
    assert (runs[0] == runs[1]).all()
    assert (runs[0] != runs[2]).any()


def test_shuffling_takes_every_row_once():
    seen = []

    class Spy(keras.Model):
        def call(self, x):
            return x

        def train_step(self, data):
            seen.append(data.numpy().ravel().tolist() if hasattr(data, "numpy") else data[0].numpy().ravel().tolist())
            return {"loss": tf.constant(0.0)}

    model = Spy()
    model.compile(loss="mse", run_eagerly=True)
    model.fit(np.arange(10, dtype="float32").reshape(-1, 1), np.zeros((10, 1)), batch_size=4, epochs=2, verbose=0)
    first, second = [x for part in seen[:3] for x in part], [x for part in seen[3:] for x in part]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_a_step_of_the_user_is_compiled_and_its_results_are_the_logs():
    traced = []

    class Own(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(1)
            self.seen = keras.metrics.Mean(name="seen")

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            traced.append(1)
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(y - self(x, training=True)))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            self.seen.update_state(loss)
            return {"my_loss": self.seen.result(), "rows": tf.shape(x)[0]}

    def run(eager):
        keras.utils.set_random_seed(5)
        model = Own()
        model.compile(optimizer="adam", run_eagerly=eager)
        history = model.fit(X, Y, batch_size=32, epochs=3, shuffle=False, verbose=0).history
        return model, history

    compiled, history = run(False)
    assert len(traced) == 1
    eager, expected = run(True)
    assert_same(compiled, eager)
    assert history["rows"] == expected["rows"] == [11, 11, 11]
    np.testing.assert_allclose(history["my_loss"], expected["my_loss"], rtol=1e-4)
    assert history["my_loss"][-1] < history["my_loss"][0]


def test_a_loss_that_needs_the_exact_rows_gets_them():
    def median_like(y_true, y_pred):
        # a cumulative sum along the batch cannot tell rows that do not count
        return tf.reduce_mean(tf.cumsum(tf.square(y_true - y_pred), axis=0), axis=1)

    compiled = make(loss=median_like, metrics=(), optimizer="sgd")
    eager = make(loss=median_like, metrics=(), optimizer="sgd", run_eagerly=True)
    compiled.optimizer.learning_rate.assign(1e-4)
    eager.optimizer.learning_rate.assign(1e-4)
    for model in (compiled, eager):
        model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    assert_same(compiled, eager)


def test_a_callback_with_a_batch_method_gets_the_values_of_each_batch():
    class PerBatch(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.rows = []

        def on_train_batch_end(self, batch, logs=None):
            self.rows.append((batch, logs["loss"], [w.copy() for w in self.model.get_weights()]))

    spy, model = PerBatch(), make()
    model.fit(X, Y, batch_size=32, shuffle=False, verbose=0, callbacks=[spy])
    single = make()
    total = count = 0.0
    for at, first in enumerate(range(0, 75, 32)):
        x, y = X[first : first + 32], Y[first : first + 32]
        loss = single.train_on_batch(x, y, return_dict=True)["loss"]
        total, count = total + loss * len(x), count + len(x)
        batch, running, weights = spy.rows[at]
        assert batch == at
        np.testing.assert_allclose(running, total / count, rtol=1e-4)
        for a, b in zip(weights, single.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_learning_rate_set_between_batches_counts_from_the_next_step():
    class Freeze(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 1:
                self.model.optimizer.learning_rate.assign(0.0)
                self.before = self.model.get_weights()

    model, freeze = make(optimizer="sgd"), Freeze()
    model.fit(X, Y, batch_size=32, shuffle=False, verbose=0, callbacks=[freeze])
    for a, b in zip(freeze.before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_validation_equals_evaluate_and_leaves_the_weights():
    model = make()
    history = model.fit(X, Y, verbose=0, validation_data=(X[:41], Y[:41])).history
    weights = model.get_weights()
    loss, mae = model.evaluate(X[:41], Y[:41], verbose=0)
    np.testing.assert_allclose([history["val_loss"][0], history["val_mae"][0]], [loss, mae], rtol=1e-5)
    predicted = model.predict(X[:41], verbose=0)
    np.testing.assert_allclose(mae, np.abs(predicted - Y[:41]).mean(), rtol=1e-4)
    for a, b in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_generator_of_batches_trains_like_the_arrays():
    arrays, generator = make(), make()
    arrays.fit(X[:64], Y[:64], batch_size=32, epochs=2, shuffle=False, verbose=0)

    def batches():
        while True:
            for first in (0, 32):
                yield X[first : first + 32], Y[first : first + 32]

    generator.fit(batches(), steps_per_epoch=2, epochs=2, verbose=0)
    assert_same(arrays, generator)


def test_sample_weights_scale_each_row():
    weight = RNG.uniform(size=75).astype("float32")
    compiled, eager = make(loss="mse"), make(loss="mse", run_eagerly=True)
    for model in (compiled, eager):
        model.fit(X, Y, sample_weight=weight, shuffle=False, verbose=0)
    assert_same(compiled, eager)
    unweighted = make(loss="mse")
    unweighted.fit(X, Y, shuffle=False, verbose=0)
    assert np.abs(unweighted.get_weights()[0] - compiled.get_weights()[0]).max() > 1e-5


def test_predict_of_many_rows_equals_the_call_on_all():
    model = make()
    many = RNG.normal(size=(64 * 32 + 45, 5)).astype("float32")
    np.testing.assert_allclose(model.predict(many, verbose=0), model(many).numpy(), rtol=1e-5, atol=1e-5)
    assert model.predict(many[:0], verbose=0).shape == (0, 1)


def test_models_of_one_architecture_share_their_programs():
    from tensorsmith.program import execute

    for seed in range(2):
        model = make(seed, optimizer=keras.optimizers.Nadam(10.0 ** -(seed + 2)))
        model.fit(X, Y, verbose=0)
        if seed == 0:
            compiled = len(execute._whole)
    assert len(execute._whole) == compiled


def test_the_averages_of_use_ema_are_the_weights_after_fit():
    model = make(loss="mse", optimizer=keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5))
    model.fit(X[:64], Y[:64], batch_size=32, shuffle=False, verbose=0)
    plain = make(loss="mse", optimizer=keras.optimizers.SGD(0.05))
    weights = [plain.get_weights()]
    for first in (0, 32):
        plain.train_on_batch(X[first : first + 32], Y[first : first + 32])
        weights.append(plain.get_weights())
    for found, start, one, two in zip(model.get_weights(), *weights, strict=True):
        # Keras starts the average at the weights after the first step, or at those before it
        after_one = [0.5 * one + 0.5 * two]
        before = [0.5 * (0.5 * start + 0.5 * one) + 0.5 * two]
        assert any(np.allclose(found, expected[0], rtol=1e-4, atol=1e-5) for expected in (after_one, before))


def test_the_losses_of_several_outputs_are_means_over_rows():
    inputs = keras.Input(shape=(5,))
    one, two = keras.layers.Dense(1, name="one")(inputs), keras.layers.Dense(1, name="two")(inputs)
    model = keras.Model(inputs, [one, two])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    logs = model.fit(X, [Y, 2 * Y], batch_size=32, shuffle=False, verbose=0).history
    for name, target, predicted in zip(("one", "two"), (Y, 2 * Y), model.predict(X, verbose=0), strict=True):
        np.testing.assert_allclose(logs[f"{name}_loss"], [np.mean((target - predicted) ** 2)], rtol=1e-4)


def test_one_array_without_targets_reaches_the_steps_as_itself():
    class Code(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(5)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(data - self(data)))
            self.optimizer.apply_gradients(
                zip(tape.gradient(loss, self.trainable_variables), self.trainable_variables, strict=True)
            )
            return {"loss": loss}

        def predict_step(self, data):
            return self(data)

    keras.utils.set_random_seed(1)
    model = Code()
    # the loss told is that of the last batch: the step must be long enough to win over which rows it holds
    model.compile(optimizer=keras.optimizers.Adam(0.05))
    losses = model.fit(X, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(model.predict(X, verbose=0), model(X).numpy(), rtol=1e-5, atol=1e-6)
