"""SparseTensor: indices, values, dense shape."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np

from tensorsmith.core import dtypes, ports
from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Op
from tensorsmith.structures.lifting import is_elementwise, refuse
from tensorsmith.tensor.apply import apply, functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

# elementwise operations that leave a zero a zero, so that they may act on the stored values alone
_KEEP_ZERO = frozenset(
    [
        "abs",
        "negative",
        "sign",
        "square",
        "sqrt",
        "tanh",
        "sin",
        "tan",
        "asin",
        "atan",
        "sinh",
        "asinh",
        "atanh",
        "expm1",
        "log1p",
        "round",
        "floor",
        "ceil",
        "rint",
        "softsign",
        "relu",
        "cast",
        "real",
        "imag",
        "conj",
        "erf",
        "zeros_like",
        "identity",
        "stop_gradient",
    ]
)


class SparseTensor:
    """A tensor of which only some elements are stored; all others are zero.

    indices      [n, rank] int64: where the stored elements stand.
    values       [n]: what they are.
    dense_shape  [rank] int64.

    Operations want the indices in row-major order; `tf.sparse.reorder` puts them so.
    Raises ValueError where the three do not fit each other.

    >>> import tensorsmith as tf
    >>> s = tf.SparseTensor(indices=[[0, 1], [1, 0]], values=[1.0, 2.0], dense_shape=[2, 3])
    >>> tf.sparse.to_dense(s * 10.0).numpy()
    array([[ 0., 10.,  0.],
           [20.,  0.,  0.]], dtype=float32)
    """

    __array_priority__ = 110

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self.indices: Tensor = _int64(indices, "indices")
        self.values: Tensor = convert(values)
        # what a trace knows of the shape although dense_shape is a symbol in it, or will be one in a loop
        self._known: TensorShape | None = None
        self.dense_shape: Tensor = _int64(dense_shape, "dense_shape")
        if self.indices.shape == (0,):
            # an empty list of indices has no second axis to show the rank
            self.indices = Tensor(np.zeros((0, self.dense_shape.shape[0] or 0), np.int64))
        if not isinstance(self.dense_shape, Symbol) and (np.asarray(self.dense_shape._array) < 0).any():
            raise ValueError(
                explain(
                    "SparseTensor", "a size is below 0", {"dense_shape": np.asarray(self.dense_shape._array).tolist()}
                )
            )
        given = {"indices": self.indices, "values": self.values, "dense_shape": self.dense_shape}
        ranks = [len(t.shape) for t in given.values()]
        count, rank = (*self.indices.shape, None, None)[:2]
        rows, axes = (*self.values.shape, None)[0], (*self.dense_shape.shape, None)[0]
        clash = None not in (count, rows) and count != rows or None not in (rank, axes) and rank != axes
        if ranks != [2, 1, 1] or clash:
            raise ValueError(
                explain(
                    "SparseTensor",
                    "its parts do not fit each other",
                    {name: describe(part) for name, part in given.items()},
                    "indices must be [n, rank], values [n], dense_shape [rank]",
                )
            )

    @property
    def dtype(self) -> DType:
        return self.values.dtype

    @property
    def shape(self) -> TensorShape:
        if self._known is not None:
            return self._known
        if isinstance(self.dense_shape, Symbol):
            return TensorShape([None] * (self.dense_shape.shape[0] or 0))
        return TensorShape(self.dense_shape.tolist())

    def get_shape(self) -> TensorShape:
        return self.shape

    @property
    def rank(self) -> int:
        return len(self.shape)

    ndim = rank

    @property
    def op(self) -> None:
        return None

    def consumers(self) -> list[Any]:
        """The operations that take it: none, as none is kept."""
        return []

    def set_shape(self, shape: Any) -> None:
        """Tells a traced function more of the shape; ValueError where it does not fit what is known.

        >>> SparseTensor([[0]], [1], [2]).set_shape([None])
        """
        wanted = TensorShape(shape)
        if not self.shape.is_compatible_with(wanted):
            raise ValueError(
                explain("SparseTensor.set_shape", "the shapes do not fit", {"shape": self.shape, "given": wanted})
            )
        self._shaped(self.shape.merge_with(wanted))

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """A sparse tensor of the parts of another, or of a SparseTensorValue; TypeError for anything else."""
        value = sparse_tensor_value
        if isinstance(value, SparseTensor):
            return value
        if not isinstance(value, SparseTensorValue):
            raise TypeError(
                explain("SparseTensor.from_value", "a SparseTensor or its value is needed", {"given": describe(value)})
            )
        return cls(value.indices, value.values, value.dense_shape)

    def with_values(self, values: Any) -> SparseTensor:
        """Other values at the same places."""
        return SparseTensor(self.indices, values, self.dense_shape)._shaped(self.shape)

    def numpy(self) -> Any:
        """Itself with NumPy arrays for its parts."""
        return SparseTensorValue(self.indices.numpy(), self.values.numpy(), self.dense_shape.numpy())

    # ---- its parts, for traces

    def _parts(self) -> list[Tensor]:
        return [self.indices, self.values, self.dense_shape]

    def _from_parts(self, parts: list[Tensor]) -> SparseTensor:
        return SparseTensor(*parts)._shaped(self.shape)

    def _shaped(self, shape: TensorShape) -> SparseTensor:
        """Itself, told what is known of its shape where dense_shape does not tell it."""
        if isinstance(self.dense_shape, Symbol) and shape.rank is not None:
            self._known = shape
        return self

    def _static(self) -> Any:
        return self.shape

    def _merged(self, other: SparseTensor) -> SparseTensor:
        result = SparseTensor(self.indices, self.values, self.dense_shape)
        result._known = TensorShape([a if a == b else None for a, b in zip(self.shape, other.shape)])
        return result

    # ---- operators: TensorFlow's sparse tensors take * and / and no others

    def __mul__(self, other: Any) -> Any:
        return functions["multiply"](self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return functions["divide"](self, other)

    def _no_sum(self, other: Any) -> Any:
        raise TypeError(
            explain(
                "SparseTensor",
                "+ and - are not defined for it",
                {"other": describe(other)},
                "the result would not be sparse",
                "Use tf.sparse.add(a, b), or tf.sparse.to_dense(s) first.",
            )
        )

    __add__ = __radd__ = __sub__ = __rsub__ = _no_sum

    def __neg__(self) -> SparseTensor:
        return self.with_values(-self.values)

    def __bool__(self) -> bool:
        raise TypeError("The truth value of a SparseTensor is ambiguous; use tf.sparse.to_dense first.")

    def __iter__(self) -> Any:
        raise TypeError("A SparseTensor is not iterable; use tf.sparse.to_dense or tf.sparse.slice.")

    def __repr__(self) -> str:
        parts = f"indices={self.indices!s}, values={self.values!s}, dense_shape={self.dense_shape!s}"
        return f"SparseTensor({parts})"


class SparseTensorValue:
    """A sparse tensor's parts as NumPy arrays."""

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self.indices, self.values, self.dense_shape = indices, values, dense_shape

    def __iter__(self) -> Any:
        return iter((self.indices, self.values, self.dense_shape))

    def __repr__(self) -> str:
        return f"SparseTensorValue(indices={self.indices!r}, values={self.values!r}, dense_shape={self.dense_shape!r})"


