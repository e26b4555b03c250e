"""split, length, case, parts, patterns: operations on byte strings.

Lengths and positions count bytes, or code points where `unit="UTF8_CHAR"`. All run on NumPy: XLA knows no strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Array
from tensorsmith.structures.lifting import quietly, several
from tensorsmith.structures.matching import Matcher, matcher, replaced
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.structures.ragged_ops import elementwise
from tensorsmith.structures.regex import PatternError
from tensorsmith.tensor.apply import functions, op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

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
        raise InvalidArgumentError(explain(who, "unknown unit", {"unit": unit}, 'it must be "BYTE" or "UTF8_CHAR"'))
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
        raise InvalidArgumentError(
            explain(who, "unknown encoding", {"encoding": encoding}, 'it must be "" (ASCII) or "utf-8"')
        )
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
        # a character is a byte and all bytes behind it that begin none
        units: Any = re.findall(rb"(?s).[\x80-\xbf]*", s) if whole else s
        size = len(units)
        if not -size <= at <= size:
            raise InvalidArgumentError(
                explain("strings.substr", "pos lies outside a string", {"pos": int(at), "string": s})
            )
        first = at + size if at < 0 else at
        if whole:
            return b"".join(units[first : first + max(int(count), 0)])
        # as in TensorFlow, a length below 0 means all that is left (in bytes alone)
        return units[first:] if count < 0 else units[first : first + int(count)]

    return each(part, _STRING, x, pos, count)


@op(kinds="O", differentiable=False, same=False, shapes=same_shape(_STRING))
def string_regex_replace(
    xp,
    x: Array,
    late_pattern: Array | None = None,
    late_rewrite: Array | None = None,
    pattern: Any = "",
    rewrite: Any = "",
    replace_global=True,
):
    """Each string with the matches of a pattern (only the first, unless global) written anew.

    The pattern and what is written are settings, or values where they are known only when the program runs.
    """
    ready = _ready(_one(pattern, late_pattern), "strings.regex_replace")
    target = _one(rewrite, late_rewrite)
    return each(lambda s: replaced(s, ready, target, replace_global), _STRING, x)


@op(kinds="O", differentiable=False, same=False, shapes=same_shape(np.dtype(bool)))
def string_full_match(xp, x: Array, late_pattern: Array | None = None, pattern: Any = ""):
    """Whether a pattern, a setting or a value, matches the whole of each string."""
    return each(_ready(_one(pattern, late_pattern), "strings.regex_full_match").full, np.dtype(bool), x)


def _one(setting: Any, late: Any) -> bytes:
    return bytes_of(setting if late is None else late)


def _late(value: Any) -> tuple[Tensor | None, bytes]:
    """One string as a value, where it is known only when a program runs, else as a setting."""
    return (value, b"") if isinstance(value, Symbol) else (None, bytes_of(value))


def _ready(pattern: bytes, who: str) -> Matcher:
    try:
        return matcher(pattern)
    except PatternError as error:
        raise InvalidArgumentError(
            explain(
                who,
                f"the pattern cannot be read: {error}",
                {"pattern": pattern},
                "patterns are in RE2's syntax, which has no look-around and no reference to a group",
            )
        ) from None


def bytes_of(value: Any) -> bytes:
    """The bytes of one string."""
    if isinstance(value, (str, bytes)):
        return value.encode() if isinstance(value, str) else value
    given = value[()] if isinstance(value, np.ndarray) and not value.ndim else convert(value, "string").numpy()
    if not isinstance(given, bytes):
        raise InvalidArgumentError(
            explain("tf.strings", "one string is needed, not several", {"given": given.tolist()})
        )
    return given


def of_strings(value: Any) -> Any:
    """A value as a tensor, or ragged tensor, of strings.

    Raises InvalidArgumentError for a tensor of another dtype, TypeError for other values.
    """
    if not is_ragged(value) and not isinstance(value, Tensor):
        return convert(value, "string")
    if value.dtype != "string":
        raise InvalidArgumentError(explain("tf.strings", "strings are needed", {"given": describe(value)}))
    return value


def _pieces_shapes(specs: Any, settings: Any) -> Any:
    size = specs[0][0][0]
    return ((None,), _STRING), ((None if size is None else size + 1,), _INT64)


@op(kinds="O", eager=True, differentiable=False, same=False, shapes=_pieces_shapes)
def string_pieces(xp, x: Array, late_sep: Array | None = None, sep=None, maxsplit=-1):
    """The pieces of strings [n], and the row splits [n + 1] that tell whose they are.

    sep  what stands between pieces (or `late_sep`, a value); None or empty: white space, of which any amount counts once.
    """
    cut = _one(sep or b"", late_sep) or None
    return laid_out([_split_at_spaces(s, maxsplit) if cut is None else s.split(cut, maxsplit) for s in x])


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
    return laid_out([[s[i : i + 1] for i in range(len(s))] for s in x])


def laid_out(rows: list[list[bytes]]) -> tuple[np.ndarray, np.ndarray]:
    """The strings of all rows one after another, and where each row ends, after a 0."""
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
    return mapped(lambda x: string_length(x, unit=unit), of_strings(input))


def upper(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Each string in capital letters; encoding="utf-8" for others than ASCII."""
    return mapped(lambda x: string_upper(x, encoding=encoding), of_strings(input))


