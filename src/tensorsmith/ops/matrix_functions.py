"""Functions of square matrices: eigenvalues, exponential, logarithm, square root, LU factors and what they solve."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import broadcast
from tensorsmith.ops.complex_numbers import conj
from tensorsmith.ops.matrices import square_shape, triangular_solve
from tensorsmith.ops.shaping import matrix_transpose
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, op, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_INT32 = np.dtype("int32")
_COMPLEX = {np.dtype("float32"): np.dtype("complex64"), np.dtype("float64"): np.dtype("complex128")}


def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """The conjugate transposes of matrices [..., n, m].

    >>> import tensorsmith as tf
    >>> tf.linalg.adjoint([[1 + 2j, 3j]]).numpy()
    array([[1.-2.j],
           [0.-3.j]])
    """
    matrix = matrix_transpose(convert(matrix))
    return conj(matrix) if matrix.dtype.is_complex else matrix


def _each(function: Any, x: np.ndarray) -> np.ndarray:
    """function of each matrix of a stack, by SciPy, which knows one at a time."""
    flat = x.reshape(-1, *x.shape[-2:])
    return np.array([function(m) for m in flat], x.dtype).reshape(x.shape)


# ---- eigenvalues


class Eig(NamedTuple):
    """Eigenvalues, in no order, and the eigenvectors as columns; both complex."""

    e: Any
    v: Any


def _complex(dtype: np.dtype) -> np.dtype:
    return _COMPLEX.get(dtype, dtype)


def _eigenvalues_shape(specs: Specs, settings: dict) -> Specs:
    shape, dtype = square_shape(specs, settings)[0]
    return [(shape[:-1], _complex(dtype))]


def _eigen_shape(specs: Specs, settings: dict) -> Any:
    shape, dtype = square_shape(specs, settings)[0]
    return Eig((shape[:-1], _complex(dtype)), (shape, _complex(dtype)))


@op(name="eig", kinds="fc", shapes=_eigen_shape)
def eig(xp, tensor: Array) -> Eig:
    """Eigenvalues [..., n] and eigenvectors (columns of [..., n, n]) of square matrices, complex also for real ones.

    >>> import tensorsmith as tf
    >>> tf.linalg.eig([[0.0, 1.0], [-1.0, 0.0]]).e.numpy()
    array([0.+1.j, 0.-1.j], dtype=complex64)
    """
    e, v = xp.linalg.eig(tensor)
    return Eig(e.astype(_complex(tensor.dtype)), v.astype(_complex(tensor.dtype)))


@op(name="eigvals", kinds="fc", shapes=_eigenvalues_shape)
def eigvals(xp, tensor: Array):
    """The eigenvalues [..., n] of square matrices, complex also for real ones.

    >>> import tensorsmith as tf
    >>> tf.linalg.eigvals([[2.0, 0.0], [0.0, 3.0]]).numpy()
    array([2.+0.j, 3.+0.j], dtype=complex64)
    """
    return xp.linalg.eigvals(tensor).astype(_complex(tensor.dtype))


# ---- exponential, logarithm, square root


@op(name="expm", kinds="fc", shapes=square_shape, quiet=True)
def expm(xp, input: Array):
    """The matrix exponential of square matrices: the sum of input**k / k! over k = 0, 1, 2, ...

    >>> import tensorsmith as tf
    >>> tf.linalg.expm([[0.0, 1.0], [0.0, 0.0]]).numpy()
    array([[1., 1.],
           [0., 1.]], dtype=float32)
    """
    if xp is np:
        import scipy.linalg

        return scipy.linalg.expm(input).astype(input.dtype)
    from tensorsmith.program.execute import jax

    jax()
    import jax.scipy.linalg

    return jax.scipy.linalg.expm(input, max_squarings=48)


@op(name="logm", kinds="c", shapes=square_shape, quiet=True, eager=True, differentiable=False)
def logm(xp, input: Array):
    """The principal logarithm of square complex matrices: expm of it is the matrix.

    Runs on NumPy alone: how many roots are taken first hangs on the values.

    >>> import tensorsmith as tf
    >>> tf.linalg.logm([[1 + 0j, 1], [0, 1]]).numpy().round(3).real
    array([[0., 1.],
           [0., 0.]])
    """
    import scipy.linalg

    with warnings.catch_warnings():
        # SciPy tells its own estimate of the error
        warnings.simplefilter("ignore", RuntimeWarning)
        return _each(lambda m: scipy.linalg.logm(m.astype(np.complex128)), input)


@op(name="sqrtm", kinds="fc", shapes=square_shape, quiet=True)
def sqrtm(xp, input: Array):
    """The principal square root of square matrices: the product with itself is the matrix.

    NaN for a real matrix whose root is complex. Source: Higham (2008), Functions of matrices, chapter 6.

    >>> import tensorsmith as tf
    >>> tf.linalg.sqrtm([[4.0, 0.0], [0.0, 9.0]]).numpy()
    array([[2., 0.],
           [0., 3.]], dtype=float32)
    """
    if xp is np:
        import scipy.linalg

        def root(m: np.ndarray) -> np.ndarray:
            found: Any = scipy.linalg.sqrtm(m)
            if m.dtype.kind == "f" and np.iscomplexobj(found):
                # what rounding leaves beside a real root is far below this
                beside = np.abs(found.imag).max(initial=0) > 1e-3 * np.abs(found).max(initial=0)
                return np.full_like(m, np.nan) if beside else found.real
            return found

        return _each(root, input)
    return _root(xp)(input)


def _root(xp: Any) -> Any:
    """sqrtm for XLA, with its derivative: R of R dR + dR R = dA, one linear system."""
    from tensorsmith.program.execute import jax

    engine: Any = jax()
    import jax.scipy.linalg

    @engine.custom_jvp
    def root(a: Any) -> Any:
        def one(m: Any) -> Any:
            found = jax.scipy.linalg.sqrtm(m)
            if m.dtype.kind == "c":
                return found
            beside = xp.max(xp.abs(found.imag), initial=0) > 1e-3 * xp.max(xp.abs(found), initial=0)
            return xp.where(beside, xp.nan, found.real).astype(m.dtype)

        flat = a.reshape(-1, *a.shape[-2:])
        return engine.vmap(one)(flat).reshape(a.shape) if flat.size else a

    @root.defjvp
    def slope(values: Any, tangents: Any) -> Any:
        r, size = root(values[0]), values[0].shape[-1]
        same = np.eye(size, dtype=r.dtype)
        # rows and columns of dR as one vector: R x I + I x R^T
        left = r[..., :, None, :, None] * same[:, None, :]
        right = same[:, None, :, None] * xp.swapaxes(r, -1, -2)[..., None, :, None, :]
        system = (left + right).reshape(*r.shape[:-2], size * size, size * size)
        moved = xp.linalg.solve(system, tangents[0].reshape(*r.shape[:-2], size * size, 1))
        return r, moved.reshape(r.shape)

    return root


# ---- LU


class Lu(NamedTuple):
    """Both triangular factors in one matrix (the ones of the lower diagonal left out), and the order of the rows."""

    lu: Any
    p: Any


def _factor_shape(specs: Specs, settings: dict) -> Any:
    found = square_shape(specs, settings)[0]
    return Lu(found, (found[0][:-1], np.dtype(settings["output_idx_type"])))


@primitive(name="lu", kinds="fc", shapes=_factor_shape, quiet=True)
def _lu(xp, input: Array, output_idx_type: Any = _INT32):
    if xp is np:
        import scipy.linalg

        factors: Any = scipy.linalg.lu
        found = [factors(m, p_indices=True) for m in input.reshape(-1, *input.shape[-2:])]
        both = np.array([np.tril(lower, -1) + upper for _, lower, upper in found], input.dtype)
        # SciPy's order puts the rows of the product back, the inverse of the order in which they are taken
        order = np.array([np.argsort(p) for p, _, _ in found], output_idx_type)
        return Lu(both.reshape(input.shape), order.reshape(input.shape[:-1]))
    from tensorsmith.program.execute import jax

    jax()
    import jax.lax.linalg

    both, _, order = jax.lax.linalg.lu(input)
    return Lu(both, order.astype(output_idx_type))


@public
def lu(input: Any, output_idx_type: Any = dtypes.int32, name: str | None = None) -> Lu:
    """The LU factors of square matrices, with rows exchanged: input[p] = L @ U.

    lu: [..., n, n], U on and above the diagonal, L below it (its diagonal of ones is left out). p: [..., n].

    >>> import tensorsmith as tf
    >>> found = tf.linalg.lu([[1.0, 2.0], [4.0, 4.0]])
    >>> found.lu.numpy(), found.p.numpy()
    (array([[4.  , 4.  ],
           [0.25, 1.  ]], dtype=float32), array([1, 0], dtype=int32))
    """
    return apply(_lu, (input,), {"output_idx_type": dtypes.as_dtype(output_idx_type).numpy_dtype})


def _parts(xp: Any, both: Any) -> tuple[Any, Any]:
    return xp.tril(both, -1) + np.eye(both.shape[-1], dtype=both.dtype), xp.triu(both)


def _lu_shape(specs: Specs, settings: dict) -> Specs:
    found = square_shape(specs, settings)
    if len(specs[1][0]) != len(found[0][0]) - 1:
        raise ValueError(f"perm must have one axis less than lower_upper, not {specs[1][0]} beside {found[0][0]}")
    return found


@primitive(name="lu_reconstruct", kinds="fciu", same=False, shapes=_lu_shape)
def _lu_reconstruct(xp, lower_upper: Array, perm: Array):
    lower, upper = _parts(xp, lower_upper)
    return xp.take_along_axis(xp.matmul(lower, upper), xp.argsort(perm, axis=-1)[..., None], axis=-2)


@public
def lu_reconstruct(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The matrices of which `tf.linalg.lu` made the factors.

    >>> import tensorsmith as tf
    >>> tf.linalg.lu_reconstruct(*tf.linalg.lu([[1.0, 2.0], [4.0, 4.0]])).numpy()
    array([[1., 2.],
           [4., 4.]], dtype=float32)
    """
    return apply(_lu_reconstruct, (lower_upper, perm), {})


