"""LinearOperator: a matrix, or a batch of them, known by what it does to vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.ops.casting import cast
from tensorsmith.ops.complex_numbers import conj
from tensorsmith.ops.creation import eye
from tensorsmith.ops.elementwise import abs as absolute
from tensorsmith.ops.elementwise import add, divide
from tensorsmith.ops.matrices import cholesky, det, diag_part, eigvalsh, slogdet, solve, svd
from tensorsmith.ops.matrix_functions import adjoint as adjoint_of
from tensorsmith.ops.matrix_functions import eigvals
from tensorsmith.ops.reductions import reduce_all, reduce_max, reduce_min, reduce_sum
from tensorsmith.ops.shaping import shape as shape_of
from tensorsmith.state.module import Module
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class LinearOperator(Module):
    """A matrix [..., m, n] that need not be written out; the base of all linear operators.

    A subclass defines `_shape()` and `_matmul(x, adjoint=False, adjoint_arg=False)`, and, where it knows a shorter way
    than by the whole matrix, `_solve(rhs, adjoint=False, adjoint_arg=False)`, `_to_dense`, `_determinant`,
    `_log_abs_determinant`, `_trace`, `_diag_part`, `_eigvals`, `_cond`.

    is_non_singular, is_self_adjoint, is_positive_definite, is_square: promises (None: unknown), which choose shorter
    ways and are believed.

    >>> import tensorsmith as tf
    >>> operator = tf.linalg.LinearOperatorDiag([1.0, 2.0])
    >>> operator.solvevec([1.0, 1.0]).numpy()
    array([1. , 0.5], dtype=float32)
    """

    def __init__(
        self, dtype: Any, graph_parents: Any = None, is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str | None = None, parameters: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name or type(self).__name__)
        if is_positive_definite:
            if is_non_singular is False:
                raise ValueError(f"{self.name}: a positive definite operator cannot be singular.")
            is_non_singular = True
        if is_non_singular and is_square is False:
            raise ValueError(f"{self.name}: only a square operator can be non-singular.")
        if is_non_singular or is_self_adjoint:
            is_square = True
        self._dtype = dtypes.as_dtype(dtype)
        self._is_non_singular, self._is_self_adjoint = is_non_singular, is_self_adjoint
        self._is_positive_definite, self._is_square = is_positive_definite, is_square
        self._parameters = dict(parameters or {})

    # ---- what a subclass defines

    def _shape(self) -> Any:
        raise TypeError(f"{type(self).__name__} must define _shape().")

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        raise TypeError(f"{type(self).__name__} must define _matmul(x, adjoint=False, adjoint_arg=False).")

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return solve(self.to_dense(), adjoint_of(rhs) if adjoint_arg else rhs, adjoint=adjoint)

    def _to_dense(self) -> Any:
        return self.matmul(eye(self.domain_dimension, dtype=self.dtype))

    def _determinant(self) -> Any:
        return det(self.to_dense())

    def _log_abs_determinant(self) -> Any:
        return slogdet(self.to_dense()).log_abs_determinant

    def _trace(self) -> Any:
        return reduce_sum(self.diag_part(), axis=-1)

    def _diag_part(self) -> Any:
        return diag_part(self.to_dense())

    def _eigvals(self) -> Any:
        return eigvalsh(self.to_dense()) if self.is_self_adjoint else eigvals(self.to_dense())

    def _cond(self) -> Any:
        values = svd(self.to_dense(), compute_uv=False)
        return divide(reduce_max(values, axis=-1), reduce_min(values, axis=-1))

    # ---- what it is

    @property
    def dtype(self) -> dtypes.DType:
        return self._dtype

    @property
    def parameters(self) -> dict[str, Any]:
        """What the constructor was given."""
        return dict(self._parameters)

    @property
    def graph_parents(self) -> list[Any]:
        return []

    @property
    def shape(self) -> TensorShape:
        return TensorShape(self._shape())

    @property
    def batch_shape(self) -> TensorShape:
        return self.shape[:-2]

    @property
    def tensor_rank(self) -> int:
        return len(self.shape)

    @property
    def domain_dimension(self) -> Any:
        """The size of the vectors that it takes."""
        return self.shape[-1]

    @property
    def range_dimension(self) -> Any:
        """The size of the vectors that it gives."""
        return self.shape[-2]

    def shape_tensor(self, name: str | None = None) -> Tensor:
        """The shape as int32 [rank], known when the program runs."""
        if None in self.shape:
            return shape_of(self.to_dense())
        return Tensor(np.array(self.shape, np.int32))

    def batch_shape_tensor(self, name: str | None = None) -> Tensor:
        return self.shape_tensor()[:-2]

    def tensor_rank_tensor(self, name: str | None = None) -> Tensor:
        return Tensor(np.array(self.tensor_rank, np.int32))

    def domain_dimension_tensor(self, name: str | None = None) -> Tensor:
        return self.shape_tensor()[-1]

    def range_dimension_tensor(self, name: str | None = None) -> Tensor:
        return self.shape_tensor()[-2]

    @property
    def is_non_singular(self) -> bool | None:
        return self._is_non_singular

    @property
    def is_self_adjoint(self) -> bool | None:
        return self._is_self_adjoint

    @property
    def is_positive_definite(self) -> bool | None:
        return self._is_positive_definite

    @property
    def is_square(self) -> bool | None:
        if self._is_square is None and None not in self.shape[-2:]:
            return self.shape[-1] == self.shape[-2]
        return self._is_square

    # ---- what it does

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str | None = None) -> Any:
        """The product with matrices x [..., n, k]; adjoint: of its adjoint; adjoint_arg: with the adjoint of x.

        Another operator for x gives an operator.
        """
        if isinstance(x, LinearOperator):
            from tensorsmith.structures.linear_operators_composed import product

            return product(self.adjoint() if adjoint else self, x.adjoint() if adjoint_arg else x)
        x = self._checked(x, "matmul", adjoint, adjoint_arg)
        return self._matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def __matmul__(self, other: Any) -> Any:
        return self.matmul(other)

    def matvec(self, x: Any, adjoint: bool = False, name: str | None = None) -> Any:
        """The product with vectors x [..., n]."""
        return self.matmul(convert(x, self.dtype)[..., None], adjoint=adjoint)[..., 0]

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str | None = None) -> Any:
        """X of operator @ X = rhs, for right sides [..., n, k]. Raises ValueError unless it is square and not singular.

        Another operator for rhs gives an operator.
        """
        if self.is_square is False or self.is_non_singular is False:
            kind = "not square" if self.is_square is False else "singular"
            raise ValueError(explain(f"{self.name}.solve", f"the operator is {kind}", {"shape": self.shape}))
        if isinstance(rhs, LinearOperator):
            from tensorsmith.structures.linear_operators_composed import product

            return product((self.adjoint() if adjoint else self).inverse(), rhs.adjoint() if adjoint_arg else rhs)
        rhs = self._checked(rhs, "solve", not adjoint, adjoint_arg)
        return self._solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str | None = None) -> Any:
        """X of operator @ X = rhs, for right sides [..., n]."""
        return self.solve(convert(rhs, self.dtype)[..., None], adjoint=adjoint)[..., 0]

    def _checked(self, x: Any, who: str, adjoint: bool, adjoint_arg: bool) -> Any:
        x = convert(x, self.dtype)
        wanted = self.range_dimension if adjoint else self.domain_dimension
        given = x.shape[-1 if adjoint_arg else -2] if x.ndim > 1 else 0
        if x.ndim < 2 or (None not in (wanted, given) and wanted != given):
            raise ValueError(
                explain(
                    f"{self.name}.{who}", "the sizes do not fit", {"operator": self.shape, "x": x.shape},
                    f"x must be matrices of {wanted} {'columns' if adjoint_arg else 'rows'}",
                )
            )  # fmt: skip
        return x

    def to_dense(self, name: str | None = None) -> Any:
        """The matrix, written out."""
        return self._to_dense()

    def add_to_tensor(self, x: Any, name: str | None = None) -> Any:
        """The matrix plus x."""
        return add(self.to_dense(), convert(x, self.dtype))

    def adjoint(self, name: str | None = None) -> LinearOperator:
        """The operator of the conjugate transpose."""
        if self.is_self_adjoint:
            return self
        return self._adjoint()

    H = property(adjoint)

    def _adjoint(self) -> LinearOperator:
        from tensorsmith.structures.linear_operators_composed import LinearOperatorAdjoint

        return LinearOperatorAdjoint(self)

    def inverse(self, name: str | None = None) -> LinearOperator:
        """The operator of the inverse. Raises ValueError unless it is square and not singular."""
        if self.is_square is False or self.is_non_singular is False:
            kind = "not square" if self.is_square is False else "singular"
            raise ValueError(explain(f"{self.name}.inverse", f"the operator is {kind}", {"shape": self.shape}))
        return self._inverse()

    def _inverse(self) -> LinearOperator:
        from tensorsmith.structures.linear_operators_composed import LinearOperatorInversion

        return LinearOperatorInversion(self)

    def cholesky(self, name: str | None = None) -> LinearOperator:
        """The Cholesky factor. Raises ValueError unless the operator promises to be positive definite and self-adjoint."""
        if not (self.is_positive_definite and self.is_self_adjoint):
            raise ValueError(
                explain(
                    f"{self.name}.cholesky", "the operator must promise that it has one", {},
                    "is_positive_definite=True and is_self_adjoint=True",
                )
            )  # fmt: skip
        return self._cholesky()

    def _cholesky(self) -> LinearOperator:
        from tensorsmith.structures.linear_operators import LinearOperatorLowerTriangular

        return LinearOperatorLowerTriangular(cholesky(self.to_dense()), is_non_singular=True)

    def _square(self, who: str) -> None:
        if self.is_square is False:
            raise ValueError(explain(f"{self.name}.{who}", "the operator is not square", {"shape": self.shape}))

    def determinant(self, name: str | None = None) -> Any:
        self._square("determinant")
        return self._determinant()

    def log_abs_determinant(self, name: str | None = None) -> Any:
        """log|determinant|."""
        self._square("log_abs_determinant")
        return self._log_abs_determinant()

    def trace(self, name: str | None = None) -> Any:
        return self._trace()

    def diag_part(self, name: str | None = None) -> Any:
        """The diagonal [..., min(m, n)]."""
        return self._diag_part()

    def eigvals(self, name: str | None = None) -> Any:
        """The eigenvalues: real ones, ascending, where it promises to be self-adjoint; else complex ones."""
        self._square("eigvals")
        return self._eigvals()

    def cond(self, name: str | None = None) -> Any:
        """The greatest singular value by the smallest."""
        return self._cond()

    # ---- checks

    def _assert(self, good: Any, wrong: str) -> None:
        from tensorsmith.ops.debugging import Assert

        Assert(good, [f"{self.name}: the operator is {wrong}."])

    def assert_non_singular(self, name: str | None = None) -> None:
        """Raises InvalidArgumentError where the condition number is beyond what the dtype can tell from singular."""
        limit = 1.0 / np.finfo(self.dtype.as_numpy_dtype).eps
        self._assert(reduce_all(self.cond() < cast(limit, self.dtype.real_dtype)), "singular")

    def assert_self_adjoint(self, name: str | None = None) -> None:
        """Raises InvalidArgumentError where the matrix is not its own adjoint, to rounding."""
        dense = self.to_dense()
        off = reduce_max(absolute(dense - adjoint_of(dense)))
        near = np.finfo(self.dtype.as_numpy_dtype).eps * 16
        self._assert(off <= near * reduce_max(absolute(dense)), "not self-adjoint")

    def assert_positive_definite(self, name: str | None = None) -> None:
        """Raises InvalidArgumentError where the matrix is not positive definite (its self-adjoint part decides)."""
        dense = self.to_dense()
        self._assert(reduce_all(eigvalsh((dense + adjoint_of(dense)) / 2) > 0), "not positive definite")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} shape={self.shape}, dtype={self.dtype.name}>"


def turned(x: Any, adjoint_arg: bool) -> Any:
    """x, or its adjoint."""
    return adjoint_of(x) if adjoint_arg else x


def conjugate(x: Any, adjoint: bool) -> Any:
    """x, or its conjugate where it is complex and the adjoint is asked for."""
    return conj(x) if adjoint and x.dtype.is_complex else x


def tensor_of(value: Any, who: str, what: str, rank: int) -> Any:
    """`value` as a tensor, or a variable as it is. Raises InvalidArgumentError where it is not of floats or too flat."""
    found = value if hasattr(value, "_read") else convert(value)
    if found.dtype.is_integer or found.dtype.is_bool or len(found.shape) < rank:
        raise InvalidArgumentError(
            explain(
                who, f"{what} must be real or complex numbers of at least {rank} axes",
                {what: f"{found.dtype.name}{tuple(found.shape)}"},
            )
        )  # fmt: skip
    return found
