"""Bessel functions of orders 0 and 1: of the first and second kind, and the modified ones of the second kind.

NumPy's side calls SciPy, but for large arguments. XLA's side sums Chebyshev series in float64, whose coefficients were
interpolated with 45 digits; their derivatives are those that the functions have by each other, not those of the series.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.ops.special import special
from tensorsmith.program.op import Array, elementwise
from tensorsmith.tensor.apply import op

# For |x| up to 8, in x**2:  "J0" J0(x)  "J1" J1(x) / x  "Y0" Y0(x) - 2/pi log(x) J0(x)
#                            "Y1" (Y1(x) - 2/pi (log(x) J1(x) - 1/x)) / x
# beyond, in (8 / x)**2, with a = x - pi/4 - order * pi/2:
#     J(x) = sqrt(2 / (pi x)) (P cos(a) - Q/x sin(a))   Y(x) = sqrt(2 / (pi x)) (P sin(a) + Q/x cos(a))
# For x up to 2, in x**2:    "I0" I0(x)  "I1" I1(x) / x  "K0" K0(x) + log(x / 2) I0(x)
#                            "K1" (K1(x) - log(x / 2) I1(x) - 1/x) / x
# beyond, in 2 / x:          "E0" sqrt(x) exp(x) K0(x)  "E1" sqrt(x) exp(x) K1(x)
_SERIES: dict[str, tuple[float, ...]] = {
    "J0": (
        0.15772797147489012, -0.008723442352852221, 0.2651786132033368, -0.37009499387264977, 0.15806710233209725,
        -0.034893769411408884, 0.004819180069467605, -0.00046062616620627504, 3.246032882100508e-05,
        -1.7619469077621507e-06, 7.608163592418782e-08, -2.679253530557673e-09, 7.848696314479465e-11,
        -1.9438346867370164e-12, 4.125320595634374e-14, -7.588508125447546e-16, 1.2218515873961411e-17,
    ),
    "J1": (
        0.08104484632565812, -0.1489751450676521, 0.1609992623572097, -0.08268049176681791, 0.022213639654966037,
        -0.003646940600769276, 0.0004050337728354822, -3.255554866857259e-05, 1.9858774049915165e-06,
        -9.521984756750436e-08, 3.687133759097148e-09, -1.178026622695885e-10, 3.160154580348003e-12,
        -7.221755239651773e-14, 1.4232144003513942e-15, -2.4441972916190464e-17,
    ),
    "Y0": (
        -0.03314611320328494, -0.2744743055297453, 0.17903431407718265, 0.26156734625504663, -0.17730201278114358,
        0.04719668959576339, -0.007287962479552079, 0.0007531135932577742, -5.632079141056987e-05,
        3.206532537654801e-06, -1.44072332740187e-07, 5.248794787330516e-09, -1.5837552541812015e-10,
        4.02633081830612e-12, -8.747341203310769e-14, 1.6434898714919468e-15, -2.6977881152566837e-17,
    ),
    "Y1": (
        0.0025380132357417816, -0.01608717304766875, -0.09591204536083074, 0.08445197259652346,
        -0.028328123944594365, 0.005289897544167113, -0.0006414551451326356, 5.505982873338744e-05,
        -3.53808001868935e-06, 1.7707804556154404e-07, -7.11055004989928e-09, 2.344337905911516e-10,
        -6.4651518414115946e-12, 1.51429151205002e-13, -3.0511859694473254e-15, 5.34668038572867e-17,
    ),
    "P0": (
        0.9994603493475187, -0.0005365220468132117, 3.0751847875194745e-06, -5.1705945376060975e-08,
        1.6306464635151382e-09, -7.86409137723707e-11, 5.168262387349193e-12, -4.3045788699253914e-13,
        4.3265957431549404e-14, -5.069034095935236e-15, 6.748072215733873e-16, -1.0011513723467786e-16,
        1.6305919233744186e-17,
    ),
    "P1": (
        1.0009030408600137, 0.0008989898330859408, -3.987284300488908e-06, 6.177633960644299e-08,
        -1.8718907491063067e-09, 8.816898659582339e-11, -5.704863640395645e-12, 4.699195515230542e-13,
        -4.6842237839904895e-14, 5.452674896044717e-15, -7.221180842274018e-16, 1.0667689114335412e-16,
        -1.7312313216116335e-17,
    ),
    "Q0": (
        -0.12444683684269607, 0.0005470815954089319, -5.9315987288485175e-06, 1.4377965798375193e-07,
        -5.817532749493056e-09, 3.376097523734991e-10, -2.565397936797308e-11, 2.404916100281365e-12,
        -2.6690625482579414e-13, 3.4041800321963686e-14, -4.87994410531204e-15, 7.729703176242605e-16,
        -1.3348852171502517e-16, 2.4865952389390515e-17, -4.952892629886516e-18,
    ),
    "Q1": (
        0.3742222965562826, -0.0007702178839325664, 7.3108922063643636e-06, -1.676782510726674e-07,
        6.583354662120443e-09, -3.749090950541556e-10, 2.8121750359748866e-11, -2.61145253946232e-12,
        2.8774212663332235e-13, -3.649001916061838e-14, 5.206626366226707e-15, -8.215318025458595e-16,
        1.4141084390211833e-16, -2.626761589838529e-17, 5.2192649196714085e-18,
    ),
    "I0": (
        1.6029228068079633, 0.638809625651177, 0.03685485969436176, 0.00098287812725148, 1.4983654208927293e-05,
        1.4738449008423848e-07, 1.0114797900674826e-09, 5.1149979020112795e-12, 1.984280622680562e-14,
        6.090516506058955e-17,
    ),
    "I1": (
        0.6417589969911874, 0.1475393201491934, 0.005898742680020788, 0.00011988137174638708,
        1.4739165119093128e-06, 1.2138074968740922e-08, 7.161106692799279e-11, 3.17487931131012e-13,
        1.0962998348773076e-15,
    ),
    "K0": (
        -0.2676636966169514, 0.3442898999246285, 0.0359799365153615, 0.001264615411446926, 2.286212103119452e-05,
        2.5347910790261494e-07, 1.904516377220209e-09, 1.0349695257633625e-11, 4.2598161427910826e-14,
        1.3744654358807508e-16,
    ),
    "K1": (
        -0.06409034516866254, -0.10916919599320105, -0.006636878452817714, -0.00016822792382067343,
        -2.389559180803608e-06, -2.1853569024549695e-08, -1.3982271326113327e-10, -6.618562752976041e-13,
        -2.4134516242987822e-15, -6.990873731242567e-18,
    ),
    "E0": (
        1.2201515410329777, -0.0314481013119645, 0.0015698838857300533, -0.00012849549581627802,
        1.39498137188765e-05, -1.8317555227191195e-06, 2.766813639445015e-07, -4.660489897687948e-08,
        8.574034017414225e-09, -1.6975345093890614e-09, 3.5773972814003283e-10, -7.957489244477396e-11,
        1.8559491149549264e-11, -4.514597883374519e-12, 1.1403405882073441e-12, -2.9800969231481784e-13,
        8.032890775068375e-14, -2.2275133267462965e-14, 6.340076476276646e-15, -1.848593377920907e-15,
        5.5120559994043335e-16, -1.6782311257549006e-16, 5.2103917776435543e-17, -1.6475805939842632e-17,
    ),
    "E1": (
        1.3603130952422213, 0.10392373657681724, -0.002857816859622779, 0.00019521551847135162,
        -1.936197974166083e-05, 2.406484947837217e-06, -3.5019606030878126e-07, 5.7410841254500495e-08,
        -1.0345762465678097e-08, 2.0150497551970347e-09, -4.1903547593419254e-10, 9.218315187605315e-11,
        -2.129967838427791e-11, 5.139639673482343e-12, -1.2891739609498229e-12, 3.348419666052243e-13,
        -8.976705182010146e-14, 2.4771544242195988e-14, -7.0198370892147685e-15, 2.038703166239861e-15,
        -6.057047270643018e-16, 1.8380935752430455e-16, -5.689462849193648e-17, 1.7940510478863572e-17,
    ),
}  # fmt: skip


def _sum(name: str, at: Any) -> Any:
    """A Chebyshev series at a place from -1 to 1, by Clenshaw's recurrence."""
    first, *rest = _SERIES[name]
    here, before = 0.0, 0.0
    for coefficient in reversed(rest):
        here, before = coefficient + 2 * at * here - before, here
    return first + at * here - before


