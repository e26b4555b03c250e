"""Runs a traced program: its variables stay on the device from call to call, small arrays go in and out in one piece."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core.shapes import is_known
from tensorsmith.program import checks, execute
from tensorsmith.program.calls import calls_python
from tensorsmith.program.checks import STATUS
from tensorsmith.program.lower import lower
from tensorsmith.program.program import Program
from tensorsmith.program.words import WORD, Words, empty, is_small
from tensorsmith.tensor.held import Snapshot, Store, Window
from tensorsmith.tensor.tensor import Tensor

# results are rounded up to so many words, so that the state of two traces that differ in one scalar has one size
_ROUNDED = 16
_NOTHING = np.zeros(0, WORD)


class Runner:
    """A program with the variables that it reads and writes.

    The written variables live in one Store. A call hands its buffer to the program as it is, and the program's result
    begins with the buffer's next contents; replacing the store's snapshot by it is the whole commit, so a call that
    fails, or is interrupted anywhere, changes nothing. Variables only read are copied into a buffer of their own,
    which is sent when one of them has changed.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        specs = program.specs
        # a program starts with the status 0, and what it leaves is looked at and never kept: one more result
        self._status = any(variable is STATUS for variable, _ in program.updates)
        updates = [(variable, at) for at, (variable, _) in enumerate(program.updates) if variable is not STATUS]
        written = [variable for variable, _ in updates]
        self._updates = [at for _, at in updates]
        places = {id(variable): at for at, variable in enumerate(written)}
        fixed = {id(s): s for s, _ in program.captures if id(s) not in places and s is not STATUS}
        read = list(fixed.values())
        # in each group: what goes in the buffer, and what goes by itself (indices)
        self._written, self._read = _Group(written), _Group(read)
        self._arguments = _Split([specs[i] for i in program.inputs])
        ends = [*program.outputs, *(number for variable, number in program.updates if variable is STATUS)]
        self._results = _Split([specs[i] for i in ends], self._written.words.size)
        self.size = -(-self._results.words.size // _ROUNDED) * _ROUNDED
        # for each capture: (True, place among the written) or (False, place among those only read); None for the status
        found = {id(source): (False, at) for at, source in enumerate(read)}
        found.update({number: (True, at) for number, at in places.items()})
        self._captures = [None if source is STATUS else found[id(source)] for source, _ in program.captures]
        self._buffers: list[Any] = []
        # Python code called from a program may call the function itself, on another thread
        self._lock: Any = contextlib.nullcontext() if calls_python(program) else threading.RLock()
        self._sent: tuple[list[Any], Any, list[Any]] | None = None
        self._executables: dict[Any, Callable[..., list[Any]]] = {}
        self._varying = self._places_of_unknown_shape()
        self.store = Store(Snapshot(_NOTHING, []))
        self._windows: list[tuple[Any, Window]] = []
        for at, variable in enumerate(written):
            self._windows.append((variable, Window(self.store, self._written.place(at))))

    def __call__(self, arrays: list[Any]) -> list[Tensor]:
        """The results for these arguments, as arrays; the variables that it writes have their new values then.

        Raises `execute.Refused` where XLA cannot compile the program, and what a check in it has to say.
        """
        if not self._windows:
            words, large = self._run(self.store.now, arrays)
            results = self._results_of(words, large)
            if self._status:
                self._checked(results, arrays)
            return results
        with self._lock:
            words, large = self._run(self._settled(), arrays)
            count = len(self._written.large)
            results = self._results_of(words, large[count:])
            if self._status:
                self._checked(results, arrays)
            self.store.now = Snapshot(words, large[:count])
            for variable, window in self._windows:
                if variable._stored is not window:
                    # somebody assigned to it while the program ran: as when both had run one after the other
                    variable._stored = window.value()
        return results

    def _checked(self, results: list[Tensor], arrays: list[Any]) -> None:
        """Raises what went wrong in a run, before anything is committed."""
        status = int(results.pop())
        if status:
            captures = [source._tensor._array for source, _ in self.program.captures]
            checks.tell(self.program, status, lambda: execute.interpreted(self.program, arrays, captures))

    def _places_of_unknown_shape(self) -> list[int]:
        """Which of the things given to the executable may differ in shape from call to call."""
        places, at = [], 0
        for group, buffered in (
            (self._written, bool(self._written.variables)),
            (self._read, bool(self._read.small)),
            (self._arguments, bool(self._arguments.small)),
        ):
            at += buffered
            for large in group.large:
                if not is_known(group.specs[large][0]):
                    places.append(at)
                at += 1
        return places

    # ---- state

    def _settled(self) -> Snapshot:
        """The snapshot of the written variables as they are now."""
        for variable, window in self._windows:
            if variable._stored is not window:
                return self._gathered()
        return self.store.now

    def _gathered(self) -> Snapshot:
        """A new snapshot, of which all written variables are windows from here on."""
        buffer = empty(self.size)
        values = [variable._tensor for variable, _ in self._windows]
        for at, view in zip(self._written.small, self._written.words.views(buffer)):
            view[...] = values[at]._array
        snapshot = Snapshot(buffer, [_whole(values[at]) for at in self._written.large])
        # The values are those that the variables have already, so that it does no harm to be interrupted here.
        self.store.now = snapshot
        for variable, window in self._windows:
            variable._stored = window
        return snapshot

    def _only_read(self) -> tuple[Any, list[Any]]:
        """The variables that are read: the buffer of the small ones, and the others."""
        sent = self._sent
        if sent is not None:
            for variable, stored, snapshot in sent[0]:
                now = variable._stored
                if now is not stored or (snapshot is not None and now.store.now is not snapshot):
                    break
            else:
                return sent[1], sent[2]
        seen: list[Any] = []
        values: list[Tensor] = []
        for variable in self._read.variables:
            stored = variable._stored
            snapshot = stored.store.now if type(stored) is Window else None
            values.append(variable._tensor)
            seen.append((variable, stored, snapshot))
        words: Any = None
        if self._read.small:
            buffer = empty(self._read.words.size)
            for at, view in zip(self._read.small, self._read.words.views(buffer)):
                view[...] = values[at]._array
            words = execute.placed(buffer)
        large = [_whole(values[at]) for at in self._read.large]
        self._sent = seen, words, large
        return words, large

    # ---- one run

    def _run(self, before: Snapshot, arrays: list[Any]) -> tuple[Any, list[Any]]:
        """(the buffer that results, the large results) for a state and arguments."""
        given: list[Any] = []
        if self._windows:
            given.append(before.words)
            given.extend(before.large)
        if self._read.variables:
            words, large = self._only_read()
            if words is not None:
                given.append(words)
            given.extend(large)
        split = self._arguments
        buffer: Any = None
        if split.small:
            try:
                buffer = self._buffers.pop()
            except IndexError:
                words = empty(split.words.size)
                buffer = words, split.words.views(words)
            for at, view in zip(split.small, buffer[1]):
                view[...] = arrays[at]
            given.append(buffer[0])
        given.extend([arrays[at] for at in split.large])
        results = self._executable(given)(*given)
        if buffer is not None:
            # the program has ended, and what it gave is no part of what it took
            self._buffers.append(buffer)
        if self.size:
            return results[0], results[1:]
        return _NOTHING, results

    def _results_of(self, words: Any, large: list[Any]) -> list[Tensor]:
        """The results as tensors."""
        split = self._results
        if not split.large and len(split.small) == 1 and split.first == 0:
            return [Tensor(split.words.spans[0].of(np.asarray(words)))]
        found: list[Any] = [None] * (len(split.small) + len(split.large))
        if split.small:
            host = np.asarray(words)
            for at, span in zip(split.small, split.words.spans):
                part = span.of(host)
                # not to keep the whole state alive for the sake of one result
                found[at] = Tensor(part.copy() if span.shape and split.first else part)
        for at, array in zip(split.large, large):
            found[at] = Tensor(np.asarray(array))
        return found

    def _executable(self, given: list[Any]) -> Callable[..., list[Any]]:
        shapes = tuple([given[at].shape for at in self._varying])
        found = self._executables.get(shapes)
        if found is None:
            key = "function", self.program.signature(), tuple(self._captures)
            try:
                found = self._executables[shapes] = execute.ahead(key, self._function, given)
            except execute.REFUSED as error:
                raise execute.Refused from error
        return found

    def _function(self) -> Callable[..., list[Any]]:
        """The program as a function of buffers and large arrays, in the order of `_run`."""
        jax = execute.jax()
        function = lower(self.program, jax.numpy)
        written, read, arguments, results = self._written, self._read, self._arguments, self._results

        def flat(*given: Any) -> list[Any]:
            rest = iter(given)
            state = written.joined(jax, rest, with_words=bool(self._windows))
            fixed = read.joined(jax, rest, with_words=bool(read.small))
            inputs = arguments.joined(jax, rest, with_words=bool(arguments.small))
            fine = jax.numpy.zeros((), STATUS.dtype.numpy_dtype)
            captures = [fine if at is None else (state if at[0] else fixed)[at[1]] for at in self._captures]
            outputs, after = function(inputs, captures)
            outputs += [value for (variable, _), value in zip(self.program.updates, after) if variable is STATUS]
            updates = [after[at] for at in self._updates]
            pieces = written.words.put_together(jax, [updates[at] for at in written.small])
            pieces += results.words.put_together(jax, [outputs[at] for at in results.small])
            missing = self.size - sum(piece.size for piece in pieces)
            if missing:
                pieces.append(jax.numpy.zeros(missing, WORD))
            whole = [jax.numpy.concatenate(pieces)] if self.size else []
            large = [updates[at] for at in written.large] + [outputs[at] for at in results.large]
            return whole + large

        return flat


class _Split:
    """Arrays of these specs, apart: `small` ones stand in a buffer of words, `large` ones go by themselves."""

    def __init__(self, specs: list[Any], first: int = 0) -> None:
        self.specs = specs
        self.small = [at for at, spec in enumerate(specs) if is_small(spec)]
        self.large = [at for at, spec in enumerate(specs) if not is_small(spec)]
        self.first = first
        self.words = Words([specs[at] for at in self.small], first)

    def joined(self, jax: Any, rest: Any, with_words: bool) -> list[Any]:
        """The arrays in order, in a program that was given the buffer and the large ones."""
        found: list[Any] = [None] * (len(self.small) + len(self.large))
        if with_words:
            buffer = next(rest)
            for at, array in zip(self.small, self.words.taken_apart(jax, buffer)):
                found[at] = array
        for at in self.large:
            found[at] = next(rest)
        return found


class _Group(_Split):
    """Variables, apart."""

    def __init__(self, variables: list[Any]) -> None:
        self.variables = variables
        super().__init__([(tuple(v.shape), v.dtype.numpy_dtype) for v in variables])

    def place(self, at: int) -> Any:
        """Where a Window finds the variable: a Span of the buffer, or its number among the large ones."""
        return self.words.spans[self.small.index(at)] if at in self.small else self.large.index(at)


def _whole(tensor: Tensor) -> Any:
    """The array of a tensor as programs take it."""
    return np.asarray(tensor._array)
