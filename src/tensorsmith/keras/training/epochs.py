"""Runs of steps in one compiled loop: shuffling inside, the short last batch, how many steps a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.keras.training.steps import Step
from tensorsmith.program import execute, xla
from tensorsmith.program.lower import lower
from tensorsmith.program.program import Program

# A step up to this many multiply-adds in its largest product is faster as one kernel (`program/xla.py`):
# the chapter's model (30 units, batch 32) 2.3 -> 1.7 ms an epoch; at 128 units the plain form wins.
SMALL_PRODUCT = 64 * 1024


class Loop:
    """A step, run over rows of arrays that stay on the device.

    step      the traced step.
    arrays    the arrays of a batch in the order of the program's inputs, each with all rows.
    batch     rows a step.
    shuffled  True: rows come in the order given to `run`; False: as they stand.
    """

    def __init__(self, step: Step, arrays: list[Any], batch: int, shuffled: bool) -> None:
        self.step, self.batch, self.shuffled = step, batch, shuffled
        self.data = [_placed(a) for a in arrays]
        self.rows = self.data[0].shape[0]
        self.full, self.rest = divmod(self.rows, batch)
        self.steps = self.full + bool(self.rest)
        self._held: dict[int, tuple[Any, Any]] = {}
        self._order: Any = np.zeros(0, np.int32)

    def set_order(self, order: np.ndarray) -> None:
        """The order of rows for the coming steps."""
        self._order = execute.jax().device_put(np.ascontiguousarray(order, np.int32))

    def compile(self, which: str = "full") -> Callable[..., list[Any]]:
        """The executable of steps of full batches, or of the short one at the end."""
        size = self.batch if which == "full" else self.rest
        step = self.step
        arrays = [*self._state(), *self.data, self._order_spec(), *_INDICES]
        options = (xla.SMALL_LOOP,) if which == "full" and is_small(step.program, size) else ()
        key = ("loop", size, self.shuffled, step.written, tuple(step.reads), len(self.data), which)
        return execute.whole(key, [step.program.signature()], lambda: self._function(size), arrays, options)

    def _order_spec(self) -> Any:
        return np.zeros(self.rows, np.int32) if self.shuffled else np.zeros(0, np.int32)

    def _state(self) -> list[Any]:
        """The values of the variables, as they were left on the device where nobody has changed them since."""
        out = []
        for variable in self.step.variables:
            tensor = variable._tensor
            held = self._held.get(id(variable))
            out.append(held[1] if held is not None and held[0] is tensor else tensor._array)
        return out

    def run(self, first: int, last: int) -> list[Any]:
        """Runs steps `first` up to `last` (the short batch, when it is the last, by itself); the last step's outputs."""
        outputs: list[Any] = []
        if first < min(last, self.full):
            outputs = self._call("full", first, min(last, self.full), 0)
        if last > self.full:
            outputs = self._call("rest", 0, 1, self.full * self.batch)
        return outputs

    def _call(self, which: str, first: int, last: int, base: int) -> list[Any]:
        function = self.compile(which)
        order = self._order if self.shuffled else _EMPTY
        results = function(*self._state(), *self.data, order, np.int32(first), np.int32(last), np.int32(base))
        written = self.step.written
        # np.asarray waits for the result: an error of the program comes before anything is committed
        arrays = [np.asarray(r) for r in results]
        self.step.commit(arrays[:written])
        for variable, result in zip(self.step.variables, results[:written]):
            self._held[id(variable)] = variable._tensor, result
        return arrays[written:]

    def _function(self, size: int) -> Callable[..., list[Any]]:
        """The loop as a function of flat arrays: variables, data, order, first and last step, first row."""
        step, shuffled, n_data = self.step, self.shuffled, len(self.data)
        lax, jnp = execute.jax().lax, execute.jax().numpy
        program = lower(step.program, jnp)
        n_variables, written = len(step.variables), step.written

        def one(at: Any, base: Any, variables: list[Any], data: list[Any], order: Any) -> tuple[list[Any], list[Any]]:
            start = base + at * jnp.int32(size)
            if shuffled:
                rows = lax.dynamic_slice_in_dim(order, start, size)
                batch = [d.at[rows].get(mode="promise_in_bounds") for d in data]
            else:
                batch = [lax.dynamic_slice_in_dim(d, start, size) for d in data]
            outputs, updates = program(batch, [variables[i] for i in step.reads])
            return updates, outputs

        def loop(*arrays: Any) -> list[Any]:
            variables = list(arrays[:n_variables])
            data = list(arrays[n_variables : n_variables + n_data])
            order, first, last, base = arrays[n_variables + n_data :]
            fixed = variables[written:]
            shapes = execute.jax().eval_shape(lambda: one(first, base, variables, data, order)[1])
            empty = [jnp.zeros(s.shape, s.dtype) for s in shapes]

            def body(at: Any, carried: Any) -> Any:
                changing, _ = carried
                updates, outputs = one(at, base, [*changing, *fixed], data, order)
                return [u.astype(c.dtype) for u, c in zip(updates, changing)], outputs

            changing, outputs = lax.fori_loop(first, last, body, (variables[:written], empty))
            return [*changing, *outputs]

        return loop


_EMPTY = np.zeros(0, np.int32)
_INDICES = [np.int32(0), np.int32(0), np.int32(0)]


def is_small(program: Program, batch: int) -> bool:
    """True for a step whose every product is small and that holds no loop of its own."""
    for node in program.nodes:
        if any(isinstance(value, Program) for value in node.settings.values()):
            return False
        for number in (*node.outputs, *(i for i in node.inputs if i >= 0)):
            shape = program.specs[number][0]
            if np.prod([batch if d is None else d for d in shape]) > SMALL_PRODUCT:
                return False
        if node.op.name == "matmul":
            left, right = (program.specs[i][0] for i in node.inputs[:2])
            sizes = [batch if d is None else d for d in (*left, right[-1])]
            if np.prod(sizes) > SMALL_PRODUCT:
                return False
    return True


def _placed(array: Any) -> Any:
    """The array on the device, in memory that the caller cannot change while a program reads it."""
    return execute.jax().numpy.array(array, copy=True) if isinstance(array, np.ndarray) else array
