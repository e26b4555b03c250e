"""Functions that arrange, join and repeat."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.array_api import facts
from tests.array_api.support import array, arrays, check, elements, examples, shapes, xp

_deep = shapes(min_dims=1, max_dims=4)


def _axes(x: np.ndarray, data: Any, none: bool = True) -> Any:
    """An axis, a tuple of different axes, or None."""
    one = st.integers(-x.ndim, x.ndim - 1)
    several = st.lists(one, unique_by=lambda a: a % x.ndim, max_size=x.ndim).map(tuple)
    return data.draw(st.one_of(*([st.none()] if none else []), *([one, several] if x.ndim else [])))


@examples
@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3), st.data())
def test_broadcast_arrays(drawn: Any, data: Any) -> None:
    given_arrays = [data.draw(arrays(facts.ALL, shape)) for shape in drawn.input_shapes]
    for found, x in zip(xp.broadcast_arrays(*map(array, given_arrays)), given_arrays):
        check(found, np.broadcast_to(x, drawn.result_shape))


@examples
@given(hnp.mutually_broadcastable_shapes(num_shapes=1, base_shape=(3, 2, 4)), st.data())
def test_broadcast_to(drawn: Any, data: Any) -> None:
    x = data.draw(arrays(facts.ALL, drawn.input_shapes[0]))
    check(xp.broadcast_to(array(x), drawn.result_shape), np.broadcast_to(x, drawn.result_shape))


def test_broadcast_to_what_does_not_fit() -> None:
    with pytest.raises(Exception):  # noqa: B017
        xp.broadcast_to(xp.ones((3,)), (2,))


@examples
@given(arrays(facts.ALL, _deep), st.data())
def test_concat(x: np.ndarray, data: Any) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    size = data.draw(st.integers(0, 3))
    shape = list(x.shape)
    shape[axis] = size
    y = data.draw(arrays([x.dtype.name], tuple(shape)))
    check(xp.concat([array(x), array(y)], axis=axis), np.concatenate([x, y], axis=axis))
    check(xp.concat((array(x), array(y)), axis=None), np.concatenate([x, y], axis=None))


@examples
@given(arrays(facts.ALL), st.data())
def test_expand_dims(x: np.ndarray, data: Any) -> None:
    axis = data.draw(st.integers(-x.ndim - 1, x.ndim))
    check(xp.expand_dims(array(x), axis=axis), np.expand_dims(x, axis))
    with pytest.raises(IndexError):
        xp.expand_dims(array(x), axis=x.ndim + 1)


@examples
@given(arrays(facts.ALL), st.data())
def test_flip(x: np.ndarray, data: Any) -> None:
    axis = _axes(x, data)
    check(xp.flip(array(x), axis=axis), np.flip(x, axis))


@examples
@given(arrays(facts.ALL, _deep), st.data())
def test_moveaxis(x: np.ndarray, data: Any) -> None:
    source = data.draw(st.permutations(range(x.ndim)))[: data.draw(st.integers(0, x.ndim))]
    target = data.draw(st.permutations(range(x.ndim)))[: len(source)]
    source = [axis - x.ndim if data.draw(st.booleans()) else axis for axis in source]
    check(xp.moveaxis(array(x), tuple(source), tuple(target)), np.moveaxis(x, source, target))
    check(xp.moveaxis(array(x), 0, -1), np.moveaxis(x, 0, -1))


@examples
@given(arrays(facts.ALL), st.data())
def test_permute_dims(x: np.ndarray, data: Any) -> None:
    axes = tuple(data.draw(st.permutations(range(x.ndim))))
    check(xp.permute_dims(array(x), axes), np.transpose(x, axes))


@examples
@given(arrays(facts.ALL, _deep), st.integers(0, 4), st.data())
def test_repeat(x: np.ndarray, times: int, data: Any) -> None:
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    check(xp.repeat(array(x), times, axis=axis), np.repeat(x, times, axis))
    count = x.size if axis is None else x.shape[axis]
    each = np.asarray(data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)), "int64")
    check(xp.repeat(array(x), array(each), axis=axis), np.repeat(x, each, axis))


@examples
@given(arrays(facts.ALL), st.data())
def test_reshape(x: np.ndarray, data: Any) -> None:
    shape: list[int] = []
    left = x.size
    while left > 1:
        side = data.draw(st.sampled_from([d for d in range(1, left + 1) if left % d == 0]))
        shape.append(side)
        left //= side
    if x.size == 0:
        shape = [0, 2]
    for copy in (None, True):
        check(xp.reshape(array(x), tuple(shape), copy=copy), x.reshape(shape))
    if shape and x.size:
        at = data.draw(st.integers(0, len(shape) - 1))
        check(xp.reshape(array(x), (*shape[:at], -1, *shape[at + 1 :])), x.reshape(shape))


@examples
@given(arrays(facts.ALL), st.data())
def test_roll(x: np.ndarray, data: Any) -> None:
    axis = _axes(x, data)
    if isinstance(axis, tuple):
        shift: Any = tuple(data.draw(st.integers(-6, 6)) for _ in axis)
    else:
        shift = data.draw(st.integers(-6, 6))
    check(xp.roll(array(x), shift, axis=axis), np.roll(x, shift, axis))
    if isinstance(axis, tuple):
        check(xp.roll(array(x), 2, axis=axis), np.roll(x, 2, axis))


@examples
@given(arrays(facts.ALL, shapes(max_side=2, max_dims=4)), st.data())
def test_squeeze(x: np.ndarray, data: Any) -> None:
    ones = [axis for axis, size in enumerate(x.shape) if size == 1]
    axes = tuple(data.draw(st.lists(st.sampled_from(ones), unique=True))) if ones else ()
    check(xp.squeeze(array(x), axes), np.squeeze(x, axes))
    for axis in ones:
        check(xp.squeeze(array(x), axis=axis - x.ndim), np.squeeze(x, axis))
    for axis, size in enumerate(x.shape):
        if size > 1:
            with pytest.raises(ValueError):
                xp.squeeze(array(x), axis=axis)


@examples
@given(arrays(facts.ALL), st.integers(1, 3), st.data())
def test_stack(x: np.ndarray, count: int, data: Any) -> None:
    rest = [data.draw(arrays([x.dtype.name], x.shape)) for _ in range(count - 1)]
    axis = data.draw(st.integers(-x.ndim - 1, x.ndim))
    check(xp.stack([array(a) for a in (x, *rest)], axis=axis), np.stack([x, *rest], axis))


@examples
@given(arrays(facts.ALL), st.lists(st.integers(0, 3), max_size=4))
def test_tile(x: np.ndarray, repetitions: list[int]) -> None:
    check(xp.tile(array(x), tuple(repetitions)), np.tile(x, repetitions))


@examples
@given(arrays(facts.ALL, _deep), st.data())
def test_unstack(x: np.ndarray, data: Any) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    found = xp.unstack(array(x), axis=axis)
    assert isinstance(found, tuple)
    assert len(found) == x.shape[axis]
    for part, expected in zip(found, np.moveaxis(x, axis, 0)):
        check(part, expected)


# ---- indexing functions


@examples
@given(arrays(facts.ALL, shapes(min_dims=1, min_side=1)), st.data())
def test_take(x: np.ndarray, data: Any) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    size = x.shape[axis]
    places = data.draw(st.lists(st.integers(-size, size - 1), max_size=5))
    index = np.asarray(places, "int64")
    check(xp.take(array(x), array(index), axis=axis), np.take(x, index, axis))
    if x.ndim == 1:
        check(xp.take(array(x), array(index)), np.take(x, index))


@examples
@given(arrays(facts.ALL, shapes(min_dims=1, min_side=1)), st.data())
def test_take_along_axis(x: np.ndarray, data: Any) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    size = x.shape[axis]
    shape = list(x.shape)
    shape[axis] = data.draw(st.integers(0, 4))
    flat = data.draw(st.lists(st.integers(-size, size - 1), min_size=math.prod(shape), max_size=math.prod(shape)))
    index = np.asarray(flat, "int64").reshape(shape)
    check(xp.take_along_axis(array(x), array(index), axis=axis), np.take_along_axis(x, index, axis))


@examples
@given(arrays(facts.NUMERIC, _deep), st.integers(0, 3), st.data())
def test_diff(x: np.ndarray, n: int, data: Any) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    shape = list(x.shape)
    shape[axis] = 1
    edge = np.full(shape, data.draw(elements(x.dtype.name)), x.dtype)
    check(xp.diff(array(x), axis=axis, n=n), np.diff(x, n, axis), atol=1e-4)
    found = xp.diff(array(x), axis=axis, prepend=array(edge), append=array(edge))
    check(found, np.diff(x, 1, axis, edge, edge), atol=1e-4)
