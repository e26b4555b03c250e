"""Graph: builds a Program while a function runs once on Symbols."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import context
from tensorsmith.core.errors import InaccessibleTensorError, explain
from tensorsmith.core.places import users_place
from tensorsmith.program import execute
from tensorsmith.program.checks import Status
from tensorsmith.program.connected import connected, moved
from tensorsmith.program.infer import infer
from tensorsmith.program.lower import ASSIGNED, GRADIENT, derivative_settings, derivative_specs
from tensorsmith.program.op import Op
from tensorsmith.program.program import Node, Program
from tensorsmith.tensor.tensor import Symbol, Tensor

Status.zero = Tensor(np.zeros((), np.int32))


class Graph:
    """A Program under construction: hands out Symbols, takes operations on them as nodes.

    outer  the graph in whose trace this one is made (the body of a loop, a branch), or None.
    """

    def __init__(self, outer: Graph | None = None, label: str = "") -> None:
        self.program = Program(label)
        self.outer, self.label = outer, label
        self._constants: dict[int, tuple[Tensor, int]] = {}
        self._captured: dict[int, tuple[Symbol, int]] = {}
        # the value that each variable has at this point of the trace
        self._current: dict[int, Tensor] = {}
        self._written: dict[int, Any] = {}
        # of variables that were assigned and not read since: the value that they had before, None for one never read
        self._before: dict[int, Tensor | None] = {}
        self._keep: list[Any] = []
        # {id: tensor} of the floats made before the trace that bodies of this graph hold as constants
        self.held: dict[int, Tensor] = {}
        # ids of the tensors that were made in the trace of what Python code gave
        self.literals: set[int] = set()
        # the tensors that became arguments behind those of the caller, as a tape outside knows them; None: none may
        self.taken: list[Tensor] | None = None
        self._heard: dict[int, Symbol] = {}
        # the arguments of the call for which it is traced; None where it is traced for specs alone
        self.given: list[Tensor] | None = None
        # True once the trace is over: its symbols mean nothing any more
        self.closed = False
        # of a traced function: the streams that its draws use (`state/random_generator.py`); None: those of the graph around
        self.streams: dict[Any, Any] | None = None

    def input(self, shape: Any, dtype: Any, name: str = "") -> Symbol:
        """A new argument of the program."""
        from tensorsmith.core.dtypes import as_dtype

        # an unknown rank is a shape of its own, which a plain tuple cannot tell from ()
        known = tuple(shape) if getattr(shape, "rank", 0) is not None else shape
        number = self.program.input(known, as_dtype(dtype).numpy_dtype, name)
        return Symbol(self, number, shape, dtype, name)

    def call(self, op: Op, arguments: list[Any], settings: dict) -> Any:
        """A node: `op` on tensors (None for an array not given, a list for a list argument)."""
        numbers: list[int] = []
        groups: list[int | None] = []
        specs: list[Any] = []
        for argument in arguments:
            if isinstance(argument, (list, tuple)):
                ids = [self.number(part) for part in argument]
                specs.append([self.program.specs[i] for i in ids])
                groups.append(len(ids))
                numbers.extend(ids)
            else:
                number = -1 if argument is None else self.number(argument)
                specs.append(None if argument is None else self.program.specs[number])
                groups.append(None)
                numbers.append(number)
        results, pack = infer(op, specs, settings)
        return self.add(op, numbers, tuple(groups), settings, results, pack)

    def add(
        self,
        op: Op,
        numbers: list[int],
        groups: tuple,
        settings: dict,
        specs: list[Any],
        pack: Any,
        like: Node | None = None,
    ) -> Any:
        """A node whose results' specs are known; `pack` makes the result of several symbols (None: there is one).

        like  a node of another program that this one repeats: it was asked for where that one was.
        """
        where, part = (users_place(), context.local.part) if like is None else (like.where, like.part)
        outputs = self.program.add(op, numbers, groups, settings, specs, where, part)
        symbols = [Symbol(self, number, shape, dtype) for number, (shape, dtype) in zip(outputs, specs)]
        look = context.local.looks_at_results
        if look is not None and like is None:
            look(op, symbols)
        return symbols[0] if pack is None else pack(symbols)

    def number(self, tensor: Tensor) -> int:
        """The id of a tensor in this program: its own for a symbol, else a constant or a capture."""
        if isinstance(tensor, Symbol):
            if tensor._graph is self and not self.closed:
                return tensor._id
            return self._capture(tensor)
        found = self._constants.get(id(tensor))
        if found is None:
            floats = tensor._array.dtype.kind in "fcV"
            if floats and (context.local.tapes or context.local.hidden) and context.hears(tensor):
                root = self._root()
                if root is not self:
                    return self._capture(root.heard(tensor))
                if self.taken is not None:
                    return self.heard(tensor)._id
            if floats and id(tensor) not in self.literals:
                self._root().held[id(tensor)] = tensor
            return self._constant(tensor)
        return found[1]

    def _constant(self, tensor: Tensor) -> int:
        found = self._constants.get(id(tensor))
        if found is None:
            found = self._constants[id(tensor)] = tensor, self.program.constant(np.asarray(tensor._array))
        return found[1]

    def _root(self) -> Graph:
        root = self
        while root.outer is not None:
            root = root.outer
        return root

    def heard(self, tensor: Tensor) -> Symbol:
        """The one symbol of a tensor that a tape knows: an argument where the graph may take it, else a constant."""
        found = self._heard.get(id(tensor))
        if found is None:
            if self.taken is not None and id(tensor) not in self._constants:
                self.taken.append(tensor)
                found = self.input(tensor.shape, tensor.dtype)
                self._constants[id(tensor)] = tensor, found._id
            else:
                found = Symbol(self, self._constant(tensor), tensor.shape, tensor.dtype)
            self._heard[id(tensor)] = found
        return found

    def _capture(self, symbol: Symbol) -> int:
        graph = self.outer
        while graph is not None and graph is not symbol._graph:
            graph = graph.outer
        if graph is None:
            maker = symbol._graph
            if symbol._of_model():
                raise InaccessibleTensorError(
                    explain(
                        "symbolic tensor",
                        f"{symbol!r} stands between the layers of a model, and is used inside of what is traced",
                        rule="a layer or function sees what it is called on",
                        way_out="Give it as an argument of the layer.",
                    )
                )
            raise InaccessibleTensorError(
                explain(
                    "symbolic tensor",
                    f"{symbol._described()} was made while {maker.label or 'another program'} was traced, and is used "
                    "outside of it",
                    rule="a value made inside a traced function, a branch or a loop lives only in there",
                    way_out="Return it, or keep it in a tf.Variable.",
                )
            )
        found = self._captured.get(id(symbol))
        if found is None:
            found = symbol, self.program.capture(symbol, tuple(symbol.shape), symbol.dtype.numpy_dtype)
            self._captured[id(symbol)] = found
        return found[1]

    def origin(self, number: int) -> str:
        """What a value is, for messages: an argument by its name, a result by the operation and the user's line."""
        name = self.program.names.get(number)
        if name:
            return f"{name!r} of {self.label}" if self.label else repr(name)
        node = next((node for node in self.program.nodes if number in node.outputs), None)
        source = next((source for source, at in self.program.captures if at == number), None)
        if node is not None:
            return f"the result of {node.op.name}" + (f" at {node.where}" if node.where else "")
        if source is not None and not isinstance(source, Symbol):
            return f"the value of {source.name!r}"
        return "a value" + (f" of {self.label}" if self.label else "")

    def read(self, variable: Any) -> Tensor:
        """The symbol of a variable's value at this point of the trace."""
        current = self._current.get(id(variable))
        if current is None:
            current = self._current[id(variable)] = self._first(variable)
            self._keep.append(variable)
        elif id(variable) in self._before:
            before = self._before.pop(id(variable))
            current = self._current[id(variable)] = self._assigned(variable, current, before)
        return current

    def _first(self, variable: Any) -> Symbol:
        shape, dtype = variable.shape, variable.dtype
        number = next((at for source, at in self.program.captures if source is variable), None)
        if number is None:
            number = self.program.capture(variable, tuple(shape), dtype.numpy_dtype)
        return Symbol(self, number, shape, dtype)

    def _assigned(self, variable: Any, value: Tensor, before: Tensor | None) -> Tensor:
        """A value that was assigned, as it is read: a derivative goes on to the variable, not to what it was made from."""
        if value.dtype.numpy_dtype.kind not in "fc":
            return value
        if not isinstance(value, Symbol):
            return Tensor(value._array)
        before = self._first(variable) if before is None else before
        same = tuple(before.shape) == tuple(value.shape) and None not in tuple(value.shape)
        return self.call(ASSIGNED, [value, before if same else None], {})

    def known(self, symbol: Symbol) -> Tensor | None:
        """What a symbol of this graph is in the call for which it is traced; None where it needs what is not known."""
        if self.closed:
            return None
        program = self.program.pure([symbol._id])
        needed = {symbol._id, *[number for node in program.nodes for number in node.inputs]}
        taken = self.taken or []
        given = [None] * (len(program.inputs) - len(taken)) if self.given is None else self.given
        values: dict[int, Any] = dict(zip(program.inputs, [*given, *taken]))
        program.inputs = [number for number in program.inputs if number in needed]
        found = [values.get(number) for number in program.inputs]
        found += [source if isinstance(source, Symbol) else source._tensor for source, _ in program.captures]
        found = [value._graph.known(value) if isinstance(value, Symbol) else value for value in found]
        arrays = [value._array for value in found if value is not None]
        if len(arrays) < len(found):
            return None
        count = len(program.inputs)
        return Tensor(execute.interpreted(program, arrays[:count], arrays[count:])[0][0])

    def symbol_of(self, tensor: Any) -> Symbol | None:
        """A tensor as a symbol of this graph: one that it is, or a constant that some node took; None for any other."""
        if isinstance(tensor, Symbol):
            return tensor if tensor._graph is self else None
        found = self._constants.get(id(tensor))
        return None if found is None else Symbol(self, found[1], tensor.shape, tensor.dtype)

    def first_read(self, variable: Any) -> Tensor | None:
        """The symbol of the value that a variable had before the trace; None where it was not read."""
        for source, number in self.program.captures:
            if source is variable:
                return Symbol(self, number, variable.shape, variable.dtype)
        return None

    def write(self, variable: Any, value: Tensor) -> None:
        """From here on the variable has this value."""
        self._before.setdefault(id(variable), self._current.get(id(variable)))
        self._current[id(variable)] = value
        self._written[id(variable)] = variable

    def finish(self, outputs: list[Tensor]) -> Program:
        """The program that gives `outputs` and the last values of the variables that were written."""
        program = self.program
        if self.outer is not None:
            # the next round of a loop, or what comes behind a branch, reads what was assigned
            for variable in [v for v in self._written.values() if id(v) in self._before]:
                self.read(variable)
        program.outputs = [self.number(output) for output in outputs]
        program.updates = [(v, self.number(self._current[id(v)])) for v in self._written.values()]
        program.drop_unused()
        return program

    def derivative(
        self,
        targets: list[Symbol],
        sources: list[Symbol],
        seeds: list[Tensor] | None,
        stops: list[int],
        mode: str = "gradient",
    ) -> list[Any]:
        """Symbols of the derivatives of the targets by each source; None for a source that they do not depend on.

        stops  the ids of values that are constants to it.
        mode   "gradient", "jacobian" or "batch_jacobian" (`program/lower.py`).
        """
        linked = connected(self.program, [s._id for s in sources], [t._id for t in targets], stops)
        used = [s for s in sources if s._id in linked]
        if not used:
            return [None] * len(sources)
        numbers = [self.number(t) for t in [*targets, *used, *(seeds or [])]]
        specs = self.program.specs
        results = self.add(
            GRADIENT,
            [*numbers, *stops],
            (None,) * (len(numbers) + len(stops)),
            derivative_settings(len(targets), len(used), bool(seeds), len(stops), mode),
            derivative_specs(mode, [specs[t._id] for t in targets], [specs[s._id] for s in used]),
            list,
        )
        found = {s._id: result for s, result in zip(used, results)}
        return [found.get(s._id) for s in sources]

    def tangent(
        self, targets: list[Symbol], sources: list[Symbol], speeds: list[Tensor], stops: list[int]
    ) -> list[Any]:
        """Symbols of how fast each target moves when the sources move; None for one that does not depend on them."""
        moving = moved(self.program, [s._id for s in sources], stops)
        used = [t for t in targets if t._id in moving]
        if not used:
            return [None] * len(targets)
        numbers = [self.number(t) for t in [*used, *sources, *speeds]]
        results = self.add(
            GRADIENT,
            [*numbers, *stops],
            (None,) * (len(numbers) + len(stops)),
            derivative_settings(len(used), len(sources), True, len(stops), "tangent"),
            [self.program.specs[t._id] for t in used],
            list,
        )
        found = {t._id: result for t, result in zip(used, results)}
        return [found.get(t._id) for t in targets]
