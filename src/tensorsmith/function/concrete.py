"""One traced form of a function: its program, and how to run it, note it on tapes, or put it into another program."""

from __future__ import annotations

import contextlib
import copy
import functools
from collections.abc import Callable
from types import GeneratorType
from typing import Any

import numpy as np

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec
from tensorsmith.function.given import Given
from tensorsmith.function.graph_text import FunctionDef
from tensorsmith.function.listing import Listing, SymbolicTensor
from tensorsmith.function.merging import Undefined
from tensorsmith.function.python_calls import CALL_PYTHON
from tensorsmith.function.runner import Runner
from tensorsmith.function.signature import stand_ins
from tensorsmith.function.trace import Traced, trace
from tensorsmith.program import execute
from tensorsmith.program.checks import STATUS
from tensorsmith.program.lower import arguments, lower, schedule
from tensorsmith.program.op import Arrays, Op
from tensorsmith.program.program import Node, Program
from tensorsmith.state.variable import Variable
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

    def __init__(self, name: str, traced: Traced, given: Given) -> None:
        self.name = name
        self._traced, self._program, self._given = traced, traced.program, given
        self._op = Op(name, self._kernel, same=False, shapes=self._result_specs)
        self._sources = [source for source, _ in self._program.captures]
        self._written = [variable for variable, _ in self._program.updates]
        self._runner: Runner | None = None
        self._one = traced.form.is_one_tensor()
        # tensors that it takes behind its arguments, and those that it holds as constants, which a tape may come to know
        graph = traced.graph
        self._taken: list[Tensor] = [] if graph is None else graph.taken or []
        self._held = [] if graph is None or graph.outer is not None else list(graph.held.values())

    def _result_specs(self, specs: Any, settings: Any) -> tuple[Any, ...]:
        program = self._program
        return tuple(program.specs[n] for n in [*program.outputs, *(n for _, n in program.updates)])

    # ---- what it is

    @property
    def structured_input_signature(self) -> tuple[tuple, dict]:
        return self._given.structured()

    @property
    def structured_outputs(self) -> Any:
        return self._traced.form.describe(self.output_specs)

    @property
    def input_specs(self) -> list[TensorSpec]:
        """The specs of the tensors that it takes, in order, with their names."""
        return list(self._given.specs)

    @property
    def output_specs(self) -> list[TensorSpec]:
        """The specs of the tensors that it gives, in order."""
        return [TensorSpec(*self._program.specs[number]) for number in self._program.outputs]

    @property
    def output_shapes(self) -> Any:
        """What it returns, with a shape for each tensor."""
        return nest.map_structure(lambda spec: getattr(spec, "shape", None), self.structured_outputs)

    @property
    def output_dtypes(self) -> Any:
        """What it returns, with a dtype for each tensor."""
        return nest.map_structure(lambda spec: getattr(spec, "dtype", None), self.structured_outputs)

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The placeholders of its graph: of its arguments, then of what it captures."""
        return self.graph.inputs

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The results of its graph, in the order of the flattened structure."""
        return self.graph.outputs

    @property
    def captured_inputs(self) -> list[Any]:
        """What it takes beside its arguments: the variables that it reads or assigns."""
        return list(self.variables)

    @property
    def variables(self) -> tuple[Any, ...]:
        """The variables that it reads or assigns."""
        found = {id(v): v for v in [*self._sources, *self._written] if v is not STATUS and not isinstance(v, Symbol)}
        return tuple(found.values())

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        return tuple(v for v in self.variables if v.trainable)

    @property
    def program(self) -> Program:
        """The operations that it runs, to print, count, draw and save."""
        if not self._taken:
            return self._program
        program, count = copy.copy(self._program), len(self._taken)
        program._signature = None
        program.inputs, taken = program.inputs[:-count], program.inputs[-count:]
        program.constants = {**program.constants, **dict(zip(taken, [tensor._array for tensor in self._taken]))}
        return program

    @functools.cached_property
    def graph(self) -> Listing:
        """Its operations as TensorFlow lists them: `get_operations()`, `get_tensor_by_name("Identity:0")`, `as_graph_def()`."""
        names = {id(value): name for name, value in self._given.named() if isinstance(value, Variable)}
        return Listing(self.program, self.name, names)

    @property
    def function_def(self) -> FunctionDef:
        """Its signature and its operations as data, which prints as text."""
        return self.graph.function_def()

    def pretty_printed_signature(self, verbose: bool = True) -> str:
        """What it takes and gives, as text."""
        if not verbose:
            return f"{self.name}{self._given.text()} -> {self.structured_outputs}"
        rows = self._given.rows()
        lines = ["Input Parameters:", *(f"  {row}" for row in rows or ["None"])]
        lines += ["Output Type:", f"  {self.structured_outputs}", "Captures:"]
        return "\n".join([*lines, *(f"  {v.name}: {TensorSpec(v.shape, v.dtype)}" for v in self.variables or ())]) + (
            "" if self.variables else "\n  None"
        )

    @property
    def local(self) -> bool:
        """True where it holds a value of the trace around it, so that it means nothing outside."""
        return any(isinstance(source, Symbol) for source in self._sources)

    # ---- how it is called

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs it on tensors that fit its signature; Python values are those it was traced with, and may be left out.

        Arguments stand as in a call of the function, or are the tensors alone: in order, or by name.
        Raises TypeError, naming the argument, where one does not fit.
        """
        return self.run(self._given.tensors(args, kwargs))

    def misses(self) -> bool:
        """Whether it holds as a constant what an open tape knows, which would not hear of it."""
        return bool(self._held) and any(map(context.hears, self._held))

    def run(self, tensors: list[Tensor]) -> Any:
        """Its result for these tensors: at once, or as nodes of the graph being traced."""
        tensors = [*tensors, *self._taken] if self._taken else tensors
        if _local.graph is not None:
            return self._traced.pack(self._inlined(_local.graph, tensors))
        count = len(self._program.outputs)
        if _local.tapes:
            values = [*tensors, *[source._read() for source in self._sources]]
        elif any(isinstance(t, Symbol) for t in tensors):
            # the symbol that a model draws with is neither run nor traced here
            values = [*tensors, *[source._tensor for source in self._sources]]
        else:
            return self._ran([t._array for t in tensors])
        if not values:
            return self._ran([])
        if _local.tapes and self._stepwise:
            return self._traced.pack(self._stepped(values))
        results = apply(self._op, [values], {})
        for variable, value in zip(self._written, results[count:]):
            variable._write(value)
        return self._traced.pack(results[:count])

    @functools.cached_property
    def _stepwise(self) -> bool:
        """Whether tapes are told of each of its operations: those that hear of the whole run it anew for a derivative, and
        Python code (a queue, say) may give something else the second time."""
        nodes = self._program.nodes
        return any(node.op is CALL_PYTHON for node in nodes) and all(isinstance(s, Node) for s in schedule(nodes))

    def _stepped(self, values: list[Tensor]) -> list[Tensor]:
        program = self._program
        env = {number: Tensor(array) for number, array in program.constants.items()}
        env.update(zip([*program.inputs, *[number for _, number in program.captures]], values))
        for node in program.nodes:
            given = arguments(node, env)
            if node.op is CALL_PYTHON:
                results = [given[0], *node.settings["call"].tensors(given[1])]
            else:
                results = apply(node.op, given, node.settings)
            env.update(zip(node.outputs, results if isinstance(results, (list, tuple)) else [results]))
        for variable, number in program.updates:
            variable._write(env[number])
        return [env[number] for number in program.outputs]

    def run_arrays(self, arrays: list[Any]) -> Any:
        """Its result for arrays that fit its inputs, where nobody traces or records. They may be the caller's own."""
        return self._ran([*arrays, *[tensor._array for tensor in self._taken]] if self._taken else arrays)

    def _ran(self, arrays: list[Any]) -> Any:
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
        graph_of = self._traced.graph
        own = {} if graph_of is None else {number: tensor for tensor, number in graph_of._constants.values()}
        for number, array in program.constants.items():
            values[number] = own.get(number) or Tensor(array)
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
        return f"<ConcreteFunction {self.name}{self._given.text()} -> {self.structured_outputs}>"

    def __str__(self) -> str:
        return f"ConcreteFunction {self.pretty_printed_signature()}"


