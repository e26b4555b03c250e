"""Targets, predictions and weights brought to one dtype and one shape, row by row, before they are combined.

NumPy's broadcasting would make [n, n] of [n] and [n, 1]: a loss of every target against every prediction, which trains
without a complaint and learns nothing. So ranks are matched here, and whatever would still broadcast is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, nest
from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.function.autograph import in_trace
from tensorsmith.function.trace import trace
from tensorsmith.keras import config
from tensorsmith.ops.casting import cast
from tensorsmith.ops.shaping import expand_dims, squeeze
from tensorsmith.structures.ragged import is_ragged
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Tensor

_FLOAT32 = np.dtype("float32")


def as_predictions(value: Any, dtype: DType | None = None) -> Any:
    """Predictions as a floating tensor: float32 and float64 stay, all else becomes `floatx` (or `dtype`, if given)."""
    tensor = value if is_ragged(value) else convert(value)
    if dtype is None:
        # half precision overflows in the sums of a loss
        keep = tensor.dtype.name in ("float32", "float64") or tensor.dtype.is_complex
        dtype = tensor.dtype if keep else as_dtype(config.floatx())
    return tensor if tensor.dtype is dtype else cast(tensor, dtype)


def as_targets(value: Any, predictions: Tensor) -> Tensor:
    """Targets in the dtype of the predictions; strings stay what they are."""
    dtype = predictions.dtype
    tensor = convert(value, None, None if hasattr(value, "dtype") else dtype.numpy_dtype)
    if tensor.dtype is dtype or not (tensor.dtype.is_numeric or tensor.dtype.is_bool):
        return tensor
    return cast(tensor, dtype)


def match_rank(targets: Tensor, predictions: Tensor) -> tuple[Tensor, Tensor]:
    """Both with one rank where they differ by a last axis of size 1: [n] against [n, 1], [B, T] against [B, T, 1]."""
    difference = targets.ndim - predictions.ndim
    if difference == -1 and predictions.shape[-1] == 1:
        return expand_dims(targets, -1), predictions
    if difference == 1 and targets.shape[-1] == 1:
        # [n] keeps an axis to average over, so that each row has its own value
        if predictions.ndim == 1:
            return targets, expand_dims(predictions, -1)
        return squeeze(targets, -1), predictions
    return targets, predictions


def pair(who: str, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Targets and predictions that may be combined element by element.

    Raises ValueError, naming `who` and both shapes, where one would be broadcast over the other.
    """
    if type(y_true) is np.ndarray:
        y_true = convert(y_true)
    if type(y_pred) is Tensor and type(y_true) is Tensor:
        theirs, own = y_pred._array, y_true._array
        if theirs.dtype is own.dtype is _FLOAT32 and theirs.shape == own.shape:
            # the common case, with nothing to bring together
            return y_true, y_pred
    predictions = as_predictions(y_pred)
    targets, predictions = match_rank(as_targets(y_true, predictions), predictions)
    if targets.ndim and not targets.shape.is_compatible_with(predictions.shape):
        raise ValueError(
            explain(
                who,
                "targets and predictions differ in shape",
                {"y_true": tuple(targets.shape), "y_pred": tuple(predictions.shape)},
                "each prediction needs one target",
            )
        )
    return targets, predictions


def values_of(
    who: str, function: Callable[[Any, Any], Any], y_true: Any, y_pred: Any, dtype: DType | None = None
) -> Tensor:
    """What function(y_true, y_pred) gives for targets and predictions of one dtype and rank: a value for each sample.

    Raises ValueError, naming `who`, where it gives None or values that do not belong to the rows of the batch.
    """
    function = in_trace(function)
    if is_ragged(y_pred) or is_ragged(y_true):
        predictions = as_predictions(y_pred, dtype)
        targets = cast(y_true, predictions.dtype) if is_ragged(y_true) else as_targets(y_true, predictions)
        values = function(targets, predictions)
        return values if is_ragged(values) else _given(who, values, targets, predictions)
    if isinstance(y_pred, dict) or _several(y_pred):
        # several outputs in one loss: only its function knows how they belong together
        predictions: Any = nest.map_structure(lambda value: as_predictions(value, dtype), y_pred)
        targets: Any = nest.map_structure(convert, y_true)
        return _given(who, function(targets, predictions), targets, predictions)
    predictions = as_predictions(y_pred, dtype)
    labels, predictions = match_rank(convert(y_true), predictions)
    targets = as_targets(labels, predictions)
    try:
        values = function(targets, predictions)
    except (ValueError, TypeError) as error:
        if not labels.dtype.is_integer:
            raise
        # Keras 3 hands integer targets over as floats, Keras 2 as integers: code for Keras 2 may index with them
        try:
            values = function(labels, predictions)
        except Exception:
            raise error from None
    values = _given(who, values, targets, predictions)
    _check(who, values, targets, predictions, function)
    return values


