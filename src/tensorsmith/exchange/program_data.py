"""A program as data and back: nodes by the names of their operations, settings tagged, values by number.

Reading trusts nothing: an operation must be one of the registry, its settings those that it has, and every value that
a node takes must be made before it. Nothing is run or compiled while a file is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.core.places import Place as Line
from tensorsmith.core.shapes import TensorShape
from tensorsmith.exchange.arrays import Reader, Writer, dtype_name
from tensorsmith.exchange.encoding import Decoder, Encoder, Unsaveable, dtype_of, shape_of, sizes_of
from tensorsmith.exchange.reading import Place
from tensorsmith.exchange.rooms import every_operation
from tensorsmith.exchange.safety import quoted
from tensorsmith.program.checks import STATUS
from tensorsmith.program.lower import GRADIENT, MODES
from tensorsmith.program.op import REQUIRED, Op, registry
from tensorsmith.program.program import Node, Program

MOST_VALUES = 10**6
DEEPEST_PROGRAM = 32


class ProgramWriter:
    """Programs -> data. `number` gives the number of a variable that a program reads or assigns."""

    def __init__(self, arrays: Writer, number: Callable[[Any], int]) -> None:
        self._arrays, self._number = arrays, number
        self._encoder = Encoder(arrays, self.write)

    def write(self, program: Program) -> dict[str, Any]:
        """The data of a program. Raises ValueError that names what in it cannot be saved."""
        numbers: dict[int, int] = {-1: -1}
        specs: list[Any] = []

        def number(old: int) -> int:
            if old not in numbers:
                numbers[old] = len(specs)
                shape, dtype = program.specs[old]
                specs.append([dtype_name(dtype), sizes_of(shape)])
            return numbers[old]

        inputs = [[number(i), program.names.get(i, "")] for i in program.inputs]
        captures = [[self._source(source), number(i)] for source, i in program.captures]
        constants = [[number(i), self._arrays.add(array)] for i, array in program.constants.items()]
        nodes = [self._node(node, number, program) for node in program.nodes]
        outputs = [number(i) for i in program.outputs]
        updates = [[self._source(variable), number(i)] for variable, i in program.updates]
        return {
            "name": program.name, "values": specs, "inputs": inputs, "captures": captures, "constants": constants,
            "nodes": nodes, "outputs": outputs, "updates": updates,
        }  # fmt: skip

    def _source(self, source: Any) -> int | str:
        # how a run fares is told by a variable that all programs share
        return "status" if source is STATUS else self._number(source)

    def _node(self, node: Node, number: Callable[[int], int], program: Program) -> dict[str, Any]:
        if registry.get(node.op.name) is not node.op:
            raise _unsaveable(node, program, "the operation is one of this process only")
        settings = {}
        for name, value in node.settings.items():
            try:
                settings[name] = self._encoder.encode(value)
            except Unsaveable as error:
                raise _unsaveable(node, program, f"its setting {name!r} is {error}, which is no data") from None
        data = {
            "op": node.op.name, "inputs": [number(i) for i in node.inputs], "groups": list(node.groups),
            "settings": settings, "outputs": [number(i) for i in node.outputs],
        }  # fmt: skip
        if node.part:
            data["part"] = node.part
        if node.where is not None:
            # the name of the file and not its path: where somebody's home is does not belong in a model
            data["where"] = [os.path.basename(node.where.file), node.where.line, node.where.function]
        return data


def _unsaveable(node: Node, program: Program, wrong: str) -> ValueError:
    where = f" at {node.where}" if node.where is not None else ""
    return ValueError(
        explain(
            f"saving the program {program.name!r}",
            f"{node.op.name!r}{where} cannot be saved: {wrong}",
            rule="a saved program holds no Python code",
            way_out="Compute that outside of the function, or with operations of tf.",
        )
    )


class ProgramReader:
    """Data -> programs. `variable` gives the variable of a number."""

    def __init__(self, arrays: Reader, variable: Callable[[Place], Any]) -> None:
        every_operation()
        self._arrays, self._variable = arrays, variable
        self._decoder = Decoder(arrays, self.read)
        self._depth = self._values = 0

    def read(self, place: Place) -> Program:
        """The program. Raises ModelFileError that names the place of what is not as it must be."""
        if self._depth >= DEEPEST_PROGRAM:
            raise place.refuse("programs are nested too deeply")
        self._depth += 1
        try:
            return self._program(place)
        finally:
            self._depth -= 1

    def _source(self, place: Place) -> Any:
        return STATUS if place.value == "status" else self._variable(place)

    def _program(self, place: Place) -> Program:
        name, values, inputs, captures, constants, nodes, outputs, updates = place.fields(
            "name", "values", "inputs", "captures", "constants", "nodes", "outputs", "updates"
        )
        program = Program(name.text())
        for value in values.parts():
            self._values += 1
            if self._values > MOST_VALUES:
                raise value.refuse(f"there are more than {MOST_VALUES} values")
            dtype, shape = value.parts(2)
            program.specs.append((TensorShape(None) if shape.value is None else shape_of(shape), dtype_of(dtype)))
        made: set[int] = set()

        def new(number: Place) -> int:
            found = number.number(len(program.specs))
            if found in made:
                raise number.refuse(f"the value {found} is made twice")
            made.add(found)
            return found

        def known(number: Place) -> int:
            found = number.number(len(program.specs))
            if found not in made:
                raise number.refuse(f"the value {found} is used before it is made")
            return found

        for entry in inputs.parts():
            number, label = entry.parts(2)
            program.inputs.append(new(number))
            if label.text():
                program.names[program.inputs[-1]] = label.value
        for entry in captures.parts():
            variable, number = entry.parts(2)
            source, found = self._source(variable), new(number)
            _check_fits(source, program.specs[found], variable)
            program.captures.append((source, found))
        for entry in constants.parts():
            number, data = entry.parts(2)
            found, array = new(number), self._arrays.get(data)
            if (array.shape, array.dtype) != program.specs[found]:
                raise data.refuse(f"the constant is {array.dtype.name}{list(array.shape)}, which its value is not")
            program.constants[found] = array
        for entry in nodes.parts():
            program.nodes.append(self._node(entry, program, new, known))
        program.outputs = [known(number) for number in outputs.parts()]
        for entry in updates.parts():
            variable, number = entry.parts(2)
            source, found = self._source(variable), known(number)
            _check_fits(source, program.specs[found], variable)
            program.updates.append((source, found))
        return program

    def _node(self, place: Place, program: Program, new: Any, known: Any) -> Node:
        op_, inputs_, groups_, settings_, outputs_, part, where = place.fields(
            "op", "inputs", "groups", "settings", "outputs", optional=("part", "where")
        )
        op = registry.get(op_.text())
        if op is None:
            raise op_.refuse(
                f"there is no operation {quoted(op_.value, 60)!r}",
                "Was it saved by a newer version of Tensorsmith?",
            )
        inputs = tuple(-1 if number.value == -1 else known(number) for number in inputs_.parts())
        groups = tuple(None if g.value is None else g.number(len(inputs) + 1) for g in groups_.parts())
        _check_arguments(op, inputs, groups, place)
        settings = self._settings(op, settings_)
        outputs = tuple(new(number) for number in outputs_.parts())
        _check_gradient(op, inputs, outputs, settings, place)
        line = None
        if where is not None:
            file, number, function = where.parts(3)
            line = Line(file.text(), number.number(2**31), function.text())
        return Node(op, inputs, groups, settings, outputs, line, "" if part is None else part.text())

    def _settings(self, op: Op, place: Place) -> dict[str, Any]:
        found = place.items()
        for name, part in found.items():
            if name not in op.settings:
                raise part.refuse(f"{op.name!r} has no setting {quoted(name, 60)!r}")
        for name, default in op.settings.items():
            # a gradient is never called by itself, and what its kernel takes is no setting
            if default is REQUIRED and name not in found and op is not GRADIENT:
                raise place.refuse(f"the setting {name!r} of {op.name!r} is missing")
        settings = {}
        for name, part in found.items():
            value, default = self._decoder.decode(part), op.settings[name]
            # a padding is a word, or the widths themselves
            kinds = {bool: (bool,), str: (str, bytes, tuple), bytes: (str, bytes)}.get(type(default))
            if kinds and value is not None and type(value) not in kinds:
                raise part.refuse(f"{name!r} of {op.name!r} is {type(default).__name__}, not {quoted(value, 60)}")
            if type(default) in (int, float) and isinstance(value, (str, bytes, bool, dict, Program)):
                raise part.refuse(f"{name!r} of {op.name!r} is a number, not {quoted(value, 60)}")
            settings[name] = value
        return settings


def _check_arguments(op: Op, inputs: tuple[int, ...], groups: tuple[int | None, ...], place: Place) -> None:
    if sum(1 if count is None else count for count in groups) != len(inputs):
        raise place.refuse("its groups do not add up to its inputs")
    if op is GRADIENT:
        return
    if len(groups) != len(op.arrays):
        raise place.refuse(f"{op.name!r} takes {len(op.arrays)} arrays, not {len(groups)}")
    at = 0
    for name, count in zip(op.arrays, groups):
        if (count is not None) != (name in op.lists):
            raise place.refuse(f"{name!r} of {op.name!r} is {'a list' if name in op.lists else 'one array'}")
        given = inputs[at : at + (1 if count is None else count)]
        if -1 in given and name not in op.optional:
            raise place.refuse(f"{name!r} of {op.name!r} is missing")
        at += len(given)


def _check_gradient(op: Op, inputs: Any, outputs: Any, settings: dict[str, Any], place: Place) -> None:
    if op is not GRADIENT:
        return
    counts = [settings.get(name) for name in ("targets", "sources", "stops")]
    if not all(type(count) is int and count >= 0 for count in counts) or -1 in inputs:
        raise place.refuse("a gradient is of values by values")
    targets, sources, stops = counts
    mode = settings.get("mode")
    if mode not in MODES:
        raise place.refuse(f"{quoted(mode, 40)!r} is no kind of gradient")
    seeds = (sources if mode == "tangent" else targets) if settings.get("seeds") else 0
    results = targets if mode == "tangent" else sources
    if not targets or not sources or targets + sources + seeds + stops != len(inputs) or results != len(outputs):
        raise place.refuse("the targets, sources and results of a gradient do not add up")


def _check_fits(variable: Any, spec: Any, place: Place) -> None:
    shape, dtype = spec
    if variable.dtype.numpy_dtype != dtype or not variable.shape.is_compatible_with(shape):
        raise place.refuse(f"the variable is {variable.dtype.name}{list(variable.shape)}, which its value is not")
