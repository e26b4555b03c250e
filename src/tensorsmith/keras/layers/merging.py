"""Add, Concatenate and kin."""

from __future__ import annotations

from functools import reduce
from typing import Any

from tensorsmith.core.specs import describe
from tensorsmith.keras.layers import masks
from tensorsmith.keras.layers.base import Layer
from tensorsmith.ops.comparison import logical_and, logical_or, where
from tensorsmith.ops.creation import ones_like, zeros_like
from tensorsmith.ops.elementwise import add, maximum, minimum, multiply, subtract
from tensorsmith.ops.reductions import reduce_any
from tensorsmith.ops.shaping import concat


class _Merge(Layer):
    """Takes a list of tensors and gives one; a step counts in it where it does in one of them, if all have masks."""

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or any(own is None for own in mask):
            return None
        return reduce(logical_or, mask)

    def _check(self, inputs: Any, least: int = 2) -> list[Any]:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < least:
            raise ValueError(
                f"{type(self).__name__} {self.name!r} takes a list of at least {least} tensors; given {describe(inputs)}."
            )
        return list(inputs)


class Add(_Merge):
    """The sum of the inputs.

    >>> import tensorsmith as tf
    >>> Add()([tf.constant([1.0]), tf.constant([2.0])]).numpy()
    array([3.], dtype=float32)
    """

    def call(self, inputs: Any) -> Any:
        return reduce(add, self._check(inputs))


class Subtract(_Merge):
    """The first input less the second."""

    def call(self, inputs: Any) -> Any:
        if isinstance(inputs, (list, tuple)) and len(inputs) > 2:
            raise ValueError(f"Subtract {self.name!r} takes a list of exactly 2 tensors; given {len(inputs)}.")
        first, second = self._check(inputs)
        return subtract(first, second)


class Multiply(_Merge):
    """The product of the inputs; a step that a mask leaves out is no factor, and 0 where no input has it."""

    def call(self, inputs: Any) -> Any:
        parts = self._check(inputs)
        own = masks.of(parts)
        if own is None:
            return reduce(multiply, parts)
        factors = [_chosen(mask, part, ones_like(part)) for part, mask in zip(parts, own)]
        product = reduce(multiply, factors)
        return _chosen(self.compute_mask(parts, own), product, zeros_like(product))


class Average(_Merge):
    """The mean of the inputs."""

    def call(self, inputs: Any) -> Any:
        parts = self._check(inputs)
        return multiply(reduce(add, parts), 1.0 / len(parts))


class Maximum(_Merge):
    """The greatest of the inputs, elementwise, among those whose masks have the step."""

    def call(self, inputs: Any) -> Any:
        return _of_those_that_count(maximum, self._check(inputs))


class Minimum(_Merge):
    """The least of the inputs, elementwise, among those whose masks have the step."""

    def call(self, inputs: Any) -> Any:
        return _of_those_that_count(minimum, self._check(inputs))


def _of_those_that_count(operation: Any, parts: list[Any]) -> Any:
    own = masks.of(parts)
    if own is None:
        return reduce(operation, parts)
    found, counts = parts[0], own[0]
    for part, mask in zip(parts[1:], own[1:]):
        part = _chosen(mask, part, found)
        found = operation(_chosen(counts, found, part), part)
        counts = None if mask is None or counts is None else logical_or(counts, mask)
    return found


def _chosen(mask: Any, part: Any, other: Any) -> Any:
    """`part` at the steps that a mask [B, T] has, `other` at the rest; all of `part` where there is no mask."""
    return part if mask is None else where(masks.like(mask, part), part, other)


class Concatenate(_Merge):
    """The inputs joined along `axis`."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        return concat(self._check(inputs, 1), self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Joined as the inputs are; an input without a mask counts at all steps."""
        if mask is None or all(own is None for own in mask):
            return None
        parts = []
        for part, own in zip(inputs, mask):
            everywhere = ones_like(part, dtype="bool")
            parts.append(everywhere if own is None else logical_and(masks.like(own, part), everywhere))
        return reduce_any(concat(parts, self.axis), -1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis)(inputs)`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def _functional(kind: type[_Merge]) -> Any:
    def merge(inputs: Any, **kwargs: Any) -> Any:
        return kind(**kwargs)(inputs)

    merge.__name__ = kind.__name__.lower()
    merge.__doc__ = f"`{kind.__name__}()(inputs)`."
    return merge


add_inputs = _functional(Add)
subtract_inputs = _functional(Subtract)
multiply_inputs = _functional(Multiply)
average_inputs = _functional(Average)
maximum_inputs = _functional(Maximum)
minimum_inputs = _functional(Minimum)
