"""A model from symbolic inputs and outputs."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import nest
from tensorsmith.core.specs import TensorSpec
from tensorsmith.keras import registry
from tensorsmith.keras.layers import masks
from tensorsmith.keras.layers.base import Layer
from tensorsmith.keras.layers.input import Input, InputLayer
from tensorsmith.keras.layers.node import Node, is_drawn, pairs, whole, with_masks
from tensorsmith.keras.models.conforming import conform
from tensorsmith.keras.models.layer_order import layers_in_order
from tensorsmith.keras.models.model import Model
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol


class Functional(Model):
    """The model between symbols: `keras.Model(inputs, outputs)`.

    inputs, outputs  symbols made by `keras.Input` and by layers called on them; lists, tuples and dicts of them.
    """

    _input_structure: Any
    _output_structure: Any
    _nodes: list[Node]
    _steps: list[Node]
    _layers: list[Layer]

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        outputs = whole(outputs)
        for leaf in nest.flatten(inputs):
            if not is_drawn(leaf):
                raise ValueError(f"All inputs of a functional model must come from keras.Input; given {leaf!r}.")
        for leaf in nest.flatten(outputs):
            if not is_drawn(leaf):
                raise ValueError(f"All outputs of a functional model must be results of its layers; given {leaf!r}.")
        self._set_graph(inputs, outputs)

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        if not all(isinstance(symbol._keras_history[0].layer, InputLayer) for symbol in nest.flatten(inputs)):
            inputs, outputs = _drawn_again(inputs, outputs, self.name)
        if isinstance(outputs, (list, tuple)) and len(outputs) == 1:
            # both generations of Keras give the one result itself
            outputs = outputs[0]
        state = self.__dict__
        state["_input_structure"], state["_output_structure"] = inputs, outputs
        state["_nodes"] = _ordered(nest.flatten(inputs), nest.flatten(outputs), self.name)
        state["_layers"] = layers_in_order(state["_nodes"], nest.flatten(inputs), nest.flatten(outputs))
        _check_names(state["_layers"], self.name)
        state["_steps"] = [n for n in state["_nodes"] if not isinstance(n.layer, InputLayer)]
        if type(self).call is Functional.call:
            # each input is cast to its own dtype
            state["_autocast"] = False
        self.built = True

    def _held(self) -> list[Any]:
        own = [thing for thing in super()._held() if not any(thing is layer for layer in self._layers)]
        return [*self.__dict__.get("_layers", []), *own]

    @property
    def layers(self) -> list[Layer]:
        return list(self.__dict__.get("_layers", []))

    @property
    def inputs(self) -> list[Symbol]:
        return nest.flatten(self._input_structure)

    @property
    def outputs(self) -> list[Symbol]:
        return nest.flatten(self._output_structure)

    @property
    def input(self) -> Any:
        return self._input_structure

    @property
    def output(self) -> Any:
        return self._output_structure

    @property
    def input_names(self) -> list[str]:
        return [symbol._keras_history[0].layer.name for symbol in self.inputs]

    @property
    def output_names(self) -> list[str]:
        return [symbol._keras_history[0].layer.name for symbol in self.outputs]

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        values: dict[int, Any] = {}
        symbols = self.inputs
        given = self._match(masks.given(inputs, mask))
        if len(given) != len(symbols):
            raise ValueError(
                f"The model {self.name!r} takes {len(symbols)} inputs ({', '.join(self.input_names)}); {len(given)} were given."
            )
        for symbol, value in zip(symbols, given):
            values[id(symbol)] = conform(self, symbol, value)

        def at(leaf: Any) -> Any:
            return values.get(id(leaf), leaf)

        for step in self._steps:
            args = nest.map_structure(at, step.args)
            kwargs = {key: nest.map_structure(at, value) for key, value in step.kwargs.items()}
            results = step.layer(*args, **kwargs)
            for symbol, result in pairs(step.outputs, results):
                values[id(symbol)] = result
        return nest.map_structure(at, self._output_structure)

    def _match(self, inputs: Any) -> list[Any]:
        """The given inputs in the order of the model's own: dicts are matched by name."""
        if isinstance(inputs, dict):
            if isinstance(self._input_structure, dict):
                keys = sorted(self._input_structure)
            else:
                keys = self.input_names
            missing = [key for key in keys if key not in inputs]
            if missing:
                raise ValueError(
                    f"The model {self.name!r} takes the inputs {keys}; {missing} are missing from the given {sorted(inputs)}."
                )
            return [inputs[key] for key in keys]
        return nest.flatten(inputs)

    def get_config(self) -> dict[str, Any]:
        if type(self) not in (Functional, Model):
            # a subclass that takes symbols in super().__init__ is remembered by its own constructor
            return super().get_config()
        layers = []
        for layer in self.layers:
            nodes = [n for n in layer._inbound_nodes if any(n is own for own in self._nodes)]
            entry = registry.serialize_keras_object(layer)
            entry["name"] = layer.name
            entry["inbound_nodes"] = [
                {"args": self._as_data(n.args), "kwargs": self._as_data(n.kwargs)}
                for n in nodes
                if not isinstance(layer, InputLayer)
            ]
            layers.append(entry)
        return {
            "name": self.name,
            "trainable": self._trainable,
            "layers": layers,
            "input_layers": nest.map_structure(self._place, self._input_structure),
            "output_layers": nest.map_structure(self._place, self._output_structure),
        }

    def _place(self, symbol: Symbol) -> list[Any]:
        made, tensor = symbol._keras_history
        own = [n for n in made.layer._inbound_nodes if any(n is each for each in self._nodes)]
        return [made.layer.name, next(i for i, n in enumerate(own) if n is made), tensor]

    def _as_data(self, value: Any) -> Any:
        def one(leaf: Any) -> Any:
            if is_drawn(leaf):
                config = {"shape": list(leaf.shape), "dtype": leaf.dtype.name, "keras_history": self._place(leaf)}
                return {"class_name": "__keras_tensor__", "config": config}
            if nest.is_composite(leaf):
                parts = [registry.serialize_keras_object(part.numpy()) for part in leaf._parts()]
                spec = registry.serialize_keras_object(leaf._type_spec())
                return {"class_name": "__composite__", "config": {"spec": spec, "parts": parts}}
            if hasattr(leaf, "numpy"):
                array = leaf.numpy()
                return {"class_name": "__numpy__", "config": {"value": array.tolist(), "dtype": str(array.dtype)}}
            return registry.serialize_keras_object(leaf) if isinstance(leaf, slice) or leaf is Ellipsis else leaf

        if isinstance(value, tuple):
            return [self._as_data(part) for part in value]
        return nest.map_structure(one, value)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The model that `get_config` described; KeyError-free: what does not fit raises ValueError."""
        if "layers" not in config:
            return cls(**config)
        layers: dict[str, Layer] = {}
        made: dict[tuple[str, int, int], Symbol] = {}
        waiting: list[tuple[Layer, dict, int]] = []
        for entry in config["layers"]:
            layer = registry.deserialize_keras_object(
                {k: v for k, v in entry.items() if k not in ("inbound_nodes", "name")}, custom_objects
            )
            layers[layer.name] = layer
            if isinstance(layer, InputLayer):
                made[layer.name, 0, 0] = layer._inbound_nodes[0].outputs
            waiting.extend((layer, each, at) for at, each in enumerate(entry["inbound_nodes"]))
        while waiting:
            rest = []
            for layer, each, at in waiting:
                if not _ready(each, made):
                    rest.append((layer, each, at))
                    continue
                args = [_from_data(part, made) for part in each["args"]]
                kwargs = {key: _from_data(value, made) for key, value in each.get("kwargs", {}).items()}
                results = with_masks(layer(*args, **kwargs))
                for number, result in enumerate(results):
                    made[layer.name, at, number] = result
            if len(rest) == len(waiting):
                raise ValueError(
                    f"The config of model {config.get('name')!r} is no graph: the inputs of "
                    f"{sorted({layer.name for layer, _, _ in rest})} are made nowhere before them."
                )
            waiting = rest

        def symbol(place: Any) -> Any:
            if isinstance(place, dict):
                return {key: symbol(value) for key, value in place.items()}
            if len(place) == 3 and isinstance(place[0], str):
                key = (place[0], int(place[1]), int(place[2]))
                if key not in made:
                    raise ValueError(f"The config of model {config.get('name')!r} names {place}, which no layer makes.")
                return made[key]
            parts = [symbol(part) for part in place]
            return parts[0] if len(parts) == 1 else parts

        return cls(
            inputs=symbol(config["input_layers"]),
            outputs=symbol(config["output_layers"]),
            name=config.get("name"),
            trainable=config.get("trainable", True),
        )


def _is_symbol_data(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _key(value: dict) -> tuple[str, int, int]:
    name, number, tensor = value["config"]["keras_history"]
    return name, int(number), int(tensor)


def _ready(value: Any, made: dict) -> bool:
    if _is_symbol_data(value):
        return _key(value) in made
    if isinstance(value, dict):
        return all(_ready(part, made) for part in value.values())
    return all(_ready(part, made) for part in value) if isinstance(value, list) else True


def _from_data(value: Any, made: dict) -> Any:
    if _is_symbol_data(value):
        return made[_key(value)]
    if isinstance(value, dict) and value.get("class_name") == "__numpy__":
        return convert(value["config"]["value"], value["config"]["dtype"])
    if isinstance(value, dict) and value.get("class_name") in ("__slice__", "__ellipsis__"):
        return registry.deserialize_keras_object(value)
    if isinstance(value, dict) and value.get("class_name") == "__composite__":
        parts = [convert(registry.deserialize_keras_object(part)) for part in value["config"]["parts"]]
        return registry.deserialize_keras_object(value["config"]["spec"])._from_parts(parts)
    if isinstance(value, dict):
        return {key: _from_data(part, made) for key, part in value.items()}
    return [_from_data(part, made) for part in value] if isinstance(value, list) else value


def _ordered(inputs: list[Symbol], outputs: list[Symbol], name: str) -> list[Node]:
    """The nodes that lead from the inputs to the outputs, each after those it needs: inputs first, then by depth."""
    order: dict[int, Node] = {}
    depth: dict[int, int] = {}
    given = {id(symbol) for symbol in inputs}
    for symbol in inputs:
        made = symbol._keras_history[0]
        order[id(made)], depth[id(made)] = made, 0
    # an own stack and not recursion: a model may be thousands of layers deep
    stack = [(symbol._keras_history[0], False) for symbol in reversed(outputs)]
    while stack:
        made, done = stack.pop()
        if id(made) in order:
            continue
        if isinstance(made.layer, InputLayer):
            raise ValueError(
                f"The model {name!r} is not connected: its outputs need the input {made.layer.name!r}, "
                "which is not among the inputs given."
            )
        before = [s._keras_history[0] for s in made.inputs if id(s) not in given]
        if done:
            order[id(made)] = made
            depth[id(made)] = 1 + max((depth[id(b)] for b in before), default=0)
        else:
            stack.append((made, True))
            stack.extend((b, False) for b in before if id(b) not in order)
    return sorted(order.values(), key=lambda n: depth[id(n)])


def _drawn_again(inputs: Any, outputs: Any, name: str) -> tuple[Any, Any]:
    """The graph between symbols of which some are results of layers, drawn from inputs of its own in their place."""
    flat = nest.flatten(inputs)
    values: dict[int, Any] = {}
    for symbol in flat:
        inner = not isinstance(symbol._keras_history[0].layer, InputLayer)
        spec = TensorSpec(symbol.shape, symbol.dtype) if isinstance(symbol, Symbol) else symbol.type_spec
        values[id(symbol)] = Input(type_spec=spec) if inner else symbol
    ends = {id(symbol._keras_history[0]) for symbol in flat}

    def at(leaf: Any) -> Any:
        return values.get(id(leaf), leaf)

    for made in _ordered(flat, nest.flatten(outputs), name):
        if id(made) in ends:
            continue
        args = nest.map_structure(at, made.args)
        kwargs = {key: nest.map_structure(at, value) for key, value in made.kwargs.items()}
        results = made.layer(*args, **kwargs)
        for symbol, result in pairs(made.outputs, results):
            values.setdefault(id(symbol), result)
    return nest.map_structure(at, inputs), nest.map_structure(at, outputs)


def _check_names(layers: list[Layer], name: str) -> None:
    counts: dict[str, int] = {}
    for layer in layers:
        counts[layer.name] = counts.get(layer.name, 0) + 1
    for repeated, count in counts.items():
        if count > 1:
            raise ValueError(
                f"All layers of the model {name!r} should have unique names: {repeated!r} stands for {count} of them. "
                "Give them another `name=`."
            )
