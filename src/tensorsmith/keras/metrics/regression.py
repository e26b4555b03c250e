"""Errors, R2, cosine: metrics for targets that are numbers."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.keras.losses import regression as losses
from tensorsmith.keras.losses.alignment import match_weights, pair
from tensorsmith.keras.metrics.base import Metric
from tensorsmith.keras.metrics.means import Mean, MeanMetricWrapper, number_of
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import equal, where
from tensorsmith.ops.creation import ones_like
from tensorsmith.ops.elementwise import divide_no_nan, sqrt, square
from tensorsmith.ops.reductions import reduce_mean, reduce_sum
from tensorsmith.ops.shaping import expand_dims
from tensorsmith.tensor.tensor import Tensor


class MeanSquaredError(MeanMetricWrapper):
    """The mean over all samples of `losses.mean_squared_error`.

    >>> MeanSquaredError()([[0.0], [0.0]], [[1.0], [3.0]]).numpy().item()
    5.0
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The square root of the mean squared error over all samples.

    >>> RootMeanSquaredError()([[0.0], [0.0]], [[3.0], [3.0]]).numpy().item()
    3.0
    """

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = pair(f"metric {self.name!r}", y_true, y_pred)
        super().update_state(square(y_true - y_pred), sample_weight)

    def result(self) -> Tensor:
        return sqrt(super().result())


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean over all samples of `losses.mean_absolute_error`.

    >>> MeanAbsoluteError()([[0.0], [0.0]], [[1.0], [3.0]]).numpy().item()
    2.0
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean over all samples of `losses.mean_absolute_percentage_error`.

    >>> MeanAbsolutePercentageError()([[2.0], [4.0]], [[1.0], [4.0]]).numpy().item()
    25.0
    """

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean over all samples of `losses.mean_squared_logarithmic_error`.

    >>> MeanSquaredLogarithmicError()([[3.0]], [[3.0]]).numpy().item()
    0.0
    """

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """The mean over all samples of `losses.log_cosh`.

    >>> LogCoshError()([[3.0]], [[3.0]]).numpy().item()
    0.0
    """

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


def cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """The cosine of the angle between target and prediction along `axis`: 1 where they point the same way.

    >>> cosine([[3.0, 4.0]], [[6.0, 8.0]]).numpy().round(4)
    array([1.], dtype=float32)
    """
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(MeanMetricWrapper):
    """The mean over all samples of the cosine of the angle between target and prediction: 1 is best.

    >>> CosineSimilarity()([[1.0, 0.0]], [[0.0, 1.0]]).numpy().item()
    0.0
    """

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine, name, dtype, axis=axis)


class R2Score(Metric):
    """1 - sum((y_true - y_pred)**2) / sum((y_true - mean(y_true))**2): the share of variance explained, for [B, n].

    class_aggregation  how the n columns become one number: "uniform_average", "variance_weighted_average", or None:
                       they stay.
    num_regressors     above 0: adjusted by (samples - 1) / (samples - num_regressors - 1).

    >>> R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]]).numpy().item()  # 1 - 1 / 2
    0.5
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            rule = "it is uniform_average, variance_weighted_average or None"
            raise ValueError(explain("R2Score", f"{class_aggregation!r} is no class_aggregation", rule=rule))
        if num_regressors < 0:
            raise ValueError(
                explain("R2Score", "num_regressors must not be below 0", {"num_regressors": num_regressors})
            )
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_weight(name="num_samples", initializer="zeros")
        self._built = False

    def _build(self, columns: int) -> None:
        self._built = True
        self.squared_sum = self.add_weight(name="squared_sum", shape=(columns,), initializer="zeros")
        self.sum = self.add_weight(name="sum", shape=(columns,), initializer="zeros")
        self.residual = self.add_weight(name="residual", shape=(columns,), initializer="zeros")
        self.count = self.add_weight(name="count", shape=(columns,), initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = pair(f"metric {self.name!r}", y_true, y_pred)
        y_true, y_pred = cast(y_true, self.dtype), cast(y_pred, self.dtype)
        if y_pred.ndim == 1:
            y_true, y_pred = expand_dims(y_true, -1), expand_dims(y_pred, -1)
        if not self._built:
            self._build(y_pred.shape[-1])
        weights = ones_like(y_true)
        if sample_weight is not None:
            weights = weights * match_weights(sample_weight, y_true)
        weighted = y_true * weights
        self.squared_sum.assign_add(reduce_sum(weighted * y_true, axis=0))
        self.sum.assign_add(reduce_sum(weighted, axis=0))
        self.residual.assign_add(reduce_sum(square(y_true - y_pred) * weights, axis=0))
        self.count.assign_add(reduce_sum(weights, axis=0))
        self.num_samples.assign_add(number_of(y_true, self.dtype))

    def result(self) -> Tensor:
        total = self.squared_sum - square(self.sum) / self.count
        scores = 1.0 - self.residual / total
        if self.class_aggregation == "uniform_average":
            scores = reduce_mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = reduce_sum(scores * (total / reduce_sum(total)))
        if not self.num_regressors:
            return scores
        freedom = self.num_samples - float(self.num_regressors) - 1.0
        adjusted = 1.0 - (1.0 - scores) * divide_no_nan(self.num_samples - 1.0, freedom)
        return where(equal(freedom, 0.0), scores, adjusted)

    def get_config(self) -> dict[str, Any]:
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}