def traced_form(
    function: Callable[..., Any],
    name: str,
    args: tuple,
    kwargs: dict,
    shapes: list[Any] | None = None,
    tensors: list[Tensor] | None = None,
) -> ConcreteFunction:
    """A function traced for arguments of these specs and values; `shapes` stand in the place of the tensors' own.

    tensors  those of the call for which it is traced: what variables that it makes may start from.
    """
    given = Given(function, name, args, kwargs, shapes)

    def body(graph: Graph) -> Any:
        graph.streams, graph.taken, graph.given = {}, [] if graph.outer is None else None, tensors
        stand = iter(given.specs)

        def one(shape: Any, dtype: Any) -> Symbol:
            spec = next(stand)
            return graph.input(spec.shape, spec.dtype, spec.name or "")

        positional, named = stand_ins((args, kwargs), one)
        return nest.map_structure(lambda leaf: _as_result(name, leaf), function(*positional, **named))

    return ConcreteFunction(name, trace(body, outer=_local.graph, label=name), given)


def _as_result(name: str, leaf: Any) -> Any:
    """Numbers and arrays that a function returns are tensors to who calls it; what no program gives is refused."""
    if isinstance(leaf, (bool, int, float, complex, str, bytes, np.ndarray, np.generic, TensorShape)):
        return convert(leaf)
    if isinstance(leaf, Undefined):
        leaf.refuse()
    if isinstance(leaf, (set, frozenset, GeneratorType)):
        wrong = "a generator" if isinstance(leaf, GeneratorType) else "a set"
        raise TypeError(
            explain(
                name,
                f"it returns {wrong}",
                {"returned": leaf},
                "a traced function returns tensors, or None, in lists, tuples, dicts and objects with fields",
                "Return a list. A function with `yield` cannot be traced.",
            )
        )
    return leaf
