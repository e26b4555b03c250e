"""What a value is without the value: TensorSpec and its kin."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.dtypes import DType, as_dtype, float32
from tensorsmith.core.shapes import TensorShape


class TensorSpec:
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

    def is_compatible_with(self, value: Any) -> bool:
        """True when a value of `value`'s dtype and shape may stand here."""
        return self.dtype == value.dtype and self.shape.is_compatible_with(value.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

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
        return f"{getattr(dtype, 'name', dtype)}{tuple(shape)}"
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."
