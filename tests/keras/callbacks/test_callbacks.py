"""Callbacks: when each method is called, with what; History; the progress line; errors that name the callback."""

import io

import numpy as np
import pytest

from tensorsmith import keras
from tensorsmith.keras.callbacks.history import Progress, number

X = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


def make(**settings):
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input(shape=(4,)), keras.layers.Dense(1)], name="small")
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.01), **settings)
    return model


METHODS = [name for name in dir(keras.callbacks.Callback) if name.startswith("on_")]


class Notes(keras.callbacks.Callback):
    """Writes down every call."""

    def __init__(self):
        super().__init__()
        self.seen = []


def _noting(name):
    def method(self, *args, logs=None):
        *place, logs = [*args, logs] if logs is not None else args
        self.seen.append((name, *place, sorted(logs or {})))
        getattr(super(Notes, self), name)(*place, logs)

    return method


for _name in METHODS:
    setattr(Notes, _name, _noting(_name))


@pytest.mark.parametrize("eager", [False, True])
def test_every_method_in_its_turn(eager):
    notes = Notes()
    make(run_eagerly=eager).fit(X, Y, batch_size=10, epochs=1, validation_split=0.5, verbose=0, callbacks=[notes])
    loss, both = ["loss"], ["loss", "val_loss"]
    # the older spellings are called by the newer ones
    seen = [call for call in notes.seen if call[0] not in ("on_batch_begin", "on_batch_end")]
    assert [(name, *place) for name, *place, _ in seen] == [
        ("on_train_begin",), ("on_epoch_begin", 0), ("on_train_batch_begin", 0), ("on_train_batch_end", 0),
        ("on_test_begin",), ("on_test_batch_begin", 0), ("on_test_batch_end", 0), ("on_test_end",),
        ("on_epoch_end", 0), ("on_train_end",),
    ]  # fmt: skip
    logs = {name: given for name, *_, given in seen}
    assert logs["on_train_batch_end"] == logs["on_test_batch_end"] == logs["on_test_end"] == loss
    assert logs["on_epoch_end"] == both
    older = [call[:2] for call in notes.seen if call[0] in ("on_batch_begin", "on_batch_end")]
    assert older == [("on_batch_begin", 0), ("on_batch_end", 0)]


def test_evaluate_and_predict_call_theirs():
    model, notes = make(), Notes()
    model.evaluate(X, Y, batch_size=10, verbose=0, callbacks=[notes])
    assert [call[0] for call in notes.seen] == [
        "on_test_begin", *["on_test_batch_begin", "on_test_batch_end"] * 2, "on_test_end",
    ]  # fmt: skip
    notes = Notes()
    model.predict(X, batch_size=10, verbose=0, callbacks=[notes])
    assert [call[0] for call in notes.seen] == [
        "on_predict_begin", *["on_predict_batch_begin", "on_predict_batch_end"] * 2, "on_predict_end",
    ]  # fmt: skip


