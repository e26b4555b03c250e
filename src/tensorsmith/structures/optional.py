"""Optional: a value that may be missing, also in traced functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes, nest
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import TensorSpec, TypeSpec
from tensorsmith.function.composites import is_composite, parts_of_spec, split
from tensorsmith.ops.debugging import hold
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


class OptionalSpec(TypeSpec):
    """What an Optional is without its value: the (nested) spec of a value in it.

    >>> import tensorsmith as tf
    >>> tf.OptionalSpec(tf.TensorSpec([2]))
    OptionalSpec(TensorSpec(shape=(2,), dtype=tf.float32, name=None),)
    """

    __slots__ = ("_element_spec",)

    def __init__(self, element_spec: Any) -> None:
        self._element_spec = element_spec

    @property
    def value_type(self) -> type:
        return Optional

    @classmethod
    def from_value(cls, value: Optional) -> OptionalSpec:
        """The spec of an Optional."""
        return value._type_spec()

    def _told(self) -> tuple[Any, ...]:
        return tuple(nest.flatten(self._element_spec))

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """True for an Optional, or the spec of one, whose values fit."""
        other = spec_or_value._type_spec() if isinstance(spec_or_value, Optional) else spec_or_value
        if not isinstance(other, OptionalSpec):
            return False
        try:
            nest.assert_same_structure(self._element_spec, other._element_spec)
        except (ValueError, TypeError):
            return False
        return all(a.is_compatible_with(b) for a, b in zip(self._told(), other._told()))

    # ---- as a composite

    def _type_spec(self) -> OptionalSpec:
        return self

    def _static(self) -> Any:
        return repr(self)

    def _parts(self) -> list[TensorSpec]:
        return [TensorSpec([], dtypes.bool_), *(part for leaf in self._told() for part in parts_of_spec(leaf))]

    def _from_parts(self, parts: list[Any]) -> Optional:
        leaves, at = [], 1
        for leaf in self._told():
            count = len(parts_of_spec(leaf))
            leaves.append(leaf._from_parts(parts[at : at + count]) if is_composite(leaf) else parts[at])
            at += count
        value = nest.pack_sequence_as(self._element_spec, leaves) if nest.is_nested(self._element_spec) else leaves[0]
        return Optional(parts[0], value, self._element_spec)

    def __repr__(self) -> str:
        return f"OptionalSpec({self._element_spec!r},)"


def _made_of_tensors(value: Any) -> Any:
    if is_composite(value):
        return value
    if nest.is_nested(value) and not isinstance(value, list):
        return nest.rebuilt(value, _made_of_tensors)
    return convert(value)


class Optional:
    """A value, or nothing. Made by `Optional.from_value(value)` and `Optional.empty(element_spec)`.

    >>> import tensorsmith as tf
    >>> full, none = tf.experimental.Optional.from_value(3), tf.experimental.Optional.empty(tf.TensorSpec([], tf.int32))
    >>> bool(full.has_value()), bool(none.has_value()), int(full.get_value())
    (True, False, 3)
    """

    def __init__(self, there: Tensor, value: Any, element_spec: Any) -> None:
        self._there, self._value, self._spec = there, value, element_spec

    @staticmethod
    def from_value(value: Any) -> Optional:
        """An Optional that holds a value: a tensor, or tuples and dicts of them; a list is a tensor, as in datasets."""
        value = _made_of_tensors(value)
        tensors, form = split(value)
        specs = form.describe([TensorSpec(t.shape, t.dtype) for t in tensors])
        return Optional(Tensor(np.array(True)), value, specs)

    @staticmethod
    def empty(element_spec: Any) -> Optional:
        """An Optional without a value, of a (nested) spec."""
        whole = OptionalSpec(element_spec)
        parts = [
            Tensor(
                np.full(
                    [size or 0 for size in part.shape or ()],
                    b"" if part.dtype is dtypes.string else 0,
                    part.dtype.numpy_dtype,
                )
            )
            for part in whole._parts()
        ]
        return whole._from_parts(parts)

    @property
    def element_spec(self) -> Any:
        """The (nested) spec of a value in it."""
        return self._spec

    def has_value(self, name: str | None = None) -> Tensor:
        """Whether there is one: a boolean scalar."""
        return self._there

    def get_value(self, name: str | None = None) -> Any:
        """The value. Raises InvalidArgumentError where there is none, in a traced function when the program runs."""
        if isinstance(self._there, Symbol):
            hold("Optional.get_value", self._there, {}, "there is no value")
        elif not bool(self._there):
            raise InvalidArgumentError(
                explain(
                    "Optional.get_value", "there is no value", {"element_spec": self._spec}, way_out="Ask has_value()."
                )
            )
        return self._value

    def _type_spec(self) -> OptionalSpec:
        return OptionalSpec(self._spec)

    def _parts(self) -> list[Tensor]:
        return [self._there, *split(self._value)[0]]

    def _from_parts(self, parts: list[Any]) -> Optional:
        return self._type_spec()._from_parts(parts)

    def __repr__(self) -> str:
        return f"<tf.experimental.Optional {self._spec!r}>"
