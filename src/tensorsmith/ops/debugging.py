"""Checks of values, and printing them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.ops import comparison
from tensorsmith.ops.rounding import is_finite, is_nan
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def _hold(name: str, holds: Any, values: dict[str, Any], message: str | None, rule: str) -> None:
    # a symbol's value is not known while a program is traced: the check is left to eager runs
    if isinstance(holds, Symbol) or bool(np.all(np.asarray(holds._array))):
        return
    given = {key: describe(value) if value.size > 12 else np.asarray(value).tolist() for key, value in values.items()}
    raise InvalidArgumentError(explain(name, message or "the condition does not hold", given, rule))


def _compared(name: str, function: Any, rule: str, x: Any, y: Any, message: str | None) -> None:
    x = convert(x)
    y = convert(y, None, x.dtype.numpy_dtype)
    try:
        holds = function(x, y)
    except InvalidArgumentError:
        raise InvalidArgumentError(
            explain(name, message or "the shapes do not fit", {"x": x.shape, "y": y.shape}, rule)
        ) from None
    _hold(name, holds, {"x": x, "y": y}, message, rule)


def assert_equal(x: Any, y: Any, message: str | None = None, summarize: Any = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless x == y everywhere.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_equal([1, 2], [1, 2])
    """
    _compared("assert_equal", comparison.equal, "x == y must hold everywhere", x, y, message)


