"""Loss: one value per sample, then a reduction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.errors import explain
from tensorsmith.core.naming import snake_case
from tensorsmith.function.autograph import in_trace
from tensorsmith.keras import config, registry
from tensorsmith.keras.losses.alignment import match_weights, values_of
from tensorsmith.keras.losses.ragged import weights_of
from tensorsmith.ops.creation import ones_like
from tensorsmith.ops.elementwise import divide_no_nan
from tensorsmith.ops.reductions import reduce_mean, reduce_sum
from tensorsmith.structures.ragged import is_ragged
from tensorsmith.tensor.tensor import Tensor

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")


class Reduction:
    """The ways to make one number of a loss's values, as Keras 2 names them."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        return cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE

    @classmethod
    def validate(cls, key: str) -> None:
        _reduction_of(key)


def _reduction_of(word: Any) -> str:
    if word is None:
        return "none"
    if word == "auto":
        return "sum_over_batch_size"
    if word not in REDUCTIONS:
        raise ValueError(
            explain("Loss", f"{word!r} is no reduction", rule=f"it is one of {', '.join(REDUCTIONS)}, auto or None")
        )
    return word


class Loss:
    """How far predictions are from their targets. Subclasses write `call` and, if they take settings, `get_config`.

    name       how the loss is called in messages and configs; by default its class in snake_case.
    reduction  how `__call__` makes one number of the values of `call`:
               "sum_over_batch_size" (or "mean", "auto"): their sum by their number,
               "sum": their sum, "none": the values themselves,
               "mean_with_sample_weight": their weighted sum by the sum of the weights.
    dtype      the dtype to compute in; by default that of the predictions (at least `floatx`).

    `call(y_true, y_pred)` takes targets and predictions [B, ...] of one dtype and gives a value for each sample [B], or
    for each element of it. Attributes may be set before `super().__init__()`.

    >>> class Squared(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return (y_true - y_pred) ** 2
    >>> Squared()([[1.0], [2.0]], [[1.0], [4.0]]).numpy().item()  # (0 + 4) / 2
    2.0
    >>> Squared()([[1.0], [2.0]], [[1.0], [4.0]], sample_weight=[1.0, 0.5]).numpy().item()
    1.0
    """

    # for a subclass that never calls super().__init__()
    name: str | None = None
    reduction: str = "sum_over_batch_size"
    _dtype: Any = None

    def __init__(self, name: Any = None, reduction: Any = "sum_over_batch_size", dtype: Any = None) -> None:
        if name in REDUCTIONS or name == "auto":
            # Keras 2's order: reduction, name
            name, reduction = (None if reduction == "sum_over_batch_size" else reduction), name
        self.name = name or snake_case(type(self).__name__)
        self.reduction = _reduction_of(reduction)
        self._dtype = None if dtype is None else as_dtype(dtype)

    @property
    def dtype(self) -> str:
        """The name of the dtype that the loss computes in."""
        return config.floatx() if self._dtype is None else self._dtype.name

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample; every subclass writes it."""
        raise NotImplementedError(f"{type(self).__name__} must write call(self, y_true, y_pred).")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """The reduced loss.

        y_true, y_pred  [B, ...]; targets [n] and predictions [n, 1] are matched row by row.
        sample_weight   [B] (or the shape of the values): multiplies the values before the reduction.

        Raises ValueError, naming the loss, when its values are None or do not belong to the batch's rows.
        """
        who = f"loss {self.name or snake_case(type(self).__name__)!r}"
        values = values_of(who, self.call, y_true, y_pred, self._dtype)
        masks = [
            mask
            for mask in (getattr(y_pred, "_keras_mask", None), getattr(values, "_keras_mask", None))
            if mask is not None
        ]
        return reduce_values(values, sample_weight, masks, self.reduction)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss; a subclass adds its own to these."""
        settings: dict[str, Any] = {"name": self.name, "reduction": self.reduction}
        if self._dtype is not None:
            settings["dtype"] = self._dtype.name
        return settings

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """The loss that `get_config` described."""
        if registry.role_of(cls) is not None:
            # Keras 2 writes the function of its own classes, too
            config = {key: value for key, value in config.items() if key != "fn"}
        return cls(**config)

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"<{type(self).__name__} {settings}>"


class LossFunctionWrapper(Loss):
    """A loss made of a function fn(y_true, y_pred, **settings) -> a value for each sample [B], or for each element.

    >>> def squared(y_true, y_pred):
    ...     return (y_true - y_pred) ** 2
    >>> LossFunctionWrapper(squared)([[1.0], [2.0]], [[1.0], [4.0]]).numpy().item()
    2.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: Any = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **settings: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn, self._settings = fn, settings

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return in_trace(self.fn)(y_true, y_pred, **self._settings)

    def get_config(self) -> dict[str, Any]:
        settings = {key: registry.serialize_keras_object(value) for key, value in self._settings.items()}
        return {**super().get_config(), "fn": registry.serialize("loss", self.fn), **settings}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        config = dict(config)
        fn = config.pop("fn")
        return cls(registry.get("loss", fn) if isinstance(fn, (str, dict)) else fn, **config)


def reduce_values(values: Any, sample_weight: Any, masks: list[Any], reduction: str) -> Tensor:
    """One number of a loss's values ("none": the values themselves), each times its weight, only where masks are true.

    >>> from tensorsmith.tensor.convert import convert
    >>> reduce_values(convert([1.0, 3.0]), [1.0, 0.5], [], "sum_over_batch_size").numpy().item()  # (1 + 1.5) / 2
    1.25
    """
    if is_ragged(values):
        flat = values.flat_values
        weights = None if sample_weight is None else weights_of(sample_weight, values)
        reduced = reduce_values(flat, weights, [], reduction)
        return values.with_flat_values(reduced) if reduction == "none" else reduced
    if sample_weight is None and not masks:
        if reduction == "none" or not values.ndim:
            return values
        return reduce_sum(values) if reduction == "sum" else reduce_mean(values)
    valid = None
    for mask in masks:
        factor = match_weights(mask, values)
        valid = factor if valid is None else valid * factor
    weights = valid
    if sample_weight is not None:
        weights = match_weights(sample_weight, values)
        weights = weights if valid is None else weights * valid
    weighted = values * weights
    if reduction == "none":
        return weighted
    if reduction == "sum":
        return reduce_sum(weighted)
    if reduction == "mean_with_sample_weight":
        return divide_no_nan(reduce_sum(weighted), reduce_sum(weights * ones_like(values)))
    if valid is None:
        return reduce_mean(weighted)
    return divide_no_nan(reduce_sum(weighted), reduce_sum(valid * ones_like(values)))
