"""split, length, case, regex, numbers: operations on byte strings.

Lengths and positions count bytes, or code points where `unit="UTF8_CHAR"`. All run on NumPy: XLA knows no strings.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Array
from tensorsmith.structures.lifting import quietly, several
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.structures.ragged_ops import elementwise
from tensorsmith.tensor.apply import functions, op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_INT32, _INT64, _STRING = np.dtype("int32"), np.dtype("int64"), np.dtype(object)


def each(function: Callable[..., Any], dtype: Any, *arrays: Any) -> np.ndarray:
    """`function` of the elements at the same places of arrays that broadcast."""
    wide = np.broadcast_arrays(*arrays)
    out = np.empty(wide[0].shape, dtype)
    flat = out.reshape(-1)
    for at, items in enumerate(zip(*(array.reshape(-1) for array in wide))):
        flat[at] = function(*items)
    return out


def same_shape(dtype: np.dtype) -> Any:
    return lambda specs, settings: [(specs[0][0], dtype)]


def _unit(unit: str, who: str) -> bool:
    """True where positions count code points."""
    if unit not in ("BYTE", "UTF8_CHAR"):
        raise ValueError(explain(who, "unknown unit", {"unit": unit}, 'it must be "BYTE" or "UTF8_CHAR"'))
    return unit == "UTF8_CHAR"


# ---- the operations, each on byte strings of any shape


@op(kinds="O", differentiable=False, shapes=same_shape(_INT32))
def string_length(xp, x: Array, unit="BYTE"):
    """The length of each string, int32."""
    if _unit(unit, "strings.length"):
        # continuation bytes are 10xxxxxx: all others begin a code point
        return each(lambda s: sum((byte & 0xC0) != 0x80 for byte in s), _INT32, x)
    return each(len, _INT32, x)


def _changed_case(
    text: Callable[[str], str], raw: Callable[[bytes], bytes], encoding: str, who: str
) -> Callable[[bytes], bytes]:
    if encoding not in ("", "utf-8"):
        raise ValueError(explain(who, "unknown encoding", {"encoding": encoding}, 'it must be "" (ASCII) or "utf-8"'))
    return (lambda s: text(s.decode("utf-8", "replace")).encode()) if encoding else raw


@op(kinds="O", differentiable=False, shapes=same_shape(_STRING))
def string_upper(xp, x: Array, encoding=""):
    """Capital letters: of ASCII, or of Unicode with encoding="utf-8"."""
    return each(_changed_case(str.upper, bytes.upper, encoding, "strings.upper"), _STRING, x)


@op(kinds="O", differentiable=False, shapes=same_shape(_STRING))
def string_lower(xp, x: Array, encoding=""):
    """Small letters: of ASCII, or of Unicode with encoding="utf-8"."""
    return each(_changed_case(str.lower, bytes.lower, encoding, "strings.lower"), _STRING, x)


@op(kinds="O", differentiable=False, shapes=same_shape(_STRING))
def string_strip(xp, x: Array):
    """Each string without white space at its ends."""
    return each(bytes.strip, _STRING, x)


@op(kinds="O", differentiable=False, same=False, shapes=same_shape(_STRING))
def string_substr(xp, x: Array, pos: Array, count: Array, unit="BYTE"):
    """`count` units of each string from `pos` on (from the end where it is negative)."""
    whole = _unit(unit, "strings.substr")

    def part(s: bytes, at: int, count: int) -> bytes:
        units: Any = s.decode("utf-8", "surrogateescape") if whole else s
        size = len(units)
        if not -size <= at <= size:
            raise InvalidArgumentError(
                explain("strings.substr", "pos lies outside a string", {"pos": int(at), "string": s})
            )
        first = at + size if at < 0 else at
        found = units[first : first + max(int(count), 0)]
        return found.encode("utf-8", "surrogateescape") if whole else found

    return each(part, _STRING, x, pos, count)


@op(kinds="O", differentiable=False, shapes=same_shape(_STRING))
def string_regex_replace(xp, x: Array, pattern: Any = "", rewrite: Any = "", replace_global=True):
    """Each string with the matches of a pattern (only the first, unless global) written anew."""
    compiled = _compiled(bytes_of(pattern), "strings.regex_replace")
    target = re.sub(rb"\\(\d)", rb"\\g<\1>", bytes_of(rewrite))
    return each(lambda s: compiled.sub(target, s, 0 if replace_global else 1), _STRING, x)


@op(kinds="O", differentiable=False, shapes=same_shape(np.dtype(bool)))
def string_full_match(xp, x: Array, pattern: Any = ""):
    """Whether a pattern matches the whole of each string."""
    compiled = _compiled(bytes_of(pattern), "strings.regex_full_match")
    return each(lambda s: compiled.fullmatch(s) is not None, np.dtype(bool), x)


@functools.lru_cache(256)
def _compiled(pattern: bytes, who: str) -> re.Pattern[bytes]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise InvalidArgumentError(explain(who, f"the pattern cannot be read: {error}", {"pattern": pattern})) from None


def bytes_of(value: Any) -> bytes:
    if isinstance(value, Tensor):
        value = value.numpy()
    return value.encode() if isinstance(value, str) else bytes(value)


@op(
    kinds="O",
    differentiable=False,
    shapes=lambda specs, settings: [(specs[0][0], as_dtype(settings["out_type"]).numpy_dtype)],
)
def string_to_number(xp, x: Array, out_type="float32"):
    """The number that each string tells, in the dtype asked."""
    dtype = as_dtype(out_type).numpy_dtype
    read = float if dtype.kind == "f" else int

    def number(s: bytes) -> Any:
        try:
            return read(s)
        except ValueError:
            raise InvalidArgumentError(
                explain(
                    "strings.to_number", "a string is no number", {"string": s, "out_type": as_dtype(out_type).name}
                )
            ) from None

    return each(number, dtype, x)


@op(differentiable=False, shapes=same_shape(_STRING))
def string_of(xp, x: Array, precision=-1, scientific=False, shortest=False, width=-1, fill=""):
    """Each number or boolean as a string."""
    kind = x.dtype.kind
    if kind == "O":
        return x.copy()
    if (precision >= 0 or scientific or shortest) and kind not in "fc":
        raise InvalidArgumentError(
            explain("strings.as_string", "precision and notation are for floats", {"input": describe(x)})
        )
    mark = "e" if scientific else "g" if shortest else "f"
    digits = "" if precision < 0 else f".{precision}"
    # the width in front of the precision, as in "08.3f"
    pad = "" if width < 0 else f"{fill}{width}" if fill in ("", "0") else f"{'<' if fill == '-' else fill}{width}"
    form = f"{pad}{digits}{mark}" if kind == "f" else pad

    def written(value: Any) -> bytes:
        if kind == "b":
            return b"true" if value else b"false"
        return f"{value.item():{form}}".encode()

    return each(written, _STRING, x)


def _pieces_shapes(specs: Any, settings: Any) -> Any:
    size = specs[0][0][0]
    return ((None,), _STRING), ((None if size is None else size + 1,), _INT64)


@op(kinds="O", eager=True, differentiable=False, shapes=_pieces_shapes)
def string_pieces(xp, x: Array, sep=None, maxsplit=-1):
    """The pieces of strings [n], and the row splits [n + 1] that tell whose they are.

    sep  what stands between pieces; None or empty: white space, of which any amount counts once.
    """
    cut = bytes_of(sep) if sep else None
    return _flat([_split_at_spaces(s, maxsplit) if cut is None else s.split(cut, maxsplit) for s in x])


def _split_at_spaces(s: bytes, maxsplit: int) -> list[bytes]:
    """As bytes.split, but what is behind the last split stays as it is, even if it is nothing or white space."""
    if maxsplit < 0:
        return s.split()
    if maxsplit == 0:
        return [s]
    pieces = s.split(None, maxsplit)
    return [*pieces, b""] if len(pieces) == maxsplit else pieces


@op(kinds="O", eager=True, differentiable=False, shapes=_pieces_shapes)
def string_bytes(xp, x: Array):
    """The bytes of strings [n], and the row splits [n + 1] that tell whose they are."""
    return _flat([[s[i : i + 1] for i in range(len(s))] for s in x])


def _flat(rows: list[list[bytes]]) -> tuple[np.ndarray, np.ndarray]:
    pieces = [piece for row in rows for piece in row]
    flat = np.empty(len(pieces), _STRING)
    flat[:] = pieces
    return flat, row_splits_of(rows)


def row_splits_of(rows: Sequence[Sequence[Any]]) -> np.ndarray:
    """Where each row ends, after a 0."""
    return np.cumsum([0, *map(len, rows)]).astype(_INT64)


# ---- the public functions: they take ragged tensors too


def mapped(call: Callable[..., Any], *inputs: Any) -> Any:
    if any(is_ragged(i) for i in inputs):
        return elementwise(call, list(inputs))
    return call(*inputs)


def length(input: Any, unit: str = "BYTE", name: str | None = None) -> Any:
    """The length of each string, int32: in bytes, or in code points with unit="UTF8_CHAR".

    >>> length(["ab", "é"]).numpy(), length("é", unit="UTF8_CHAR").numpy().item()
    (array([2, 2], dtype=int32), 1)
    """
    return mapped(lambda x: string_length(x, unit=unit), input)


def upper(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Each string in capital letters; encoding="utf-8" for others than ASCII."""
    return mapped(lambda x: string_upper(x, encoding=encoding), input)


