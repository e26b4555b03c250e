"""Strings to buckets, against the numbers that TensorFlow found (tests/fixtures/make_string_hashes.py)."""

from __future__ import annotations

import json
import pathlib

import pytest

import tensorsmith as tf

FOUND = json.loads((pathlib.Path(__file__).parent.parent / "fixtures" / "string_hashes.json").read_text())
BUCKETS = 2**62
CALLS = {
    "fast": lambda s, n: tf.strings.to_hash_bucket_fast(s, n),
    "old": lambda s, n: tf.strings.to_hash_bucket(s, n),
    "strong": lambda s, n: tf.strings.to_hash_bucket_strong(s, n, [1, 2]),
    "keyed": lambda s, n: tf.strings.to_hash_bucket_strong(s, n, [-3, 2**40]),
}


@pytest.mark.parametrize("kind", CALLS)
def test_the_buckets_are_those_of_tensorflow(kind):
    strings = [bytes.fromhex(text) for text in FOUND[kind]]
    assert len({len(s) for s in strings}) > 30
    found = CALLS[kind](strings, BUCKETS)
    assert found.dtype == tf.int64
    assert found.numpy().tolist() == list(FOUND[kind].values())
    # a power of two of buckets is a remainder of a larger one
    assert CALLS[kind](strings, 1024).numpy().tolist() == [value % 1024 for value in FOUND[kind].values()]


def test_ragged_sparse_and_traced_strings():
    rows = [["Hello", "today"], [], ["#+Who"]]
    expected = [[FOUND["fast"][word.encode().hex()] % 64 for word in row] for row in rows]
    ragged = tf.ragged.constant(rows)
    assert tf.strings.to_hash_bucket_fast(ragged, 64).to_list() == expected
    sparse = tf.strings.to_hash_bucket_fast(ragged.to_sparse(), 64)
    assert sparse.values.numpy().tolist() == [v for row in expected for v in row]
    assert tuple(sparse.dense_shape.numpy()) == (3, 2)
    traced = tf.function(lambda s: tf.strings.to_hash_bucket_fast(s, 64))
    assert traced(tf.constant("Hello")).numpy() == expected[0][0]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tf.strings.to_hash_bucket_fast("a", 0),
         "to_hash_bucket_fast: there must be at least one bucket (num_buckets=0)."),
        (lambda: tf.strings.to_hash_bucket_strong("a", 5, [1]),
         "to_hash_bucket_strong: the key must be two integers (key=[1])."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(call, text):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call()
    assert str(caught.value) == f"strings.{text}"


def test_numbers_are_not_strings():
    with pytest.raises(TypeError, match="to a tensor of dtype string"):
        tf.strings.to_hash_bucket_fast([1], 5)
