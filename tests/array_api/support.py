"""The namespace under test (ours, or the one that ARRAY_API names), and how its results are compared."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.array_api import facts

NAME = os.environ.get("ARRAY_API", "tensorsmith.array_api")
if NAME == "jax.numpy":
    # in a process of its own, so nobody else's setting is changed
    import jax

    jax.config.update("jax_enable_x64", True)
xp: Any = import_module(NAME)

# examples are the same in every run: chance decides nothing
examples = settings(
    max_examples=12, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def dtype(name: str) -> Any:
    """The namespace's dtype of a name."""
    return getattr(xp, name)


def name_of(dtype_: Any) -> str:
    """The name of a dtype of the namespace."""
    return next(name for name in facts.ALL if dtype_ == getattr(xp, name))


def array(values: Any, name: str | None = None) -> Any:
    """An array of the namespace of NumPy's or of plain values."""
    if name is None and isinstance(values, (np.ndarray, np.generic)):
        name = values.dtype.name
    return xp.asarray(values.tolist() if isinstance(values, np.generic) else values, dtype=name and dtype(name))


def values(x: Any) -> np.ndarray:
    """An array's elements as NumPy's array."""
    return np.asarray(x)


def check(found: Any, expected: Any, name: str | None = None, rtol: float | None = None, atol: float = 0.0) -> None:
    """Compares dtype (`name`, else that of the expected array), shape and elements; NaN is equal to NaN.

    rtol  by default none for integers and booleans, some hundred roundings for floats.
    """
    expected = np.asarray(expected)
    name = name or expected.dtype.name
    assert name_of(found.dtype) == name, f"dtype {found.dtype}, expected {name}"
    assert tuple(found.shape) == expected.shape, f"shape {found.shape}, expected {expected.shape}"
    got = values(found)
    if rtol is None and np.dtype(name).kind in "fc":
        rtol = 300 * float(np.finfo(name).eps)
        atol = atol or float(np.finfo(name).tiny)
    if np.dtype(name).kind in "fc":
        np.testing.assert_allclose(got, expected.astype(name), rtol=rtol or 0, atol=atol)
    else:
        np.testing.assert_array_equal(got, expected)


def quiet(function: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """A call of the reference, which may warn of what is asked on purpose."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **named)


# ---- what is drawn


def elements(name: str, low: float | None = None, high: float | None = None, nonzero: bool = False) -> Any:
    """Numbers of a dtype, by default moderate ones: special values are asked by name elsewhere."""
    kind = np.dtype(name).kind
    if kind == "b":
        return st.booleans()
    if kind in "iu":
        limits = np.iinfo(name)
        low_i = max(int(-40 if low is None else low), limits.min)
        high_i = min(int(40 if high is None else high), limits.max)
        found: Any = st.integers(low_i, high_i)
    elif kind == "f":
        low_f, high_f = -30.0 if low is None else low, 30.0 if high is None else high
        # halves, thirds and tenths, not denormal numbers
        found = st.integers(0, 600).map(lambda i: low_f + (high_f - low_f) * i / 600)
    else:
        part = "float64"
        found = st.tuples(elements(part, low, high), elements(part, low, high)).map(lambda p: complex(*p))
    return found.filter(lambda v: v != 0) if nonzero else found


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4) -> Any:
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


@st.composite
def arrays(draw: Any, names: list[str], shape: Any = None, **limits: Any) -> np.ndarray:
    """NumPy arrays of one of some dtypes."""
    name = draw(st.sampled_from(names))
    size = draw(shapes() if shape is None else shape if isinstance(shape, st.SearchStrategy) else st.just(shape))
    count = int(np.prod(size))
    flat = draw(st.lists(elements(name, **limits), min_size=count, max_size=count))
    return np.asarray(flat, name).reshape(size)


@st.composite
def pairs(
    draw: Any, names: list[str], second: dict[str, Any] | None = None, **limits: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Two NumPy arrays whose shapes broadcast and whose dtypes meet."""
    meetings = [pair for pair in facts.PROMOTION if pair[0] in names and pair[1] in names]
    a, b = draw(st.sampled_from(meetings))
    together = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
    first, other = together.input_shapes
    return draw(arrays([a], first, **limits)), draw(arrays([b], other, **(limits if second is None else second)))
