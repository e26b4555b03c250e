"""enable_check_numerics: every operation's result is looked at for NaN and infinities, and the first one is told.

Eager, the one who looks listens like a tape, and nobody pays for it while it does not; to a program that is traced
meanwhile each operation adds a check.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import context
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.places import users_place
from tensorsmith.core.specs import describe
from tensorsmith.ops.debugging import hold
from tensorsmith.ops.rounding import is_finite
from tensorsmith.program.op import Op
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local

# what only moves values, or makes them from settings: NaN in their results was there before, or was asked for
_MOVE = frozenset(
    """
    assigned boolean_mask broadcast_to concat expand_dims fill gather gather_nd getitem identity matrix_transpose pad
    repeat reshape reverse roll scatter_nd split squeeze stack stop_gradient tile transpose unstack where
    """.split()
)


class _Watcher:
    """Listens to the operations of a thread as a tape does."""

    def record(self, call: tuple[Op, list, dict, Any], /) -> None:
        op, inputs, _, results = call
        if op.name in _MOVE:
            return
        for at, result in enumerate(_floats(results)):
            if isinstance(result, Symbol):
                continue
            wrong = _kinds(result._array)
            if wrong:
                place = users_place()
                given = {f"input {i}": describe(value) for i, value in enumerate(_leaves(inputs))}
                given = {f"result {at}": describe(result), **dict(list(given.items())[:4])}
                text = explain(op.name, f"its result has {wrong}", given)
                raise InvalidArgumentError(f"{text} Called at {place}." if place else text)

    def knows(self, tensor: Any) -> bool:
        """It asks for no derivative."""
        return False

    def note_read(self, variable: Any, value: Any) -> None:
        """What a variable holds was the result of an operation."""


_WATCHER = _Watcher()


def _floats(results: Any) -> list[Tensor]:
    found = results if isinstance(results, (list, tuple)) else [results]
    return [r for r in found if isinstance(r, Tensor) and (r.dtype.is_floating or r.dtype.is_complex)]


def _leaves(inputs: Any) -> list[Any]:
    return [part for value in inputs for part in (value if isinstance(value, list) else [value]) if part is not None]


def _kinds(array: Any) -> str:
    """How many elements are NaN or infinite, in words; "" for none."""
    array = np.asarray(array)
    if array.dtype.kind not in "fc":
        array = array.astype(np.float32)  # bfloat16
    if np.isfinite(array).all():
        return ""
    nan = np.isnan(array)
    inf = ~np.isfinite(array) & ~nan
    counts = [f"{int(n)} {what}" for n, what in ((nan.sum(), "NaN"), (inf.sum(), "Inf")) if n]
    return " and ".join(counts) + (f" among {array.size} elements" if counts and array.size > 1 else "")


def _look(op: Op, results: list[Symbol]) -> None:
    """Adds a check of the results of a node."""
    if op.name in _MOVE:
        return
    look, _local.looks_at_results = _local.looks_at_results, None
    try:
        for at, result in enumerate(_floats(results)):
            told = "its result has NaN or Inf" if len(results) == 1 else f"its result {at} has NaN or Inf"
            hold(op.name, is_finite(result), {"result": result}, told)
    finally:
        _local.looks_at_results = look


def enable_check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> None:
    """From here on an operation on this thread whose result has NaN or an infinity raises InvalidArgumentError.

    The message names the operation, its inputs and the user's line. It holds for operations that run at once, for gradients,
    and for functions (and models) that are traced from here on. What only moves values is not looked at. Each operation
    costs some 5 µs more, and one pass over its result.

    stack_height_limit, path_length_limit  taken, but of no effect: the message names one line.

    >>> import tensorsmith as tf
    >>> tf.debugging.enable_check_numerics()
    >>> try:
    ...     tf.math.log([1.0, -1.0])
    ... except tf.errors.InvalidArgumentError as error:
    ...     print(str(error).partition(";")[0].partition(" Called")[0])
    ... finally:
    ...     tf.debugging.disable_check_numerics()
    log: its result has 1 NaN among 2 elements (result 0=float32(2,), input 0=float32(2,)).
    """
    if _local.looks_at_results is None:
        _local.looks_at_results = _look
        _local.tapes.insert(0, _WATCHER)
        context.busy.append(_WATCHER)


def disable_check_numerics() -> None:
    """Ends `enable_check_numerics` on this thread; functions traced meanwhile keep their checks.

    >>> import tensorsmith as tf
    >>> tf.debugging.disable_check_numerics()
    """
    if _local.looks_at_results is not None:
        _local.looks_at_results = None
        if _WATCHER in _local.tapes:
            _local.tapes.remove(_WATCHER)
        context.busy.remove(_WATCHER)
