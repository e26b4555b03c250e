"""New tensors: constant, zeros, ones, fill, range, linspace, eye, one_hot."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes, ports
from tensorsmith.core.errors import DtypeError, InvalidArgumentError, SizeNotKnownError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.ops.sizes import fill_sizes, split_sizes
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import apply, functions, plain, primitive, public, wrap
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Tensor:
    """A tensor of a value: a number, string, array, or nested lists of these.

    dtype  by default float32 for Python floats, int32 for ints (int64 where they do not fit), an array's own.
    shape  the elements take this shape; a single one fills it.

    Raises ValueError for rows of different length, and for None.

    >>> import tensorsmith as tf
    >>> tf.constant([[1.0, 2.0], [3.0, 4.0]])
    <tf.Tensor: shape=(2, 2), dtype=float32, numpy=
    array([[1., 2.],
           [3., 4.]], dtype=float32)>
    >>> tf.constant(7, shape=[2]).numpy()
    array([7, 7], dtype=int32)
    """
    tensor = convert(value, dtype)
    if shape is None:
        return tensor
    sizes = tuple(TensorShape(shape))
    array = np.asarray(tensor._array)
    count = int(np.prod(sizes, dtype=np.int64))
    if array.size == count:
        return Tensor(array.reshape(sizes))
    if array.size != 1:
        raise TypeError(f"constant: {array.size} elements do not fill the shape {sizes}.")
    return Tensor(np.broadcast_to(array.reshape(()), sizes).copy())


def _filled_shape(specs: Specs, settings: dict) -> Specs:
    return [(settings["sizes"], specs[0][1])]


@primitive(name="fill", same=frozenset({"value"}), shapes=_filled_shape)
def _fill(xp, value: Array, parts: Arrays, sizes: Any = ()):
    return xp.broadcast_to(value, fill_sizes(sizes, parts, "fill"))


@public
def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """A tensor of shape `dims` whose elements are all `value`.

    >>> import tensorsmith as tf
    >>> tf.fill([2, 2], 9).numpy()
    array([[9, 9],
           [9, 9]], dtype=int32)
    """
    sizes, parts = _checked(dims, "fill")
    value = convert(value)
    if value.shape.rank not in (None, 0):
        raise InvalidArgumentError(explain("fill", "the value must be a scalar", {"value": value.shape}))
    return apply(_fill, (value, parts), {"sizes": sizes})


def _checked(dims: Any, who: str) -> tuple[Any, list[Any]]:
    sizes, parts = split_sizes(dims, who)
    if any(size is not None and size < 0 for size in sizes):
        raise InvalidArgumentError(explain(who, "a size is below 0", {"shape": sizes}))
    return sizes, parts


def _full(dims: Any, number: Any, dtype: Any, who: str) -> Tensor:
    wanted = dtypes.as_dtype(dtype)
    sizes, parts = _checked(dims, who)
    if wanted.name == "string":
        number = b""
    if parts:
        value = Tensor(np.array(number, wanted.numpy_dtype))
        return apply(_fill, (value, parts), {"sizes": sizes})
    return Tensor(np.full(fill_sizes(sizes, parts, who), number, wanted.numpy_dtype))


def zeros(shape: Any, dtype: Any = dtypes.float32, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of zeros (of empty strings for tf.string).

    >>> import tensorsmith as tf
    >>> tf.zeros([2, 3]).numpy()
    array([[0., 0., 0.],
           [0., 0., 0.]], dtype=float32)
    """
    return _full(shape, 0, dtype, "zeros")


