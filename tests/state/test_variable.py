"""Variables: what they promise, sparse updates, reads of rows, slices, and what does not fit."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import tensorsmith as tf

START = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float32")
AT = np.array([2, 0, 2])
ROWS = np.array([[10.0, 20.0], [30.0, 40.0], [2.0, 4.0]], "float32")


def slices(values: Any, indices: Any) -> tf.IndexedSlices:
    return tf.IndexedSlices(tf.constant(values), tf.constant(indices, "int32"))


def in_turn(join: Any) -> np.ndarray:
    """What one update after another gives."""
    result = START.copy()
    for at, row in zip(AT, ROWS, strict=True):
        result[at] = join(result[at], row)
    return result


JOINS: dict[str, Any] = {
    "update": lambda old, new: new, "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
    "max": np.maximum, "min": np.minimum,
}  # fmt: skip


@pytest.mark.parametrize("how", JOINS)
def test_rows_are_updated_eagerly_and_compiled(how: str) -> None:
    eager, compiled = tf.Variable(START), tf.Variable(START)
    assert getattr(eager, f"scatter_{how}")(slices(ROWS, AT)).ref() == eager.ref()

    @tf.function
    def step(rows: Any, at: Any) -> None:
        getattr(compiled, f"scatter_{how}")(tf.IndexedSlices(rows, at))

    step(tf.constant(ROWS), tf.constant(AT))
    np.testing.assert_allclose(eager.numpy(), in_turn(JOINS[how]), rtol=1e-6)
    np.testing.assert_allclose(compiled.numpy(), in_turn(JOINS[how]), rtol=1e-6)


@pytest.mark.parametrize("how", ["update", "add", "sub", "max", "min"])
def test_elements_are_updated(how: str) -> None:
    variable = tf.Variable(START)
    getattr(variable, f"scatter_nd_{how}")([[2, 1], [0, 0]], [9.0, -9.0])
    expected = START.copy()
    for at, new in (((2, 1), 9.0), ((0, 0), -9.0)):
        expected[at] = JOINS[how](expected[at], np.float32(new))
    assert variable.numpy().tolist() == expected.tolist()


def test_rows_of_each_batch_are_updated() -> None:
    start = np.arange(24.0, dtype="float32").reshape(2, 3, 4)
    indices, rows = np.array([[2, 0], [1, 2]]), np.arange(16.0, dtype="float32").reshape(2, 2, 4) + 100
    variable = tf.Variable(start)
    variable.batch_scatter_update(slices(rows, indices))
    expected = start.copy()
    for batch in range(2):
        expected[batch, indices[batch]] = rows[batch]
    assert variable.numpy().tolist() == expected.tolist()


def test_rows_and_elements_are_read_eagerly_compiled_and_under_a_tape() -> None:
    variable = tf.Variable(START)

    @tf.function
    def read(at: Any) -> Any:
        return variable.sparse_read(at), variable.gather_nd(tf.stack([at, at * 0 + 1], -1))

    for rows, elements in (read(tf.constant(AT)), read.python_function(tf.constant(AT))):
        assert rows.numpy().tolist() == START[AT].tolist()
        assert elements.numpy().tolist() == START[AT, 1].tolist()
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(variable.sparse_read(AT))
    assert tape.gradient(total, variable).numpy().tolist() == [[1, 1], [0, 0], [2, 2]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="place is out of range"):
        variable.sparse_read([3])


def test_sparse_updates_take_indexed_slices_only() -> None:
    with pytest.raises(
        TypeError, match=r"^weights\.scatter_add: sparse_delta must be a tf\.IndexedSlices, not \[1\.0\]"
    ):
        tf.Variable(START, name="weights").scatter_add([1.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="place is out of range"):
        tf.Variable(START).scatter_update(slices([[1.0, 1.0]], [3]))


def test_counting_stops_at_the_limit() -> None:
    counter = tf.Variable(3)
    assert [counter.count_up_to(5).numpy() for _ in range(2)] == [3, 4]
    with pytest.raises(tf.errors.OutOfRangeError, match=r"count_up_to: the limit is reached \(limit=5\)\.$"):
        counter.count_up_to(5)
    assert counter.numpy() == 5
    with pytest.raises(tf.errors.InvalidArgumentError, match="not known while a program is traced"):
        tf.function(lambda: counter.count_up_to(9))()


def test_sums_are_not_broadcast() -> None:
    variable = tf.Variable([1.0, 2.0], name="bias")
    for delta in (1.0, [[1.0, 1.0]]):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"^bias\.assign_add: the value has another shape"):
            variable.assign_add(delta)
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"^bias\.assign_sub: the value has another shape"):
            variable.assign_sub(delta)
    assert variable.assign_add([1.0, 1.0]).ref() == variable.ref()
    assert variable.assign([1.0, 1.0], read_value=False) is None
    assert variable.assign_add([1.0, 1.0], read_value=False) is None
    assert variable.numpy().tolist() == [2, 2]


def test_the_static_shape_is_wider_or_narrowed() -> None:
    variable = tf.Variable([1.0], shape=[None])
    variable.assign([1.0, 2.0])
    assert variable.shape == [None]
    variable.set_shape([2])
    assert variable.shape == [2]
    with pytest.raises(ValueError, match="are not compatible"):
        variable.set_shape([3])
    with pytest.raises(
        ValueError, match=r"^tf\.Variable: the initial value is not of the given shape \(initial_value=\(2,\)"
    ):
        tf.Variable([1.0, 2.0], shape=[3])


def test_what_a_variable_promises_on_several_devices() -> None:
    plain = tf.Variable(1.0)
    assert plain.synchronization is tf.VariableSynchronization.AUTO
    assert plain.aggregation is tf.VariableAggregation.NONE
    assert plain.trainable
    assert plain.is_initialized()
    assert plain.initializer is None
    on_read = tf.Variable(1.0, synchronization=tf.VariableSynchronization.ON_READ, aggregation="sum")
    assert not on_read.trainable
    assert on_read.aggregation is tf.VariableAggregation.SUM
    with pytest.raises(ValueError, match=r"cannot be trainable\.$"):
        tf.Variable(1.0, trainable=True, synchronization=tf.VariableSynchronization.ON_READ)
    with pytest.raises(
        ValueError, match=r"^tf\.Variable: aggregation must be one of VariableAggregation\.NONE, .*not 'x'"
    ):
        tf.Variable(1.0, aggregation="x")


def test_what_assigning_gives_is_the_variable_itself_under_another_name() -> None:
    variable = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="matrix")
    unread = variable.assign(variable * 2)
    assert repr(unread) == repr(variable).replace("matrix:0", "UnreadVariable")
    assert "UnreadVariable" in repr(variable[0, 1].assign(9.0))
    assert unread.numpy().tolist() == [[2, 9], [6, 8]] and (unread.shape, unread.trainable) == ((2, 2), True)
    assert unread.assign_add(unread).numpy().tolist() == variable.numpy().tolist() == [[4, 18], [12, 16]]
    for read, asked in ((unread, variable), (variable, unread), (unread, unread)):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(read * read)
        assert tape.gradient(loss, asked).numpy().tolist() == [[8, 36], [24, 32]]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(variable * variable)
        variable.assign(variable + 0.0)
    assert tape.gradient(loss, unread).numpy().tolist() == [[8, 36], [24, 32]]
    constant = tf.Variable(3.0, trainable=False)
    with tf.GradientTape() as tape:
        tape.watch(constant.assign(4.0))
        loss = constant * constant
    assert float(tape.gradient(loss, constant)) == 8

    add = tf.function(lambda: unread.assign_add(tf.ones([2, 2])) + 0.0)
    assert add().numpy().tolist() == variable.numpy().tolist() == [[5, 19], [13, 17]]
    unread.trainable = False
    assert not variable.trainable
    copied = copy.deepcopy(unread)
    copied.assign(tf.zeros([2, 2]))
    assert variable.numpy().tolist() == [[5, 19], [13, 17]]


class Kept(tf.Module):
    """Makes its variables when it is first called, from what it is called with."""

    def __init__(self) -> None:
        super().__init__()
        self.mean: Any = None

    def of(self, x: Any) -> Any:
        if self.mean is None:
            self.mean = tf.Variable(tf.reduce_mean(x, 0))
            self.double = tf.Variable(self.mean * 2)
            self.noise = tf.Variable(tf.random.normal([x.shape[-1], 3]))
        return x - self.mean

    traced = tf.function(of)
    signed = tf.function(of, input_signature=[tf.TensorSpec([None, 2])])


@pytest.mark.parametrize("how", ["traced", "signed", "inside another"])
def test_a_variable_starts_from_what_the_first_call_gives(how: str) -> None:
    kept = Kept()
    outer = tf.function(lambda x: kept.traced(x * 3) if how == "inside another" else None)
    call = outer if how == "inside another" else getattr(kept, how)
    factor = 3 if how == "inside another" else 1
    np.testing.assert_allclose(call(START), factor * (START - START.mean(0)), rtol=1e-6)
    np.testing.assert_allclose(kept.mean, factor * START.mean(0))
    np.testing.assert_allclose(kept.double, 2 * factor * START.mean(0))
    assert kept.noise.shape == (2, 3)
    assert np.unique(kept.noise).size == 6
    noise = kept.noise.numpy()
    # later calls use what is there
    np.testing.assert_allclose(call(2 * START), factor * (2 * START - START.mean(0)), rtol=1e-6)
    np.testing.assert_array_equal(kept.noise, noise)


def test_a_variable_starts_from_what_was_assigned_before_it() -> None:
    count, made = tf.Variable(10.0), []

    @tf.function
    def step(x: Any) -> Any:
        count.assign_add(1.0)
        if not made:
            made.append(tf.Variable(count + x))
        return made[0]

    assert step(tf.constant(5.0)).numpy() == 16
    assert count.numpy() == 11  # the trace that made the variable ran nothing


def test_a_variable_needs_a_value_that_is_known() -> None:
    kept = Kept()
    with pytest.raises(
        ValueError, match=r"^tf.Variable: it cannot start from a symbolic tensor whose value is not known"
    ):
        kept.signed.get_concrete_function()  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="whose value is not known"):
        tf.function(lambda n: tf.while_loop(lambda i: i < n, lambda i: tf.Variable(i) + 1, [0]))(tf.constant(3))


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "**"])
def test_a_name_stays_a_variable(sign: str) -> None:
    v = tf.Variable(2.0)
    with pytest.raises(
        RuntimeError, match=rf"^Variable: a variable has no {sign.replace('*', '[*]').replace('+', '[+]')}="
    ):
        exec(f"v {sign}= 1.0", {"v": v})
    assert v.numpy() == 2


def test_a_variable_in_a_text() -> None:
    v = tf.Variable(2.0)
    assert f"{v}" == str(v) == "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=2.0>"
    assert f"{v:.2f}" == "2.00"