def lower(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Each string in small letters; encoding="utf-8" for others than ASCII."""
    return mapped(lambda x: string_lower(x, encoding=encoding), input)


def strip(input: Any, name: str | None = None) -> Any:
    """Each string without white space at its ends."""
    return mapped(string_strip, input)


def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE", name: str | None = None) -> Any:
    """`len` units of each string from `pos` on; a negative `pos` counts from the end.

    Raises InvalidArgumentError where `pos` lies outside a string.

    >>> substr("hello", 1, 3).numpy()
    b'ell'
    """
    return mapped(lambda x: string_substr(x, convert(pos), convert(len), unit=unit), input)


def regex_replace(input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None) -> Any:
    """Each string with the matches of `pattern` written as `rewrite`, in which \\\\1 stands for the first group."""
    return mapped(
        lambda x: string_regex_replace(
            x, pattern=bytes_of(pattern), rewrite=bytes_of(rewrite), replace_global=replace_global
        ),
        input,
    )


def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Any:
    """Whether `pattern` matches the whole of each string.

    >>> regex_full_match(["a1", "a"], "[a-z][0-9]").numpy()
    array([ True, False])
    """
    return mapped(lambda x: string_full_match(x, pattern=bytes_of(pattern)), input)


def to_number(input: Any, out_type: Any = "float32", name: str | None = None) -> Any:
    """The number in each string; InvalidArgumentError, quoting the string, where there is none."""
    return mapped(lambda x: string_to_number(x, out_type=as_dtype(out_type).name), input)


def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Any:
    """Each number as a string: 6 digits behind the point for floats, unless `precision` says otherwise."""
    settings = {"precision": precision, "scientific": scientific, "shortest": shortest, "width": width, "fill": fill}
    return mapped(lambda x: string_of(x, **settings), input)


def split(input: Any, sep: Any = None, maxsplit: int = -1, name: str | None = None) -> Any:
    """The pieces of each string: a Tensor for one string, a RaggedTensor with one axis more otherwise.

    sep  what stands between pieces; by default white space, of which any amount counts once.

    >>> split(["a b", "c"])
    <tf.RaggedTensor [[b'a', b'b'], [b'c']]>
    """
    return pieces_of(
        input, lambda flat: string_pieces(flat, sep=bytes_of(sep) if sep is not None else None, maxsplit=maxsplit)
    )


def bytes_split(input: Any, name: str | None = None) -> Any:
    """The bytes of each string, with one axis more."""
    return pieces_of(input, several(string_bytes))


def pieces_of(strings: Any, cut: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Any:
    """What `cut` makes of each string, in the form of the input with one axis more."""
    return tables_of(strings, cut)[0]


def tables_of(strings: Any, cut: Callable[[Tensor], tuple[Tensor, ...]]) -> list[Any]:
    """The values that `cut` makes of each string, in the form of the input with one axis more.

    cut  gives values, the row splits, and further values of the same rows.
    """
    if is_ragged(strings):
        return [strings.with_values(table) for table in tables_of(strings.values, cut)]
    strings = convert(strings, "string")
    rank = len(strings.shape)
    flat = strings if rank == 1 else functions["reshape"](strings, (-1,))
    values, splits, *further = quietly(cut, flat)
    if rank == 0:
        return [values, *further]
    tables = [RaggedTensor(v, splits) for v in (values, *further)]
    for size in reversed(tuple(strings.shape)[1:]):
        tables = [RaggedTensor.from_uniform_row_length(table, size, validate=False) for table in tables]
    return tables


def format(template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None) -> Tensor:  # noqa: A001
    """The template with each placeholder replaced by the text of an input."""
    parts = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    pieces = template.split(placeholder)
    if len(pieces) != len(parts) + 1:
        raise ValueError(
            explain(
                "strings.format",
                "the numbers of placeholders and inputs differ",
                {"placeholders": len(pieces) - 1, "inputs": len(parts)},
            )
        )
    texts = [str(convert(part).numpy()) for part in parts]
    return convert("".join(a + b for a, b in zip(pieces, [*texts, ""])))
