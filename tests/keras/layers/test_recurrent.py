"""Recurrent layers: values, states, masks and gradients against real Keras on JAX; cells of a user's own."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support import reference

LAYERS = ["SimpleRNN", "LSTM", "GRU"]
every_layer = pytest.mark.parametrize("name", LAYERS)
X = np.random.default_rng(0).normal(size=(4, 7, 5)).astype("float32")
# the first row has no masked step, the last one nothing else; the second begins with masked ones
MASK = np.array([[1] * 7, [0, 0, 1, 1, 0, 1, 1], [1, 1, 1, 0, 0, 0, 0], [0] * 7], bool)


def parts(result):
    return [np.asarray(part) for part in (result if isinstance(result, (list, tuple)) else [result])]


def pair(name, **settings):
    """Ours and that of real Keras, with the same weights, none of which is zero."""
    ours = getattr(keras.layers, name)(4, **settings)
    theirs = getattr(reference.keras().layers, name)(4, **settings)
    ours.build((4, 7, 5))
    theirs.build((4, 7, 5))
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=w.shape).astype("float32") / 2 for w in ours.get_weights()]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    return ours, theirs


def assert_alike(given, expected, tolerance=1e-5):
    given, expected = parts(given), parts(expected)
    assert [g.shape for g in given] == [e.shape for e in expected]
    for one, other in zip(given, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance / 10)


@every_layer
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"return_sequences": True},
        {"return_state": True},
        {"return_sequences": True, "return_state": True, "go_backwards": True},
        {"return_sequences": True, "unroll": True, "go_backwards": True},
        {"return_sequences": True, "zero_output_for_mask": True},
    ],
    ids=lambda settings: "-".join(settings) or "plain",
)
def test_outputs_and_states_are_those_of_keras(name, masked, compiled, settings):
    ours, theirs = pair(name, **settings)
    mask = MASK if masked else None
    call = tf.function(lambda x: ours(x, mask=mask)) if compiled else lambda x: ours(x, mask=mask)
    assert_alike(call(tf.constant(X)), theirs(X, mask=mask))


@every_layer
@pytest.mark.parametrize("compiled", [False, True])
def test_states_to_begin_with(name, compiled):
    ours, theirs = pair(name, return_state=True, return_sequences=True)
    count = len(parts(ours(X))) - 1
    states = [np.random.default_rng(at).normal(size=(4, 4)).astype("float32") for at in range(count)]
    expected = theirs(X, initial_state=states)
    call = tf.function(ours) if compiled else ours
    assert_alike(call(X, initial_state=states), expected)
    assert_alike(call(X, initial_state=[tf.constant(s) for s in states]), expected)
    # the list of Keras 2
    assert_alike(ours([tf.constant(X), *map(tf.constant, states)]), expected)
    if count == 1:
        assert_alike(call(X, initial_state=states[0]), expected)


@every_layer
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_are_those_of_keras(name, masked, compiled):
    import jax

    ours, theirs = pair(name, return_sequences=True, return_state=True)
    mask = MASK if masked else None
    weights = [np.asarray(w.value) for w in theirs.trainable_variables]

    def their_loss(values, x):
        state = [v.value for v in theirs.non_trainable_variables]
        outputs, _ = theirs.stateless_call(values, state, x, mask=mask)
        return sum((part**2).sum() for part in outputs)

    expected = jax.grad(their_loss, argnums=(0, 1))(weights, X)

    def slopes(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.add_n([tf.reduce_sum(part**2) for part in ours(x, mask=mask)])
        return tape.gradient(loss, [*ours.trainable_weights, x])

    call = tf.function(slopes) if compiled else slopes
    for _ in range(3):
        # at once the second and third time may be other ways to the same numbers
        assert_alike(call(tf.constant(X)), [*expected[0], expected[1]], 1e-4)


def test_time_may_come_first():
    ours = keras.layers.LSTM(3, return_sequences=True, time_major=True)
    again = keras.layers.LSTM(3, return_sequences=True)
    again.build((4, 7, 5))
    ours.build((7, 4, 5))
    again.set_weights(ours.get_weights())
    turned = X.transpose(1, 0, 2)
    np.testing.assert_allclose(
        ours(turned, mask=MASK.T).numpy().transpose(1, 0, 2), again(X, mask=MASK).numpy(), rtol=1e-6
    )
    assert ours.compute_output_shape((7, 4, 5)) == (7, 4, 3)
    assert keras.layers.LSTM.from_config(ours.get_config()).time_major


# ---- cells


class Decay(keras.layers.Layer):
    """The book's way to write a cell: a layer with sizes, whose states are a list."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.state_size = self.output_size = units
        self.simple = keras.layers.SimpleRNNCell(units, activation=None)
        self.norm = keras.layers.LayerNormalization()

    def call(self, inputs, states):
        outputs, _ = self.simple(inputs, states)
        outputs = tf.tanh(self.norm(outputs))
        return outputs, [outputs]


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


# ---- rows of different lengths

LENGTHS = [3, 0, 5, 1]


def ragged(x=X):
    rows = [row[:n] for row, n in zip(x, LENGTHS, strict=True)]
    return tf.RaggedTensor.from_row_splits(np.concatenate(rows), np.cumsum([0, *LENGTHS]))


SPEC = tf.RaggedTensorSpec([None, None, 5], tf.float32, ragged_rank=1)


