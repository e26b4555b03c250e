"""Recurrent layers: values, states, masks and gradients against real Keras on JAX, and from the formulas."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support import reference
from tests.support.recurrent import LAYERS, MASK, X, assert_alike, every_layer, pair, parts


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
    for _ in range(1 if compiled else 3):
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


# ---- any sizes


def squashed(x):
    return 1 / (1 + np.exp(-x))


def next_state(name, weights, x, states, reset_after):
    """One step in float64, from the formulas."""
    kernel, recurrent, bias = weights
    h, units = states[0], len(recurrent)
    if name == "SimpleRNN":
        return [np.tanh(x @ kernel + h @ recurrent + bias)]
    if name == "LSTM":
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
        c = squashed(f) * states[1] + squashed(i) * np.tanh(g)
        return [squashed(o) * np.tanh(c), c]
    first, second = bias if reset_after else (bias, bias * 0)
    of_x, of_h = x @ kernel + first, h @ recurrent + second
    z, r = (squashed(of_x[:, k : k + units] + of_h[:, k : k + units]) for k in (0, units))
    last = slice(2 * units, None)
    inner = r * of_h[:, last] if reset_after else (r * h) @ recurrent[:, last]
    return [z * h + (1 - z) * np.tanh(of_x[:, last] + inner)]


@hypothesis.settings(deadline=None, max_examples=40)
@hypothesis.given(
    name=st.sampled_from(LAYERS),
    sizes=st.tuples(st.integers(1, 4), st.integers(0, 6), st.integers(1, 3), st.integers(1, 4)),
    masked=st.booleans(),
    backwards=st.booleans(),
    reset_after=st.booleans(),
    compiled=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_sizes(name, sizes, masked, backwards, reset_after, compiled, seed):
    batch, steps, features, units = sizes
    rng = np.random.default_rng(seed)
    more = {"reset_after": reset_after} if name == "GRU" else {}
    layer = getattr(keras.layers, name)(units, return_sequences=True, return_state=True, go_backwards=backwards, **more)
    x = rng.normal(size=(batch, steps, features)).astype("float32")
    layer.build((None, None, features))
    weights = [rng.normal(size=w.shape).astype("float32") for w in layer.get_weights()]
    layer.set_weights(weights)
    mask = rng.random((batch, steps)) < 0.6 if masked else np.ones((batch, steps), bool)
    call = tf.function(layer) if compiled else layer
    output, *states = call(x, mask=mask if masked else None)
    expected = [np.zeros((batch, units))] * len(states)
    before, outputs = np.zeros((batch, units)), []
    for t in reversed(range(steps)) if backwards else range(steps):
        on = mask[:, t, None]
        new = next_state(name, [w.astype("float64") for w in weights], x[:, t].astype("float64"), expected, reset_after)
        expected = [np.where(on, a, b) for a, b in zip(new, expected, strict=True)]
        before = np.where(on, new[0], before)
        outputs.append(before)
    for given, wanted in zip(states, expected, strict=True):
        np.testing.assert_allclose(given.numpy(), wanted, rtol=1e-3, atol=1e-5)
    wanted = np.stack(outputs, 1) if steps else np.zeros((batch, 0, units))
    np.testing.assert_allclose(output.numpy(), wanted, rtol=1e-3, atol=1e-5)


@every_layer
@pytest.mark.parametrize("settings", [{}, {"bias_initializer": "ones"}, {"unit_forget_bias": False}], ids=str)
def test_the_first_bias_is_that_of_keras(name, settings):
    settings = {key: value for key, value in settings.items() if key == "bias_initializer" or name == "LSTM"}
    made = [getattr(library.layers, name)(3, **settings) for library in (keras, reference.keras())]
    for layer in made:
        layer.build((2, 4, 5))
    np.testing.assert_array_equal(made[0].cell.bias.numpy(), np.asarray(made[1].cell.bias.value))
