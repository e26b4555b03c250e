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
