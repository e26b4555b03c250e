"""Bytes to code points, whatever is wrong with them: each point, and where in the bytes it began.

Python's codecs find what is invalid, by the rule of the Unicode standard (the longest start of a sequence is one error).
"""

from __future__ import annotations

import codecs
import functools
from dataclasses import dataclass

from tensorsmith.core.errors import InvalidArgumentError, explain

REPLACEMENT = 0xFFFD
# what each encoding means; those with a name of their own in TensorFlow have no byte order mark
OUTPUTS = {"UTF-8": "utf-8", "UTF-16-BE": "utf-16-be", "UTF-32-BE": "utf-32-be"}
_MARKED = {
    "utf-16": [(b"\xfe\xff", "utf-16-be"), (b"\xff\xfe", "utf-16-le"), (b"", "utf-16-be")],
    "utf-32": [(b"\x00\x00\xfe\xff", "utf-32-be"), (b"\xff\xfe\x00\x00", "utf-32-le"), (b"", "utf-32-be")],
}
# of these every window of bytes can be decoded by itself, so that many errors cost no more than few
_STATELESS = ("utf-8", "utf-16-be", "utf-16-le", "utf-32-be", "utf-32-le")
_WINDOW = 1024


@dataclass(frozen=True)
class Policy:
    """What becomes of what is invalid.

    errors       "replace" by `replacement`, "ignore" it, or "strict": InvalidArgumentError.
    controls     whether code points below 32 are invalid too (and replaced under "strict", unless `controls_strict`).
    """

    errors: str = "replace"
    replacement: int = REPLACEMENT
    controls: bool = False
    controls_strict: bool = False

    def checked(self, who: str) -> Policy:
        if self.errors not in ("replace", "strict", "ignore"):
            raise InvalidArgumentError(
                explain(who, "unknown policy", {"errors": self.errors}, "it must be replace, ignore or strict")
            )
        if not 0 <= self.replacement <= 0x10FFFF:
            raise InvalidArgumentError(
                explain(who, "replacement_char is no code point", {"replacement_char": self.replacement})
            )
        return self


@functools.lru_cache(64)
def codec_of(encoding: str, who: str) -> str:
    """The name of Python's codec for an encoding of the input."""
    try:
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise InvalidArgumentError(explain(who, "unknown encoding", {"encoding": encoding})) from None


def output_codec(encoding: str, who: str) -> str:
    """The name of Python's codec for an encoding of the output, of which there are three."""
    if encoding not in OUTPUTS:
        raise InvalidArgumentError(
            explain(who, "strings cannot be written so", {"encoding": encoding}, f"it must be one of {list(OUTPUTS)}")
        )
    return OUTPUTS[encoding]


def decoded(raw: bytes, encoding: str, policy: Policy, who: str) -> list[tuple[int, int]]:
    """(code point, place of its first byte) of each character in the bytes."""
    codec, start = codec_of(encoding, who), 0
    if codec in _MARKED:
        mark, codec = next(found for found in _MARKED[codec] if raw.startswith(found[0]))
        start = len(mark)
    found: list[tuple[int, int]] = []
    at, window = start, _WINDOW
    while at < len(raw):
        end = min(at + window, len(raw)) if codec in _STATELESS else len(raw)
        part = raw[at:end]
        try:
            text, wrong = part.decode(codec), None
        except UnicodeDecodeError as error:
            text, wrong = part[: error.start].decode(codec), error
        place = at
        for character in text:
            found.append((ord(character), place))
            place += _width(character, codec)
        at += len(part) if wrong is None else wrong.start
        if wrong is None:
            continue
        if wrong.end == len(part) and end < len(raw):
            # cut off by the window and not by the string: the next one begins here
            window = window if wrong.start else window * 2
            continue
        if policy.errors == "strict":
            raise InvalidArgumentError(
                explain(who, f"a string is not valid {codec}: {wrong.reason}", {"string": raw, "at byte": at})
            )
        if policy.errors == "replace":
            found.append((policy.replacement, at))
        at += max(wrong.end - wrong.start, 1)
    if start and found:
        # the mark belongs to the first character
        found[0] = (found[0][0], 0)
    return _without_controls(found, policy, raw, who) if policy.controls else found


def _without_controls(found: list[tuple[int, int]], policy: Policy, raw: bytes, who: str) -> list[tuple[int, int]]:
    if policy.errors == "ignore":
        return [(point, at) for point, at in found if point >= 32]
    if policy.controls_strict and policy.errors == "strict":
        for point, at in found:
            if point < 32:
                raise InvalidArgumentError(
                    explain(who, "a string holds a control character", {"string": raw, "at byte": at})
                )
    return [(policy.replacement if point < 32 else point, at) for point, at in found]


def _width(character: str, codec: str) -> int:
    """How many bytes a character takes."""
    point = ord(character)
    if codec == "utf-8":
        return 1 if point < 0x80 else 2 if point < 0x800 else 3 if point < 0x10000 else 4
    if codec.startswith("utf-16"):
        return 2 if point < 0x10000 else 4
    return 4 if codec.startswith("utf-32") else len(character.encode(codec))


def encoded(points: list[int], codec: str, policy: Policy, who: str) -> bytes:
    """The bytes of code points in one of the encodings of the output."""
    characters = []
    for point in points:
        if is_scalar(point):
            characters.append(chr(point))
        elif policy.errors == "strict":
            raise InvalidArgumentError(explain(who, "no code point has this number", {"code point": point}))
        elif policy.errors == "replace":
            characters.append(chr(policy.replacement if is_scalar(policy.replacement) else REPLACEMENT))
    return "".join(characters).encode(codec)


def is_scalar(point: int) -> bool:
    """Whether a number is a code point that stands for a character: no half of a UTF-16 pair."""
    return 0 <= point < 0xD800 or 0xDFFF < point <= 0x10FFFF
