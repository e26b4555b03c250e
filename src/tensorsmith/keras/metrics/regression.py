"""Errors, R2, cosine: metrics for targets that are numbers."""

from __future__ import annotations

from typing import Any

from tensorsmith.keras.losses import regression as losses
from tensorsmith.keras.metrics.means import MeanMetricWrapper


class MeanSquaredError(MeanMetricWrapper):
    """The mean over all samples of `losses.mean_squared_error`.

    >>> MeanSquaredError()([[0.0], [0.0]], [[1.0], [3.0]]).numpy().item()
    5.0
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean over all samples of `losses.mean_absolute_error`.

    >>> MeanAbsoluteError()([[0.0], [0.0]], [[1.0], [3.0]]).numpy().item()
    2.0
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)