def _int64(value: Any, name: str) -> Tensor:
    if isinstance(value, TensorShape):
        value = value.as_list()
    if isinstance(value, Tensor) or hasattr(value, "_read"):
        tensor = convert(value)
        if tensor.dtype is dtypes.int64:
            return tensor
        if tensor.dtype.is_integer:
            return functions["cast"](tensor, dtypes.int64)
        raise ValueError(explain("SparseTensor", f"{name} are not integers", {name: describe(tensor)}))
    array = np.asarray(value)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(explain("SparseTensor", f"{name} are not integers", {name: describe(array)}))
    return Tensor(array.astype(np.int64))


def is_sparse(value: Any) -> TypeGuard[SparseTensor]:
    """True for a SparseTensor.

    >>> is_sparse(SparseTensor([[0]], [1], [2])), is_sparse(1)
    (True, False)
    """
    return isinstance(value, SparseTensor)


def _lift(op: Op, arguments: tuple, settings: dict) -> Any:
    """An operation that meets a sparse tensor."""
    first = arguments[0] if arguments else None
    if len(arguments) == 1 and is_sparse(first) and op.name in _KEEP_ZERO:
        return first.with_values(apply(op, [first.values], settings))
    if is_sparse(first) and op.name in ("shape", "size"):
        sizes = first.dense_shape if op.name == "shape" else functions["reduce_prod"](first.dense_shape)
        return functions["cast"](sizes, settings["out_type"])
    if op.name in _SCALE and len(arguments) == 2:
        return _scale(op, *arguments)
    if is_elementwise(op):
        raise refuse(op, "SparseTensor", "Use tf.sparse.to_dense(s) first, or tf.sparse.map_values.")
    raise refuse(op, "SparseTensor", "Use the functions of tf.sparse, or tf.sparse.to_dense(s) first.")


_SCALE = ("multiply", "divide", "truediv")


def _scale(op: Op, x: Any, y: Any) -> SparseTensor:
    """sparse * dense, dense * sparse, sparse / dense: each stored value by the dense element at its place."""
    if is_sparse(x) and is_sparse(y):
        raise refuse(op, "pair of SparseTensors", "Use tf.sparse.to_dense on one of them.")
    sparse, dense = (x, y) if is_sparse(x) else (y, x)
    if op.name != "multiply" and not is_sparse(x):
        raise refuse(op, "SparseTensor as divisor", "Its zeros cannot divide; use tf.sparse.to_dense first.")
    dense = convert(dense, None, sparse.dtype.numpy_dtype)
    if len(dense.shape):
        shape = tuple(sparse.shape)
        wide = functions["broadcast_to"](dense, shape=shape if None not in shape else sparse.dense_shape)
        dense = functions["gather_nd"](wide, sparse.indices)
    # the operator keeps its order, and a mixture of dtypes is refused by the operation itself
    return sparse.with_values(apply(op, [sparse.values, dense], {}))


def _to_tensor(value: SparseTensor, dtype: Any) -> Tensor:
    raise TypeError(
        explain(
            "convert_to_tensor",
            "a SparseTensor is not converted silently",
            {"shape": value.shape},
            "",
            "Use tf.sparse.to_dense(s).",
        )
    )


ports.lifters[SparseTensor] = _lift
ports.converters[SparseTensor] = _to_tensor
