"""Operators made of others: product, adjoint, inverse, Kronecker product, blocks, and a low-rank update."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import broadcast
from tensorsmith.ops.complex_numbers import conj
from tensorsmith.ops.elementwise import add, multiply, subtract
from tensorsmith.ops.linalg import matmul
from tensorsmith.ops.matrices import det, diag, slogdet, solve
from tensorsmith.ops.reductions import reduce_sum
from tensorsmith.ops.shaping import reshape, transpose
from tensorsmith.structures.linear_operator import LinearOperator, conjugate, tensor_of, turned
from tensorsmith.structures.linear_operators import (
    LinearOperatorDiag,
    LinearOperatorIdentity,
    LinearOperatorScaledIdentity,
)
from tensorsmith.tensor.convert import convert


def product(left: LinearOperator, right: LinearOperator) -> LinearOperator:
    """The operator left @ right, in its shortest form. Raises ValueError where sizes or dtypes do not fit."""
    if None not in (left.shape[-1], right.shape[-2]) and left.shape[-1] != right.shape[-2]:
        raise ValueError(
            explain("matmul", "operators do not fit", {"left": left.shape, "right": right.shape})
        )  # fmt: skip
    plain = (LinearOperatorDiag, LinearOperatorScaledIdentity)
    if isinstance(left, LinearOperatorIdentity) and len(left.shape) == 2:
        return right
    if isinstance(right, LinearOperatorIdentity) and len(right.shape) == 2:
        return left
    if isinstance(left, plain) and isinstance(right, plain):
        return LinearOperatorDiag(multiply(left.diag_part(), right.diag_part()))
    return LinearOperatorComposition([left, right])


def _same(operators: Any, who: str) -> list[LinearOperator]:
    found = list(operators)
    if not found:
        raise ValueError(f"{who}: the list of operators is empty; there must be at least one.")
    if len({operator.dtype for operator in found}) > 1:
        raise ValueError(explain(who, "operators differ in dtype", {"dtypes": [o.dtype.name for o in found]}))
    return found


def _all(values: Any) -> bool | None:
    """True when all are, else unknown."""
    return True if all(value is True for value in values) else None


def _multiplied(values: Any) -> Any:
    return functools.reduce(multiply, values)


def _batch(operators: Any) -> tuple[Any, ...]:
    found: tuple[Any, ...] = ()
    for operator in operators:
        found = tuple(broadcast(found, operator.batch_shape))
    return found


class LinearOperatorComposition(LinearOperator):
    """The product of operators, the last of which meets the vector first.

    >>> import tensorsmith as tf
    >>> twice = tf.linalg.LinearOperatorScaledIdentity(2, 2.0)
    >>> turn = tf.linalg.LinearOperatorFullMatrix([[0.0, 1.0], [1.0, 0.0]])
    >>> tf.linalg.LinearOperatorComposition([twice, turn]).matvec([1.0, 2.0]).numpy()
    array([4., 2.], dtype=float32)
    """

    def __init__(
        self, operators: Sequence[Any], is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        self._operators = _same(operators, "LinearOperatorComposition")
        for left, right in zip(self._operators, self._operators[1:]):
            if None not in (left.shape[-1], right.shape[-2]) and left.shape[-1] != right.shape[-2]:
                raise ValueError(
                    explain(
                        "LinearOperatorComposition", "operators do not fit", {"left": left.shape, "right": right.shape}
                    )
                )
        if is_non_singular is None:
            is_non_singular = _all(operator.is_non_singular for operator in self._operators)
        super().__init__(
            self._operators[0].dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name,
            {"operators": operators},
        )  # fmt: skip

    @property
    def operators(self) -> list[LinearOperator]:
        return self._operators

    def _shape(self) -> Any:
        return (*_batch(self._operators), self._operators[0].shape[-2], self._operators[-1].shape[-1])

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x = turned(x, adjoint_arg)
        for operator in self._operators if adjoint else reversed(self._operators):
            x = operator.matmul(x, adjoint=adjoint)
        return x

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        rhs = turned(rhs, adjoint_arg)
        for operator in reversed(self._operators) if adjoint else self._operators:
            rhs = operator.solve(rhs, adjoint=adjoint)
        return rhs

    def _determinant(self) -> Any:
        if not all(operator.is_square for operator in self._operators):
            return super()._determinant()
        return _multiplied(operator.determinant() for operator in self._operators)

    def _log_abs_determinant(self) -> Any:
        if not all(operator.is_square for operator in self._operators):
            return super()._log_abs_determinant()
        return functools.reduce(add, (operator.log_abs_determinant() for operator in self._operators))

    def _adjoint(self) -> LinearOperator:
        return LinearOperatorComposition(
            [operator.adjoint() for operator in reversed(self._operators)], self.is_non_singular
        )

    def _inverse(self) -> LinearOperator:
        if not all(operator.is_square for operator in self._operators):
            return super()._inverse()
        return LinearOperatorComposition([operator.inverse() for operator in reversed(self._operators)], True)


class LinearOperatorAdjoint(LinearOperator):
    """The conjugate transpose of an operator.

    >>> import tensorsmith as tf
    >>> matrix = tf.linalg.LinearOperatorFullMatrix([[1.0, 2.0], [3.0, 4.0]])
    >>> tf.linalg.LinearOperatorAdjoint(matrix).to_dense().numpy()
    array([[1., 3.],
           [2., 4.]], dtype=float32)
    """

    def __init__(
        self, operator: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        self._operator = operator
        super().__init__(
            operator.dtype, None, _either(is_non_singular, operator.is_non_singular),
            _either(is_self_adjoint, operator.is_self_adjoint),
            _either(is_positive_definite, operator.is_positive_definite), _either(is_square, operator.is_square), name,
            {"operator": operator},
        )  # fmt: skip

    @property
    def operator(self) -> LinearOperator:
        return self._operator

    def _shape(self) -> Any:
        shape = self._operator.shape
        return (*shape[:-2], shape[-1], shape[-2])

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.matmul(x, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.solve(rhs, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _determinant(self) -> Any:
        return conjugate(self._operator.determinant(), True)

    def _log_abs_determinant(self) -> Any:
        return self._operator.log_abs_determinant()

    def _diag_part(self) -> Any:
        return conjugate(self._operator.diag_part(), True)

    def _cond(self) -> Any:
        return self._operator.cond()

    def _adjoint(self) -> LinearOperator:
        return self._operator


class LinearOperatorInversion(LinearOperator):
    """The inverse of an operator: its products are that one's solutions.

    >>> import tensorsmith as tf
    >>> matrix = tf.linalg.LinearOperatorFullMatrix([[2.0, 0.0], [0.0, 4.0]])
    >>> tf.linalg.LinearOperatorInversion(matrix).matvec([2.0, 4.0]).numpy()
    array([1., 1.], dtype=float32)
    """

    def __init__(
        self, operator: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        self._operator = operator
        if operator.is_non_singular is False or is_non_singular is False:
            raise ValueError("LinearOperatorInversion: the operator is singular.")
        super().__init__(
            operator.dtype, None, True, _either(is_self_adjoint, operator.is_self_adjoint),
            _either(is_positive_definite, operator.is_positive_definite), _either(is_square, operator.is_square), name,
            {"operator": operator},
        )  # fmt: skip

    @property
    def operator(self) -> LinearOperator:
        return self._operator

    def _shape(self) -> Any:
        return self._operator.shape

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.solve(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.matmul(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _determinant(self) -> Any:
        return 1 / self._operator.determinant()

    def _log_abs_determinant(self) -> Any:
        return -self._operator.log_abs_determinant()

    def _cond(self) -> Any:
        return self._operator.cond()

    def _inverse(self) -> LinearOperator:
        return self._operator


class LinearOperatorKronecker(LinearOperator):
    """The Kronecker product of square or other matrices: blocks left[i, j] * right.

    >>> import tensorsmith as tf
    >>> left, right = tf.linalg.LinearOperatorDiag([1.0, 2.0]), tf.linalg.LinearOperatorFullMatrix([[1.0, 1.0]])
    >>> tf.linalg.LinearOperatorKronecker([left, right]).to_dense().numpy()
    array([[1., 1., 0., 0.],
           [0., 0., 2., 2.]], dtype=float32)
    """

    def __init__(
        self, operators: Sequence[Any], is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        self._operators = _same(operators, "LinearOperatorKronecker")
        promises = []
        for told, promise in [
            (is_non_singular, "is_non_singular"), (is_self_adjoint, "is_self_adjoint"),
            (is_positive_definite, "is_positive_definite"),
        ]:  # fmt: skip
            promises.append(_all(getattr(o, promise) for o in self._operators) if told is None else told)
        super().__init__(
            self._operators[0].dtype,
            None,
            promises[0],
            promises[1],
            promises[2],
            is_square,
            name,
            {"operators": operators},
        )

    @property
    def operators(self) -> list[LinearOperator]:
        return self._operators

    def _shape(self) -> Any:
        rows = [operator.shape[-2] for operator in self._operators]
        columns = [operator.shape[-1] for operator in self._operators]
        return (*_batch(self._operators), math.prod(rows), math.prod(columns))

    def _along(self, x: Any, method: str, adjoint: bool) -> Any:
        """Each operator on its own axis of x, whose rows are taken as a block of axes."""
        back = adjoint == (method == "matmul")
        sizes = [operator.shape[-2 if back else -1] for operator in self._operators]
        batch = tuple(x.shape[:-2])
        x, place = reshape(x, (*batch, *sizes, x.shape[-1])), len(batch)
        rank = len(x.shape)
        for i, operator in enumerate(self._operators):
            # batches of the operators stand before all: the axis goes last but one, the columns stay last
            order = list(range(rank))
            order.insert(rank - 2, order.pop(place + i))
            moved = getattr(operator, method)(transpose(x, order), adjoint=adjoint)
            x = transpose(moved, [order.index(axis) for axis in range(rank)])
        return reshape(x, (*batch, math.prod(x.shape[place:-1]), x.shape[-1]))

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x = turned(x, adjoint_arg)
        if _batch(self._operators):
            return matmul(self._to_dense(), x, adjoint_a=adjoint)
        return self._along(x, "matmul", adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        rhs = turned(rhs, adjoint_arg)
        if _batch(self._operators) or not all(operator.is_square for operator in self._operators):
            return solve(self._to_dense(), rhs, adjoint=adjoint)
        return self._along(rhs, "solve", adjoint)

    def _to_dense(self) -> Any:
        def join(left: Any, right: Any) -> Any:
            found = multiply(left[..., :, None, :, None], right[..., None, :, None, :])
            *batch, a, b, c, e = found.shape
            return reshape(found, (*batch, a * b, c * e))

        return functools.reduce(join, (operator.to_dense() for operator in self._operators))

    def _spread(self, values: Any) -> Any:
        """All products of one value of each operator, [..., n]."""

        def join(left: Any, right: Any) -> Any:
            found = multiply(left[..., :, None], right[..., None, :])
            return reshape(found, (*found.shape[:-2], found.shape[-2] * found.shape[-1]))

        return functools.reduce(join, values)

    def _square_parts(self) -> bool:
        return all(operator.is_square for operator in self._operators)

    def _diag_part(self) -> Any:
        if not self._square_parts():
            return super()._diag_part()
        return self._spread(operator.diag_part() for operator in self._operators)

    def _trace(self) -> Any:
        if not self._square_parts():
            return super()._trace()
        return _multiplied(operator.trace() for operator in self._operators)

    def _determinant(self) -> Any:
        if not self._square_parts():
            return super()._determinant()
        size = self.shape[-1]
        return _multiplied(operator.determinant() ** (size // operator.shape[-1]) for operator in self._operators)

    def _log_abs_determinant(self) -> Any:
        if not self._square_parts():
            return super()._log_abs_determinant()
        size = self.shape[-1]
        parts = (operator.log_abs_determinant() * float(size // operator.shape[-1]) for operator in self._operators)
        return functools.reduce(add, parts)

    def _adjoint(self) -> LinearOperator:
        return LinearOperatorKronecker([operator.adjoint() for operator in self._operators])

    def _inverse(self) -> LinearOperator:
        if not self._square_parts():
            return super()._inverse()
        return LinearOperatorKronecker([operator.inverse() for operator in self._operators])


class LinearOperatorLowRankUpdate(LinearOperator):
    """base + U diag(d) V^H, with U and V of few columns: systems are solved through the base.

    base_operator: [..., m, n]; u: [..., m, k]; diag_update: [..., k], by default ones; v: [..., n, k], by default u.
    Source: Woodbury (1950), Inverting modified matrices.

    >>> import tensorsmith as tf
    >>> base = tf.linalg.LinearOperatorIdentity(2)
    >>> tf.linalg.LinearOperatorLowRankUpdate(base, [[1.0], [0.0]]).solvevec([4.0, 3.0]).numpy()
    array([2., 3.], dtype=float32)
    """

    def __init__(
        self, base_operator: Any, u: Any, diag_update: Any = None, v: Any = None,
        is_diag_update_positive: bool | None = None, is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str | None = "LinearOperatorLowRankUpdate",
    ) -> None:  # fmt: skip
        who = "LinearOperatorLowRankUpdate"
        self._base, self._u = base_operator, tensor_of(u, who, "u", 2)
        self._v = self._u if v is None else tensor_of(v, who, "v", 2)
        self._update = None if diag_update is None else tensor_of(diag_update, who, "diag_update", 1)
        self._positive = True if diag_update is None else is_diag_update_positive
        if v is None and base_operator.is_self_adjoint and (diag_update is None or not self._u.dtype.is_complex):
            is_self_adjoint = True if is_self_adjoint is None else is_self_adjoint
            if base_operator.is_positive_definite and self._positive:
                is_positive_definite = True if is_positive_definite is None else is_positive_definite
        super().__init__(
            base_operator.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name,
            {"base_operator": base_operator, "u": u, "diag_update": diag_update, "v": v},
        )  # fmt: skip

    @property
    def base_operator(self) -> LinearOperator:
        return self._base

    @property
    def u(self) -> Any:
        return self._u

    @property
    def v(self) -> Any:
        return self._v

    @property
    def diag_update(self) -> Any:
        return self._update

    @property
    def is_diag_update_positive(self) -> bool | None:
        return self._positive

    def _shape(self) -> Any:
        batch = broadcast(self._base.batch_shape, broadcast(self._u.shape[:-2], self._v.shape[:-2]))
        if self._update is not None:
            batch = broadcast(batch, self._update.shape[:-1])
        return (*batch, *self._base.shape[-2:])

    def _scaled(self, x: Any, adjoint: bool = False) -> Any:
        return x if self._update is None else multiply(conjugate(convert(self._update), adjoint)[..., None], x)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x = turned(x, adjoint_arg)
        left, right = (self._v, self._u) if adjoint else (self._u, self._v)
        return add(
            self._base.matmul(x, adjoint=adjoint),
            matmul(left, self._scaled(matmul(right, x, adjoint_a=True), adjoint)),
        )

    def _capacity(self, adjoint: bool = False) -> Any:
        """D^-1 + V^H base^-1 U, [..., k, k]."""
        left, right = (self._v, self._u) if adjoint else (self._u, self._v)
        inner = matmul(right, self._base.solve(left, adjoint=adjoint), adjoint_a=True)
        if self._update is None:
            return add(inner, LinearOperatorIdentity(self._u.shape[-1], dtype=self.dtype).to_dense())
        return add(inner, diag(1 / conjugate(convert(self._update), adjoint)))

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        left, right = (self._v, self._u) if adjoint else (self._u, self._v)
        first = self._base.solve(turned(rhs, adjoint_arg), adjoint=adjoint)
        inner = solve(self._capacity(adjoint), matmul(right, first, adjoint_a=True))
        return subtract(first, self._base.solve(matmul(left, inner), adjoint=adjoint))

    def _determinant(self) -> Any:
        found = multiply(self._base.determinant(), det(self._capacity()))
        return found if self._update is None else multiply(found, LinearOperatorDiag(self._update).determinant())

    def _log_abs_determinant(self) -> Any:
        found = add(self._base.log_abs_determinant(), slogdet(self._capacity()).log_abs_determinant)
        if self._update is None:
            return found
        return add(found, LinearOperatorDiag(self._update).log_abs_determinant())

    def _diag_part(self) -> Any:
        v = conj(self._v) if self._v.dtype.is_complex else self._v
        scaled = self._u if self._update is None else multiply(self._u, convert(self._update)[..., None, :])
        return add(self._base.diag_part(), reduce_sum(multiply(scaled, v), axis=-1))


def _either(told: bool | None, found: bool | None) -> bool | None:
    return found if told is None else told
