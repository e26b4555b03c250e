"""Cells: of a user's own, above each other, by themselves; dropout; what is refused."""

import contextlib

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support.recurrent import LAYERS, MASK, Decay, X, assert_alike, every_layer, pair

# ---- cells


def by_hand(layer, x):
    cell = layer.cell
    kernel, recurrent, bias, gamma, beta = [w.numpy() for w in (*cell.simple.weights, cell.norm.gamma, cell.norm.beta)]
    h, outputs = np.zeros((len(x), len(bias)), "float32"), []
    for t in range(x.shape[1]):
        z = x[:, t] @ kernel + h @ recurrent + bias
        z = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-3) * gamma + beta
        h = np.tanh(z)
        outputs.append(h)
    return np.stack(outputs, 1)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_cell_of_the_users_own(compiled):
    layer = keras.layers.RNN(Decay(3), return_sequences=True)
    given = (tf.function(layer) if compiled else layer)(tf.constant(X)).numpy()
    np.testing.assert_allclose(given, by_hand(layer, X), rtol=1e-4, atol=1e-5)
    assert [w.name for w in layer.weights] == ["kernel", "recurrent_kernel", "bias", "gamma", "beta"]


def test_a_cell_of_the_users_own_learns():
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input(shape=(None, 5)), keras.layers.RNN(Decay(8)), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.02))
    y = X[:, -1, :1]
    losses = model.fit(X, y, epochs=60, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 5
    layer = model.layers[0]
    hidden = by_hand(layer, X)[:, -1]
    kernel, bias = model.layers[1].get_weights()
    np.testing.assert_allclose(model.predict(X, verbose=0), hidden @ kernel + bias, rtol=1e-3, atol=1e-4)


class Nested:
    """A cell that is no layer, with states in states, two inputs and constants."""

    state_size = [2, [tf.TensorShape([3]), 1]]
    output_size = 3

    def call(self, inputs, states, constants):
        a, (b, c) = states
        first, second = inputs
        a = a + first
        b = b + constants[0]
        c = c + tf.reduce_sum(second, 1, keepdims=True)
        return b * c + tf.reduce_sum(a, 1, keepdims=True), [a, [b, c]]


@pytest.mark.parametrize("compiled", [False, True])
def test_nested_states_several_inputs_and_constants(compiled):
    layer = keras.layers.RNN(Nested(), return_state=True, return_sequences=True)
    first, second = X[..., :2], X[..., 2:]
    constant = np.float32([[1, 2, 3]] * 4)

    def call(one, two, constant):
        return layer((one, two), constants=[constant])

    output, a, (b, c) = (tf.function(call) if compiled else call)(first, second, constant)
    summed, steps = np.cumsum(first, 1), np.arange(1, 8)[None, :, None]
    counted = np.cumsum(second.sum(2, keepdims=True), 1)
    expected = constant[:, None] * steps * counted + summed.sum(2, keepdims=True)
    np.testing.assert_allclose(output.numpy(), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(a.numpy(), summed[:, -1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(b.numpy(), constant * 7)
    np.testing.assert_allclose(c.numpy(), counted[:, -1], rtol=1e-5, atol=1e-5)


class Apart(keras.layers.Layer):
    """A cell whose output is not its state."""

    state_size, output_size = 5, 5

    def call(self, inputs, states):
        return inputs * 10, [states[0] + inputs]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("zero", [False, True])
def test_a_masked_step_gives_the_output_of_the_step_before(compiled, zero):
    layer = keras.layers.RNN(Apart(), return_sequences=True, return_state=True, zero_output_for_mask=zero)
    start = np.ones((4, 5), "float32")
    call = tf.function(layer) if compiled else layer
    output, state = call(X, initial_state=[start], mask=MASK)
    expected, before = np.zeros_like(X), np.zeros((4, 5))
    for t in range(7):
        before = np.where(MASK[:, t, None], X[:, t] * 10, 0 if zero else before)
        expected[:, t] = before
    np.testing.assert_allclose(output.numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(state.numpy(), start + (X * MASK[..., None]).sum(1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_cells_above_each_other_are_layers_above_each_other(compiled, masked):
    mask = MASK if masked else None
    cells = [keras.layers.LSTMCell(4), keras.layers.GRUCell(3), Decay(2)]
    stacked = keras.layers.RNN(cells, return_state=True)
    call = tf.function(stacked) if compiled else stacked
    output, first, second, third = call(X, mask=mask)
    one = keras.layers.RNN(cells[0], return_sequences=True, return_state=True)
    two = keras.layers.RNN(cells[1], return_sequences=True, return_state=True)
    three = keras.layers.RNN(cells[2], return_state=True)
    x, *states = one(X, mask=mask)
    assert_alike(first, states)
    x, state = two(x, mask=mask)
    assert_alike(second, state)
    assert_alike([output, third], three(x, mask=mask))
    assert [tuple(w.shape) for w in stacked.weights] == [tuple(w.shape) for cell in cells for w in cell.weights]


def test_a_cell_by_itself():
    for name in LAYERS:
        ours, theirs = pair(name, return_sequences=True)
        cell, states = ours.cell, ours.cell.get_initial_state(batch_size=4)
        assert_alike(ours.cell.get_initial_state(inputs=tf.constant(X[:, 0])), states)
        for t in range(7):
            output, states = cell(X[:, t], states)
            np.testing.assert_allclose(output.numpy(), np.asarray(theirs(X))[:, t], rtol=1e-5, atol=1e-6)
        assert isinstance(states, list)
        assert_alike(ours.get_initial_state(4), ours.get_initial_state(tf.constant(X)))


# ---- dropout


@every_layer
@pytest.mark.parametrize("how", ["at once", "compiled", "under a tape"])
@pytest.mark.parametrize("dropped", ["dropout", "recurrent_dropout"])
def test_dropout_is_the_same_at_all_steps_and_only_in_training(name, how, dropped):
    # identity everywhere, so that what is dropped stays visible
    plain = {"activation": None, "use_bias": False, "return_sequences": True}
    if name != "SimpleRNN":
        plain["recurrent_activation"] = None
    layer = getattr(keras.layers, name)(6, seed=1, **{dropped: 0.5}, **plain)
    reference_layer = getattr(keras.layers, name)(6, **plain)
    x = np.random.default_rng(2).normal(size=(8, 4, 6)).astype("float32") / 4
    layer.build(x.shape)
    reference_layer.build(x.shape)
    reference_layer.set_weights(layer.get_weights())
    expected = reference_layer(x).numpy()
    for training in (None, False):
        np.testing.assert_allclose(layer(x, training=training).numpy(), expected, rtol=1e-5, atol=1e-6)
    seen = []
    cell = layer.cell
    masks = cell._masks

    def noted(*args):
        seen.append(masks(*args))
        return seen[-1]

    object.__setattr__(cell, "_masks", noted)
    call = tf.function(lambda x: layer(x, training=True)) if how == "compiled" else lambda x: layer(x, training=True)
    with tf.GradientTape() if how == "under a tape" else contextlib.nullcontext():
        given = call(x).numpy()
    assert len(seen) == 1
    assert not np.allclose(given, expected, rtol=1e-3, atol=0)
    if how != "at once":
        return
    mask = seen[0][dropped == "recurrent_dropout"].numpy()
    assert set(np.unique(mask)) == {0.0, 2.0}
    if dropped == "dropout":
        np.testing.assert_allclose(given, reference_layer(x * mask[:, None]).numpy(), rtol=1e-4, atol=1e-5)
    else:
        gates = cell.GATES
        assert mask.shape == ((gates, 8, 6) if gates > 1 else (8, 6))


def test_dropped_states_are_dropped_at_every_step():
    x = np.random.default_rng(2).normal(size=(8, 4, 3)).astype("float32")
    layer = keras.layers.SimpleRNN(6, recurrent_dropout=0.5, seed=3, activation=None, return_sequences=True)
    again = keras.layers.SimpleRNN(6, recurrent_dropout=0.5, seed=3, activation=None, return_sequences=True)
    given = layer(x, training=True).numpy()
    again.build(x.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x, training=True).numpy(), given)
    assert abs(layer(x, training=True).numpy() - given).max() > 1e-3
    kernel, recurrent, bias = layer.get_weights()
    # what the second step shows of the mask is what the others use
    projected = x @ kernel + bias
    rest = given[:, 1] - projected[:, 1]
    for row in range(8):
        masks = np.array([[(n >> at) & 1 for at in range(6)] for n in range(64)]) * 2.0
        mask = masks[np.argmin([abs((given[row, 0] * m) @ recurrent - rest[row]).max() for m in masks])]
        for t in range(1, 4):
            expected = projected[row, t] + (given[row, t - 1] * mask) @ recurrent
            np.testing.assert_allclose(given[row, t], expected, rtol=1e-3, atol=1e-4)


@every_layer
def test_dropout_of_each_gate_by_itself(name):
    settings = {"dropout": 0.5, "seed": 2, "activation": None, "use_bias": False}
    layer = getattr(keras.layers, name)(3, implementation=1, **settings)
    cell = layer.cell
    layer.build((2, 1, 4))
    x = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    mask, nothing = cell._masks(2, 4, True)
    assert nothing is None
    gates = cell.GATES
    assert tuple(mask.shape) == ((gates, 2, 4) if gates > 1 else (2, 4))
    masks = mask.numpy().reshape(gates, 2, 4)
    columns = np.split(cell.kernel.numpy(), gates, axis=1)
    expected = np.concatenate([(x * m) @ part for m, part in zip(masks, columns, strict=True)], axis=1)
    np.testing.assert_allclose(cell._projected(tf.constant(x), (mask, None)).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_stacked_cells_drop_the_same_at_all_steps():
    cells = [
        keras.layers.GRUCell(4, dropout=0.5, seed=1),
        keras.layers.LSTMCell(3, dropout=0.5, recurrent_dropout=0.2, seed=2),
    ]
    layer = keras.layers.RNN(cells, return_sequences=True)
    seen = []
    for cell in cells:
        masks = cell._masks
        object.__setattr__(cell, "_masks", lambda *args, masks=masks: seen.append(masks(*args)) or seen[-1])
    layer(X, training=True)
    assert [[m if m is None else tuple(m.shape) for m in pair] for pair in seen] == [
        [(4, 5), None],
        [(4, 4, 4), (4, 4, 3)],
    ]


def test_words_of_both_generations():
    old = keras.layers.LSTM(3, implementation=2, time_major=False, use_cudnn="auto", input_shape=[None, 5])
    model = keras.models.Sequential([old])
    assert model.output_shape == (None, 3)
    assert isinstance(keras.layers.RNN([keras.layers.LSTMCell(3)]).cell, keras.layers.StackedRNNCells)
    again = keras.layers.deserialize(
        {"class_name": "GRU", "config": {"units": 2, "implementation": 1, "time_major": False}}
    )
    assert again.units == 2 and again.cell._masks_each == 3
    assert (old.units, old.unit_forget_bias, old.recurrent_activation.__name__) == (3, True, "sigmoid")


class OldCell(keras.layers.AbstractRNNCell):
    def __init__(self, units):
        super().__init__()
        self.units = units

    @property
    def state_size(self):
        return self.units

    def call(self, inputs, states):
        new = states[0] * 0.5 + tf.reduce_sum(inputs, 1, keepdims=True)
        return new, [new]


def test_a_cell_of_keras_2():
    expected = np.zeros((4, 3))
    for t in range(7):
        expected = expected * 0.5 + X[:, t].sum(1, keepdims=True)
    np.testing.assert_allclose(keras.layers.RNN(OldCell(3))(X).numpy(), expected, rtol=1e-4)
    assert OldCell(3).get_initial_state(inputs=tf.constant(X)).shape == (4, 3)
    with pytest.raises(NotImplementedError, match="has no `state_size`"):
        keras.layers.AbstractRNNCell().state_size


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (
            lambda: keras.layers.RNN(3),
            ValueError,
            "RNN: its cell has no `call` (cell=3); a cell has `state_size` and `call`.",
        ),
        (
            lambda: keras.layers.LSTM(0),
            ValueError,
            "LSTMCell: units must be a positive integer; given units=0.",
        ),
        (
            lambda: keras.layers.LSTM(3, name="lstm")(X, initial_state=[X[:, 0, :3]]),
            ValueError,
            "lstm: initial_state has another number of states than the cell (initial_state=[float32(4, 3)], "
            "state_size=[3, 3]).",
        ),
        (
            lambda: keras.layers.GRU(3, name="gru", unroll=True)(keras.Input(shape=(None, 5))),
            ValueError,
            "gru: it cannot be unrolled, as the number of time steps is not known (inputs=float32(None, None, 5)). Say it, as "
            "in keras.Input(shape=(50, 8)), or leave unroll=False.",
        ),
        (
            lambda: keras.layers.RNN(keras.layers.GRUCell(3, name="cell"))(X, constants=[X]),
            ValueError,
            "cell: it takes no constants (constants=[float32(4, 7, 5)]); a cell that uses them has "
            "call(self, inputs, states, constants).",
        ),
        (
            lambda: keras.layers.StackedRNNCells([keras.layers.GRUCell(3), 4]),
            ValueError,
            "StackedRNNCells: a cell has no `call` (cell=4); a cell has `state_size` and `call`.",
        ),
    ],
)
def test_what_is_refused(make, kind, text):
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == text


def test_an_input_of_another_rank_or_size_is_told():
    layer = keras.layers.GRU(3, name="gru")
    with pytest.raises(ValueError, match="expected ndim=3"):
        layer(X[:, 0])
    layer(X)
    with pytest.raises(ValueError, match="expected axis -1 of the input to have size 5"):
        layer(X[..., :4])
