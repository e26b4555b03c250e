"""Mean, Sum, and any function made a metric."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tensorsmith.keras import registry
from tensorsmith.keras.losses.alignment import match_weights, values_of
from tensorsmith.keras.losses.ragged import aligned, flat_of, weights_of
from tensorsmith.keras.metrics.base import Metric
from tensorsmith.ops.casting import cast
from tensorsmith.ops.creation import ones_like
from tensorsmith.ops.elementwise import divide_no_nan
from tensorsmith.ops.reductions import reduce_mean, reduce_sum
from tensorsmith.ops.shaping import shape
from tensorsmith.structures.ragged import is_ragged
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def as_values(values: Any, dtype: Any) -> tuple[Tensor, Any]:
    """Values as a tensor of a metric's dtype, and the mask that they carry (None for none)."""
    tensor = convert(values, None, None if hasattr(values, "dtype") else dtype.numpy_dtype)
    return cast(tensor, dtype), getattr(values, "_keras_mask", None)


def sample_values(values: Any, sample_weight: Any, dtype: Any) -> tuple[Tensor, Tensor | None]:
    """One value for each sample, times its weight, and the weight (None: every sample counts once).

    Values [B, ...], and weights of their shape, are meaned over all axes but the first: each sample counts alike.
    """
    tensor, mask = as_values(values, dtype)
    weights = None if sample_weight is None else match_weights(sample_weight, tensor)
    if mask is not None:
        valid = match_weights(mask, tensor)
        weights = valid if weights is None else weights * valid
    if weights is not None:
        tensor = tensor * weights
    inner = list(range(1, tensor.ndim))
    if inner:
        tensor = reduce_mean(tensor, axis=inner)
        if weights is not None and weights.ndim:
            weights = reduce_mean(weights, axis=inner)
    return tensor, weights


class Sum(Metric):
    """The sum of all values, each times its weight.

    >>> total = Sum()
    >>> total.update_state([1.0, 3.0], sample_weight=[1.0, 0.5])
    >>> total.result().numpy().item()
    2.5
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.total = self.add_weight("total", initializer="zeros")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        tensor, mask = as_values(values, self.dtype)
        for weights in (sample_weight, mask):
            if weights is not None:
                tensor = tensor * match_weights(weights, tensor)
        self.total.assign_add(reduce_sum(tensor))

    def result(self) -> Tensor:
        return self.total.value()


class Mean(Metric):
    """The mean of all values, each counted by its weight: sum(w * value) / sum(w).

    The result before any value is 0.

    >>> mean = Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> mean.update_state([8.0])
    >>> mean.result().numpy().item()
    4.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.total = self.add_weight("total", initializer="zeros")
        self.count = self.add_weight("count", initializer="zeros")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        weighted, weights = sample_values(values, sample_weight, self.dtype)
        self.total.assign_add(reduce_sum(weighted))
        self.count.assign_add(number_of(weighted, self.dtype) if weights is None else reduce_sum(weights))

    def result(self) -> Tensor:
        return divide_no_nan(self.total, self.count)


def number_of(values: Tensor, dtype: Any) -> Any:
    """How many samples there are: a number where the shape says it, so that a compiled step adds a constant."""
    if not values.ndim:
        return 1.0
    rows = values.shape[0]
    return float(rows) if rows is not None else cast(shape(values)[0], dtype)


class MeanMetricWrapper(Mean):
    """The mean over samples of a function fn(y_true, y_pred, **settings) -> a value for each sample.

    >>> def off_by(y_true, y_pred):
    ...     return y_pred - y_true
    >>> MeanMetricWrapper(off_by)([[1.0], [2.0]], [[2.0], [5.0]]).numpy().item()
    2.0
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **settings: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self._fn, self._settings = fn, settings

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        rows = None
        if is_ragged(y_pred):
            # each of the values counts alike, whatever row it stands in
            y_true, rows = aligned(f"metric {self.name!r}", y_true, y_pred)
            y_true, y_pred = flat_of(y_true), flat_of(rows)
        mask = getattr(y_pred, "_keras_mask", None)
        call = partial(self._fn, **self._settings) if self._settings else self._fn
        values = values_of(f"metric {self.name!r}", call, y_true, y_pred)
        if rows is not None and sample_weight is not None:
            sample_weight = weights_of(sample_weight, rows.with_flat_values(values))
        if mask is not None and values.ndim:
            sample_weight = _masked(sample_weight, mask, values)
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if type(self) is MeanMetricWrapper:
            config["fn"] = registry.serialize("metric function", self._fn)
        return {**config, **{key: registry.serialize_keras_object(value) for key, value in self._settings.items()}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        config = dict(config)
        fn = config.pop("fn", None)
        if cls is not MeanMetricWrapper:
            return cls(**config)
        return cls(registry.get("metric function", fn), **config)


def _masked(sample_weight: Any, mask: Any, values: Tensor) -> Tensor:
    valid = match_weights(mask, values)
    if sample_weight is None:
        return valid
    return match_weights(sample_weight, values) * valid * ones_like(valid)
