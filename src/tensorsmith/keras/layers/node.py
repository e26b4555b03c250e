"""The graph of layers that is drawn when layers are called on `keras.Input`s."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from tensorsmith.core import nest
from tensorsmith.core.dtypes import DType
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec, TypeSpec
from tensorsmith.keras.layers.drawn import DrawnRagged, DrawnSparse, drawn
from tensorsmith.keras.layers.masks import MaskedSpec
from tensorsmith.program.infer import infer
from tensorsmith.tensor.tensor import Symbol, Tensor, masked

_numbers = itertools.count()


class Node:
    """One call of a layer on symbolic inputs.

    layer    what was called.
    args, kwargs   what with, symbols inside.
    outputs  the symbols, and ragged and sparse tensors of symbols, that it gave, in the form in which `call` returned them.
    """

    __slots__ = ("args", "kwargs", "layer", "outputs")

    def __init__(self, layer: Any, args: tuple, kwargs: dict, outputs: Any) -> None:
        self.layer, self.args, self.kwargs, self.outputs = layer, args, kwargs, outputs

    @property
    def inputs(self) -> list[Any]:
        """What of a drawing is among its arguments."""
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
        layer = _makers["operation"](op, settings)
        return connect(layer, tuple(arguments), {}, outputs[0] if pack is None else pack(outputs))

    def read(self, variable: Any) -> Tensor:
        return variable._tensor


drawing = Drawing()


# what makes the layers "operation" (one operation), "parts" and "whole" (ragged and sparse tensors taken apart and put
# together); filled in by the files of these layers, which are made of what stands here
_makers: dict[str, Callable[..., Any]] = {}


def maker(name: str, make: Callable[..., Any]) -> None:
    """Fills in what makes a layer."""
    _makers[name] = make


def symbol(shape: Any, dtype: DType | str, name: str = "") -> Symbol:
    """A symbol of the drawing, whose history is set by `connect`."""
    return Symbol(drawing, next(_numbers), TensorShape(shape), dtype, name)


def connect(layer: Any, args: tuple, kwargs: dict, specs: Any) -> Any:
    """Notes a call of a layer; the symbols of its results."""

    def made(spec: Any) -> Any:
        if isinstance(spec, TensorSpec):
            output = symbol(spec.shape, spec.dtype, layer.name)
            if isinstance(spec, MaskedSpec):
                output._keras_mask = symbol(spec.mask.shape, spec.mask.dtype, layer.name)
            return output
        if isinstance(spec, TypeSpec):
            return drawn(spec, [symbol(part.shape, part.dtype, layer.name) for part in nest.flatten(spec, True)], layer)
        return spec

    outputs = nest.map_structure(made, specs)
    _noted(layer, args, kwargs, outputs)
    for output in nest.flatten(outputs):
        if isinstance(output, _COMPOSITES):
            # its tensors by themselves are the results of a layer that takes it apart
            _noted(_makers["parts"](layer.name), (output,), {}, output._parts())
    return outputs


def _noted(layer: Any, args: tuple, kwargs: dict, outputs: Any) -> None:
    node = Node(layer, args, kwargs, outputs)
    layer._inbound_nodes.append(node)
    for at, output in enumerate(with_masks(outputs)):
        if isinstance(output, _DRAWN):
            output._keras_history = node, at


def with_masks(outputs: Any) -> list[Any]:
    """The results of a call of a layer, and then their masks (None where there is none): what other layers may take of it."""
    results = nest.flatten(outputs)
    return [*results, *(getattr(result, "_keras_mask", None) for result in results)] if masked else results


def pairs(outputs: Any, results: Any) -> Iterator[tuple[Any, Any]]:
    """What a drawing has as outputs of a call, each with what it stands for when the layer is called again."""
    return ((drawn, result) for drawn, result in zip(with_masks(outputs), with_masks(results)) if drawn is not None)


_COMPOSITES = (DrawnRagged, DrawnSparse)
_DRAWN = (Symbol, *_COMPOSITES)


def is_drawn(value: Any) -> bool:
    """True for a symbol of the drawing, and for a ragged or sparse tensor that a layer gave."""
    return isinstance(value, _DRAWN) and getattr(value, "_keras_history", None) is not None


def has_drawn(value: Any) -> bool:
    """True where a nested value holds something of a drawing."""
    # most leaves are plain tensors: asked first, and cheaply
    return any([type(leaf) is not Tensor and _holds_drawn(leaf) for leaf in nest.flatten(value)])  # noqa: C419


def _holds_drawn(leaf: Any) -> bool:
    return is_drawn(leaf) or nest.is_composite(leaf) and any(map(is_drawn, leaf._parts()))


def whole(value: Any) -> Any:
    """A nested value in which each ragged and sparse tensor of symbols is the result of one layer."""

    def one(leaf: Any) -> Any:
        if is_drawn(leaf) or not nest.is_composite(leaf) or not has_drawn(leaf):
            return leaf
        return _makers["whole"](leaf._type_spec())(leaf._parts())

    return nest.map_structure(one, value)


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
