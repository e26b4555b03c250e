"""What every metric must do. A row of CASES for each built-in class: settings off their defaults, and the kind of data."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.keras import registry
from tests.support import compiled, samples

CASES: dict[str, list[tuple[dict[str, Any], Any]]] = {
    "MeanSquaredError": [({}, samples.numbers)],
    "RootMeanSquaredError": [({}, samples.numbers)],
    "MeanAbsoluteError": [({}, samples.numbers)],
    "MeanAbsolutePercentageError": [({}, samples.counts)],
    "MeanSquaredLogarithmicError": [({}, samples.counts)],
    "LogCoshError": [({}, samples.numbers)],
    "CosineSimilarity": [({}, samples.numbers)],
    "R2Score": [
        ({}, samples.numbers),
        ({"class_aggregation": "variance_weighted_average"}, samples.numbers),
        ({"class_aggregation": None}, samples.numbers),
    ],
    "Accuracy": [({}, lambda: (samples.binary()[0], samples.binary()[1].round()))],
    "BinaryAccuracy": [({}, samples.binary), ({"threshold": 0.2}, samples.binary)],
    "CategoricalAccuracy": [({}, samples.one_hot)],
    "SparseCategoricalAccuracy": [({}, samples.classes)],
    "TopKCategoricalAccuracy": [({"k": 2}, samples.one_hot)],
    "SparseTopKCategoricalAccuracy": [({"k": 2}, samples.classes)],
    "BinaryCrossentropy": [
        ({}, samples.binary),
        ({"from_logits": True, "label_smoothing": 0.1}, samples.binary_logits),
    ],
    "CategoricalCrossentropy": [
        ({}, samples.one_hot),
        ({"from_logits": True, "label_smoothing": 0.1}, samples.one_hot_logits),
    ],
    "SparseCategoricalCrossentropy": [
        ({}, samples.classes),
        ({"from_logits": True}, samples.class_logits),
        ({"ignore_class": 1}, samples.classes),
    ],
    "KLDivergence": [({}, samples.shares)],
    "Poisson": [({}, samples.counts)],
    "Hinge": [({}, samples.binary)],
    "SquaredHinge": [({}, samples.binary)],
    "CategoricalHinge": [({}, samples.one_hot)],
    "TruePositives": [({}, samples.binary), ({"thresholds": [0.2, 0.8]}, samples.binary)],
    "FalsePositives": [({}, samples.binary), ({"thresholds": [0.2, 0.8]}, samples.binary)],
    "TrueNegatives": [({}, samples.binary), ({"thresholds": 0.2}, samples.binary)],
    "FalseNegatives": [({}, samples.binary), ({"thresholds": 0.8}, samples.binary)],
    "Precision": [
        ({}, samples.binary),
        ({"thresholds": [0.2, 0.8]}, samples.binary),
        ({"top_k": 2}, samples.binary),
        ({"class_id": 1}, samples.binary),
    ],
    "Recall": [
        ({}, samples.binary),
        ({"thresholds": 0.2}, samples.binary),
        ({"top_k": 1, "class_id": 2}, samples.binary),
    ],
    "SensitivityAtSpecificity": [({"specificity": 0.6}, samples.binary)],
    "SpecificityAtSensitivity": [({"sensitivity": 0.6, "num_thresholds": 9}, samples.binary)],
    "PrecisionAtRecall": [({"recall": 0.6}, samples.binary)],
    "RecallAtPrecision": [({"precision": 0.6, "class_id": 1}, samples.binary)],
    "AUC": [
        ({}, samples.binary),
        ({"curve": "PR"}, samples.binary),
        ({"curve": "PR", "summation_method": "majoring"}, samples.binary),
        ({"summation_method": "minoring"}, samples.binary),
        ({"multi_label": True}, samples.binary),
        ({"multi_label": True, "num_labels": 3, "label_weights": [1.0, 2.0, 3.0]}, samples.binary),
        ({"from_logits": True, "num_thresholds": 11}, samples.binary_logits),
        ({"thresholds": [0.7, 0.1, 0.5]}, samples.binary),
    ],
    "FBetaScore": [
        ({"average": "macro", "beta": 2.0}, samples.one_hot),
        ({"average": "micro"}, samples.one_hot),
        ({"average": "weighted", "threshold": 0.3}, samples.one_hot),
    ],
    "F1Score": [({}, samples.one_hot), ({"threshold": 0.3, "average": "macro"}, samples.one_hot)],
}
# bases, and those that take values instead of targets and predictions: they have tests of their own
BASES = {"Metric", "Mean", "Sum", "MeanMetricWrapper"}
WEIGHTS = np.array([1.0, 0.5, 0.0, 2.0, 1.0, 3.0], "float32")

ROWS = [(name, settings, sample) for name, rows in CASES.items() for settings, sample in rows]


def values(metric: Any) -> list[np.ndarray]:
    return [variable.numpy() for variable in metric.variables]


def same(one: Any, other: Any, rtol: float = 2e-6) -> None:
    np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=rtol, atol=1e-7)


def check_round_trip(metric: Any, y_true: Any, y_pred: Any) -> None:
    """A metric made from its config gives the same."""
    again = registry.deserialize_keras_object(registry.serialize_keras_object(metric))
    assert type(again) is type(metric) and again.name == metric.name and again.dtype == metric.dtype
    same(again(y_true, y_pred), metric(y_true, y_pred), rtol=0)


def check_batches(make: Any, y_true: Any, y_pred: Any) -> None:
    """Two batches give what all rows at once give; a reset forgets them."""
    whole, parts = make(), make()
    whole.update_state(y_true, y_pred)
    parts.update_state(y_true[:2], y_pred[:2])
    parts.update_state(y_true[2:], y_pred[2:])
    same(parts.result(), whole.result())
    parts.reset_state()
    assert all((value == 0).all() for value in values(parts))
    parts.update_state(y_true, y_pred)
    same(parts.result(), whole.result(), rtol=0)


def check_weights(make: Any, y_true: Any, y_pred: Any) -> None:
    """A row of weight 2 counts like two rows, a row of weight 0 like none."""
    weighted, repeated = make(), make()
    rows = [0, 1, 1, 3, 4, 5, 5]
    weighted.update_state(y_true, y_pred, sample_weight=np.array([1, 2, 0, 1, 1, 2], "float32"))
    repeated.update_state(y_true[rows], y_pred[rows])
    same(weighted.result(), repeated.result(), rtol=1e-5)


def check_compiled(make: Any, y_true: Any, y_pred: Any) -> None:
    """Updates that are traced and compiled leave what updates at once leave, with and without weights."""
    eager, traced = make(), make()
    for _ in range(2):
        eager.update_state(y_true, y_pred)
        compiled.run(traced.update_state, y_true, y_pred)
    eager.update_state(y_true, y_pred, sample_weight=WEIGHTS)
    compiled.run(lambda t, p, w: traced.update_state(t, p, sample_weight=w), y_true, y_pred, WEIGHTS)
    for one, other in zip(values(eager), values(traced), strict=True):
        same(one, other, rtol=1e-5)
    same(compiled.run(traced.result), eager.result(), rtol=1e-5)
