"""Arrays read and written at places, as XLA's gather and scatter do it, on NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

JOINS: dict[str, Any] = {
    "scatter-add": np.add, "scatter-sub": np.subtract, "scatter-mul": np.multiply, "scatter-min": np.minimum,
    "scatter-max": np.maximum, "scatter": None,
}  # fmt: skip


def joined_at(result: Any, key: tuple[Any, ...], updates: Any, join: Any) -> None:
    """`join.at(result, key, updates)` for places, from 0 on, along the first axes of a contiguous array.

    NumPy's `at` is five times faster on one axis than on several (4,000 rows of 16: 0.09 ms, not 0.47).
    """
    flat: Any = np.zeros((), np.int64)
    for size, places in zip(result.shape, key):
        flat = flat * size + places
    inner = result.shape[len(key) :]
    width = math.prod(inner)
    if width != 1:
        flat = (flat[..., None] * width + np.arange(width)).reshape(-1)
    updates = np.broadcast_to(updates, (*np.broadcast_shapes(*map(np.shape, key)), *inner))
    # on one axis NumPy tells of a NaN that `maximum` meets, elsewhere it does not
    with np.errstate(invalid="ignore" if join in (np.maximum, np.minimum) else None):
        join.at(result.reshape(-1), flat.reshape(-1), updates.reshape(-1))


class Windows(NamedTuple):
    """Windows of an array, one for each row of an array of starts: what gather reads and scatter writes.

    shape     of the array.
    sizes     of a window, along each axis of the array.
    axes      which axes of the array the columns of a start are for.
    batch     axes of the array that go along with axes of the starts, and those: pairs.
    inner     the axes of the result that lie along a window, in order of the array's axes; the others are those of the
              starts.
    dropped   axes of the array, of size one in a window, that the result lacks.
    """

    shape: tuple[int, ...]
    sizes: tuple[int, ...]
    axes: tuple[int, ...]
    batch: tuple[tuple[int, int], ...]
    inner: tuple[int, ...]
    dropped: frozenset[int]

    def outer(self, starts: Any) -> tuple[int, ...]:
        return starts.shape[:-1]

    def rank(self, starts: Any) -> int:
        return starts.ndim - 1 + len(self.inner)

    def limits(self) -> Any:
        """The greatest start along each of `axes`."""
        return np.array([self.shape[a] - self.sizes[a] for a in self.axes], np.int64)

    def there(self, starts: Any) -> Any:
        """Which windows lie wholly in the array; None for all."""
        if not self.axes:
            return None
        inside = (starts >= 0) & (starts <= self.limits())
        return None if inside.all() else inside.all(axis=-1)

    def single(self, starts: Any) -> tuple[slice, ...]:
        """The key of the only window there is."""
        first = dict(zip(self.axes, starts.reshape(-1).tolist()))
        return tuple([slice(first.get(a, 0), first.get(a, 0) + size) for a, size in enumerate(self.sizes)])

    def spread(self, part: Any, axis: int | None, starts: Any) -> Any:
        """An array along the starts (axis None), or along one axis of the array, as it lies in the result."""
        rank = self.rank(starts)
        if axis is None:
            outside = [a for a in range(rank) if a not in self.inner]
            form = [1] * rank
            for place, size in zip(outside, part.shape):
                form[place] = size
            return part.reshape(form)
        kept = [a for a in range(len(self.shape)) if a not in self.dropped and a not in dict(self.batch)]
        form = [1] * rank
        form[self.inner[kept.index(axis)]] = part.size
        return part.reshape(form)

    def flat(self, starts: Any) -> Any:
        """For each element of the result where it stands in the array, all axes in one."""
        strides = [math.prod(self.shape[a + 1 :]) for a in range(len(self.shape))]
        base = np.zeros(self.outer(starts), np.int64)
        for column, axis in enumerate(self.axes):
            base = base + starts[..., column] * strides[axis]
        for axis, along in self.batch:
            form = [1] * base.ndim
            form[along] = -1
            base = base + (np.arange(self.shape[axis]) * strides[axis]).reshape(form)
        total = self.spread(base, None, starts)
        for axis, size in enumerate(self.sizes):
            if axis not in self.dropped and axis not in dict(self.batch):
                total = total + self.spread(np.arange(size) * strides[axis], axis, starts)
        return total


def gather(windows: Windows, mode: str, fill: Any, shape: tuple[int, ...]) -> Callable[[Any, Any], Any]:
    """A function (array, starts) -> the windows, in an array of this shape.

    mode  what a window that is not wholly there gives: "FILL_OR_DROP" `fill`, "CLIP" the nearest one; with others
          there is none.
    """
    count = math.prod(size for at, size in enumerate(shape) if at not in windows.inner)
    (axis,) = windows.axes if len(windows.axes) == 1 else (None,)
    whole = all(s == n for a, (s, n) in enumerate(zip(windows.sizes, windows.shape)) if a != axis)
    lead = len(shape) - len(windows.inner)
    simple = (
        axis is not None
        and whole
        and not windows.batch
        and windows.dropped == {axis}
        and windows.inner == (*range(axis), *range(axis + lead, len(shape)))
    )

    def run(array: Any, starts: Any) -> Any:
        starts = starts.astype(np.int64, copy=False)
        there = windows.there(starts) if mode == "FILL_OR_DROP" else None
        if mode == "CLIP" or there is not None:
            starts = np.clip(starts, 0, windows.limits())
        if simple:
            # of an axis without elements there is nothing to read
            found = np.take(array, starts[..., 0], axis) if array.size else np.zeros(shape, array.dtype)
        elif count == 1 and not windows.batch:
            found = array[windows.single(starts)].reshape(shape)
        else:
            found = array.reshape(-1).take(windows.flat(starts)) if array.size else np.zeros(shape, array.dtype)
        if there is not None:
            found = np.where(windows.spread(there, None, starts), found, _nothing(fill, array.dtype))
        return found

    return run


def _nothing(fill: Any, dtype: np.dtype) -> Any:
    if fill is None:
        # what JAX gives for a place that is not there
        limits = np.iinfo(dtype) if dtype.kind in "iu" else None
        fill = (
            True if dtype.kind == "b" else np.nan if limits is None else limits.min if dtype.kind == "i" else limits.max
        )
    return np.asarray(fill, dtype)


def scatter(windows: Windows, mode: str, join: Any, shape: tuple[int, ...]) -> Callable[[Any, Any, Any], Any]:
    """A function (array, starts, updates) -> the array with updates of this shape joined in at the windows.

    mode  "FILL_OR_DROP" leaves out a window that is not wholly there, "CLIP" takes the nearest one.
    join  a ufunc; None: the updates are put in the place of what is there.
    """
    count = math.prod(size for at, size in enumerate(shape) if at not in windows.inner)

    def run(array: Any, starts: Any, updates: Any) -> Any:
        result, starts = np.array(array, order="C"), starts.astype(np.int64, copy=False)
        there = windows.there(starts) if mode == "FILL_OR_DROP" else None
        if mode == "CLIP":
            starts = np.clip(starts, 0, windows.limits())
        if count == 1 and not windows.batch and there is None:
            window = result[windows.single(starts)]
            values = updates.reshape(window.shape)
            window[...] = values if join is None else join(window, values)
            return result
        places = windows.flat(starts)
        if there is not None:
            kept = np.broadcast_to(windows.spread(there, None, starts), places.shape)
            places, updates = places[kept], updates[kept]
        places, updates = places.reshape(-1), updates.reshape(-1)
        if join is None:
            result.reshape(-1)[places] = updates
        else:
            join.at(result.reshape(-1), places, updates)
        return result

    return run
