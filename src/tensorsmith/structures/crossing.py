"""Crossed features: each value of one column with each value of the others, row by row, as text or hashed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Arrays
from tensorsmith.structures.between import from_tensor
from tensorsmith.structures.hashing import farm_fingerprint
from tensorsmith.structures.lifting import quietly
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.structures.row_partition import column_ids, row_ids
from tensorsmith.structures.sparse import SparseTensor, is_sparse
from tensorsmith.structures.sparse_ops import reorder
from tensorsmith.tensor.apply import functions, op
from tensorsmith.tensor.convert import convert

HASH_KEY = 0xDECAFCAFFE
_MASK = (1 << 64) - 1
_FACTOR = 0xC6A4A7935BD1E995
_LARGEST = (1 << 63) - 1


def _joined_fingerprint(first: int, second: int) -> int:
    """TensorFlow's fingerprint of two fingerprints, which knows their order."""
    mixed = second * _FACTOR & _MASK
    found = first ^ _FACTOR ^ ((mixed ^ mixed >> 47) * _FACTOR & _MASK)
    found = found * _FACTOR & _MASK
    found = (found ^ found >> 47) * _FACTOR & _MASK
    return found ^ found >> 47


def _rows(values: list[np.ndarray], splits: list[np.ndarray]) -> Any:
    """For each row the values of all columns there."""
    for at in range(len(splits[0]) - 1):
        yield [column[s[at] : s[at + 1]].tolist() for column, s in zip(values, splits)]


def _crossed_specs(dtype: Any) -> Callable[[Any, Any], Any]:
    def shapes(specs: Any, settings: Any) -> Any:
        _, splits = specs
        return ((None,), np.dtype(dtype)), (splits[0][0], np.dtype(np.int64))

    return shapes


@op(eager=True, differentiable=False, same=False, shapes=_crossed_specs(object))
def cross_texts(xp, values: Arrays, splits: Arrays, separator="_X_"):
    """All combinations of the values of the columns in each row as texts, and the row splits of the combinations."""
    made, counts = [], []
    for columns in _rows(values, splits):
        texts = [[v if isinstance(v, bytes) else str(v).encode() for v in column] for column in columns]
        row = [separator.encode().join(parts) for parts in itertools.product(*texts)]
        made += row
        counts.append(len(row))
    flat = np.empty(len(made), object)
    flat[:] = made
    return flat, np.cumsum([0, *counts], dtype=np.int64)


@op(eager=True, differentiable=False, same=False, shapes=_crossed_specs(np.int64))
def cross_hashes(xp, values: Arrays, splits: Arrays, num_buckets=0, hash_key=HASH_KEY):
    """All combinations of the values of the columns in each row as numbers below num_buckets (0: 2**63 - 1), and the splits."""
    made, counts = [], []
    for columns in _rows(values, splits):
        prints = [[farm_fingerprint(v) if isinstance(v, bytes) else v & _MASK for v in column] for column in columns]
        row = []
        for parts in itertools.product(*prints):
            hashed = hash_key
            for part in parts:
                hashed = _joined_fingerprint(hashed, part)
            row.append(hashed % (num_buckets or _LARGEST))
        made += row
        counts.append(len(row))
    return np.array(made, np.int64), np.cumsum([0, *counts], dtype=np.int64)


def _column(who: str, value: Any) -> RaggedTensor:
    if is_sparse(value):
        if value.rank != 2:
            raise ValueError(explain(who, "inputs of two axes are needed", {"shape": tuple(value.shape)}))
        s = reorder(value)
        rows = quietly(lambda i: i[:, 0], s.indices)
        return RaggedTensor.from_value_rowids(s.values, rows, nrows=s.shape[0], validate=False)
    ragged = value if is_ragged(value) else from_tensor(convert(value))
    if ragged.ragged_rank != 1 or len(ragged.shape) != 2:
        raise ValueError(explain(who, "inputs of two axes are needed", {"shape": tuple(ragged.shape)}))
    return ragged


def _crossed(who: str, inputs: Any, crosser: Callable[..., Any], **settings: Any) -> RaggedTensor:
    if not inputs:
        raise ValueError(explain(who, "there are no inputs"))
    columns = [_column(who, value) for value in inputs]
    for column in columns:
        if not (column.dtype.is_integer or column.dtype.name == "string"):
            raise TypeError(explain(who, "inputs must be integers or strings", {"input": describe(column)}))
    counts = {column.shape[0] for column in columns} - {None}
    if len(counts) > 1:
        raise InvalidArgumentError(explain(who, "the numbers of rows differ", {"rows": sorted(counts)}))
    splits = [functions["cast"](column.row_splits, "int64") for column in columns]
    flat, rows = crosser([column.flat_values for column in columns], splits, **settings)
    return RaggedTensor(flat, rows)


def _hashing(num_buckets: Any, hash_key: Any) -> dict[str, int]:
    return {"num_buckets": int(num_buckets), "hash_key": HASH_KEY if hash_key is None else int(hash_key)}


def cross(inputs: Any, name: str | None = None) -> RaggedTensor:
    """In each row every value of the first input joined with every one of the others: texts with "_X_" between.

    inputs  ragged, sparse or dense tensors [rows, any] of integers or strings.

    Raises ValueError for other ranks, TypeError for other dtypes, InvalidArgumentError where the numbers of rows differ.

    >>> cross([[["a"], ["b"]], [[1, 2], [3, 4]]]).to_list()
    [[b'a_X_1', b'a_X_2'], [b'b_X_3', b'b_X_4']]
    """
    return _crossed("ragged.cross", inputs, cross_texts)


def cross_hashed(
    inputs: Any, num_buckets: int = 0, hash_key: int | None = None, name: str | None = None
) -> RaggedTensor:
    """As `cross`, each combination as a number from 0 to num_buckets - 1 (2**63 - 2 for 0), TensorFlow's very numbers.

    >>> cross_hashed([[["a"]], [["b", "c"]]], num_buckets=10).shape
    TensorShape([1, None])
    """
    return _crossed("ragged.cross_hashed", inputs, cross_hashes, **_hashing(num_buckets, hash_key))


def _as_sparse_cross(who: str, inputs: Any, crosser: Callable[..., Any], **settings: Any) -> SparseTensor:
    if not isinstance(inputs, (list, tuple)):
        raise TypeError(explain(who, "inputs must be a list", {"inputs": describe(inputs)}))
    found = _crossed(who, inputs, crosser, **settings)
    ids = [quietly(f, found.row_splits, found.values) for f in (row_ids, column_ids)]
    places = quietly(lambda a, b: functions["stack"]([a, b], axis=1), *ids)
    return SparseTensor(places, found.values, found.bounding_shape())


def sparse_cross(inputs: Any, name: str | None = None, separator: str | None = None) -> SparseTensor:
    """As `tf.ragged.cross`, as a sparse tensor [rows, most combinations]; `separator` stands between ("_X_").

    >>> sparse_cross([[["a"]], [[1, 2]]], separator="-").values.numpy().tolist()
    [b'a-1', b'a-2']
    """
    return _as_sparse_cross("sparse.cross", inputs, cross_texts, separator="_X_" if separator is None else separator)


def sparse_cross_hashed(
    inputs: Any, num_buckets: int = 0, hash_key: int | None = None, name: str | None = None
) -> SparseTensor:
    """As `tf.ragged.cross_hashed`, as a sparse tensor [rows, most combinations]."""
    return _as_sparse_cross("sparse.cross_hashed", inputs, cross_hashes, **_hashing(num_buckets, hash_key))
