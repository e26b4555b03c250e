"""String tensors against Python's own strings."""

from __future__ import annotations

import pytest

import tensorsmith as tf

WORDS = ["Café", "Coffee", "caffè", "咖啡"]


def plain(tensor):
    if isinstance(tensor, tf.RaggedTensor):
        return tensor.to_list()
    value = tensor.numpy()
    return value if isinstance(value, bytes) else value.tolist()


def test_lengths_and_cases():
    w = tf.constant(WORDS)
    assert plain(tf.strings.length(w)) == [len(s.encode()) for s in WORDS]
    assert plain(tf.strings.length(w, unit="UTF8_CHAR")) == [len(s) for s in WORDS]
    assert plain(tf.strings.upper(w, encoding="utf-8")) == [s.upper().encode() for s in WORDS]
    assert plain(tf.strings.lower(w)) == [s.encode().lower() for s in WORDS]
    with pytest.raises(ValueError, match=r'unknown unit .unit=WORD.; it must be "BYTE" or "UTF8_CHAR"'):
        tf.strings.length("a", unit="WORD")


def test_split_and_join():
    lines = ["a b  c", "", "d"]
    assert tf.strings.split(lines).to_list() == [[p.encode() for p in s.split()] for s in lines]
    assert plain(tf.strings.split("a,b,,c", sep=",")) == [b"a", b"b", b"", b"c"]
    nested = tf.strings.split([["a b", "c"], ["d e f", ""]])
    assert nested.to_list() == [[[b"a", b"b"], [b"c"]], [[b"d", b"e", b"f"], []]]
    assert plain(tf.strings.join([["a", "b"], "x", ["c", "d"]], separator="-")) == [b"a-x-c", b"b-x-d"]
    assert plain(tf.strings.reduce_join([["a", "b"], ["c", "d"]], axis=0, separator="+")) == [b"a+c", b"b+d"]
    assert plain(tf.strings.reduce_join(tf.strings.split(lines), axis=-1, separator="_")) == [b"a_b_c", b"", b"d"]
    assert plain(tf.strings.bytes_split(["ab", ""])) == [[b"a", b"b"], []]
    assert plain(tf.strings.upper(tf.strings.split(lines))) == [[b"A", b"B", b"C"], [], [b"D"]]


def test_splits_at_white_space_that_are_counted():
    # as TensorFlow: what is behind the last split is there, even if it is nothing
    given = ["a b c ", "a ", " a  b", "", "  "]
    split = {m: tf.strings.split(given, maxsplit=m).to_list() for m in (0, 1, 2, -1)}
    assert split[0] == [[s.encode()] for s in given]
    assert split[1] == [[b"a", b"b c "], [b"a", b""], [b"a", b"b"], [], []]
    assert split[2] == [[b"a", b"b", b"c "], [b"a"], [b"a", b"b", b""], [], []]
    assert split[-1] == [[p.encode() for p in s.split()] for s in given]


def test_numbers():
    assert plain(tf.strings.to_number(["1.5", "-2e3"])) == [1.5, -2000.0]
    assert tf.strings.to_number("7", tf.int64).dtype == tf.int64
    assert plain(tf.strings.as_string([1, -2])) == [b"1", b"-2"] and plain(tf.strings.as_string(True)) == b"true"
    assert plain(tf.strings.as_string([1.5], precision=2, width=8, fill="0")) == [b"00001.50"]
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.strings.to_number(["1", "x"])
    assert str(caught.value) == "strings.to_number: a string is no number (string=b'x', out_type=float32)."


def test_patterns_and_parts():
    assert plain(tf.strings.regex_replace(["aXbX", "c"], "X", "-")) == [b"a-b-", b"c"]
    assert plain(tf.strings.regex_replace("aXbX", "(.)X", r"<\1>", replace_global=False)) == b"<a>bX"
    assert plain(tf.strings.regex_full_match(["a1", "1a"], "[a-z][0-9]")) == [True, False]
    assert plain(tf.strings.substr(["hello", "world"], [1, -2], 3)) == [b"ell", b"ld"]
    assert plain(tf.strings.substr("é!x", 1, 1, unit="UTF8_CHAR")) == b"!"
    assert plain(tf.strings.strip([" a ", "\tb\n"])) == [b"a", b"b"]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"pos lies outside a string .pos=9"):
        tf.strings.substr("abc", 9, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="the pattern cannot be read"):
        tf.strings.regex_replace("a", "(", "")


def test_unicode():
    points = tf.strings.unicode_decode(WORDS, "UTF-8")
    assert points.to_list() == [[ord(c) for c in s] for s in WORDS]
    assert plain(tf.strings.unicode_encode(points, "UTF-8")) == [s.encode() for s in WORDS]
    assert plain(tf.strings.unicode_encode([[99, 233], [97, 98]], "UTF-16-BE")) == [
        "cé".encode("utf-16-be"),
        "ab".encode("utf-16-be"),
    ]
    assert plain(tf.strings.unicode_split("é!", "UTF-8")) == ["é".encode(), b"!"]
    assert plain(tf.strings.unicode_decode(b"a\xffb", "UTF-8")) == [97, 0xFFFD, 98]
    assert plain(tf.strings.unicode_decode(b"a\xffb", "UTF-8", errors="ignore")) == [97, 98]
    assert plain(tf.strings.unicode_transcode(WORDS[:1], "UTF-8", "UTF-16-BE")) == [WORDS[0].encode("utf-16-be")]
    with pytest.raises(tf.errors.InvalidArgumentError, match="a string is not valid utf-8"):
        tf.strings.unicode_decode(b"\xff", "UTF-8", errors="strict")


def test_operators():
    assert plain(tf.constant(["a", "b"]) + "c") == [b"ac", b"bc"] and bool(tf.constant("a") == "a")
    assert (tf.constant("a") + tf.constant("b")).numpy() == b"ab"


def test_traced_is_at_once():
    def f(s):
        return (
            tf.strings.split(s),
            tf.strings.length(s),
            tf.strings.unicode_decode(s, "UTF-8"),
            tf.strings.upper(s) + "!",
        )

    lines = tf.constant(["a bc", "é"])
    for a, b in zip(f(lines), tf.function(f)(lines)):
        assert plain(a) == plain(b)


def test_nothing_at_all_can_be_strings():
    empty = tf.constant([], tf.string)
    assert empty.dtype == tf.string and empty.shape == (0,) and plain(tf.strings.upper(empty)) == []
    with pytest.raises(TypeError, match=r"tf.strings.as_string and tf.strings.to_number convert"):
        tf.constant([1], tf.string)
