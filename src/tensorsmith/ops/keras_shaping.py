"""The other half of `keras.ops`: Keras 3's names for making, reshaping, indexing and activating tensors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.shapes import TensorShape
from tensorsmith.ops import activations, casting, creation, gathering, indexing, repeating, shaping
from tensorsmith.ops.casting import cast
from tensorsmith.ops.keras_math import common_dtype, floats
from tensorsmith.tensor.apply import plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Tensor:
    """The tensor of a value; with `dtype` a tensor of another dtype is converted.

    >>> convert_to_tensor([1, 2], dtype="float32").dtype
    tf.float32
    """
    x = casting.convert_to_tensor(x)
    return x if dtype is None else cast(x, dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    """The value as a NumPy array."""
    return np.array(x)


def shape(x: Any) -> tuple[Any, ...]:
    """The sizes of the axes as a tuple; where one is not known while a program is traced, a scalar tensor.

    >>> shape([[1, 2, 3]])
    (1, 3)
    """
    x = convert(x) if not hasattr(x, "shape") else x
    static = tuple(x.shape)
    if None not in static or not isinstance(x, Symbol):
        return static
    dynamic = shaping.shape(x)
    return tuple(dynamic[at] if size is None else size for at, size in enumerate(static))


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(convert(x).shape)


def size(x: Any) -> Any:
    """The number of elements."""
    return shaping.size(x)


def dtype_name(x: Any) -> str:
    """The name of the dtype."""
    return convert(x).dtype.name


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of zeros."""
    return creation.zeros(shape, dtype or dtypes.float32)


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of ones."""
    return creation.ones(shape, dtype or dtypes.float32)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """A tensor of one value."""
    value = convert(fill_value)
    return creation.fill(shape, cast(value, dtype or (dtypes.float32 if not value.dtype.is_floating else value.dtype)))


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Zeros of the shape of x."""
    return creation.zeros_like(x, dtype)


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Ones of the shape of x."""
    return creation.ones_like(x, dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value in the shape of x."""
    x = convert(x)
    return creation.fill(shaping.shape(x), cast(convert(fill_value), dtype or x.dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """The numbers from `start` on, `step` apart, that do not reach `stop`."""
    step = 1 if step is None else step
    return creation.range_(start, stop, step, dtype=dtype)


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """`num` numbers evenly spaced from `start` to `stop` (without it: endpoint=False)."""
    start, stop = floats(start), floats(stop)
    spaces = num - 1 if endpoint else num
    last = stop if endpoint or num == 0 else start + (stop - start) * ((num - 1) / num)
    found = creation.linspace(start, last, num, axis=axis)
    found = found if dtype is None else cast(found, dtype)
    return (found, (stop - start) / float(max(spaces, 1))) if retstep else found


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on the k-th diagonal, zeros beside it."""
    return Tensor(np.eye(N, M, k, dtype=dtypes.as_dtype(dtype or "float32").numpy_dtype))


def identity(n: int, dtype: Any = None) -> Tensor:
    """The identity matrix."""
    return eye(n, dtype=dtype)


def array(x: Any, dtype: Any = None) -> Tensor:
    """The tensor of a value."""
    return convert_to_tensor(x, dtype)


def copy(x: Any) -> Tensor:
    """A tensor of the same value."""
    return casting.identity(x)


def reshape(x: Any, newshape: Any) -> Tensor:
    """The same elements with other sizes; one size may be -1."""
    if isinstance(newshape, (list, tuple)) and not isinstance(newshape, TensorShape):
        newshape = [-1 if size is None else size for size in newshape]
    return shaping.reshape(x, newshape)


def transpose(x: Any, axes: Any = None) -> Tensor:
    """The axes in another order."""
    return shaping.transpose(x, axes)


def expand_dims(x: Any, axis: Any) -> Tensor:
    """A new axis of size 1 (several for several places)."""
    if not isinstance(axis, (list, tuple)):
        return shaping.expand_dims(x, axis)
    x = convert(x)
    rank = x.ndim + len(axis)
    for place in sorted(a % rank for a in axis):
        x = shaping.expand_dims(x, place)
    return x


def squeeze(x: Any, axis: Any = None) -> Tensor:
    """Without its axes of size 1."""
    return shaping.squeeze(x, axis)


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Two axes swapped."""
    x = convert(x)
    order = list(range(x.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return shaping.transpose(x, order)


def moveaxis(x: Any, source: Any, destination: Any) -> Tensor:
    """Axes moved to other places."""
    return shaping.moveaxis(x, source, destination)


def ravel(x: Any) -> Tensor:
    """All elements in a row."""
    return shaping.reshape(x, [-1])


def flip(x: Any, axis: Any = None) -> Tensor:
    """The order of the elements turned around along `axis` (all by default)."""
    x = convert(x)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, (list, tuple)) else [axis]
    return repeating.reverse(x, tuple(axes))


def _one_dtype(xs: Any) -> list[Tensor]:
    tensors = [convert(x) for x in xs]
    wanted = common_dtype(*(t.dtype for t in tensors))
    return [cast(t, wanted) for t in tensors]


def concatenate(xs: Any, axis: int = 0) -> Tensor:
    """Tensors laid end to end along an axis.

    >>> concatenate([[1.0], [2.0]]).numpy()
    array([1., 2.], dtype=float32)
    """
    return shaping.concat(_one_dtype(xs), axis)


def append(x1: Any, x2: Any, axis: int | None = None) -> Tensor:
    """x2 laid behind x1."""
    return concatenate([ravel(x1), ravel(x2)]) if axis is None else concatenate([x1, x2], axis)


def stack(x: Any, axis: int = 0) -> Tensor:
    """Tensors of one shape laid side by side along a new axis."""
    return shaping.stack(_one_dtype(x), axis)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices along an axis."""
    return shaping.unstack(x, num, axis)


def hstack(xs: Any) -> Tensor:
    """Tensors laid end to end along the second axis (the first of vectors)."""
    parts = [shaping.reshape(t, [-1]) if t.ndim == 0 else t for t in map(convert, xs)]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1)


def vstack(xs: Any) -> Tensor:
    """Tensors laid end to end along the first axis, vectors as rows."""
    return concatenate([shaping.reshape(t, [1, -1]) if t.ndim < 2 else t for t in map(convert, xs)], 0)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut into a number of equal parts, or before the places given."""
    x = convert(x)
    if isinstance(indices_or_sections, int):
        return shaping.split(x, indices_or_sections, axis)
    whole = x.shape[axis]
    if whole is None:
        raise ValueError(
            "split: cutting at places needs the size of the axis, which is not known while a program is traced."
        )
    bounds = [0, *plain(indices_or_sections, "indices"), whole]
    return shaping.split(x, [b - a for a, b in itertools.pairwise(bounds)], axis)


def tile(x: Any, repeats: Any) -> Tensor:
    """The tensor repeated along its axes."""
    x = convert(x)
    counts = list(repeats) if isinstance(repeats, (list, tuple)) else [repeats]
    if len(counts) > x.ndim:
        x = shaping.reshape(x, [1] * (len(counts) - x.ndim) + list(shape(x)))
    return repeating.tile(x, [1] * (x.ndim - len(counts)) + counts)


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element repeated."""
    return repeating.repeat(x, repeats, axis)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """More elements before and behind along each axis."""
    x = convert(x)
    rows = plain(pad_width, "pad_width")
    if isinstance(rows, int):
        rows = ((rows, rows),) * x.ndim
    elif isinstance(rows[0], int):
        rows = (rows if len(rows) == 2 else rows * 2,) * x.ndim
    elif len(rows) == 1:
        rows = rows * x.ndim
    return repeating.pad(x, rows, mode, 0 if constant_values is None else constant_values)


def roll(x: Any, shift: Any, axis: Any = None) -> Tensor:
    """The elements moved on, those that fall off put in at the other end."""
    if axis is None:
        x = convert(x)
        return shaping.reshape(repeating.roll(ravel(x), shift, 0), shaping.shape(x))
    return repeating.roll(x, shift, axis)


def broadcast_to(x: Any, shape: Any) -> Tensor:
    """The elements repeated along axes of size 1."""
    return shaping.broadcast_to(x, shape)


def meshgrid(*x: Any, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of the points of a grid."""
    return repeating.meshgrid(*x, indexing=indexing)


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """The slices at places along an axis (of all elements in a row by default); places below 0 count from the end."""
    x, indices = convert(x), convert(indices)
    if axis is None:
        x, axis = ravel(x), 0
    count = shape(x)[axis]
    indices = _from_the_end(indices, count)
    return gathering.gather(x, indices, axis=axis)


def _from_the_end(indices: Tensor, count: Any) -> Tensor:
    """Places with those below 0 counted from the end."""
    from tensorsmith.ops.comparison import where

    if not isinstance(indices, Symbol) and not bool(np.any(np.asarray(indices._array) < 0)):
        return indices
    return where(indices < 0, indices + cast(count, indices.dtype), indices)


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """For each place along `axis` the element that `indices` names there."""
    x, indices = convert(x), convert(indices)
    if axis is None:
        x, indices, axis = ravel(x), ravel(indices), 0
    at = axis % x.ndim
    last = x.ndim - 1
    x, indices = swapaxes(x, at, last), swapaxes(indices, at, last)
    indices = _from_the_end(indices, shape(x)[last])
    return swapaxes(gathering.gather(x, indices, axis=last, batch_dims=last), at, last)


def scatter(indices: Any, values: Any, shape: Any) -> Tensor:
    """Zeros with `values` added at `indices`."""
    return gathering.scatter_nd(indices, values, shape)


def scatter_update(inputs: Any, indices: Any, updates: Any) -> Tensor:
    """The tensor with the elements at `indices` replaced."""
    return gathering.tensor_scatter_nd_update(inputs, indices, updates)


def slice(inputs: Any, start_indices: Any, shape: Any) -> Tensor:  # noqa: A001
    """The block of a shape that begins at `start_indices`."""
    return indexing.slice_(inputs, start_indices, shape)


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Tensor:
    """The tensor with the block that begins at `start_indices` replaced."""
    updates = convert(updates)
    starts = plain(start_indices, "start_indices")
    import builtins

    key = tuple(builtins.slice(b, b + int(n)) for b, n in zip(starts, updates.shape, strict=False))
    return indexing.strided_slice_update(inputs, updates, key)


def get_item(x: Any, key: Any) -> Tensor:
    """x[key]."""
    return indexing.getitem(x, key)


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Tensor:
    """1 at the place that each index names, 0 at the others."""
    return creation.one_hot(x, num_classes, axis=axis, dtype=dtype)


# ---- activations


def relu(x: Any) -> Tensor:
    """The greater of x and 0."""
    return activations.relu(x)


def relu6(x: Any) -> Tensor:
    """x cut off below 0 and above 6."""
    return activations.relu6(x)


def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(-x))."""
    return activations.sigmoid(floats(x))


def softmax(x: Any, axis: Any = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along `axis`."""
    return activations.softmax(floats(x), axis=axis)


def log_softmax(x: Any, axis: Any = -1) -> Tensor:
    """x - log(sum(exp(x))) along `axis`."""
    return activations.log_softmax(floats(x), axis=axis)


def log_sigmoid(x: Any) -> Tensor:
    """log(sigmoid(x))."""
    return activations.log_sigmoid(floats(x))


def softplus(x: Any) -> Tensor:
    """log(1 + exp(x))."""
    return activations.softplus(floats(x))


def softsign(x: Any) -> Tensor:
    """x / (1 + |x|)."""
    return activations.softsign(floats(x))


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """x above 0, negative_slope * x below."""
    return activations.leaky_relu(floats(x), alpha=negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha * (exp(x) - 1) below."""
    return activations.elu(floats(x), alpha=alpha)


def selu(x: Any) -> Tensor:
    """scale * elu(x, alpha) with self-normalizing constants."""
    return activations.selu(floats(x))


def gelu(x: Any, approximate: bool = True) -> Tensor:
    """x * P(X <= x) of a standard normal X."""
    return activations.gelu(floats(x), approximate=approximate)


def silu(x: Any) -> Tensor:
    """x * sigmoid(x)."""
    return activations.silu(floats(x))


swish = silu


def mish(x: Any) -> Tensor:
    """x * tanh(softplus(x))."""
    return activations.mish(floats(x))


def hard_sigmoid(x: Any) -> Tensor:
    """x / 6 + 0.5 cut off below 0 and above 1."""
    return activations.hard_sigmoid(floats(x))


def hard_silu(x: Any) -> Tensor:
    """x * hard_sigmoid(x)."""
    return activations.hard_silu(floats(x))


hard_swish = hard_silu
