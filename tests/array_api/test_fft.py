"""Fourier transforms beside NumPy's in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.array_api import facts
from tests.array_api.support import array, arrays, check, dtype, examples, name_of, shapes, xp

_NORMS = st.sampled_from(["backward", "ortho", "forward"])
_loose = {"rtol": 1e-3, "atol": 1e-3}
_COMPLEX_OF = {"float32": "complex64", "float64": "complex128"}
_REAL_OF = {"complex64": "float32", "complex128": "float64"}
# what each takes, and whether it gives real numbers
_FUNCTIONS = {
    "fft": (facts.COMPLEX, False), "ifft": (facts.COMPLEX, False), "rfft": (facts.REAL_FLOATING, False),
    "irfft": (facts.COMPLEX, True), "hfft": (facts.COMPLEX, True), "ihfft": (facts.REAL_FLOATING, False),
}  # fmt: skip
_SEVERAL = {name: _FUNCTIONS[name[:-1]] for name in ("fftn", "ifftn", "rfftn", "irfftn")}


def _wide(x: np.ndarray) -> np.ndarray:
    return x.astype({"f": "float64", "c": "complex128"}[x.dtype.kind])


def _dtype(name: str, real: bool) -> str:
    return _REAL_OF.get(name, name) if real else _COMPLEX_OF.get(name, name)


@pytest.mark.parametrize("name", _FUNCTIONS)
def test_along_an_axis(name: str) -> None:
    dtypes, real = _FUNCTIONS[name]

    @examples
    @given(arrays(dtypes, shapes(min_dims=1, min_side=2)), st.none() | st.integers(2, 6), _NORMS, st.data())
    def ask(x: np.ndarray, n: int | None, norm: str, data: Any) -> None:
        axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
        expected = getattr(np.fft, name)(_wide(x), n, axis, norm).astype(_dtype(x.dtype.name, real))
        check(getattr(xp.fft, name)(array(x), n=n, axis=axis, norm=norm), expected, **_loose)
        expected = getattr(np.fft, name)(_wide(x)).astype(_dtype(x.dtype.name, real))
        check(getattr(xp.fft, name)(array(x)), expected, **_loose)

    ask()


@pytest.mark.parametrize("name", _SEVERAL)
def test_over_axes(name: str) -> None:
    dtypes, real = _SEVERAL[name]

    @examples
    @given(arrays(dtypes, shapes(min_dims=1, min_side=2)), _NORMS, st.data())
    def ask(x: np.ndarray, norm: str, data: Any) -> None:
        axes = tuple(data.draw(st.permutations(range(x.ndim)))[: data.draw(st.integers(1, x.ndim))])
        s = data.draw(st.none() | st.just([data.draw(st.integers(2, 5)) for _ in axes]))
        expected = getattr(np.fft, name)(_wide(x), s, axes, norm).astype(_dtype(x.dtype.name, real))
        check(getattr(xp.fft, name)(array(x), s=s, axes=axes, norm=norm), expected, **_loose)
        expected = getattr(np.fft, name)(_wide(x)).astype(_dtype(x.dtype.name, real))
        check(getattr(xp.fft, name)(array(x)), expected, **_loose)

    ask()


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies(name: str) -> None:
    @examples
    @given(st.integers(1, 12), st.sampled_from([1.0, 0.5, 0.1, 3.0]), st.sampled_from(facts.REAL_FLOATING))
    def ask(n: int, d: float, kind: str) -> None:
        check(getattr(xp.fft, name)(n, d=d, dtype=dtype(kind)), getattr(np.fft, name)(n, d).astype(kind), rtol=1e-6)
        default = name_of(xp.__array_namespace_info__().default_dtypes()["real floating"])
        check(getattr(xp.fft, name)(n, d=d), getattr(np.fft, name)(n, d).astype(default), rtol=1e-6)

    ask()


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shift(name: str) -> None:
    @examples
    @given(arrays(facts.FLOATING, shapes(min_dims=1)), st.data())
    def ask(x: np.ndarray, data: Any) -> None:
        check(getattr(xp.fft, name)(array(x)), getattr(np.fft, name)(x))
        one = st.integers(-x.ndim, x.ndim - 1)
        axes = data.draw(one | st.lists(one, unique_by=lambda a: a % x.ndim, min_size=1, max_size=x.ndim).map(tuple))
        check(getattr(xp.fft, name)(array(x), axes=axes), getattr(np.fft, name)(x, axes))

    ask()
