"""Tensor: an immutable array, or a Symbol of the program being traced, with Python operators.

The operators themselves (`+`, `@`, `t[...]`) are operations; `ops/operators.py` sets them on this class.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from tensorsmith.core import context, dtypes, ports
from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import OperatorNotAllowedInGraphError
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec
from tensorsmith.tensor import printing
from tensorsmith.tensor.arithmetic import Arithmetic

# empty until a tensor is given a mask
masked: dict[bool, None] = {}


class Tensor(Arithmetic):
    """An immutable array of one dtype.

    Made by `tf.constant` and by every operation. `.numpy()` gives its array, `.shape` its
    TensorShape, `.dtype` its DType. NumPy functions take it and give arrays; operators and
    `tf` functions give Tensors.
    """

    # _array: a NumPy array, or a NumPy scalar where an operation gave one; _mask: see `_keras_mask`, seldom set
    __slots__ = ("__weakref__", "_array", "_mask")
    __array_priority__ = 100

    _array: Any

    def __init__(self, array: Any) -> None:
        self._array = array

    @property
    def shape(self) -> TensorShape:
        # an array's sizes are whole numbers already, which TensorShape(...) would look at one by one
        return tuple.__new__(TensorShape, self._array.shape)

    @property
    def dtype(self) -> DType:
        return dtypes.of_array(self._array)

    @property
    def ndim(self) -> int:
        return self._array.ndim

    @property
    def size(self) -> int:
        return self._array.size

    @property
    def device(self) -> str:
        return "/job:localhost/replica:0/task:0/device:CPU:0"

    @property
    def name(self) -> str:
        raise AttributeError("A tensor has no name while operations run at once; only inputs and variables have.")

    @property
    def _keras_mask(self) -> Tensor | None:
        """Which steps of it count, as layers of a model tell each other: booleans [B, T], or None for all.

        It belongs to this very tensor: no operation hands it on.
        """
        # to ask for an empty slot costs 120 ns, most programs have no masks, and layers ask at every call
        return getattr(self, "_mask", None) if masked else None

    @_keras_mask.setter
    def _keras_mask(self, mask: Any) -> None:
        masked[True] = None
        self._mask = mask

    def get_shape(self) -> TensorShape:
        return self.shape

    def set_shape(self, shape: Any) -> None:
        self.shape.assert_is_compatible_with(shape)

    def numpy(self) -> Any:
        """The value as a NumPy array (a NumPy scalar where the shape is ()), `bytes` objects for strings.

        >>> import tensorsmith as tf
        >>> tf.constant([1.0, 2.0]).numpy()
        array([1., 2.], dtype=float32)
        """
        array = self._array
        if array.ndim:
            # the tensor stays immutable: what it hands out is a copy, as NumPy arrays can be written to
            return array.copy()
        return array[()]

    def eval(self) -> Any:
        return self.numpy()

    def item(self) -> Any:
        """The one element as a Python value; ValueError for more than one."""
        return self._array.item()

    def tolist(self) -> Any:
        return np.asarray(self._array).tolist()

    def ref(self) -> Reference:
        """A hashable that stands for this very object (tensors themselves compare by value)."""
        return Reference(self)

    experimental_ref = ref

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = np.asarray(self._array)
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"A tensor of {array.dtype} cannot be seen as {np.dtype(dtype)} without a copy.")
            return array.astype(dtype)
        return array.copy() if copy else _unwritable(array)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """Where the elements lie, for what reads memory itself; not to be written to."""
        array = np.asarray(self._array)
        if array.dtype.kind == "V":
            # it has no letter for bfloat16
            raise AttributeError(f"{self.dtype.name} has no __array_interface__; use numpy.asarray.")
        # a scalar's memory would go with the array that was made of it
        self._array = array
        interface = array.__array_interface__
        return {**interface, "data": (interface["data"][0], True)}

    def __buffer__(self, flags: int) -> memoryview:
        return _unwritable(np.asarray(self._array)).data

    def __jax_array__(self) -> Any:
        from tensorsmith.program.execute import jax

        return jax().numpy.asarray(self._array)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        """NumPy functions of tensors give NumPy arrays; `array + tensor` is left to the tensor's operator."""
        if method == "__call__" and ufunc in _REFLECTED and not settings and not isinstance(inputs[0], Tensor):
            return getattr(inputs[1], _REFLECTED[ufunc])(inputs[0])
        arrays = [np.asarray(i) if hasattr(i, "__array__") else i for i in inputs]
        return getattr(ufunc, method)(*arrays, **settings)

    def __array_namespace__(self, /, *, api_version: str | None = None) -> ModuleType:
        """`tensorsmith.array_api`, whose functions take tensors and give its arrays."""
        return ports.namespaces[0](api_version)

    def __dlpack__(self, **settings: Any) -> Any:
        array = np.asarray(self._array)
        if array.dtype.kind == "V":
            # NumPy has no word for bfloat16
            return self.__jax_array__().__dlpack__(**settings)
        return array.__dlpack__(**settings)

    def __dlpack_device__(self) -> Any:
        return np.asarray(self._array).__dlpack_device__()

    def __bool__(self) -> bool:
        array = self._array
        if array.size != 1:
            if not array.size:
                return False
            raise ValueError(
                f"The truth value of a tensor with {array.size} elements is ambiguous (shape {array.shape}); "
                "use tf.reduce_any or tf.reduce_all."
            )
        return bool(array.item())

    def __int__(self) -> int:
        return int(self._array)

    def __float__(self) -> float:
        return float(self._array)

    def __complex__(self) -> complex:
        return complex(self._array)

    def __index__(self) -> int:
        return self._array.__index__()

    def __round__(self, digits: int = 0) -> Any:
        return round(self._array.item(), digits)

    def __format__(self, spec: str) -> str:
        return format(self._array.item() if self._array.ndim == 0 else self.numpy(), spec)

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("A scalar tensor has no len().")
        return len(self._array)

    def __iter__(self) -> Iterator[Any]:
        if not self._array.ndim:
            raise TypeError("Cannot iterate over a scalar tensor.")
        return (self[i] for i in range(len(self._array)))

    def __hash__(self) -> int:
        raise TypeError("Tensor is unhashable, as it compares by value. Use tensor.ref() as the key instead.")

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: dict) -> Tensor:
        return self

    def __reduce__(self) -> Any:
        return Tensor, (self._array,)

    def __repr__(self) -> str:
        return f"<tf.Tensor: shape={self.shape}, dtype={self.dtype.name}, numpy={printing.numpy_text(self._array)}>"

    def __str__(self) -> str:
        return f"tf.Tensor({printing.text(self._array)}, shape={self.shape}, dtype={self.dtype.name})"


