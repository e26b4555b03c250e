"""The order in which both Keras generations list the layers of a functional model.

Files name layers by their number within it, so it must be theirs to the last tie: by distance from the outputs, farthest
first; at equal distance in the order in which a walk from the outputs to the inputs meets them first.
"""

from __future__ import annotations

from typing import Any


def layers_of(model: Any) -> list[Any]:
    """The layers of a model in the order of its files."""
    nodes = vars(model).get("_nodes")
    if nodes is None:
        return list(model.layers)
    own = {id(node): node for node in nodes}
    met, finished = _walk(model, own)
    inputs = [symbol._keras_history[0].layer for symbol in model.inputs]
    for layer in inputs:
        met.setdefault(id(layer), -1)
    # distance of each call from the outputs; a layer stands as far away as its farthest call
    far: dict[int, int] = {}
    layer_far: dict[int, int] = {}
    layers: dict[int, Any] = {}
    for node in reversed(finished):
        distance = max(far.get(id(node), 0), layer_far.get(id(node.layer), 0))
        layer_far[id(node.layer)] = far[id(node)] = distance
        layers[id(node.layer)] = node.layer
        for before in _before(node, own):
            far[id(before)] = max(far.get(id(before), 0), distance + 1)
    for layer in inputs:
        if id(layer) not in layers:
            layers[id(layer)], layer_far[id(layer)] = layer, 0
    return sorted(layers.values(), key=lambda layer: (-layer_far[id(layer)], met[id(layer)]))


def _before(node: Any, own: dict[int, Any]) -> list[Any]:
    """The calls whose results a call takes, in the order of its arguments."""
    found = []
    for symbol in node.inputs:
        made = symbol._keras_history[0]
        if id(made) in own:
            found.append(made)
    return found


def _walk(model: Any, own: dict[int, Any]) -> tuple[dict[int, int], list[Any]]:
    """(number at which each layer was met first, calls in the order in which all before them were done)."""
    met: dict[int, int] = {}
    finished: list[Any] = []
    done: set[int] = set()
    for symbol in model.outputs:
        # an own stack and not recursion: a model may be thousands of layers deep
        stack = [(symbol._keras_history[0], False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                finished.append(node)
                continue
            if id(node) in done:
                continue
            done.add(id(node))
            met.setdefault(id(node.layer), len(met))
            stack.append((node, True))
            stack.extend((before, False) for before in reversed(_before(node, own)))
    return met, finished
