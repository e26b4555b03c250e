"""Products of matrices and tensors, and norms: matmul, tensordot, einsum, norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import broadcast
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import apply, op, plain, primitive, public
from tensorsmith.tensor.tensor import Tensor


def _oriented(shape: tuple[int | None, ...], turned: bool) -> tuple[int | None, ...]:
    return (*shape[:-2], shape[-1], shape[-2]) if turned else shape


def _product_shape(specs: Specs, settings: dict) -> Specs:
    (a, dtype), (b, _) = specs
    turn_a = settings.get("transpose_a") or settings.get("adjoint_a")
    turn_b = settings.get("transpose_b") or settings.get("adjoint_b")
    if len(a) < 2 or len(b) < 2:
        raise InvalidArgumentError(_no_matrices(a, b))
    a, b = _oriented(a, bool(turn_a)), _oriented(b, bool(turn_b))
    if None not in (a[-1], b[-2]) and a[-1] != b[-2]:
        raise ValueError(f"inner sizes differ: {a[-1]} and {b[-2]}")
    return [((*broadcast(a[:-2], b[:-2]), a[-2], b[-1]), dtype)]


def _no_matrices(a: Any, b: Any) -> str:
    way_out = "Use tf.multiply."
    if len(a) and len(b):
        way_out = "Use tf.linalg.matvec, or tf.tensordot(a, b, 1)."
    return explain(
        "matmul", "it multiplies matrices", {"a": tuple(a), "b": tuple(b)}, "both have at least two axes", way_out
    )


def _explain_product(a: Any, b: Any) -> str:
    shapes = {"a": tuple(a.shape), "b": tuple(b.shape)}
    way_out = ""
    if a.shape[-1] == b.shape[-1]:
        way_out = "Did you mean matmul(a, b, transpose_b=True)?"
    elif a.shape[-2] == b.shape[-2]:
        way_out = "Did you mean matmul(a, b, transpose_a=True)?"
    if a.shape[-1] == b.shape[-2]:
        return explain("matmul", "the leading axes do not broadcast", shapes)
    return explain("matmul", "inner sizes differ", shapes, "a.shape[-1] must equal b.shape[-2]", way_out)


@op(kinds="fiuc", shapes=_product_shape)
def matmul(
    xp, a: Array, b: Array, transpose_a: bool = False, transpose_b: bool = False,
    adjoint_a: bool = False, adjoint_b: bool = False, a_is_sparse: bool = False, b_is_sparse: bool = False,
):  # fmt: skip
    """The matrix product over the last two axes, the others broadcasting.

        out[..., i, j] = sum over k of a[..., i, k] * b[..., k, j]

    transpose_a, transpose_b  the last two axes of that factor are swapped first (adjoint_*: and conjugated).
    a_is_sparse, b_is_sparse  say that a factor is mostly zeros; it changes nothing.
    Raises InvalidArgumentError when the inner sizes differ, or a factor has fewer than two axes.

    >>> import tensorsmith as tf
    >>> tf.matmul([[1.0, 2.0]], [[3.0], [4.0]]).numpy()
    array([[11.]], dtype=float32)
    """
    if a.ndim < 2 or b.ndim < 2:
        raise InvalidArgumentError(_no_matrices(a.shape, b.shape))
    if transpose_a or adjoint_a:
        a = xp.swapaxes(xp.conj(a) if adjoint_a else a, -1, -2)
    if transpose_b or adjoint_b:
        b = xp.swapaxes(xp.conj(b) if adjoint_b else b, -1, -2)
    try:
        found = xp.matmul(a, b)
    except (ValueError, TypeError):
        raise InvalidArgumentError(_explain_product(a, b)) from None
    # NumPy gives float32 for bfloat16
    return found if found.dtype == a.dtype else found.astype(a.dtype)


@op(name="matvec", kinds="fiuc")
def matvec(xp, a: Array, b: Array, transpose_a: bool = False, adjoint_a: bool = False):
    """The product of matrices a [..., n, k] and vectors b [..., k], the leading axes broadcasting.

    >>> import tensorsmith as tf
    >>> tf.linalg.matvec([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).numpy()
    array([3., 7.], dtype=float32)
    """
    if transpose_a or adjoint_a:
        a = xp.swapaxes(xp.conj(a) if adjoint_a else a, -1, -2)
    return xp.squeeze(xp.matmul(a, xp.expand_dims(b, -1)), -1).astype(a.dtype)


@primitive(name="tensordot", kinds="fiuc")
def _tensordot(xp, a: Array, b: Array, axes: Any = 2):
    return xp.tensordot(a, b, axes)


@public
def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """The sum of products over axes of a and b: the last `axes` of a with the first of b, or those named.

    >>> import tensorsmith as tf
    >>> tf.tensordot([1.0, 2.0], [3.0, 4.0], 1).numpy().item()
    11.0
    """
    axes = plain(axes, "axes")
    if isinstance(axes, int) and axes < 0:
        raise ValueError(explain("tensordot", "axes is below 0", {"axes": axes}))
    if isinstance(axes, tuple):
        axes = tuple(part if isinstance(part, tuple) else (part,) for part in axes)
    return apply(_tensordot, (a, b), {"axes": axes})


@primitive(name="einsum", kinds="fiuc")
def _einsum(xp, inputs: Arrays, equation: str):
    if xp is np:
        if inputs[0].dtype.kind == "V":
            # NumPy's einsum does not know bfloat16
            return _einsum.kernel(np, [i.astype("float32") for i in inputs], equation).astype(inputs[0].dtype)
        # optimize=True contracts pair by pair, in BLAS; it costs 20 µs, which two small factors need not pay
        return np.einsum(equation, *inputs, optimize=len(inputs) > 2 or max(i.size for i in inputs) > 4096)
    return xp.einsum(equation, *inputs)


@public
def einsum(equation: str, *inputs: Any, **settings: Any) -> Tensor:
    """Sums of products, told by letters: `"ij,jk->ik"` is a matrix product.

    >>> import tensorsmith as tf
    >>> tf.einsum("ij,j->i", [[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).numpy()
    array([3., 7.], dtype=float32)
    """
    return apply(_einsum, (list(inputs),), {"equation": equation.replace(" ", "")})


@op(kinds="fiu")
def cross(xp, a: Array, b: Array):
    """The cross product of vectors of size 3 on the last axis.

    >>> import tensorsmith as tf
    >>> tf.linalg.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).numpy()
    array([0., 0., 1.], dtype=float32)
    """
    return xp.cross(a, b)


def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The norm of vectors (`axis` an int), of matrices (two axes), or of all elements as one vector (None).

    ord: "euclidean", a number p for (sum |x|**p)**(1/p), np.inf for the greatest |x|; "fro", 1, inf for matrices.

    >>> import tensorsmith as tf
    >>> tf.norm([3.0, 4.0]).numpy().item()
    5.0
    """
    axis = plain(axis, "axis")
    if isinstance(axis, tuple) and len(axis) == 1:
        axis = axis[0]
    orders: dict[Any, Any] = {"euclidean": 2, "fro": 2}
    if isinstance(axis, tuple) and ord not in ("euclidean", "fro"):
        return apply(_matrix_norm, (tensor,), {"ord": plain(ord, "ord"), "axis": axis, "keepdims": bool(keepdims)})
    return apply(
        _vector_norm, (tensor,), {"ord": float(orders.get(ord, ord)), "axis": axis, "keepdims": bool(keepdims)}
    )


@primitive(name="vector_norm", kinds="fc", quiet=True)
def _vector_norm(xp, tensor: Array, ord: float = 2.0, axis: Any = None, keepdims: bool = False):
    size = xp.abs(tensor)
    if ord == np.inf:
        return xp.max(size, axis=axis, keepdims=keepdims)
    if ord == 1.0:
        return xp.sum(size, axis=axis, keepdims=keepdims)
    if ord == 2.0:
        squares = xp.square(tensor) if tensor.dtype.kind == "f" else xp.square(size)
        return xp.sqrt(xp.sum(squares, axis=axis, keepdims=keepdims))
    return xp.sum(size**ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)


@primitive(name="matrix_norm", kinds="fc", quiet=True)
def _matrix_norm(xp, tensor: Array, ord: Any = 2, axis: Any = (-2, -1), keepdims: bool = False):
    return xp.linalg.norm(tensor, ord=ord, axis=axis, keepdims=keepdims)
