"""Columns: ragged and sparse tensors as rows of data, of which some are taken at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.dtypes import of_array
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.structures.ragged import RaggedTensor
from tensorsmith.structures.row_partition import spans
from tensorsmith.structures.sparse import SparseTensor
from tensorsmith.structures.specs import RaggedTensorSpec, SparseTensorSpec
from tensorsmith.tensor.tensor import Tensor


class Column:
    """Rows that are not the rows of one array; read as an array is: `len`, `shape`, `dtype`, `column[rows]`, `astype`.

    values  the NumPy array of all numbers that it holds.
    shape   with None for each axis along which rows differ.

    `column[rows]` takes a slice, or indices [k] of rows that are there. Everything is NumPy and takes as long as what is
    taken is large.

    >>> import tensorsmith as tf
    >>> column = column_of(tf.ragged.constant([[1, 2], [3], [4, 5, 6]]))
    >>> len(column), column.shape, column[[2, 0]].tensor
    (3, (3, None), <tf.RaggedTensor [[4, 5, 6], [1, 2]]>)
    """

    values: np.ndarray
    shape: tuple[int | None, ...]

    @property
    def dtype(self) -> np.dtype:
        return self.values.dtype

    def __len__(self) -> int:
        return self.shape[0] or 0

    @property
    def spec(self) -> Any:
        """The spec of any number of such rows."""
        raise NotImplementedError

    @property
    def tensor(self) -> Any:
        """The rows as a ragged or sparse tensor."""
        raise NotImplementedError

    def __getitem__(self, rows: Any) -> Column:
        raise NotImplementedError

    def astype(self, dtype: Any) -> Column:
        """The same with values of another dtype."""
        raise NotImplementedError

    def places(self, chosen: np.ndarray) -> np.ndarray:
        """The indices [k, rank] of the values at which a mask of `values` is True: for a dense array, `np.argwhere`."""
        raise NotImplementedError

    def _below(self, others: list[Any]) -> Column:
        """Its rows, then those of the others, which are of the same kind."""
        raise NotImplementedError


class RaggedColumn(Column):
    """The rows of a ragged tensor."""

    def __init__(self, like: RaggedTensor, parts: list[np.ndarray] | None = None) -> None:
        parts = [np.asarray(part._array) for part in like._parts()] if parts is None else parts
        self._like, self._splits, self.values = like, parts[1:], parts[0]
        self.shape = (len(self._splits[0]) - 1, *like.shape[1:])

    @property
    def spec(self) -> Any:
        like = self._like
        return RaggedTensorSpec([None, *self.shape[1:]], like.dtype, like.ragged_rank, like.row_splits.dtype)

    @property
    def tensor(self) -> RaggedTensor:
        return self._like._from_parts([Tensor(self.values), *map(Tensor, self._splits)])

    def __getitem__(self, rows: Any) -> RaggedColumn:
        if isinstance(rows, slice) and rows.step in (None, 1):
            return self._run(*rows.indices(len(self))[:2])
        places = np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows)
        made = []
        for splits in self._splits:
            places, inner = spans(splits[places], splits[places + 1])
            made.append(inner)
        return RaggedColumn(self._like, [self.values[places], *made])

    def _run(self, first: int, last: int) -> RaggedColumn:
        """Rows that follow each other: parts of the arrays as they are."""
        last, made = max(first, last), []
        for splits in self._splits:
            part = splits[first : last + 1]
            made.append(part - part[0])
            first, last = int(part[0]), int(part[-1])
        return RaggedColumn(self._like, [self.values[first:last], *made])

    def astype(self, dtype: Any) -> RaggedColumn:
        values = self.values.astype(dtype)
        return RaggedColumn(self._like.with_flat_values(Tensor(values)), [values, *self._splits])

    def places(self, chosen: np.ndarray) -> np.ndarray:
        inner = np.argwhere(chosen)
        at, columns = inner[:, 0], [inner[:, 1:]]
        for splits in reversed(self._splits):
            row = np.searchsorted(splits, at, side="right") - 1
            columns.insert(0, (at - splits[row])[:, None])
            at = row
        return np.concatenate([at[:, None], *columns], axis=1)

    def _below(self, others: list[RaggedColumn]) -> RaggedColumn:
        parts = [[column.values, *column._splits] for column in (self, *others)]
        values, *levels = zip(*parts)
        return RaggedColumn(self._like, [np.concatenate(values), *map(_joined_splits, levels)])


def _joined_splits(several: tuple[np.ndarray, ...]) -> np.ndarray:
    lengths = [np.diff(splits) for splits in several]
    dtype = several[0].dtype
    return np.concatenate([np.zeros(1, dtype), np.cumsum(np.concatenate(lengths), dtype=dtype)])


class SparseColumn(Column):
    """The rows of a sparse tensor: the slices along its first axis."""

    def __init__(self, indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...]) -> None:
        self._indices, self.values = indices, values
        self.shape: tuple[int, ...] = shape
        self._by_row: tuple[np.ndarray | None, np.ndarray] | None = None

    @property
    def spec(self) -> Any:
        return SparseTensorSpec([None, *self.shape[1:]], of_array(self.values))

    @property
    def tensor(self) -> SparseTensor:
        return SparseTensor(Tensor(self._indices), Tensor(self.values), Tensor(np.array(self.shape, np.int64)))

    def _found(self) -> tuple[np.ndarray | None, np.ndarray]:
        """The order that sorts the stored values by row (None: they are), and where in it each row begins."""
        if self._by_row is None:
            of = self._indices[:, 0]
            if len(of) and (of.min() < 0 or of.max() >= len(self)):
                wrong = int(((of < 0) | (of >= len(self))).argmax())
                raise InvalidArgumentError(
                    explain("SparseTensor", f"indices[{wrong}] lies outside the shape",
                            {f"indices[{wrong}]": self._indices[wrong].tolist(), "dense_shape": list(self.shape)})
                )  # fmt: skip
            order = None
            if (np.diff(of) < 0).any():
                order = np.argsort(of, kind="stable")
                of = of[order]
            self._by_row = order, np.searchsorted(of, np.arange(len(self) + 1))
        return self._by_row

    def __getitem__(self, rows: Any) -> SparseColumn:
        order, splits = self._found()
        taken = np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows)
        places, inner = spans(splits[taken], splits[taken + 1])
        at = places if order is None else order[places]
        indices = self._indices[at]
        indices[:, 0] = np.repeat(np.arange(len(taken)), np.diff(inner))
        return SparseColumn(indices, self.values[at], (len(taken), *self.shape[1:]))

    def astype(self, dtype: Any) -> SparseColumn:
        return SparseColumn(self._indices, self.values.astype(dtype), self.shape)

    def places(self, chosen: np.ndarray) -> np.ndarray:
        return self._indices[chosen]

    def _below(self, others: list[SparseColumn]) -> SparseColumn:
        columns = [self, *others]
        starts = np.cumsum([0, *(len(column) for column in columns)])
        indices = []
        for column, start in zip(columns, starts):
            indices.append(column._indices.copy())
            indices[-1][:, 0] += start
        values = np.concatenate([column.values for column in columns])
        sizes = [max(sizes) for sizes in zip(*(column.shape[1:] for column in columns))]
        return SparseColumn(np.concatenate(indices), values, (int(starts[-1]), *sizes))


def _of_sparse(value: SparseTensor) -> SparseColumn:
    indices, values = np.asarray(value.indices._array), np.asarray(value.values._array)
    return SparseColumn(indices, values, tuple(int(size) for size in value.shape))


_KINDS: dict[type, Any] = {RaggedTensor: RaggedColumn, SparseTensor: _of_sparse}


def has_column(value: Any) -> bool:
    """True for a ragged or sparse tensor, and for a sparse matrix of SciPy."""
    return type(value) in _KINDS or hasattr(value, "tocoo")


def column_of(value: Any) -> Column:
    """The rows of a ragged or sparse tensor, or of a sparse matrix of SciPy."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind(value)
    # SciPy's, known by what it can do: SciPy is not imported for it
    matrix = value.tocsr().tocoo()
    order = np.lexsort((matrix.col, matrix.row))
    indices = np.stack([matrix.row, matrix.col], axis=1).astype(np.int64)[order]
    return SparseColumn(indices, matrix.data[order], tuple(int(size) for size in matrix.shape))


def joined(values: list[Any]) -> Any:
    """Ragged (or sparse) tensors with the rows of the first, then those of the second, and so on.

    >>> import tensorsmith as tf
    >>> joined([tf.ragged.constant([[1, 2]]), tf.ragged.constant([[3], [4]])])
    <tf.RaggedTensor [[1, 2], [3], [4]]>
    """
    columns: list[Any] = [column_of(value) for value in values]
    return columns[0]._below(columns[1:]).tensor
