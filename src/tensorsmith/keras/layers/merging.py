"""Add, Concatenate and kin."""

from __future__ import annotations

from functools import reduce
from typing import Any

from tensorsmith.core.specs import describe
from tensorsmith.keras.layers.base import Layer
from tensorsmith.ops.elementwise import add, maximum, minimum, multiply, subtract
from tensorsmith.ops.shaping import concat


class _Merge(Layer):
    """Takes a list of tensors and gives one."""

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
    """The product of the inputs."""

    def call(self, inputs: Any) -> Any:
        return reduce(multiply, self._check(inputs))


class Average(_Merge):
    """The mean of the inputs."""

    def call(self, inputs: Any) -> Any:
        parts = self._check(inputs)
        return multiply(reduce(add, parts), 1.0 / len(parts))


class Maximum(_Merge):
    """The greatest of the inputs, elementwise."""

    def call(self, inputs: Any) -> Any:
        return reduce(maximum, self._check(inputs))


class Minimum(_Merge):
    """The least of the inputs, elementwise."""

    def call(self, inputs: Any) -> Any:
        return reduce(minimum, self._check(inputs))


class Concatenate(_Merge):
    """The inputs joined along `axis`."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        return concat(self._check(inputs, 1), self.axis)

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
