"""Runs of steps in one compiled loop: shuffling inside, the short last batch, how many steps a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.keras.training.steps import Step
from tensorsmith.program import checks, execute, xla
from tensorsmith.program.calls import calls_python
from tensorsmith.program.padded import REGISTER, CannotPad, Lowered
from tensorsmith.program.program import Program

# A step is faster as one kernel (`program/xla.py`) while its products are small. That form multiplies in plain loops: up
# to SKINNY multiply-adds where one of the three sizes is a register's width or less, up to SQUARE where none is.
# Measured, epochs of 363 steps: 8-30-1 1.2 against 2.5 ms, 8-128-1 2.8 against 3.7, but 8-30-30-1 7.0 against 5.7.
SKINNY, SQUARE = 64 * 1024, 16 * 1024

# signatures of programs in which some operation needs the exact number of rows
_exact: set[Any] = set()


class Loop:
    """A step, run over rows of arrays that stay on the device.

    step      the traced step.
    arrays    the arrays of a batch in the order of the program's inputs, each with all rows.
    batch     rows a step.
    shuffled  True: rows come in the order given to `set_order`; False: as they stand.
    """

    def __init__(self, step: Step, arrays: list[Any], batch: int, shuffled: bool) -> None:
        self.step, self.shuffled = step, shuffled
        self.rows = arrays[0].shape[0]
        self.batch = min(batch, self.rows)
        self.full, self.rest = divmod(self.rows, self.batch)
        self.steps = self.full + bool(self.rest)
        self.on_numpy = execute.on_numpy(step.program)
        self.small = is_small(step.program, self.batch)
        self.length = _rounded(self.steps) * self.batch
        self.data = [_placed(a, self.length) for a in arrays]
        self._compiled: dict[str, Callable[..., list[Any]]] = {}
        self._order: Any = np.zeros(self.length if shuffled else 0, np.int32)

    @property
    def masked(self) -> bool:
        """True where the short last batch runs in the loop, as a full one of which some rows do not count."""
        return bool(self.rest) and self.step.program.signature() not in _exact

    def set_order(self, order: np.ndarray) -> None:
        """The order of rows for the coming steps."""
        filled = np.zeros(self.length, np.int32)
        filled[: self.rows] = order
        self._order = execute.jax().device_put(filled)

    def compile(self, which: str = "full") -> Callable[..., list[Any]]:
        """The executable of steps of full batches, or of the short one at the end."""
        if which in self._compiled:
            return self._compiled[which]
        while True:
            size = self.batch if which == "full" else self.rest
            masked = self.masked and which == "full"
            step = self.step
            order = np.zeros(self.length if self.shuffled else 0, np.int32)
            arrays = [*self.step.values(), *self.data, order, _PLACE]
            options = (xla.SMALL_LOOP,) if self.small else ()
            key = ("loop", size, self.shuffled, masked, self.small, step.written, tuple(step.reads), len(self.data))
            try:
                self._compiled[which] = execute.whole(
                    key, [step.program.signature()], lambda s=size, m=masked: self._function(s, m), arrays, options
                )
                return self._compiled[which]
            except CannotPad:
                _exact.add(step.program.signature())

    def run(self, first: int, last: int) -> list[Any]:
        """Runs steps `first` up to `last`; the outputs of the last one."""
        if self.on_numpy:
            return self._interpreted(first, last)
        if self.rest and last > self.full and not self.masked:
            if first < self.full:
                self._call("full", first, self.full)
            return self._call("rest", 0, 1)
        return self._call("full", first, last)

    def _call(self, which: str, first: int, last: int) -> list[Any]:
        function = self.compile(which)
        if which == "full" and last > self.full and not self.masked:
            # compiling has just shown that the short batch needs a program of its own
            return self.run(first, last)
        base = 0 if which == "full" else self.full * self.batch

        def steps(last: int) -> list[Any]:
            place = np.array([first, last, base, self.rows], np.int32)
            return function(*self.step.values(), *self.data, self._order, place)

        results = steps(last)
        written, status = self.step.written, self.step.status
        if results:
            # an error of the program comes here, before anything is committed
            results[0].block_until_ready()
        if status is not None and int(results[status]):
            self._tell(int(results[status]), status, steps, first, last, base)
        self.step.commit(results[:written])
        return [np.asarray(r) for r in results[written:]]

    def _interpreted(self, first: int, last: int) -> list[Any]:
        """Steps that only NumPy can run (they call Python code, or a size hangs on values), each committed by itself."""
        outputs: list[Any] = []
        for at in range(first, last):
            batch = self._batch_at(at * self.batch)
            outputs, updates = execute.interpreted(self.step.program, batch, self.step.captured())
            self.step.commit(updates)
        return outputs

    def _batch_at(self, start: int) -> list[np.ndarray]:
        """The arrays of the batch whose first row is `start`, on the host."""
        rows = slice(start, min(start + self.batch, self.rows))
        taken = np.asarray(self._order)[rows] if self.shuffled else rows
        return [np.asarray(array)[taken] for array in self.data]

    def _tell(
        self, failed: int, status: int, steps: Callable[[int], list[Any]], first: int, last: int, base: int
    ) -> None:
        """Raises what a check in the steps `first` to `last` has to say; the model keeps the steps before that one."""
        step, written = self.step, self.step.written
        if failed < 0 or calls_python(step.program):
            # nothing that prints is run again to find the step
            checks.tell(step.program, failed, lambda: None)
        while last - first > 1:  # steps `first` to `last` fail, those before `first` do not
            middle = (first + last) // 2
            if int(steps(middle)[status]):
                last = middle
            else:
                first = middle
        before = steps(first)[:written]
        step.commit(before)
        batch = self._batch_at(base + first * self.batch)
        checks.tell(step.program, failed, lambda: execute.interpreted(step.program, batch, step.captured()))

    def _function(self, size: int, masked: bool) -> Callable[..., list[Any]]:
        """The loop as a function of flat arrays: variables, data, order, (first step, last, first row, rows in all)."""
        step, shuffled, n_data = self.step, self.shuffled, len(self.data)
        jax = execute.jax()
        lax, jnp = jax.lax, jax.numpy
        lowered = Lowered(step.program, jax, widen=True)
        n_variables, written = len(step.variables), step.written

        def loop(*arrays: Any) -> list[Any]:
            variables = [lowered.enter(a) for a in arrays[:n_variables]]
            data = list(arrays[n_variables : n_variables + n_data])
            order, place = arrays[n_variables + n_data :]
            first, last, base, rows = (place[i] for i in range(4))

            def one(at: Any, changing: list[Any]) -> tuple[list[Any], list[Any]]:
                start = base + at * jnp.int32(size)
                if shuffled:
                    taken = lax.dynamic_slice_in_dim(order, start, size)
                    batch = [d.at[taken].get(mode="promise_in_bounds") for d in data]
                else:
                    batch = [lax.dynamic_slice_in_dim(d, start, size) for d in data]
                real = jnp.minimum(jnp.int32(size), rows - start) if masked else None
                values = [*changing, *variables[written:]]
                return lowered.run(batch, [values[i] for i in step.reads], real)

            shapes = jax.eval_shape(lambda: one(first, variables[:written])[0])
            empty = [jnp.zeros(s.shape, s.dtype) for s in shapes]

            def body(at: Any, carried: Any) -> Any:
                outputs, updates = one(at, carried[0])
                return [u.astype(c.dtype) for u, c in zip(updates, carried[0])], outputs

            changed, outputs = lax.fori_loop(first, last, body, (variables[:written], empty))
            shapes_out = [a.shape for a in arrays[:written]]
            return [*(lowered.leave(a, s) for a, s in zip(changed, shapes_out)), *outputs]

        return loop


_PLACE = np.zeros(4, np.int32)


def is_small(program: Program, batch: int) -> bool:
    """True for a step whose every array and product is small and that holds no loop of its own."""
    for node in program.nodes:
        if any(isinstance(value, Program) for value in node.settings.values()):
            return False
        for number in (*node.outputs, *(i for i in node.inputs if i >= 0)):
            if _elements(program.specs[number][0], batch) > SKINNY:
                return False
        if node.op.name == "matmul":
            left, right = (program.specs[i][0] for i in node.inputs[:2])
            sizes = (_elements(left[:-1], batch), _elements(left[-1:], batch), _elements(right[-1:], batch))
            if sizes[0] * sizes[1] * sizes[2] > (SKINNY if min(sizes) <= REGISTER else SQUARE):
                return False
    return True


def _elements(shape: tuple[int | None, ...], batch: int) -> int:
    count = 1
    for size in shape:
        count *= batch if size is None else size
    return count


def _rounded(steps: int) -> int:
    """A number of steps rounded up by an eighth at most, so that data of about one size shares its executables.

    >>> [_rounded(n) for n in (1, 8, 9, 17, 100, 363)]
    [1, 8, 9, 18, 104, 384]
    """
    unit = 1 << max(steps.bit_length() - 4, 0)
    return -(-steps // unit) * unit


def _placed(array: Any, rows: int) -> Any:
    """The array on the device with this many rows, in memory that the caller cannot change while a program reads it."""
    filled = np.empty((rows, *array.shape[1:]), array.dtype)
    filled[: len(array)] = array
    # a real row, and not zeros: a loss that takes a logarithm stays finite on the rows that do not count
    filled[len(array) :] = array[:1]
    return execute.jax().device_put(filled)
