"""Tables that change against Python's dicts, at once and in programs."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tensorsmith as tf

BAD = tf.errors.InvalidArgumentError
Mutable, Dense = tf.lookup.experimental.MutableHashTable, tf.lookup.experimental.DenseHashTable
KEYS = st.lists(st.integers(1, 9), min_size=1, max_size=4)
STEPS = st.lists(st.tuples(st.sampled_from(["insert", "remove", "lookup"]), KEYS), max_size=6)


def tables(kind):
    """A table of numbers, a table of strings, and what makes their keys of numbers."""
    if kind is Mutable:
        return [(Mutable(tf.int64, tf.float32, -1.0), int), (Mutable(tf.string, tf.float32, -1.0), str)]
    return [(Dense(tf.int64, tf.float32, -1.0, 0, -5), int), (Dense(tf.string, tf.float32, -1.0, "", "$"), str)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([Mutable, Dense]), STEPS)
def test_they_do_what_a_dict_does(kind, steps):
    for table, key in tables(kind):
        own, count = {}, 0
        for what, numbers in steps:
            keys = list(map(key, numbers))
            if what == "insert":
                values = [float(count + at) for at in range(len(keys))]
                table.insert(keys, values)
                own.update(zip(keys, values))
                count += len(keys)
            elif what == "remove":
                table.remove(keys)
                own = {k: v for k, v in own.items() if k not in keys}
            else:
                found = table.lookup(keys).numpy().tolist()
                assert found == [own.get(k, -1) for k in keys]
            assert int(table.size()) == len(own)
        keys, values = table.export()
        plain = [k.decode() if isinstance(k, bytes) else k for k in keys.numpy().tolist()]
        assert dict(zip(plain, values.numpy().tolist())) == own and keys.dtype == table.key_dtype


def test_shapes_follow_the_keys():
    table = Mutable(tf.string, tf.int64, -1)
    table.insert("a", 1)
    table.insert([["b"], ["c"]], [[2], [3]])
    assert table.lookup("a").numpy() == 1 and table.lookup([["c", "z"]]).numpy().tolist() == [[3, -1]]
    assert table[tf.ragged.constant([["a"], [], ["b", "q"]])].to_list() == [[1], [], [2, -1]]
    sparse = table.lookup(tf.sparse.from_dense([["a", ""], ["", "c"]]))
    assert tf.sparse.to_dense(sparse).numpy().tolist() == [[1, 0], [0, 3]]
    others = table.lookup(["a", "x", "y"], dynamic_default_values=[7, 8, 9])
    assert others.numpy().tolist() == [1, 8, 9] and table.lookup(["x"], dynamic_default_values=5).numpy().tolist() == [
        5
    ]
    assert table.key_dtype == tf.string and table.value_dtype == tf.int64


def test_vectors_as_values_and_as_keys():
    table = Mutable(tf.string, tf.float32, [0.0, -1.0])
    assert [part.shape for part in table.export()] == [(0,), (0, 2)]
    table.insert(["a", "b"], [[1.0, 2.0], [3.0, 4.0]])
    assert table.lookup(["b", "z"]).numpy().tolist() == [[3, 4], [0, -1]] and table.lookup([["a"]]).shape == (1, 1, 2)
    assert table.export()[1].numpy().tolist() == [[1, 2], [3, 4]]
    pairs = Dense(tf.int64, tf.string, "?", empty_key=[0, 0], deleted_key=[-1, -1])
    pairs.insert_or_assign([[1, 2], [3, 4]], ["x", "y"])
    assert pairs.lookup([[[3, 4]], [[5, 6]]]).numpy().tolist() == [[b"y"], [b"?"]]
    pairs.erase([[1, 2]])
    assert int(pairs.size()) == 1 and pairs.export()[0].numpy().tolist() == [[3, 4]]


@pytest.mark.parametrize("kind", [Mutable, Dense])
def test_in_a_program_they_are_used_in_order(kind):
    for table, key in tables(kind):
        cast = tf.strings.as_string if key is str else (lambda k: tf.cast(k, tf.int64))

        @tf.function
        def f(n, table=table, cast=cast):
            for i in tf.range(1, n):
                table.insert(cast(i), tf.cast(i * i, tf.float32))
                if i % 2 == 0:
                    table.remove(cast(i)[None])
            asked = table.lookup(cast(tf.range(1, 4)))
            asked.set_shape([3])
            return asked, table.size(), table.export()

        for n in (4, 6):
            found, size, (keys, values) = f(tf.constant(n))
            assert found.numpy().tolist() == [1, -1, 9] and int(size) == n // 2
            assert values.numpy().tolist() == [i * i for i in range(1, n, 2)]
            assert keys.numpy().tolist() == [key(i).encode() if key is str else i for i in range(1, n, 2)]
        assert int(table.size()) == 3


def test_in_a_program_shapes_are_known():
    table = Mutable(tf.int64, tf.float32, [0.0, 0.0, 0.0])
    shapes = []

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.int64)])
    def f(keys):
        found = table.lookup(keys)
        shapes.append((found.shape, table.size().shape, *(part.shape for part in table.export())))
        return found

    assert f(tf.constant(np.ones((4, 2), "int64"))).shape == (4, 2, 3)
    assert shapes == [((None, 2, 3), (), (None,), (None, 3))]


def test_a_table_of_weights_under_a_tape():
    table, v = Mutable(tf.string, tf.float32, 2.0), tf.Variable(3.0)

    @tf.function
    def f(word):
        weight = table.lookup(word)
        table.insert(word, weight * 10.0)
        return v * v * weight

    with tf.GradientTape() as tape:
        y = f(tf.constant("a"))
    assert y.numpy() == 18 and tape.gradient(y, v).numpy() == 12 and table.lookup("a").numpy() == 20


def test_threads_lose_nothing():
    table = Mutable(tf.int64, tf.int64, -1)

    def put(first):
        for at in range(0, 60, 3):
            table.insert([first + at, first + at + 1, first + at + 2], [first] * 3)

    threads = [threading.Thread(target=put, args=(k * 100,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert int(table.size()) == 240 and table.lookup([305, 12]).numpy().tolist() == [300, 0]


WHO = "lookup.experimental."
pairs = {"empty_key": [0, 0], "deleted_key": [-1, -1]}


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: Mutable(tf.string, tf.int64, -1).insert(["a", "b"], [1]), BAD,
         "MutableHashTable: there must be one value for each key (values=(1,), needed=(2,))."),
        (lambda: Mutable(tf.string, tf.float32, [0.0, 0.0]).insert(["a"], [1.0]), BAD,
         "MutableHashTable: there must be one value for each key (values=(1,), needed=(1, 2))."),
        (lambda: Mutable(tf.string, tf.float32, [[0.0]]), BAD,
         "MutableHashTable: a value is a scalar or a vector (default_value=(1, 1))."),
        (lambda: Mutable(tf.float32, tf.float32, 0.0), TypeError,
         "MutableHashTable: keys are strings or integers (key_dtype=float32)."),
        (lambda: Mutable(tf.string, tf.int64, -1).lookup(["a", "b"], [1]), BAD,
         "MutableHashTable: the defaults do not fit the keys (defaults=(1,), needed=() or (2,))."),
        (lambda: Dense(tf.int64, tf.int64, -1, 0, 0), BAD,
         "DenseHashTable: the reserved keys are one and the same (empty_key=0, deleted_key=0)."),
        (lambda: Dense(tf.int64, tf.int64, -1, [0, 0], [1]), BAD,
         "DenseHashTable: the reserved keys must both be scalars, or vectors of one length "
         "(empty_key=[0, 0], deleted_key=[1])."),
        (lambda: Dense(tf.int64, tf.int64, -1, 0, 1, initial_num_buckets=2), BAD,
         "DenseHashTable: the buckets must be a power of 2, at least 4 (initial_num_buckets=2)."),
        (lambda: Dense(tf.int64, tf.int64, -1, 0, 1, initial_num_buckets=6), BAD,
         "DenseHashTable: the buckets must be a power of 2, at least 4 (initial_num_buckets=6)."),
        (lambda: Dense(tf.int64, tf.int64, -1, 0, 7).insert([1, 0], [1, 1]), BAD,
         "DenseHashTable: the empty_key is no key (key=0)."),
        (lambda: Dense(tf.int64, tf.int64, -1, 0, 7).lookup(7), BAD, "DenseHashTable: the deleted_key is no key (key=7)."),
        (lambda: Dense(tf.int64, tf.int64, -1, **pairs).remove([[-1, -1]]), BAD,
         "DenseHashTable: the deleted_key is no key (key=(-1, -1))."),
        (lambda: Dense(tf.int64, tf.int64, -1, **pairs).lookup([1, 2, 3]), BAD,
         "DenseHashTable: the last axis must hold a key (keys=(3,), key=(2,))."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == WHO + text


@pytest.mark.parametrize("use", [lambda t: t.insert(tf.constant([1]), [1]), lambda t: t.lookup(tf.constant([1])),
                                 lambda t: t.insert(["a"], tf.constant([1])), lambda t: t.remove(tf.constant([1]))])  # fmt: skip
def test_other_dtypes_are_refused(use):
    with pytest.raises(ValueError, match="Tensor conversion requested dtype"):
        use(Mutable(tf.string, tf.int64, -1))


def test_in_a_program_shapes_are_checked_when_they_are_known():
    table = Mutable(tf.int64, tf.int64, -1)
    with pytest.raises(BAD, match="there must be one value for each key"):
        tf.function(lambda: table.insert([1, 2], [1])).get_concrete_function()
    f = tf.function(lambda k, v: table.insert(k, v), input_signature=[tf.TensorSpec([None], tf.int64)] * 2)
    f(tf.constant([1], tf.int64), tf.constant([2], tf.int64))
    with pytest.raises(BAD, match="there must be one value for each key"):
        f(tf.constant([1], tf.int64), tf.constant([2, 3], tf.int64))
    assert table.lookup(1).numpy() == 2