def _lu_solved(specs: Specs, settings: dict) -> Specs:
    matrix, (right, dtype) = _lu_shape(specs[:2], settings)[0][0], specs[2]
    if len(right) < 2:
        raise ValueError(f"right sides must be matrices, not {right}")
    if None not in (matrix[-1], right[-2]) and matrix[-1] != right[-2]:
        raise ValueError(f"{matrix[-1]} unknowns do not fit {right[-2]} right sides")
    return [((*broadcast(matrix[:-2], right[:-2]), *right[-2:]), dtype)]


@primitive(name="lu_solve", kinds="fciu", same=("lower_upper", "rhs"), shapes=_lu_solved, quiet=True)
def _lu_solve(xp, lower_upper: Array, perm: Array, rhs: Array):
    batch = np.broadcast_shapes(lower_upper.shape[:-2], rhs.shape[:-2])
    rhs = xp.broadcast_to(rhs, (*batch, *rhs.shape[-2:]))
    rhs = xp.take_along_axis(rhs, xp.broadcast_to(perm, (*batch, perm.shape[-1]))[..., None], axis=-2)
    lower, upper = _parts(xp, lower_upper)
    kernel = triangular_solve.op.kernel
    return kernel(xp, upper, kernel(xp, lower, rhs, lower=True), lower=False)


@public
def lu_solve(lower_upper: Any, perm: Any, rhs: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """X of matrix @ X = rhs, from the LU factors of the matrix; rhs is [..., n, k].

    >>> import tensorsmith as tf
    >>> tf.linalg.lu_solve(*tf.linalg.lu([[2.0, 0.0], [0.0, 4.0]]), [[2.0], [4.0]]).numpy()
    array([[1.],
           [1.]], dtype=float32)
    """
    return apply(_lu_solve, (lower_upper, perm, rhs), {})


def lu_matrix_inverse(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The inverses of the matrices of which `tf.linalg.lu` made the factors.

    >>> import tensorsmith as tf
    >>> tf.linalg.lu_matrix_inverse(*tf.linalg.lu([[2.0, 0.0], [0.0, 4.0]])).numpy()
    array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)
    """
    lower_upper = convert(lower_upper)
    size = lower_upper.shape[-1]
    if size is None:
        raise InvalidArgumentError(
            explain("lu_matrix_inverse", "the size of the matrices must be known", {"lower_upper": lower_upper.shape})
        )
    return lu_solve(lower_upper, perm, np.eye(size, dtype=lower_upper.dtype.numpy_dtype))
