"""Losses for targets that are numbers.

Each function takes targets and predictions [B, ..., n] and gives the mean over the last axis [B, ...].
"""

from __future__ import annotations

import math
from typing import Any

from tensorsmith.keras import config
from tensorsmith.keras.losses.alignment import pair
from tensorsmith.keras.losses.base import Loss
from tensorsmith.keras.losses.ragged import takes_ragged
from tensorsmith.ops.activations import softplus
from tensorsmith.ops.elementwise import abs, log, log1p, maximum, minimum, rsqrt, square
from tensorsmith.ops.reductions import reduce_mean, reduce_sum
from tensorsmith.tensor.tensor import Tensor


@takes_ragged
def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean((y_true - y_pred)**2) over the last axis.

    >>> mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]]).numpy()
    array([2.], dtype=float32)
    """
    y_true, y_pred = pair("mean_squared_error", y_true, y_pred)
    return _mean(square(y_true - y_pred))


@takes_ragged
def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean(|y_true - y_pred|) over the last axis.

    >>> mean_absolute_error([[0.0, 1.0]], [[2.0, 1.0]]).numpy()
    array([1.], dtype=float32)
    """
    y_true, y_pred = pair("mean_absolute_error", y_true, y_pred)
    return _mean(abs(y_true - y_pred))


@takes_ragged
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """100 * mean(|y_true - y_pred| / max(|y_true|, epsilon)) over the last axis.

    >>> mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]).numpy()
    array([25.], dtype=float32)
    """
    y_true, y_pred = pair("mean_absolute_percentage_error", y_true, y_pred)
    return _mean(abs((y_true - y_pred) / maximum(abs(y_true), config.epsilon()))) * 100.0


@takes_ragged
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean((log(1 + y_true) - log(1 + y_pred))**2) over the last axis; values below epsilon count as epsilon.

    >>> round(mean_squared_logarithmic_error([[0.0]], [[math.e - 1]]).numpy().item(), 4)
    1.0
    """
    y_true, y_pred = pair("mean_squared_logarithmic_error", y_true, y_pred)
    small = config.epsilon()
    return _mean(square(log1p(maximum(y_pred, small)) - log1p(maximum(y_true, small))))


@takes_ragged
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """Squared error near the target, absolute error far from it, meaned over the last axis.

        e**2 / 2                 where |e| <= delta,  e = y_pred - y_true
        delta * (|e| - delta/2)  beyond

    Source: Huber (1964), Robust estimation of a location parameter.

    >>> huber([[0.0], [0.0]], [[0.5], [3.0]]).numpy()
    array([0.125, 2.5  ], dtype=float32)
    """
    y_true, y_pred = pair("huber", y_true, y_pred)
    error = abs(y_true - y_pred)
    # with m = min(|e|, delta) both branches are m * (|e| - m / 2): no branch whose gradient is thrown away
    near = minimum(error, float(delta))
    return _mean(near * (error - near * 0.5))


@takes_ragged
def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """mean(log(cosh(y_pred - y_true))) over the last axis: like e**2 / 2 near 0 and |e| - log(2) far from it.

    >>> round(log_cosh([[0.0]], [[100.0]]).numpy().item(), 4)  # 100 - log(2)
    99.3069
    """
    y_true, y_pred = pair("log_cosh", y_true, y_pred)
    error = y_pred - y_true
    # cosh overflows float32 at 89; log(cosh(e)) = e + log(1 + exp(-2e)) - log(2)
    return _mean(error + softplus(error * -2.0) - math.log(2.0))


@takes_ragged
def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """mean(y_pred - y_true * log(y_pred + epsilon)) over the last axis: targets are counts, predictions rates.

    >>> poisson([[0.0, 0.0]], [[1.0, 3.0]]).numpy()
    array([2.], dtype=float32)
    """
    y_true, y_pred = pair("poisson", y_true, y_pred)
    return _mean(y_pred - y_true * log(y_pred + config.epsilon()))


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between target and prediction along `axis`: -1 where they point the same way.

    >>> cosine_similarity([[3.0, 4.0]], [[6.0, 8.0]]).numpy().round(4)
    array([-1.], dtype=float32)
    """
    y_true, y_pred = pair("cosine_similarity", y_true, y_pred)
    return -reduce_sum(unit(y_true, axis) * unit(y_pred, axis), axis=axis)


def unit(values: Tensor, axis: int = -1) -> Tensor:
    """Vectors along `axis` with length 1; a vector of zeros stays one."""
    # 1e-12 is the least squared length that is told from 0
    return values * rsqrt(maximum(reduce_sum(square(values), axis=axis, keepdims=True), 1e-12))


def _mean(values: Tensor) -> Tensor:
    return reduce_mean(values, axis=-1) if values.ndim else values


class MeanSquaredError(Loss):
    """The function `mean_squared_error` as a loss.

    >>> MeanSquaredError()([[0.0], [1.0]], [[2.0], [1.0]]).numpy().item()
    2.0
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_squared_error(y_true, y_pred)


class MeanAbsoluteError(Loss):
    """The function `mean_absolute_error` as a loss.

    >>> MeanAbsoluteError()([[0.0], [1.0]], [[2.0], [1.0]]).numpy().item()
    1.0
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_absolute_error(y_true, y_pred)


class MeanAbsolutePercentageError(Loss):
    """The function `mean_absolute_percentage_error` as a loss.

    >>> MeanAbsolutePercentageError()([[2.0], [4.0]], [[1.0], [4.0]]).numpy().item()
    25.0
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_absolute_percentage_error(y_true, y_pred)


class MeanSquaredLogarithmicError(Loss):
    """The function `mean_squared_logarithmic_error` as a loss.

    >>> MeanSquaredLogarithmicError()([[3.0]], [[3.0]]).numpy().item()
    0.0
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_squared_logarithmic_error(y_true, y_pred)


class Huber(Loss):
    """The function `huber` as a loss.

    delta  the |e| where squared and absolute error meet, in the unit of the target.

    >>> Huber(delta=1.0)([[0.0], [0.0]], [[0.5], [3.0]]).numpy().item()  # (0.125 + 2.5) / 2
    1.3125
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = float(delta)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return huber(y_true, y_pred, self.delta)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "delta": self.delta}


class LogCosh(Loss):
    """The function `log_cosh` as a loss.

    >>> LogCosh()([[1.0]], [[1.0]]).numpy().item()
    0.0
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return log_cosh(y_true, y_pred)


class Poisson(Loss):
    """The function `poisson` as a loss.

    >>> Poisson()([[0.0], [0.0]], [[1.0], [3.0]]).numpy().item()
    2.0
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return poisson(y_true, y_pred)


class CosineSimilarity(Loss):
    """The function `cosine_similarity` as a loss: -1 is best.

    axis  the axis that holds a vector.

    >>> round(CosineSimilarity()([[3.0, 4.0]], [[6.0, 8.0]]).numpy().item(), 4)
    -1.0
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return cosine_similarity(y_true, y_pred, self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
