"""Losses and metrics of ragged targets and predictions: value by value where a function asks for tensors.

A function of targets and predictions [B, ..., n] gives a value for each [B, ...]. Of ragged ones whose last axis is not ragged,
[B, (T), n], it is asked for all rows of the flat values at once, and its values lie under the same partitions, [B, (T)]. Where
the last axis is ragged, [B, (T)], the values of a row are what is meaned: each row has one value, [B].
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.ops.casting import cast
from tensorsmith.ops.creation import ones_like
from tensorsmith.ops.reductions import reduce_mean
from tensorsmith.ops.shaping import expand_dims, reshape, squeeze
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.structures.ragged_shaping import same_rows
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def takes_ragged(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function (y_true, y_pred, ...) -> values of tensors that takes ragged tensors, too."""

    @functools.wraps(function)
    def of_both(y_true: Any, y_pred: Any, *settings: Any, **named: Any) -> Any:
        if not is_ragged(y_pred) and not is_ragged(y_true):
            return function(y_true, y_pred, *settings, **named)
        targets, predictions = aligned(function.__name__, y_true, y_pred)
        values = function(flat_of(targets), flat_of(predictions), *settings, **named)
        whole = predictions.with_flat_values(values)
        return reduce_mean(whole, axis=-1) if _ends_ragged(predictions) else whole

    return of_both


def aligned(who: str, y_true: Any, y_pred: Any) -> tuple[RaggedTensor, RaggedTensor]:
    """Targets and predictions under the same partitions; [B, (T), 1] beside [B, (T)] becomes [B, (T)].

    Raises InvalidArgumentError, naming `who`, where one is not ragged, or the rows differ in length.
    """
    given = {"y_true": describe(y_true), "y_pred": describe(y_pred)}
    if not is_ragged(y_true) or not is_ragged(y_pred):
        raise InvalidArgumentError(
            explain(who, "one is ragged, the other is not", given, "each prediction needs one target",
                    "tf.RaggedTensor.from_tensor makes the dense one ragged, r.to_tensor() the ragged one dense.")
        )  # fmt: skip
    if y_true.ragged_rank != y_pred.ragged_rank or not same_rows(y_true, y_pred, who):
        raise InvalidArgumentError(
            explain(
                who, "the rows of targets and predictions differ in length", given, "each prediction needs one target"
            )
        )
    if len(y_pred.shape) == len(y_true.shape) + 1 and _ends_ragged(y_true) and y_pred.shape[-1] == 1:
        y_pred = y_pred.with_flat_values(squeeze(y_pred.flat_values, -1))
    return y_true, y_pred


def flat_of(value: RaggedTensor) -> Tensor:
    """The rows [n, ...] of all its values: [n, 1] where the last axis is ragged."""
    return expand_dims(value.flat_values, -1) if _ends_ragged(value) else value.flat_values


def _ends_ragged(value: RaggedTensor) -> bool:
    return len(value.shape) == value.ragged_rank + 1


def weights_of(weights: Any, values: RaggedTensor) -> Tensor:
    """Weights of samples for each of the flat values: one for each row, or one for each value."""
    if not is_ragged(weights):
        weights = convert(weights, None, None if hasattr(weights, "dtype") else values.dtype.numpy_dtype)
        rank = len(values.shape)
        while len(weights.shape) > rank or (len(weights.shape) > 1 and weights.shape[-1] == 1):
            weights = squeeze(weights, -1)
        if len(weights.shape) == 1:
            weights = reshape(weights, (-1, *[1] * (rank - 1)))
    wide: Any = ones_like(values) * cast(weights, values.dtype)
    return wide.flat_values
