"""F-scores: one number of precision and recall, for each class."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.keras.losses.alignment import match_weights, pair
from tensorsmith.keras.metrics.base import Metric
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import greater
from tensorsmith.ops.creation import one_hot
from tensorsmith.ops.elementwise import divide_no_nan
from tensorsmith.ops.reductions import argmax, reduce_mean, reduce_sum
from tensorsmith.tensor.tensor import Tensor

AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(Metric):
    """(1 + beta**2) * precision * recall / (beta**2 * precision + recall), for targets and predictions [B, C].

    average    None: one number for each class [C]; "micro": of all classes' counts together; "macro": the mean over
               classes; "weighted": the mean over classes by how often they are 1.
    beta       how many times as much recall counts as precision.
    threshold  predictions above it decide for 1; None: the largest of each row does.

    >>> y_true, y_pred = [[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]
    >>> FBetaScore(beta=2.0, threshold=0.5)(y_true, y_pred).numpy().round(4)
    array([0.3846, 0.9091, 0.8333], dtype=float32)
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        if average not in AVERAGES:
            raise ValueError(
                explain("FBetaScore", f"{average!r} is no average", rule="it is micro, macro, weighted or None")
            )
        if not beta > 0:
            raise ValueError(explain("FBetaScore", "beta must be above 0", {"beta": beta}))
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(
                explain("FBetaScore", "threshold must be above 0 and not above 1", {"threshold": threshold})
            )
        self.average, self.beta, self.threshold = average, beta, threshold
        self._built = False

    true_positives: Any
    false_positives: Any
    false_negatives: Any
    intermediate_weights: Any

    def _build(self, classes: int) -> None:
        self._built = True
        shape = () if self.average == "micro" else (classes,)
        for name in ("true_positives", "false_positives", "false_negatives", "intermediate_weights"):
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer="zeros"))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = pair(f"metric {self.name!r}", y_true, y_pred)
        if y_pred.ndim != 2:
            raise ValueError(
                explain(
                    f"metric {self.name!r}", "it takes one row of classes a sample", {"y_pred": tuple(y_pred.shape)}
                )
            )
        classes = y_pred.shape[-1]
        if not self._built:
            self._build(classes)
        y_true = cast(y_true, self.dtype)
        if self.threshold is None:
            decided = one_hot(argmax(y_pred, axis=-1), classes, dtype=self.dtype)
        else:
            decided = cast(greater(y_pred, float(self.threshold)), self.dtype)
        weights = None if sample_weight is None else match_weights(sample_weight, y_true)
        axis = None if self.average == "micro" else 0

        def total(values: Tensor) -> Tensor:
            return reduce_sum(values if weights is None else values * weights, axis=axis)

        self.true_positives.assign_add(total(decided * y_true))
        self.false_positives.assign_add(total(decided * (1.0 - y_true)))
        self.false_negatives.assign_add(total((1.0 - decided) * y_true))
        self.intermediate_weights.assign_add(total(y_true))

    def result(self) -> Tensor:
        right = self.true_positives.value()
        precision = divide_no_nan(right, right + self.false_positives)
        recall = divide_no_nan(right, right + self.false_negatives)
        square = float(self.beta) ** 2
        scores = divide_no_nan(precision * recall * (1.0 + square), precision * square + recall)
        if self.average == "weighted":
            weights = self.intermediate_weights.value()
            return reduce_sum(scores * divide_no_nan(weights, reduce_sum(weights)))
        return scores if self.average is None else reduce_mean(scores)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """2 * precision * recall / (precision + recall): FBetaScore with beta 1.

    >>> y_true, y_pred = [[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]
    >>> F1Score(threshold=0.5)(y_true, y_pred).numpy().round(4)
    array([0.5   , 0.8   , 0.6667], dtype=float32)
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["beta"]
        return config
