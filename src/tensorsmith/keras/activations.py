"""The ops' activations by name."""

from __future__ import annotations

from typing import Any

from tensorsmith.keras import registry
from tensorsmith.ops.activations import (
    elu,
    gelu,
    hard_sigmoid,
    hard_silu,
    log_sigmoid,
    log_softmax,
    mish,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
)
from tensorsmith.ops.activations import leaky_relu as _leaky_relu
from tensorsmith.ops.activations import relu as _relu
from tensorsmith.ops.comparison import where
from tensorsmith.ops.creation import zeros_like
from tensorsmith.ops.elementwise import abs, clip_by_value, exp, expm1, maximum, minimum, sqrt, square
from tensorsmith.ops.shaping import split
from tensorsmith.ops.trigonometry import tanh
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
    "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid",
    "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip


def linear(x: Any) -> Any:
    """x itself.

    >>> linear(2.0)
    2.0
    """
    return x


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """max(x, 0).

    max_value       the result is not above it.
    threshold       x counts where it is above it.
    negative_slope  elsewhere the result is negative_slope * (x - threshold).

    >>> relu([-2.0, 3.0]).numpy()
    array([0., 3.], dtype=float32)
    >>> relu([-2.0, 3.0, 9.0], negative_slope=0.5, max_value=6.0).numpy()
    array([-1.,  3.,  6.], dtype=float32)
    """
    if not negative_slope and max_value is None and not threshold:
        return _relu(x)
    x = convert(x)
    low = (x - float(threshold)) * float(negative_slope) if negative_slope else zeros_like(x)
    result = where(x > float(threshold), x, low)
    return result if max_value is None else minimum(result, float(max_value))


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """x where it is above 0, negative_slope * x elsewhere.

    >>> leaky_relu([-2.0, 3.0], negative_slope=0.5).numpy()
    array([-1.,  3.], dtype=float32)
    """
    return _leaky_relu(x, alpha=float(negative_slope))


def exponential(x: Any) -> Tensor:
    """e**x.

    >>> exponential([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return exp(x)


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """x where it is above 0, alpha * (exp(x / alpha) - 1) elsewhere.

    >>> celu([0.0, 3.0]).numpy()
    array([0., 3.], dtype=float32)
    """
    x, alpha = convert(x), float(alpha)
    return maximum(x, 0.0) + expm1(minimum(x, 0.0) / alpha) * alpha


def glu(x: Any, axis: int = -1) -> Tensor:
    """a * sigmoid(b), a and b the halves of x along `axis`.

    >>> glu([2.0, 0.0]).numpy()
    array([1.], dtype=float32)
    """
    a, b = split(x, 2, axis)
    return a * sigmoid(b)


def hard_tanh(x: Any) -> Tensor:
    """x cut to [-1, 1].

    >>> hard_tanh([-3.0, 0.5]).numpy()
    array([-1. ,  0.5], dtype=float32)
    """
    return clip_by_value(x, -1.0, 1.0)


def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x where |x| is above the threshold, 0 elsewhere.

    >>> hard_shrink([-3.0, 0.5]).numpy()
    array([-3.,  0.], dtype=float32)
    """
    x = convert(x)
    return where(abs(x) > float(threshold), x, zeros_like(x))


def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x moved towards 0 by the threshold, 0 where it would get past it.

    >>> soft_shrink([-3.0, 0.25]).numpy()
    array([-2.5,  0. ], dtype=float32)
    """
    x, limit = convert(x), float(threshold)
    return maximum(x - limit, 0.0) + minimum(x + limit, 0.0)


def tanh_shrink(x: Any) -> Tensor:
    """x - tanh(x).

    >>> tanh_shrink([0.0]).numpy()
    array([0.], dtype=float32)
    """
    x = convert(x)
    return x - tanh(x)


def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """x where it is above the threshold, default_value elsewhere.

    >>> threshold([1.0, 3.0], 2.0, 0.0).numpy()
    array([0., 3.], dtype=float32)
    """
    return where(convert(x) > float(threshold), x, float(default_value))


def squareplus(x: Any, b: float = 4.0) -> Tensor:
    """(x + sqrt(x**2 + b)) / 2.

    >>> squareplus([0.0]).numpy()
    array([1.], dtype=float32)
    """
    x = convert(x)
    return (x + sqrt(square(x) + float(b))) * 0.5


def sparse_sigmoid(x: Any) -> Tensor:
    """(x + 1) / 2 cut to [0, 1].

    >>> sparse_sigmoid([-2.0, 0.0]).numpy()
    array([0. , 0.5], dtype=float32)
    """
    return clip_by_value((convert(x) + 1.0) * 0.5, 0.0, 1.0)


def sparse_plus(x: Any) -> Tensor:
    """0 below -1, (x + 1)**2 / 4 up to 1, x above.

    >>> sparse_plus([-2.0, 0.0, 3.0]).numpy()
    array([0.  , 0.25, 3.  ], dtype=float32)
    """
    x = convert(x)
    return where(x < 1.0, square(maximum(x + 1.0, 0.0)) * 0.25, x)


swish, hard_swish = silu, hard_silu

for _function, _aliases in (
    (linear, ()), (relu, ()), (relu6, ()), (leaky_relu, ()), (elu, ()), (selu, ()), (gelu, ()), (silu, ("swish",)),
    (mish, ()), (sigmoid, ()), (log_sigmoid, ()), (hard_sigmoid, ()), (hard_silu, ("hard_swish",)), (tanh, ()),
    (softmax, ()), (log_softmax, ()), (softplus, ()), (softsign, ()), (exponential, ("exp",)), (celu, ()), (glu, ()),
    (hard_tanh, ()), (hard_shrink, ()), (soft_shrink, ()), (tanh_shrink, ()), (threshold, ()), (squareplus, ()),
    (sparse_sigmoid, ()), (sparse_plus, ()),
):  # fmt: skip
    registry.register("activation", _function, *_aliases)


def get(identifier: Any) -> Any:
    """The activation that a name, config or function stands for; None is `linear`.

    Raises ValueError for an unknown name.

    >>> get("relu") is relu, get(None) is linear
    (True, True)
    """
    return linear if identifier is None else registry.get("activation", identifier)


def serialize(activation: Any) -> Any:
    """The config of an activation: the name of a built-in one.

    >>> serialize(get(None)), serialize(tanh)
    ('linear', 'tanh')
    """
    return registry.serialize("activation", activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The activation that `serialize` described."""
    return registry.deserialize("activation", config, custom_objects)
