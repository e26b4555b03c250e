"""keras.ops.scan, at once and in a program, against a loop over NumPy arrays; real Keras on JAX for its own form."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support import reference

ROWS = np.arange(12, dtype="float32").reshape(4, 3) - 5


def decayed(state, x):
    state = {"sum": state["sum"] * 0.5 + x, "count": state["count"] + 1}
    return state, (state["sum"] * 2, x)


def by_hand(reverse):
    total, results = np.ones(3, "float32"), []
    for row in ROWS[::-1] if reverse else ROWS:
        total = total * 0.5 + row
        results.append(total * 2)
    return total, np.stack(results[::-1] if reverse else results)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("unroll", [1, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_states_and_results_are_those_of_a_loop(reverse, unroll, compiled):
    def run(rows):
        return keras.ops.scan(decayed, {"sum": tf.ones(3), "count": 0}, rows, reverse=reverse, unroll=unroll)

    state, (doubled, rows) = (tf.function(run) if compiled else run)(tf.constant(ROWS))
    total, results = by_hand(reverse)
    np.testing.assert_allclose(state["sum"].numpy(), total, rtol=1e-6)
    assert state["count"].numpy().item() == 4
    np.testing.assert_allclose(doubled.numpy(), results, rtol=1e-6)
    np.testing.assert_array_equal(rows.numpy(), ROWS)


@pytest.mark.parametrize("compiled", [False, True])
def test_steps_that_are_only_counted_and_results_that_are_none(compiled):
    def run(start):
        return keras.ops.scan(lambda s, x: (s * 2, None if x is None else s), start, length=5)

    last, results = (tf.function(run) if compiled else run)(tf.constant(3))
    assert last.numpy().item() == 96
    assert results is None


@pytest.mark.parametrize("compiled", [False, True])
def test_no_rows(compiled):
    def run(rows):
        return keras.ops.scan(decayed, {"sum": tf.ones(3), "count": 0}, rows)

    state, (doubled, rows) = (tf.function(run) if compiled else run)(tf.zeros((0, 3)))
    np.testing.assert_array_equal(state["sum"].numpy(), np.ones(3))
    assert doubled.shape == rows.shape == (0, 3)


@pytest.mark.parametrize("compiled", [False, True])
def test_the_derivative_goes_through_all_steps(compiled):
    def slope(rows):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            last, _ = keras.ops.scan(lambda s, x: (s * 0.5 + x, s), tf.zeros(3), rows)
            loss = tf.reduce_sum(last)
        return tape.gradient(loss, rows)

    found = (tf.function(slope) if compiled else slope)(tf.constant(ROWS))
    np.testing.assert_allclose(found.numpy(), np.repeat(0.5 ** np.arange(3, -1, -1.0)[:, None], 3, 1))


def test_it_gives_what_keras_gives():
    real = reference.keras()
    ours = keras.ops.scan(lambda s, x: (s + x, s * x), np.ones(3, "float32"), ROWS, reverse=True)
    theirs = real.ops.scan(lambda s, x: (s + x, s * x), np.ones(3, "float32"), ROWS, reverse=True)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.numpy(), np.asarray(other), rtol=1e-6)


def test_the_steps_of_a_program_are_one():
    traces = []

    @tf.function
    def run(rows):
        return keras.ops.scan(lambda s, x: (traces.append(1), (s + x, None))[1], tf.zeros(3), rows)[0]

    run(tf.constant(ROWS))
    assert len(traces) == 1


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("f", "init", "given", "kind", "text"),
    [
        (3, 0.0, {"xs": ROWS}, TypeError, "scan: f must be callable (f=3)."),
        (
            lambda s, x: (s, x),
            0.0,
            {},
            ValueError,
            "scan: the number of steps is not clear (xs=None, length=None); all tensors of xs have one first axis, as long "
            "as `length` where that is given.",
        ),
        (
            lambda s, x: (s, x),
            0.0,
            {"xs": ROWS, "length": 3},
            ValueError,
            "scan: the number of steps is not clear (xs=float32(4, 3), length=3); all tensors of xs have one first axis, as "
            "long as `length` where that is given.",
        ),
        (
            lambda s, x: s,
            0.0,
            {"xs": ROWS},
            TypeError,
            "scan: f must give the next state and a result (given=float32()); a result may be None.",
        ),
        (
            lambda s, x: ([s, s], None),
            0.0,
            {"xs": ROWS},
            ValueError,
            "scan: f changes the structure of the state (before=float32(), after=[float32(), float32()]).",
        ),
    ],
)
def test_what_it_refuses(compiled, f, init, given, kind, text):
    def run():
        return keras.ops.scan(f, tf.constant(init), **given)

    with pytest.raises(kind) as caught:
        (tf.function(run) if compiled else run)()
    assert str(caught.value) == text


@pytest.mark.parametrize("compiled", [False, True])
def test_a_state_that_changes_its_dtype(compiled):
    def run():
        return keras.ops.scan(lambda s, x: (tf.cast(s, tf.float64), None), tf.constant(0.0), ROWS)

    with pytest.raises(TypeError, match=r"dtype changes|changes a dtype"):
        (tf.function(run) if compiled else run)()
