"""Patterns in RE2's syntax: what they mean, and what is refused."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorsmith.structures import matching
from tensorsmith.structures.matching import matcher, replaced
from tensorsmith.structures.regex import PatternError


def anew(pattern, text, rewrite="-", everywhere=True):
    raw = text if isinstance(text, bytes) else text.encode()
    return replaced(raw, matcher(pattern.encode()), rewrite.encode(), everywhere)


def full(pattern, text):
    return matcher(pattern.encode()).full(text.encode())


# ---- where Python's own patterns mean the same

LETTERS = "abé\n 1"
ATOMS = ["a", "b", "é", "1", ".", "[ab]", "[^a]", "[a-é]", "(?:^)", "(?:$(?!\\n))", r"(?:\b)"]
ATOMS += ["(?:a|b1)", "(a|ab)", "(?:(b)?)", "(?:)"]
REPEATS = ["", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{1,}?"]
patterns = st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from(REPEATS)), max_size=4).map(
    lambda parts: "".join(atom + repeat for atom, repeat in parts)
)


def own(pattern):
    """The pattern as it is written here: the end of the text is $."""
    return pattern.replace("$(?!\\n)", "$")


@given(patterns, st.text(LETTERS, max_size=6), st.booleans())
def test_patterns_that_python_reads_alike_match_alike(pattern, text, everywhere):
    python = re.compile(pattern, re.ASCII)
    assert full(own(pattern), text) == (python.fullmatch(text) is not None)
    first = python.search(text)
    assert (
        anew(own(pattern), text, r"<\0>", False)
        == (text if first is None else text[: first.start()] + f"<{first[0]}>" + text[first.end() :]).encode()
    )
    if first is not None and all(found.end() > found.start() for found in python.finditer(text)):
        assert anew(own(pattern), text, r"<\0>") == python.sub(r"<\g<0>>", text).encode()


@given(patterns, st.binary(max_size=6))
def test_the_search_that_remembers_finds_what_the_other_finds(pattern, text):
    tree, groups = matching.parsed(own(pattern).encode())
    program, python = matching.Program(tree, groups), matcher(own(pattern).encode())
    assert program.full(text) == python.full(text)
    for at in range(len(text) + 1):
        found, other = program.search(text, at), python.search(text, at)
        assert (found or [])[:2] == (other or [])[:2] and (found is None) == (other is None)


# ---- where they differ


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        # the end of the text is not before its last line break, and white space not \v
        ("a$", "a\n", "a\n"), ("(?m)a$", "a\n", "-\n"), (r"a\z", "a", "-"), (r"\Aa", "ba", "ba"), (r"\s", "\v \f", "\v--"),
        # ASCII classes, code points of UTF-8
        (r"\w", "aé_1", "-é--"), (r"\d", "1٣", "-٣"), (r"\W", "aé", "a-"), ("[^a]", "aé\n", "a--"), (".", "é\n", "-\n"),
        ("(?s).", "é\n", "--"), (r"[[:alpha:]]", "aé1", "-é1"),
        (r"[[:^alpha:]_a]", "aé1B", "---B"), (r"[\d-z]", "1-zb", "---b"),
        (r"\pN", "a1٣", "a--"), (r"\PN", "a1", "-1"), (r"\p{Greek}", "aλ", "a-"), (r"\p{^Lu}", "aA", "-A"),
        (r"[^\P{Lu}]", "aA", "a-"),
        (r"\p{Any}", "é", "-"), (r"\x61\x{e9}\142\07", "aéb\a", "-"), (r"\Qa.b\E+", "a.bb", "-"), (r"\_\<", "_<", "-"),
        # cases
        ("(?i)K", "kK\u212a", "---"), ("(?i)[s]", "ſS", "--"), ("(?i)[^s]", "ſ", "ſ"), ("(?i)i", "ıİI", "ıİ-"),
        ("(?i)ß", "ẞ", "-"),
        ("(?i:b)b", "BB Bb", "BB -"), ("a(?i)b|c", "aB C", "- -"), ("(a(?i)b)c", "aBC aBc", "aBC -"),
        (r"(?i)\w", "ſ.", "-."), (r"(?i)\W", "ſ", "ſ"), ("(?i)ι", "\u0345", "-"), ("(?i)[Ꙋ]", "\u1c88", "-"),
        # laziness turned round
        ("(?U)a+", "aa", "--"), ("(?U)a+?", "aa", "-"), ("a+?", "aa", "--"),
        # what is no operator
        ("a{,2}", "a{,2}", "-"), ("a{01}", "aa{01}", "a-"), ("a{", "a{", "-"), ("[]a]", "]a", "--"), ("[^]a]", "]b", "]-"),
        ("(?P<x>a)(?P<x>b)", "ab", "-"),
        ("[a-]", "a-b", "--b"), (r"\B", "", "-"), (r"\P{Any}", "a", "a"), (r"[^\x00-\x{10FFFF}]*", "a", "-a-"),
        ("[a-cb-d]", "dbe", "--e"), ("[a-zc-d]", "yz", "--"), ("(a|aa){0,3}b", "aaab", "-"), ("(a(b|bc)){2}d", "abcabd", "-"),
        # nothing is found anew where the last match ended
        ("a*", "baac", "-b-c-"), ("", "日本", "-日-本-"),
        (r"\B", "aé", b"a\xc3-\xa9-"), ("x??", "x", "-x-"), ("(?m)^", "a\nb\n", "-a\n-b\n-"),
        # bytes
        (r"\C", "é", "--"), (".", b"\xff\xc3a", b"\xff\xc3-"), (".", b"\xed\xa0\x80\xe0\x80\x80", b"--"),
        (r"\PL", b"\xed\xa0\x80\xe0\x80\x80", b"-\xe0\x80\x80"), ("", b"\xff\xfe", b"-\xff-\xfe-"),
    ],
)  # fmt: skip
def test_what_patterns_mean(pattern, text, expected):
    assert anew(pattern, text) == (expected if isinstance(expected, bytes) else expected.encode())


@pytest.mark.parametrize("name", ["Lu", "Nd", "Zs", "L", "S"])
def test_general_categories_are_those_of_python(name):
    text = "".join(chr(c) for c in range(0x3000))
    expected = "".join(c for c in text if not unicodedata.category(c).startswith(name))
    assert anew(rf"\p{{{name}}}", text, "") == expected.encode()


@given(st.lists(st.tuples(st.integers(0, 0x10FFFF), st.integers(0, 0x10FFFF)).map(sorted), max_size=4))
def test_sets_as_bytes(ranges):
    from tensorsmith.structures.characters import as_utf8, merged, without

    assert merged([(98, 99), (97, 98), (100, 101), (103, 103)]) == ((97, 101), (103, 103))
    found = merged(map(tuple, ranges))
    points = {p for pair in ranges for edge in pair for p in (edge - 1, edge, edge + 1)} | {
        0,
        0x7F,
        0x80,
        0xFFFF,
        0x10FFFF,
    }
    for which in (found, without(found)):
        pattern = re.compile(as_utf8(which).encode())
        for point in filter(range(0x110000).__contains__, points):
            inside = any(a <= point <= b for a, b in which)
            assert (pattern.fullmatch(chr(point).encode("utf-8", "surrogatepass")) is not None) == inside


# ---- groups and rewrites


@pytest.mark.parametrize(
    ("pattern", "text", "rewrite", "everywhere", "expected"),
    [
        ("(a)(b)?", "xay", r"[\2\1\0]", True, "x[aa]y"),
        ("(?P<n>a)b", "ab", r"\1\\", True, "a\\"),
        ("a", "aa", r"x\1", True, "aa"),  # there is no such group
        ("a", "aa", r"x\q", True, "xx"),  # what follows is left out
        ("a", "aa", r"x\q", False, "aa"),
        ("a", "ba", "x\\", True, "bx"),
        ("a*?", "aa", "-", False, "-aa"),
        # the last round of a repeat that took something counts
        ("(a*)*", "aab", r"<\1>", True, "<aa>b<>"),
        ("(a*)+", "aab", r"<\1>", True, "<aa>b<>"),
        ("(a|b|)*", "aab", r"<\1>", True, "<b>"),
        ("(|a)+", "aa", "-", True, "-a-a-"),
        ("(?:(a)|b)*", "ab", r"<\1>", True, "<a>"),
        ("(|a)*", "aa", r"<\1>", True, "<>a<>a<>"),
        ("(a?)*?b", "aab", r"<\1>", True, "<a>"),
        ("a", "ba", r"1\\12", True, r"b1\12"),  # no group 1: its backslash stands behind another
        ("(?:(a)|(b))+?c", "abc", r"<\1\2>", True, "<ab>"),
    ],
)
def test_rewrites(pattern, text, rewrite, everywhere, expected):
    assert anew(pattern, text, rewrite, everywhere) == expected.encode()


@pytest.mark.parametrize(
    "pattern", ["(a*)*b", "(a|a)*b", "(a+)+b", "(?:a|a?)+b", "(a?){30}a{30}b", "((a|ab)(b?)){1,40}c"]
)
def test_no_pattern_takes_for_ever(pattern):
    text = "a" * 200
    assert anew(pattern, text) == text.encode() and not full(pattern, text)
    assert full(pattern, text + pattern[-1]) or "{" in pattern


# ---- what is refused


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(", "missing ): ("), ("a))", "unexpected ): a))"),
        ("[a", "missing ]: [a"), ("[]", "missing ]: []"), ("a[^]", "missing ]: [^]"),
        ("*", "no argument for repetition operator: *"), ("(|{2})", "no argument for repetition operator: {2}"),
        ("(?i)+", "no argument for repetition operator: +"), ("a**", "bad repetition operator: **"),
        ("a???", "bad repetition operator: ???"), ("a{2}*", "bad repetition operator: {2}*"),
        ("a{2,1}", "invalid repetition size: {2,1}"), ("a{1001}", "invalid repetition size: {1001}"),
        ("a{5,2000}", "invalid repetition size: {5,2000}"), ("a{1500,}", "invalid repetition size: {1500,}"),
        ("(a{2,}){501}", "invalid repetition size: {501}"), ("((a{0,100}){10}|b){2}", "invalid repetition size: {2}"),
        (r"(a)\1", r"invalid escape sequence: \1"),
        (r"\8", r"invalid escape sequence: \8"), (r"\y", r"invalid escape sequence: \y"),
        (r"\Z", r"invalid escape sequence: \Z"), (r"\E", r"invalid escape sequence: \E"), ("a\\", "trailing \\"),
        (r"[\b]", r"invalid escape sequence: \b"),
        (r"[a-\d]", r"invalid escape sequence: \d"), (r"\x6", r"invalid escape sequence: \x6"),
        (r"\x{110000}", r"invalid escape sequence: \x{110000}"), (r"\é", r"invalid escape sequence: \é"),
        ("[z-a]", "invalid character class range: z-a"), ("[[:x:]]", "invalid character class range: [:x:]"),
        (r"\p{Cn}", r"invalid character class range: \p{Cn}"),
        (r"\p{Foo}", r"invalid character class range: \p{Foo}"), (r"[\pX]", r"invalid character class range: \pX"),
        (r"\p{Lu", r"invalid character class range: \p{Lu"),
        ("a(?=b)", "invalid perl operator: (?="),
        ("(?<!a)", "invalid perl operator: (?<"), ("(?<n>a)", "invalid perl operator: (?<"),
        ("(?P=n)", "invalid perl operator: (?P"),
        ("(?x)a", "invalid perl operator: (?x"), ("(?i-)a", "invalid perl operator: (?i-)"),
        ("(?-i-s)", "invalid perl operator: (?-i-"), ("(?", "invalid perl operator: (?"),
        ("(?P<a-b>c)", "invalid named capture group: (?P<a-b>"), ("(?P<a", "invalid named capture group: (?P<a"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(pattern, text):
    with pytest.raises(PatternError) as caught:
        matcher(pattern.encode())
    assert str(caught.value) == text


def test_patterns_are_utf8():
    with pytest.raises(PatternError, match="invalid UTF-8"):
        matcher(b"a\xff")
