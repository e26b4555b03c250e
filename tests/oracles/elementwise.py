"""Arithmetic, powers, exponentials, trigonometry, rounding, special functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from tests.support.spine import Draw, Row, row

d = Draw(1)
A, B = d.normal(3, 4), d.normal(3, 4)
APART, OTHER = d.apart(3, 4), d.apart(3, 4)[::-1].copy() + np.float32(0.1)
POSITIVE = d.uniform(0.2, 3.0, 3, 4)
WITHIN = d.uniform(-0.9, 0.9, 3, 4)
INTS, DIVISORS = d.ints(-20, 20, 3, 4), d.ints(1, 6, 3, 4)
COMPLEX = d.complex(3, 4)
# where float32 code breaks: zeros of both signs, large, tiny, infinite
EDGES = np.array([0.0, -0.0, 1e4, -1e4, 88.0, -80.0, 1e-30, np.inf, -np.inf], "float32")
STEP = "a step: its derivative is 0 or nothing"
NOT_THERE = "NaN is a value to ask about"


def with_zeros(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[0, 1] = values[2, 3] = 0.0
    return values


def quotient(x: Any, y: Any) -> np.ndarray:
    return np.asarray(x, "float64") / y if np.asarray(x).dtype.kind != "c" else x / y


def quotient_dtype(inputs: Any, settings: Any) -> str:
    name = inputs[0].dtype.name
    return {"int32": "float64", "int8": "float32"}.get(name, name)


def no_nan(function: Any) -> Any:
    """function(x, y) with 0 where x is 0, written element by element."""
    return lambda x, y: np.array([0.0 if a == 0 else function(a, b) for a, b in np.broadcast(x, y)], x.dtype).reshape(
        np.broadcast_shapes(np.shape(x), np.shape(y))
    )


ROWS: dict[str, Row] = {
    "add": row(lambda x, y: x + y, (A, B), (INTS, DIVISORS), (COMPLEX, COMPLEX)),
    "subtract": row(lambda x, y: x - y, (A, B), (INTS, DIVISORS), (COMPLEX, COMPLEX[::-1].copy())),
    "multiply": row(lambda x, y: x * y, (A, B), (INTS, DIVISORS), (COMPLEX, COMPLEX)),
    "divide": row(
        quotient, (A, B + 3 * np.sign(B)), (INTS, DIVISORS), (INTS.astype("int8"), DIVISORS.astype("int8")),
        (COMPLEX, COMPLEX + 2), dtype=quotient_dtype,
    ),
    "realdiv": row(quotient, (A, POSITIVE), (COMPLEX, COMPLEX + 2)),
    "truncatediv": row(lambda x, y: np.trunc(x / y), (INTS, DIVISORS), (INTS, -DIVISORS)),
    "reciprocal_no_nan": row(lambda x: np.where(x == 0, 0, 1 / np.where(x == 0, 1, x)), (POSITIVE,), (with_zeros(B),), smooth=1),
    "nextafter": row(lambda x, y: x + 0 * y, (A, B), rtol=1e-6, gradient=STEP),
    "floordiv": row(lambda x, y: np.floor(np.asarray(x, float) / y), (APART, POSITIVE), (INTS, DIVISORS), gradient=STEP),
    "floormod": row(lambda x, y: x - np.floor(x / y) * y, (APART, POSITIVE), (INTS, -DIVISORS), atol=1e-5),
    "truncatemod": row(lambda x, y: x - np.trunc(x / y) * y, (APART, POSITIVE), (INTS, -DIVISORS), atol=1e-5),
    "divide_no_nan": row(
        lambda x, y: np.where(y == 0, 0, x / np.where(y == 0, 1, y)), (A, POSITIVE), (A, with_zeros(POSITIVE)),
        smooth=1, nan="beside a zero a NaN gives 0",
    ),
    "multiply_no_nan": row(
        lambda x, y: np.where(y == 0, 0, x * y), (A, POSITIVE), (A, with_zeros(B)),
    ),
    "negative": row(lambda x: -x, (A,), (EDGES,), (INTS,), (COMPLEX,)),
    "abs": row(np.abs, (APART,), (INTS,), (COMPLEX,), dtype=lambda i, s: np.abs(i[0]).dtype.name),
    "sign": row(
        lambda x: np.where(x > 0, 1, np.where(x < 0, -1, 0)), (APART,), (EDGES,), (INTS,), gradient=STEP,
    ),
    "square": row(lambda x: x * x, (A,), (INTS,), (COMPLEX,)),
    "squared_difference": row(lambda x, y: (x - y) ** 2, (A, B), (INTS, DIVISORS)),
    "sqrt": row(lambda x: np.exp(np.log(x) / 2), (POSITIVE,)),
    "rsqrt": row(lambda x: x**-0.5, (POSITIVE,)),
    "reciprocal": row(lambda x: x**-1.0, (POSITIVE,)),
    "pow": row(
        lambda x, y: np.exp(y * np.log(x)) if x.dtype.kind == "f" else np.array([int(a) ** int(b) for a, b in zip(x.flat, y.flat, strict=True)]).reshape(x.shape),
        (POSITIVE, B), (INTS, DIVISORS % 3), more="the oracle takes logarithms",
    ),
    "exp": row(lambda x: np.exp(np.asarray(x, np.longdouble)).astype(x.dtype), (A,), (EDGES,)),
    "expm1": row(lambda x: np.exp(np.asarray(x, np.longdouble)) - 1, (A,), (d.normal(6, scale=1e-3),)),
    "log": row(lambda x: np.log2(x) * np.log(2), (POSITIVE,)),
    "log1p": row(lambda x: np.log(1 + np.asarray(x, np.longdouble)), (POSITIVE,), (d.normal(6, scale=1e-3),)),
    "xlogy": row(no_nan(lambda x, y: x * np.log(y)), (A, POSITIVE), (with_zeros(A), POSITIVE), smooth=1, nan="beside a zero a NaN gives 0"),
    "xlog1py": row(no_nan(lambda x, y: x * np.log1p(y)), (A, POSITIVE), (with_zeros(A), POSITIVE), smooth=1, nan="beside a zero a NaN gives 0"),
    "xdivy": row(no_nan(lambda x, y: x / y), (A, POSITIVE), (with_zeros(A), POSITIVE), smooth=1, nan="beside a zero a NaN gives 0"),
    "maximum": row(lambda x, y: np.where(x > y, x, y), (APART, OTHER), (INTS, DIVISORS)),
    "minimum": row(lambda x, y: np.where(x < y, x, y), (APART, OTHER), (INTS, DIVISORS)),
    "clip_by_value": row(
        lambda t, low, high: np.where(t < low, low, np.where(t > high, high, t)),
        (APART, np.float32(-0.7), np.float32(0.9)), (INTS, np.int32(-3), np.int32(3)),
        (APART, np.full((4,), -0.5, "float32"), np.full((3, 1), 0.8, "float32")),
    ),
    "add_n": row(lambda parts: sum(parts), ([A, B, A],), ([INTS],), nan=True),
    "floor": row(lambda x: x - x % 1, (APART,), gradient=STEP),
    "ceil": row(lambda x: -((-x) - (-x) % 1), (APART,), gradient=STEP),
    "round": row(
        lambda x: np.array([round(float(v)) for v in x.flat]).reshape(x.shape),
        (APART,), (np.array([0.5, 1.5, 2.5, -0.5, -1.5], "float32"),), (INTS,), gradient=STEP,
    ),
    "trunc": row(lambda x: np.sign(x) * np.floor(np.abs(x)), (APART,), gradient=STEP),
    "is_nan": row(lambda x: x != x, (EDGES,), (np.array([np.nan, 1], "float32"),), dtype="bool", gradient=STEP),
    "is_inf": row(lambda x: np.abs(x) == np.inf, (EDGES,), dtype="bool", gradient=STEP),
    "is_finite": row(lambda x: np.abs(x) < np.inf, (EDGES,), dtype="bool", gradient=STEP),
    "sin": row(lambda x: np.exp(1j * x).imag, (A,)),
    "cos": row(lambda x: np.exp(1j * x).real, (A,)),
    "tan": row(lambda x: np.sin(x) / np.cos(x), (WITHIN,)),
    "asin": row(lambda x: np.arctan2(x, np.sqrt(1 - x * x)), (WITHIN,)),
    "acos": row(lambda x: np.arctan2(np.sqrt(1 - x * x), x), (WITHIN,)),
    "atan": row(lambda x: np.arctan2(x, np.ones_like(x)), (A,)),
    "atan2": row(lambda y, x: np.log((x + 1j * y) / np.hypot(x, y)).imag, (APART, OTHER)),
    "sinh": row(lambda x: (np.exp(x) - np.exp(-x)) / 2, (A,)),
    "cosh": row(lambda x: (np.exp(x) + np.exp(-x)) / 2, (A,)),
    "tanh": row(lambda x: 1 - 2 / (np.exp(2 * x) + 1), (A,), (np.array([0.0, 100.0, -100.0], "float32"),)),
    "asinh": row(lambda x: np.log(x + np.sqrt(x * x + 1)), (A,)),
    "acosh": row(lambda x: np.log(x + np.sqrt(x * x - 1)), (1 + POSITIVE,)),
    "atanh": row(lambda x: np.log((1 + x) / (1 - x)) / 2, (WITHIN,)),
    "erf": row(scipy.special.erf, (A,)),
    "erfc": row(scipy.special.erfc, (A,), (np.array([0.0, 3.0, -3.0], "float32"),)),
    "erfinv": row(scipy.special.erfinv, (WITHIN,)),
    "ndtri": row(scipy.special.ndtri, (np.abs(WITHIN) + np.float32(0.05),)),
    "lgamma": row(lambda x: np.log(np.abs(scipy.special.gamma(x))), (POSITIVE,), atol=1e-5),
    "digamma": row(scipy.special.digamma, (POSITIVE,)),
    "bessel_i0": row(scipy.special.i0, (A,)),
    "bessel_i1": row(scipy.special.i1, (A,)),
    "complex": row(lambda x, y: x + 1j * y, (A, B), dtype=lambda i, s: {"float32": "complex64"}.get(i[0].dtype.name, "complex128"), gradient="its result is complex", nan="its result is complex"),
    "real": row(lambda z: (z + np.conj(z)).real / 2, (COMPLEX,), dtype=lambda i, s: np.abs(i[0]).dtype.name),
    "imag": row(lambda z: ((z - np.conj(z)) / 2j).real, (COMPLEX,), dtype=lambda i, s: np.abs(i[0]).dtype.name),
    "angle": row(lambda z: np.arctan2(z.imag, z.real), (COMPLEX,), dtype=lambda i, s: np.abs(i[0]).dtype.name),
    "conj": row(lambda z: z.real - 1j * z.imag, (COMPLEX,)),
}  # fmt: skip
