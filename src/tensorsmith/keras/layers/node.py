"""The graph of layers that is drawn when layers are called on `keras.Input`s."""

from __future__ import annotations

import itertools
from typing import Any

from tensorsmith.core import nest
from tensorsmith.core.dtypes import DType
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec
from tensorsmith.program.infer import infer
from tensorsmith.tensor.tensor import Symbol, Tensor

_numbers = itertools.count()


class Node:
    """One call of a layer on symbolic inputs.

    layer    what was called.
    args, kwargs   what with, symbols inside.
    outputs  the symbols that it gave, in the form in which `call` returned them.
    """

    __slots__ = ("args", "kwargs", "layer", "outputs")

    def __init__(self, layer: Any, args: tuple, kwargs: dict, outputs: Any) -> None:
        self.layer, self.args, self.kwargs, self.outputs = layer, args, kwargs, outputs

    @property
    def inputs(self) -> list[Symbol]:
        """The symbols among its arguments."""
        return [leaf for leaf in nest.flatten([self.args, self.kwargs]) if is_drawn(leaf)]

    @property
    def index(self) -> int:
        """Which call of its layer this is."""
        return self.layer._inbound_nodes.index(self)


class Drawing:
    """Stands as the graph of symbols made by `keras.Input`: an operation on them becomes a layer of its own."""

    def call(self, op: Any, arguments: list[Any], settings: dict) -> Any:
        def spec(x: Any) -> Any:
            if isinstance(x, list):
                return [spec(part) for part in x]
            return None if x is None else (tuple(x.shape), x.dtype.numpy_dtype)

        specs, pack = infer(op, [spec(a) for a in arguments], settings)
        outputs = [TensorSpec(shape, dtype) for shape, dtype in specs]
        layer = operation_layer(op, settings)
        return connect(layer, tuple(arguments), {}, outputs[0] if pack is None else pack(outputs))

    def read(self, variable: Any) -> Tensor:
        return variable._tensor


drawing = Drawing()


def operation_layer(op: Any, settings: dict) -> Any:
    """The layer that applies one operation; filled in by `operation.py`, which is made of layers."""
    return _operation_layer[0](op, settings)


_operation_layer: list[Any] = []


def symbol(shape: Any, dtype: DType | str, name: str = "") -> Symbol:
    """A symbol of the drawing, whose history is set by `connect`."""
    return Symbol(drawing, next(_numbers), TensorShape(shape), dtype, name)


def connect(layer: Any, args: tuple, kwargs: dict, specs: Any) -> Any:
    """Notes a call of a layer; the symbols of its results."""
    outputs = nest.map_structure(
        lambda s: symbol(s.shape, s.dtype, layer.name) if isinstance(s, TensorSpec) else s, specs
    )
    node = Node(layer, args, kwargs, outputs)
    layer._inbound_nodes.append(node)
    for at, output in enumerate(nest.flatten(outputs)):
        if isinstance(output, Symbol):
            output._keras_history = node, at
    return outputs


def is_drawn(value: Any) -> bool:
    """True for a symbol of the drawing."""
    return isinstance(value, Symbol) and getattr(value, "_keras_history", None) is not None


def tensors_of(layer: Any, which: str) -> Any:
    """The symbolic input or output of a layer's first call; AttributeError when it was not called on symbols."""
    if not layer._inbound_nodes:
        raise AttributeError(
            f"The layer {layer.name!r} has never been called on a keras.Input and thus has no {which}."
        )
    first = layer._inbound_nodes[0]
    if which == "output":
        return first.outputs
    return first.args[0] if first.args else first.inputs[0]
