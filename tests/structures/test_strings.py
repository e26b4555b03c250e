"""String tensors against Python's own strings."""

from __future__ import annotations

import numpy as np
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
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r'unknown unit .unit=WORD.; it must be "BYTE" or "UTF8_CHAR"'
    ):
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
    assert tf.strings.split(tf.zeros([2, 0], tf.string)).to_list() == [[], []]
    with pytest.raises(TypeError, match="a list of inputs is needed"):
        tf.strings.join("ab")
    assert plain(tf.strings.upper(tf.strings.split(lines))) == [[b"A", b"B", b"C"], [], [b"D"]]


def test_splits_at_white_space_that_are_counted():
    # as TensorFlow: what is behind the last split is there, even if it is nothing
    given = ["a b c ", "a ", " a  b", "", "  "]
    split = {m: tf.strings.split(given, maxsplit=m).to_list() for m in (0, 1, 2, -1)}
    assert split[0] == [[s.encode()] for s in given]
    assert split[1] == [[b"a", b"b c "], [b"a", b""], [b"a", b"b"], [], []]
    assert split[2] == [[b"a", b"b", b"c "], [b"a"], [b"a", b"b", b""], [], []]
    assert split[-1] == [[p.encode() for p in s.split()] for s in given]


def test_patterns():
    assert plain(tf.strings.regex_replace(["aXbX", "c"], "X", "-")) == [b"a-b-", b"c"]
    assert plain(tf.strings.regex_replace("aXbX", "(.)X", r"<\1>", replace_global=False)) == b"<a>bX"
    assert plain(tf.strings.regex_full_match(["a1", "1a"], "[a-z][0-9]")) == [True, False]
    assert plain(tf.strings.regex_full_match("a", tf.constant("a"))) is True
    assert plain(tf.strings.regex_replace(tf.ragged.constant([["aX"], []]), "X", "-")) == [[b"a-"], []]
    assert plain(tf.function(lambda s: tf.strings.regex_replace(s, r"\pL+", "-"))(tf.constant(WORDS))) == [b"-"] * 4
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.strings.regex_replace("a", "a(?=b)", "")
    assert str(caught.value) == (
        "strings.regex_replace: the pattern cannot be read: invalid perl operator: (?= (pattern=b'a(?=b)'); "
        "patterns are in RE2's syntax, which has no look-around and no reference to a group."
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"one string is needed, not several .given=\[b'a'\]"):
        tf.strings.regex_full_match("a", ["a"])


def test_parts():
    words = ["hello", "wörld"]
    for at, count in ((1, 3), (-2, 3), (0, 9), (-5, 0)):
        raw = [s.encode() for s in words]
        starts = [at if at >= 0 else at + len(s) for s in raw]
        assert plain(tf.strings.substr(words, at, count)) == [s[i : i + count] for s, i in zip(raw, starts)]
        starts = [at if at >= 0 else at + len(s) for s in words]
        expected = [s[i : i + count].encode() for s, i in zip(words, starts)]
        assert plain(tf.strings.substr(words, at, count, unit="UTF8_CHAR")) == expected
    assert plain(tf.strings.substr(["hello", "world"], [1, -2], [1, 2])) == [b"e", b"ld"]
    assert plain(tf.strings.substr("hello", [1, 2], [2, 1])) == [b"el", b"l"]
    assert plain(tf.strings.substr("hello", 1, -1)) == b"ello"  # as TensorFlow, which takes it for a very large number
    # bytes that begin no character belong to the one before them
    torn = [b"\xff\x80b", b"\x80a\x80"]
    assert plain(tf.strings.substr(torn, 0, 1, unit="UTF8_CHAR")) == [b"\xff\x80", b"\x80"]
    assert plain(tf.strings.strip([" a ", "\tb\n"])) == [b"a", b"b"]
    bad = tf.errors.InvalidArgumentError
    for text, at, count, unit in (("abc", 4, 1, "BYTE"), ("abc", -4, 1, "BYTE"), ("äbc", 4, 1, "UTF8_CHAR")):
        with pytest.raises(bad, match=rf"pos lies outside a string .pos={at}, string="):
            tf.strings.substr(text, at, count, unit=unit)
    with pytest.raises(bad, match=r"pos and len must have one shape .pos=\(\), len=\(2,\)"):
        tf.strings.substr(["hello", "abc"], 1, [1, 3])
    with pytest.raises(bad, match=r"pos and len must have one shape .pos=\(2,\), len=\(1,\)"):
        tf.strings.substr(["hello", "abc"], [1, 2], [1])
    with pytest.raises(bad, match="pos and len must be integers of one dtype"):
        tf.strings.substr("hello", 1.0, 1)