def ones(shape: Any, dtype: Any = dtypes.float32, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of ones.

    >>> import tensorsmith as tf
    >>> tf.ones([2], tf.int32).numpy()
    array([1, 1], dtype=int32)
    """
    if dtypes.as_dtype(dtype) is dtypes.string:
        raise TypeError("ones: there is no string that is 1; use tf.fill(shape, text).")
    return _full(shape, 1, dtype, "ones")


def _like_shape(specs: Specs, settings: dict) -> Specs:
    return [(specs[0][0], settings.get("dtype") or specs[0][1])]


@primitive(name="zeros_like", same=False, differentiable=False, shapes=_like_shape)
def _zeros_like(xp, input: Array, dtype: Any = None):
    if (dtype or input.dtype).kind == "O":
        return np.full(input.shape, b"", object)
    return xp.zeros(input.shape, dtype or input.dtype)


@public
def zeros_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Tensor:
    """Zeros of the shape and (unless told otherwise) dtype of `input`.

    >>> import tensorsmith as tf
    >>> tf.zeros_like([1.0, 2.0]).numpy()
    array([0., 0.], dtype=float32)
    """
    wanted = None if dtype is None else dtypes.as_dtype(dtype).numpy_dtype
    return apply(_zeros_like, (input,), {"dtype": wanted})


@primitive(name="ones_like", same=False, differentiable=False, shapes=_like_shape)
def _ones_like(xp, input: Array, dtype: Any = None):
    return xp.ones(input.shape, dtype or input.dtype)


@public
def ones_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Tensor:
    """Ones of the shape and (unless told otherwise) dtype of `input`.

    >>> import tensorsmith as tf
    >>> tf.ones_like([5, 6]).numpy()
    array([1, 1], dtype=int32)
    """
    wanted = None if dtype is None else dtypes.as_dtype(dtype).numpy_dtype
    return apply(_ones_like, (input,), {"dtype": wanted})


@primitive(name="range", differentiable=False, shapes=lambda specs, settings: [((None,), settings["dtype"])])
def _range(xp, start: Array, limit: Array, delta: Array, dtype: Any = None):
    try:
        bounds = [np.asarray(v)[()] for v in (start, limit, delta)]
    except TypeError:
        raise SizeNotKnownError(
            explain(
                "range",
                "how many numbers there are depends on the contents of a tensor, not on shapes alone",
                {},
                "a compiled program must know all its sizes before it runs",
            )
        ) from None
    return xp.arange(*bounds, dtype=dtype)


@public
def range_(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range") -> Tensor:
    """The numbers from `start` (0) on, `delta` apart, that do not reach `limit`.

    >>> import tensorsmith as tf
    >>> tf.range(3).numpy(), tf.range(1.0, 2.0, 0.5).numpy()
    (array([0, 1, 2], dtype=int32), array([1. , 1.5], dtype=float32))
    """
    if limit is None:
        start, limit = 0, start
    given = [start, limit, delta]
    if dtype is None:
        known = [convert(v) for v in given]
        order = ["int32", "int64", "float16", "float32", "float64"]
        found = [t.dtype.name for t in known]
        unknown = [n for n in found if n not in order]
        dtype = unknown[0] if unknown else max(found, key=order.index)
    wanted = dtypes.as_dtype(dtype)
    bounds = []
    for value in given:
        value = convert(value)
        if value.dtype is not wanted:
            from tensorsmith.ops.casting import cast

            value = cast(value, wanted)
        bounds.append(value)
    if not isinstance(bounds[2], Symbol) and not np.asarray(bounds[2]._array).all():
        raise InvalidArgumentError(explain("range", "the step is 0", {"start": start, "limit": limit, "delta": delta}))
    if not any(isinstance(bound, Symbol) for bound in bounds):
        low, high, step = (np.asarray(bound._array)[()] for bound in bounds)
        if (high < low) if step > 0 else (high > low):
            raise InvalidArgumentError(
                explain(
                    "range",
                    "the limit lies on the other side of the start",
                    {"start": low, "limit": high, "delta": step},
                    "a positive step goes up, a negative one down",
                )
            )
    return apply(_range, bounds, {"dtype": wanted.numpy_dtype})


def _spaced_shape(specs: Specs, settings: dict) -> Specs:
    shape = specs[0][0]
    axis = settings["axis"] % (len(shape) + 1)
    return [((*shape[:axis], settings["num"], *shape[axis:]), specs[0][1])]


@primitive(name="linspace", kinds="f", shapes=_spaced_shape)
def _linspace(xp, start: Array, stop: Array, num: int, axis: int = 0):
    place = axis % (start.ndim + 1)
    shape = [1] * (start.ndim + 1)
    shape[place] = num
    steps = xp.asarray(np.arange(num).reshape(shape), start.dtype)
    first, last = xp.expand_dims(start, place), xp.expand_dims(stop, place)
    between = first + steps * ((last - first) / np.asarray(max(num - 1, 1), start.dtype))
    # the last one exactly, whatever rounding says
    return xp.where(steps == np.asarray(max(num - 1, 1), start.dtype), last, between)


@public
def linspace(start: Any, stop: Any, num: int, name: str | None = None, axis: int = 0) -> Tensor:
    """`num` numbers evenly spaced from `start` to `stop`, both included, along a new axis; float64 between integers.

    >>> import tensorsmith as tf
    >>> tf.linspace(0.0, 1.0, 5).numpy()
    array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    count = plain(num, "num")
    if count < 0:
        raise InvalidArgumentError(explain("linspace", "num must be at least 0", {"num": count}))
    start, stop = convert(start), convert(stop, None, start.dtype.numpy_dtype if isinstance(start, Tensor) else None)
    if start.dtype.is_integer and stop.dtype is start.dtype:
        # between integers lie fractions
        start, stop = functions["cast"](start, dtypes.float64), functions["cast"](stop, dtypes.float64)
    return apply(_linspace, (start, stop), {"num": count, "axis": plain(axis, "axis")})


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """The identity matrix (a stack of them for a `batch_shape`): ones on the diagonal, zeros beside it.

    >>> import tensorsmith as tf
    >>> tf.eye(2).numpy()
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    rows = plain(num_rows, "num_rows")
    _checked([rows, rows if num_columns is None else plain(num_columns, "num_columns")], "eye")
    columns = rows if num_columns is None else plain(num_columns, "num_columns")
    matrix = np.eye(rows, columns, dtype=dtypes.as_dtype(dtype).numpy_dtype)
    if batch_shape is not None:
        batch: Any = split_sizes(batch_shape, "eye")[0]
        matrix = np.broadcast_to(matrix, (*batch, rows, columns)).copy()
    return wrap(matrix)


def _one_hot_shape(specs: Specs, settings: dict) -> Specs:
    shape = specs[0][0]
    axis = settings["axis"] % (len(shape) + 1)
    return [((*shape[:axis], settings["depth"], *shape[axis:]), specs[1][1])]


@primitive(name="one_hot", same=frozenset({"on_value", "off_value"}), shapes=_one_hot_shape)
def _one_hot(xp, indices: Array, on_value: Array, off_value: Array, depth: int, axis: int = -1):
    places = xp.expand_dims(indices, axis)
    row = [1] * places.ndim
    row[axis] = depth
    # in at least 32 bits: 200 places do not fit int8
    wide = indices.dtype if indices.dtype.itemsize >= 4 else np.dtype("int32")
    return xp.where(places.astype(wide) == np.arange(depth, dtype=wide).reshape(row), on_value, off_value)


@public
def one_hot(
    indices: Any, depth: Any, on_value: Any = None, off_value: Any = None, axis: Any = None, dtype: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """`on_value` (1) at the place that each index names, `off_value` (0) at the others; all off where it is out of range.

    indices [...], result [..., depth] (the new axis at `axis`, by default last).

    >>> import tensorsmith as tf
    >>> tf.one_hot([0, 2, -1], depth=3).numpy()
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 0., 0.]], dtype=float32)
    """
    if dtype is None:
        given = next((v for v in (on_value, off_value) if v is not None), None)
        dtype = "float32" if given is None else convert(given).dtype
    wanted = dtypes.as_dtype(dtype)

    def filled(value: Any, default: Any) -> Tensor:
        return convert(default if value is None else value, wanted)

    ends = (True, False) if wanted.is_bool else (1, 0)
    settings = {"depth": plain(depth, "depth"), "axis": -1 if axis is None else plain(axis, "axis")}
    if type(indices) not in ports.lifters:
        indices = convert(indices)
        if not indices.dtype.is_integer:
            raise DtypeError(f"one_hot: indices must be integers, not {indices.dtype.name}.")
    if settings["depth"] < 0:
        raise InvalidArgumentError(explain("one_hot", "the depth is below 0", {"depth": settings["depth"]}))
    return apply(_one_hot, (indices, filled(on_value, ends[0]), filled(off_value, ends[1])), settings)
