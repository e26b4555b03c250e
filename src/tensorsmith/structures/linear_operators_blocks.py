"""Operators of blocks: along the diagonal, and on and below it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import broadcast
from tensorsmith.ops.creation import zeros
from tensorsmith.ops.elementwise import add, multiply, subtract
from tensorsmith.ops.shaping import broadcast_to, concat, split
from tensorsmith.structures.linear_operator import LinearOperator, turned


def _joined(parts: list[Any], axis: int) -> Any:
    """Tensors one after another along an axis, their leading axes broadcast."""
    batch: tuple[Any, ...] = ()
    for part in parts:
        batch = tuple(broadcast(batch, part.shape[: axis if axis == -1 else -2]))
    kept = 1 if axis == -1 else 2
    return concat([broadcast_to(part, (*batch, *part.shape[-kept:])) for part in parts], axis)


class _Blocks(LinearOperator):
    """What has square blocks on its diagonal, and takes vectors in as many pieces."""

    _diagonal: list[LinearOperator]

    def _batches(self) -> list[Any]:
        return [operator.batch_shape for operator in self._diagonal]

    def _shape(self) -> Any:
        rows = [operator.shape[-2] for operator in self._diagonal]
        columns = [operator.shape[-1] for operator in self._diagonal]
        batch: tuple[Any, ...] = ()
        for each in self._batches():
            batch = tuple(broadcast(batch, each))
        return (
            *batch,
            None if None in rows else sum(rows),
            None if None in columns else sum(columns),
        )

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str | None = None) -> Any:
        """The product with matrices x [..., n, k], or with a list of their pieces, which gives a list."""
        if isinstance(x, (list, tuple)) and x and hasattr(x[0], "shape"):
            whole = super().matmul(_joined([turned(part, adjoint_arg) for part in x], -2), adjoint=adjoint)
            return split(whole, [operator.shape[-1 if adjoint else -2] for operator in self._diagonal], -2)
        return super().matmul(x, adjoint, adjoint_arg)

    def _pieces(self, x: Any, back: bool) -> list[Any]:
        return list(split(x, [operator.shape[-2 if back else -1] for operator in self._diagonal], -2))

    def _diag_part(self) -> Any:
        if not all(operator.is_square for operator in self._diagonal):
            return super()._diag_part()
        return _joined([operator.diag_part() for operator in self._diagonal], -1)

    def _determinant(self) -> Any:
        if not all(operator.is_square for operator in self._diagonal):
            return super()._determinant()
        return functools.reduce(multiply, (operator.determinant() for operator in self._diagonal))

    def _log_abs_determinant(self) -> Any:
        if not all(operator.is_square for operator in self._diagonal):
            return super()._log_abs_determinant()
        return functools.reduce(add, (operator.log_abs_determinant() for operator in self._diagonal))


class LinearOperatorBlockDiag(_Blocks):
    """Operators along the diagonal of a matrix, zeros beside.

    >>> import tensorsmith as tf
    >>> parts = [tf.linalg.LinearOperatorIdentity(1), tf.linalg.LinearOperatorDiag([2.0, 3.0])]
    >>> tf.linalg.LinearOperatorBlockDiag(parts).matvec([1.0, 1.0, 1.0]).numpy()
    array([1., 2., 3.], dtype=float32)
    """

    def __init__(
        self, operators: Sequence[Any], is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = True, name: str | None = None,
    ) -> None:  # fmt: skip
        self._diagonal = list(operators)
        if not self._diagonal:
            raise ValueError("LinearOperatorBlockDiag: the list of operators is empty; there must be at least one.")
        promises = []
        for told, promise in [
            (is_non_singular, "is_non_singular"), (is_self_adjoint, "is_self_adjoint"),
            (is_positive_definite, "is_positive_definite"),
        ]:  # fmt: skip
            kept = all(getattr(operator, promise) for operator in self._diagonal)
            promises.append((True if kept else None) if told is None else told)
        square = all(operator.is_square is not False for operator in self._diagonal)
        super().__init__(
            self._diagonal[0].dtype,
            None,
            promises[0],
            promises[1],
            promises[2],
            is_square if square else None,
            name,
            {"operators": operators},
        )

    @property
    def operators(self) -> list[LinearOperator]:
        return self._diagonal

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        pieces = self._pieces(turned(x, adjoint_arg), adjoint)
        return _joined([o.matmul(piece, adjoint=adjoint) for o, piece in zip(self._diagonal, pieces)], -2)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        pieces = self._pieces(turned(rhs, adjoint_arg), not adjoint)
        return _joined([o.solve(piece, adjoint=adjoint) for o, piece in zip(self._diagonal, pieces)], -2)

    def _eigvals(self) -> Any:
        if not all(operator.is_square for operator in self._diagonal):
            return super()._eigvals()
        return _joined([operator.eigvals() for operator in self._diagonal], -1)

    def _adjoint(self) -> LinearOperator:
        return LinearOperatorBlockDiag([operator.adjoint() for operator in self._diagonal])

    def _inverse(self) -> LinearOperator:
        return LinearOperatorBlockDiag([operator.inverse() for operator in self._diagonal])


class LinearOperatorBlockLowerTriangular(_Blocks):
    """Operators on and below the diagonal of a matrix, a list of rows: [[a], [b, c], [d, e, f]]; zeros above.

    >>> import tensorsmith as tf
    >>> one, full = tf.linalg.LinearOperatorIdentity(1), tf.linalg.LinearOperatorFullMatrix([[5.0]])
    >>> tf.linalg.LinearOperatorBlockLowerTriangular([[one], [full, one]]).solvevec([1.0, 6.0]).numpy()
    array([1., 1.], dtype=float32)
    """

    def __init__(
        self, operators: Sequence[Any], is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str | None = "LinearOperatorBlockLowerTriangular",
    ) -> None:  # fmt: skip
        self._rows = [list(row) for row in operators]
        lengths = [len(row) for row in self._rows]
        if not lengths or lengths != list(range(1, len(lengths) + 1)):
            raise ValueError(
                explain(
                    "LinearOperatorBlockLowerTriangular", "rows are not of 1, 2, 3, ... operators", {"lengths": lengths}
                )
            )
        self._diagonal = [row[-1] for row in self._rows]
        if is_non_singular is None and all(operator.is_non_singular for operator in self._diagonal):
            is_non_singular = True
        super().__init__(
            self._diagonal[0].dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name,
            {"operators": operators},
        )  # fmt: skip

    @property
    def operators(self) -> list[list[LinearOperator]]:
        return self._rows

    def _batches(self) -> list[Any]:
        return [operator.batch_shape for row in self._rows for operator in row]

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        pieces = self._pieces(turned(x, adjoint_arg), adjoint)
        count = len(pieces)
        if adjoint:
            sums = [[(self._rows[i][j], pieces[i]) for i in range(j, count)] for j in range(count)]
        else:
            sums = [[(self._rows[i][j], pieces[j]) for j in range(i + 1)] for i in range(count)]
        return _joined(
            [functools.reduce(add, (o.matmul(piece, adjoint=adjoint) for o, piece in parts)) for parts in sums], -2
        )

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        pieces = self._pieces(turned(rhs, adjoint_arg), not adjoint)
        count = len(pieces)
        found: dict[int, Any] = {}
        for i in reversed(range(count)) if adjoint else range(count):
            left = pieces[i]
            for j, known in found.items():
                operator = self._rows[j][i] if adjoint else self._rows[i][j]
                left = subtract(left, operator.matmul(known, adjoint=adjoint))
            found[i] = self._diagonal[i].solve(left, adjoint=adjoint)
        return _joined([found[i] for i in range(count)], -2)

    def _to_dense(self) -> Any:
        rows = []
        for i, row in enumerate(self._rows):
            above = [
                zeros((self._diagonal[i].shape[-2], self._diagonal[j].shape[-1]), self.dtype)
                for j in range(i + 1, len(self._rows))
            ]
            rows.append(_wide([operator.to_dense() for operator in row] + above))
        return _joined(rows, -2)


def _wide(parts: list[Any]) -> Any:
    """Matrices side by side, their leading axes broadcast."""
    batch: tuple[Any, ...] = ()
    for part in parts:
        batch = tuple(broadcast(batch, part.shape[:-2]))
    return concat([broadcast_to(part, (*batch, *part.shape[-2:])) for part in parts], -1)
