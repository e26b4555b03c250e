"""Checks of values: at once where the values are known, part of the program where a function is traced."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.places import users_place
from tensorsmith.core.specs import describe
from tensorsmith.ops import comparison
from tensorsmith.ops.elementwise import abs as absolute
from tensorsmith.ops.elementwise import add, multiply, subtract
from tensorsmith.ops.guards import check_later, refuse
from tensorsmith.ops.rounding import is_finite, is_nan
from tensorsmith.ops.shaping import shape as measure
from tensorsmith.tensor.apply import by_element
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def hold(
    who: str, holds: Any, values: dict[str, Any], message: str | None, rule: str = "", summarize: int | None = None
) -> None:
    """InvalidArgumentError unless `holds` is true everywhere: now, or when the program runs that is being traced.

    values     what the message tells, by name: tensors.
    message    what the user has to say about it.
    summarize  how many elements of a large value are told; all for -1.
    """
    limit = 3 if summarize is None else int(summarize)
    if not isinstance(holds, Symbol):
        if not np.all(np.asarray(holds._array)):
            refuse(who, values, message or "", rule, limit)
        return
    place = users_place()
    check_later(who, holds, values, message or "", rule, limit, where=None if place is None else tuple(place))


def Assert(condition: Any, data: Any, summarize: int | None = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError, telling the values in `data`, unless the condition is true.

    condition  a boolean; in a traced function it is checked each time the program runs.
    data       a list of values and texts to tell.
    summarize  how many elements of a large value are told: 3 by default, all for -1.

    >>> import tensorsmith as tf
    >>> tf.debugging.Assert(tf.constant(2) > 1, ["two is more"])
    """
    holds = convert(condition)
    texts = [part for part in data if isinstance(part, (str, bytes))]
    values = [convert(part) for part in data if not isinstance(part, (str, bytes))]
    message = " ".join([text if isinstance(text, str) else text.decode(errors="replace") for text in texts])
    names = ["data"] if len(values) == 1 else [f"data[{at}]" for at in range(len(values))]
    hold("Assert", holds, dict(zip(names, values)), message or "the condition is false", "", summarize)


@by_element
def _compared(
    name: str, function: Any, rule: str, x: Any, y: Any, message: str | None, summarize: Any, told: bool = True
) -> None:
    if not isinstance(x, Tensor) and not hasattr(x, "_read") and (isinstance(y, Tensor) or hasattr(y, "_read")):
        y = convert(y)
        x = convert(x, None, y.dtype.numpy_dtype)
    else:
        x = convert(x)
        y = convert(y, None, x.dtype.numpy_dtype)
    try:
        holds = function(x, y)
    except InvalidArgumentError:
        if x.dtype is not y.dtype:
            raise
        raise InvalidArgumentError(
            explain(name, message or "the shapes do not fit", {"x": x.shape, "y": y.shape}, rule)
        ) from None
    hold(name, holds, {"x": x, "y": y} if told else {"x": x}, message, f"{rule} must hold everywhere", summarize)


