"""Code points: encode, decode, split."""

from __future__ import annotations

import codecs
from itertools import pairwise
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.program.op import Array
from tensorsmith.structures.lifting import quietly
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.structures.strings import pieces_of
from tensorsmith.tensor.apply import functions, op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_STRING, _INT32, _INT64 = np.dtype(object), np.dtype("int32"), np.dtype("int64")
REPLACEMENT = 0xFFFD


def _codec(encoding: str, who: str) -> str:
    # TensorFlow's UTF-16 and UTF-32 are big-endian and have no byte order mark
    name = str(encoding).upper().replace("_", "-")
    found = {"UTF-16": "utf-16-be", "UTF-32": "utf-32-be", "UTF16": "utf-16-be", "UTF32": "utf-32-be"}.get(name)
    try:
        return found or codecs.lookup(name).name
    except LookupError:
        raise InvalidArgumentError(explain(who, "unknown encoding", {"encoding": encoding})) from None


def _decoded(raw: bytes, codec: str, errors: str, replacement: int, controls: bool, who: str) -> list[int]:
    if errors not in ("replace", "strict", "ignore"):
        raise ValueError(explain(who, "unknown policy", {"errors": errors}, "it must be replace, ignore or strict"))
    try:
        text = raw.decode(codec, errors)
    except UnicodeDecodeError as error:
        raise InvalidArgumentError(
            explain(who, f"a string is not valid {codec}: {error.reason}", {"string": raw})
        ) from None
    points = [replacement if p == REPLACEMENT and errors == "replace" else p for p in map(ord, text)]
    return [replacement if controls and p < 32 else p for p in points]


def _points_shapes(specs: Any, settings: Any) -> Any:
    size = specs[0][0][0]
    return ((None,), _INT32), ((None if size is None else size + 1,), _INT64)


@op(kinds="O", eager=True, differentiable=False, shapes=_points_shapes)
def string_code_points(xp, x: Array, encoding="UTF-8", errors="replace", replacement=REPLACEMENT, controls=False):
    """The code points of strings [n], and the row splits [n + 1] that tell whose they are."""
    who = "strings.unicode_decode"
    codec = _codec(encoding, who)
    rows = [_decoded(s, codec, errors, replacement, controls, who) for s in x]
    flat = np.array([point for row in rows for point in row], _INT32)
    return flat, np.cumsum([0, *map(len, rows)]).astype(_INT64)


def _characters_shapes(specs: Any, settings: Any) -> Any:
    return ((None,), _STRING), _points_shapes(specs, settings)[1]


@op(kinds="O", eager=True, differentiable=False, shapes=_characters_shapes)
def string_characters(xp, x: Array, encoding="UTF-8", errors="replace", replacement=REPLACEMENT):
    """The characters of strings [n], each a string, and the row splits [n + 1] that tell whose they are."""
    who = "strings.unicode_split"
    codec = _codec(encoding, who)
    rows = [[chr(p).encode(codec) for p in _decoded(s, codec, errors, replacement, False, who)] for s in x]
    flat = np.empty(sum(map(len, rows)), object)
    flat[:] = [character for row in rows for character in row]
    return flat, np.cumsum([0, *map(len, rows)]).astype(_INT64)


@op(kinds="iu", differentiable=False, same=False, shapes=lambda specs, settings: [((_rows(specs),), _STRING)])
def string_of_code_points(xp, x: Array, row_splits: Array, encoding="UTF-8", errors="replace", replacement=REPLACEMENT):
    """The strings [n] of code points; row i takes x[row_splits[i]:row_splits[i + 1]]."""
    who = "strings.unicode_encode"
    codec = _codec(encoding, who)
    rows = [x[a:b].tolist() for a, b in pairwise(row_splits)]
    out = np.empty(len(rows), object)
    out[:] = ["".join(_characters(row, errors, replacement, who)).encode(codec) for row in rows]
    return out


def _rows(specs: Any) -> int | None:
    size = specs[1][0][0]
    return None if size is None else size - 1


def _characters(points: list[int], errors: str, replacement: int, who: str) -> list[str]:
    characters = []
    for point in points:
        valid = 0 <= point < 0x110000 and not 0xD800 <= point < 0xE000
        if not valid and errors == "strict":
            raise InvalidArgumentError(explain(who, "no code point has this number", {"code point": point}))
        if valid or errors == "replace":
            characters.append(chr(point if valid else replacement))
    return characters


def unicode_decode(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = REPLACEMENT,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """The code points of each string, int32: a Tensor for one string, a RaggedTensor otherwise.

    errors  what an invalid sequence becomes: "replace" by `replacement_char`, "ignore", or
            "strict", which raises InvalidArgumentError.

    >>> unicode_decode("é!", "UTF-8").numpy()
    array([233,  33], dtype=int32)
    """
    settings = {
        "encoding": input_encoding,
        "errors": errors,
        "replacement": replacement_char,
        "controls": replace_control_characters,
    }
    return pieces_of(input, lambda flat: string_code_points(flat, **settings))


def unicode_split(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = REPLACEMENT,
    name: str | None = None,
) -> Any:
    """The characters of each string, each a string of its own."""
    settings = {"encoding": input_encoding, "errors": errors, "replacement": replacement_char}
    return pieces_of(input, lambda flat: string_characters(flat, **settings))


def unicode_encode(
    input: Any,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = REPLACEMENT,
    name: str | None = None,
) -> Any:
    """The strings of code points along the last axis.

    >>> unicode_encode([99, 97, 102, 233], "UTF-8").numpy().decode()
    'café'
    """
    points: Any = input if is_ragged(input) else convert(input)

    def written(flat: Tensor, splits: Tensor) -> Tensor:
        return string_of_code_points(
            flat, splits, encoding=output_encoding, errors=errors, replacement=replacement_char
        )

    if is_ragged(points):
        if is_ragged(points.values):
            return points.with_values(unicode_encode(points.values, output_encoding, errors, replacement_char))
        if len(points.values.shape) == 1:
            return written(points.values, points.row_splits)
        return points.with_values(unicode_encode(points.values, output_encoding, errors, replacement_char))
    shape = tuple(points.shape)
    if not shape:
        raise ValueError(
            explain("strings.unicode_encode", "code points of at least one axis are needed", {"shape": shape})
        )
    rows = int(np.prod(shape[:-1]))
    splits = Tensor(np.arange(rows + 1, dtype=np.int64) * shape[-1])
    return functions["reshape"](written(functions["reshape"](points, (-1,)), splits), shape[:-1])


def unicode_transcode(
    input: Any,
    input_encoding: str,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = REPLACEMENT,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """Each string in another encoding."""
    points = unicode_decode(input, input_encoding, errors, replacement_char, replace_control_characters)
    if is_ragged(points):
        return unicode_encode(points, output_encoding, errors, replacement_char)
    splits = quietly(_one_row, points)
    ragged = RaggedTensor(points, splits)
    return unicode_encode(ragged, output_encoding, errors, replacement_char)[0]


def _one_row(points: Tensor) -> Tensor:
    size = functions["cast"](functions["shape"](points), "int64")
    return functions["concat"]([Tensor(np.zeros(1, np.int64)), size], axis=0)