def _waves(xp: Any, x: Any, order: int) -> tuple[Any, Any, Any, Any]:
    """For x from 8 on: P and Q/x over sqrt(pi x); cos(a) and sin(a), times sqrt(2)."""
    at = 2 * (8 / x) ** 2 - 1
    root = xp.sqrt(1 / (math.pi * x))
    # of the angle itself, of which sine and cosine are exact; x - pi/4 would be rounded
    s, c = xp.sin(x), xp.cos(x)
    cosine, sine = (s + c, s - c) if order == 0 else (s - c, -(s + c))
    return root * _sum(f"P{order}", at), root * _sum(f"Q{order}", at) / x, cosine, sine


def _first(order: int) -> Callable[[Any, Any], Any]:
    def value(xp: Any, x: Any) -> Any:
        size = xp.abs(x)
        low, high = xp.minimum(size, 8), xp.maximum(size, 8)
        p, q, cosine, sine = _waves(xp, high, order)
        near, far = _sum(f"J{order}", low * low / 32 - 1), p * cosine - q * sine
        if order:
            near, far = near * xp.clip(x, -8, 8), xp.where(x < 0, -far, far)
        return xp.where(size <= 8, near, far)

    return value


def _second(order: int) -> Callable[[Any, Any], Any]:
    def value(xp: Any, x: Any) -> Any:
        low, high = xp.minimum(xp.where(x > 0, x, 1), 8), xp.maximum(x, 8)
        at, grows = low * low / 32 - 1, 2 / math.pi * xp.log(low)
        near = _sum(f"Y{order}", at) + grows * _sum(f"J{order}", at)
        if order:
            near = near * low - 2 / math.pi / low
        p, q, cosine, sine = _waves(xp, high, order)
        return xp.where(x <= 0, -np.inf, xp.where(x <= 8, near, p * sine + q * cosine))

    return value


