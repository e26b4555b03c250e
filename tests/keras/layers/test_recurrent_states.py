"""States that go on from batch to batch, that are symbols of a model; files."""

import json

import h5py
import numpy as np
import pytest

from tensorsmith import keras
from tests.support import reference
from tests.support.recurrent import KERAS_WARNS, Decay, X, assert_alike, every_layer

# ---- states that go on


@every_layer
@pytest.mark.parametrize("eager", [False, True])
def test_a_stateful_layer_goes_on_where_it_ended(name, eager):
    keras.utils.set_random_seed(1)
    kind = getattr(keras.layers, name)
    model = keras.models.Sequential([kind(4, stateful=True, batch_input_shape=[2, None, 5]), keras.layers.Dense(1)])
    layer = model.layers[0]
    whole = kind(4, return_state=True)
    whole.build((2, None, 5))
    whole.set_weights(layer.get_weights())
    assert [w.name for w in layer.weights] == ["kernel", "recurrent_kernel", "bias"]
    x = X[:2]
    pieces = np.concatenate([x[:, :3], x[:, 3:6]])
    _, *states = whole(x[:, :6])
    model.predict(pieces, batch_size=2, verbose=0)
    assert_alike(layer.states, states)
    layer.reset_states()
    assert all((state.numpy() == 0).all() for state in layer.states)
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0), run_eagerly=eager)
    model.fit(pieces, np.zeros((4, 1)), batch_size=2, shuffle=False, verbose=0)
    assert_alike(layer.states, states)
    model.reset_states()
    assert all((state.numpy() == 0).all() for state in layer.states)
    layer.reset_state([np.ones((2, 4))] * len(states))
    start = whole(x, initial_state=[np.ones((2, 4), "float32")] * len(states))[0]
    np.testing.assert_allclose(layer(x).numpy(), start, rtol=1e-5, atol=1e-6)


def test_a_stateful_layer_says_what_is_wrong():
    with pytest.raises(ValueError) as caught:
        keras.layers.GRU(3, stateful=True, name="gru")(keras.Input(shape=(7, 5)))
    assert str(caught.value) == (
        "gru: it is stateful, and the size of the batch is not known (inputs=(None, 7, 5)); the states of each row go on in "
        "the next batch. Give it: keras.Input(batch_shape=(32, None, 8)), or batch_input_shape=[32, None, 8] in Keras 2."
    )
    layer = keras.layers.GRU(3, stateful=True, name="gru")
    layer(X)
    with pytest.raises(ValueError) as caught:
        layer(X[:2])
    assert str(caught.value) == (
        "gru: it is stateful, and this batch is of another size than the states (inputs=float32(2, 7, 5), rows of the "
        "states=4). Give batches of one size, and to predict the same batch_size as to fit."
    )
    with pytest.raises(ValueError) as caught:
        layer.reset_state([np.ones((4, 2))])
    assert str(caught.value) == "gru: these are not its states (given=[(4, 2)], states=[(4, 3)])."
    with pytest.raises(AttributeError) as caught:
        keras.layers.GRU(3, name="gru").reset_state()
    assert str(caught.value) == "gru: it has no states to reset (stateful=False). Make it with stateful=True."


# ---- models


def translator(library):
    encoder, decoder = library.Input(shape=(None, 5)), library.Input(shape=(None, 5))
    _, h, c = library.layers.LSTM(4, return_state=True)(encoder)
    output = library.layers.LSTM(4, return_sequences=True)(decoder, initial_state=[h, c])
    state = library.layers.GRU(4)(output, initial_state=h)
    return library.Model([encoder, decoder], library.layers.Dense(1)(state))


@KERAS_WARNS
def test_states_may_be_symbols_of_a_model_and_files_go_both_ways(tmp_path):
    real = reference.keras()
    ours, theirs = translator(keras), translator(real)
    assert [tuple(w.shape) for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    theirs.set_weights(ours.get_weights())
    inputs = [X, X[:, :3] * 2]
    expected = ours.predict(inputs, verbose=0)
    np.testing.assert_allclose(theirs.predict(inputs, verbose=0), expected, rtol=1e-4, atol=1e-6)
    ours.compile(loss="mse", optimizer="adam")
    ours.fit(inputs, np.zeros((4, 1)), verbose=0)
    expected = ours.predict(inputs, verbose=0)
    for ending in (".keras", ".h5"):
        ours.save(tmp_path / f"ours{ending}")
        loaded = real.models.load_model(tmp_path / f"ours{ending}", compile=False)
        np.testing.assert_allclose(loaded.predict(inputs, verbose=0), expected, rtol=1e-4, atol=1e-6)
        loaded.save(tmp_path / f"theirs{ending}")
        for name in ("ours", "theirs"):
            again = keras.models.load_model(tmp_path / f"{name}{ending}", compile=False)
            np.testing.assert_allclose(again.predict(inputs, verbose=0), expected, rtol=1e-4, atol=1e-6)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    np.testing.assert_allclose(theirs.predict(inputs, verbose=0), expected, rtol=1e-4, atol=1e-6)


def test_a_stack_of_cells_is_saved(tmp_path):
    cells = [keras.layers.GRUCell(4, reset_after=False), keras.layers.SimpleRNNCell(3)]
    model = keras.Sequential([keras.Input(shape=(7, 5)), keras.layers.RNN(cells, return_sequences=True)])
    expected = model.predict(X, verbose=0)
    real = reference.keras()
    for ending in (".keras", ".h5"):
        model.save(tmp_path / f"model{ending}")
        again = keras.models.load_model(tmp_path / f"model{ending}")
        np.testing.assert_allclose(again.predict(X, verbose=0), expected, rtol=1e-6)
        theirs = real.models.load_model(tmp_path / f"model{ending}", compile=False)
        np.testing.assert_allclose(theirs.predict(X, verbose=0), expected, rtol=1e-4, atol=1e-6)


def test_a_layer_with_a_users_cell_is_saved(tmp_path):
    model = keras.Sequential([keras.Input(shape=(7, 5)), keras.layers.RNN(Decay(3))])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", custom_objects={"Decay": Decay})
    np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


@pytest.mark.parametrize("dialect", ["k2", "common", "k3"])
@pytest.mark.parametrize("seed", [None, 3])
def test_only_keras_3_is_told_of_seeds(tmp_path, dialect, seed):
    cells = [keras.layers.GRUCell(4, seed=seed), keras.layers.LSTMCell(3, seed=seed)]
    layers = [keras.layers.LSTM(4, return_sequences=True, seed=seed), keras.layers.RNN(cells)]
    model = keras.Sequential([keras.Input(shape=(7, 5)), *layers])
    model.save(tmp_path / "model.h5", dialect=dialect)
    with h5py.File(tmp_path / "model.h5") as file:
        config = json.loads(file.attrs["model_config"])
    first, second = config["config"]["layers"][-2:]
    found = ["seed" in first["config"], *["seed" in c["config"] for c in second["config"]["cell"]["config"]["cells"]]]
    assert found == [dialect == "k3" or (dialect == "common" and seed is not None)] * 3
    again = keras.models.load_model(tmp_path / "model.h5")
    np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)
