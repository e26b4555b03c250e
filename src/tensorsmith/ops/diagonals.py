"""Diagonals beside the main one, and bands of them: linalg.diag, diag_part and set_diag with an offset."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops import matrices
from tensorsmith.program.op import Array
from tensorsmith.tensor.apply import apply, plain, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_ALIGN = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")


def _length(d: Any, rows: int, columns: int) -> Any:
    """How many elements diagonal d has."""
    return np.maximum(np.minimum(rows + np.minimum(d, 0), columns - np.maximum(d, 0)), 0)


def _shift(d: Any, most: int, rows: int, columns: int, align: str) -> Any:
    """By how many places diagonal d, in a row of `most`, is moved to the right."""
    above, below = align.split("_")
    left = (d >= 0) & (above == "LEFT") | (d <= 0) & (below == "LEFT")
    return np.where(left, 0, most - _length(d, rows, columns))


def _band(who: str, k: Any, align: str) -> tuple[int, int]:
    if align not in _ALIGN:
        raise ValueError(
            explain(who, "there is no such alignment", {"align": align}, f"it is one of {', '.join(_ALIGN)}")
        )
    given = plain(k, "k")
    pair = tuple(int(d) for d in given) if isinstance(given, tuple) else (int(given), int(given))
    pair = pair * 2 if len(pair) == 1 else pair
    if len(pair) != 2 or pair[0] > pair[1]:
        raise InvalidArgumentError(explain(who, "k is a number, or two that rise", {"k": k}))
    return pair  # type: ignore[return-value]


def _placed(xp: Any, diagonals: Any, base: Any, low: int, high: int, align: str) -> Any:
    """base [..., R, C] with the diagonals [..., high - low + 1, most] low to high of its own in their places."""
    rows, columns = base.shape[-2:]
    most = diagonals.shape[-1]
    i, j = np.indices((rows, columns))
    d = j - i
    inside = (d >= low) & (d <= high)
    at = np.where(inside, np.where(d >= 0, i, j) + _shift(d, most, rows, columns, align), 0)
    found = diagonals[..., np.where(inside, high - d, 0), np.clip(at, 0, most - 1)]
    return xp.where(inside, found, base)


@primitive(kinds="fiucb")
def band_of(xp, input: Array, padding_value: Array, low: int = 0, high: int = 0, align: str = "RIGHT_LEFT"):
    """The diagonals low to high of matrices [..., R, C], the highest first: [..., high - low + 1, most]."""
    rows, columns = input.shape[-2:]
    d = np.arange(high, low - 1, -1)[:, None]
    most = int(_length(d, rows, columns).max())
    at = np.arange(most) - _shift(d, most, rows, columns, align)
    there = (at >= 0) & (at < _length(d, rows, columns))
    at = np.where(there, at, 0)
    i, j = at + np.where(there, np.maximum(-d, 0), 0), at + np.where(there, np.maximum(d, 0), 0)
    if not most:
        return xp.zeros((*input.shape[:-2], len(d), 0), input.dtype)
    return xp.where(there, input[..., i, j], padding_value)


@primitive(kinds="fiucb")
def of_band(
    xp, diagonal: Array, padding_value: Array, low: int = 0, high: int = 0, rows: int = 1, columns: int = 1,
    align: str = "RIGHT_LEFT",
):  # fmt: skip
    """Matrices [..., rows, columns] of padding_value but for the diagonals low to high, [..., high - low + 1, most]."""
    base = xp.broadcast_to(padding_value, (*diagonal.shape[:-2], rows, columns))
    return _placed(xp, diagonal, base, low, high, align)


@primitive(kinds="fiucb")
def set_band(xp, input: Array, diagonal: Array, low: int = 0, high: int = 0, align: str = "RIGHT_LEFT"):
    """Matrices [..., R, C] with the diagonals low to high replaced."""
    rows, columns = input.shape[-2:]
    most = int(_length(np.arange(low, high + 1), rows, columns).max())
    if diagonal.shape[-2:] != (high - low + 1, most):
        raise ValueError(f"the diagonals must be {(high - low + 1, most)}, not {tuple(diagonal.shape[-2:])}")
    return _placed(xp, diagonal, input, low, high, align)


def diag(
    diagonal: Any, name: str | None = "diag", k: Any = 0, num_rows: Any = -1, num_cols: Any = -1, padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Tensor:  # fmt: skip
    """Matrices [..., R, C] of diagonals: [..., n] on diagonal k, or [..., high - low + 1, n] on those of k = (low, high).

    k              0: the main diagonal, above it 1, 2, ..., below it -1, -2, ...; of several the highest comes first.
    num_rows, num_cols  the sizes; -1: as small as can be, square where both are.
    padding_value  stands everywhere else.
    align          on which side of their rows shorter diagonals lie, above the main one and below it.

    >>> import tensorsmith as tf
    >>> tf.linalg.diag([1, 2], k=1).numpy()
    array([[0, 1, 0],
           [0, 0, 2],
           [0, 0, 0]], dtype=int32)
    """
    low, high = _band("diag", k, align)
    rows, columns = int(plain(num_rows)), int(plain(num_cols))
    diagonal = convert(diagonal)
    pad = convert(padding_value, None, diagonal.dtype.numpy_dtype)
    if (low, high, rows, columns) == (0, 0, -1, -1) and not isinstance(k, (tuple, list)) and padding_value == 0:
        return matrices.diag(diagonal)
    if low == high:
        diagonal = diagonal[..., None, :]
    count, most = diagonal.shape[-2:] if diagonal.ndim > 1 else (None, None)
    if most is None or count != high - low + 1:
        raise InvalidArgumentError(
            explain("diag", "there must be a row for each diagonal", {"diagonal": diagonal.shape, "k": (low, high)})
        )
    least_rows, least_columns = most - min(high, 0), most + max(low, 0)
    if rows == columns == -1:
        rows = columns = max(least_rows, least_columns)
    rows, columns = (least if size == -1 else size for size, least in ((rows, least_rows), (columns, least_columns)))
    if rows < least_rows or columns < least_columns:
        raise InvalidArgumentError(
            explain(
                "diag", "the diagonals do not fit", {"diagonal": diagonal.shape, "num_rows": rows, "num_cols": columns}
            )
        )
    settings = {"low": low, "high": high, "rows": rows, "columns": columns, "align": align}
    return apply(of_band, (diagonal, pad), settings)


def diag_part(
    input: Any, name: str | None = "diag_part", k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT"
) -> Tensor:
    """Diagonal k of matrices [..., R, C], [..., n]; of k = (low, high) those, the highest first, [..., high - low + 1, n].

    Shorter diagonals are filled up with padding_value, on the sides that `align` says (above the main one and below it).

    >>> import tensorsmith as tf
    >>> tf.linalg.diag_part([[1, 2], [3, 4]], k=(-1, 1)).numpy()
    array([[0, 2],
           [1, 4],
           [3, 0]], dtype=int32)
    """
    low, high = _band("diag_part", k, align)
    x = convert(input)
    if (low, high) == (0, 0) and not isinstance(k, (tuple, list)):
        return matrices.diag_part(x)
    _check("diag_part", x, low, high)
    found = apply(
        band_of, (x, convert(padding_value, None, x.dtype.numpy_dtype)), {"low": low, "high": high, "align": align}
    )
    return found[..., 0, :] if low == high else found


def set_diag(input: Any, diagonal: Any, name: str | None = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT") -> Tensor:
    """Matrices [..., R, C] with diagonal k, or those of k = (low, high), replaced; `diagonal` is as `diag_part` gives it.

    >>> import tensorsmith as tf
    >>> tf.linalg.set_diag([[1, 2], [3, 4]], [9], k=1).numpy()
    array([[1, 9],
           [3, 4]], dtype=int32)
    """
    low, high = _band("set_diag", k, align)
    x = convert(input)
    diagonal = convert(diagonal, None, x.dtype.numpy_dtype)
    if (low, high) == (0, 0) and not isinstance(k, (tuple, list)):
        return matrices.set_diag(x, diagonal)
    _check("set_diag", x, low, high)
    if low == high:
        diagonal = diagonal[..., None, :]
    return apply(set_band, (x, diagonal), {"low": low, "high": high, "align": align})


def _check(who: str, x: Tensor, low: int, high: int) -> None:
    if x.ndim < 2:
        raise InvalidArgumentError(explain(who, "it takes matrices", {"input": x.shape}))
    rows, columns = x.shape[-2:]
    if rows is not None and columns is not None and not (-rows < low and high < columns or low == high == 0):
        raise InvalidArgumentError(
            explain(who, "there are not so many diagonals", {"input": x.shape, "k": (low, high)},
                    f"k is from {1 - rows} to {columns - 1}")
        )  # fmt: skip
