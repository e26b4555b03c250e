"""What a weight is pressed back to after a step."""

from __future__ import annotations

from typing import Any

from tensorsmith.keras import config, registry
from tensorsmith.ops.elementwise import clip_by_value, maximum, sqrt, square
from tensorsmith.ops.reductions import reduce_sum
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class Constraint:
    """A function of a weight, applied to it after each update. Subclasses write `__call__(weights)` and `get_config`.

    A plain function of the weights serves as well; a class keeps its settings in saved models.

    >>> class Clip(Constraint):
    ...     def __call__(self, weights):
    ...         return clip_by_value(weights, -1.0, 1.0)
    >>> Clip()(convert([2.0])).numpy()
    array([1.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must write __call__(self, weights).")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """The constraint that `get_config` described."""
        return cls(**config)


def _lengths(w: Tensor, axis: Any) -> Tensor:
    return sqrt(reduce_sum(square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """Vectors along `axis` are cut to the length max_value; shorter ones stay.

    axis  the axes that make one vector: 0 for the weights [n, units] that go into one unit.

    >>> MaxNorm(1.0)(convert([[3.0], [4.0]])).numpy().round(2).tolist()
    [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Tensor:
        w = convert(w)
        lengths = _lengths(w, self.axis)
        return w * (clip_by_value(lengths, 0.0, float(self.max_value)) / (lengths + config.epsilon()))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Weights below 0 become 0.

    >>> NonNeg()(convert([-1.0, 2.0])).numpy()
    array([0., 2.], dtype=float32)
    """

    def __call__(self, w: Any) -> Tensor:
        return maximum(w, 0.0)


class UnitNorm(Constraint):
    """Vectors along `axis` get the length 1.

    >>> UnitNorm()(convert([[3.0], [4.0]])).numpy().round(2).tolist()
    [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w = convert(w)
        return w / (_lengths(w, self.axis) + config.epsilon())

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Vectors along `axis` are brought to a length between min_value and max_value.

    rate  how much of the way: 1.0 all of it.

    >>> MinMaxNorm(0.0, 1.0)(convert([[3.0], [4.0]])).numpy().round(2).tolist()
    [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Tensor:
        w = convert(w)
        lengths, rate = _lengths(w, self.axis), float(self.rate)
        wanted = clip_by_value(lengths, float(self.min_value), float(self.max_value)) * rate + lengths * (1.0 - rate)
        return w * (wanted / (lengths + config.epsilon()))

    def get_config(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm

registry.register("constraint", Constraint)
registry.register("constraint", MaxNorm, "max_norm")
registry.register("constraint", NonNeg, "non_neg", "nonneg")
registry.register("constraint", UnitNorm, "unit_norm")
registry.register("constraint", MinMaxNorm, "min_max_norm")


def get(identifier: Any) -> Any:
    """The constraint that a name, config, class, function or instance stands for; None stays None.

    >>> type(get("non_neg")).__name__
    'NonNeg'
    """
    return registry.get("constraint", identifier)


def serialize(constraint: Any) -> Any:
    """The config of a constraint."""
    return registry.serialize("constraint", constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint that `serialize` described."""
    return registry.deserialize("constraint", config, custom_objects)
