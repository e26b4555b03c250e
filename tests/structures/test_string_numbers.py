"""Numbers written and read against Python's own, and tensors as text."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorsmith as tf

BAD = tf.errors.InvalidArgumentError
floats = st.floats(allow_nan=False)


@given(st.lists(floats, min_size=1, max_size=5))
def test_floats_are_written_as_python_writes_them_and_read_back(values):
    x = tf.constant(np.array(values))
    for settings, form in (
        ({}, "%f"),
        ({"precision": 2}, "%.2f"),
        ({"scientific": True}, "%e"),
        ({"shortest": True, "precision": 17}, "%.17g"),
        ({"width": 12, "fill": "-"}, "%-12f"),
    ):
        assert tf.as_string(x, **settings).numpy().tolist() == [(form % v).encode() for v in values]
    exact = tf.strings.as_string(x, scientific=True, precision=16)
    assert tf.strings.to_number(exact, tf.float64).numpy().tolist() == values
    hexadecimal = tf.constant([v.hex() for v in values])
    if np.isfinite(values).all():
        assert tf.strings.to_number(hexadecimal, tf.float64).numpy().tolist() == values


@given(st.integers(0, 0x7F7FFFFE), st.integers(-2, 2), st.booleans())
def test_float32_is_rounded_once(bits, beside, hexadecimal):
    # just beside what lies half way between two of them
    low, high = np.array([bits, bits + 1], "int32").view("float32").astype(float).tolist()
    half = (Fraction(low) + Fraction(high)) / 2
    exact = half + Fraction(beside, 10**12 if half > 1 else 1) * (half / 2**60)
    places = 1200
    if hexadecimal:
        text = f"0x{exact.numerator * 2**places // exact.denominator:x}p-{places}"
    else:
        text = f"{exact.numerator * 10**places // exact.denominator}e-{places}"
    above = beside > 0 or beside == 0 and bits % 2 == 1
    assert tf.strings.to_number(text).numpy() == np.float32(high if above else low)


def test_half_way_in_hexadecimal():
    # float.fromhex rounds these to doubles that lie half way between two float32
    texts = ["0x1.0000010000000000001p0", "0x1.000001p0", "-0x1.0000010000000000001p0", "0x0.8000008000000000001p1"]
    assert tf.strings.to_number(texts).numpy().tolist() == [1 + 2**-23, 1, -1 - 2**-23, 1 + 2**-23]


def test_what_is_a_number():
    read = {"+1": 1, " 3\t": 3, ".5": 0.5, "1.": 1, "0X1F": 31, "0x.8": 0.5, "-0x1p3": -8, "1e400": np.inf, "-INF": -np.inf,
            "infinity": np.inf, "+inf": np.inf, "1e-400": 0, "\v1\f": 1, "0x1p9999": np.inf,
            "-0x1p9999": -np.inf, "+0x1p9999": np.inf}  # fmt: skip
    assert tf.strings.to_number(list(read)).numpy().tolist() == list(read.values())
    assert np.isnan(tf.strings.to_number(["nan", "-NaN", "nan(a_1)"]).numpy()).all()
    assert np.signbit(tf.strings.to_number(["-nan", "nan"]).numpy()).tolist() == [True, False]
    for text in (
        "",
        " ",
        "x",
        "1_0",
        "0x",
        "0x1p",
        "1e",
        "1 2",
        "infi",
        "nan(-)",
        "inf(1)",
        "1\x00",
        "٣",
        "1f",
        "--1",
        "0x 1",
    ):
        with pytest.raises(BAD, match="a string is no number"):
            tf.strings.to_number(text)


@pytest.mark.parametrize("kind", ["int32", "int64", "uint32", "uint64"])
def test_integers(kind):
    limits = np.iinfo(kind)
    texts = [" 12 ", "+7", "007", str(limits.min), str(limits.max)]
    found = tf.strings.to_number(texts, kind)
    assert found.dtype == kind and found.numpy().tolist() == list(map(int, texts))
    for text in (
        "1.0",
        "0x1",
        "1_0",
        "",
        "+ 1",
        str(limits.max + 1),
        str(limits.min - 1),
        *(["-0"] if kind[0] == "u" else []),
    ):
        with pytest.raises(BAD) as caught:
            tf.strings.to_number(["1", text], kind)
        assert (
            str(caught.value) == f"strings.to_number: a string is no number (string={text.encode()}, out_type={kind})."
        )
    with pytest.raises(BAD, match=r"strings are not read as this dtype .out_type=int8"):
        tf.strings.to_number("1", tf.int8)


def test_every_dtype_is_written():
    def one(value, dtype=None, **settings):
        return tf.strings.as_string(tf.constant(value, dtype), **settings).numpy().decode()

    for dtype in ("float16", "bfloat16", "float32", "float64"):
        assert one(1.5, dtype) == "1.500000" and one(2.25, dtype, precision=1) == f"{2.25:.1f}"
    for dtype in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        signed = dtype[0] == "i"
        assert one(5, dtype) == "5" and one(5, dtype, width=4, fill="0") == "0005"
        assert one(5, dtype, width=4, fill="+") == ("  +5" if signed else "   5")
        assert one(5, dtype, width=4, fill="-") == "5   "
        assert not signed or one(-5, dtype, width=4, fill="0") == "-005"
    assert one(True) == "true" and one(False, width=9, fill="-") == "false"
    assert one("ab") == "ab" and one("ab", width=4) == one("ab", width=4, fill="0") == "  ab"
    assert one("ab", width=4, fill="-") == "ab  " and one("abc", width=4, precision=2) == "  ab"
    assert (
        one(1 - 2j, width=7, precision=2) == f"({1:7.2f},{-2:7.2f})"
        and one(1 - 2j, "complex64", shortest=True) == "(1,-2)"
    )
    assert [one(v, width=6, fill="0") for v in (np.nan, np.inf, -np.inf)] == ["   nan", "   inf", "  -inf"]
    assert one(-np.nan, fill="+") == "-nan" and one(np.inf, fill="+") == "+inf" and one(2.5, fill=" ") == " 2.500000"
    assert tf.as_string(tf.ragged.constant([[1.5], []]), precision=1).to_list() == [[b"1.5"], []]


@pytest.mark.parametrize(
    ("value", "settings", "text"),
    [
        (3, {"precision": 2}, "precision is for floats (dtype=int32)."),
        (True, {"shortest": True}, "scientific and shortest are for floats (dtype=bool)."),
        (1.0, {"scientific": True, "shortest": True}, "it is written either scientific or shortest; not both."),
        (1.0, {"fill": "x"}, 'unknown fill (fill=x); it must be one of " ", "0", "+", "-".'),
        (1, {"fill": "00"}, 'unknown fill (fill=00); it must be one of " ", "0", "+", "-".'),
    ],
)
def test_what_is_not_written(value, settings, text):
    with pytest.raises(BAD) as caught:
        tf.strings.as_string(value, **settings)
    assert str(caught.value) == f"strings.as_string: {text}"


def texts(*inputs, **settings):
    return tf.strings.format(" | ".join(["{}"] * len(inputs)), list(inputs), **settings).numpy().decode("latin-1")


def test_tensors_as_text():
    assert tf.strings.format("x: {}!", tf.range(10)).numpy() == b"x: [0 1 2 ... 7 8 9]!"
    assert texts(tf.range(6)) == "[0 1 2 3 4 5]" and texts(tf.range(6), summarize=1) == "[0 ... 5]"
    assert texts(tf.range(9), summarize=-1) == f"[{' '.join(map(str, range(9)))}]"
    assert texts(tf.range(3), summarize=0) == "[ ...]" and texts(tf.zeros([0, 2])) == "[]"
    # as TensorFlow, where nothing is inside
    assert texts(tf.zeros([2, 0])) == "[\n ...]" and texts(tf.zeros([2, 3, 0])) == "[\n\n ...]"
    blocks = tf.reshape(tf.range(12), [2, 3, 2])
    assert texts(blocks) == "[[[0 1]\n  [2 3]\n  [4 5]]\n\n [[6 7]\n  [8 9]\n  [10 11]]]"
    assert texts(blocks, summarize=1) == "[[[0 1]\n  ...\n  [4 5]]\n\n [[6 7]\n  ...\n  [10 11]]]"
    assert texts(1.0, tf.constant([True, False]), tf.constant(3, tf.int8), 1j) == "1 | [1 0] | 3 | (0,1)"
    assert texts(tf.Variable([1.5, 2.0])) == "[1.5 2]"
    assert (
        tf.strings.format("%t", tf.range(2), placeholder="%t").numpy() == b"[0 1]"
        and tf.strings.format("a", ()).numpy() == b"a"
    )


@given(st.floats(width=32, allow_nan=False), floats)
def test_floats_in_texts_have_as_many_digits_as_are_needed(single, double):
    short, long = texts(tf.constant(single, tf.float32), tf.constant(double, tf.float64)).split(" | ")
    assert short in (f"{single:.6g}", f"{single:.9g}") and np.float32(short) == np.float32(single)
    assert long in (f"{double:.15g}", f"{double:.17g}") and float(long) == double
    assert float(f"{single:.6g}") != single or short == f"{single:.6g}"
    assert float(f"{double:.15g}") != double or long == f"{double:.15g}"


def test_strings_in_texts():
    odd = b"\xc3\xa9\xff\x00\x01\t\n\r\\'\"~\x7f"
    escaped = b"\xc3\xa9\xff" + rb"\000\001\t\n\r\\\'\"~\177"
    assert texts(tf.constant([odd, b"b"])).encode("latin-1") == b'["' + escaped + b'" "b"]'
    assert texts(-np.nan, np.nan, [np.inf, -np.inf]) == "-nan | nan | [inf -inf]"


def test_ragged_tensors_as_text():
    assert texts(tf.ragged.constant([list(range(7)), []])) == "[[0, 1, 2, ..., 4, 5, 6], []]"
    assert texts(tf.ragged.constant([[1, 2], [3]]), summarize=1) == "[[1, 2], [3]]"
    assert texts(tf.ragged.constant([[1.5]] * 9), 7, summarize=1) == "[[1.500000], ..., [1.500000]] | 7"
    assert texts(tf.ragged.constant([[["it's"], []], []])) == r"[[['it\'s'], []], []]"
    pairs = tf.RaggedTensor.from_row_lengths(tf.constant([[1, 2], [3, 4]]), [2, 0])
    assert texts(pairs) == "[[[1, 2], [3, 4]], []]"
    traced = tf.function(lambda r, d: tf.strings.format("{} {}", (r, d)))
    assert traced(tf.ragged.constant([[1], []]), tf.range(3)).numpy() == b"[[1], []] [0 1 2]"


def test_placeholders_are_counted():
    with pytest.raises(ValueError) as caught:
        tf.strings.format("{}", [1, 2])
    assert str(caught.value) == (
        "strings.format: the numbers of placeholders and inputs differ (placeholders=1, inputs=2)."
    )