def _several(value: Any) -> bool:
    """True for a list of several outputs, False for one output written as nested numbers."""
    return isinstance(value, (list, tuple)) and any(hasattr(part, "shape") and part.shape != () for part in value)


def _given(who: str, values: Any, targets: Any, predictions: Any) -> Tensor:
    if values is None:
        raise ValueError(
            explain(
                who,
                "it gave None instead of a value for each sample",
                {"y_true": describe(targets), "y_pred": describe(predictions)},
                way_out="Does its function end without a return?",
            )
        )
    return convert(values)


def _check(who: str, values: Tensor, targets: Tensor, predictions: Tensor, function: Callable[[Any, Any], Any]) -> None:
    if not values.ndim or not predictions.ndim:
        return
    batch, rows = predictions.shape[0], values.shape[0]
    given = {"y_true": describe(targets), "y_pred": describe(predictions), "values": tuple(values.shape)}
    if batch is None and rows is None and not _broadcast(values, targets, predictions, function):
        # traced for any batch: what it gives for a batch of a known size tells whether it keeps the rows
        shape = _shape_given(function, targets, predictions)
        batch, rows = _ROWS, shape[0] if shape else _ROWS
        given["values"] = shape
    # in a traced step the batch is not known (None), and a number of values that is known cannot be one a sample
    if rows is not None and batch != rows and not (batch is None and rows == 1):
        every = "each sample" if batch is None else f"each of the {batch} samples"
        rule = f"{every} needs its value: shape ({batch},) or ({batch}, ...)"
        raise ValueError(explain(who, "its values do not belong to the samples of the batch", given, rule))
    if _broadcast(values, targets, predictions, function):
        raise ValueError(
            explain(
                who,
                "its values are of every target against every prediction",
                given,
                "y_true and y_pred were broadcast over each other",
                "Give them one shape before they are combined: y_true = tf.reshape(y_true, tf.shape(y_pred)).",
            )
        )


_ROWS = 24


def _shape_given(function: Callable[[Any, Any], Any], targets: Tensor, predictions: Tensor) -> tuple[int | None, ...]:
    """The shape of what a function gives for `_ROWS` samples."""

    def body(graph: Graph) -> Any:
        return function(*(graph.input((_ROWS, *t.shape[1:]), t.dtype) for t in (targets, predictions)))

    return tuple(trace(body, outer=context.local.graph).structure.shape)


def _broadcast(values: Tensor, targets: Tensor, predictions: Tensor, function: Callable[[Any, Any], Any]) -> bool:
    batch = predictions.shape[0]
    flat = all(size == 1 for size in (*predictions.shape[1:], *targets.shape[1:]))
    if not flat or values.ndim < 2 or values.shape[1] != batch or batch == 1:
        return False
    if batch is None:
        return True
    # n values for each of n samples may be meant: with a row less they would still be n
    fewer = convert(function(targets[:-1], predictions[:-1]))
    return fewer.ndim >= 2 and fewer.shape[1] == batch - 1


def match_weights(weights: Any, values: Tensor) -> Tensor:
    """Weights of samples as they multiply `values`: one for each row, or one for each value.

    Raises ValueError where they fit neither.
    """
    weights = convert(weights, None, None if hasattr(weights, "dtype") else values.dtype.numpy_dtype)
    if weights.dtype is not values.dtype:
        weights = cast(weights, values.dtype)
    if not values.ndim or not weights.ndim:
        return weights
    while weights.ndim > values.ndim and weights.shape[-1] == 1:
        weights = squeeze(weights, -1)
    head = values.shape[: weights.ndim]
    fits = all(w in (1, None) or v is None or w == v for w, v in zip(weights.shape, head))
    if weights.ndim > values.ndim or not fits or weights.shape[0] == 1 != values.shape[0]:
        raise ValueError(
            explain(
                "sample_weight",
                "the weights do not fit the values",
                {"sample_weight": tuple(weights.shape), "values": tuple(values.shape)},
                "there is one weight for each sample, or one for each value",
            )
        )
    for _ in range(values.ndim - weights.ndim):
        weights = expand_dims(weights, -1)
    return weights
