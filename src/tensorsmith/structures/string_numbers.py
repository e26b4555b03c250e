"""Numbers as strings and back, and whole tensors as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.function.texts import elements
from tensorsmith.program.op import Array, Arrays
from tensorsmith.structures.ragged import is_ragged
from tensorsmith.structures.strings import each, mapped, of_strings, same_shape, string_regex_replace
from tensorsmith.tensor.apply import functions, op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_STRING = np.dtype(object)
_READ = ("float32", "float64", "int32", "int64", "uint32", "uint64")

# ---- strings to numbers

_DECIMAL = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEXADECIMAL = re.compile(rb"([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?[0-9]+))?")
_NO_NUMBER = re.compile(rb"([+-]?)(inf(?:inity)?|nan(?:\([0-9a-zA-Z_]*\))?)", re.IGNORECASE)
_WHOLE = {True: re.compile(rb"[+-]?[0-9]+"), False: re.compile(rb"\+?[0-9]+")}


@op(
    kinds="O",
    differentiable=False,
    shapes=lambda specs, settings: [(specs[0][0], as_dtype(settings["out_type"]).numpy_dtype)],
)
def string_to_number(xp, x: Array, out_type="float32"):
    """The number that each string tells, in the dtype asked."""
    kind = as_dtype(out_type)
    dtype = _readable(kind).numpy_dtype

    def number(s: bytes) -> Any:
        found = (_float if dtype.kind == "f" else _integer)(s.strip(), dtype)
        if found is None:
            raise InvalidArgumentError(
                explain("strings.to_number", "a string is no number", {"string": s, "out_type": kind.name})
            )
        return found

    return each(number, dtype, x)


def _readable(kind: DType) -> DType:
    if kind.name not in _READ:
        raise InvalidArgumentError(
            explain(
                "strings.to_number",
                "strings are not read as this dtype",
                {"out_type": kind.name},
                f"give one of {_READ}",
            )
        )
    return kind


def _integer(text: bytes, dtype: np.dtype) -> int | None:
    if not _WHOLE[dtype.kind == "i"].fullmatch(text):
        return None
    limits, value = np.iinfo(dtype), int(text)
    return value if limits.min <= value <= limits.max else None


def _float(text: bytes, dtype: np.dtype) -> Any:
    if found := _NO_NUMBER.fullmatch(text):
        value = float("-" + found[2][:3].decode() if found[1] == b"-" else found[2][:3])
        return dtype.type(value)
    if _DECIMAL.fullmatch(text):
        value = float(text)
    elif (found := _HEXADECIMAL.fullmatch(text)) and found[2] + found[3]:
        try:
            value = float.fromhex(text.decode())
        except OverflowError:
            value = float("-inf" if found[1] == b"-" else "inf")
    else:
        return None
    return value if dtype.itemsize == 8 else _single(value, text)


def _single(value: float, text: bytes) -> np.float32:
    """A number in float32, rounded once: its double may lie half way between two although the text does not."""
    with np.errstate(over="ignore", under="ignore"):
        near = np.float32(value)
        if not np.isfinite(value) or float(near) == value:
            return near
        other = np.nextafter(near, np.float32(np.inf if value > float(near) else -np.inf))
        if not np.isfinite(near) or not np.isfinite(other) or (float(near) + float(other)) / 2 != value:
            return near
    exact = _fraction(text)
    return near if exact == value else max(near, other) if exact > value else min(near, other)


def _fraction(text: bytes) -> Fraction:
    found = _HEXADECIMAL.fullmatch(text)
    if found is None or not found[2] + found[3]:
        return Fraction(text.decode())
    digits = int(found[2] + found[3], 16) * (-1 if found[1] == b"-" else 1)
    return digits * Fraction(2) ** (int(found[4] or 0) - 4 * len(found[3]))


def to_number(input: Any, out_type: Any = "float32", name: str | None = None) -> Any:
    """The number in each string: decimal or hexadecimal, inf or nan, with white space around it.

    out_type  float32, float64, int32, int64, uint32 or uint64. Floats that are too large become inf.

    Raises InvalidArgumentError, quoting the string, where there is none, or an integer that does not fit.

    >>> to_number(["1e3", " 0x1p-2 "]).numpy()
    array([1.0e+03, 2.5e-01], dtype=float32)
    """
    kind = _readable(as_dtype(out_type)).name
    return mapped(lambda x: string_to_number(x, out_type=kind), of_strings(input))


# ---- numbers to strings


@op(differentiable=False, shapes=same_shape(_STRING))
def string_of(xp, x: Array, precision=-1, scientific=False, shortest=False, width=-1, fill=""):
    """Each number, boolean or string as C's printf writes it."""
    who, kind = "strings.as_string", x.dtype.kind
    floats = kind in "fc" or x.dtype == as_dtype("bfloat16").numpy_dtype
    given = {"dtype": as_dtype(x.dtype).name}
    if (scientific or shortest) and not floats and kind != "O":
        raise InvalidArgumentError(explain(who, "scientific and shortest are for floats", given))
    if precision >= 0 and not floats and kind != "O":
        raise InvalidArgumentError(explain(who, "precision is for floats", given))
    if scientific and shortest:
        raise InvalidArgumentError(explain(who, "it is written either scientific or shortest", rule="not both"))
    if fill not in ("", " ", "0", "+", "-"):
        raise InvalidArgumentError(explain(who, "unknown fill", {"fill": fill}, 'it must be one of " ", "0", "+", "-"'))
    size = str(width) if width > 0 else ""
    if kind == "b":
        return each(lambda value: b"true" if value else b"false", _STRING, x)
    if kind == "O":
        if not size:
            return x.copy()
        form = f"%{'-' if fill == '-' else ''}{size}{f'.{precision}' if precision >= 0 else ''}s".encode()
        return each(lambda value: form % value, _STRING, x)
    if not floats:
        form = f"%{'' if kind == 'u' and fill in ' +' else fill}{size}d"
        return each(lambda value: (form % value).encode(), _STRING, x)
    digits = f".{precision}" if precision >= 0 else ""
    form = f"%{fill}{size}{digits}{'e' if scientific else 'g' if shortest else 'f'}"

    def written(value: float) -> str:
        if np.isfinite(value):
            return form % value
        sign = "-" if np.signbit(value) else fill if fill in " +" else ""
        # zeros are not put in front of what is no number
        return f"%{'-' if fill == '-' else ''}{size}s" % (sign + ("nan" if np.isnan(value) else "inf"))

    if kind == "c":
        return each(lambda value: f"({written(value.real)},{written(value.imag)})".encode(), _STRING, x)
    return each(lambda value: written(value).encode(), _STRING, x.astype("float64"))