@every_layer
@pytest.mark.parametrize("how", ["at once", "in a program", "under a tape"])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("every", [False, True])
def test_ragged_rows_are_as_if_each_stood_alone(name, how, backwards, every):
    layer, _ = pair(name, return_sequences=every, return_state=True, go_backwards=backwards)
    call = tf.function(layer, input_signature=[SPEC]) if how == "in a program" else layer
    with tf.GradientTape(persistent=how == "under a tape"):
        output, *states = call(ragged())
    if every:
        assert isinstance(output, tf.RaggedTensor)
        assert output.row_lengths().numpy().tolist() == LENGTHS
    for at, length in enumerate(LENGTHS):
        alone = (
            layer(X[at : at + 1, :length]) if length else [np.zeros((1, 0, 4) if every else (1, 4))] * (len(states) + 1)
        )
        given = [output[at] if every else output[at : at + 1], *[state[at : at + 1] for state in states]]
        expected = [parts(alone)[0][0] if every else parts(alone)[0], *parts(alone)[1:]]
        if not length:
            expected = [np.zeros(g.shape) for g in given]
        assert_alike(given, expected)


@every_layer
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("every", [False, True])
def test_gradients_of_ragged_rows_are_those_of_masked_ones(name, compiled, every):
    layer, _ = pair(name, return_sequences=every)
    lengths = tf.constant(LENGTHS)
    direction = np.random.default_rng(5).normal(size=(4, 5, 4)).astype("float32")
    kept = tf.sequence_mask(lengths, 5)

    def slopes(values, splits):
        with tf.GradientTape() as tape:
            tape.watch(values)
            output = layer(tf.RaggedTensor.from_row_splits(values, splits, validate=False))
            output = output.flat_values if every else output
            by = tf.boolean_mask(direction, kept) if every else direction[:, 0]
            loss = tf.reduce_sum(output * by)
        return tape.gradient(loss, [values, *layer.trainable_weights])

    rows = ragged()
    given = (tf.function(slopes) if compiled else slopes)(rows.flat_values, rows.row_splits)
    x = tf.constant(X[:, :5])
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layer(x, mask=kept)
        output = output * tf.cast(kept, tf.float32)[..., None] * direction if every else output * direction[:, 0]
        loss = tf.reduce_sum(output)
    by_x, *by_weights = tape.gradient(loss, [x, *layer.trainable_weights])
    assert_alike(given, [tf.boolean_mask(by_x, kept), *by_weights], 1e-4)


@pytest.mark.parametrize("compiled", [False, True])
def test_ragged_rows_for_a_cell_of_the_users_own(compiled):
    layer = keras.layers.RNN([Decay(4), keras.layers.GRUCell(3)])
    given = (tf.function(layer) if compiled else layer)(ragged()).numpy()
    for at, length in enumerate(LENGTHS):
        expected = layer(X[at : at + 1, :length])[0] if length else np.zeros(3)
        np.testing.assert_allclose(given[at], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("compiled", [False, True])
def test_rows_that_are_all_empty_and_no_rows(compiled):
    layer = keras.layers.LSTM(3, return_sequences=True)
    layer.build((None, None, 5))
    call = tf.function(layer, input_signature=[SPEC]) if compiled else layer
    for splits in ([0, 0, 0], [0]):
        empty = tf.RaggedTensor.from_row_splits(np.zeros((0, 5), "float32"), splits)
        output = call(empty)
        assert output.row_splits.numpy().tolist() == splits
        assert output.flat_values.shape == (0, 3)


@pytest.mark.parametrize(
    ("settings", "mask", "wrong"),
    [({}, MASK, "a mask"), ({"unroll": True}, None, "unroll=True"), ({"time_major": True}, None, "time_major=True")],
)
def test_what_ragged_rows_do_not_go_with(settings, mask, wrong):
    layer = keras.layers.GRU(3, name="gru", **settings)
    with pytest.raises(ValueError) as caught:
        layer(ragged(), mask=mask)
    assert str(caught.value) == (
        f"gru: it was given rows of different lengths and {wrong} (inputs=float32(4, None, 5)); ragged rows end "
        f"where they end, and batch comes first. Leave out {wrong}, or pad: inputs.to_tensor()."
    )


def test_a_length_is_rounded_up_by_at_most_a_half():
    from tensorsmith.keras.layers.ragged_loop import rounded

    found = [rounded(n) for n in range(1, 2000)]
    assert all(n <= up <= max(n * 1.5, n + 1) for n, up in enumerate(found, 1))
    assert len(set(found)) < 25
    assert rounded(0) == 0


# ---- one operation on a tape


def test_a_tape_hears_of_one_operation_and_a_layer_is_traced_once():
    layer = keras.layers.LSTM(3)
    heard = []
    for length in (4, 9, 6):
        with tf.GradientTape() as tape:
            layer(X[:, :5].repeat(2, 1)[:, :length])
        heard.append(len(tape._calls))
    assert max(heard) < 8
    assert len(layer._recorded._forms) == 1


def test_what_changed_in_the_cell_is_seen_under_a_tape():
    layer = keras.layers.SimpleRNN(3)
    with tf.GradientTape():
        layer(X)
    layer.cell.activation = keras.activations.relu
    with tf.GradientTape():
        given = layer(X).numpy()
    np.testing.assert_allclose(given, layer(X).numpy(), rtol=1e-5)
    assert (given >= 0).all()
    layer.cell.kernel.assign(layer.cell.kernel * 0 + 1)
    with tf.GradientTape():
        np.testing.assert_allclose(layer(X).numpy(), layer(X).numpy(), rtol=1e-5)


def test_a_layer_that_was_under_a_tape_can_be_copied_and_pickled():
    import copy
    import pickle

    layer = keras.layers.GRU(3)
    with tf.GradientTape():
        expected = layer(X).numpy()
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        again.cell.kernel.assign(layer.cell.kernel * 2)
        with tf.GradientTape():
            assert abs(again(X).numpy() - expected).max() > 1e-3
    with tf.GradientTape():
        np.testing.assert_array_equal(layer(X).numpy(), expected)
