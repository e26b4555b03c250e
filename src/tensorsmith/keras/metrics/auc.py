"""AUC: the area under the ROC or the precision-recall curve, from counts at many thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.keras import registry
from tensorsmith.keras.losses.alignment import as_predictions
from tensorsmith.keras.metrics.confusion import COUNTS, ConfusionMetric
from tensorsmith.ops.activations import sigmoid
from tensorsmith.ops.comparison import greater, logical_and, where
from tensorsmith.ops.elementwise import divide_no_nan, log, maximum, minimum
from tensorsmith.ops.reductions import reduce_mean, reduce_sum
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

CURVES = ("ROC", "PR")
METHODS = ("interpolation", "majoring", "minoring")


class AUC(ConfusionMetric):
    """The area under a curve of two shares, counted at thresholds evenly spread over 0 to 1.

    num_thresholds     how many; more are more exact.
    curve              "ROC": recall over the share of zeros decided to be 1; "PR": precision over recall.
    summation_method   between two thresholds: "interpolation", or the higher ("majoring") or the lower ("minoring").
    thresholds         the inner thresholds, instead of even ones.
    multi_label        True: each column of [B, L] has its own area, and the result is their mean;
    num_labels         L, where it is not known from the first batch,
    label_weights      the weight of each column in the mean.
    from_logits        True: predictions go through a sigmoid first.

    Source of the interpolation of "PR": Davis and Goadrich (2006), The relationship between precision-recall and ROC
    curves.

    >>> AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]).numpy().item()
    0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name, dtype)
        self.curve, self.summation_method = (
            _one_of("curve", curve, CURVES),
            _one_of("summation_method", summation_method, METHODS),
        )
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(explain("AUC", "num_thresholds must be above 1", {"num_thresholds": num_thresholds}))
        if thresholds is not None and not all(0 <= t <= 1 for t in thresholds):
            raise ValueError(explain("AUC", "thresholds must be between 0 and 1", {"thresholds": thresholds}))
        inner = (
            [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
            if thresholds is None
            else sorted(thresholds)
        )
        self._given = thresholds is not None
        # beyond both ends, so that the first decides everything for 1 and the last nothing
        self.thresholds = [-1e-7, *inner, 1.0 + 1e-7]
        self.num_thresholds = len(self.thresholds)
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights = None if label_weights is None else np.asarray(label_weights).tolist()
        self.from_logits, self.by_label = from_logits, multi_label
        if not multi_label and label_weights is not None:
            raise ValueError(explain("AUC", "label_weights need multi_label=True", {"label_weights": label_weights}))
        if multi_label and num_labels is None:
            self._built = False
        else:
            self._build((self.num_thresholds, *([num_labels] if multi_label else [])))

    def _build(self, shape: tuple[Any, ...]) -> None:
        self._keep(COUNTS, shape)
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = as_predictions(y_pred)
        if not self._built:
            self._build((self.num_thresholds, y_pred.shape[-1]))
        self._count(y_true, sigmoid(y_pred) if self.from_logits else y_pred, self.thresholds, sample_weight)

    def result(self) -> Tensor:
        positives = self.true_positives.value()
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = self._interpolated(positives, positives + self.false_positives)
        else:
            recall = divide_no_nan(positives, positives + self.false_negatives)
            if self.curve == "ROC":
                wrong = self.false_positives.value()
                x, y = divide_no_nan(wrong, wrong + self.true_negatives), recall
            else:
                x, y = recall, divide_no_nan(positives, positives + self.false_positives)
            areas = (x[:-1] - x[1:]) * self._height(y[:-1], y[1:])
        areas = reduce_sum(areas, axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return reduce_mean(areas)
        weights = convert(self.label_weights, None, areas.dtype.numpy_dtype)
        return divide_no_nan(reduce_sum(areas * weights), reduce_sum(weights))

    def _height(self, left: Tensor, right: Tensor) -> Tensor:
        if self.summation_method == "interpolation":
            return (left + right) / 2.0
        return (minimum if self.summation_method == "minoring" else maximum)(left, right)

    def _interpolated(self, right: Tensor, decided: Tensor) -> Tensor:
        """The areas between thresholds, where true positives grow evenly with decisions."""
        gained, more = right[:-1] - right[1:], decided[:-1] - decided[1:]
        slope = divide_no_nan(gained, maximum(more, 0.0))
        start = right[1:] - slope * decided[1:]
        both = logical_and(greater(decided[:-1], 0.0), greater(decided[1:], 0.0))
        ratio = where(both, divide_no_nan(decided[:-1], maximum(decided[1:], 0.0)), 1.0)
        ones = maximum(right[1:] + self.false_negatives[1:], 0.0)
        return divide_no_nan(slope * (gained + start * log(ratio)), ones)

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }
        if self._given:
            config["thresholds"] = self.thresholds[1:-1]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> AUC:
        # Keras 3 writes the weights as a tensor
        return cls(**{**config, "label_weights": registry.deserialize_keras_object(config.get("label_weights"))})


def _one_of(what: str, word: Any, known: tuple[str, ...]) -> str:
    found = {k.lower(): k for k in known}.get(str(word).lower())
    if found is None:
        raise ValueError(explain("AUC", f"{word!r} is no {what}", rule=f"it is one of {', '.join(known)}"))
    return found