def _modified(order: int, scaled: bool) -> Callable[[Any, Any], Any]:
    def value(xp: Any, x: Any) -> Any:
        low, high = xp.minimum(xp.where(x > 0, x, 1), 2), xp.maximum(x, 2)
        at, falls = low * low / 2 - 1, xp.log(low / 2)
        if order:
            near = (_sum("K1", at) + falls * _sum("I1", at)) * low + 1 / low
        else:
            near = _sum("K0", at) - falls * _sum("I0", at)
        far = _sum(f"E{order}", 4 / high - 1) / xp.sqrt(high)
        if scaled:
            near = near * xp.exp(low)
        else:
            far = far * xp.exp(-high)
        return xp.where(x <= 0, np.inf, xp.where(x <= 2, near, far))

    return value


# from here on SciPy's J and Y lose digits: they round x - pi/4, so that at 20,000 their error is 1e-12
_FAR = 64

_VALUES = {
    "j0": _first(0), "j1": _first(1), "y0": _second(0), "y1": _second(1),
    "k0": _modified(0, False), "k1": _modified(1, False), "k0e": _modified(0, True), "k1e": _modified(1, True),
}  # fmt: skip


def _over(xp: Any, y: Any, x: Any) -> Any:
    """J1 / x, which is 1/2 at 0."""
    return xp.where(x == 0, 0.5, y / xp.where(x == 0, 1, x))


# the derivative at x, of the other functions f(name, x)
_SLOPES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "j0": lambda xp, f, x: -f("j1", x),
    "j1": lambda xp, f, x: f("j0", x) - _over(xp, f("j1", x), x),
    "y0": lambda xp, f, x: -f("y1", x),
    "y1": lambda xp, f, x: f("y0", x) - f("y1", x) / x,
    "k0": lambda xp, f, x: -f("k1", x),
    "k1": lambda xp, f, x: -f("k0", x) - f("k1", x) / x,
    "k0e": lambda xp, f, x: f("k0e", x) - f("k1e", x),
    "k1e": lambda xp, f, x: f("k1e", x) * (1 - 1 / x) - f("k0e", x),
}


