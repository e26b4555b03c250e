"""Operators whose products are convolutions, computed by Fourier transforms: circulant and Toeplitz matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.shapes import broadcast
from tensorsmith.ops.casting import cast
from tensorsmith.ops.circulant import circulant_kernel, circulant_product, toeplitz_dense, toeplitz_product
from tensorsmith.ops.complex_numbers import conj, real
from tensorsmith.ops.elementwise import abs as absolute
from tensorsmith.ops.elementwise import divide, log, reciprocal
from tensorsmith.ops.reductions import reduce_max, reduce_mean, reduce_min, reduce_prod, reduce_sum
from tensorsmith.ops.shaping import broadcast_to, reshape
from tensorsmith.structures.linear_operator import LinearOperator, tensor_of, turned
from tensorsmith.tensor.convert import convert


class _Circulant(LinearOperator):
    """The matrix [..., n, n] that Fourier transforms of `_depth` axes make diagonal: F^-1 diag(spectrum) F."""

    _depth = 1

    def __init__(
        self, spectrum: Any, input_output_dtype: Any = dtypes.complex64, is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None, is_square: bool | None = True,
        name: str | None = None,
    ) -> None:  # fmt: skip
        self._spectrum = tensor_of(spectrum, type(self).__name__, "spectrum", self._depth)
        if is_self_adjoint is None and not self._spectrum.dtype.is_complex:
            is_self_adjoint = True
        super().__init__(
            input_output_dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, True, name,
            {"spectrum": spectrum, "input_output_dtype": input_output_dtype},
        )  # fmt: skip

    @property
    def spectrum(self) -> Any:
        return self._spectrum

    @property
    def block_depth(self) -> int:
        return self._depth

    @property
    def block_shape(self) -> Any:
        """The sizes of the axes that are transformed."""
        return self._spectrum.shape[-self._depth :]

    def _shape(self) -> Any:
        size = math.prod(self.block_shape)
        return (*self._spectrum.shape[: -self._depth], size, size)

    def _complex_spectrum(self) -> Any:
        wide = self._spectrum.dtype.size > 4 if not self._spectrum.dtype.is_complex else self._spectrum.dtype.size > 8
        return cast(self._spectrum, dtypes.complex128 if wide else dtypes.complex64)

    def _flat(self) -> Any:
        """The spectrum [..., n]."""
        found = self._complex_spectrum()
        return reshape(found, (*found.shape[: -self._depth], math.prod(self.block_shape)))

    def _by(self, spectrum: Any, x: Any) -> Any:
        return circulant_product(spectrum, x, depth=self._depth)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        spectrum = self._complex_spectrum()
        return self._by(conj(spectrum) if adjoint else spectrum, turned(x, adjoint_arg))

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        spectrum = reciprocal(self._complex_spectrum())
        return self._by(conj(spectrum) if adjoint else spectrum, turned(rhs, adjoint_arg))

    def convolution_kernel(self, name: str | None = None) -> Any:
        """The kernel with which the product convolves: the inverse transform of the spectrum."""
        return cast(circulant_kernel(self._complex_spectrum(), depth=self._depth), self.dtype)

    def assert_hermitian_spectrum(self, name: str | None = None) -> None:
        """Raises InvalidArgumentError where the convolution kernel is not real, so that real vectors would not stay so."""
        kernel = circulant_kernel(self._complex_spectrum(), depth=self._depth)
        off = reduce_max(absolute(kernel - conj(kernel)))
        near = np.finfo(self.dtype.as_numpy_dtype).eps * 64
        self._assert(off <= near * reduce_max(absolute(kernel)), "not real: its spectrum is not Hermitian")

    def _own(self, value: Any) -> Any:
        return value if self.dtype.is_complex else cast(real(value), self.dtype)

    def _diag_part(self) -> Any:
        mean = self._own(reduce_mean(self._flat(), axis=-1))
        return broadcast_to(mean[..., None], (*mean.shape, math.prod(self.block_shape)))

    def _trace(self) -> Any:
        return self._own(reduce_sum(self._flat(), axis=-1))

    def _determinant(self) -> Any:
        return self._own(reduce_prod(self._flat(), axis=-1))

    def _log_abs_determinant(self) -> Any:
        return reduce_sum(log(absolute(self._flat())), axis=-1)

    def _eigvals(self) -> Any:
        return self._flat()

    def _cond(self) -> Any:
        size = absolute(self._flat())
        return divide(reduce_max(size, axis=-1), reduce_min(size, axis=-1))

    def _adjoint(self) -> LinearOperator:
        return type(self)(conj(self._spectrum), self.dtype, self.is_non_singular)

    def _inverse(self) -> LinearOperator:
        return type(self)(reciprocal(self._spectrum), self.dtype, True, self.is_self_adjoint, self.is_positive_definite)


class LinearOperatorCirculant(_Circulant):
    """A circulant matrix: each row is the one above, turned by one place; given by its spectrum [..., n].

    >>> import tensorsmith as tf
    >>> operator = tf.linalg.LinearOperatorCirculant([4.0, 2.0], input_output_dtype=tf.float32)
    >>> operator.to_dense().numpy()
    array([[3., 1.],
           [1., 3.]], dtype=float32)
    """


class LinearOperatorCirculant2D(_Circulant):
    """A block-circulant matrix of circulant blocks, given by its spectrum [..., n, m]: vectors are pictures, row by row.

    >>> import tensorsmith as tf
    >>> tf.linalg.LinearOperatorCirculant2D(tf.ones([2, 3])).shape
    TensorShape([6, 6])
    """

    _depth = 2


class LinearOperatorCirculant3D(_Circulant):
    """A matrix of three levels of circulant blocks, given by its spectrum [..., n, m, k].

    >>> import tensorsmith as tf
    >>> tf.linalg.LinearOperatorCirculant3D(tf.ones([2, 3, 2])).shape
    TensorShape([12, 12])
    """

    _depth = 3


class LinearOperatorToeplitz(LinearOperator):
    """A matrix [..., n, n] with one value along each diagonal, of its first column and its first row [..., n].

    The first element of `col` stands where both meet.

    >>> import tensorsmith as tf
    >>> tf.linalg.LinearOperatorToeplitz(col=[1.0, 2.0], row=[1.0, 3.0]).to_dense().numpy()
    array([[1., 3.],
           [2., 1.]], dtype=float32)
    """

    def __init__(
        self, col: Any, row: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str | None = "LinearOperatorToeplitz",
    ) -> None:  # fmt: skip
        self._col = tensor_of(col, "LinearOperatorToeplitz", "col", 1)
        self._row = tensor_of(row, "LinearOperatorToeplitz", "row", 1)
        super().__init__(
            self._col.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, True, name,
            {"col": col, "row": row},
        )  # fmt: skip

    @property
    def col(self) -> Any:
        return self._col

    @property
    def row(self) -> Any:
        return self._row

    def _shape(self) -> Any:
        size = self._col.shape[-1]
        return (*broadcast(self._col.shape[:-1], self._row.shape[:-1]), size, size)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        col, row = convert(self._col), convert(self._row)
        if adjoint:
            # the corner is the column's
            col, row = (conj(row), conj(col)) if col.dtype.is_complex else (row, col)
            return toeplitz_product(col, row, turned(x, adjoint_arg), corner="row")
        return toeplitz_product(col, row, turned(x, adjoint_arg))

    def _to_dense(self) -> Any:
        return toeplitz_dense(self._col, self._row)

    def _diag_part(self) -> Any:
        corner = convert(self._col)[..., :1]
        return broadcast_to(corner, self._shape()[:-1])
