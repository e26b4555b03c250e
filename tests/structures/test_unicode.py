"""Code points and their encodings, against Python's own codecs, whatever the bytes are."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import tensorsmith as tf
from tensorsmith.structures import decoding

ENCODINGS = {"UTF-8": "utf-8", "UTF-16-BE": "utf-16-be", "UTF-32-BE": "utf-32-be"}
# every kind of invalid UTF-8: stray, missing, overlong, halves of pairs, beyond the last code point
BROKEN = [
    b"a\xffb\xe2\x82c\xf0\x9f",
    b"\x80\xbf",
    b"\xc0\x80\xc1\xbf",
    b"\xe0\x80\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xf0\x9f\x98",
    b"\xf0\x9f\x98a",
]


def some_bytes():
    pieces = st.one_of(st.text(max_size=3).map(lambda s: s.encode("utf-8", "replace")), st.binary(max_size=3))
    return st.lists(pieces, max_size=6).map(b"".join)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(some_bytes(), st.sampled_from(sorted(ENCODINGS)))
@example(b"".join(BROKEN), "UTF-8")
@example(b"a" * 1023 + "😀".encode() + b"\xf0\x9f" + b"b" * 2000, "UTF-8")
def test_any_bytes_are_decoded_as_python_does(raw, encoding):
    codec = ENCODINGS[encoding]
    for errors in ("replace", "ignore"):
        points, starts = tf.strings.unicode_decode_with_offsets(raw, encoding, errors=errors)
        assert points.numpy().tolist() == [ord(c) for c in raw.decode(codec, errors)]
        characters, same = tf.strings.unicode_split_with_offsets(raw, encoding, errors=errors)
        assert same.numpy().tolist() == starts.numpy().tolist() == sorted(set(starts.numpy().tolist()))
        assert characters.numpy().tolist() == [chr(p).encode(codec) for p in points.numpy().tolist()]
        for character, at in zip(characters.numpy().tolist(), starts.numpy().tolist()):
            # what was not replaced stands where it is said to stand
            assert raw[at : at + len(character)] == character or character.decode(codec) == "\ufffd"
        for output, other in ENCODINGS.items():
            there = tf.strings.unicode_transcode(raw, encoding, output, errors=errors)
            assert there.numpy() == raw.decode(codec, errors).encode(other)
    try:
        expected = [ord(c) for c in raw.decode(codec)]
    except UnicodeDecodeError:
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"a string is not valid {codec}"):
            tf.strings.unicode_decode(raw, encoding, errors="strict")
    else:
        assert tf.strings.unicode_decode(raw, encoding, errors="strict").numpy().tolist() == expected


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(st.integers(-3, 0x110003), max_size=4), max_size=4), st.sampled_from(sorted(ENCODINGS)))
@example([[97, 0xD800, 0xDFFF, 0x110000, -1, 98], []], "UTF-8")
def test_any_numbers_are_encoded(rows, encoding):
    codec = ENCODINGS[encoding]

    def valid(point):
        return 0 <= point < 0x110000 and unicodedata.category(chr(point)) != "Cs"

    points = tf.ragged.constant(rows, dtype=tf.int32, ragged_rank=1)
    for errors, other in (("replace", "?"), ("ignore", "")):
        found = tf.strings.unicode_encode(points, encoding, errors=errors, replacement_char=63)
        expected = ["".join(chr(p) if valid(p) else other for p in row).encode(codec) for row in rows]
        assert found.numpy().tolist() == expected
    if not all(valid(p) for row in rows for p in row):
        with pytest.raises(tf.errors.InvalidArgumentError, match="no code point has this number"):
            tf.strings.unicode_encode(points, encoding, errors="strict")


def test_many_errors_take_no_longer_than_few():
    calls = []

    class Counted(bytes):
        def __getitem__(self, place):
            part = super().__getitem__(place)
            calls.append(len(part))
            return part

    found = decoding.decoded(Counted(b"\xff" * 5000), "UTF-8", decoding.Policy(), "here")
    assert [at for _, at in found] == list(range(5000))
    # each error looks at one window and not at all that is left
    assert max(calls) <= 1024


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_belongs_to_the_first_character(mark):
    raw = "\ufeffab".encode(mark)
    size = len("a".encode(mark))
    points, starts = tf.strings.unicode_decode_with_offsets(raw, mark[:6].upper())
    assert points.numpy().tolist() == [97, 98] and starts.numpy().tolist() == [0, 2 * size]
    assert tf.strings.unicode_transcode(raw, mark[:6].upper(), "UTF-8").numpy() == b"ab"
    # an encoding that names its order has no mark: it is a character
    points = tf.strings.unicode_decode(raw, {"le": "UTF-16-LE", "be": "UTF-16-BE"}[mark[-2:]] if "16" in mark else mark)
    assert points.numpy().tolist() == [0xFEFF, 97, 98]


def test_the_replacement_and_control_characters():
    raw = b"a\x01\xff\x7f\xef\xbf\xbd"
    decode = tf.strings.unicode_decode
    # a replacement character that stands in the string is not replaced
    assert decode(raw, "UTF-8", replacement_char=63).numpy().tolist() == [97, 1, 63, 127, 0xFFFD]
    controls = {"replacement_char": 63, "replace_control_characters": True}
    assert decode(raw, "UTF-8", **controls).numpy().tolist() == [97, 63, 63, 127, 0xFFFD]
    assert decode(raw, "UTF-8", errors="ignore", **controls).numpy().tolist() == [97, 127, 0xFFFD]
    assert decode(b"a\x01", "UTF-8", errors="strict", **controls).numpy().tolist() == [97, 63]
    transcode = tf.strings.unicode_transcode
    assert transcode(raw, "UTF-8", "UTF-8", **controls).numpy() == b"a??\x7f\xef\xbf\xbd"
    with pytest.raises(tf.errors.InvalidArgumentError, match="a string holds a control character"):
        transcode(b"a\x01", "UTF-8", "UTF-8", errors="strict", **controls)


def test_the_form_of_the_input_is_kept():
    nested = tf.ragged.constant([["aé"], [], ["", "b"]])
    characters, starts = tf.strings.unicode_split_with_offsets(nested, "UTF-8")
    assert characters.to_list() == [[[b"a", "é".encode()]], [], [[], [b"b"]]]
    assert starts.to_list() == [[[0, 1]], [], [[], [0]]]
    assert tf.strings.unicode_transcode([["é"]], "UTF-8", "UTF-16-BE").shape == (1, 1)
    assert tf.strings.unicode_transcode(nested, "UTF-8", "UTF-16-BE").to_list()[2] == [b"", b"\0b"]
    traced = tf.function(lambda s: tf.strings.unicode_decode_with_offsets(s, "UTF-8"))
    points, starts = traced(tf.constant(["é!", ""]))
    assert points.to_list() == [[233, 33], []] and starts.to_list() == [[0, 2], []]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tf.strings.unicode_decode("a", "nonesuch"),
         "unicode_decode: unknown encoding (encoding=nonesuch)."),
        (lambda: tf.strings.unicode_encode([97], "UTF-16"),
         "unicode_encode: strings cannot be written so (encoding=UTF-16); it must be one of "
         "['UTF-8', 'UTF-16-BE', 'UTF-32-BE']."),
        (lambda: tf.strings.unicode_decode("a", "UTF-8", errors="bad"),
         "unicode_decode: unknown policy (errors=bad); it must be replace, ignore or strict."),
        (lambda: tf.strings.unicode_split("a", "UTF-8", replacement_char=0x110000),
         "unicode_split: replacement_char is no code point (replacement_char=1114112)."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(call, text):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call()
    assert str(caught.value) == f"strings.{text}"


# how the names that Unicode gives characters begin, and ICU's number of that script
NAMED = {
    "LATIN SMALL LETTER": 25, "GREEK SMALL LETTER": 14, "CYRILLIC SMALL LETTER": 8, "ARABIC LETTER": 2,
    "HEBREW LETTER": 19, "DEVANAGARI LETTER": 10, "THAI CHARACTER": 38, "HANGUL SYLLABLE": 18,
    "HIRAGANA LETTER": 20, "KATAKANA LETTER": 22, "CJK UNIFIED IDEOGRAPH": 17, "ETHIOPIC SYLLABLE": 11,
    "GEORGIAN LETTER": 12, "ARMENIAN SMALL LETTER": 3, "CHEROKEE LETTER": 6, "EGYPTIAN HIEROGLYPH": 71,
    "BRAILLE PATTERN": 46, "TIBETAN LETTER": 39, "YI SYLLABLE": 41, "ADLAM SMALL LETTER": 167, "EMOJI": 0,
}  # fmt: skip


def test_the_script_is_that_of_the_characters_name():
    points, expected = [], []
    # what was assigned after Unicode 13 is of unknown script, so letters are taken from blocks that were full
    for point in range(0x2000, 0x20000):
        name = unicodedata.name(chr(point), "")
        for start, number in NAMED.items():
            if name.startswith(start):
                points.append(point)
                expected.append(number)
    found = tf.strings.unicode_script(points).numpy()
    assert set(expected) >= {17, 18, 20, 22, 41, 46, 71, 167}
    wrong = [(hex(p), f, e) for p, f, e in zip(points, found.tolist(), expected) if f not in (e, 103)]
    assert not wrong
    assert np.mean(found == 103) < 0.02


def test_scripts_of_what_belongs_to_none():
    points = [0, ord("!"), ord("1"), 0x1F600, 0x300, 0x378, 0xD800, 0x10FFFF, 0x110000, -1]
    assert tf.strings.unicode_script(points).numpy().tolist() == [0, 0, 0, 0, 1, 103, 103, 103, -1, -1]
    assert tf.strings.unicode_script(tf.ragged.constant([[97], []], dtype=tf.int32)).to_list() == [[25], []]