def _unwritable(array: np.ndarray) -> np.ndarray:
    """A view of the same memory through which nobody can write: a tensor stays what it is."""
    view = array.view()
    view.flags.writeable = False
    return view


_REFLECTED = {
    np.add: "__radd__",
    np.subtract: "__rsub__",
    np.multiply: "__rmul__",
    np.true_divide: "__rtruediv__",
    np.floor_divide: "__rfloordiv__",
    np.remainder: "__rmod__",
    np.power: "__rpow__",
    np.matmul: "__rmatmul__",
    np.less: "__gt__",
    np.less_equal: "__ge__",
    np.greater: "__lt__",
    np.greater_equal: "__le__",
    np.equal: "__eq__",
    np.not_equal: "__ne__",
    np.bitwise_and: "__rand__",
    np.bitwise_or: "__ror__",
    np.bitwise_xor: "__rxor__",
}


class Reference:
    """What `ref()` gives: equal and hashed by the identity of the object."""

    __slots__ = ("_object",)

    def __init__(self, thing: Any) -> None:
        self._object = thing

    def deref(self) -> Any:
        return self._object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and other._object is self._object

    def __hash__(self) -> int:
        return id(self._object)

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._object!r}>"


class Symbol(Tensor):
    """A value that is not known yet: of a program being traced, or of a model being drawn.

    Has a dtype and a shape that may hold None; reading its value is an error that says so.
    """

    # `_sizes`: what is known of a vector computed from shapes (ops/sizes.py); `_span`: the least and the greatest value
    # of a whole number (ops/guards.py)
    __slots__ = ("_dtype", "_graph", "_id", "_keras_history", "_name", "_shape", "_sizes", "_span")

    def __init__(self, graph: Any, number: int, shape: tuple[int | None, ...], dtype: Any, name: str = "") -> None:
        self._graph, self._id = graph, number
        self._shape, self._dtype = TensorShape(shape), dtypes.as_dtype(dtype)
        self._name = name

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def ndim(self) -> int:
        return len(self._shape)

    @property
    def size(self) -> int | None:
        return self._shape.num_elements()

    @property
    def name(self) -> str:
        return self._name

    def set_shape(self, shape: Any) -> None:
        self._shape = self._shape.merge_with(shape)
        # what is made of it from here on knows the shape too
        self._graph.program.specs[self._id] = tuple(self._shape), self._dtype.numpy_dtype

    def _described(self) -> str:
        """Which tensor it is, for messages: its name or what made it and where, dtype and shape."""
        return f"{self._graph.origin(self._id)} ({self._dtype.name}, shape {self._shape})"

    def _unknown(self, wish: str, *reasons: str) -> OperatorNotAllowedInGraphError:
        if self._of_model():
            return OperatorNotAllowedInGraphError(
                f"{wish} of {self!r} is not known: it stands for what a layer of a model gives. Do what needs values in the "
                "`call` of a layer of your own, or in keras.layers.Lambda(function)."
            )
        what = f"{wish} of a symbolic tensor, {self._described()}, is not known while a program is traced"
        if reasons:
            return OperatorNotAllowedInGraphError(f"{what}. {' '.join(reasons)}")
        return OperatorNotAllowedInGraphError(
            f"{what}: use tf operations (tf.cond, tf.where) instead, or run_eagerly=True to debug with values."
        )

    def numpy(self) -> Any:
        raise self._unknown("The value")

    item = tolist = numpy

    @property
    def __array_interface__(self) -> dict[str, Any]:
        # NumPy asks __array__ then, which says what is wrong
        raise AttributeError("A symbolic tensor has no memory.")

    def __buffer__(self, flags: int) -> memoryview:
        raise self._unknown("The memory")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise self._unknown(
            "The NumPy array", "Use tf functions instead; tf.numpy_function calls NumPy from a program."
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        if method == "__call__" and ufunc in _REFLECTED and not settings and not isinstance(inputs[0], Tensor):
            return getattr(self, _REFLECTED[ufunc])(inputs[0])
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        raise self._unknown(
            f"NumPy's {name}",
            "Use the function of tf or tf.math instead; tf.numpy_function calls NumPy from a program.",
        )

    def __bool__(self) -> bool:
        raise self._unknown("The truth value", *_reasons())

    def __int__(self) -> int:
        raise self._unknown("The int")

    def __float__(self) -> float:
        raise self._unknown("The float")

    def __index__(self) -> int:
        raise self._unknown("The index")

    def __len__(self) -> int:
        if not self._shape or self._shape[0] is None:
            raise self._unknown("The length")
        return self._shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self._shape:
            raise TypeError("Cannot iterate over a scalar tensor.")
        if self._shape[0] is None:
            raise self._unknown("The number of rows", *_reasons())
        return (self[i] for i in range(self._shape[0]))

    def __hash__(self) -> int:
        # two symbols are never compared by value, and models keep them in dictionaries
        return id(self)

    def __reduce__(self) -> Any:
        raise TypeError("A symbolic tensor cannot be pickled: it belongs to the program being traced.")

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __repr__(self) -> str:
        if self._of_model():
            return f"<KerasTensor shape={self._shape}, dtype={self._dtype.name}, sparse=False, ragged=False, name={self._name}>"
        name = f" '{self._name}:0'" if self._name else ""
        return f"<tf.Tensor{name} shape={self._shape} dtype={self._dtype.name}>"

    def __str__(self) -> str:
        if self._of_model():
            return repr(self)
        name = f'"{self._name}:0", ' if self._name else ""
        return f"Tensor({name}shape={self._shape}, dtype={self._dtype.name})"

    def _of_model(self) -> bool:
        """Whether a layer of a model being drawn made it."""
        return getattr(self, "_keras_history", None) is not None


def _reasons() -> list[str]:
    """Why the line that asks for a value runs as plain Python, while a function is traced."""
    return [] if context.local.graph is None else [reason() for reason in ports.reasons]


class OnDevice(Tensor):
    """A tensor that a compiled program left on the device; its NumPy array is made when somebody asks.

    A run of training steps ends in dozens of new values, of which the next run needs all on the device and the
    user looks at few: fetching each costs 5 µs, sending it back 30.
    """

    __slots__ = ("device_array",)

    def __init__(self, device_array: Any) -> None:
        self.device_array = device_array

    @property
    def _array(self) -> Any:  # type: ignore[override]
        return np.asarray(self.device_array)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        # NumPy would keep this tensor, not the array that was fetched; it keeps what __array__ gives
        raise AttributeError("A tensor on a device has no memory here; use numpy.asarray.")


def is_symbolic(value: Any) -> bool:
    """True for a value that is not known yet."""
    return isinstance(value, Symbol)


TensorSpec.value_type = Tensor
