"""Draws from distributions as pure functions of a state: uniform, normal, truncated normal, categorical, shuffles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.ops.guards import gives_places
from tensorsmith.ops.philox import bits32, bits64
from tensorsmith.ops.sizes import fill_sizes
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import primitive

_FLOAT32, _FLOAT64, _INT64, _UINT64 = np.dtype("float32"), np.dtype("float64"), np.dtype("int64"), np.dtype("uint64")


def _count(sizes: tuple[int, ...]) -> int:
    return math.prod(sizes)


def unit(xp: Any, state: Any, count: int, dtype: np.dtype, above_zero: bool = False) -> Any:
    """`count` floats evenly spread over [0, 1), or over (0, 1]; each a multiple of 2**-24 (of 2**-53 for float64)."""
    if dtype == _FLOAT64:
        bits, step = bits64(xp, state, count) >> np.uint64(11), 2.0**-53
    else:
        bits, step = bits32(xp, state, count) >> np.uint32(8), 2.0**-24
        # in float16 the largest multiple of 2**-24 would round to 1
        if dtype.itemsize == 2:
            bits, step = bits >> np.uint32(16), 2.0**-8
            dtype = _FLOAT32
    if above_zero:
        bits = bits + bits.dtype.type(1)
    return bits.astype(dtype) * dtype.type(step)


def _drawn(specs: Specs, settings: dict) -> Specs:
    return [(settings["sizes"], settings["dtype"])]


@primitive(differentiable=False, shapes=lambda specs, settings: [specs[0]])
def random_step(xp, state: Array):
    """The state after one draw: the number of the draw goes up by one."""
    return state + np.array([0, 0, 1], np.uint64)


@primitive(same=False, differentiable=False, shapes=_drawn)
def random_uniform(xp, state: Array, parts: Arrays, sizes: Any = (), dtype: Any = _FLOAT32):
    """Floats evenly spread over [0, 1)."""
    shape = fill_sizes(sizes, parts, "random_uniform")
    return unit(xp, state, _count(shape), dtype).reshape(shape).astype(dtype)


@primitive(same=False, differentiable=False, shapes=_drawn)
def random_integers(xp, state: Array, low: Array, high: Array, parts: Arrays, sizes: Any = (), dtype: Any = _INT64):
    """Integers evenly spread over [low, high)."""
    shape = fill_sizes(sizes, parts, "random_integers")
    span = (high.astype("int64") - low.astype("int64")).astype("uint64")
    # of 64 bits the remainder favours no number by more than span / 2**64
    drawn = (bits64(xp, state, _count(shape)).reshape(shape) % span).astype("int64")
    return (drawn + low.astype("int64")).astype(dtype)


@primitive(same=False, differentiable=False, shapes=_drawn)
def random_bits(xp, state: Array, parts: Arrays, sizes: Any = (), dtype: Any = _UINT64):
    """Integers whose bits are all random."""
    shape = fill_sizes(sizes, parts, "random_bits")
    return bits64(xp, state, _count(shape)).reshape(shape).astype(dtype)


@primitive(same=False, differentiable=False, shapes=_drawn)
def random_normal(
    xp, state: Array, parts: Arrays, sizes: Any = (), mean: float = 0.0, stddev: float = 1.0, dtype: Any = _FLOAT32
):
    """Floats of a normal distribution, in pairs by Box and Muller (1958): sqrt(-2 log u) * (cos, sin)(2 pi v)."""
    shape = fill_sizes(sizes, parts, "random_normal")
    count = _count(shape)
    half = -(-count // 2)
    work = dtype if dtype == _FLOAT64 else _FLOAT32
    spread = unit(xp, state, 2 * half, work, above_zero=True)
    radius = xp.sqrt(xp.log(spread[:half]) * work.type(-2))
    angle = spread[half:] * work.type(2 * math.pi)
    pairs = xp.concatenate([radius * xp.cos(angle), radius * xp.sin(angle)])[:count]
    if stddev != 1.0:
        pairs = pairs * work.type(stddev)
    if mean != 0.0:
        pairs = pairs + work.type(mean)
    return pairs.reshape(shape).astype(dtype)


# Wichura (1988), algorithm AS 241: the inverse of the normal distribution function to 16 digits.
_CENTRE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
_SIDE = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip


def _ratio(x: Any, coefficients: tuple[tuple[float, ...], tuple[float, ...]]) -> Any:
    parts = []
    for row in coefficients:
        total = x.dtype.type(row[-1])
        for c in row[-2::-1]:
            total = total * x + x.dtype.type(c)
        parts.append(total)
    return parts[0] / parts[1]


def normal_quantile(xp: Any, p: Any) -> Any:
    """The place below which a standard normal falls with probability p, for p within [1e-11, 1 - 1e-11]."""
    kind = p.dtype.type
    q = p - kind(0.5)
    centre = q * _ratio(kind(0.180625) - q * q, _CENTRE)
    tail = xp.sqrt(-xp.log(xp.minimum(p, kind(1) - p)))
    side = xp.sign(q) * _ratio(tail - kind(1.6), _SIDE)
    return xp.where(xp.abs(q) <= kind(0.425), centre, side)


# the probability of a standard normal below -2
_BELOW_TWO = 0.022750131948179195


@primitive(same=False, differentiable=False, shapes=_drawn)
def random_truncated_normal(
    xp, state: Array, parts: Arrays, sizes: Any = (), mean: float = 0.0, stddev: float = 1.0, dtype: Any = _FLOAT32
):
    """Floats of a normal distribution cut off two standard deviations from its mean, by the inverse of its function."""
    shape = fill_sizes(sizes, parts, "random_truncated_normal")
    work = dtype if dtype == _FLOAT64 else _FLOAT32
    p = unit(xp, state, _count(shape), work) * work.type(1 - 2 * _BELOW_TWO) + work.type(_BELOW_TWO)
    drawn = xp.clip(normal_quantile(xp, p), work.type(-2), work.type(2)) * work.type(stddev) + work.type(mean)
    return drawn.reshape(shape).astype(dtype)


@primitive(same=False, differentiable=False, shapes=lambda s, k: [((s[1][0][0], k["num_samples"]), k["dtype"])])
def random_categorical(xp, state: Array, logits: Array, num_samples: int, dtype: Any = _INT64):
    """Class numbers [B, num_samples] drawn with probabilities softmax(logits [B, C])."""
    rows, classes = logits.shape
    spread = unit(xp, state, rows * num_samples * classes, _FLOAT64, above_zero=True)
    # the greatest of logit + Gumbel noise is each class with its probability
    noise = -xp.log(-xp.log(spread * (1 - 2.0**-53)))
    scores = logits.astype(_FLOAT64)[:, None, :] + noise.reshape(rows, num_samples, classes)
    return xp.argmax(scores, axis=-1).astype(dtype)


@primitive(same=False, differentiable=False, shapes=lambda specs, settings: [((specs[1][0][0],), np.dtype("int64"))])
def random_order(xp, state: Array, value: Array):
    """The numbers 0 to n - 1 in random order, n the size of the first axis of `value`."""
    keys = bits64(xp, state, value.shape[0])
    return (np.argsort(keys, kind="stable") if xp is np else xp.argsort(keys, stable=True)).astype("int64")


gives_places(random_order, lambda settings: 0, of=1)
