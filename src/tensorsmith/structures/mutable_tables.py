"""Tables from key to value that change: MutableHashTable and DenseHashTable.

They are Python dicts behind a lock. In a traced function each insert or lookup is a call of the dict that the program
makes in its turn, so programs that hold one run on NumPy; a table that does not change is a `StaticHashTable`, which is
compiled.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.naming import unique
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec
from tensorsmith.function.python_calls import in_turn
from tensorsmith.structures.tables import Table
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class MutableHashTable(Table):
    """A table that grows: keys are strings or integers, a value is a scalar, or a vector as the default is.

    key_dtype, value_dtype  of its keys and values.
    default_value           what a key that is not there gives: a scalar or a vector.

    It is safe between threads, and may be changed and asked in traced functions, in the order in which they do it.

    >>> import tensorsmith as tf
    >>> table = MutableHashTable(tf.string, tf.int64, default_value=-1)
    >>> table.insert(["a", "b"], [1, 2])
    >>> table.lookup(["b", "c"]).numpy(), table.size().numpy().item()
    (array([ 2, -1]), 2)
    """

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        name: str = "MutableHashTable",
        checkpoint: bool = True,
        experimental_is_anonymous: bool = False,
    ) -> None:
        self._set_up(key_dtype, value_dtype, default_value, name, 0)
        if len(self._value_shape) > 1:
            raise InvalidArgumentError(
                explain(self._who, "a value is a scalar or a vector", {"default_value": tuple(self._value_shape)})
            )

    def _set_up(self, key_dtype: Any, value_dtype: Any, default: Any, name: str, key_rank: int) -> None:
        self._who = f"lookup.experimental.{type(self).__name__}"
        Table.__init__(self, unique(name), key_dtype, value_dtype)
        if not (self._key_dtype == "string" or self._key_dtype.is_integer):
            raise TypeError(explain(self._who, "keys are strings or integers", {"key_dtype": self._key_dtype.name}))
        self._default = convert(default, self._value_dtype)
        self._value_shape, self._key_rank = self._default.shape, key_rank
        self._pairs: dict[Any, Any] = {}
        self._lock = threading.Lock()

    # ---- what it is

    def size(self, name: str | None = None) -> Tensor:
        """The number of keys, a scalar int64."""

        def size() -> list[Tensor]:
            with self._lock:
                return [convert(len(self._pairs), "int64")]

        return in_turn(f"{self._who}.size", size, [], lambda: [TensorSpec((), "int64")])[0]

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys [n] and their values [n], in the order in which they came."""

        def export() -> list[Tensor]:
            with self._lock:
                keys, values = list(self._pairs), list(self._pairs.values())
            return [
                _stacked(keys, self._key_shape(), self._key_dtype),
                _stacked(values, self._value_shape, self._value_dtype),
            ]

        shapes = TensorShape([None, *self._key_shape()]), TensorShape([None, *self._value_shape])
        specs = [TensorSpec(s, d) for s, d in zip(shapes, (self._key_dtype, self._value_dtype))]
        keys, values = in_turn(f"{self._who}.export", export, [], lambda: specs)
        return keys, values

    # ---- how it changes

    def insert(self, keys: Any, values: Any, name: str | None = None) -> None:
        """Puts in each key with the value at the same place; a key that is there already gets the new value.

        Raises InvalidArgumentError where the shapes do not fit, ValueError for other dtypes.
        """
        given = [self._keys(keys), convert(values, self._value_dtype)]
        self._check_values(*given)

        def insert(keys: Tensor, values: Tensor) -> list[Tensor]:
            self._check_values(keys, values)
            rows = values._array.reshape(-1, *self._value_shape)
            pairs = list(zip(self._listed(keys), rows))
            with self._lock:
                self._pairs.update(pairs)
            return []

        in_turn(f"{self._who}.insert", insert, given, list)

    def remove(self, keys: Any, name: str | None = None) -> None:
        """Takes out the keys that are there."""

        def remove(keys: Tensor) -> list[Tensor]:
            found = self._listed(keys)
            with self._lock:
                for key in found:
                    self._pairs.pop(key, None)
            return []

        in_turn(f"{self._who}.remove", remove, [self._keys(keys)], list)

    # ---- how it is asked

    def lookup(self, keys: Any, dynamic_default_values: Any = None, name: str | None = None) -> Any:
        """The value of each key, the default where there is none; ragged and sparse keys give their like.

        dynamic_default_values  other defaults: one for all keys, or one for each.

        Raises InvalidArgumentError where their shape does not fit, ValueError for other dtypes.
        """
        return self._in_any_form(keys, lambda dense: self._asked(dense, dynamic_default_values))

    __getitem__ = lookup

    def _asked(self, keys: Any, default: Any) -> Tensor:
        given = self._keys(keys)
        default = self._default if default is None else convert(default, self._value_dtype)
        shape = TensorShape([*self._places(given), *self._value_shape])
        found = in_turn(
            f"{self._who}.lookup", self._find, [given, default], lambda: [TensorSpec(shape, self._value_dtype)]
        )
        return found[0]

    def _find(self, keys: Tensor, default: Tensor) -> list[Tensor]:
        shape = (*self._places(keys), *self._value_shape)
        if tuple(default.shape) not in (tuple(self._value_shape), shape):
            raise InvalidArgumentError(
                explain(
                    self._who,
                    "the defaults do not fit the keys",
                    {"defaults": tuple(default.shape), "needed": f"{tuple(self._value_shape)} or {shape}"},
                )
            )
        out = np.array(np.broadcast_to(default._array, shape))
        rows = out.reshape(-1, *self._value_shape)
        listed = self._listed(keys)
        with self._lock:
            for at, key in enumerate(listed):
                if key in self._pairs:
                    rows[at] = self._pairs[key]
        return [Tensor(rows.reshape(shape))]

    # ---- the inside

    def _key_shape(self) -> tuple[int, ...]:
        return ()

    def _keys(self, keys: Any) -> Tensor:
        return convert(keys, self._key_dtype)

    def _places(self, keys: Tensor) -> TensorShape:
        """The shape of the keys, without their own axis."""
        return keys.shape[: keys.shape.rank - self._key_rank] if keys.shape.rank is not None else keys.shape

    def _listed(self, keys: Tensor) -> list[Any]:
        """Keys as Python objects that a dict takes."""
        flat = keys._array.reshape(-1, *self._key_shape()).tolist()
        return list(map(tuple, flat)) if self._key_rank else flat

    def _check_values(self, keys: Tensor, values: Tensor) -> None:
        needed = TensorShape([*self._places(keys), *self._value_shape])
        if not needed.is_compatible_with(values.shape):
            raise InvalidArgumentError(
                explain(
                    self._who,
                    "there must be one value for each key",
                    {"values": str(values.shape), "needed": str(needed)},
                )
            )


