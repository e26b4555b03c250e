"""Strings put together, against Python's join."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tensorsmith as tf

ROWS = [["a", "b", "c"], [], ["d"]]
words = st.sampled_from(["a", "bc", "", "é"])


def plain(tensor):
    if isinstance(tensor, tf.RaggedTensor):
        return tensor.to_list()
    value = tensor.numpy()
    return value if isinstance(value, bytes) else value.tolist()


def windows(row, width, pad, left, right):
    row = [left] * pad + row + [right] * pad
    return [" ".join(row[at : at + width]).encode() for at in range(max(0, len(row) - width + 1))]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.lists(words, max_size=4), min_size=1, max_size=3),
    st.lists(st.integers(1, 4), min_size=1, max_size=2),
    st.none() | st.integers(0, 3),
)
def test_ngrams_are_the_windows_of_padded_rows(rows, widths, padding):
    def expected(row):
        pads = [w - 1 if padding is None else min(padding, w - 1) for w in widths]
        return [gram for w, pad in zip(widths, pads) for gram in windows(row, w, pad, "<", ">")]

    ragged = tf.ragged.constant(rows, dtype=tf.string, ragged_rank=1)
    found = tf.strings.ngrams(ragged, widths, pad_values=("<", ">"), padding_width=padding)
    assert found.to_list() == [expected(row) for row in rows]
    dense = tf.constant(rows[0], tf.string, shape=(len(rows[0]),))
    assert plain(tf.strings.ngrams(dense, widths, pad_values=("<", ">"), padding_width=padding)) == expected(rows[0])


def test_short_rows_and_deep_ones():
    ragged = tf.ragged.constant(ROWS)
    assert tf.strings.ngrams(ragged, 3).to_list() == [[b"a b c"], [], []]
    kept = tf.strings.ngrams(ragged, (3, 2), preserve_short_sequences=True)
    assert kept.to_list() == [[b"a b c", b"a b", b"b c"], [], [b"d"]]
    kept = tf.strings.ngrams(ragged, 5, pad_values="_", padding_width=1, preserve_short_sequences=True)
    assert kept.to_list() == [[b"_ a b c _"], [], [b"_ d _"]]
    deep = tf.ragged.constant([[["a", "b", "c"], ["d"]], [["e"]]])
    assert tf.strings.ngrams(deep, 2).to_list() == [[[b"a b", b"b c"], []], [[]]]
    assert plain(tf.strings.ngrams([[["a", "b"], ["c", "d"]]], 2, "-")) == [[[b"a-b"], [b"c-d"]]]
    assert tf.strings.ngrams(tf.zeros((0, 3), tf.string), 2).shape[0] == 0
    traced = tf.function(lambda s: tf.strings.ngrams(s, 2))
    assert plain(traced(tf.constant([["a", "b"], ["c", "d"]]))) == [[b"a b"], [b"c d"]]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(words, st.integers(0, 3)), max_size=6))
def test_segments_are_joined_in_order(pairs):
    strings = tf.constant([w for w, _ in pairs], tf.string, shape=(len(pairs),))
    ids = tf.constant([i for _, i in pairs], tf.int32, shape=(len(pairs),))
    found = tf.strings.unsorted_segment_join(strings, ids, 4, separator=":")
    assert plain(found) == [":".join(w for w, i in pairs if i == at).encode() for at in range(4)]


def test_segments_of_rows():
    rows = np.array([["a", "b"], ["c", "d"], ["e", "f"]])
    assert plain(tf.strings.unsorted_segment_join(rows, [1, 0, 1], 3)) == [[b"c", b"d"], [b"ae", b"bf"], [b"", b""]]
    assert plain(tf.strings.unsorted_segment_join(rows, [[0, 1], [1, 1], [0, 0]], 2)) == [b"aef", b"bcd"]
    traced = tf.function(lambda s, i: tf.strings.unsorted_segment_join(s, i, 2))
    assert plain(traced(tf.constant(rows), tf.constant([1, 0, 1]))) == [[b"c", b"d"], [b"ae", b"bf"]]


def test_ragged_tensors_are_joined_along_any_axis():
    ragged = tf.ragged.constant(ROWS)
    join = tf.strings.reduce_join
    assert plain(join(ragged, axis=1, separator="-")) == [b"a-b-c", b"", b"d"]
    assert plain(join(ragged, axis=0, separator="-")) == [b"a-d", b"b", b"c"]
    assert plain(join(ragged, separator="-")) == b"a-b-c-d"
    assert plain(join(ragged, axis=-1, keepdims=True)) == [[b"abc"], [b""], [b"d"]]
    assert plain(join(ragged, keepdims=True)) == [[b"abcd"]]
    deep = tf.ragged.constant([[["a", "b"], ["c"]], [[], ["x"]]])
    assert plain(join(deep, axis=2)) == [[b"ab", b"c"], [b"", b"x"]]
    assert plain(join(deep, axis=1)) == [[b"ac", b"b"], [b"x"]]
    assert plain(join(deep, axis=0)) == [[b"a", b"b"], [b"cx"]]
    assert plain(join(deep, axis=1, keepdims=True)) == [[[b"ac", b"b"]], [[b"x"]]]
    assert plain(tf.function(lambda r: join(r, axis=0))(ragged)) == [b"ad", b"b", b"c"]


def test_axes_are_joined_in_the_order_given():
    table = [["a", "b"], ["c", "d"]]
    assert plain(tf.strings.reduce_join(table, axis=[0, 1], separator=".")) == b"a.c.b.d"
    assert plain(tf.strings.reduce_join(table, axis=[1, 0], separator=".")) == b"a.b.c.d"
    assert plain(tf.strings.reduce_join(table, axis=[])) == [[b"a", b"b"], [b"c", b"d"]]
    assert plain(tf.strings.reduce_join(tf.zeros((2, 0), tf.string), axis=1)) == [b"", b""]
    assert plain(tf.strings.join([])) == b""


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: tf.strings.join([["x"], ["c", "d"]]), tf.errors.InvalidArgumentError,
         "join: the inputs differ in shape (shapes=[(1,), (2,)]); only scalars go with every place."),
        (lambda: tf.strings.reduce_join(["a"], axis=2), tf.errors.OutOfRangeError,
         "reduce_join: there is no such axis (axis=2, rank=1)."),
        (lambda: tf.strings.reduce_join(["a"], axis=[0, 0]), tf.errors.InvalidArgumentError,
         "reduce_join: an axis is named twice (axis=(0, 0))."),
        (lambda: tf.strings.unsorted_segment_join(["a", "b"], [0, -1], 3), tf.errors.InvalidArgumentError,
         "unsorted_segment_join: a segment id is out of range (id=-1, num_segments=3)."),
        (lambda: tf.strings.unsorted_segment_join(["a", "b"], [0], 3), tf.errors.InvalidArgumentError,
         "unsorted_segment_join: the segment ids do not fit the strings (inputs=(2,), segment_ids=(1,)); "
         "their shape must be the beginning of the strings' shape, of at least one axis."),
        (lambda: tf.strings.unsorted_segment_join(["a"], [0], -1), tf.errors.InvalidArgumentError,
         "unsorted_segment_join: the number of segments is below 0 (num_segments=-1)."),
        (lambda: tf.strings.ngrams(["a"], 0), ValueError, "ngrams: a width is below 1 (ngram_width=0)."),
        (lambda: tf.strings.ngrams(["a"], 1, padding_width=2), ValueError,
         "ngrams: it is not said with what to pad (padding_width=2). Give pad_values."),
        (lambda: tf.strings.ngrams(["a"], 1, pad_values="x", padding_width=-2), ValueError,
         "ngrams: padding_width is below 0 (padding_width=-2)."),
        (lambda: tf.strings.ngrams(["a"], 1, pad_values=3), TypeError,
         "ngrams: pad_values cannot be read (pad_values=3); give a string or a tuple of two."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == f"strings.{text}"
