"""Tables from key to value, made once: from tensors or from the lines of a text file.

A table is two tensors, its keys in rising order and their values, so that a lookup is one operation: a binary search,
which XLA runs too where keys and values are numbers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.core.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError, explain
from tensorsmith.core.naming import unique
from tensorsmith.program.op import Array
from tensorsmith.structures.hashing import string_bucket
from tensorsmith.structures.string_numbers import string_of, string_to_number
from tensorsmith.structures.tables import Table
from tensorsmith.tensor.apply import functions, op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


@op(differentiable=False, same=False, shapes=lambda specs, settings: [(specs[0][0], specs[2][1])])
def table_lookup(xp, x: Array, keys: Array, values: Array, default: Array):
    """The value of each element among the rising keys, the default where it is none of them."""
    if not len(keys):
        return xp.broadcast_to(default, x.shape)
    at = xp.searchsorted(keys, x)
    return xp.where(xp.take(keys, at, mode="clip") == x, xp.take(values, at, mode="clip"), default)


class Initializer(Protocol):
    """What fills a table."""

    @property
    def key_dtype(self) -> DType: ...

    @property
    def value_dtype(self) -> DType: ...

    def pairs(self) -> tuple[Tensor, Tensor]:
        """Keys [n] and their values [n]."""
        ...


class KeyValueTensorInitializer:
    """Fills a table with keys and the values at the same places.

    keys, values            of one shape.
    key_dtype, value_dtype  by default those of the tensors.

    >>> import tensorsmith as tf
    >>> table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2]), default_value=-1)
    >>> table.lookup(tf.constant(["b", "c"])).numpy()
    array([ 2, -1], dtype=int32)
    """

    def __init__(
        self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: str | None = None
    ) -> None:
        self._keys, self._values = convert(keys, key_dtype), convert(values, value_dtype)
        if self._keys.shape != self._values.shape:
            raise InvalidArgumentError(
                explain(
                    "lookup.KeyValueTensorInitializer",
                    "keys and values differ in shape",
                    {"keys": tuple(self._keys.shape), "values": tuple(self._values.shape)},
                )
            )

    @property
    def key_dtype(self) -> DType:
        return self._keys.dtype

    @property
    def value_dtype(self) -> DType:
        return self._values.dtype

    def pairs(self) -> tuple[Tensor, Tensor]:
        return functions["reshape"](self._keys, (-1,)), functions["reshape"](self._values, (-1,))


class DatasetInitializer:
    """Fills a table with the elements of a dataset, each a pair of a key and its value.

    >>> import tensorsmith as tf
    >>> pairs = tf.data.Dataset.from_tensor_slices((["a", "b"], [1, 2]))
    >>> table = StaticHashTable(tf.lookup.experimental.DatasetInitializer(pairs), default_value=-1)
    >>> table.lookup(tf.constant(["b", "c"])).numpy()
    array([ 2, -1], dtype=int32)
    """

    def __init__(self, dataset: Any) -> None:
        spec = getattr(dataset, "element_spec", None)
        if not isinstance(spec, tuple) or len(spec) != 2 or any(not hasattr(s, "dtype") or s.shape.rank for s in spec):
            raise ValueError(
                explain("lookup.DatasetInitializer", "elements must be pairs of scalars", {"element_spec": spec})
            )
        self._dataset, self._specs = dataset, spec

    @property
    def key_dtype(self) -> DType:
        return self._specs[0].dtype

    @property
    def value_dtype(self) -> DType:
        return self._specs[1].dtype

    def pairs(self) -> tuple[Tensor, Tensor]:
        columns = list(zip(*self._dataset)) or [(), ()]
        keys, values = [
            functions["stack"](list(column)) if column else Tensor(np.zeros(0, spec.dtype.numpy_dtype))
            for column, spec in zip(columns, self._specs)
        ]
        return keys, values


class TextFileIndex:
    """What of a line is a key or a value: `WHOLE_LINE`, `LINE_NUMBER`, or the number of a column, from 0."""

    WHOLE_LINE, LINE_NUMBER = -2, -1


class TextFileInitializer:
    """Fills a table from the lines of a text file.

    key_index, value_index  `TextFileIndex.WHOLE_LINE` (a string), `TextFileIndex.LINE_NUMBER` (int64, from 0) or a column.
    vocab_size              how many lines are taken; by default all.
    delimiter               what stands between the columns.
    value_index_offset      is added to line numbers that are values.

    Raises NotFoundError where there is no such file, InvalidArgumentError where a line has too few columns, a column is
    no number although its dtype is one, or the file has fewer than `vocab_size` lines.
    """

    def __init__(
        self,
        filename: Any,
        key_dtype: Any,
        key_index: int,
        value_dtype: Any,
        value_index: int,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = None,
        value_index_offset: int = 0,
    ) -> None:
        path = filename.numpy() if isinstance(filename, Tensor) else filename
        self._path = os.fsdecode(path)
        if not self._path:
            raise ValueError(explain("lookup.TextFileInitializer", "a filename is needed", {"filename": self._path}))
        self._kinds = as_dtype(key_dtype), as_dtype(value_dtype)
        self._places = int(key_index), int(value_index)
        for what, place, kind in zip(("key", "value"), self._places, self._kinds):
            if place < TextFileIndex.WHOLE_LINE:
                raise ValueError(
                    explain("lookup.TextFileInitializer", "there is no such column", {f"{what}_index": place})
                )
            if place == TextFileIndex.LINE_NUMBER and kind != "int64":
                raise ValueError(
                    explain("lookup.TextFileInitializer", "line numbers are int64", {f"{what}_dtype": kind.name})
                )
        if vocab_size is not None and vocab_size < 1:
            raise ValueError(explain("lookup.TextFileInitializer", "vocab_size is below 1", {"vocab_size": vocab_size}))
        if len(delimiter) != 1:
            raise InvalidArgumentError(
                explain("lookup.TextFileInitializer", "a delimiter is one character", {"delimiter": delimiter})
            )
        self._size, self._delimiter, self._offset = vocab_size, os.fsencode(delimiter), int(value_index_offset)

    @property
    def key_dtype(self) -> DType:
        return self._kinds[0]

    @property
    def value_dtype(self) -> DType:
        return self._kinds[1]

    def pairs(self) -> tuple[Tensor, Tensor]:
        lines = list(self._lines())
        columns = [self._column(lines, place, kind) for place, kind in zip(self._places, self._kinds)]
        if self._places[1] == TextFileIndex.LINE_NUMBER and self._offset:
            columns[1] = columns[1] + self._offset
        return columns[0], columns[1]

    def _lines(self) -> Iterator[bytes]:
        try:
            with open(self._path, "rb") as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            raise NotFoundError(
                explain("lookup.TextFileInitializer", "there is no such file", {"filename": self._path})
            ) from None
        if not lines[-1]:
            lines.pop()
        if self._size is not None and len(lines) < self._size:
            raise InvalidArgumentError(
                explain(
                    "lookup.TextFileInitializer",
                    "the file has fewer lines than vocab_size",
                    {"filename": self._path, "lines": len(lines), "vocab_size": self._size},
                )
            )
        for at, line in enumerate(lines[: self._size]):
            if not line:
                raise InvalidArgumentError(
                    explain("lookup.TextFileInitializer", "a line is empty", {"filename": self._path, "line": at})
                )
            yield line.removesuffix(b"\r")

    def _column(self, lines: list[bytes], place: int, kind: DType) -> Tensor:
        if place == TextFileIndex.LINE_NUMBER:
            return Tensor(np.arange(len(lines), dtype=np.int64))
        words = np.empty(len(lines), object)
        for at, line in enumerate(lines):
            parts = [line] if place == TextFileIndex.WHOLE_LINE else line.split(self._delimiter)
            if place >= len(parts):
                raise InvalidArgumentError(
                    explain(
                        "lookup.TextFileInitializer",
                        "a line has too few columns",
                        {"filename": self._path, "line": at, "columns": len(parts), "needed": place + 1},
                    )
                )
            words[at] = parts[max(place, 0)]
        strings = Tensor(words)
        return strings if kind == "string" else string_to_number(strings, out_type=kind.name)


class StaticHashTable(Table):
    """A table that never changes.

    initializer    what fills it: a `KeyValueTensorInitializer` or a `TextFileInitializer`.
    default_value  what a key that is not there gives, a scalar.

    Raises FailedPreconditionError where a key has two values.

    >>> import tensorsmith as tf
    >>> table = StaticHashTable(KeyValueTensorInitializer([3, 1], ["c", "a"]), "?")
    >>> table.lookup(tf.constant([[1, 2, 3]])).numpy()
    array([[b'a', b'?', b'c']], dtype=object)
    """

    def __init__(
        self,
        initializer: Initializer,
        default_value: Any,
        name: str | None = None,
        experimental_is_anonymous: bool = False,
    ) -> None:
        super().__init__(name or unique("hash_table"), initializer.key_dtype, initializer.value_dtype)
        self._default = convert(default_value, self._value_dtype)
        if self._default.ndim:
            raise ValueError(
                explain("lookup.StaticHashTable", "the default is no scalar", {"default_value": default_value})
            )
        keys, values = (np.asarray(part.numpy()) for part in initializer.pairs())
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], values[order]
        again = np.flatnonzero(keys[1:] == keys[:-1]) + 1
        for at in again.tolist():
            if values[at] != values[at - 1]:
                raise FailedPreconditionError(
                    explain(
                        "lookup.StaticHashTable",
                        "a key has two values",
                        {"key": keys[at], "values": values[at - 1 : at + 1].tolist()},
                    )
                )
        self._keys, self._values = Tensor(np.delete(keys, again)), Tensor(np.delete(values, again))

    @property
    def default_value(self) -> Tensor:
        return self._default

    def size(self, name: str | None = None) -> Tensor:
        """The number of keys, a scalar int64."""
        return convert(self._keys.shape[0], "int64")

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys [n], rising, and their values [n]."""
        return self._keys, self._values

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The value of each key, the default where there is none; ragged and sparse keys give their like.

        Raises TypeError for keys of another dtype.
        """
        return self._in_any_form(keys, self._found)

    __getitem__ = lookup

    def _found(self, keys: Any) -> Tensor:
        return table_lookup(_keys(keys, self._key_dtype, "StaticHashTable"), self._keys, self._values, self._default)


def _keys(keys: Any, dtype: DType, who: str) -> Tensor:
    given = keys if isinstance(keys, Tensor) else convert(keys, None, dtype.numpy_dtype)
    if given.dtype != dtype:
        raise TypeError(
            explain(f"lookup.{who}", "the keys have another dtype", {"given": given.dtype.name, "needed": dtype.name})
        )
    return given


class StaticVocabularyTable(Table):
    """A table from words, or integers, to ids, in which keys that are not there share `num_oov_buckets` further ids.

    initializer       gives int64 ids; None for buckets only.
    num_oov_buckets   at least 1. An unknown key's id is the number of known keys plus its hash (FarmHash) modulo this.
    lookup_key_dtype  of the keys: string or an integer type; by default the initializer's.

    >>> import tensorsmith as tf
    >>> ids = KeyValueTensorInitializer(["a", "b"], tf.constant([0, 1], tf.int64))
    >>> table = StaticVocabularyTable(ids, num_oov_buckets=1)
    >>> table.lookup(tf.constant(["b", "zebra"])).numpy(), table.size().numpy().item()
    (array([1, 2]), 3)
    """

    def __init__(
        self,
        initializer: Initializer | None,
        num_oov_buckets: int,
        lookup_key_dtype: Any = None,
        name: str | None = None,
        experimental_is_anonymous: bool = False,
    ) -> None:
        who = "lookup.StaticVocabularyTable"
        self._buckets = int(num_oov_buckets)
        if self._buckets < 1:
            raise ValueError(
                explain(who, "there must be at least one bucket", {"num_oov_buckets": self._buckets}, "",
                        "A StaticHashTable has none.")
            )  # fmt: skip
        self._table: StaticHashTable | None = None
        known = as_dtype("string" if lookup_key_dtype is None else lookup_key_dtype)
        if initializer is not None:
            known = initializer.key_dtype
            if initializer.value_dtype != "int64":
                raise TypeError(explain(who, "ids are int64", {"value_dtype": initializer.value_dtype.name}))
            self._table = StaticHashTable(initializer, -1)
        super().__init__(name or unique("string_to_index"), lookup_key_dtype or known, "int64")
        if (self._key_dtype == "string") != (known == "string") or not (known == "string" or known.is_integer):
            raise TypeError(
                explain(
                    who,
                    "the keys must be all strings or all integers",
                    {"key_dtype": known.name, "lookup_key_dtype": self._key_dtype.name},
                )
            )

    def _known(self) -> int:
        return 0 if self._table is None else self._table.export()[0].shape[0]

    def size(self, name: str | None = None) -> Tensor:
        """The number of ids: known keys and buckets, a scalar int64."""
        return convert(self._known() + self._buckets, "int64")

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The id of each key, int64; ragged and sparse keys give their like.

        Raises TypeError for keys of another dtype.
        """
        return self._in_any_form(keys, self._found)

    __getitem__ = lookup

    def _found(self, keys: Any) -> Tensor:
        given = _keys(keys, self._key_dtype, "StaticVocabularyTable")
        words = given if self._key_dtype == "string" else string_of(given)
        unknown = string_bucket(words, num_buckets=self._buckets) + self._known()
        if self._table is None:
            return unknown
        inside = given if given.dtype == self._table.key_dtype else functions["cast"](given, self._table.key_dtype)
        ids = self._table.lookup(inside)
        return functions["where"](ids == -1, unknown, ids)
