"""Code points: encode, decode, split, each with the places in the bytes, and the script of each."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Array
from tensorsmith.structures.decoding import REPLACEMENT, Policy, decoded, encoded, output_codec
from tensorsmith.structures.ragged import is_ragged
from tensorsmith.structures.scripts import scripts_of
from tensorsmith.structures.strings import each, laid_out, mapped, row_splits_of, same_shape, tables_of
from tensorsmith.tensor.apply import functions, op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_STRING, _INT32, _INT64 = np.dtype(object), np.dtype("int32"), np.dtype("int64")


def _points_shapes(specs: Any, settings: Any) -> Any:
    size = specs[0][0][0]
    return ((None,), _INT32), ((None if size is None else size + 1,), _INT64), ((None,), _INT64)


@op(kinds="O", eager=True, differentiable=False, shapes=_points_shapes)
def string_code_points(xp, x: Array, encoding="UTF-8", errors="replace", replacement=REPLACEMENT, controls=False):
    """The code points of strings [n], the row splits [n + 1] that tell whose they are, and where each began in its bytes."""
    who = "strings.unicode_decode"
    policy = Policy(errors, replacement, controls).checked(who)
    rows = [decoded(s, encoding, policy, who) for s in x]
    found = np.array([pair for row in rows for pair in row], _INT64).reshape(-1, 2)
    return found[:, 0].astype(_INT32), row_splits_of(rows), found[:, 1].copy()


def _characters_shapes(specs: Any, settings: Any) -> Any:
    return ((None,), _STRING), *_points_shapes(specs, settings)[1:]


@op(kinds="O", eager=True, differentiable=False, shapes=_characters_shapes)
def string_characters(xp, x: Array, encoding="UTF-8", errors="replace", replacement=REPLACEMENT):
    """The characters of strings [n], the row splits [n + 1] that tell whose they are, and where each began in its bytes."""
    who = "strings.unicode_split"
    policy, codec = Policy(errors, replacement).checked(who), output_codec(encoding, who)
    rows = [decoded(s, encoding, policy, who) for s in x]
    # what was found is written whatever it is: only the input can be invalid
    written = Policy("replace", replacement)
    characters = [[encoded([point], codec, written, who) for point, _ in row] for row in rows]
    return *laid_out(characters), np.array([at for row in rows for _, at in row], _INT64)


@op(kinds="i", differentiable=False, same=False, shapes=lambda specs, settings: [((_rows(specs),), _STRING)])
def string_of_code_points(xp, x: Array, row_splits: Array, encoding="UTF-8", errors="replace", replacement=REPLACEMENT):
    """The strings [n] of code points; row i takes x[row_splits[i]:row_splits[i + 1]]."""
    who = "strings.unicode_encode"
    policy, codec = Policy(errors, replacement).checked(who), output_codec(encoding, who)
    out = np.empty(len(row_splits) - 1, object)
    out[:] = [encoded(x[a:b].tolist(), codec, policy, who) for a, b in pairwise(row_splits)]
    return out


def _rows(specs: Any) -> int | None:
    size = specs[1][0][0]
    return None if size is None else size - 1


@op(kinds="O", differentiable=False, shapes=same_shape(_STRING))
def string_transcoded(
    xp, x: Array, encoding="UTF-8", output="UTF-8", errors="replace", replacement=REPLACEMENT, controls=False
):
    """Each string in another encoding."""
    who = "strings.unicode_transcode"
    policy, codec = Policy(errors, replacement, controls, controls_strict=True).checked(who), output_codec(output, who)
    written = Policy("replace", replacement)

    def other(s: bytes) -> bytes:
        return encoded([point for point, _ in decoded(s, encoding, policy, who)], codec, written, who)

    return each(other, _STRING, x)


@op(kinds="i", differentiable=False, eager=True, shapes=same_shape(_INT32))
def code_point_script(xp, x: Array):
    """The number of the script of each code point."""
    return scripts_of(x)


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
    found = unicode_decode_with_offsets(input, input_encoding, errors, replacement_char, replace_control_characters)
    return found[0]


def unicode_decode_with_offsets(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = REPLACEMENT,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> tuple[Any, Any]:
    """The code points of each string, as `unicode_decode` gives them, and the place of the first byte of each, int64.

    >>> points, starts = unicode_decode_with_offsets("é!", "UTF-8")
    >>> starts.numpy()
    array([0, 2])
    """
    settings = {
        "encoding": input_encoding,
        "errors": errors,
        "replacement": replacement_char,
        "controls": replace_control_characters,
    }
    points, starts = tables_of(input, lambda flat: string_code_points(flat, **settings))
    return points, starts


def unicode_split(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = REPLACEMENT,
    name: str | None = None,
) -> Any:
    """The characters of each string, each a string of its own in the same encoding: UTF-8, UTF-16-BE or UTF-32-BE.

    errors  as those of `unicode_decode`.

    >>> [character.decode() for character in unicode_split("é!", "UTF-8").numpy()]
    ['é', '!']
    """
    return unicode_split_with_offsets(input, input_encoding, errors, replacement_char)[0]


def unicode_split_with_offsets(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = REPLACEMENT,
    name: str | None = None,
) -> tuple[Any, Any]:
    """The characters of each string, as `unicode_split` gives them, and the place of the first byte of each, int64.

    >>> characters, starts = unicode_split_with_offsets(["é!", "a"], "UTF-8")
    >>> starts
    <tf.RaggedTensor [[0, 2], [0]]>
    """
    settings = {"encoding": input_encoding, "errors": errors, "replacement": replacement_char}
    characters, starts = tables_of(input, lambda flat: string_characters(flat, **settings))
    return characters, starts


def unicode_encode(
    input: Any,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = REPLACEMENT,
    name: str | None = None,
) -> Any:
    """The strings of code points (int32) along the last axis, in UTF-8, UTF-16-BE or UTF-32-BE.

    errors  what a number that is no character becomes: "replace" by `replacement_char`, "ignore", or
            "strict", which raises InvalidArgumentError.

    >>> unicode_encode([99, 97, 102, 233], "UTF-8").numpy().decode()
    'café'
    """
    points: Any = input if is_ragged(input) else convert(input)

    def written(flat: Tensor, splits: Tensor) -> Tensor:
        return string_of_code_points(
            flat, splits, encoding=output_encoding, errors=errors, replacement=replacement_char
        )

    if is_ragged(points):
        if not is_ragged(points.values) and len(points.values.shape) == 1:
            return written(points.values, points.row_splits)
        return points.with_values(unicode_encode(points.values, output_encoding, errors, replacement_char))
    if not points.shape.rank:
        raise ValueError(
            explain(
                "strings.unicode_encode", "code points of at least one axis are needed", {"input": describe(points)}
            )
        )
    sizes = functions["shape"](points, out_type="int64")
    splits = functions["range"](functions["reduce_prod"](sizes[:-1]) + 1) * sizes[-1]
    words = written(functions["reshape"](points, (-1,)), splits)
    known = tuple(points.shape[:-1])
    return functions["reshape"](words, sizes[:-1] if None in known else known)


def unicode_transcode(
    input: Any,
    input_encoding: str,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = REPLACEMENT,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """Each string in another encoding: UTF-8, UTF-16-BE or UTF-32-BE.

    input_encoding  any that Python knows, such as "UTF-16" (with or without a byte order mark) or "latin1".
    errors          as those of `unicode_decode`.
    replace_control_characters  True: so are the code points below 32.

    >>> unicode_transcode(["é"], "UTF-8", "UTF-16-BE").numpy()
    array([b'\\x00\\xe9'], dtype=object)
    """
    settings = {
        "encoding": input_encoding,
        "output": output_encoding,
        "errors": errors,
        "replacement": replacement_char,
        "controls": replace_control_characters,
    }
    return mapped(lambda x: string_transcoded(x, **settings), input)


def unicode_script(input: Any, name: str | None = None) -> Any:
    """The number of the script of each code point (int32), as in ICU: 25 for Latin, 14 for Greek, 17 for Han.

    0 is what scripts share, 103 what no script has, -1 what is no code point.

    >>> unicode_script([ord("a"), ord("Ω"), ord("!")]).numpy()
    array([25, 14,  0], dtype=int32)
    """
    return mapped(code_point_script, input)
