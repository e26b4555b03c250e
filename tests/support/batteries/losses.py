"""What every loss must do. A row of CASES for each built-in class: settings off their defaults, and the kind of data."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.keras import registry
from tensorsmith.keras.variable import Variable
from tensorsmith.state.tape import GradientTape
from tensorsmith.tensor.convert import convert
from tests.support import compiled, samples

CASES: dict[str, list[tuple[dict[str, Any], Any]]] = {
    "MeanSquaredError": [({}, samples.numbers)],
    "MeanAbsoluteError": [({}, samples.numbers)],
    "MeanAbsolutePercentageError": [({}, samples.counts)],
    "MeanSquaredLogarithmicError": [({}, samples.counts)],
    "Huber": [({}, samples.numbers), ({"delta": 0.5}, samples.numbers)],
    "LogCosh": [({}, samples.numbers)],
    "Poisson": [({}, samples.counts)],
    "CosineSimilarity": [({}, samples.numbers)],
    "BinaryCrossentropy": [
        ({}, samples.binary),
        ({"from_logits": True}, samples.binary_logits),
        ({"label_smoothing": 0.2}, samples.binary),
    ],
    "BinaryFocalCrossentropy": [
        ({}, samples.binary),
        ({"gamma": 3.0, "alpha": 0.4, "apply_class_balancing": True}, samples.binary),
        ({"from_logits": True, "label_smoothing": 0.1}, samples.binary_logits),
    ],
    "CategoricalCrossentropy": [
        ({}, samples.one_hot),
        ({"from_logits": True}, samples.one_hot_logits),
        ({"label_smoothing": 0.2}, samples.shares),
    ],
    "CategoricalFocalCrossentropy": [
        ({}, samples.one_hot),
        ({"gamma": 1.0, "alpha": 0.5, "from_logits": True, "label_smoothing": 0.1}, samples.one_hot_logits),
    ],
    "SparseCategoricalCrossentropy": [
        ({}, samples.classes),
        ({"from_logits": True}, samples.class_logits),
        ({"ignore_class": 1}, samples.classes),
    ],
    "KLDivergence": [({}, samples.shares)],
    "Hinge": [({}, samples.binary), ({}, samples.numbers)],
    "SquaredHinge": [({}, samples.binary)],
    "CategoricalHinge": [({}, samples.one_hot)],
}
# bases, which have no loss of their own
BASES = {"Loss", "LossFunctionWrapper"}
WEIGHTS = np.array([1.0, 0.5, 0.0, 2.0, 1.0, 3.0], "float32")

ROWS = [(name, settings, sample) for name, rows in CASES.items() for settings, sample in rows]


def value(tensor: Any) -> np.ndarray:
    return np.asarray(tensor)


def check_round_trip(loss: Any, y_true: Any, y_pred: Any, settings: dict[str, Any]) -> None:
    """A loss made from its config does the same; where it has settings, a loss without them does something else."""
    again = registry.deserialize_keras_object(registry.serialize_keras_object(loss))
    assert type(again) is type(loss)
    assert value(again(y_true, y_pred)) == value(loss(y_true, y_pred))
    if settings:
        assert value(type(loss)()(y_true, y_pred)) != value(loss(y_true, y_pred))


def check_reductions(make: Any, y_true: Any, y_pred: Any) -> None:
    """Every reduction is the sum, mean or weighted mean of the values that "none" gives: one for each row."""
    values = value(make(reduction="none")(y_true, y_pred))
    assert values.shape == (len(y_pred),)
    mask = getattr(make(reduction="none").call(convert(y_true), y_pred), "_keras_mask", None)
    kept = np.ones(len(values)) if mask is None else value(mask)
    for weights in (None, WEIGHTS):
        weighted = values * (1 if weights is None else weights)
        total = (kept if weights is None else kept * weights).sum()
        expected = {"sum": weighted.sum(), "sum_over_batch_size": weighted.sum() / kept.sum()}
        expected["mean"], expected["mean_with_sample_weight"] = expected["sum_over_batch_size"], weighted.sum() / total
        for reduction, number in expected.items():
            given = make(reduction=reduction)(y_true, y_pred, sample_weight=weights)
            np.testing.assert_allclose(value(given), number, rtol=2e-6, err_msg=reduction)
        np.testing.assert_allclose(value(make(reduction="none")(y_true, y_pred, weights)), weighted, rtol=1e-6)


def check_rows(make: Any, y_true: Any, y_pred: Any) -> None:
    """The value of a row hangs on that row alone."""
    values = value(make(reduction="none")(y_true, y_pred))
    np.testing.assert_allclose(value(make(reduction="none")(y_true[::-1], y_pred[::-1])), values[::-1], rtol=1e-6)


def check_compiled(loss: Any, y_true: Any, y_pred: Any) -> None:
    """Compiled, it gives what it gives at once, with and without weights."""
    np.testing.assert_allclose(value(compiled.run(loss, y_true, y_pred)), value(loss(y_true, y_pred)), rtol=2e-6)
    weighted = compiled.run(lambda t, p, w: loss(t, p, sample_weight=w), y_true, y_pred, WEIGHTS)
    np.testing.assert_allclose(value(weighted), value(loss(y_true, y_pred, WEIGHTS)), rtol=2e-6)


def check_dtypes(loss: Any, y_true: Any, y_pred: Any) -> None:
    """It computes in the predictions' dtype, at least in single precision, whatever the targets are."""
    for given, wanted in (("float64", "float64"), ("float32", "float32"), ("float16", "float32")):
        result = loss(y_true.astype("float64") if y_true.dtype.kind == "f" else y_true, y_pred.astype(given))
        assert result.dtype.name == wanted
        np.testing.assert_allclose(
            value(result), value(loss(y_true, y_pred)), rtol=1e-2 if given == "float16" else 1e-5
        )


def check_gradient(loss: Any, y_true: Any, y_pred: Any) -> None:
    """The tape's derivative by the predictions is that of differences."""
    predictions = Variable(y_pred.astype("float64"), dtype="float64")
    with GradientTape() as tape:
        result = loss(y_true, predictions)
    gradient = value(tape.gradient(result, predictions))
    step = 1e-6
    for at in ((0, 0), (3, 1), (5, 2)):
        higher, lower = y_pred.astype("float64"), y_pred.astype("float64")
        higher[at] += step
        lower[at] -= step
        slope = (value(loss(y_true, higher)) - value(loss(y_true, lower))) / (2 * step)
        np.testing.assert_allclose(gradient[at], slope, rtol=1e-5, atol=1e-8)
