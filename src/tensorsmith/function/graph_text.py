"""A listed graph as data: what `as_graph_def` and `function_def` give, printed in the text form of protocol buffers."""

from __future__ import annotations

import abc
from typing import Any

import numpy as np

from tensorsmith.core.dtypes import DType
from tensorsmith.core.shapes import TensorShape

_TYPES = {
    "float32": "FLOAT", "float64": "DOUBLE", "float16": "HALF", "complex64": "COMPLEX64", "complex128": "COMPLEX128",
}  # fmt: skip


def type_name(dtype: DType) -> str:
    """The dtype as protocol buffers of TensorFlow call it.

    >>> import tensorsmith as tf
    >>> type_name(tf.float32), type_name(tf.int32)
    ('DT_FLOAT', 'DT_INT32')
    """
    return "DT_" + _TYPES.get(dtype.name, dtype.name.upper())


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _block(name: str, lines: list[str]) -> list[str]:
    return [f"{name} {{", *("  " + line for line in lines), "}"]


def _shape(name: str, shape: Any) -> list[str]:
    lines: list[str] = []
    for size in shape:
        lines += _block("dim", [f"size: {-1 if size is None else size}"])
    return _block(name, lines)


def _value(value: Any) -> list[str]:
    """The lines of an attribute's value."""
    if isinstance(value, DType):
        return [f"type: {type_name(value)}"]
    if isinstance(value, np.dtype):
        return [f"type: DT_{_TYPES.get(value.name, value.name.upper())}"]
    if isinstance(value, TensorShape):
        return _shape("shape", value)
    if isinstance(value, np.ndarray):
        return _tensor(value)
    if isinstance(value, bool):
        return [f"b: {str(value).lower()}"]
    if isinstance(value, int):
        return [f"i: {value}"]
    if isinstance(value, float):
        return [f"f: {value:g}"]
    if isinstance(value, (list, tuple)):
        return _block("list", [line for part in value for line in _value(part)])
    return [f"s: {_quoted(str(value))}"]


_FIELDS = {"f": "float_val", "i": "int_val", "u": "int_val", "b": "bool_val", "O": "string_val", "c": "scomplex_val"}


def _tensor(array: np.ndarray) -> list[str]:
    name = {"float64": "double_val", "int64": "int64_val"}.get(array.dtype.name, _FIELDS.get(array.dtype.kind, "val"))
    kind = "string" if array.dtype == object else array.dtype.name
    lines = [f"dtype: DT_{_TYPES.get(kind, kind.upper())}", *_shape("tensor_shape", array.shape)]
    for item in array.ravel()[:32].tolist():
        text = _quoted(item.decode("utf-8", "replace")) if isinstance(item, bytes) else str(item).lower()
        lines.append(f"{name}: {f'{item:g}' if isinstance(item, float) else text}")
    return _block("tensor", lines)


class _Text(abc.ABC):
    """What prints as lines."""

    __slots__ = ()

    @abc.abstractmethod
    def lines(self) -> list[str]: ...

    def __str__(self) -> str:
        return "".join([line + "\n" for line in self.lines()])

    __repr__ = __str__


class Attributes(_Text):
    """The attributes of an operation, by name."""

    __slots__ = ("values",)

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __iter__(self) -> Any:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def lines(self) -> list[str]:
        rows = [_block("attr", [f"key: {_quoted(k)}", *_block("value", _value(v))]) for k, v in self.values.items()]
        return [line for row in rows for line in row]


class NodeDef(_Text):
    """One operation: name, op (its type), input (names), attr."""

    __slots__ = ("attr", "device", "input", "name", "op")

    def __init__(self, name: str, op: str, inputs: list[str], attributes: Attributes) -> None:
        self.name, self.op, self.input, self.attr, self.device = name, op, inputs, attributes, ""

    def lines(self) -> list[str]:
        named = [f"name: {_quoted(self.name)}", f"op: {_quoted(self.op)}"]
        return [*named, *(f"input: {_quoted(given)}" for given in self.input), *self.attr.lines()]


class GraphDef(_Text):
    """All operations of a graph: node, a list of NodeDefs."""

    __slots__ = ("node",)

    def __init__(self, node: list[NodeDef]) -> None:
        self.node = node

    def lines(self) -> list[str]:
        return [line for node in self.node for line in _block("node", node.lines())]


class ArgumentDef(_Text):
    """An argument or a result of a function: name and type."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, dtype: DType) -> None:
        self.name, self.type = name, type_name(dtype)

    def lines(self) -> list[str]:
        return [f"name: {_quoted(self.name)}", f"type: {self.type}"]


class SignatureDef(_Text):
    """The name, the arguments (input_arg) and the results (output_arg) of a function."""

    __slots__ = ("input_arg", "name", "output_arg")

    def __init__(self, name: str, arguments: list[Any], results: list[Any]) -> None:
        self.name = name
        self.input_arg = [ArgumentDef(*argument) for argument in arguments]
        self.output_arg = [ArgumentDef(*result) for result in results]

    def lines(self) -> list[str]:
        inputs = [line for a in self.input_arg for line in _block("input_arg", a.lines())]
        outputs = [line for a in self.output_arg for line in _block("output_arg", a.lines())]
        return [f"name: {_quoted(self.name)}", *inputs, *outputs]


class FunctionDef(_Text):
    """A function: signature and node_def, its operations."""

    __slots__ = ("node_def", "signature")

    def __init__(self, signature: SignatureDef, node_def: list[NodeDef]) -> None:
        self.signature, self.node_def = signature, node_def

    def lines(self) -> list[str]:
        inner = [line for node in self.node_def for line in _block("node_def", node.lines())]
        return [*_block("signature", self.signature.lines()), *inner]
