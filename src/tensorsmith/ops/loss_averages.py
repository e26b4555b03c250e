"""Losses of rows made one number; the Poisson loss of a log rate."""

from __future__ import annotations

import math
from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import greater_equal, less_equal, logical_and, where
from tensorsmith.ops.creation import ones_like, zeros_like
from tensorsmith.ops.elementwise import add, divide, exp, log, multiply, subtract
from tensorsmith.ops.reductions import reduce_sum
from tensorsmith.ops.shaping import shape
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def compute_average_loss(per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None) -> Tensor:
    """The weighted sum of the losses of rows [B, ...], divided by the batch size (B unless given).

    Raises ValueError for a scalar loss.

    >>> import tensorsmith as tf
    >>> tf.nn.compute_average_loss([2.0, 4.0], global_batch_size=4).numpy().item()
    1.5
    """
    loss = convert(per_example_loss)
    if len(loss.shape) == 0:
        raise ValueError(explain("compute_average_loss", "a scalar has no rows", {"per_example_loss": loss.shape}))
    if sample_weight is not None:
        weight = convert(sample_weight, None, loss.dtype.numpy_dtype)
        loss = multiply(loss, weight if weight.dtype is loss.dtype else cast(weight, loss.dtype))
    count: Any = global_batch_size
    if count is None:
        count = shape(loss)[0] if loss.shape[0] is None else loss.shape[0]
    return divide(reduce_sum(loss), cast(count, loss.dtype))


def scale_regularization_loss(regularization_loss: Any) -> Tensor:
    """The sum of regularization losses, shared among the replicas: here there is one.

    >>> import tensorsmith as tf
    >>> tf.nn.scale_regularization_loss([1.0, 2.0]).numpy().item()
    3.0
    """
    return reduce_sum(regularization_loss)


def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None) -> Tensor:
    """exp(c) - z * c for targets z and log rates c: the Poisson loss but for a constant.

    compute_full_loss  adds z * log(z) - z + log(2 pi z) / 2, Stirling's log(z!), where z > 1.

    >>> import tensorsmith as tf
    >>> tf.nn.log_poisson_loss(2.0, 0.0).numpy().item()
    1.0
    """
    log_input = convert(log_input)
    targets = convert(targets, None, log_input.dtype.numpy_dtype)
    loss = subtract(exp(log_input), multiply(log_input, targets))
    if not compute_full_loss:
        return loss
    inside = logical_and(greater_equal(targets, 0), less_equal(targets, 1))
    z = where(inside, ones_like(targets), targets)
    stirling = add(subtract(multiply(z, log(z)), z), multiply(log(multiply(z, 2 * math.pi)), 0.5))
    return add(loss, where(inside, zeros_like(targets), stirling))
