"""A traced program as TensorFlow's graphs list it: operations with names and types, tensors by name, a graph def as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.core.shapes import TensorShape
from tensorsmith.function.graph_text import Attributes, FunctionDef, GraphDef, NodeDef, SignatureDef
from tensorsmith.program.checks import STATUS
from tensorsmith.program.lower import ASSIGNED
from tensorsmith.program.program import Node, Program
from tensorsmith.tensor.tensor import Symbol

# our operations that TensorFlow calls otherwise: its type, and how it names one of them
_TYPES: dict[str, tuple[str, str]] = {
    "add": ("AddV2", "add"), "subtract": ("Sub", "sub"), "multiply": ("Mul", "mul"), "divide": ("RealDiv", "truediv"),
    "floordiv": ("FloorDiv", "floordiv"), "floormod": ("FloorMod", "mod"), "pow": ("Pow", "pow"),
    "negative": ("Neg", "Neg"), "matmul": ("MatMul", "MatMul"), "getitem": ("StridedSlice", "strided_slice"),
    "strided_slice": ("StridedSlice", "strided_slice"), "where": ("SelectV2", "SelectV2"),
    "concat": ("ConcatV2", "concat"), "stack": ("Pack", "stack"), "unstack": ("Unpack", "unstack"),
    "split": ("Split", "split"), "gather": ("GatherV2", "GatherV2"), "one_hot": ("OneHot", "one_hot"),
    "reverse": ("ReverseV2", "ReverseV2"), "transpose": ("Transpose", "transpose"), "range": ("Range", "range"),
    "reduce_sum": ("Sum", "Sum"), "reduce_mean": ("Mean", "Mean"), "reduce_max": ("Max", "Max"),
    "reduce_min": ("Min", "Min"), "reduce_prod": ("Prod", "Prod"), "reduce_any": ("Any", "Any"),
    "reduce_all": ("All", "All"), "argmax": ("ArgMax", "ArgMax"), "argmin": ("ArgMin", "ArgMin"),
    "cond": ("If", "cond"), "switch_case": ("Case", "case"), "while_loop": ("While", "while"),
    "for_loop": ("While", "while"), "gradient": ("SymbolicGradient", "gradients"), "check": ("Assert", "Assert"),
    "print": ("PrintV2", "PrintV2"), "einsum": ("Einsum", "einsum/Einsum"), "zeros_like": ("ZerosLike", "zeros_like"),
    "ones_like": ("OnesLike", "ones_like"),
}  # fmt: skip


class SymbolicTensor:
    """A value of a listed graph: name ("pow:0"), shape, dtype, and the operation that gives it."""

    __slots__ = ("dtype", "index", "op", "shape")

    def __init__(self, op: Operation, index: int, shape: TensorShape, dtype: DType) -> None:
        self.op, self.index, self.shape, self.dtype = op, index, shape, dtype

    @property
    def name(self) -> str:
        return f"{self.op.name}:{self.index}"

    @property
    def graph(self) -> Listing:
        return self.op.graph

    def get_shape(self) -> TensorShape:
        return self.shape

    def consumers(self) -> list[Operation]:
        """The operations that take it."""
        return [op for op in self.graph.get_operations() if any(given is self for given in op.inputs)]

    def __repr__(self) -> str:
        return f"<tf.Tensor {self.name!r} shape={self.shape} dtype={self.dtype.name}>"


class Operation:
    """An operation of a listed graph: its name, its type, what it takes and what it gives."""

    __slots__ = ("attributes", "graph", "inputs", "name", "node", "outputs", "type")

    def __init__(
        self, graph: Listing, name: str, kind: str, inputs: list[SymbolicTensor], attributes: Any, node: Node | None
    ) -> None:
        self.graph, self.name, self.type, self.attributes = graph, name, kind, attributes
        self.inputs: tuple[SymbolicTensor, ...] = tuple(inputs)
        self.outputs: list[SymbolicTensor] = []
        # the operation of the program that it shows; None for placeholders, constants and results
        self.node = node

    @property
    def node_def(self) -> NodeDef:
        """Name, type, names of inputs and attributes, which print as text."""
        inputs = [given.op.name if given.index == 0 else given.name for given in self.inputs]
        return NodeDef(self.name, self.type, inputs, self.attributes)

    def get_attr(self, name: str) -> Any:
        """The value of an attribute; ValueError where there is none of that name."""
        if name not in self.attributes.values:
            raise ValueError(f"Operation {self.name!r} has no attr named {name!r}.")
        return self.attributes.values[name]

    def values(self) -> tuple[SymbolicTensor, ...]:
        return tuple(self.outputs)

    def __str__(self) -> str:
        return str(self.node_def)

    def __repr__(self) -> str:
        return f"<tf.Operation {self.name!r} type={self.type}>"


class Listing:
    """The graph of a traced function, as TensorFlow lists it; `print` shows the program itself.

    Placeholders bear the names of parameters, a constant that of the argument it is (`pow/y`), the results are
    `Identity`, `Identity_1`, ...

    arguments  the parameters that are variables: names by identity.
    """

    def __init__(self, program: Program, name: str, arguments: dict[int, str] | None = None) -> None:
        self.program, self.name, self._arguments = program, name, arguments or {}
        self._operations: list[Operation] = []
        self._names: dict[str, Operation] = {}
        self._used: dict[str, int] = {}
        self._tensors: dict[int, SymbolicTensor] = {}
        self._variables = {number: source for source, number in program.captures if not isinstance(source, Symbol)}
        self._resources: dict[int, SymbolicTensor] = {}
        # how the program fared is nothing that the user's code asked for
        hidden = {number for number, source in self._variables.items() if source is STATUS}
        hidden.update(number for variable, number in program.updates if variable is STATUS)
        for at, number in enumerate(program.inputs):
            self._placeholder(number, program.names.get(number) or f"input_{at}")
        for source, number in program.captures:
            if isinstance(source, Symbol):
                self._placeholder(number, "captured")
        for node in program.nodes:
            self._node(node, hidden)
        for variable, number in program.updates:
            if variable is not STATUS:
                resource = self._resource(variable, "AssignVariableOp/resource")
                self._add("AssignVariableOp", "AssignVariableOp", [resource, self._tensor(number, "Const")], {}, [])
        self.inputs = [op.outputs[0] for op in self._operations if op.type == "Placeholder"]
        self.outputs = [self._result(number) for number in program.outputs]

    # ---- asking

    def get_operations(self) -> list[Operation]:
        """The operations in the order in which they were asked for."""
        return list(self._operations)

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation of this name; KeyError where there is none."""
        found = self._names.get(name)
        if found is None:
            known = ", ".join(self._names)
            raise KeyError(f"The name {name!r} refers to an Operation not in the graph. It holds: {known}.")
        return found

    def get_tensor_by_name(self, name: str) -> SymbolicTensor:
        """The tensor "operation:output"; ValueError for a name of another form, KeyError where there is none."""
        owner, _, index = name.rpartition(":")
        if not owner or not index.isdigit():
            raise ValueError(f'The name {name!r} is no name of a tensor: it must be "<operation>:<output>", "pow:0".')
        outputs = self.get_operation_by_name(owner).outputs
        if int(index) >= len(outputs):
            raise KeyError(f"The name {name!r} refers to a Tensor which does not exist: {owner!r} has {len(outputs)}.")
        return outputs[int(index)]

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """The tensor or operation of a name."""
        name = getattr(obj, "name", obj)
        return self.get_tensor_by_name(name) if allow_tensor and ":" in name else self.get_operation_by_name(name)

    def as_graph_def(self, from_version: Any = None, add_shapes: bool = False) -> GraphDef:
        """All operations as data, which prints as text."""
        return GraphDef([op.node_def for op in self._operations])

    def function_def(self) -> FunctionDef:
        """The function's signature and its operations as data."""
        arguments = [(t.op.name.replace("/", "_").lower(), t.dtype) for t in self.inputs]
        results = [(t.op.name.lower(), t.dtype) for t in self.outputs]
        inner = [op.node_def for op in self._operations if op.type != "Placeholder"]
        return FunctionDef(SignatureDef(f"__inference_{self.name}", arguments, results), inner)

    @property
    def variables(self) -> tuple[Any, ...]:
        """The variables that the program reads or assigns."""
        sources: list[Any] = [*self._variables.values(), *(variable for variable, _ in self.program.updates)]
        return tuple({id(v): v for v in sources if v is not STATUS}.values())

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        return tuple([v for v in self.variables if v.trainable])

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations)

    def __str__(self) -> str:
        return str(self.program)

    def __repr__(self) -> str:
        return f"<graph of {self.name}, {len(self._operations)} operations>"

    def _repr_html_(self) -> str:
        return self.program._repr_html_()

    # ---- making

    def _unique(self, name: str) -> str:
        """A name not taken yet; case makes no difference, as on some file systems."""
        name = name or "op"
        low = name.lower()
        count = self._used.get(low)
        self._used[low] = 1 if count is None else count + 1
        return name if count is None else self._unique(f"{name}_{count}")

    def _add(
        self, name: str, kind: str, inputs: list[SymbolicTensor], attributes: dict, specs: list[Any],
        node: Node | None = None, named: bool = False,
    ) -> Operation:  # fmt: skip
        op = Operation(self, name if named else self._unique(name), kind, inputs, Attributes(attributes), node)
        op.outputs = [
            SymbolicTensor(op, at, TensorShape(shape), as_dtype(dtype)) for at, (shape, dtype) in enumerate(specs)
        ]
        self._operations.append(op)
        self._names[op.name] = op
        return op

    def _placeholder(self, number: int, name: str) -> None:
        shape, dtype = self.program.specs[number]
        attributes = {"shape": TensorShape(shape), "dtype": as_dtype(dtype), "_user_specified_name": name}
        self._tensors[number] = self._add(name, "Placeholder", [], attributes, [(shape, dtype)]).outputs[0]

    def _resource(self, variable: Any, name: str) -> SymbolicTensor:
        found = self._resources.get(id(variable))
        if found is None:
            spec = (), dtypes.resource
            name = self._arguments.get(id(variable), name)
            op = self._add(
                name, "Placeholder", [], {"dtype": dtypes.resource, "_user_specified_name": variable.name}, [spec]
            )
            found = self._resources[id(variable)] = op.outputs[0]
        return found

    def _tensor(self, number: int, constant: str) -> SymbolicTensor:
        """The listed value of an id; a constant or a variable is listed where it is first asked for."""
        found = self._tensors.get(number)
        if found is None:
            spec = self.program.specs[number]
            if number in self._variables:
                reader = constant.rpartition("/")[0]
                name = f"{reader}/ReadVariableOp" if reader else "ReadVariableOp"
                resource = self._resource(self._variables[number], f"{name}/resource")
                op = self._add(name, "ReadVariableOp", [resource], {"dtype": as_dtype(spec[1])}, [spec])
            else:
                value = np.asarray(self.program.constants[number])
                op = self._add(constant, "Const", [], {"value": value, "dtype": as_dtype(value.dtype)}, [spec])
            found = self._tensors[number] = op.outputs[0]
        return found

    def _node(self, node: Node, hidden: set[int]) -> None:
        if node.op is ASSIGNED:
            # a matter of derivatives alone
            self._tensors[node.outputs[0]] = self._tensor(node.inputs[0], "Const")
            return
        kind, base = _TYPES.get(node.op.name) or (_camel(node.op.name),) * 2
        name = self._unique(f"{node.part}/{base}" if node.part else base)
        inputs = []
        for number, argument in zip(node.inputs, _argument_names(node)):
            if number >= 0 and number not in hidden:
                inputs.append(self._tensor(number, f"{name}/{argument}"))
        attributes: dict[str, Any] = {}
        if inputs:
            attributes["T"] = inputs[0].dtype
        attributes.update({k: v for k, v in node.settings.items() if v is not None and not isinstance(v, Program)})
        if node.op.name in ("check", "print"):
            hidden.update(node.outputs)
        shown = [number for number in node.outputs if number not in hidden]
        op = self._add(name, kind, inputs, attributes, [self.program.specs[n] for n in shown], node, named=True)
        self._tensors.update(zip(shown, op.outputs))

    def _result(self, number: int) -> SymbolicTensor:
        source = self._tensor(number, "Const")
        return self._add("Identity", "Identity", [source], {"T": source.dtype}, [(source.shape, source.dtype)]).outputs[
            0
        ]


def _argument_names(node: Node) -> list[str]:
    """What each input of a node is called."""
    names: list[str] = []
    for argument, count in zip([*node.op.arrays, *["values"] * len(node.groups)], node.groups):
        names += [argument] if count is None else [f"{argument}_{at}" for at in range(count)]
    return names + ["input"] * (len(node.inputs) - len(names))


def _camel(name: str) -> str:
    """TensorFlow's type for an operation of ours, where it is a matter of spelling.

    >>> _camel("squared_difference")
    'SquaredDifference'
    """
    return "".join([part[:1].upper() + part[1:] for part in name.split("_")])
