"""Datasets give what lists of their elements give, eager and as loops of programs."""

from __future__ import annotations

import itertools

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import tensorsmith as tf

Dataset = tf.data.Dataset
X = np.arange(21, dtype=np.float32).reshape(7, 3)
Y = np.arange(7, dtype=np.int32) * 10


def plain(value):
    return tf.nest.map_structure(lambda leaf: np.asarray(leaf).tolist(), value)


def elements(dataset):
    return [plain(element) for element in dataset]


def batches(rows, size, drop=False):
    found = [rows[at : at + size] for at in range(0, len(rows), size)]
    return [b for b in found if len(b) == size or not drop]


def test_slices_of_tuples_and_dicts():
    assert elements(Dataset.from_tensor_slices(X)) == X.tolist()
    assert elements(Dataset.from_tensor_slices([1, 2])) == [1, 2]
    assert elements(Dataset.from_tensor_slices((X, Y))) == list(zip(X.tolist(), Y.tolist()))
    dataset = Dataset.from_tensor_slices({"a": X, "b": (Y, Y)})
    assert elements(dataset)[2] == {"a": X[2].tolist(), "b": (20, 20)}
    assert dataset.element_spec == {"a": tf.TensorSpec([3], tf.float32), "b": (tf.TensorSpec([], tf.int32),) * 2}
    assert elements(Dataset.from_tensor_slices(["a", "bc"])) == [b"a", b"bc"]


@pytest.mark.parametrize("tensors", [1.0, ([1, 2], [1, 2, 3])])
def test_columns_that_do_not_fit_are_refused(tensors):
    with pytest.raises(ValueError, match=r"^Dataset.from_tensor_slices: the columns must have rows, and all as many"):
        Dataset.from_tensor_slices(tensors)


def test_one_element_and_ranges():
    assert elements(Dataset.from_tensors((X, 1))) == [(X.tolist(), 1)]
    for bounds in [(5,), (2, 5), (10, 1, -3), (3, 3)]:
        dataset = Dataset.range(*bounds)
        assert elements(dataset) == list(range(*bounds)) and len(dataset) == len(range(*bounds))
    assert Dataset.range(3).element_spec == tf.TensorSpec([], tf.int64)
    assert [x.dtype for x in Dataset.range(2, output_type=tf.int32)] == [tf.int32] * 2


def test_batches_and_their_specs():
    dataset = Dataset.from_tensor_slices((X, Y)).batch(3)
    assert elements(dataset) == list(zip(batches(X.tolist(), 3), batches(Y.tolist(), 3)))
    assert dataset.element_spec == (tf.TensorSpec([None, 3], tf.float32), tf.TensorSpec([None], tf.int32))
    assert len(dataset) == 3 and dataset.cardinality().numpy() == 3 and dataset.cardinality().dtype == tf.int64
    whole = Dataset.from_tensor_slices(Y).batch(3, drop_remainder=True)
    assert elements(whole) == batches(Y.tolist(), 3, True) and whole.element_spec == tf.TensorSpec([3], tf.int32)
    with pytest.raises(ValueError, match=r"^Dataset.batch: batch_size must be at least 1 \(batch_size=0\)"):
        dataset.batch(0)


def test_map_is_traced_once_and_converted():
    calls = []

    def signed(x, y):
        calls.append(1)
        if y > 20:
            return {"x": x, "y": -y}
        return {"x": x * 2.0, "y": y}

    dataset = Dataset.from_tensor_slices((X, Y)).map(signed, num_parallel_calls=tf.data.AUTOTUNE)
    right = [{"x": (x if y > 20 else x * 2.0).tolist(), "y": int(-y if y > 20 else y)} for x, y in zip(X, Y)]
    assert elements(dataset) == right and elements(dataset) == right
    assert len(calls) == 1
    assert dataset.element_spec == {"x": tf.TensorSpec([3], tf.float32), "y": tf.TensorSpec([], tf.int32)}
    assert elements(Dataset.range(2).map(lambda x: [x, 1])) == [(0, 1), (1, 1)]


def test_map_over_texts():
    lengths = Dataset.from_tensor_slices([b"a", b"bc"]).map(tf.strings.length)
    assert elements(lengths) == [1, 2]


def test_take_skip_repeat_enumerate_zip():
    numbers = Dataset.range(5)
    assert elements(numbers.take(2)) == [0, 1] and elements(numbers.take(-1)) == elements(numbers.take(9)) == list(
        range(5)
    )
    assert elements(numbers.skip(3)) == [3, 4] and elements(numbers.skip(9)) == elements(numbers.skip(-1)) == []
    assert elements(numbers.repeat(2)) == [*range(5), *range(5)] and elements(numbers.repeat(0)) == []
    assert elements(numbers.repeat().take(12)) == list(itertools.islice(itertools.cycle(range(5)), 12))
    assert elements(numbers.skip(3).enumerate(7)) == [(7, 3), (8, 4)]
    assert numbers.enumerate().element_spec == (tf.TensorSpec([], tf.int64),) * 2
    assert elements(Dataset.zip(numbers, numbers.skip(2))) == list(zip(range(5), range(2, 5)))
    assert elements(Dataset.zip((numbers, {"a": numbers})))[1] == (1, {"a": 1})
    assert elements(Dataset.zip(numbers, numbers.repeat())) == list(zip(range(5), range(5)))
    assert list(numbers.take(2).as_numpy_iterator()) == [0, 1]
    assert elements(numbers.apply(lambda d: d.take(1))) == [0]
    with pytest.raises(TypeError, match=r"^Dataset.zip: it takes datasets"):
        Dataset.zip(numbers, [1, 2])


