"""One traced form of a function: its program, and how to run it, note it on tapes, or put it into another program."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import TensorSpec, describe
from tensorsmith.function.composites import split
from tensorsmith.function.runner import Runner
from tensorsmith.function.signature import argument_names, specs_of, stand_ins
from tensorsmith.function.trace import Traced, trace
from tensorsmith.program import execute
from tensorsmith.program.lower import lower
from tensorsmith.program.op import Arrays, Op
from tensorsmith.program.program import Program
from tensorsmith.tensor.apply import apply
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local


class ConcreteFunction:
    """A function traced for one signature. Call it with tensors that fit.

    structured_input_signature  (args, kwargs) with a TensorSpec for each tensor.
    structured_outputs          what it returns, with a TensorSpec for each tensor.
    """

    def __init__(self, name: str, traced: Traced, args: tuple, kwargs: dict) -> None:
        self.name = name
        self._traced, self._program = traced, traced.program
        self.structured_input_signature = specs_of((args, kwargs))
        self._op = Op(name, self._kernel, same=False, shapes=self._result_specs)
        self._sources = [source for source, _ in self._program.captures]
        self._written = [variable for variable, _ in self._program.updates]
        self._runner: Runner | None = None
        self._one = traced.form.is_one_tensor()

    def _result_specs(self, specs: Any, settings: Any) -> tuple[Any, ...]:
        program = self._program
        return tuple(program.specs[n] for n in [*program.outputs, *(n for _, n in program.updates)])

    # ---- what it is

    @property
    def structured_outputs(self) -> Any:
        return self._traced.form.describe(self.outputs)

    @property
    def inputs(self) -> list[TensorSpec]:
        return [TensorSpec(*self._program.specs[number]) for number in self._program.inputs]

    @property
    def outputs(self) -> list[TensorSpec]:
        return [TensorSpec(*self._program.specs[number]) for number in self._program.outputs]

    @property
    def variables(self) -> tuple[Any, ...]:
        """The variables that it reads or assigns."""
        found = {id(v): v for v in [*self._sources, *self._written] if not isinstance(v, Symbol)}
        return tuple(found.values())

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        return tuple(v for v in self.variables if v.trainable)

    @property
    def program(self) -> Program:
        """The operations that it runs, to print, count, draw and save."""
        return self._program

    @property
    def graph(self) -> Listing:
        return Listing(self._program, self.name)

    @property
    def local(self) -> bool:
        """True where it holds a value of the trace around it, so that it means nothing outside."""
        return any(isinstance(source, Symbol) for source in self._sources)

    # ---- how it is called

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs it on tensors that fit its signature; Python values are those it was traced with."""
        specs = self.inputs
        tensors = split((args, kwargs))[0]
        if len(tensors) != len(specs):
            # numbers and arrays may stand for tensors
            tensors = [convert(leaf) for leaf in nest.flatten((args, kwargs)) if _numeric(leaf)]
        if len(tensors) != len(specs) or any(not s.is_compatible_with(t) for s, t in zip(specs, tensors)):
            raise TypeError(
                explain(
                    self.name,
                    "the arguments do not fit the signature",
                    {"given": describe(tensors), "signature": specs},
                )
            )
        return self.run(tensors)

    def run(self, tensors: list[Tensor]) -> Any:
        """Its result for these tensors: at once, or as nodes of the graph being traced."""
        if _local.graph is not None:
            return self._traced.pack(self._inlined(_local.graph, tensors))
        count = len(self._program.outputs)
        if _local.tapes:
            values = [*tensors, *[source._read() for source in self._sources]]
        elif any(isinstance(t, Symbol) for t in tensors):
            # the symbol that a model draws with is neither run nor traced here
            values = [*tensors, *[source._tensor for source in self._sources]]
        else:
            return self.run_arrays([t._array for t in tensors])
        if not values:
            return self.run_arrays([])
        results = apply(self._op, [values], {})
        for variable, value in zip(self._written, results[count:]):
            variable._write(value)
        return self._traced.pack(results[:count])

    def run_arrays(self, arrays: list[Any]) -> Any:
        """Its result for arrays that fit its inputs, where nobody traces or records. They may be the caller's own."""
        runner = self._runner
        if runner is None:
            if execute.on_numpy(self._program):
                return self._interpreted(arrays)
            runner = self._runner = Runner(self._program)
        results = None
        with contextlib.suppress(execute.Refused):
            results = runner(arrays)
        if results is None:
            # NumPy may run it, or says by itself what is wrong
            packed = self._interpreted(arrays)
            execute.refused(self._program)
            self._runner = None
            return packed
        return results[0] if self._one else self._traced.pack(results)

    def _interpreted(self, arrays: list[Any]) -> Any:
        captures = [source._tensor._array for source in self._sources]
        # a result that is an argument would be the caller's own array, which may change
        arrays = [np.array(array) for array in arrays]
        outputs, updates = execute.interpreted(self._program, arrays, captures)
        for variable, array in zip(self._written, updates):
            variable._write(Tensor(array))
        return self._traced.pack([Tensor(array) for array in outputs])

    def _arrays(self, arrays: list[Any]) -> list[np.ndarray]:
        count = len(self._program.inputs)
        outputs, updates = execute.run(self._program, arrays[:count], arrays[count:])
        return [*outputs, *updates]

    def _kernel(self, xp: Any, values: Arrays) -> list[Any]:
        """The whole program as one operation, for tapes."""
        if xp is np:
            return self._arrays(values)
        count = len(self._program.inputs)
        outputs, updates = lower(self._program, xp)(values[:count], values[count:])
        return [*outputs, *updates]

    def _inlined(self, graph: Graph, tensors: list[Tensor]) -> list[Any]:
        """Its nodes in another graph: reads see what that graph assigned, its own writes are the graph's."""
        program = self._program
        values: dict[int, Any] = dict(zip(program.inputs, tensors))
        for source, number in program.captures:
            values[number] = source if isinstance(source, Symbol) else source._read()
        for number, array in program.constants.items():
            values[number] = Tensor(array)
        for node in program.nodes:
            self._inline(graph, node, values)
        for variable, number in program.updates:
            variable._write(values[number])
        return [values[number] for number in program.outputs]

    def _inline(self, graph: Graph, node: Any, values: dict[int, Any]) -> None:
        specs = [self._program.specs[number] for number in node.outputs]
        inputs = [-1 if number < 0 else graph.number(values[number]) for number in node.inputs]
        results = graph.add(node.op, inputs, node.groups, node.settings, specs, list, like=node)
        values.update(zip(node.outputs, results))

    def __repr__(self) -> str:
        return f"<ConcreteFunction {self.name}{tuple(self.inputs)} -> {self.structured_outputs}>"