def assert_none_equal(
    x: Any, y: Any, summarize: Any = None, message: str | None = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless x != y everywhere.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_none_equal([1, 2], [3, 4])
    """
    _compared("assert_none_equal", comparison.not_equal, "x != y must hold everywhere", x, y, message)


def assert_less(x: Any, y: Any, message: str | None = None, summarize: Any = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless x < y everywhere.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_less([1, 2], [2, 3])
    """
    _compared("assert_less", comparison.less, "x < y must hold everywhere", x, y, message)


def assert_less_equal(
    x: Any, y: Any, message: str | None = None, summarize: Any = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless x <= y everywhere.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_less_equal([1, 2], [1, 3])
    """
    _compared("assert_less_equal", comparison.less_equal, "x <= y must hold everywhere", x, y, message)


def assert_greater(x: Any, y: Any, message: str | None = None, summarize: Any = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless x > y everywhere.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_greater([1, 2], [0, 1])
    """
    _compared("assert_greater", comparison.greater, "x > y must hold everywhere", x, y, message)


def assert_greater_equal(
    x: Any, y: Any, message: str | None = None, summarize: Any = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless x >= y everywhere.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_greater_equal([1, 2], [1, 1])
    """
    _compared("assert_greater_equal", comparison.greater_equal, "x >= y must hold everywhere", x, y, message)


def assert_positive(x: Any, message: str | None = None, summarize: Any = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless x > 0 everywhere.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_positive([1, 2])
    """
    _compared("assert_positive", comparison.greater, "x > 0 must hold everywhere", x, 0, message)


def assert_non_negative(x: Any, message: str | None = None, summarize: Any = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless x >= 0 everywhere.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_non_negative([0, 2])
    """
    _compared("assert_non_negative", comparison.greater_equal, "x >= 0 must hold everywhere", x, 0, message)


def assert_near(
    x: Any, y: Any, rtol: Any = None, atol: Any = None, message: str | None = None, summarize: Any = None,
    name: str | None = None,
) -> None:  # fmt: skip
    """Raises InvalidArgumentError unless |x - y| <= atol + rtol * |y| everywhere (by default 10 steps of the dtype).

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_near([1.0], [1.0])
    """
    x = convert(x)
    y = convert(y, None, x.dtype.numpy_dtype)
    if isinstance(x, Symbol) or isinstance(y, Symbol):
        return
    step = 10 * float(np.finfo(x.dtype.numpy_dtype).eps)
    left, right = np.asarray(x._array), np.asarray(y._array)
    limit = (step if atol is None else float(atol)) + (step if rtol is None else float(rtol)) * np.abs(right)
    holds = Tensor(np.asarray(np.abs(left - right) <= limit))
    _hold("assert_near", holds, {"x": x, "y": y}, message, "|x - y| <= atol + rtol * |y| must hold everywhere")


def assert_shapes(
    shapes: Any, data: Any = None, summarize: Any = None, message: str | None = None, name: str | None = None
) -> None:
    """Raises ValueError unless each tensor has its shape; a letter stands for one size wherever it is used."""
    sizes: dict[str, int] = {}
    for tensor, wanted in shapes.items() if isinstance(shapes, dict) else shapes:
        shape = convert(tensor).shape
        if len(shape) != len(wanted):
            raise ValueError(
                explain("assert_shapes", message or "the rank differs", {"shape": shape, "wanted": wanted})
            )
        for size, name_or_size in zip(shape, wanted, strict=False):
            expected = sizes.setdefault(name_or_size, size) if isinstance(name_or_size, str) else name_or_size
            if expected is not None and size is not None and expected != size:
                raise ValueError(
                    explain("assert_shapes", message or "a size differs", {"shape": shape, "wanted": wanted})
                )


def assert_rank(x: Any, rank: Any, message: str | None = None, name: str | None = None) -> None:
    """Raises ValueError unless x has `rank` axes.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_rank([[1]], 2)
    """
    shape = convert(x).shape
    if len(shape) != int(rank):
        raise ValueError(explain("assert_rank", message or "the rank differs", {"shape": shape, "rank": int(rank)}))


def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> None:
    """Raises TypeError unless the tensor has the dtype.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_type([1.0], tf.float32)
    """
    if convert(tensor).dtype != tf_type:
        raise TypeError(explain("assert_type", message or "the dtype differs", {"dtype": convert(tensor).dtype.name}))


def assert_all_finite(x: Any, message: str, name: str | None = None) -> Tensor:
    """x; raises InvalidArgumentError when an element is NaN or infinite."""
    return check_numerics(x, message)


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """The tensor; raises InvalidArgumentError when an element is NaN or infinite.

    >>> import tensorsmith as tf
    >>> tf.debugging.check_numerics([1.0], "fine").numpy()
    array([1.], dtype=float32)
    """
    tensor = convert(tensor)
    holds = is_finite(tensor)
    if not isinstance(holds, Symbol) and not bool(np.all(np.asarray(holds._array))):
        what = "NaN" if bool(np.any(np.asarray(is_nan(tensor)._array))) else "Inf"
        raise InvalidArgumentError(
            explain("check_numerics", f"{message} : Tensor had {what} values", {"x": describe(tensor)})
        )
    return tensor


def is_numeric_tensor(tensor: Any) -> bool:
    """True for a tensor of numbers."""
    return isinstance(tensor, Tensor) and tensor.dtype.is_numeric


def print_(
    *inputs: Any,
    output_stream: Any = None,
    summarize: int = 3,
    sep: str = " ",
    end: str = "\n",
    name: str | None = None,
) -> None:
    """Prints values as TensorFlow does: tensors as their elements, to the error stream.

    output_stream: an open file, or "file:///path" (appended to).
    """
    edge = sys.maxsize if summarize is None or summarize < 0 else summarize
    text = sep.join(_shown(value, edge) for value in inputs) + end
    if isinstance(output_stream, str) and output_stream.startswith("file://"):
        with open(output_stream[len("file://") :], "a", encoding="utf-8") as file:
            file.write(text)
        return
    write = getattr(output_stream, "write", None) or sys.stderr.write
    write(text)


def _shown(value: Any, edge: int) -> str:
    if nest.is_nested(value):
        return str(nest.map_structure(lambda leaf: _Bare(_shown(leaf, edge)), value))
    if isinstance(value, Symbol):
        return repr(value)
    if isinstance(value, Tensor) or hasattr(value, "_read"):
        array = np.asarray(convert(value)._array)
        if array.ndim == 0:
            item = array[()]
            return item.decode(errors="replace") if isinstance(item, bytes) else str(item)
        return np.array2string(array, threshold=2 * edge, edgeitems=edge, max_line_width=sys.maxsize)
    return str(value)


class _Bare(str):
    __slots__ = ()

    __repr__ = str.__str__