def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Any:
    """Each number as a string: 6 digits behind the point for floats, unless `precision` says otherwise.

    scientific  with an exponent, as 1.500000e+00.
    shortest    as 1.5 or 1e+20, at most `precision` digits.
    width       spaces are put in front of what is shorter.
    fill        "0" for zeros instead, "-" for spaces behind, "+" or " " for such a sign of numbers that are not below 0.

    Raises InvalidArgumentError for a precision or notation of what is no float.

    >>> as_string([1.5, -2.0], precision=2, width=6).numpy()
    array([b'  1.50', b' -2.00'], dtype=object)
    """
    settings = {"precision": precision, "scientific": scientific, "shortest": shortest, "width": width, "fill": fill}
    return mapped(lambda x: string_of(x, **settings), input)


# ---- tensors as text


@op(same=False, differentiable=False, shapes=lambda specs, settings: [((), _STRING)])
def string_formatted(xp, inputs: Arrays, template: Any = "{}", placeholder="{}", summarize=3):
    """The template with each placeholder replaced by the text of an input."""
    texts = [elements(np.asarray(x), summarize) for x in inputs]
    text = "".join(a + b for a, b in zip(template.split(placeholder), [*texts, ""]))
    out = np.empty((), _STRING)
    out[()] = text.encode("utf-8", "surrogateescape")
    return out


@op(same=False, differentiable=False, shapes=lambda specs, settings: [((_less(specs[1][0][0]),), _STRING)])
def string_listed(xp, x: Array, row_splits: Array, summarize=3):
    """The strings of each row between brackets, of long rows so many at both ends."""
    out = np.empty(len(row_splits) - 1, _STRING)
    for row, (first, last) in enumerate(zip(row_splits[:-1].tolist(), row_splits[1:].tolist())):
        parts = x[first:last].tolist()
        if 0 <= summarize * 2 < len(parts):
            parts = [*parts[:summarize], b"...", *parts[len(parts) - summarize :]]
        out[row] = b"[" + b", ".join(parts) + b"]"
    return out


def _less(size: int | None) -> int | None:
    return None if size is None else size - 1


def _ragged_text(value: Any, summarize: int) -> Tensor:
    flat = value.flat_values
    if flat.dtype == "string":
        quoted = string_regex_replace(flat, pattern=rb"(['\\])", rewrite=rb"\\\1")
        texts = functions["string_join"]([convert("'"), quoted, convert("'")])
    else:
        texts = string_of(flat)
    sizes = tuple(flat.shape)[1:]
    texts = functions["reshape"](texts, (-1,))
    for size in sizes[::-1]:
        rows = functions["shape"](texts)[0] // size
        texts = string_listed(texts, functions["range"](rows + 1) * size, summarize=summarize)
    for splits in (*reversed(value.nested_row_splits), functions["stack"]([0, value.nrows(out_type="int32")])):
        texts = string_listed(texts, splits, summarize=summarize)
    return functions["reshape"](texts, ())


def format(template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None) -> Tensor:  # noqa: A001
    """The template with each placeholder replaced by the text of an input, in order.

    inputs     a tensor (ragged ones too), or a list or tuple of them.
    summarize  how many elements are written at both ends of each axis; below 0: all.

    Raises ValueError where the numbers of placeholders and inputs differ.

    >>> import tensorsmith as tf
    >>> tf.strings.format("x: {}", tf.range(10)).numpy()
    b'x: [0 1 2 ... 7 8 9]'
    """
    parts: Sequence[Any] = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    count = template.count(placeholder)
    if count != len(parts):
        raise ValueError(
            explain(
                "strings.format",
                "the numbers of placeholders and inputs differ",
                {"placeholders": count, "inputs": len(parts)},
            )
        )
    settings = {"placeholder": placeholder, "summarize": int(summarize)}
    if not any(map(is_ragged, parts)):
        return string_formatted([convert(part) for part in parts], template=template, **settings)
    first, *pieces = template.split(placeholder)
    texts: list[Any] = [first]
    for part, piece in zip(parts, pieces):
        texts += [
            _ragged_text(part, int(summarize)) if is_ragged(part) else format(placeholder, part, **settings),
            piece,
        ]
    return functions["string_join"]([convert(text) for text in texts])