def _numeric(leaf: Any) -> bool:
    return isinstance(leaf, (Tensor, np.ndarray, np.generic, int, float)) and not isinstance(leaf, bool)


class Listing:
    """The nodes of a program as TensorFlow's graphs list them."""

    def __init__(self, program: Any, name: str) -> None:
        self._program, self.name = program, name

    def get_operations(self) -> list[Any]:
        return list(self._program.nodes)

    def as_graph_def(self) -> str:
        return str(self._program)

    def __str__(self) -> str:
        return str(self._program)


def traced_form(function: Callable[..., Any], name: str, args: tuple, kwargs: dict) -> ConcreteFunction:
    """A function traced for arguments of these specs and values."""

    def body(graph: Graph) -> Any:
        names = iter(argument_names(function, args, kwargs))
        given, named = stand_ins((args, kwargs), lambda shape, dtype: graph.input(shape, dtype, next(names, "")))
        return nest.map_structure(_as_tensor, function(*given, **named))

    return ConcreteFunction(name, trace(body, outer=_local.graph, label=name), args, kwargs)


def _as_tensor(leaf: Any) -> Any:
    """Numbers and arrays that a function returns are tensors to who calls it."""
    return convert(leaf) if isinstance(leaf, (bool, int, float, complex, str, bytes, np.ndarray, np.generic)) else leaf
