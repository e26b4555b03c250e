"""ForwardAccumulator: how results move when the arguments move, computed forwards."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain, warn
from tensorsmith.state.tape import GradientTape, unconnected_choice
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_local = context.local


class ForwardAccumulator:
    """Computes products of a jacobian and a vector, forwards: one column where a tape gives one row.

    primals   tensors or variables that move, or nested lists and dicts of them.
    tangents  how fast each of them moves: the same structure, dtypes and shapes.

    What is computed inside the `with` block moves with them. Accumulators and tapes may be nested in any order, for
    second derivatives; inside a `tf.function` they work the same way.

    Raises ValueError for a primal that is no tensor or is given twice, and for tangents that do not fit.

    >>> import tensorsmith as tf
    >>> x = tf.constant([1.0, 2.0])
    >>> with tf.autodiff.ForwardAccumulator(primals=x, tangents=tf.constant([1.0, 0.0])) as acc:
    ...     y = x * x
    >>> acc.jvp(y).numpy()
    array([2., 0.], dtype=float32)
    """

    def __init__(self, primals: Any, tangents: Any) -> None:
        self._tape = GradientTape(persistent=True, watch_accessed_variables=False)
        # a tape is told of tensors by identity; a tangent stands beside each
        self._moving: list[tuple[Any, Tensor]] = []
        flat, speeds = nest.flatten(primals), nest.flatten(tangents)
        if len(flat) != len(speeds):
            raise ValueError(
                explain(
                    "ForwardAccumulator", "primals and tangents have different structures",
                    {"primals": len(flat), "tangents": len(speeds)},
                )
            )  # fmt: skip
        seen: set[int] = set()
        for primal, speed in zip(flat, speeds):
            if not isinstance(primal, (Tensor, Variable)):
                raise ValueError(
                    explain(
                        "ForwardAccumulator", f"a primal must be a tensor or a variable, not {type(primal).__name__}",
                        {"given": primal},
                        way_out="Make it a tensor first, and compute with that tensor: x = tf.constant(...).",
                    )
                )  # fmt: skip
            if id(primal) in seen:
                raise ValueError(
                    explain(
                        "ForwardAccumulator", "a primal was given twice", {"primal": primal},
                        way_out="Give it once, with the sum of the tangents.",
                    )
                )  # fmt: skip
            seen.add(id(primal))
            if primal.dtype.numpy_dtype.kind not in "fcV":
                warn(f"ForwardAccumulator: a primal must be floating (e.g. tf.float32), not {primal.dtype.name}.")
                continue
            self._moving.append((primal, _fitting(primal, speed)))

    def __enter__(self) -> ForwardAccumulator:
        self._tape.__enter__()
        for primal, _ in self._moving:
            self._tape.watch(primal)
        return self

    def __exit__(self, *exc: Any) -> None:
        self._tape.__exit__(*exc)

    def jvp(self, primals: Any, unconnected_gradients: Any = "none") -> Any:
        """How fast tensors move that were computed inside the block, in the structure of `primals`.

        unconnected_gradients  "none": None for a tensor that does not move; "zero": zeros.

        It can be asked inside the block too; what it gives does not move with the primals.
        """
        choice = unconnected_choice(unconnected_gradients)
        flat = nest.flatten(primals)
        aside = self._tape.stop_recording() if self._tape in _local.tapes else nullcontext()
        with aside:
            found = self._tape._tangents(flat, self._moving)
        if choice == "zero":
            found = [functions["zeros_like"](convert(p)) if f is None else f for p, f in zip(flat, found)]
        return nest.pack_sequence_as(primals, found) if nest.is_nested(primals) else found[0]


def _fitting(primal: Any, speed: Any) -> Tensor:
    """A tangent as a tensor of its primal's dtype and shape."""
    tangent = convert(speed, None, primal.dtype.numpy_dtype)
    if tangent.dtype is not primal.dtype or not tangent.shape.is_compatible_with(primal.shape):
        raise ValueError(
            explain(
                "ForwardAccumulator", "a tangent does not fit its primal",
                {"primal": f"{primal.dtype.name}{primal.shape}", "tangent": f"{tangent.dtype.name}{tangent.shape}"},
                "dtype and shape must be equal",
            )
        )  # fmt: skip
    return tangent
