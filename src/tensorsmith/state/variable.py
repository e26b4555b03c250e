"""Variable: a named cell that holds a Tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, dtypes
from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import DtypeError, InvalidArgumentError, OutOfRangeError, explain
from tensorsmith.core.naming import scoped
from tensorsmith.core.replication import VariableAggregation, VariableSynchronization, chosen
from tensorsmith.core.shapes import TensorShape
from tensorsmith.ops import operators
from tensorsmith.ops.indexed_slices import IndexedSlices
from tensorsmith.state.variable_creators import Created
from tensorsmith.state.variable_slices import sliced
from tensorsmith.tensor import printing
from tensorsmith.tensor.apply import functions, variables
from tensorsmith.tensor.arithmetic import Arithmetic
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.held import Window
from tensorsmith.tensor.tensor import OnDevice, Reference, Symbol, Tensor

_local = context.local


class Variable(Arithmetic, metaclass=Created):
    """A tensor that can be assigned: a weight, a counter, the state of a random generator.

    initial_value  anything that `tf.constant` takes, or a function without arguments that gives it.
    trainable      whether tapes watch it by themselves (by default, unless its copies differ until it is read).
    dtype          converts the initial value.
    name           shown in its repr and in saved models.
    constraint     a function applied by optimizers after each update.
    shape          a wider static shape, with None where sizes may change.
    synchronization, aggregation  tf.VariableSynchronization, tf.VariableAggregation: for several devices.

    It takes every operation that a tensor takes. Assigning swaps in a new tensor, never changes the
    old one in place, so values read before stay what they were.

    >>> import tensorsmith as tf
    >>> v = tf.Variable([1.0, 2.0])
    >>> v.assign_add([1.0, 1.0]).numpy()
    array([2., 3.], dtype=float32)
    """

    __array_priority__ = 100

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        variables.add(cls)

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: Any = None,
        constraint: Callable[[Any], Any] | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ) -> None:
        self.synchronization = chosen(VariableSynchronization, synchronization, "synchronization")
        self.aggregation = chosen(VariableAggregation, aggregation, "aggregation")
        on_read = self.synchronization is VariableSynchronization.ON_READ
        if on_read and trainable:
            raise ValueError("tf.Variable: one whose copies differ until it is read (ON_READ) cannot be trainable.")
        if initial_value is None:
            raise ValueError(
                "tf.Variable needs an initial_value: a value, or a function without arguments that gives one."
            )
        with context.eagerly():
            if callable(initial_value) and not isinstance(initial_value, (Tensor, Variable)):
                initial_value = initial_value()
            if isinstance(initial_value, Symbol):
                initial_value = _known(initial_value)
            value = _cast_initial(initial_value, dtype)
            if isinstance(value, Symbol):
                value = _known(value)
        self._stored = value
        self._dtype = value.dtype
        self._shape = value.shape if shape is None else TensorShape(shape)
        if not self._shape.is_compatible_with(value.shape):
            raise ValueError(
                explain(
                    "tf.Variable",
                    "the initial value is not of the given shape",
                    {"initial_value": value.shape, "shape": self._shape},
                )
            )
        self._trainable = not on_read if trainable is None else bool(trainable)
        self._name = scoped(name or "Variable")
        self.constraint = constraint
        if _local.made is not None:
            _local.made.append(self)

    # What holds the value: a tensor, or a window on what a compiled function keeps (`tensor/held.py`).
    _stored: Any

    @property
    def _tensor(self) -> Tensor:
        """The value outside of any trace, as a tensor that stays as it is; no tape is told."""
        value = self._stored
        return value.value() if type(value) is Window else value

    @_tensor.setter
    def _tensor(self, value: Tensor) -> None:
        self._stored = value

    def _read(self) -> Tensor:
        """The value as operations see it: a Symbol in a trace; open tapes are told."""
        graph = _local.graph
        value = self._stored if graph is None else graph.read(self)
        kind = type(value)
        if kind is Window:
            value = value.value()
        elif kind is OnDevice:
            # read by Python: from here on it lives in NumPy, where operations on plain tensors are fastest
            value = self._stored = Tensor(value._array)
        for tape in _local.tapes:
            tape.note_read(self, value)
        return value

    def _read_quietly(self) -> Tensor:
        """The value as operations see it, without telling the open tapes."""
        graph = _local.graph
        return self._tensor if graph is None else graph.read(self)

    def _write(self, value: Tensor) -> None:
        graph = _local.graph
        if graph is None:
            if isinstance(value, Symbol):
                raise InvalidArgumentError(
                    explain(self._name, "it was assigned a symbolic tensor outside its trace", {"shape": value.shape})
                )
            # no derivative goes through an assignment: tapes know a tensor by its identity
            self._stored = Tensor(value._array) if _local.tapes else value
        else:
            graph.write(self, value)

    # ---- what it is

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def name(self) -> str:
        return self._name + ":0"

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    @property
    def ndim(self) -> int:
        return len(self._shape)

    @property
    def device(self) -> str:
        return self._tensor.device

    @property
    def handle(self) -> Variable:
        return self

    def get_shape(self) -> TensorShape:
        return self._shape

    def set_shape(self, shape: Any) -> None:
        """Narrows the static shape. Raises ValueError where it does not fit."""
        self._shape = self._shape.merge_with(shape)

    def is_initialized(self, name: str | None = None) -> Tensor:
        """True: a variable has a value from the start."""
        return Tensor(np.bool_(True))

    @property
    def initializer(self) -> None:
        """None: there is no operation that would give it its first value later."""
        return None

    def ref(self) -> Reference:
        return Reference(self)

    experimental_ref = ref

    # ---- its value

    def numpy(self) -> Any:
        """The value as a NumPy array that is the caller's own."""
        return self._tensor.numpy()

    def value(self) -> Tensor:
        return self._read()

    def read_value(self) -> Tensor:
        return self._read()

    def initialized_value(self) -> Tensor:
        return self._read()

    def eval(self, session: Any = None) -> Any:
        return self.numpy()

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Sets the value; gives the variable (outside of traces as an `UnreadVariable`), or None with `read_value=False`.

        Raises ValueError when shape or dtype do not fit.
        """
        tensor = convert(value, None, self._dtype.numpy_dtype)
        if tensor.dtype is not self._dtype:
            raise DtypeError(
                explain(
                    f"{self._name}.assign",
                    f"the value is {tensor.dtype.name}, the variable {self._dtype.name}",
                    rule="tensors are never converted silently",
                    way_out=f"Convert it: tf.cast(value, tf.{self._dtype.name}).",
                )
            )
        if not self._shape.is_compatible_with(tensor.shape):
            raise ValueError(
                explain(
                    f"{self._name}.assign",
                    "the value has another shape than the variable",
                    {"value": tensor.shape, "variable": self._shape},
                )
            )
        self._write(tensor)
        if not read_value:
            return None
        if type(self) is not Variable or _local.graph is not None:
            return self
        unread = object.__new__(UnreadVariable)
        _set_variable(unread, self)
        return unread

    def __iadd__(self, other: Any) -> Any:
        raise self._in_place("+=", "assign_add(x)")

    def __isub__(self, other: Any) -> Any:
        raise self._in_place("-=", "assign_sub(x)")

    def __imul__(self, other: Any) -> Any:
        raise self._in_place("*=", "assign(v * x)")

    def __itruediv__(self, other: Any) -> Any:
        raise self._in_place("/=", "assign(v / x)")

    def __ipow__(self, other: Any) -> Any:
        raise self._in_place("**=", "assign(v ** x)")

    def _in_place(self, sign: str, instead: str) -> RuntimeError:
        return RuntimeError(
            explain(
                self._name,
                f"a variable has no {sign}: the name would mean a tensor from then on, and the variable keep its value",
                way_out=f"Use v.{instead} to change it, or v = v {sign[:-1]} x for a tensor.",
            )
        )

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Adds to the value. Raises ValueError where the shapes differ."""
        return self.assign(functions["add"](self, self._fitting(delta, "assign_add")), read_value=read_value)

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Takes away from the value. Raises ValueError where the shapes differ."""
        return self.assign(functions["subtract"](self, self._fitting(delta, "assign_sub")), read_value=read_value)

    def _fitting(self, delta: Any, who: str) -> Tensor:
        tensor = convert(delta, None, self._dtype.numpy_dtype)
        if not self._shape.is_compatible_with(tensor.shape):
            raise InvalidArgumentError(
                explain(
                    f"{self._name}.{who}",
                    "the value has another shape than the variable",
                    {"value": tensor.shape, "variable": self._shape},
                    "it is not broadcast",
                )
            )
        return tensor

    def load(self, value: Any, session: Any = None) -> None:
        """Sets the value."""
        self.assign(value)

    def count_up_to(self, limit: int) -> Tensor:
        """The value before it goes up by one. Raises OutOfRangeError where that is `limit`; not for compiled functions."""
        value = self._read()
        if not self._dtype.is_integer or self._shape.rank != 0:
            raise InvalidArgumentError(
                explain(
                    f"{self._name}.count_up_to",
                    "only a whole number counts",
                    {"dtype": self._dtype.name, "shape": self._shape},
                )
            )
        if isinstance(value, Symbol):
            raise InvalidArgumentError(
                explain(
                    f"{self._name}.count_up_to",
                    "whether the limit is reached is not known while a program is traced",
                    way_out="Use assign_add and tf.debugging.assert_less.",
                )
            )
        if int(value) >= limit:
            raise OutOfRangeError(explain(f"{self._name}.count_up_to", "the limit is reached", {"limit": limit}))
        self.assign_add(1)
        return value

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """The rows at `indices`, as tf.gather gives them."""
        return functions["gather"](self, indices)

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements (or slices) at the rows of `indices`, as tf.gather_nd gives them."""
        return functions["gather_nd"](self, indices)

    def _scatter(self, kind: str, sparse_delta: Any) -> Variable:
        if not isinstance(sparse_delta, IndexedSlices):
            raise TypeError(
                f"{self._name}.scatter_{kind}: sparse_delta must be a tf.IndexedSlices, not {sparse_delta!r}."
            )
        indices = functions["expand_dims"](sparse_delta.indices, -1)
        return self._scatter_nd(kind, indices, sparse_delta.values)

    def _scatter_nd(self, kind: str, indices: Any, updates: Any) -> Variable:
        return self.assign(functions[f"tensor_scatter_nd_{kind}"](self, indices, updates))

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Variable:
        """Sets the rows named by an IndexedSlices."""
        return self._scatter("update", sparse_delta)

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Variable:
        return self._scatter("add", sparse_delta)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Variable:
        return self._scatter("sub", sparse_delta)

    def scatter_max(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Variable:
        return self._scatter("max", sparse_delta)

    def scatter_min(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Variable:
        return self._scatter("min", sparse_delta)

    def scatter_mul(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Variable:
        return self._scatter("mul", sparse_delta)

    def scatter_div(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Variable:
        return self._scatter("div", sparse_delta)

    def batch_scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Variable:
        """Sets rows of each batch: `indices` [B..., k] name places along axis r of a variable [B..., n, ...], r their rank - 1.

        >>> import tensorsmith as tf
        >>> v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        >>> v.batch_scatter_update(tf.IndexedSlices(tf.constant([[9.0], [8.0]]), tf.constant([[0], [1]]))).numpy()
        array([[9., 2.],
               [3., 8.]], dtype=float32)
        """
        places = functions["expand_dims"](sparse_delta.indices, -1)
        sizes = [int(size) for size in sparse_delta.indices.shape]
        # the places along the batch axes are those of the indices themselves
        ahead = np.indices(sizes)[: len(sizes) - 1]
        columns = [Tensor(grid[..., None].astype(places.dtype.numpy_dtype)) for grid in ahead]
        return self._scatter_nd("update", functions["concat"]([*columns, places], -1), sparse_delta.values)

    def scatter_nd_max(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        return self._scatter_nd("max", indices, updates)

    def scatter_nd_min(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        return self._scatter_nd("min", indices, updates)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Sets the elements (or slices) at `indices` [n, k] to `updates`."""
        return self._scatter_nd("update", indices, updates)

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        return self._scatter_nd("add", indices, updates)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        return self._scatter_nd("sub", indices, updates)

    def __getitem__(self, key: Any) -> Any:
        """A tensor of the elements at `key`, which also has `assign`, `assign_add` and `assign_sub`."""
        return sliced(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError("A variable does not support item assignment; use v[...].assign(value).")

    # ---- as Python and NumPy see it

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._tensor.__array__(dtype, copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        values = [i._read() if isinstance(i, Variable) else i for i in inputs]
        tensor = next(v for v in values if isinstance(v, Tensor))
        return tensor.__array_ufunc__(ufunc, method, *values, **settings)

    def __jax_array__(self) -> Any:
        return self._tensor.__jax_array__()

    def __bool__(self) -> bool:
        return bool(self._read())

    def __int__(self) -> int:
        return int(self._read())

    def __float__(self) -> float:
        return float(self._read())

    def __index__(self) -> int:
        return self._read().__index__()

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Any:
        return iter(self._read())

    def __hash__(self) -> int:
        return id(self)

    def __copy__(self) -> Variable:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict) -> Variable:
        copy = object.__new__(type(self))
        vars(copy).update(vars(self))
        copy._stored = self._tensor
        memo[id(self)] = copy
        return copy

    def __format__(self, spec: str) -> str:
        return format(self._read(), spec) if spec else str(self)

    def __repr__(self) -> str:
        return (
            f"<tf.Variable '{self.name}' shape={self._shape} dtype={self._dtype.name}, "
            f"numpy={printing.numpy_text(self._tensor._array)}>"
        )


operators.install(Variable, item=False)


variables.add(Variable)


class UnreadVariable(Variable):
    """What assigning to a variable gives: the same variable, under the name 'UnreadVariable', not read before it is used.

    >>> import tensorsmith as tf
    >>> v = tf.Variable(1.0)
    >>> v.assign(2.0)
    <tf.Variable 'UnreadVariable' shape=() dtype=float32, numpy=2.0>
    """

    __slots__ = ("_variable",)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._variable, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._variable, name, value)

    def _read(self) -> Tensor:
        return self._variable._read()

    def _read_quietly(self) -> Tensor:
        return self._variable._read_quietly()

    def _write(self, value: Tensor) -> None:
        self._variable._write(value)

    @property
    def name(self) -> str:
        return "UnreadVariable"

    @property
    def handle(self) -> Variable:
        return self._variable

    def ref(self) -> Reference:
        return self._variable.ref()

    experimental_ref = ref

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        return self._variable.assign(value, use_locking, name, read_value)

    def __deepcopy__(self, memo: dict) -> Variable:
        return self._variable.__deepcopy__(memo)

    def __reduce__(self) -> Any:
        return _itself, (self._variable,)


def _itself(variable: Variable) -> Variable:
    return variable


_set_variable = UnreadVariable.__dict__["_variable"].__set__


def _known(value: Symbol) -> Tensor:
    """What a symbol is now: computed from the arguments of the call that is traced."""
    found = value._graph.known(value)
    if found is None:
        raise ValueError(
            explain(
                "tf.Variable",
                "it cannot start from a symbolic tensor whose value is not known",
                {"initial_value": f"{value.dtype.name}{tuple(value.shape)}"},
                "inside a traced function it starts from what the first call's arguments give",
                "Call the function with tensors before it is traced for specs, or give a function that makes the value: "
                "tf.Variable(lambda: ...).",
            )
        )
    return found


def _cast_initial(value: Any, dtype: Any) -> Tensor:
    if dtype is None:
        return convert(value)
    wanted = dtypes.as_dtype(dtype)
    if isinstance(value, (Tensor, Variable)):
        tensor = convert(value)
        return tensor if tensor.dtype is wanted else functions["cast"](tensor, wanted)
    return convert(value, wanted)
