"""Operators of one kind of matrix: identity, zeros, diagonal, full, triangular, permutation, reflection, three diagonals."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import dtypes
from tensorsmith.core.shapes import broadcast
from tensorsmith.core.specs import describe
from tensorsmith.ops.banded import compact_diagonals, tridiagonal_matmul, tridiagonal_solve
from tensorsmith.ops.casting import cast
from tensorsmith.ops.complex_numbers import conj
from tensorsmith.ops.creation import fill, one_hot, ones, zeros
from tensorsmith.ops.elementwise import abs as absolute
from tensorsmith.ops.elementwise import divide, log, multiply, reciprocal, sqrt, subtract
from tensorsmith.ops.linalg import matmul
from tensorsmith.ops.matrices import band_part, det, diag, diag_part, triangular_solve
from tensorsmith.ops.reductions import reduce_max, reduce_min, reduce_prod, reduce_sum
from tensorsmith.ops.repeating import roll
from tensorsmith.ops.shaping import broadcast_to, stack
from tensorsmith.structures.linear_operator import LinearOperator, conjugate, tensor_of, turned
from tensorsmith.tensor.apply import plain
from tensorsmith.tensor.convert import convert


class _Scaled(LinearOperator):
    """What is a number times the identity, of known size."""

    _rows: int

    def _number(self) -> Any:
        """The multiplier [...]."""
        raise TypeError(f"{type(self).__name__} must define _number().")

    def _shape(self) -> Any:
        return (*self._number().shape, self._rows, self._rows)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return multiply(conjugate(self._number(), adjoint)[..., None, None], turned(x, adjoint_arg))

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return divide(turned(rhs, adjoint_arg), conjugate(self._number(), adjoint)[..., None, None])

    def _diag_part(self) -> Any:
        return multiply(self._number()[..., None], ones([self._rows], self.dtype))

    def _determinant(self) -> Any:
        return self._number() ** self._rows

    def _log_abs_determinant(self) -> Any:
        return multiply(log(absolute(self._number())), float(self._rows))

    def _trace(self) -> Any:
        return multiply(self._number(), cast(self._rows, self.dtype))

    def _eigvals(self) -> Any:
        return self._diag_part()

    def _cond(self) -> Any:
        return divide(absolute(self._number()), absolute(self._number()))


class LinearOperatorIdentity(_Scaled):
    """The identity [..., n, n].

    >>> import tensorsmith as tf
    >>> tf.linalg.LinearOperatorIdentity(2).matvec([1.0, 2.0]).numpy()
    array([1., 2.], dtype=float32)
    """

    def __init__(
        self, num_rows: Any, batch_shape: Any = None, dtype: Any = None, is_non_singular: bool | None = True,
        is_self_adjoint: bool | None = True, is_positive_definite: bool | None = True, is_square: bool | None = True,
        assert_proper_shapes: bool = False, name: str | None = "LinearOperatorIdentity",
    ) -> None:  # fmt: skip
        given = {"num_rows": num_rows, "batch_shape": batch_shape, "dtype": dtype}
        super().__init__(
            dtype or dtypes.float32,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
            name,
            given,
        )
        self._rows = _size(num_rows, "num_rows")
        self._batch = tuple(plain(batch_shape, "batch_shape") or ())

    def _number(self) -> Any:
        return ones(self._batch, self.dtype)

    def _inverse(self) -> LinearOperator:
        return self

    def _cholesky(self) -> LinearOperator:
        return self


class LinearOperatorScaledIdentity(_Scaled):
    """Numbers [...] times the identity: [..., n, n].

    >>> import tensorsmith as tf
    >>> tf.linalg.LinearOperatorScaledIdentity(2, 3.0).determinant().numpy().item()
    9.0
    """

    def __init__(
        self, num_rows: Any, multiplier: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = True, assert_proper_shapes: bool = False,
        name: str | None = "LinearOperatorScaledIdentity",
    ) -> None:  # fmt: skip
        self._multiplier = tensor_of(multiplier, "LinearOperatorScaledIdentity", "multiplier", 0)
        dtype = self._multiplier.dtype
        super().__init__(
            dtype, None, is_non_singular, _real_is_self_adjoint(dtype, is_self_adjoint), is_positive_definite, is_square,
            name, {"num_rows": num_rows, "multiplier": multiplier},
        )  # fmt: skip
        self._rows = _size(num_rows, "num_rows")

    @property
    def multiplier(self) -> Any:
        return self._multiplier

    def _number(self) -> Any:
        return convert(self._multiplier)

    def _inverse(self) -> LinearOperator:
        return LinearOperatorScaledIdentity(
            self._rows, reciprocal(self._number()), True, self.is_self_adjoint, self.is_positive_definite
        )

    def _cholesky(self) -> LinearOperator:
        return LinearOperatorScaledIdentity(self._rows, sqrt(self._number()), True, True, True)


class LinearOperatorZeros(LinearOperator):
    """Nothing but zeros: [..., m, n].

    >>> import tensorsmith as tf
    >>> tf.linalg.LinearOperatorZeros(2).matvec([1.0, 2.0]).numpy()
    array([0., 0.], dtype=float32)
    """

    def __init__(
        self, num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = None,
        is_non_singular: bool | None = False, is_self_adjoint: bool | None = True,
        is_positive_definite: bool | None = False, is_square: bool | None = True, assert_proper_shapes: bool = False,
        name: str | None = "LinearOperatorZeros",
    ) -> None:  # fmt: skip
        self._rows = _size(num_rows, "num_rows")
        self._columns = self._rows if num_columns is None else _size(num_columns, "num_columns")
        self._batch = tuple(plain(batch_shape, "batch_shape") or ())
        square = self._rows == self._columns
        if is_square and not square and num_columns is not None:
            raise ValueError(f"LinearOperatorZeros: {self._rows} x {self._columns} is not square; say is_square=False.")
        super().__init__(
            dtype or dtypes.float32, None, is_non_singular, is_self_adjoint if square else None, is_positive_definite,
            square, name, {"num_rows": num_rows, "num_columns": num_columns, "batch_shape": batch_shape, "dtype": dtype},
        )  # fmt: skip

    def _shape(self) -> Any:
        return (*self._batch, self._rows, self._columns)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x = turned(x, adjoint_arg)
        return zeros(
            (*broadcast(self._batch, x.shape[:-2]), self._columns if adjoint else self._rows, x.shape[-1]), self.dtype
        )

    def _to_dense(self) -> Any:
        return zeros(self._shape(), self.dtype)

    def _adjoint(self) -> LinearOperator:
        return LinearOperatorZeros(self._columns, self._rows, self._batch, self.dtype, is_square=self.is_square)


class LinearOperatorDiag(LinearOperator):
    """A diagonal matrix [..., n, n] of its diagonal [..., n].

    >>> import tensorsmith as tf
    >>> tf.linalg.LinearOperatorDiag([1.0, 2.0]).matvec([3.0, 4.0]).numpy()
    array([3., 8.], dtype=float32)
    """

    def __init__(
        self, diag: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str | None = "LinearOperatorDiag",
    ) -> None:  # fmt: skip
        self._diag = tensor_of(diag, "LinearOperatorDiag", "diag", 1)
        dtype = self._diag.dtype
        super().__init__(
            dtype, None, is_non_singular, _real_is_self_adjoint(dtype, is_self_adjoint), is_positive_definite, True, name,
            {"diag": diag},
        )  # fmt: skip

    @property
    def diag(self) -> Any:
        return self._diag

    def _shape(self) -> Any:
        return (*self._diag.shape, self._diag.shape[-1])

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return multiply(conjugate(convert(self._diag), adjoint)[..., None], turned(x, adjoint_arg))

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return divide(turned(rhs, adjoint_arg), conjugate(convert(self._diag), adjoint)[..., None])

    def _to_dense(self) -> Any:
        return diag(self._diag)

    def _diag_part(self) -> Any:
        return convert(self._diag)

    def _determinant(self) -> Any:
        return reduce_prod(self._diag, axis=-1)

    def _log_abs_determinant(self) -> Any:
        return reduce_sum(log(absolute(self._diag)), axis=-1)

    def _eigvals(self) -> Any:
        return convert(self._diag)

    def _cond(self) -> Any:
        size = absolute(self._diag)
        return divide(reduce_max(size, axis=-1), reduce_min(size, axis=-1))

    def _adjoint(self) -> LinearOperator:
        return LinearOperatorDiag(conj(self._diag), self.is_non_singular, None, self.is_positive_definite)

    def _inverse(self) -> LinearOperator:
        return LinearOperatorDiag(reciprocal(self._diag), True, self.is_self_adjoint, self.is_positive_definite)

    def _cholesky(self) -> LinearOperator:
        return LinearOperatorDiag(sqrt(self._diag), True, True, True)


class LinearOperatorFullMatrix(LinearOperator):
    """A matrix [..., m, n] as it stands.

    >>> import tensorsmith as tf
    >>> tf.linalg.LinearOperatorFullMatrix([[1.0, 2.0], [3.0, 4.0]]).trace().numpy().item()
    5.0
    """

    def __init__(
        self, matrix: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str | None = "LinearOperatorFullMatrix",
    ) -> None:  # fmt: skip
        self._matrix = tensor_of(matrix, "LinearOperatorFullMatrix", "matrix", 2)
        super().__init__(
            self._matrix.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name,
            {"matrix": matrix},
        )  # fmt: skip

    @property
    def matrix(self) -> Any:
        return self._matrix

    def _shape(self) -> Any:
        return self._matrix.shape

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return matmul(self._matrix, x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _to_dense(self) -> Any:
        return convert(self._matrix)


class LinearOperatorLowerTriangular(LinearOperator):
    """The lower triangle of a matrix [..., n, n]; what stands above its diagonal is not looked at.

    >>> import tensorsmith as tf
    >>> tf.linalg.LinearOperatorLowerTriangular([[2.0, 9.0], [1.0, 4.0]]).solvevec([2.0, 5.0]).numpy()
    array([1., 1.], dtype=float32)
    """

    def __init__(
        self, tril: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str | None = "LinearOperatorLowerTriangular",
    ) -> None:  # fmt: skip
        self._tril = tensor_of(tril, "LinearOperatorLowerTriangular", "tril", 2)
        super().__init__(
            self._tril.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, True, name, {"tril": tril}
        )

    @property
    def tril(self) -> Any:
        return self._tril

    def _shape(self) -> Any:
        return self._tril.shape

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return matmul(self._to_dense(), x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return triangular_solve(self._tril, turned(rhs, adjoint_arg), lower=True, adjoint=adjoint)

    def _to_dense(self) -> Any:
        return band_part(self._tril, -1, 0)

    def _diag_part(self) -> Any:
        return diag_part(self._tril)

    def _determinant(self) -> Any:
        return reduce_prod(self._diag_part(), axis=-1)

    def _log_abs_determinant(self) -> Any:
        return reduce_sum(log(absolute(self._diag_part())), axis=-1)

    def _eigvals(self) -> Any:
        return self._diag_part()


class LinearOperatorPermutation(LinearOperator):
    """The matrix [..., n, n] that gives y[i] = x[perm[i]], of a permutation [..., n].

    >>> import tensorsmith as tf
    >>> tf.linalg.LinearOperatorPermutation([2, 0, 1]).matvec([1.0, 2.0, 3.0]).numpy()
    array([3., 1., 2.], dtype=float32)
    """

    def __init__(
        self, perm: Any, dtype: Any = dtypes.float32, is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str | None = "LinearOperatorPermutation",
    ) -> None:  # fmt: skip
        self._perm = convert(perm)
        if not self._perm.dtype.is_integer or not self._perm.ndim:
            raise ValueError(f"LinearOperatorPermutation: perm must be integers [..., n], not {describe(self._perm)}.")
        super().__init__(
            dtype, None, True, is_self_adjoint, is_positive_definite, True, name, {"perm": perm, "dtype": dtype}
        )

    @property
    def perm(self) -> Any:
        return self._perm

    def _shape(self) -> Any:
        return (*self._perm.shape, self._perm.shape[-1])

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return matmul(self._to_dense(), x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._matmul(rhs, not adjoint, adjoint_arg)

    def _to_dense(self) -> Any:
        return one_hot(self._perm, self._perm.shape[-1], dtype=self.dtype)

    def _determinant(self) -> Any:
        return det(self._to_dense())

    def _log_abs_determinant(self) -> Any:
        return zeros(self._perm.shape[:-1], self.dtype.real_dtype)

    def _cond(self) -> Any:
        return ones(self._perm.shape[:-1], self.dtype.real_dtype)


class LinearOperatorHouseholder(LinearOperator):
    """The reflection [..., n, n] that turns an axis [..., n] around: I - 2 v v^H / |v|**2.

    >>> import tensorsmith as tf
    >>> tf.linalg.LinearOperatorHouseholder([1.0, 0.0]).matvec([3.0, 4.0]).numpy()
    array([-3.,  4.], dtype=float32)
    """

    def __init__(
        self, reflection_axis: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str | None = "LinearOperatorHouseholder",
    ) -> None:  # fmt: skip
        self._axis = tensor_of(reflection_axis, "LinearOperatorHouseholder", "reflection_axis", 1)
        if is_positive_definite:
            raise ValueError("LinearOperatorHouseholder: a reflection is not positive definite.")
        super().__init__(
            self._axis.dtype, None, True, True, is_positive_definite, True, name, {"reflection_axis": reflection_axis}
        )

    @property
    def reflection_axis(self) -> Any:
        return self._axis

    def _shape(self) -> Any:
        return (*self._axis.shape, self._axis.shape[-1])

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x, v = turned(x, adjoint_arg), convert(self._axis)[..., None]
        along = divide(matmul(v, x, adjoint_a=True), matmul(v, v, adjoint_a=True))
        return subtract(x, multiply(matmul(v, along), 2))

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._matmul(rhs, adjoint, adjoint_arg)

    def _determinant(self) -> Any:
        return fill(self._axis.shape[:-1], cast(-1, self.dtype))

    def _log_abs_determinant(self) -> Any:
        return zeros(self._axis.shape[:-1], self.dtype.real_dtype)

    def _eigvals(self) -> Any:
        size = self._axis.shape[-1]
        values = subtract(ones([size], self.dtype), multiply(one_hot(0, size, dtype=self.dtype), 2))
        return broadcast_to(values, (*self._axis.shape[:-1], size))

    def _cond(self) -> Any:
        return ones(self._axis.shape[:-1], self.dtype.real_dtype)

    def _inverse(self) -> LinearOperator:
        return self


class LinearOperatorTridiag(LinearOperator):
    """A matrix [..., n, n] of three diagonals, given as `tf.linalg.tridiagonal_matmul` takes them.

    >>> import tensorsmith as tf
    >>> operator = tf.linalg.LinearOperatorTridiag([[1.0, 0.0], [2.0, 2.0], [0.0, 3.0]])
    >>> operator.to_dense().numpy()
    array([[2., 1.],
           [3., 2.]], dtype=float32)
    """

    def __init__(
        self, diagonals: Any, diagonals_format: str = "compact", is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str | None = "LinearOperatorTridiag",
    ) -> None:  # fmt: skip
        self._three = compact_diagonals(diagonals, diagonals_format, "LinearOperatorTridiag")
        self._given, self._format = diagonals, diagonals_format
        super().__init__(
            self._three.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, True, name,
            {"diagonals": diagonals, "diagonals_format": diagonals_format},
        )  # fmt: skip

    @property
    def diagonals(self) -> Any:
        return self._given

    @property
    def diagonals_format(self) -> str:
        return self._format

    def _shape(self) -> Any:
        return (*self._three.shape[:-2], self._three.shape[-1], self._three.shape[-1])

    def _turned(self, adjoint: bool) -> Any:
        if not adjoint:
            return self._three
        above, main, below = (self._three[..., i, :] for i in range(3))
        return conjugate(stack([roll(below, -1, -1), main, roll(above, 1, -1)], axis=-2), True)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return tridiagonal_matmul(self._turned(adjoint), turned(x, adjoint_arg))

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return tridiagonal_solve(self._turned(adjoint), turned(rhs, adjoint_arg))

    def _diag_part(self) -> Any:
        return self._three[..., 1, :]


def _size(value: Any, what: str) -> int:
    found = plain(value, what)
    if not isinstance(found, int) or found < 0:
        raise ValueError(f"A linear operator: {what} must be a whole number of at least 0, not {value!r}.")
    return found


def _real_is_self_adjoint(dtype: Any, told: bool | None) -> bool | None:
    return True if not dtype.is_complex else told
