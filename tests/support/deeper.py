"""More questions that every operation is asked: second derivatives, empty inputs, danger points, a program read back.

Derivatives of second order: along a random direction u, u.H.u by two tapes is the second central difference of the
kernel. Empty inputs: compiled and eager give the same shape, or the call is refused. Danger points (infinities, both
zeros, the smallest and largest numbers): compiled equals eager. A program that was written and read back gives what
single operations give.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import tensorsmith
from tensorsmith.core.errors import OpError
from tensorsmith.exchange.arrays import Reader, Writer
from tensorsmith.exchange.program_data import ProgramReader, ProgramWriter
from tensorsmith.exchange.reading import Place
from tensorsmith.function.trace import trace
from tensorsmith.program.execute import guard, interpreted, jax
from tensorsmith.program.op import Op
from tensorsmith.state.tape import GradientTape
from tensorsmith.tensor.apply import apply
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Tensor
from tests.support.spine import (
    Elsewhere,
    Row,
    _compiled,
    _finite,
    _leaves,
    _mapped,
    derived,
    is_elementwise,
    operations,
    rows,
    run,
    widened,
)


def second_gradient_is_difference(op: Op, given: Row) -> None:
    """u.H.u of the first case that has floats is the second central difference along u."""
    for inputs, settings in derived(op, given)[: given.smooth or 1]:
        tensors = _mapped(inputs, lambda value: Tensor(widened(value)))
        floats = [t for t in _leaves(tensors) if t._array.dtype.kind == "f" and t._array.size]
        if floats and all(_finite(t._array) for t in _leaves(tensors)):
            _ask_second(op, tensors, settings, floats)
            return


def _ask_second(op: Op, tensors: Any, settings: dict[str, Any], floats: list[Tensor]) -> None:
    rng = np.random.default_rng(11)
    along = [rng.uniform(-1, 1, t._array.shape) for t in floats]
    weights: list[Any] = []

    def total(results: Any) -> Any:
        parts = list(results) if isinstance(results, (list, tuple)) else [results]
        parts = [part for part in parts if part.dtype.is_floating]
        if not weights:
            weights.extend(rng.normal(size=tuple(part.shape)) for part in parts)
        return tensorsmith.add_n([tensorsmith.reduce_sum(p * Tensor(w)) for p, w in zip(parts, weights, strict=True)])

    with GradientTape() as outer:
        outer.watch(floats)
        with GradientTape() as inner:
            inner.watch(floats)
            results = apply(op, tensors, settings)
            if not any(r.dtype.is_floating for r in (results if isinstance(results, (list, tuple)) else [results])):
                return
            value = total(results)
        gradients = inner.gradient(value, floats)
        slopes = [tensorsmith.reduce_sum(g * Tensor(u)) for g, u in zip(gradients, along, strict=True) if g is not None]
        if not slopes:
            return
        slope = tensorsmith.add_n(slopes)
    bends = outer.gradient(slope, floats, unconnected_gradients="zero")
    found = sum(float((np.asarray(b) * u).sum()) for b, u in zip(bends, along, strict=True))

    def moved(step: float) -> float:
        ahead = {id(t): Tensor(t._array + step * u) for t, u in zip(floats, along, strict=True)}
        return float(total(apply(op, _mapped(tensors, lambda t: ahead.get(id(t), t)), settings)).numpy())

    step = 2e-4
    low, middle, high = (moved(at) for at in (-step, 0.0, step))
    expected = (high - 2 * middle + low) / step**2
    scale = 1e-4 * max(1.0, abs(expected)) + 1e-7 * abs(middle) / step
    assert abs(found - expected) < scale, f"{op.name}, settings {settings}: u.H.u is {found}, not {expected}"


# no number below 1.2e-38 in size: XLA takes those for 0
DANGER = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, 2e-38, -2e-38, 3e38, -3e38, 0.5, -0.5, 2.0, -3.0, 89.0, -104.0]


# where SciPy, which NumPy's side calls, and JAX's own function part at infinities, poles and zeros of either sign
_SPECIAL = "the special functions of SciPy and of JAX part at poles and infinities"
_LOGITS = "infinite logits: what is 0 times infinity depends on the order of the terms"
APART = {
    "bessel_i0": _SPECIAL, "bessel_i1": _SPECIAL, "betainc": _SPECIAL, "digamma": _SPECIAL, "erfcinv": _SPECIAL,
    "expint": _SPECIAL, "igamma": _SPECIAL, "igammac": _SPECIAL, "lgamma": _SPECIAL, "polygamma": _SPECIAL,
    "spence": _SPECIAL, "zeta": _SPECIAL, "sigmoid_cross_entropy_with_logits": _LOGITS,
    "weighted_cross_entropy_with_logits": _LOGITS,
}  # fmt: skip
# the first axis of the other argument is no axis of rows
NO_ROWS = {"depthwise_convolution": "the height of the filters has the size of the batch"}
# why there is no second difference to ask for
ONCE_ONLY = {
    "igamma": "JAX's igamma_grad_a has no derivative",
    "igammac": "JAX's igamma_grad_a has no derivative",
    "ctc_loss": "one of its samples cannot be aligned: its loss is infinite",
}


def danger_points_are_alike(op: Op, given: Row) -> None:
    """At the ends of the floats compiled is eager: infinities and NaN at the same places."""
    inputs, settings = derived(op, given)[0]
    kinds = [value.dtype.kind for value in inputs]
    if "f" not in kinds or any(kind not in "f" for kind in kinds):
        return
    grid = (
        np.meshgrid(*[np.array(DANGER, "float32")] * len(inputs))
        if len(inputs) < 3
        else [np.array(DANGER, "float32")] * len(inputs)
    )
    case = (tuple(part.reshape(1, -1) for part in grid), settings)
    (compiled,) = _compiled(op, [case])
    with np.errstate(all="ignore"):
        eager = run(op, *case)
    for right, result in zip(eager, compiled, strict=True):
        if right.dtype.kind == "f":
            np.testing.assert_array_equal(np.isnan(result), np.isnan(right), err_msg=f"{op.name}: NaN elsewhere")
            np.testing.assert_allclose(result, right, rtol=1e-5, atol=2e-38, err_msg=op.name)
        else:
            np.testing.assert_array_equal(result, right, err_msg=op.name)


def empty_inputs_are_alike(op: Op, given: Row) -> None:
    """Without rows the call is refused, or eager and compiled have one shape and dtype."""
    inputs, settings = derived(op, given)[0]
    arrays = list(_leaves(inputs))
    if not arrays or any(value.ndim == 0 or value.dtype == object for value in arrays):
        return
    size = arrays[0].shape[0]
    emptied = tuple(_mapped(inputs, lambda value: value[:0] if value.shape[0] == size else value))
    try:
        eager = run(op, emptied, settings)
    except OpError:
        return
    if op.eager or given.compiled is not True:
        return

    def kernel(arrays: list[Any]) -> Any:
        rest = iter(arrays)
        results = op.kernel(jax().numpy, *_mapped(emptied, lambda _: next(rest)), **settings)
        return list(results) if isinstance(results, (list, tuple)) else [results]

    with guard():
        compiled = jax().eval_shape(kernel, [jax().ShapeDtypeStruct(v.shape, v.dtype) for v in _leaves(emptied)])
    for right, result in zip(eager, compiled, strict=True):
        assert (result.shape, result.dtype) == (right.shape, right.dtype), (
            f"{op.name} of no rows: {result}, eager {right}"
        )


def read_back_equals_eager(op: Op, given: Row, folder: Path) -> None:
    """All cases in one program, which is written as data, read, and run."""
    cases = [(inputs, settings) for inputs, settings in derived(op, given) if list(_leaves(inputs))]
    arrays = [value for inputs, _ in cases for value in _leaves(inputs)]
    expected = [result for inputs, settings in cases for result in run(op, inputs, settings)]

    def body(graph: Graph) -> list[Any]:
        outputs: list[Any] = []
        for inputs, settings in cases:
            results = apply(op, _mapped(inputs, lambda value: graph.input(value.shape, value.dtype)), settings)
            outputs += results if isinstance(results, (list, tuple)) else [results]
        return outputs

    program = trace(body).program
    writer, path = Writer(), folder / "arrays"
    data = json.loads(json.dumps(ProgramWriter(writer, lambda _: 0).write(program)))
    with path.open("wb") as file:
        digest = writer.write(file)
    again = ProgramReader(Reader(str(path), digest), lambda place: None).read(Place(data, "program.json", "program"))
    assert again.signature() == program.signature(), op.name
    captures = [variable._tensor._array for variable, _ in again.captures]
    for result, right in zip(interpreted(again, arrays, captures)[0], expected, strict=True):
        assert (result.dtype, result.shape) == (right.dtype, right.shape), op.name
        np.testing.assert_array_equal(result, right, err_msg=op.name)


def count() -> str:
    """How many operations are asked how much, in a line."""
    every, table = operations(), rows()
    asked = {name: row for name, row in table.items() if isinstance(row, Row)}
    cases = sum(len(derived(every[name], row)) for name, row in asked.items())
    smooth = sum(
        row.gradient is True and row.compiled is True and every[name].differentiable for name, row in asked.items()
    )
    elementwise = sum(is_elementwise(every[name]) for name in asked)
    return (
        f"{len(every)} operations: {len(asked)} in the table ({cases} cases with settings; {elementwise} elementwise; "
        f"{smooth - len(ONCE_ONLY)} differentiated to the second order), "
        f"{sum(isinstance(row, Elsewhere) for row in table.values())} asked in files of their own"
    )


if __name__ == "__main__":
    print(count())
