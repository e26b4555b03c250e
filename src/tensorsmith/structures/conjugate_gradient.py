"""Systems of equations solved with products alone: conjugate gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

from tensorsmith.core.errors import explain
from tensorsmith.function.control_flow import while_loop
from tensorsmith.ops.complex_numbers import conj
from tensorsmith.ops.creation import zeros_like
from tensorsmith.ops.elementwise import divide_no_nan
from tensorsmith.ops.linalg import norm
from tensorsmith.ops.reductions import reduce_any, reduce_sum
from tensorsmith.ops.shaping import broadcast_static_shape, broadcast_to, expand_dims
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class CGState(NamedTuple):
    """Where conjugate gradients stand: rounds done, solution, residual, direction, and residual . preconditioned residual."""

    i: Any
    x: Any
    r: Any
    p: Any
    gamma: Any


def conjugate_gradient(
    operator: Any, rhs: Any, preconditioner: Any = None, x: Any = None, tol: Any = 1e-5, max_iter: Any = 20,
    name: str = "conjugate_gradient",
) -> CGState:  # fmt: skip
    """x of A x = rhs, for a positive definite operator A of which only products are asked.

    operator: a `tf.linalg.LinearOperator` that says that it is self-adjoint and positive definite; n x n.
    rhs: [..., n]. x: a first guess, 0 by default.
    preconditioner: an operator that is near the inverse of A; the nearer, the fewer rounds.
    The rounds end when the residual rhs - A x of each system is at most `tol` times as long as rhs, or after `max_iter`.

    -> CGState(i, x, r, p, gamma): rounds done, the solution, its residual, the next direction, and r . M r, M being the
    preconditioner. Raises ValueError for an operator that does not promise what is needed.
    Source: Hestenes and Stiefel (1952), Methods of conjugate gradients for solving linear systems.

    >>> import tensorsmith as tf
    >>> A = tf.linalg.LinearOperatorFullMatrix([[2.0, 1.0], [1.0, 3.0]], is_self_adjoint=True, is_positive_definite=True)
    >>> state = tf.linalg.experimental.conjugate_gradient(A, [3.0, 4.0])
    >>> state.i.numpy().item(), state.x.numpy().round(4)
    (2, array([1., 1.], dtype=float32))
    """
    if not (operator.is_self_adjoint and operator.is_positive_definite):
        given = {"self-adjoint": operator.is_self_adjoint, "positive definite": operator.is_positive_definite}
        raise ValueError(
            explain(name, "the operator does not promise that it is self-adjoint and positive definite", given, "",
                    "Say so where it is made: is_self_adjoint=True, is_positive_definite=True.")
        )  # fmt: skip
    rhs = convert(rhs, operator.dtype) if not isinstance(rhs, Tensor) else rhs
    right = _spread(rhs, operator, preconditioner)
    enough = tol * norm(right, axis=-1)
    guess = zeros_like(right) if x is None else _spread(convert(x), operator, preconditioner) + zeros_like(right)
    residual = right if x is None else right - operator.matvec(guess)
    direction = residual if preconditioner is None else preconditioner.matvec(residual)

    def goes_on(state: CGState) -> Any:
        return reduce_any(norm(state.r, axis=-1) > enough)

    def round_(state: CGState) -> list[CGState]:
        image = operator.matvec(state.p)
        # of systems that are solved exactly while others go on the direction is 0
        step = expand_dims(divide_no_nan(state.gamma, _dot(state.p, image)), -1)
        residual = state.r - step * image
        ahead = residual if preconditioner is None else preconditioner.matvec(residual)
        gamma = _dot(residual, ahead)
        turn = expand_dims(divide_no_nan(gamma, state.gamma), -1)
        return [CGState(state.i + 1, state.x + step * state.p, residual, ahead + turn * state.p, gamma)]

    start = CGState(convert(0), guess, residual, direction, _dot(residual, direction))
    return while_loop(goes_on, round_, [start], maximum_iterations=max_iter)[0]


def _dot(x: Any, y: Any) -> Any:
    return reduce_sum(conj(x) * y, axis=-1)


def _spread(x: Any, *operators: Any) -> Any:
    """x [..., n] for each system: of the shape that products have, so that the rounds keep it."""
    for operator in operators:
        if operator is None:
            continue
        if x.shape.is_fully_defined() and operator.batch_shape.is_fully_defined():
            x = broadcast_to(x, broadcast_static_shape(x.shape, operator.batch_shape.concatenate([1])))
        else:
            x = x + zeros_like(operator.matvec(x))
    return x
