"""Whatever goes wrong in training, the model stays whole."""

import threading
import traceback

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras

X = np.random.default_rng(0).normal(size=(96, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


def make(**settings):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input(shape=(4,)), keras.layers.Dense(6, activation="relu"), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="adam", **settings)
    return model


def assert_usable(model):
    assert np.isfinite(model.predict(X, verbose=0)).all()
    assert np.isfinite(model.evaluate(X, Y, verbose=0))
    before = model.evaluate(X, Y, verbose=0)
    model.fit(X, Y, epochs=3, verbose=0)
    assert model.evaluate(X, Y, verbose=0) < before


class Stop(keras.callbacks.Callback):
    def __init__(self, error, batch):
        super().__init__()
        self.error, self.batch = error, batch

    def on_train_batch_end(self, batch, logs=None):
        if batch == self.batch:
            self.weights = self.model.get_weights()
            raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError("of the user")], ids=["ctrl-c", "exception"])
@pytest.mark.parametrize("eager", [False, True])
def test_an_exception_in_a_callback_leaves_the_last_finished_step(error, eager):
    model, stop = make(run_eagerly=eager), Stop(error, 1)
    with pytest.raises(type(error)) as caught:
        model.fit(X, Y, verbose=0, callbacks=[stop])
    assert caught.value is error
    for a, b in zip(stop.weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert_usable(model)


def test_an_exception_in_a_custom_part_keeps_its_type_and_line_and_names_the_part():
    class Broken(keras.layers.Layer):
        def call(self, x):
            raise LookupError("nothing here")

    model = keras.Sequential([keras.Input(shape=(4,)), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    model.fit(X, Y, verbose=0)
    broken = keras.models.Model
    with pytest.raises(LookupError, match="nothing here") as caught:
        keras.Sequential([keras.Input(shape=(4,)), Broken(name="bad")])
    assert broken is keras.Model
    assert any("'bad' (Broken)" in note for note in caught.value.__notes__)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "call"
    assert_usable(model)


def test_an_eager_step_that_fails_half_way_changes_nothing():
    class Half(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)
            self.fail = False

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            logs = super().train_step(data)
            if self.fail:
                raise RuntimeError("after the weights were changed")
            return logs

    model = Half()
    model.compile(loss="mse", optimizer="sgd", run_eagerly=True)
    model.fit(X, Y, verbose=0)
    before, model.fail = model.get_weights(), True
    with pytest.raises(RuntimeError, match="after the weights"):
        model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_predict_from_eight_threads_gives_the_same_as_one():
    model = make()
    expected = model.predict(X, verbose=0)
    start, wrong = threading.Barrier(8), []

    def work():
        start.wait()
        for _ in range(10):
            try:
                np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)
                np.testing.assert_allclose(model(X).numpy(), expected, rtol=1e-5, atol=1e-6)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_evaluate_from_threads_gives_the_same_as_one():
    model = make()
    expected = model.evaluate(X, Y, verbose=0)
    found = []
    threads = [threading.Thread(target=lambda: found.append(model.evaluate(X, Y, verbose=0))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(found, [expected] * 4, rtol=1e-6)


def test_a_second_fit_at_the_same_time_is_refused_by_name():
    model, errors = make(), []

    class Again(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            try:
                self.model.fit(X, Y, verbose=0)
            except RuntimeError as error:
                errors.append(str(error))

    model.fit(X, Y, verbose=0, callbacks=[Again()])
    assert errors == [f"The model {model.name!r} is being trained by another call of fit: wait until that has ended."]


def test_arrays_changed_during_fit_do_not_reach_the_program():
    class Scribble(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            x[:] = np.nan

    x = X.copy()
    model, clean = make(), make()
    model.fit(x, Y, shuffle=False, verbose=0, callbacks=[Scribble()])
    clean.fit(X, Y, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), clean.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_the_users_jax_and_numpy_keep_their_settings():
    import jax
    import jax.numpy as jnp

    before = (jax.config.jax_enable_x64, jax.config.jax_numpy_dtype_promotion, np.geterr())
    make().fit(X, Y, verbose=0)
    assert before == (jax.config.jax_enable_x64, jax.config.jax_numpy_dtype_promotion, np.geterr())
    assert jnp.ones(2).dtype == "float32"
    assert tf.constant(np.ones(2)).dtype == tf.float64
