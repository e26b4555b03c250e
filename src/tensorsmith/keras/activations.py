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
from tensorsmith.ops.elementwise import exp, minimum
from tensorsmith.ops.trigonometry import tanh
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

__all__ = [
    "deserialize", "elu", "exponential", "gelu", "get", "hard_sigmoid", "hard_silu", "hard_swish", "leaky_relu", "linear",
    "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "serialize", "sigmoid", "silu", "softmax", "softplus",
    "softsign", "swish", "tanh",
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


swish, hard_swish = silu, hard_silu

for _function, _aliases in (
    (linear, ()), (relu, ()), (relu6, ()), (leaky_relu, ()), (elu, ()), (selu, ()), (gelu, ()), (silu, ("swish",)),
    (mish, ()), (sigmoid, ()), (log_sigmoid, ()), (hard_sigmoid, ()), (hard_silu, ("hard_swish",)), (tanh, ()),
    (softmax, ()), (log_softmax, ()), (softplus, ()), (softsign, ()), (exponential, ("exp",)),
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