@pytest.mark.parametrize("eager", [False, True])
def test_a_callback_per_batch_sees_the_values_of_each_step(eager):
    class Watches(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.losses, self.kernels = [], []

        def on_train_batch_end(self, batch, logs=None):
            self.losses.append(logs["loss"])
            self.kernels.append(self.model.get_weights()[0])

    model, watches = make(run_eagerly=eager), Watches()
    kernel, bias = model.get_weights()
    model.fit(X, Y, batch_size=8, shuffle=False, verbose=0, callbacks=[watches])
    total, count = 0.0, 0
    for at, start in enumerate((0, 8, 16)):
        x, y = X[start : start + 8], Y[start : start + 8]
        error = x @ kernel + bias - y
        total, count = total + (error**2).sum(), count + len(x)
        kernel = kernel - 0.01 * 2 / len(x) * x.T @ error
        bias = bias - 0.01 * 2 * error.mean(0)
        # the mean over the rows of the epoch so far
        np.testing.assert_allclose(watches.losses[at], total / count, rtol=1e-5)
        np.testing.assert_allclose(watches.kernels[at], kernel, rtol=1e-4, atol=1e-6)
    assert len(watches.losses) == 3


def test_what_a_callback_knows():
    class Knows(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.known = dict(self.params), self.model

    model, knows = make(), Knows()
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=knows)
    assert knows.known[0] == {"epochs": 2, "steps": 3, "verbose": 0} and knows.known[1] is model


def test_a_callback_stops_training():
    class Stops(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                self.model.stop_training = True

    model = make()
    assert model.fit(X, Y, epochs=9, verbose=0, callbacks=[Stops()]).epoch == [0, 1]
    # the next fit starts anew
    assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1]


def test_a_callback_sets_the_learning_rate():
    class Sets(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.0 if epoch else 0.01

    model = make()
    start = model.get_weights()[0]
    history = model.fit(X, Y, batch_size=20, epochs=3, verbose=0, callbacks=[Sets()]).history["loss"]
    assert (model.get_weights()[0] != start).any()
    assert history[0] > history[1] == pytest.approx(history[2], rel=1e-6)


def test_history_keeps_a_value_an_epoch():
    model = make(metrics=["mae"])
    history = model.fit(X, Y, epochs=3, initial_epoch=1, verbose=0, validation_data=(X, Y))
    assert history.epoch == [1, 2] and model.history is history
    assert {name: len(values) for name, values in history.history.items()} == {
        "loss": 2, "mae": 2, "val_loss": 2, "val_mae": 2,
    }  # fmt: skip
    assert all(type(value) is float for values in history.history.values() for value in values)
    loss, mae = model.evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(
        [history.history["val_loss"][-1], history.history["val_mae"][-1]], [loss, mae], rtol=1e-5
    )
    assert repr(history).startswith("<History of 2 epochs; loss: ")


def test_an_error_names_the_callback():
    class Fails(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        make().fit(X, Y, verbose=0, callbacks=[Fails()])
    assert caught.value.__notes__ == ["in Fails.on_epoch_begin, a callback of model 'small'"]


def test_a_callback_that_forgot_super_init():
    class Forgetful(keras.callbacks.Callback):
        def __init__(self):
            self.epochs = []

        def on_epoch_end(self, epoch, logs=None):
            self.epochs.append((epoch, self.params["epochs"], self.model.name))

    callback = Forgetful()
    make().fit(X, Y, epochs=2, verbose=0, callbacks=[callback])
    assert callback.epochs == [(0, 2, "small"), (1, 2, "small")]


def test_numbers_of_the_progress_line():
    assert [number(v) for v in (0.12341, 0, 1234.5, 0.00012345, float("nan"))] == [
        "0.1234", "0.0000", "1234.5000", "1.2345e-04", "nan",
    ]  # fmt: skip
    assert number("text") == "text"


def test_the_last_state_of_a_line_without_a_terminal():
    stream = io.StringIO()
    progress = Progress(4, 1, stream)
    progress.update(2, {"loss": 0.5})
    assert stream.getvalue() == ""
    progress.update(4, {"loss": 0.25}, final=True)
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("4/4 " + "━" * 20) and line.endswith("/step - loss: 0.2500")


def test_one_line_an_epoch_or_none():
    for verbose, lines in ((2, 1), (0, 0)):
        stream = io.StringIO()
        progress = Progress(4, verbose, stream)
        progress.update(2, {"loss": 0.5})
        progress.update(4, {"loss": 0.25}, final=True)
        assert len(stream.getvalue().splitlines()) == lines
    assert "━" not in stream.getvalue()


def test_a_terminal_sees_the_line_grow():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    progress = Progress(4, 1, stream)
    progress.update(1, {"loss": 0.5})
    assert stream.getvalue().startswith("\r\x1b[K1/4 " + "━" * 5 + "─" * 15)
    assert not stream.getvalue().endswith("\n")
    progress.update(4, {"loss": 0.25}, final=True)
    assert stream.getvalue().endswith("loss: 0.2500\n")
