"""Recurrent layers: values, states, masks and gradients against real Keras on JAX; cells of a user's own."""

import contextlib

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support import reference

LAYERS = ["SimpleRNN", "LSTM", "GRU"]
# what real Keras does while it saves is not ours
KERAS_WARNS = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
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
    with tf.GradientTape() if how == "under a tape" else contextlib.nullcontext():
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


# ---- masks that come from the layers before


@every_layer
def test_a_mask_goes_from_embedding_through_layers(name):
    ids = np.array([[3, 1, 2, 0, 0], [4, 0, 0, 0, 0], [1, 2, 3, 4, 2]])
    kind = getattr(keras.layers, name)
    layers = [
        keras.layers.Embedding(5, 4, mask_zero=True),
        kind(3, return_sequences=True),
        kind(2),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers)
    alone = [model(row[None, : np.count_nonzero(row)]).numpy() for row in ids]
    np.testing.assert_allclose(model(ids).numpy(), np.concatenate(alone), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.predict(ids, verbose=0), np.concatenate(alone), rtol=1e-4, atol=1e-6)


def test_what_is_known_of_masks_and_shapes():
    mask = tf.constant(MASK)
    for settings, expected in (
        ({}, None),
        ({"return_sequences": True}, mask),
        ({"return_state": True}, [None, None, None]),
        ({"return_sequences": True, "return_state": True}, [mask, None, None]),
    ):
        layer = keras.layers.LSTM(4, **settings)
        found = layer.compute_mask(tf.constant(X), mask)
        assert found is expected or found == expected or all(a is b for a, b in zip(found, expected, strict=True))
        shapes = layer.compute_output_shape((None, 7, 5))
        given = layer(X)
        given = given if isinstance(given, list) else [given]
        shapes = shapes if isinstance(shapes, list) else [shapes]
        assert [(4, *shape[1:]) for shape in shapes] == [tuple(part.shape) for part in given]


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