class DenseHashTable(MutableHashTable):
    """A MutableHashTable whose keys may be vectors, and two of whose keys mean nothing.

    empty_key, deleted_key  two different keys, scalars or vectors of one length, that are never put in or asked for.
    initial_num_buckets     a power of 2; taken and checked, but a dict needs no such hint.

    Raises InvalidArgumentError for these keys wherever they are given.

    >>> import tensorsmith as tf
    >>> table = DenseHashTable(tf.int64, tf.int64, default_value=-1, empty_key=0, deleted_key=-1)
    >>> table.insert([5, 6], [50, 60])
    >>> table.remove([5])
    >>> table.lookup([5, 6]).numpy()
    array([-1, 60])
    """

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        empty_key: Any,
        deleted_key: Any,
        initial_num_buckets: int | None = None,
        name: str = "MutableDenseHashTable",
        checkpoint: bool = True,
        experimental_is_anonymous: bool = False,
    ) -> None:
        self._reserved = [convert(key, key_dtype) for key in (empty_key, deleted_key)]
        shapes = [tuple(key.shape) for key in self._reserved]
        self._set_up(key_dtype, value_dtype, default_value, name, len(shapes[0]))
        given = {"empty_key": self._reserved[0].tolist(), "deleted_key": self._reserved[1].tolist()}
        if shapes[0] != shapes[1] or len(shapes[0]) > 1:
            raise InvalidArgumentError(
                explain(self._who, "the reserved keys must both be scalars, or vectors of one length", given)
            )
        if given["empty_key"] == given["deleted_key"]:
            raise InvalidArgumentError(explain(self._who, "the reserved keys are one and the same", given))
        buckets = 4 if initial_num_buckets is None else int(initial_num_buckets)
        if buckets < 4 or buckets & (buckets - 1):
            raise InvalidArgumentError(
                explain(self._who, "the buckets must be a power of 2, at least 4", {"initial_num_buckets": buckets})
            )
        self._never = {super(DenseHashTable, self)._listed(key)[0]: what for key, what in zip(self._reserved, given)}

    def _key_shape(self) -> tuple[int, ...]:
        return tuple(self._reserved[0].shape)

    def _keys(self, keys: Any) -> Tensor:
        given = super()._keys(keys)
        own = self._key_shape()
        if own and not TensorShape(own).is_compatible_with(given.shape[-1:]):
            raise InvalidArgumentError(
                explain(self._who, "the last axis must hold a key", {"keys": str(given.shape), "key": own})
            )
        return given

    def _listed(self, keys: Tensor) -> list[Any]:
        found = super()._listed(keys)
        for key in found:
            if key in self._never:
                raise InvalidArgumentError(explain(self._who, f"the {self._never[key]} is no key", {"key": key}))
        return found

    def insert_or_assign(self, keys: Any, values: Any, name: str | None = None) -> None:
        """As `insert`."""
        self.insert(keys, values)

    def erase(self, keys: Any, name: str | None = None) -> None:
        """As `remove`."""
        self.remove(keys)


def _stacked(rows: list[Any], shape: Any, dtype: DType) -> Tensor:
    out = np.empty((len(rows), *shape), dtype.numpy_dtype)
    for at, row in enumerate(rows):
        out[at] = row
    return Tensor(out)
