"""Lookup tables against Python's dicts, and FarmHash for what is not in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tensorsmith as tf
from tensorsmith.program.execute import on_numpy
from tensorsmith.structures.hashing import farm_fingerprint

lookup = tf.lookup
numbers = st.integers(-(2**63), 2**63 - 1)


def strings(values):
    return tf.constant(values, tf.string, shape=(len(values),))


def longs(values):
    return tf.constant(np.array(values, "int64"))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(max_size=2), numbers, max_size=5), st.lists(st.text(max_size=2), max_size=5))
def test_strings_are_found_as_in_a_dict(pairs, asked):
    keys = list(pairs)
    table = lookup.StaticHashTable(lookup.KeyValueTensorInitializer(strings(keys), longs(list(pairs.values()))), -7)
    assert table.lookup(strings(keys + asked)).numpy().tolist() == [pairs.get(k, -7) for k in keys + asked]
    assert int(table.size()) == len(pairs)
    exported = [part.numpy().tolist() for part in table.export()]
    assert dict(zip(*exported)) == {k.encode(): v for k, v in pairs.items()}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(numbers, st.integers(0, 9), max_size=5), st.lists(numbers, max_size=4), st.integers(1, 4))
def test_ids_of_unknown_keys_are_behind_the_known_ones(pairs, asked, buckets):
    keys = list(pairs)
    ids = lookup.KeyValueTensorInitializer(longs(keys), longs(list(pairs.values())))
    table = lookup.StaticVocabularyTable(ids, buckets)
    found = table.lookup(longs(keys + asked))
    expected = [
        pairs[k] if k in pairs else farm_fingerprint(str(k).encode()) % buckets + len(pairs) for k in keys + asked
    ]
    assert found.dtype == tf.int64 and found.numpy().tolist() == expected
    assert int(table.size()) == len(pairs) + buckets


def test_a_table_of_numbers_is_compiled():
    table = lookup.StaticHashTable(lookup.KeyValueTensorInitializer([5, 1, 3], [0.5, 0.1, 0.3]), -1.0)
    traced = tf.function(lambda x: table.lookup(x) * 2.0)
    keys = tf.constant([[1, 2], [5, 3]])
    np.testing.assert_allclose(traced(keys), [[0.2, -2.0], [1.0, 0.6]], rtol=1e-6)
    assert not on_numpy(traced.get_concrete_function(keys)._program)
    words = lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["a"], [1]), 0)
    assert tf.function(words.lookup)(tf.constant(["a", "b"])).numpy().tolist() == [1, 0]
    assert table.key_dtype == tf.int32 and table.value_dtype == tf.float32 and table.default_value.numpy() == -1.0


def test_ragged_and_sparse_keys():
    table = lookup.StaticVocabularyTable(lookup.KeyValueTensorInitializer(["a", "b"], longs([0, 1])), 1)
    ragged = tf.ragged.constant([["a"], [], ["b", "q"]])
    assert table.lookup(ragged).to_list() == table[ragged].to_list() == [[0], [], [1, 2]]
    assert tf.sparse.to_dense(table.lookup(ragged.to_sparse())).numpy().tolist() == [[0, 0], [0, 0], [1, 2]]
    numbered = lookup.StaticVocabularyTable(None, 5, lookup_key_dtype=tf.int64)
    assert numbered.lookup(longs([12])).numpy().tolist() == [farm_fingerprint(b"12") % 5]
    only = lookup.StaticVocabularyTable(None, 5)
    assert only.lookup(tf.constant("zz")).numpy() == farm_fingerprint(b"zz") % 5
    narrow = lookup.KeyValueTensorInitializer(longs([10]), longs([0]))
    found = lookup.StaticVocabularyTable(narrow, 1, lookup_key_dtype=tf.int32).lookup(tf.constant([10, 11]))
    assert found.numpy().tolist() == [0, 1]


def test_text_files(tmp_path):
    path, index = tmp_path / "words.txt", lookup.TextFileIndex
    path.write_bytes(b"emerson 10\nlake 20\r\npalmer 30\n")

    def table(*places, default=-1, **more):
        return lookup.StaticHashTable(lookup.TextFileInitializer(str(path), *places, **more), default)

    columns = table(tf.string, 0, tf.int64, 1, delimiter=" ")
    assert columns.lookup(tf.constant(["palmer", "emerson", "q"])).numpy().tolist() == [30, 10, -1]
    lines = table(tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER, value_index_offset=2)
    assert lines.lookup(tf.constant(["lake 20", "lake"])).numpy().tolist() == [3, -1]
    named = table(tf.int64, index.LINE_NUMBER, tf.string, index.WHOLE_LINE, default="?", vocab_size=2)
    assert named.lookup(longs([0, 2])).numpy().tolist() == [b"emerson 10", b"?"] and int(named.size()) == 2
    bad = tf.errors.InvalidArgumentError
    with pytest.raises(bad, match=r"a line has too few columns \(filename=.*, line=0, columns=2, needed=6\)"):
        table(tf.string, 0, tf.int64, 5, delimiter=" ")
    with pytest.raises(bad, match=r"the file has fewer lines than vocab_size .*lines=3, vocab_size=9"):
        table(tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER, vocab_size=9)
    with pytest.raises(bad, match=r"a string is no number .string=b'emerson'"):
        table(tf.string, 1, tf.int64, 0, delimiter=" ")
    with pytest.raises(ValueError, match=r"line numbers are int64 .key_dtype=string"):
        table(tf.string, index.LINE_NUMBER, tf.int64, 0)
    with pytest.raises(ValueError, match=r"there is no such column .value_index=-3"):
        table(tf.string, 0, tf.int64, -3)
    prices = table(tf.string, 0, tf.float32, 1, delimiter=" ", default=-1.0)
    assert prices.lookup(tf.constant(["lake", "x"])).numpy().tolist() == [20, -1]
    path.write_bytes(b"a\tx\t1\nb\ty\t2")  # tabs, and no line break at the end
    third = table(tf.string, 1, tf.int64, 2)
    assert third.lookup(tf.constant(["y", "x", "a"])).numpy().tolist() == [2, 1, -1] and int(third.size()) == 2
    shifted = table(tf.string, 0, tf.int64, 2, value_index_offset=9)  # of line numbers alone
    assert shifted.lookup(tf.constant(["a"])).numpy().tolist() == [1]
    path.write_bytes(b"a\n\nb\n")
    with pytest.raises(bad, match=r"a line is empty .*line=1"):
        table(tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER)
    path.write_bytes(b"a\na\n")
    with pytest.raises(tf.errors.FailedPreconditionError, match=r"a key has two values .key=b'a', values=.0, 1."):
        table(tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER)
    path.unlink()
    with pytest.raises(tf.errors.NotFoundError, match="there is no such file"):
        table(tf.string, 0, tf.int64, 1)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["a", "a"], [1, 2]), -1),
         tf.errors.FailedPreconditionError, "StaticHashTable: a key has two values (key=b'a', values=[1, 2])."),
        (lambda: lookup.KeyValueTensorInitializer(["a", "b"], [1]), tf.errors.InvalidArgumentError,
         "KeyValueTensorInitializer: keys and values differ in shape (keys=(2,), values=(1,))."),
        (lambda: lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["a"], [1]), [1, 2]), ValueError,
         "StaticHashTable: the default is no scalar (default_value=[1, 2])."),
        (lambda: lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["a"], [1]), 0).lookup(tf.constant([1])),
         TypeError, "StaticHashTable: the keys have another dtype (given=int32, needed=string)."),
        (lambda: lookup.StaticVocabularyTable(None, 0), ValueError,
         "StaticVocabularyTable: there must be at least one bucket (num_oov_buckets=0). A StaticHashTable has none."),
        (lambda: lookup.StaticVocabularyTable(lookup.KeyValueTensorInitializer(["a"], [0]), 1), TypeError,
         "StaticVocabularyTable: ids are int64 (value_dtype=int32)."),
        (lambda: lookup.StaticVocabularyTable(lookup.KeyValueTensorInitializer(["a"], longs([0])), 1, tf.int64), TypeError,
         "StaticVocabularyTable: the keys must be all strings or all integers "
         "(key_dtype=string, lookup_key_dtype=int64)."),
        (lambda: lookup.StaticVocabularyTable(None, 1, tf.float32), TypeError,
         "StaticVocabularyTable: the keys must be all strings or all integers "
         "(key_dtype=float32, lookup_key_dtype=float32)."),
        (lambda: lookup.TextFileInitializer("x", tf.string, 0, tf.int64, 1, vocab_size=0), ValueError,
         "TextFileInitializer: vocab_size is below 1 (vocab_size=0)."),
        (lambda: lookup.TextFileInitializer("x", tf.string, 0, tf.int64, 1, delimiter="ab"), tf.errors.InvalidArgumentError,
         "TextFileInitializer: a delimiter is one character (delimiter=ab)."),
        (lambda: lookup.TextFileInitializer("", tf.string, 0, tf.int64, 1), ValueError,
         "TextFileInitializer: a filename is needed (filename=)."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == f"lookup.{text}"


def test_a_key_may_come_twice_with_one_value():
    table = lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["a", "a"], [1, 1]), -1)
    assert int(table.size()) == 1 and table.lookup(tf.constant("a")).numpy() == 1


def test_tables_from_datasets():
    pairs = tf.data.Dataset.from_tensor_slices((["a", "b"], longs([3, 4])))
    initializer = lookup.experimental.DatasetInitializer(pairs)
    assert initializer.key_dtype == tf.string and initializer.value_dtype == tf.int64
    table = lookup.StaticVocabularyTable(initializer, 1)
    assert table.lookup(tf.constant(["b", "a"])).numpy().tolist() == [4, 3]
    nothing = lookup.StaticHashTable(lookup.experimental.DatasetInitializer(pairs.take(0)), -1)
    assert int(nothing.size()) == 0 and nothing.lookup(tf.constant(["a"])).numpy().tolist() == [-1]
    for wrong in (tf.data.Dataset.range(3), pairs.batch(2), [("a", 1)]):
        with pytest.raises(ValueError, match="elements must be pairs of scalars"):
            lookup.experimental.DatasetInitializer(wrong)