def assert_equal(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless x == y everywhere.

    In a traced function it is checked each time the program runs, before any variable changes.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_equal([1, 2], [1, 2])
    """
    _compared("assert_equal", comparison.equal, "x == y", x, y, message, summarize)


def assert_none_equal(
    x: Any, y: Any, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless x != y everywhere.

    In a traced function it is checked each time the program runs, before any variable changes.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_none_equal([1, 2], [3, 4])
    """
    _compared("assert_none_equal", comparison.not_equal, "x != y", x, y, message, summarize)


def assert_less(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless x < y everywhere.

    In a traced function it is checked each time the program runs, before any variable changes.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_less([1, 2], [2, 3])
    """
    _compared("assert_less", comparison.less, "x < y", x, y, message, summarize)


def assert_less_equal(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless x <= y everywhere.

    In a traced function it is checked each time the program runs, before any variable changes.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_less_equal([1, 2], [1, 3])
    """
    _compared("assert_less_equal", comparison.less_equal, "x <= y", x, y, message, summarize)


def assert_greater(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless x > y everywhere.

    In a traced function it is checked each time the program runs, before any variable changes.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_greater([1, 2], [0, 1])
    """
    _compared("assert_greater", comparison.greater, "x > y", x, y, message, summarize)


def assert_greater_equal(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless x >= y everywhere.

    In a traced function it is checked each time the program runs, before any variable changes.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_greater_equal([1, 2], [1, 1])
    """
    _compared("assert_greater_equal", comparison.greater_equal, "x >= y", x, y, message, summarize)


def assert_positive(x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless x > 0 everywhere.

    In a traced function it is checked each time the program runs, before any variable changes.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_positive([1, 2])
    """
    _compared("assert_positive", comparison.greater, "x > 0", x, 0, message, summarize, told=False)


def assert_negative(x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless x < 0 everywhere.

    In a traced function it is checked each time the program runs, before any variable changes.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_negative([-1, -2])
    """
    _compared("assert_negative", comparison.less, "x < 0", x, 0, message, summarize, told=False)


def assert_non_negative(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless x >= 0 everywhere.

    In a traced function it is checked each time the program runs, before any variable changes.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_non_negative([0, 2])
    """
    _compared("assert_non_negative", comparison.greater_equal, "x >= 0", x, 0, message, summarize, told=False)


def assert_non_positive(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless x <= 0 everywhere.

    In a traced function it is checked each time the program runs, before any variable changes.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_non_positive([0, -2])
    """
    _compared("assert_non_positive", comparison.less_equal, "x <= 0", x, 0, message, summarize, told=False)


@by_element
def assert_near(
    x: Any, y: Any, rtol: Any = None, atol: Any = None, message: str | None = None, summarize: int | None = None,
    name: str | None = None,
) -> None:  # fmt: skip
    """Raises InvalidArgumentError unless |x - y| <= atol + rtol * |y| everywhere (by default 10 steps of the dtype).

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_near([1.0], [1.0])
    """
    x = convert(x)
    y = convert(y, None, x.dtype.numpy_dtype)
    real = absolute(y)
    step = 10 * float(real.dtype._limit("eps")) if real.dtype.is_floating else 0
    parts = [convert(step if limit is None else limit, None, real.dtype.numpy_dtype) for limit in (atol, rtol)]
    holds = comparison.less_equal(absolute(subtract(x, y)), add(parts[0], multiply(parts[1], real)))
    rule = "|x - y| <= atol + rtol * |y| must hold everywhere"
    hold("assert_near", holds, {"x": x, "y": y, "rtol": parts[1], "atol": parts[0]}, message, rule, summarize)


def assert_all_finite(x: Any, message: str, name: str | None = None) -> Tensor:
    """x; raises InvalidArgumentError when an element is NaN or infinite.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_all_finite([1.0], "the loss").numpy()
    array([1.], dtype=float32)
    """
    return check_numerics(x, message)


@by_element
def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """The tensor; raises InvalidArgumentError when an element is NaN or infinite.

    >>> import tensorsmith as tf
    >>> tf.debugging.check_numerics([1.0], "fine").numpy()
    array([1.], dtype=float32)
    """
    tensor = convert(tensor)
    finite = is_finite(tensor)
    if isinstance(finite, Symbol):
        hold("check_numerics", finite, {"x": tensor}, f"{message} : Tensor had NaN or Inf values", "", None)
    elif not np.all(np.asarray(finite._array)):
        nan = np.asarray(is_nan(tensor)._array)
        kinds = [kind for kind, there in (("Inf", ~nan & ~np.asarray(finite._array)), ("NaN", nan)) if np.any(there)]
        raise InvalidArgumentError(
            explain("check_numerics", f"{message} : Tensor had {' and '.join(kinds)} values", {"x": describe(tensor)})
        )
    return tensor


# ---- what is known while a function is traced


def _refused(who: str, message: str | None, wrong: str, given: dict[str, Any], kind: type[Exception]) -> Exception:
    return kind(explain(who, message or wrong, given))


def _rank_of(x: Any) -> int:
    shape = getattr(x, "shape", None)
    return len(convert(x).shape if shape is None else shape)


def assert_rank(x: Any, rank: Any, message: str | None = None, name: str | None = None) -> None:
    """Raises ValueError unless x has `rank` axes.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_rank([[1]], 2)
    """
    if _rank_of(x) != int(rank):
        given = {"shape": convert(x).shape, "rank": int(rank)}
        raise _refused("assert_rank", message, "the rank differs", given, ValueError)


def assert_rank_at_least(x: Any, rank: Any, message: str | None = None, name: str | None = None) -> None:
    """Raises ValueError unless x has `rank` axes or more.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_rank_at_least([[1]], 1)
    """
    if _rank_of(x) < int(rank):
        given = {"shape": convert(x).shape, "at least": int(rank)}
        raise _refused("assert_rank_at_least", message, "there are too few axes", given, ValueError)


def assert_rank_in(x: Any, ranks: Any, message: str | None = None, name: str | None = None) -> None:
    """Raises ValueError unless the number of x's axes is one of `ranks`.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_rank_in([[1]], (1, 2))
    """
    wanted = [int(rank) for rank in ranks]
    if _rank_of(x) not in wanted:
        given = {"shape": convert(x).shape, "ranks": wanted}
        raise _refused("assert_rank_in", message, "the rank is none of those wanted", given, ValueError)


def assert_scalar(tensor: Any, message: str | None = None, name: str | None = None) -> Tensor:
    """The tensor; raises ValueError unless it is a single value.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_scalar(3).numpy().item()
    3
    """
    tensor = convert(tensor)
    if len(tensor.shape):
        raise _refused("assert_scalar", message, "it is no single value", {"shape": tensor.shape}, ValueError)
    return tensor


def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> None:
    """Raises TypeError unless the tensor has the dtype.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_type([1.0], tf.float32)
    """
    dtype, wanted = (tensor if hasattr(tensor, "dtype") else convert(tensor)).dtype, dtypes.as_dtype(tf_type)
    if dtype is not wanted:
        given = {"dtype": dtype.name, "wanted": wanted.name}
        raise _refused("assert_type", message, "the dtype differs", given, TypeError)


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> None:
    """Raises TypeError unless x is of an integer dtype.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_integer([1])
    """
    dtype = convert(x).dtype
    if not dtype.is_integer:
        raise _refused("assert_integer", message, "it is not of an integer dtype", {"dtype": dtype.name}, TypeError)


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> Any:
    """The floating dtype that all tensors have (`dtype` where it is given, float32 where nothing is).

    Raises ValueError where they differ or are not floating.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_same_float_dtype([tf.constant(1.0)])
    tf.float32
    """
    found = None if dtype is None else dtypes.as_dtype(dtype)
    for tensor in tensors or []:
        own = convert(tensor).dtype
        if found is not None and own is not found:
            given = {"dtypes": [found.name, own.name]}
            raise _refused("assert_same_float_dtype", None, "the dtypes differ", given, ValueError)
        found = own
    found = dtypes.float32 if found is None else found
    if not found.is_floating:
        raise _refused("assert_same_float_dtype", None, "it is not floating", {"dtype": found.name}, ValueError)
    return found


def assert_proper_iterable(values: Any) -> None:
    """Raises TypeError unless `values` is a collection of values: no tensor, array, text or single value.

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_proper_iterable([1, 2])
    """
    single = isinstance(values, (Tensor, np.ndarray, str, bytes)) or hasattr(type(values), "_read")
    if single or not hasattr(values, "__iter__"):
        raise TypeError(explain("assert_proper_iterable", "it is no collection", {"given": type(values).__name__}))


def is_numeric_tensor(tensor: Any) -> bool:
    """True for a tensor of numbers.

    >>> import tensorsmith as tf
    >>> tf.debugging.is_numeric_tensor(tf.constant("a"))
    False
    """
    return isinstance(tensor, Tensor) and tensor.dtype.is_numeric


def assert_shapes(
    shapes: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> None:
    """Raises ValueError unless each tensor has its shape; a letter stands for one size wherever it is used.

    shapes  (tensor, shape) pairs; a shape holds sizes, letters, None for any size, and first of all "..." (or "*")
            for any number of axes.

    Sizes that are known only when a program runs are checked then (InvalidArgumentError).

    >>> import tensorsmith as tf
    >>> tf.debugging.assert_shapes([(tf.ones([2, 3]), ("N", "Q")), (tf.ones([3]), ("Q",))])
    """
    sizes: dict[str, Any] = {}
    for tensor, wanted in shapes.items() if isinstance(shapes, dict) else shapes:
        tensor = tensor.deref() if hasattr(tensor, "deref") else convert(tensor)
        _assert_shape(tensor, _as_pattern(wanted), sizes, message, summarize)


def _as_pattern(wanted: Any) -> list[Any]:
    pattern = list(wanted) if isinstance(wanted, (list, tuple, str)) else [wanted]
    if any(part in ("...", "*", Ellipsis) for part in pattern[1:]):
        raise ValueError(explain("assert_shapes", "'...' stands for axes in front only", {"shape": wanted}))
    return pattern


def _assert_shape(tensor: Any, pattern: list[Any], sizes: dict[str, Any], message: Any, summarize: Any) -> None:
    who, shape = "assert_shapes", tensor.shape
    start = 0
    if pattern and pattern[0] in ("...", "*", Ellipsis):
        pattern = pattern[1:]
        start = len(shape) - len(pattern)
    if start < 0 or len(shape) != start + len(pattern):
        raise _refused(who, message, "the rank differs", {"shape": shape, "wanted": tuple(pattern)}, ValueError)
    measured: Any = None
    for at, part in enumerate(pattern, start):
        size: Any = shape[at]
        if size is None:
            measured = measure(tensor) if measured is None else measured
            size = measured[at]
        expected = sizes.setdefault(part, size) if isinstance(part, str) else part
        if expected is None or expected is size:
            continue
        if isinstance(size, int) and isinstance(expected, int):
            if size != expected:
                given = {"shape": shape, "wanted": tuple(pattern)}
                raise _refused(who, message, "a size differs", given, ValueError)
        else:
            same = comparison.equal(convert(size), convert(expected))
            values = {"size": convert(size), "wanted": convert(expected)}
            hold(who, same, values, message or f"the size of axis {at} differs", "", summarize)