def lower(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Each string in small letters; encoding="utf-8" for others than ASCII."""
    return mapped(lambda x: string_lower(x, encoding=encoding), of_strings(input))


def strip(input: Any, name: str | None = None) -> Any:
    """Each string without white space at its ends."""
    return mapped(string_strip, of_strings(input))


def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE", name: str | None = None) -> Any:
    """`len` units of each string from `pos` on; a negative `pos` counts from the end.

    pos, len  integers of one shape and dtype, which broadcast with the strings. In bytes a `len` below 0 means all.

    Raises InvalidArgumentError where `pos` lies outside a string, or the shapes of `pos` and `len` differ.

    >>> substr("hello", 1, 3).numpy()
    b'ell'
    """
    places = convert(pos)
    counts = convert(len, None, places.dtype.numpy_dtype)
    if places.dtype != counts.dtype or not places.dtype.is_integer:
        raise InvalidArgumentError(
            explain(
                "strings.substr",
                "pos and len must be integers of one dtype",
                {"pos": describe(places), "len": describe(counts)},
            )
        )
    if places.shape.rank != counts.shape.rank or not places.shape.is_compatible_with(counts.shape):
        raise InvalidArgumentError(
            explain(
                "strings.substr",
                "pos and len must have one shape",
                {"pos": tuple(places.shape), "len": tuple(counts.shape)},
            )
        )
    return mapped(lambda x: string_substr(x, places, counts, unit=unit), of_strings(input))


def regex_replace(input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None) -> Any:
    """Each string with the matches of `pattern` (only the first one, unless `replace_global`) written as `rewrite`.

    pattern  in RE2's syntax: code points of UTF-8, \\pL and \\p{Greek}, [[:alpha:]], (?P<name>...), (?i), (?s), (?m), (?U),
             \\A, \\z, \\b, \\C, \\Q...\\E; \\d, \\s and \\w are ASCII. It has no look-around and no reference to a group.
    rewrite  \\0 stands for the match, \\1 to \\9 for its groups.

    Raises InvalidArgumentError for a pattern that cannot be read.

    >>> regex_replace("aXbX", "(.)X", r"<\\1>").numpy()
    b'<a><b>'
    """
    (late_pattern, known), (late_rewrite, target) = _late(pattern), _late(rewrite)
    settings = {"pattern": known, "rewrite": target, "replace_global": replace_global}
    return mapped(lambda x: string_regex_replace(x, late_pattern, late_rewrite, **settings), of_strings(input))


def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Any:
    """Whether `pattern`, in the syntax of `regex_replace`, matches the whole of each string.

    >>> regex_full_match(["a1", "a"], "[a-z][0-9]").numpy()
    array([ True, False])
    """
    late, known = _late(pattern)
    return mapped(lambda x: string_full_match(x, late, pattern=known), of_strings(input))


def split(input: Any, sep: Any = None, maxsplit: int = -1, name: str | None = None) -> Any:
    """The pieces of each string: a Tensor for one string, a RaggedTensor with one axis more otherwise.

    sep  what stands between pieces; by default white space, of which any amount counts once.

    >>> split(["a b", "c"])
    <tf.RaggedTensor [[b'a', b'b'], [b'c']]>
    """
    late, known = _late(b"" if sep is None else sep)
    return pieces_of(input, lambda flat: string_pieces(flat, late, sep=known or None, maxsplit=maxsplit))


def bytes_split(input: Any, name: str | None = None) -> Any:
    """The bytes of each string, with one axis more."""
    return pieces_of(input, several(string_bytes))


def pieces_of(strings: Any, cut: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Any:
    """What `cut` makes of each string, in the form of the input with one axis more."""
    return tables_of(strings, cut)[0]


def _in_rows_of(tables: list[Any], strings: Tensor, axis: int) -> list[Any]:
    """Tables of what stands along an axis of a dense tensor, as rows of so many."""
    size, before = strings.shape[axis], tuple(strings.shape[:axis])
    if size is None or None in before and not size:
        sizes = functions["shape"](strings, out_type="int64")
        splits = functions["range"](functions["reduce_prod"](sizes[:axis]) + 1) * sizes[axis]
        return [RaggedTensor(table, splits) for table in tables]
    # (rows of no strings do not tell how many they are)
    rows = None if None in before else int(np.prod(before))
    return [RaggedTensor.from_uniform_row_length(table, size, rows, validate=False) for table in tables]


def tables_of(strings: Any, cut: Callable[[Tensor], tuple[Tensor, ...]]) -> list[Any]:
    """The values that `cut` makes of each string, in the form of the input with one axis more.

    cut  gives values, the row splits, and further values of the same rows.
    """
    if is_ragged(strings):
        return [strings.with_values(table) for table in tables_of(strings.values, cut)]
    strings = convert(strings, "string")
    shape = strings.shape
    if shape.rank is None:
        raise ValueError(explain("tf.strings", "the rank of the strings must be known", {"given": describe(strings)}))
    flat = strings if shape.rank == 1 else functions["reshape"](strings, (-1,))
    values, splits, *further = quietly(cut, flat)
    if shape.rank == 0:
        return [values, *further]
    tables = [RaggedTensor(v, splits) for v in (values, *further)]
    for axis in range(shape.rank - 1, 0, -1):
        tables = _in_rows_of(tables, strings, axis)
    return tables