def test_what_has_no_end():
    endless = Dataset.range(3).repeat()
    assert endless.cardinality().numpy() == tf.data.INFINITE_CARDINALITY
    with pytest.raises(TypeError, match="The dataset has no end"):
        len(endless)
    with pytest.raises(ValueError, match=r"^Dataset.reduce: the dataset has no end"):
        endless.reduce(0, lambda total, x: total)
    with pytest.raises(ValueError, match=r"^Dataset.skip: the dataset has no end"):
        endless.skip(1)
    assert bool(endless)


def test_batches_of_batches_and_of_what_has_no_end():
    assert elements(Dataset.range(3).repeat(3).batch(4)) == [
        [0, 1, 2, 0], [1, 2, 0, 1], [2],
    ]  # fmt: skip
    endless = iter(Dataset.range(3).repeat().batch(4))
    assert [plain(next(endless)) for _ in range(2)] == [[0, 1, 2, 0], [1, 2, 0, 1]]
    twice = Dataset.range(8).batch(2).batch(3)
    assert elements(twice) == [[[0, 1], [2, 3], [4, 5]], [[6, 7]]] and len(twice) == 2


def test_reduce():
    total = Dataset.from_tensor_slices((X, Y)).reduce(tf.constant(0.0), lambda s, e: s + tf.reduce_sum(e[0]))
    assert total.numpy() == X.sum()

    def largest(state, x):
        if x > state[0]:
            return x, state[1] + 1
        return state

    result = Dataset.from_tensor_slices([3, 1, 5, 4, 9]).reduce((0, 0), largest)
    assert plain(result) == (9, 3)
    assert Dataset.range(0).reduce(5, lambda s, x: s + 1).numpy() == 5


# ---- loops in programs


def weighted(dataset):
    """A number that hangs on the elements, their order and their sizes."""
    total, count = tf.constant(0.0), 0
    for x, y in dataset:
        total = total * 1.5 + tf.reduce_sum(x) + 0.5 * tf.reduce_sum(tf.cast(y, tf.float32))
        count += 1
    return total, count


def left_early(dataset):
    total = tf.constant(0.0)
    for x, _ in dataset:
        if total > 60.0:
            break
        if tf.reduce_sum(x) < 4.0:
            continue
        total += tf.reduce_sum(x)
    else:
        total = total + 1000.0
    return total


def returned_early(dataset):
    for i, (x, _) in enumerate(dataset):
        if tf.reduce_sum(x) > 40.0:
            return i
    return tf.constant(-1)


def numbered(dataset):
    total = 0
    for i, (_, y) in enumerate(dataset, start=2):
        total = total * 2 + i * tf.reduce_max(y)
    return total


def beside_a_tensor(dataset):
    total = tf.constant(0.0)
    for k, (x, _) in zip(tf.range(1, 9), dataset):
        total += tf.cast(k, tf.float32) * tf.reduce_sum(x)
    return total


def backwards(dataset):
    total = tf.constant(0.0)
    for x, _ in reversed(list(dataset)) if tf.executing_eagerly() else reversed(dataset):
        total = total * 2.0 + tf.reduce_sum(x)
    return total


def seen_last(dataset):
    last = tf.zeros([1, 3])
    for x, _ in dataset:
        last = x
    return tf.reduce_sum(last), tf.shape(last)[0]


BASE = Dataset.from_tensor_slices((X, Y))
DATASETS = {
    "slices": BASE,
    "batches": BASE.batch(3),
    "whole batches": BASE.batch(3, drop_remainder=True),
    "one short batch": BASE.batch(10),
    "even batches": BASE.take(6).batch(2),
    "mapped": BASE.map(lambda x, y: (x * 2.0, y + 1)),
    "mapped batches": BASE.batch(4).map(lambda x, y: (x * 2.0, y + 1)),
    "batches of mapped": BASE.map(lambda x, y: (x * 2.0, y + 1)).batch(2),
    "repeated": BASE.repeat(3),
    "repeated batches": BASE.batch(3).repeat(3),
    "a part of repeated batches": BASE.batch(3).repeat(4).skip(2).take(7),
    "zipped": Dataset.zip(BASE.map(lambda x, y: x), BASE.map(lambda x, y: y).skip(1)),
    "zipped batches": Dataset.zip(BASE.map(lambda x, y: x).batch(3), BASE.map(lambda x, y: y).repeat(2).batch(4)),
}


LOOPS = [weighted, left_early, returned_early, numbered, beside_a_tensor, backwards, seen_last]
# the state of the last one is a batch
PAIRS = [(f, n) for f in LOOPS for n in DATASETS if f is not seen_last or "batch" in n]


