"""The order in which both Keras generations list the layers of a functional model.

Weights, trainable variables, optimizer slots and names in files follow it, so it must be theirs to the last tie: by
distance from the outputs, farthest first; at equal distance in the order in which a walk from the outputs back to the
inputs meets them first.
"""

from __future__ import annotations

from typing import Any


def layers_in_order(nodes: list[Any], inputs: list[Any], outputs: list[Any]) -> list[Any]:
    """The layers of a graph between symbols.

    nodes  the calls of layers that lead from the inputs to the outputs, in any order.
    """
    own = {id(node) for node in nodes}
    met, finished = _walk(outputs, own)
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
    for symbol in inputs:
        layer = symbol._keras_history[0].layer
        if id(layer) not in layers:  # an input that no output needs
            layers[id(layer)], layer_far[id(layer)], met[id(layer)] = layer, 0, -1
    return sorted(layers.values(), key=lambda layer: (-layer_far[id(layer)], met[id(layer)]))


def _before(node: Any, own: set[int]) -> list[Any]:
    """The calls whose results a call takes, in the order of its arguments."""
    made = [symbol._keras_history[0] for symbol in node.inputs]
    return [before for before in made if id(before) in own]


def _walk(outputs: list[Any], own: set[int]) -> tuple[dict[int, int], list[Any]]:
    """(number at which each layer was met first, calls in an order in which all before them come first)."""
    met: dict[int, int] = {}
    finished: list[Any] = []
    done: set[int] = set()
    for symbol in outputs:
        # an own stack and not recursion: a model may be thousands of layers deep
        stack = [(symbol._keras_history[0], False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                finished.append(node)
                continue
            if id(node) in done or id(node) not in own:
                continue
            done.add(id(node))
            met.setdefault(id(node.layer), len(met))
            stack.append((node, True))
            stack.extend((before, False) for before in reversed(_before(node, own)))
    return met, finished