@pytest.mark.parametrize(
    "call",
    [
        tf.strings.length,
        tf.strings.upper,
        tf.strings.lower,
        tf.strings.strip,
        tf.strings.split,
        tf.strings.to_number,
        lambda x: tf.strings.substr(x, 0, 1),
        lambda x: tf.strings.regex_replace(x, "a", "b"),
        lambda x: tf.strings.regex_full_match(x, "a"),
        lambda x: tf.strings.join([x]),
    ],
)
def test_numbers_are_no_strings(call):
    with pytest.raises(TypeError, match=r"tf.strings.as_string and tf.strings.to_number convert"):
        call(1)
    with pytest.raises(ValueError, match=r"strings are needed .given=int32|requested dtype string"):
        call(tf.constant([1]))


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


@pytest.mark.parametrize("sizes", [[None], [None, None], [2, None], [None, 3], []])
def test_sizes_known_at_run_time(sizes):
    words = np.array([["a é", "", "b"], ["c d e", " ", "f"]])
    given = tf.constant({0: "a é", 1: words[0], 2: words}[len(sizes)])

    def f(s):
        points = tf.strings.unicode_decode(s, "UTF-8")
        whole = tf.strings.unicode_encode(points, "UTF-8")
        return tf.strings.split(s), points, whole, tf.strings.bytes_split(s), tf.strings.length(tf.strings.split(s))

    traced = tf.function(f, input_signature=[tf.TensorSpec(sizes, tf.string)])
    for a, b in zip(f(given), traced(given)):
        assert plain(a) == plain(b) and a.dtype == b.dtype
    assert plain(traced(given)[2]) == plain(given)
    if len(sizes) == 2 and sizes[1] is None:
        assert traced(tf.zeros([2, 0], tf.string))[0].to_list() == [[], []]
        assert plain(tf.function(lambda x: tf.strings.unicode_encode(x, "UTF-8"), input_signature=[
            tf.TensorSpec(sizes, tf.int32)])(tf.constant([[97, 98], [233, 100]]))) == [b"ab", "éd".encode()]  # fmt: skip


def test_patterns_and_separators_known_at_run_time():
    @tf.function
    def f(s, pattern, rewrite, sep):
        return (
            tf.strings.regex_replace(s, pattern, rewrite),
            tf.strings.regex_full_match(s, pattern),
            tf.strings.split(s, sep),
        )

    given = tf.constant(["a,b", "ab"])
    for pattern, rewrite, sep in (("a.", "-", ","), ("(b)", r"\\1\\1", "a"), (".*", "", "")):
        found = f(given, *map(tf.constant, (pattern, rewrite, sep)))
        expected = (
            tf.strings.regex_replace(given, pattern, rewrite),
            tf.strings.regex_full_match(given, pattern),
            tf.strings.split(given, sep),
        )
        assert [plain(x) for x in found] == [plain(x) for x in expected]
    with pytest.raises(ValueError, match="the rank of the strings must be known"):
        tf.function(tf.strings.split, input_signature=[tf.TensorSpec(None, tf.string)])(given)
