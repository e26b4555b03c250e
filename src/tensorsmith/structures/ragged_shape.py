"""DynamicRaggedShape: the sizes of the axes of a ragged tensor, of which some differ from row to row."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes, ports
from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.program.op import Op
from tensorsmith.structures.lifting import quietly, refuse
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


class DynamicRaggedShape:
    """The shape of a ragged tensor: what `tf.shape` gives of one.

    `tf.broadcast_to`, `tf.reshape`, `tf.fill`, `tf.ones` and `tf.zeros` take it, and give ragged tensors of this shape.
    shape[i] is the size of an axis that is the same everywhere; ValueError for one that is not.

    >>> import tensorsmith as tf
    >>> shape = tf.shape(tf.ragged.constant([[1, 2], [], [3]]))
    >>> shape
    <DynamicRaggedShape lengths=[3, (2, 0, 1)] num_row_partitions=1>
    >>> shape[0].numpy().item(), tf.fill(shape, 7)
    (3, <tf.RaggedTensor [[7, 7], [], [7]]>)
    """

    def __init__(self, pattern: Any, dtype: Any = dtypes.int64) -> None:
        # any tensor of this shape: its values are never read
        self.dtype: DType = as_dtype(dtype)
        self._pattern = pattern.with_row_splits_dtype(self.dtype) if is_ragged(pattern) else pattern

    @classmethod
    def from_tensor(cls, t: Any, dtype: Any = None) -> DynamicRaggedShape:
        """The shape of a tensor, ragged or dense."""
        pattern: Any = t if is_ragged(t) else convert(t)
        return cls(pattern, dtype or (pattern.row_splits.dtype if is_ragged(pattern) else dtypes.int64))

    @classmethod
    def from_lengths(
        cls, lengths: Any, num_row_partitions: int | None = None, dtype: Any = dtypes.int64
    ) -> DynamicRaggedShape:
        """The shape of these sizes: a number for an axis that is the same everywhere, a list of lengths for a ragged one.

        num_row_partitions  how many axes behind the first have row splits; by default those up to the last ragged one.

        Raises ValueError where the numbers of rows and lengths do not fit each other.

        >>> DynamicRaggedShape.from_lengths([2, (1, 3), 4])
        <DynamicRaggedShape lengths=[2, (1, 3), 4] num_row_partitions=1>
        """
        sizes = list(lengths)
        ragged = [at for at, size in enumerate(sizes) if not isinstance(size, (int, np.integer))]
        depth = max(ragged, default=0) if num_row_partitions is None else int(num_row_partitions)
        if 0 in ragged or depth < max(ragged, default=0) or depth >= max(len(sizes), 1):
            raise ValueError(
                explain("DynamicRaggedShape", "the lengths do not fit num_row_partitions",
                        {"lengths": sizes, "num_row_partitions": depth})
            )  # fmt: skip
        count = int(sizes[0]) if sizes else 1
        partitions: list[tuple[np.ndarray, int | None]] = []
        for size in sizes[1 : depth + 1]:
            rows: list[int] = [int(size)] * count if isinstance(size, (int, np.integer)) else [int(n) for n in size]
            if len(rows) != count:
                raise ValueError(
                    explain("DynamicRaggedShape", "one length is needed for each row", {"lengths": size, "rows": count})
                )
            uniform = int(size) if isinstance(size, (int, np.integer)) else None
            partitions.append((np.cumsum([0, *rows]), uniform))
            count = sum(rows)
        inner = [count, *sizes[depth + 1 :]] if sizes else []
        pattern: Any = Tensor(np.broadcast_to(np.int8(0), inner))
        for splits, uniform in reversed(partitions):
            pattern = RaggedTensor(pattern, Tensor(splits.astype(np.int64)), uniform)
        return cls(pattern, dtype)

    # ---- what it is

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self._pattern.shape)

    @property
    def num_row_partitions(self) -> int:
        """How many axes behind the first have row splits."""
        return self._pattern.ragged_rank if is_ragged(self._pattern) else 0

    @property
    def inner_shape(self) -> Tensor:
        """The shape of the flat values."""
        return functions["shape"](self._flat, self.dtype)

    @property
    def inner_rank(self) -> int:
        """The number of axes of the flat values."""
        return len(self._flat.shape)

    @property
    def _flat(self) -> Tensor:
        return self._pattern.flat_values if is_ragged(self._pattern) else self._pattern

    def is_uniform(self, axis: int) -> bool:
        """True for an axis of which it is known that it has one size everywhere."""
        at = self._axis(axis)
        return at == 0 or at > self.num_row_partitions or self._pattern.shape[at] is not None

    def static_lengths(self, ragged_lengths: bool = True) -> list[Any]:
        """The sizes as far as they are known: a tuple of lengths for a ragged axis, or None for all of these."""
        sizes: list[Any] = list(self._pattern.shape)
        if ragged_lengths:
            for at, lengths in enumerate(self._lengths(), 1):
                if sizes[at] is None and not isinstance(lengths, Symbol):
                    sizes[at] = tuple(lengths.tolist())
        return sizes

    def with_dtype(self, dtype: Any) -> DynamicRaggedShape:
        """The same with row splits and sizes of this dtype, int32 or int64."""
        return DynamicRaggedShape(self._pattern, dtype)

    def _lengths(self) -> list[Tensor]:
        return list(self._pattern.nested_row_lengths()) if is_ragged(self._pattern) else []

    def _axis(self, axis: int) -> int:
        if not -self.rank <= axis < self.rank:
            raise IndexError(explain("DynamicRaggedShape", "there is no such axis", {"axis": axis, "rank": self.rank}))
        return axis % self.rank

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self._part(range(self.rank)[key])
        at = self._axis(int(key))
        if not self.is_uniform(at):
            raise ValueError(
                explain("DynamicRaggedShape", "the axis has no one size", {"axis": at, "shape": self}, "",
                        "Use r.row_lengths() or r.bounding_shape().")
            )  # fmt: skip
        if at == 0:
            if is_ragged(self._pattern):
                return functions["cast"](self._pattern.nrows(), self.dtype)
        elif at <= self.num_row_partitions:
            return convert(self._pattern.shape[at], self.dtype)
        return self.inner_shape[at - self.num_row_partitions]

    def _part(self, axes: range) -> DynamicRaggedShape:
        if axes.step == 1 and axes.start == 0:
            pattern = self._pattern
            while is_ragged(pattern) and pattern.ragged_rank >= max(len(axes), 1):
                pattern = _cut(pattern)
            flat = pattern.flat_values if is_ragged(pattern) else pattern
            keep = len(axes) - (pattern.ragged_rank if is_ragged(pattern) else 0)
            flat = functions["zeros_like"](flat)
            for _ in range(len(flat.shape) - keep):
                flat = functions["reduce_sum"](flat, axis=-1)
            return DynamicRaggedShape(pattern.with_flat_values(flat) if is_ragged(pattern) else flat, self.dtype)
        if not all(self.is_uniform(at) for at in range(axes.stop if len(axes) else 0)):
            raise ValueError(
                explain(
                    "DynamicRaggedShape", "a part from a later axis on is of axes of one size alone", {"shape": self}
                )
            )
        sizes = [int(self[at]) for at in axes]
        return DynamicRaggedShape.from_lengths(sizes, dtype=self.dtype)

    def __eq__(self, other: Any) -> Any:
        if not isinstance(other, DynamicRaggedShape):
            return NotImplemented
        mine, its = self.static_lengths(), other.static_lengths()
        return mine == its

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<DynamicRaggedShape lengths={self.static_lengths()} num_row_partitions={self.num_row_partitions}>"

    # ---- tensors of this shape

    def _broadcast(self, value: Any) -> Any:
        """The value at every place of this shape."""
        if not is_ragged(self._pattern):
            return functions["broadcast_to"](value, self.inner_shape)
        everywhere = self._pattern.with_flat_values(_true(self._flat))
        found = functions["where"](everywhere, value, value)
        # (of two partitions that are the same, `where` may give the one that the value has)
        return self._pattern.with_flat_values(found.flat_values)

    def _reshaped(self, value: Any) -> Any:
        """The elements of a tensor, in their order, under this shape."""
        flat = functions["reshape"](value, self.inner_shape)
        return self._pattern.with_flat_values(flat) if is_ragged(self._pattern) else flat


def _cut(pattern: RaggedTensor) -> Any:
    """Without the innermost partition: one value for each of its rows."""
    if is_ragged(pattern.values):
        return pattern.with_values(_cut(pattern.values))
    return pattern.row_lengths()


def _true(flat: Tensor) -> Tensor:
    return functions["cast"](quietly(lambda t: functions["ones_like"](t, "int8"), flat), "bool")


def broadcast(op: Op, arguments: tuple, settings: dict) -> Any:
    """`tf.broadcast_to` of a ragged tensor."""
    value, sizes = arguments
    if sizes and isinstance(sizes[0], DynamicRaggedShape):
        return sizes[0]._broadcast(value)
    raise refuse(op, "RaggedTensor with a shape of numbers", "Give the tf.shape of a ragged tensor.")


def shape_of(op: Op, arguments: tuple, settings: dict) -> DynamicRaggedShape:
    """`tf.shape` of a ragged tensor."""
    return DynamicRaggedShape.from_tensor(arguments[0], as_dtype(settings["out_type"]))


def _lift(op: Op, arguments: tuple, settings: dict) -> Any:
    """An operation that is given such a shape."""
    value, sizes = arguments[0], arguments[1] if len(arguments) > 1 else None
    if op.name in ("fill", "broadcast_to", "reshape") and sizes and isinstance(sizes[0], DynamicRaggedShape):
        shape = sizes[0]
        return shape._reshaped(value) if op.name == "reshape" else shape._broadcast(value)
    raise InvalidArgumentError(
        explain(op.name, "it does not take the shape of a ragged tensor", {"given": arguments}, "",
                "Use r.bounding_shape(), or tf.ragged.map_flat_values.")
    )  # fmt: skip


def _to_tensor(value: DynamicRaggedShape, dtype: Any) -> Tensor:
    raise TypeError(
        explain("convert_to_tensor", "the shape of a ragged tensor is no tensor", {"shape": value}, "",
                "Use r.bounding_shape(), or shape[0] for the number of rows.")
    )  # fmt: skip


ports.lifters[DynamicRaggedShape] = _lift
ports.converters[DynamicRaggedShape] = _to_tensor