@pytest.mark.parametrize(("function", "name"), PAIRS, ids=[f"{f.__name__} {n}" for f, n in PAIRS])
def test_a_loop_of_a_program_is_the_loop_of_python(function, name):
    dataset = DATASETS[name]
    right, result = function(dataset), tf.function(lambda: function(dataset))()
    for a, b in zip(tf.nest.flatten(right), tf.nest.flatten(result)):
        np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=1e-5)


def test_the_body_is_traced_once_for_each_form():
    traced = []

    @tf.function
    def total(dataset):
        s = tf.constant(0.0)
        for x, _ in dataset:
            traced.append(x.shape)
            s += tf.reduce_sum(x)
        return s

    assert total(BASE.take(6).batch(2)).numpy() == X[:6].sum() and set(traced) == {(2, 3)}
    traced.clear()
    assert total(BASE.batch(3)).numpy() == X.sum() and set(traced) == {(3, 3), (1, 3)}
    traced.clear()
    assert total(BASE.batch(3).repeat(50)).numpy() == X.sum() * 50 and set(traced) == {(3, 3), (1, 3)}


def test_an_endless_loop_is_left():
    @tf.function
    def until(limit):
        total, count = tf.constant(0, tf.int64), 0
        for x in Dataset.range(4).repeat():
            if total >= limit:
                break
            total += x
            count += 1
        return total, count

    assert plain(until(tf.constant(20, tf.int64))) == (21, 15)


def test_gradients_through_a_loop_over_batches():
    w = tf.Variable([1.0, -2.0, 0.5])

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            loss = tf.constant(0.0)
            for x, y in BASE.batch(3):
                error = tf.linalg.matvec(x, w) - tf.cast(y, tf.float32)
                loss += tf.reduce_sum(error * error)
        return tape.gradient(loss, w)

    right = 2.0 * X.T @ (X @ w.numpy() - Y)
    np.testing.assert_allclose(gradient().numpy(), right, rtol=1e-5)


def test_what_only_python_can_iterate_is_refused_in_a_function():
    dataset = Dataset.range(8).batch(3).batch(2)
    with pytest.raises(TypeError, match=r"^Iterated: a traced function cannot loop over it"):
        tf.function(lambda: dataset.reduce(0, lambda s, x: s))()


class Squares(tf.data.Dataset):
    """A stage of a user's own."""

    @property
    def element_spec(self):
        return tf.TensorSpec([], tf.int32)

    def __iter__(self):
        return (tf.constant(i * i) for i in range(4))

    def _size(self):
        return 4


def test_a_stage_of_ones_own():
    assert elements(Squares()) == [0, 1, 4, 9]
    squares = Squares()
    assert elements(squares.batch(3)) == [[0, 1, 4], [9]] and len(squares.batch(3, drop_remainder=True)) == 1
    assert elements(squares.map(lambda x: -x).take(3).skip(1)) == [-1, -4]
    assert elements(squares.repeat(2)) == [0, 1, 4, 9] * 2 and len(squares.repeat(2)) == 8
    assert elements(squares.enumerate(1))[:2] == [(1, 0), (2, 1)]
    assert elements(Dataset.zip(squares, Dataset.range(3))) == [(0, 0), (1, 1), (4, 2)]
    assert squares.repeat().cardinality().numpy() == tf.data.INFINITE_CARDINALITY
    with pytest.raises(TypeError, match=r"^Squares: a traced function cannot loop over it"):
        tf.function(lambda: squares.reduce(0, lambda s, x: s + x))()


@hypothesis.settings(max_examples=40, deadline=None, database=None)
@hypothesis.given(st.data())
def test_stages_do_what_lists_do(data):
    count = data.draw(st.integers(0, 9))
    dataset, rows = Dataset.range(count), list(range(count))
    batched = False
    for _ in range(data.draw(st.integers(0, 5))):
        stage, n = data.draw(st.sampled_from(["take", "skip", "repeat", "batch", "map"])), data.draw(st.integers(0, 5))
        if stage == "batch":
            if batched:
                # a traced function loops over batches of batches only where all are full
                continue
            batched = True
            dataset, rows = dataset.batch(n + 1), batches(rows, n + 1)
        elif stage == "map":
            dataset = dataset.map(lambda x: x + 1)
            rows = [[v + 1 for v in row] if isinstance(row, list) else row + 1 for row in rows]
        elif stage == "repeat":
            n = n % 3
            dataset, rows = dataset.repeat(n), rows * n
        else:
            dataset, rows = getattr(dataset, stage)(n), rows[:n] if stage == "take" else rows[n:]
    assert elements(dataset) == rows and len(dataset) == len(rows)
    flat = [v for row in rows for v in (row if isinstance(row, list) else [row])]
    result = dataset.reduce(tf.constant(0, tf.int64), lambda s, x: s * 3 + tf.reduce_sum(x))
    right = 0
    for row in rows:
        right = right * 3 + (sum(row) if isinstance(row, list) else row)
    # int64 wraps around
    assert result.numpy() == (right + 2**63) % 2**64 - 2**63, flat
