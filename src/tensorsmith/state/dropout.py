"""dropout: elements set to 0 at random."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import ports
from tensorsmith.ops.comparison import greater_equal, where
from tensorsmith.ops.creation import zeros_like
from tensorsmith.ops.elementwise import divide, subtract
from tensorsmith.ops.shaping import shape as shape_of
from tensorsmith.state.random_generator import is_number, uniform
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def dropout(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: str | None = None) -> Tensor:
    """x with a part `rate` of its elements set to 0 at random, the others divided by 1 - rate.

    noise_shape: where it has size 1, elements along that axis fall or stay together.
    Source: Srivastava et al. (2014), Dropout.

    >>> import tensorsmith as tf
    >>> tf.nn.dropout([1.0, 2.0], rate=0.0).numpy()
    array([1., 2.], dtype=float32)
    """
    if type(x) in ports.by_element:
        if noise_shape is not None:
            raise ValueError("dropout: a noise_shape does not go with a ragged tensor; use r.to_tensor() first.")
        return ports.by_element[type(x)](dropout, (x, rate), {"seed": seed})
    x = convert(x)
    if not x.dtype.is_floating:
        raise ValueError(f"dropout: x must be floats, not {x.dtype.name}.")
    if is_number(rate) and not 0 <= rate < 1:
        raise ValueError(f"dropout: rate must be at least 0 and below 1, not {rate}.")
    if is_number(rate) and rate == 0:
        return x
    sizes = shape_of(x) if noise_shape is None else noise_shape
    drawn = uniform(sizes, dtype=x.dtype, seed=seed)
    keep = greater_equal(drawn, rate)
    return where(keep, divide(x, subtract(convert(1.0, x.dtype), rate)), zeros_like(x))
