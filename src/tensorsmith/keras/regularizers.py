"""Penalties on weights."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.keras import registry
from tensorsmith.keras.losses.regression import unit
from tensorsmith.ops.creation import eye
from tensorsmith.ops.elementwise import abs, square
from tensorsmith.ops.linalg import matmul
from tensorsmith.ops.reductions import reduce_sum
from tensorsmith.ops.shaping import transpose
from tensorsmith.tensor.tensor import Tensor


class Regularizer:
    """A penalty on a weight, added to the loss. Subclasses write `__call__(weights)` -> a scalar, and `get_config`.

    A plain function of the weights serves as well; a class keeps its settings in saved models.

    >>> class Half(Regularizer):
    ...     def __call__(self, weights):
    ...         return reduce_sum(square(weights)) * 0.5
    ...     def get_config(self):
    ...         return {}
    >>> from tensorsmith.tensor.convert import convert
    >>> Half()(convert([2.0])).numpy().item()
    2.0
    """

    def __call__(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must write __call__(self, weights).")

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} must write get_config(self), so that it can be saved.")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """The regularizer that `get_config` described."""
        return cls(**config)


def _strength(who: str, name: str, value: Any) -> float:
    value = 0.0 if value is None else value
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise ValueError(explain(who, f"{name} must be a finite number from 0 upwards", {name: repr(value)}))
    return float(value)


class L1L2(Regularizer):
    """l1 * sum(|w|) + l2 * sum(w**2).

    >>> from tensorsmith.tensor.convert import convert
    >>> L1L2(l1=1.0, l2=0.5)(convert([-2.0, 1.0])).numpy().item()  # 3 + 0.5 * 5
    5.5
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1, self.l2 = _strength("L1L2", "l1", l1), _strength("L1L2", "l2", l2)

    def __call__(self, x: Any) -> Tensor:
        if not self.l1:
            return reduce_sum(square(x)) * self.l2
        absolute = reduce_sum(abs(x)) * self.l1
        return absolute + reduce_sum(square(x)) * self.l2 if self.l2 else absolute

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """l1 * sum(|w|).

    >>> from tensorsmith.tensor.convert import convert
    >>> L1(0.5)(convert([-2.0, 1.0])).numpy().item()
    1.5
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = _strength("L1", "l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Tensor:
        return reduce_sum(abs(x)) * self.l1

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(Regularizer):
    """l2 * sum(w**2).

    >>> from tensorsmith.tensor.convert import convert
    >>> L2(0.5)(convert([-2.0, 1.0])).numpy().item()
    2.5
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = _strength("L2", "l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Tensor:
        return reduce_sum(square(x)) * self.l2

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """factor times the mean |cosine| between two rows (or columns) of a matrix: 0 where they are orthogonal.

    mode  "rows" or "columns".

    >>> from tensorsmith.tensor.convert import convert
    >>> OrthogonalRegularizer(factor=1.0)(convert([[1.0, 0.0], [0.0, 2.0]])).numpy().item()
    0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor, self.mode = _strength("OrthogonalRegularizer", "factor", factor), mode
        if mode not in ("rows", "columns"):
            raise ValueError(explain("OrthogonalRegularizer", "mode must be rows or columns", {"mode": repr(mode)}))

    def __call__(self, x: Any) -> Tensor:
        if len(x.shape) != 2:
            raise ValueError(explain("OrthogonalRegularizer", "the weight must be a matrix", {"shape": tuple(x.shape)}))
        rows = unit(x if self.mode == "rows" else transpose(x))
        count = rows.shape[0]
        others = matmul(rows, transpose(rows)) * (1.0 - eye(count, dtype=rows.dtype))
        # each pair stands there twice
        return reduce_sum(abs(others)) * (0.5 * self.factor / max(count * (count - 1) / 2, 1))

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """L1L2 with both strengths 0.01 by default."""
    return L1L2(l1, l2)


l1, l2, orthogonal_regularizer = L1, L2, OrthogonalRegularizer

registry.register("regularizer", Regularizer)
registry.register("regularizer", L1L2, "l1l2", "l1_l2")
registry.register("regularizer", L1, "l1")
registry.register("regularizer", L2, "l2")
registry.register("regularizer", OrthogonalRegularizer, "orthogonal_regularizer")


def get(identifier: Any) -> Any:
    """The regularizer that a name, config, class, function or instance stands for; None stays None.

    >>> get("l2").l2
    0.01
    """
    return l1_l2() if identifier in ("l1_l2", "l1l2") else registry.get("regularizer", identifier)


def serialize(regularizer: Any) -> Any:
    """The config of a regularizer."""
    return registry.serialize("regularizer", regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer that `serialize` described."""
    return registry.deserialize("regularizer", config, custom_objects)
