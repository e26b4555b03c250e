"""Incomplete gamma and beta functions, zeta, and integrals: by quadrature and series."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate
import scipy.optimize

from tests.support.spine import Draw, Row, row

d = Draw(31)
SHAPE, PLACE = d.uniform(0.7, 4.0, 2, 3), d.uniform(0.3, 5.0, 2, 3)
OTHER, WITHIN = d.uniform(0.7, 3.0, 2, 3), d.uniform(0.1, 0.9, 2, 3)
X = d.normal(3, 4)
ORDERS = np.array([[0.0, 1.0, 2.0], [3.0, 1.0, 0.0]], "float32")
CONSTANT = "to derivatives the others are constants"


def each(function: Callable[..., float]) -> Callable[..., np.ndarray]:
    """function of Python floats, NaN where one of them is."""

    def on(*values: Any) -> float:
        return math.nan if any(map(math.isnan, values)) else function(*map(float, values))

    def on_arrays(*arrays: Any) -> np.ndarray:
        return (
            np.vectorize(on, otypes=[float])(*arrays)
            if np.broadcast(*arrays).size
            else np.zeros(np.broadcast(*arrays).shape)
        )

    return on_arrays


def integral(function: Callable[[float], float], low: float, high: float) -> float:
    return scipy.integrate.quad(function, low, high, epsabs=1e-13, epsrel=1e-13, limit=200)[0]


def lower_gamma(a: float, x: float) -> float:
    # with t = s**(1 / a) the integrand has no pole at 0
    return integral(lambda s: math.exp(-(s ** (1 / a))), 0, x**a) / math.gamma(a + 1)


def beta_part(a: float, b: float, x: float) -> float:
    whole = math.gamma(a) * math.gamma(b) / math.gamma(a + b)
    return integral(lambda s: (1 - s ** (1 / a)) ** (b - 1), 0, x**a) / a / whole


def zeta(x: float, q: float) -> float:
    """By Euler and Maclaurin."""
    far = q + 40
    tail = far ** (1 - x) / (x - 1) + far**-x / 2 + x * far ** (-x - 1) / 12
    return sum((k + q) ** -x for k in range(40)) + tail - x * (x + 1) * (x + 2) * far ** (-x - 3) / 720


def polygamma(n: float, x: float) -> float:
    if n:
        return (-1) ** (n + 1) * math.factorial(int(n)) * zeta(n + 1, x)
    far = x + 40
    return math.log(far) - 1 / (2 * far) - 1 / (12 * far**2) + 1 / (120 * far**4) - sum(1 / (x + k) for k in range(40))


def bessel(order: int) -> Callable[[Any], np.ndarray]:
    """exp(-|x|) I_order(x) as the mean of exp(x cos t - |x|) cos(order t) over a turn."""
    turn = np.arange(256) * (2 * np.pi / 256)
    return lambda x: np.mean(np.exp(x[..., None] * np.cos(turn) - np.abs(x)[..., None]) * np.cos(order * turn), -1)


def first_kind(n: int) -> Callable[..., np.ndarray]:
    return each(lambda x: integral(lambda t: math.cos(n * t - x * math.sin(t)), 0, math.pi) / math.pi)


def second_kind(n: int) -> Callable[..., np.ndarray]:
    def value(x: float) -> float:
        if x <= 0:
            return -math.inf
        rest = integral(lambda t: (math.exp(n * t) + (-1) ** n * math.exp(-n * t)) * math.exp(-x * math.sinh(t)), 0, math.asinh(750 / x))  # fmt: skip
        return (integral(lambda t: math.sin(x * math.sin(t) - n * t), 0, math.pi) - rest) / math.pi

    return each(value)


def modified(n: int, scaled: bool) -> Callable[..., np.ndarray]:
    def value(x: float) -> float:
        if x <= 0:
            return math.inf
        far = math.acosh(1 + 750 / x)
        return integral(lambda t: math.exp(x * ((1 if scaled else 0) - math.cosh(t))) * math.cosh(n * t), 0, far)

    return each(value)


WAVES = np.array([[0.4, 1.7, 3.1, 5.2], [7.9, 8.2, 13.0, 70.0]], "float32")
FALLS = np.array([[0.4, 1.2, 1.9, 2.1], [4.0, 7.0, 9.0, 0.05]], "float32")

ROWS: dict[str, Row] = {
    "igamma": row(each(lower_gamma), (SHAPE, PLACE)),
    "igammac": row(each(lambda a, x: 1 - lower_gamma(a, x)), (SHAPE, PLACE)),
    "betainc": row(each(beta_part), (SHAPE, OTHER, WITHIN), gradient=CONSTANT),
    "zeta": row(each(zeta), (SHAPE + 1, PLACE), gradient=CONSTANT),
    "polygamma": row(each(polygamma), (ORDERS, PLACE), gradient=CONSTANT, rtol=3e-5),
    "lbeta": row(lambda x: np.log(np.prod(np.vectorize(math.gamma)(x), -1) / np.vectorize(math.gamma)(x.sum(-1))), (SHAPE,), rtol=1e-4, atol=1e-5),
    "bessel_i0e": row(bessel(0), (X,)),
    "bessel_i1e": row(bessel(1), (X,)),
    "erfcinv": row(each(lambda x: scipy.optimize.brentq(lambda y: math.erfc(y) - x, -6, 6, xtol=1e-14)), (d.uniform(0.05, 1.95, 2, 3),)),
    "dawsn": row(each(lambda x: integral(lambda t: math.exp(t * t - x * x), 0, x)), (X,)),
    "expint": row(each(lambda x: np.euler_gamma + math.log(x) + sum(x**k / (k * math.factorial(k)) for k in range(1, 60))), (PLACE,), step=1e-6),
    "fresnel_cos": row(each(lambda x: integral(lambda t: math.cos(math.pi / 2 * t * t), 0, x)), (X,)),
    "fresnel_sin": row(each(lambda x: integral(lambda t: math.sin(math.pi / 2 * t * t), 0, x)), (X,)),
    "bessel_j0": row(first_kind(0), (np.concatenate([WAVES, -WAVES]),)),
    "bessel_j1": row(first_kind(1), (np.concatenate([WAVES, -WAVES]),)),
    "bessel_y0": row(second_kind(0), (WAVES,), step=1e-6),
    "bessel_y1": row(second_kind(1), (WAVES,), step=1e-6),
    "bessel_k0": row(modified(0, False), (FALLS,), step=1e-6),
    "bessel_k1": row(modified(1, False), (FALLS,), step=1e-6, smooth=1),
    "bessel_k0e": row(modified(0, True), (FALLS,), step=1e-6),
    "bessel_k1e": row(modified(1, True), (FALLS,), step=1e-6, smooth=1),
    "spence": row(each(lambda x: integral(lambda t: math.log(t) / (1 - t) if t != 1 else -1.0, 1, x)), (PLACE,)),
}  # fmt: skip
