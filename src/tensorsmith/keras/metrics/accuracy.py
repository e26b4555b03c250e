"""Accuracies.

Each function gives 1.0 for a hit and 0.0 for a miss.
"""

from __future__ import annotations

from typing import Any

from tensorsmith.keras import config
from tensorsmith.keras.losses.alignment import as_predictions, pair
from tensorsmith.keras.losses.classification import class_numbers
from tensorsmith.keras.metrics.means import MeanMetricWrapper
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import equal, greater, less
from tensorsmith.ops.creation import one_hot
from tensorsmith.ops.reductions import argmax, reduce_sum
from tensorsmith.tensor.tensor import Tensor


def _hits(truths: Any) -> Tensor:
    return cast(truths, config.floatx())


def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """Where the prediction equals the target, element by element.

    >>> accuracy([1.0, 2.0], [1.0, 3.0]).numpy()
    array([1., 0.], dtype=float32)
    """
    y_true, y_pred = pair("accuracy", y_true, y_pred)
    return _hits(equal(y_true, y_pred))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """Where the prediction is on the target's side of the threshold (above it means 1), element by element.

    >>> binary_accuracy([[1.0, 0.0]], [[0.9, 0.6]]).numpy()
    array([[1., 0.]], dtype=float32)
    """
    y_true, y_pred = pair("binary_accuracy", y_true, y_pred)
    return _hits(equal(y_true, cast(greater(y_pred, float(threshold)), y_true.dtype)))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """Where the largest prediction [..., C] is the class of the one-hot target.

    >>> categorical_accuracy([[0.0, 1.0], [0.0, 1.0]], [[0.4, 0.6], [0.7, 0.3]]).numpy()
    array([1., 0.], dtype=float32)
    """
    y_true, y_pred = pair("categorical_accuracy", y_true, y_pred)
    return _hits(equal(argmax(y_true, axis=-1), argmax(y_pred, axis=-1)))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """Where the largest prediction [..., C] is the class number of the target [...] (or [..., 1]).

    >>> sparse_categorical_accuracy([1, 1], [[0.4, 0.6], [0.7, 0.3]]).numpy()
    array([1., 0.], dtype=float32)
    """
    y_pred = as_predictions(y_pred)
    classes = class_numbers("sparse_categorical_accuracy", y_true, y_pred)
    return _hits(equal(classes, cast(argmax(y_pred, axis=-1), classes.dtype)))


def _within(classes: Tensor, y_pred: Tensor, k: int) -> Tensor:
    """Where fewer than k predictions are larger than that of the target's class: ties at the edge count as hits."""
    own = reduce_sum(one_hot(classes, y_pred.shape[-1], dtype=y_pred.dtype) * y_pred, axis=-1, keepdims=True)
    larger = reduce_sum(cast(greater(y_pred, own), "int32"), axis=-1)
    return _hits(less(larger, k))


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """Where the class of the one-hot target is among the k largest predictions [..., C].

    >>> top_k_categorical_accuracy([[0.0, 1.0, 0.0]], [[0.5, 0.3, 0.2]], k=2).numpy()
    array([1.], dtype=float32)
    """
    y_true, y_pred = pair("top_k_categorical_accuracy", y_true, y_pred)
    return _within(cast(argmax(y_true, axis=-1), "int32"), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """Where the class number of the target is among the k largest predictions [..., C].

    >>> sparse_top_k_categorical_accuracy([2], [[0.5, 0.3, 0.2]], k=2).numpy()
    array([0.], dtype=float32)
    """
    y_pred = as_predictions(y_pred)
    return _within(class_numbers("sparse_top_k_categorical_accuracy", y_true, y_pred), y_pred, k)


class Accuracy(MeanMetricWrapper):
    """How often the prediction equals the target.

    >>> Accuracy()([[1], [2], [3], [4]], [[0], [2], [3], [4]]).numpy().item()
    0.75
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often the prediction is on the target's side of the threshold.

    >>> BinaryAccuracy()([[1], [1], [0], [0]], [[0.98], [1.0], [0.0], [0.6]]).numpy().item()
    0.75
    """

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the class of the one-hot target.

    >>> CategoricalAccuracy()([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]]).numpy().item()
    0.5
    """

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the class number of the target.

    >>> SparseCategoricalAccuracy()([[2], [1]], [[0.1, 0.6, 0.3], [0.05, 0.95, 0.0]]).numpy().item()
    0.5
    """

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the one-hot target is among the k largest predictions.

    >>> TopKCategoricalAccuracy(k=1)([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]]).numpy().item()
    0.5
    """

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class number of the target is among the k largest predictions.

    >>> SparseTopKCategoricalAccuracy(k=1)([2, 1], [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]]).numpy().item()
    0.5
    """

    def __init__(self, k: int = 5, name: str | None = "sparse_top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k)
