"""What a value is without the value: TensorSpec and its kin."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.dtypes import DType, as_dtype, float32
from tensorsmith.core.shapes import TensorShape


class TypeSpec:
    """What all specs have in common: which values may stand where one of them is asked for.

    value_type  the class of the values.

    A subclass says in `_told()` what it is told by, shapes and plain values, which its constructor takes in this order;
    by that it is compared and merged with others.
    """

    __slots__ = ()

    value_type: Any = None

    def _told(self) -> tuple[Any, ...]:
        raise TypeError(f"{type(self).__name__} does not say what it is told by.")

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """True when such a value, or a value of such a spec, may stand here."""
        pairs = list(self._pairs(spec_or_value))
        return bool(pairs) and all(a.is_compatible_with(b) if isinstance(a, TensorShape) else a == b for a, b in pairs)

    def is_subtype_of(self, other: TypeSpec) -> bool:
        """True when every value that fits here fits `other`.

        >>> TensorSpec([2, 3]).is_subtype_of(TensorSpec([None, 3]))
        True
        """
        pairs = list(self._pairs(other))
        return bool(pairs) and all(
            (b.rank is None or a.rank == b.rank and all(y is None or x == y for x, y in zip(a, b)))
            if isinstance(a, TensorShape)
            else a == b
            for a, b in pairs
        )

    def most_specific_common_supertype(self, others: Any) -> Any:
        """The spec that the values of this and of all others fit, and as few more as can be; None where there is none.

        >>> TensorSpec([2, 3]).most_specific_common_supertype([TensorSpec([5, 3])])
        TensorSpec(shape=(None, 3), dtype=tf.float32, name=None)
        """
        told = list(self._told())
        for other in others:
            pairs = list(self._pairs(other))
            if not pairs or any(a != b for a, b in pairs if not isinstance(a, TensorShape)):
                return None
            for at, (_, its) in enumerate(pairs):
                if isinstance(told[at], TensorShape):
                    told[at] = _common(told[at], its)
        return type(self)(*told)

    def most_specific_compatible_type(self, other: TypeSpec) -> Any:
        """The same for two specs; ValueError where there is none."""
        found = self.most_specific_common_supertype([other])
        if found is None:
            raise ValueError(f"No type is compatible with both {self!r} and {other!r}.")
        return found

    def _pairs(self, other: Any) -> Any:
        """What this and another spec are told by, side by side; nothing for one of another kind."""
        if not isinstance(other, TypeSpec):
            own = getattr(type(other), "_type_spec", None)
            other = None if own is None else other._type_spec()
        return zip(self._told(), other._told()) if type(other) is type(self) else ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._told() == other._told()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self._told())


def _common(a: TensorShape, b: TensorShape) -> TensorShape:
    if a.rank is None or a.rank != b.rank:
        return TensorShape(None)
    return TensorShape([x if x == y else None for x, y in zip(a, b)])


class TensorSpec(TypeSpec):
    """A dtype and a shape that may hold None.

    >>> TensorSpec([None, 3], "float32")
    TensorSpec(shape=(None, 3), dtype=tf.float32, name=None)
    """

    __slots__ = ("dtype", "name", "shape")

    def __init__(self, shape: Any, dtype: Any = float32, name: str | None = None) -> None:
        self.shape: TensorShape = TensorShape(shape)
        self.dtype: DType = as_dtype(dtype)
        self.name = name

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        return cls(tensor.shape, tensor.dtype, name)

    @classmethod
    def from_spec(cls, spec: Any, name: str | None = None) -> TensorSpec:
        """The same dtype and shape under another name."""
        return cls(spec.shape, spec.dtype, name or getattr(spec, "name", None))

    def _told(self) -> tuple[Any, ...]:
        return self.shape, self.dtype

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """True when a value of this dtype and shape may stand here."""
        other = spec_or_value
        return self.dtype == other.dtype and self.shape.is_compatible_with(other.shape)

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name={self.name!r})"


def describe(value: Any) -> str:
    """A value as dtype and shape, for messages; nested values keep their form.

    >>> describe([TensorSpec([2, None])])
    '[float32(2, None)]'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {describe(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)) and not isinstance(value, TensorShape):
        return "[" + ", ".join(describe(part) for part in value) + "]"
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if dtype is not None and shape is not None:
        known = getattr(shape, "rank", 0) is not None
        return f"{getattr(dtype, 'name', dtype)}{tuple(shape) if known else shape}"
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."
