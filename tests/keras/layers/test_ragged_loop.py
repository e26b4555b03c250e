"""Recurrent layers on rows of different lengths, and the loop as one operation on a tape."""

import contextlib

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support.recurrent import MASK, Decay, X, assert_alike, every_layer, pair, parts

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
