"""What each elementwise operation gives in exact arithmetic, rounded to float64: written for inputs that are float32.

Float64 has 29 bits more, so a formula that keeps nearly all its digits is exact here. Where the plain formula cancels,
another one stands.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.special as sp

Oracle = Callable[..., np.ndarray]


def _unless_zero(function: Oracle) -> Oracle:
    """function(x, y), and 0 where x is 0."""
    return lambda x, y: np.where(x == 0, 0.0, function(x, y))


def _infinite_below(function: Oracle, infinity: float = np.inf) -> Oracle:
    """function(x), and infinity below 0, as in TensorFlow."""
    return lambda x: np.where(x < 0, infinity, function(x))


def _elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(x))


def _gelu(x: np.ndarray, approximate: bool = False) -> np.ndarray:
    if approximate:
        # 1 + tanh(u) is 2 / (1 + exp(-2 u))
        return x * sp.expit(np.sqrt(8 / np.pi) * (x + 0.044715 * x**3))
    return x * sp.ndtr(x)


def _mish(x: np.ndarray) -> np.ndarray:
    # tanh(log(1 + e)) is e (e + 2) / (e (e + 2) + 2)
    e = np.exp(np.minimum(x, 40.0))
    return x * (e * (e + 2) / (e * (e + 2) + 2))


def _waves(order: int, second: bool) -> Oracle:
    """A Bessel function of the first or second kind: SciPy's, and far out, where that rounds x - pi/4, Hankel's expansion."""
    near = (sp.y0, sp.y1)[order] if second else (sp.j0, sp.j1)[order]

    def far(x: np.ndarray) -> np.ndarray:
        term, p, q = np.ones_like(x), np.ones_like(x), np.zeros_like(x)
        for k in range(1, 10):
            term = term * (4 * order**2 - (2 * k - 1) ** 2) / (k * 8 * x)
            p, q = (p, q + (-1) ** (k // 2) * term) if k % 2 else (p + (-1) ** (k // 2) * term, q)
        # cosine and sine of x - pi/4 - order * pi/2, times sqrt(2)
        cosine, sine = np.cos(x) + np.sin(x), np.sin(x) - np.cos(x)
        cosine, sine = (sine, -cosine) if order else (cosine, sine)
        return (p * sine + q * cosine if second else p * cosine - q * sine) / np.sqrt(np.pi * x)

    def value(x: np.ndarray) -> np.ndarray:
        size = np.abs(x)
        sign = np.where((x < 0) & (order == 1), -1, 1)
        return np.where(size > 60, sign * far(np.maximum(size, 60)), near(x))

    return value


def _sinc(x: np.ndarray) -> np.ndarray:
    # sin(pi x) by the distance from the nearest whole number, in which nothing is rounded
    apart = x - np.round(x)
    return np.where(x == 0, 1.0, np.where(np.round(x) % 2 == 0, 1, -1) * np.sin(np.pi * apart) / (np.pi * x))


def _pow(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.power(x, y)


def _polygamma(n: np.ndarray, x: np.ndarray) -> np.ndarray:
    whole = (n >= 0) & (n == np.floor(n))
    order = np.where(whole, n, 0).clip(0, 100)
    sign = np.where(order % 2 == 1, 1.0, -1.0)
    series = sign * sp.gamma(order + 1) * sp.zeta(order + 1, x)
    return np.where(whole, np.where(order == 0, sp.digamma(x), series), np.nan)


def _cross_entropy(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    return -labels * sp.log_expit(logits) - (1 - labels) * sp.log_expit(-logits)


def _weighted(labels: np.ndarray, logits: np.ndarray, pos_weight: float) -> np.ndarray:
    return -labels * pos_weight * sp.log_expit(logits) - (1 - labels) * sp.log_expit(-logits)


def _zeta(x: np.ndarray, q: np.ndarray) -> np.ndarray:
    return sp.zeta(x, q)


EXACT: dict[str, Oracle] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "add": np.add,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "atanh": np.arctanh,
    "bessel_i0": sp.i0,
    "bessel_i0e": sp.i0e,
    "bessel_i1": sp.i1,
    "bessel_i1e": sp.i1e,
    "bessel_j0": _waves(0, second=False),
    "bessel_j1": _waves(1, second=False),
    "bessel_k0": _infinite_below(sp.k0),
    "bessel_k0e": _infinite_below(sp.k0e),
    "bessel_k1": _infinite_below(sp.k1),
    "bessel_k1e": _infinite_below(sp.k1e),
    "bessel_y0": _infinite_below(_waves(0, second=True), -np.inf),
    "bessel_y1": _infinite_below(_waves(1, second=True), -np.inf),
    "betainc": sp.betainc,
    "cbrt": np.cbrt,
    "ceil": np.ceil,
    "clip_by_value": lambda t, low, high: np.minimum(np.maximum(t, low), high),
    "cos": np.cos,
    "cosh": np.cosh,
    "dawsn": sp.dawsn,
    "digamma": lambda x: np.where(x == 0, np.nan, sp.digamma(x)),
    "divide": np.true_divide,
    "divide_no_nan": lambda x, y: np.where(y == 0, 0.0, np.true_divide(x, y)),
    "elu": _elu,
    "erf": sp.erf,
    "erfc": sp.erfc,
    "erfcinv": sp.erfcinv,
    "erfinv": sp.erfinv,
    "exp": np.exp,
    "expint": lambda x: np.where(x < 0, np.nan, sp.expi(x)),
    "expm1": np.expm1,
    "floor": np.floor,
    "floordiv": np.floor_divide,
    "floormod": np.remainder,
    "fresnel_cos": lambda x: sp.fresnel(x)[1],
    "fresnel_sin": lambda x: sp.fresnel(x)[0],
    "gelu": _gelu,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hypot": np.hypot,
    "igamma": lambda a, x: np.where(a > 0, sp.gammainc(a, x), np.nan),
    "igammac": lambda a, x: np.where(a > 0, sp.gammaincc(a, x), np.nan),
    "leaky_relu": lambda x, alpha=0.2: np.where(x > 0, x, np.float32(alpha) * x),
    "lgamma": lambda x: np.where(x == -np.inf, np.inf, sp.gammaln(x)),
    "log": np.log,
    "log1p": np.log1p,
    "log_sigmoid": sp.log_expit,
    "logaddexp2": np.logaddexp2,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "mish": _mish,
    "multiply": np.multiply,
    "multiply_no_nan": lambda x, y: np.where(y == 0, 0.0, x * y),
    "ndtri": sp.ndtri,
    "negative": np.negative,
    "nextafter": lambda x, y: np.nextafter(x.astype("float32"), y.astype("float32")).astype("float64"),
    "polygamma": _polygamma,
    "pow": _pow,
    "realdiv": np.true_divide,
    "reciprocal": lambda x: 1 / x,
    "reciprocal_no_nan": lambda x: np.where(x == 0, 0.0, 1 / x),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "round": np.round,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "selu": lambda x: 1.0507009873554805 * _elu(x, 1.6732632423543772),
    "sigmoid": sp.expit,
    "sigmoid_cross_entropy_with_logits": _cross_entropy,
    "sign": np.sign,
    "silu": lambda x, beta=1.0: x * sp.expit(beta * x),
    "sin": np.sin,
    "sinc": _sinc,
    "sinh": np.sinh,
    "softplus": lambda x: -sp.log_expit(-x),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "spence": sp.spence,
    "sqrt": np.sqrt,
    "square": np.square,
    "squared_difference": lambda x, y: np.square(x - y),
    "subtract": np.subtract,
    "tan": np.tan,
    "tanh": np.tanh,
    "trunc": np.trunc,
    # (of the quotient in float32, as in TensorFlow)
    "truncatediv": lambda x, y: np.trunc((x / y).astype("float32")).astype("float64"),
    "truncatemod": np.fmod,
    "weighted_cross_entropy_with_logits": _weighted,
    "xdivy": _unless_zero(np.true_divide),
    "xlog1py": _unless_zero(lambda x, y: x * np.log1p(y)),
    "xlogy": _unless_zero(lambda x, y: x * np.log(y)),
    "zeta": _zeta,
}