def _smooth(xp: Any, name: str, x: Any) -> Any:
    """A function on XLA, in float64, with the derivative that is known of it."""
    from tensorsmith.program.execute import jax

    @jax().custom_jvp
    def value(x: Any) -> Any:
        return _VALUES[name](xp, x)

    value.defjvps(lambda moved, _, x: moved * _SLOPES[name](xp, lambda other, at: _smooth(xp, other, at), x))
    return value(x)


def _bessel(xp: Any, name: str, x: Any) -> Any:
    if xp is not np:
        return _smooth(xp, name, x.astype("float64")).astype(x.dtype)
    if name[0] != "k" and (np.abs(x) > _FAR).any():
        return _VALUES[name](np, x.astype("float64")).astype(x.dtype)
    found = getattr(special(np), name)(x).astype(x.dtype)
    # SciPy says NaN below 0
    return found if name[0] == "j" else np.where(x <= 0, x.dtype.type(np.inf if name[0] == "k" else -np.inf), found)


@op(kinds="f", shapes=elementwise, quiet=True)
def bessel_j0(xp, x: Array):
    """The Bessel function of the first kind and order 0, elementwise: of x and of -x the same.

    >>> import tensorsmith as tf
    >>> tf.math.special.bessel_j0([0.0, 1.0]).numpy().round(4)
    array([1.    , 0.7652], dtype=float32)
    """
    return _bessel(xp, "j0", x)


@op(kinds="f", shapes=elementwise, quiet=True)
def bessel_j1(xp, x: Array):
    """The Bessel function of the first kind and order 1, elementwise; it changes its sign with x.

    >>> import tensorsmith as tf
    >>> tf.math.special.bessel_j1([0.0, 1.0]).numpy().round(4)
    array([0.    , 0.4401], dtype=float32)
    """
    return _bessel(xp, "j1", x)


@op(kinds="f", shapes=elementwise, quiet=True)
def bessel_y0(xp, x: Array):
    """The Bessel function of the second kind and order 0, elementwise; -inf at 0 and below.

    >>> import tensorsmith as tf
    >>> tf.math.special.bessel_y0([0.0, 1.0]).numpy().round(4)
    array([  -inf, 0.0883], dtype=float32)
    """
    return _bessel(xp, "y0", x)


@op(kinds="f", shapes=elementwise, quiet=True)
def bessel_y1(xp, x: Array):
    """The Bessel function of the second kind and order 1, elementwise; -inf at 0 and below.

    >>> import tensorsmith as tf
    >>> tf.math.special.bessel_y1([0.0, 1.0]).numpy().round(4)
    array([   -inf, -0.7812], dtype=float32)
    """
    return _bessel(xp, "y1", x)


@op(kinds="f", shapes=elementwise, quiet=True)
def bessel_k0(xp, x: Array):
    """The modified Bessel function of the second kind and order 0, elementwise; inf at 0 and below.

    >>> import tensorsmith as tf
    >>> tf.math.special.bessel_k0([0.0, 1.0]).numpy().round(4)
    array([  inf, 0.421], dtype=float32)
    """
    return _bessel(xp, "k0", x)


@op(kinds="f", shapes=elementwise, quiet=True)
def bessel_k0e(xp, x: Array):
    """exp(x) * bessel_k0(x), elementwise, without underflow.

    >>> import tensorsmith as tf
    >>> tf.math.special.bessel_k0e([0.0, 1.0]).numpy().round(4)
    array([   inf, 1.1445], dtype=float32)
    """
    return _bessel(xp, "k0e", x)


@op(kinds="f", shapes=elementwise, quiet=True)
def bessel_k1(xp, x: Array):
    """The modified Bessel function of the second kind and order 1, elementwise; inf at 0 and below.

    >>> import tensorsmith as tf
    >>> tf.math.special.bessel_k1([0.0, 1.0]).numpy().round(4)
    array([   inf, 0.6019], dtype=float32)
    """
    return _bessel(xp, "k1", x)


@op(kinds="f", shapes=elementwise, quiet=True)
def bessel_k1e(xp, x: Array):
    """exp(x) * bessel_k1(x), elementwise, without underflow.

    >>> import tensorsmith as tf
    >>> tf.math.special.bessel_k1e([0.0, 1.0]).numpy().round(4)
    array([   inf, 1.6362], dtype=float32)
    """
    return _bessel(xp, "k1e", x)
