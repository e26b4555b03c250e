"""Precision, recall and their kin, from counts of right and wrong decisions at thresholds.

A prediction above a threshold decides for 1. The counts are true and false positives (decided for 1) and negatives.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.keras.losses.alignment import as_predictions, as_targets, match_rank, match_weights
from tensorsmith.keras.metrics.base import Metric
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import greater, greater_equal, less, logical_and, logical_not, where
from tensorsmith.ops.creation import ones_like
from tensorsmith.ops.elementwise import divide_no_nan
from tensorsmith.ops.reductions import reduce_max, reduce_sum
from tensorsmith.ops.shaping import expand_dims, reshape
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def thresholds_of(given: Any, default: float) -> list[float]:
    """One threshold, or several between 0 and 1, as a list; ValueError for others."""
    found = (
        [default]
        if given is None
        else [float(t) for t in given]
        if isinstance(given, (list, tuple))
        else [float(given)]
    )
    wrong = [t for t in found if not 0 <= t <= 1] if given is not None else []
    if wrong or not found:
        raise ValueError(explain("thresholds", "thresholds must be between 0 and 1", {"given": given}))
    return found


def decisions(
    y_true: Any, y_pred: Any, thresholds: list[float], sample_weight: Any, dtype: Any, labels: bool = False
) -> Any:
    """(decided for 1, is 1, weights): booleans and weights [T, N] for T thresholds and all N predictions.

    labels  True: predictions [B, L] stay apart by label: [T, B, L].
    """
    predictions = as_predictions(y_pred)
    targets, predictions = match_rank(as_targets(convert(y_true), predictions), predictions)
    weights = ones_like(predictions)
    if sample_weight is not None:
        weights = weights * match_weights(sample_weight, predictions)
    if not labels:
        targets, predictions, weights = (reshape(x, [-1]) for x in (targets, predictions, weights))
    # a constant of shape [T, 1] (or [T, 1, 1]), in the dtype of the predictions: 0.5 is 0.5 for both
    limits = np.asarray(thresholds, predictions.dtype.numpy_dtype).reshape((-1, *[1] * predictions.ndim))
    positive = greater(expand_dims(predictions, 0), Tensor(limits))
    actual = greater(expand_dims(targets, 0), 0.0)
    return positive, actual, expand_dims(cast(weights, dtype), 0)


class ConfusionMetric(Metric):
    """A metric that keeps some of the four counts, one number for each threshold.

    counts  which of COUNTS it keeps: variables of these names.
    """

    counts: tuple[str, ...] = ()
    true_positives: Any
    false_positives: Any
    true_negatives: Any
    false_negatives: Any
    # of [B, L] predictions, each label is counted by itself
    by_label = False

    def _keep(self, counts: Iterable[str], shape: tuple[int, ...]) -> None:
        self.counts = tuple(counts)
        for name in self.counts:
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer="zeros"))

    def _count(self, y_true: Any, y_pred: Any, thresholds: list[float], sample_weight: Any) -> None:
        positive, actual, weights = decisions(y_true, y_pred, thresholds, sample_weight, self.dtype, self.by_label)
        for name in self.counts:
            decided = positive if name.endswith("positives") else logical_not(positive)
            # false positives are not 1, false negatives are
            is_one = actual if name in ("true_positives", "false_negatives") else logical_not(actual)
            hits = cast(logical_and(decided, is_one), self.dtype) * weights
            getattr(self, name).assign_add(reduce_sum(hits, axis=1))


class _OneCount(ConfusionMetric):
    """The sum of one count.

    thresholds  a number or several between 0 and 1; 0.5 by default. Several give several sums.
    """

    count = ""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.init_thresholds, self.thresholds = thresholds, thresholds_of(thresholds, 0.5)
        self.accumulator = self.add_weight(name="accumulator", shape=(len(self.thresholds),), initializer="zeros")
        self.counts = (self.count,)

    def __getattr__(self, name: str) -> Any:
        if name == self.count and name:
            return self.accumulator
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self._count(y_true, y_pred, self.thresholds, sample_weight)

    def result(self) -> Tensor:
        return _single(self.accumulator.value(), self.thresholds)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


def _single(values: Tensor, thresholds: list[float]) -> Tensor:
    return values[0] if len(thresholds) == 1 else values


class TruePositives(_OneCount):
    """How many are 1 and decided so.

    >>> TruePositives()([0, 1, 1, 1], [1, 0, 1, 1]).numpy().item()
    2.0
    """

    count = "true_positives"


class FalsePositives(_OneCount):
    """How many are 0 and decided to be 1.

    >>> FalsePositives()([0, 1, 0, 0], [0, 0, 1, 1]).numpy().item()
    2.0
    """

    count = "false_positives"


class TrueNegatives(_OneCount):
    """How many are 0 and decided so.

    >>> TrueNegatives()([0, 1, 0, 0], [1, 1, 0, 0]).numpy().item()
    2.0
    """

    count = "true_negatives"


class FalseNegatives(_OneCount):
    """How many are 1 and decided to be 0.

    >>> FalseNegatives()([0, 1, 1, 1], [0, 1, 0, 0]).numpy().item()
    2.0
    """

    count = "false_negatives"


class _Share(ConfusionMetric):
    """The base of Precision and Recall: true positives by themselves plus another count."""

    other = ""

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        # with top_k all others are -inf, and no other threshold is needed
        self.thresholds = thresholds_of(thresholds, 0.5 if top_k is None else -np.inf)
        self._keep(("true_positives", self.other), (len(self.thresholds),))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if self.top_k is not None:
            y_pred = _only_top(as_predictions(y_pred), self.top_k)
        if self.class_id is not None:
            y_true, y_pred = (convert(x)[..., self.class_id] for x in (y_true, y_pred))
        self._count(y_true, y_pred, self.thresholds, sample_weight)

    def result(self) -> Tensor:
        right = self.true_positives.value()
        return _single(divide_no_nan(right, right + getattr(self, self.other)), self.thresholds)

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


def _only_top(predictions: Tensor, k: int) -> Tensor:
    """The k largest of each row stay (and those equal to the least of them), the others become -inf."""
    larger = cast(greater(expand_dims(predictions, -2), expand_dims(predictions, -1)), "int32")
    return where(less(reduce_sum(larger, axis=-1), k), predictions, -np.inf)


class Precision(_Share):
    """true positives / (true positives + false positives): how many decisions for 1 are right; 0 when there are none.

    thresholds  a number or several between 0 and 1; 0.5 by default. Several give several results.
    top_k       only the k largest predictions of each row count as decided for 1.
    class_id    only this column of targets and predictions counts.

    >>> Precision()([0, 1, 1, 1, 0, 1, 0, 1], [1, 1, 0, 1, 0, 1, 0, 1]).numpy()
    np.float32(0.8)
    """

    other = "false_positives"


class Recall(_Share):
    """true positives / (true positives + false negatives): how many of those that are 1 are found; 0 for none.

    thresholds  a number or several between 0 and 1; 0.5 by default. Several give several results.
    top_k       only the k largest predictions of each row count as decided for 1.
    class_id    only this column of targets and predictions counts.

    >>> round(Recall()([0, 1, 1, 1], [1, 0, 1, 1]).numpy().item(), 4)
    0.6667
    """

    other = "false_negatives"


class _AtThreshold(ConfusionMetric):
    """The base of those that give the best of one share where another reaches `value`, over many thresholds."""

    def __init__(
        self,
        value: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        if not 0 <= value <= 1:
            raise ValueError(
                explain(type(self).__name__, "the value to reach must be between 0 and 1", {"given": value})
            )
        if num_thresholds <= 0:
            raise ValueError(
                explain(type(self).__name__, "num_thresholds must be above 0", {"num_thresholds": num_thresholds})
            )
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        self.thresholds = [0.5] if num_thresholds == 1 else [i / (num_thresholds - 1) for i in range(num_thresholds)]
        self._keep(COUNTS, (len(self.thresholds),))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if self.class_id is not None:
            y_true, y_pred = (convert(x)[..., self.class_id] for x in (y_true, y_pred))
        self._count(y_true, y_pred, self.thresholds, sample_weight)

    def _share(self, one: str, other: str) -> Tensor:
        right = getattr(self, one).value()
        return divide_no_nan(right, right + getattr(self, other))

    def _best(self, wanted: Tensor, reached: Tensor) -> Tensor:
        return reduce_max(where(greater_equal(reached, float(self.value)), wanted, 0.0))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_thresholds": self.num_thresholds, "class_id": self.class_id}


class SensitivityAtSpecificity(_AtThreshold):
    """The largest share of ones found at a threshold where the share of zeros found is at least `specificity`.

    >>> SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]).numpy().item()
    0.5
    """

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def result(self) -> Tensor:
        found = self._share("true_positives", "false_negatives")
        return self._best(found, self._share("true_negatives", "false_positives"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "specificity": self.specificity}


class SpecificityAtSensitivity(_AtThreshold):
    """The largest share of zeros found at a threshold where the share of ones found is at least `sensitivity`.

    >>> round(SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]).numpy().item(), 4)
    0.6667
    """

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def result(self) -> Tensor:
        found = self._share("true_negatives", "false_positives")
        return self._best(found, self._share("true_positives", "false_negatives"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sensitivity": self.sensitivity}


class PrecisionAtRecall(_AtThreshold):
    """The largest precision at a threshold where the recall is at least `recall`.

    >>> PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]).numpy().item()
    0.5
    """

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def result(self) -> Tensor:
        precision = self._share("true_positives", "false_positives")
        return self._best(precision, self._share("true_positives", "false_negatives"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "recall": self.recall}


class RecallAtPrecision(_AtThreshold):
    """The largest recall at a threshold where the precision is at least `precision`.

    >>> RecallAtPrecision(0.8)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]).numpy().item()
    0.5
    """

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def result(self) -> Tensor:
        recall = self._share("true_positives", "false_negatives")
        return self._best(recall, self._share("true_positives", "false_positives"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "precision": self.precision}
