"""A model from a list of layers."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import nest
from tensorsmith.core.shapes import TensorShape
from tensorsmith.keras import registry
from tensorsmith.keras.layers import calling, masks
from tensorsmith.keras.layers.base import Layer
from tensorsmith.keras.layers.input import Input, InputLayer
from tensorsmith.keras.layers.node import is_drawn
from tensorsmith.keras.models.conforming import any_batch, as_number, conform
from tensorsmith.keras.models.model import Model
from tensorsmith.structures.specs import type_spec_from_value
from tensorsmith.tensor.tensor import Symbol


class Sequential(Model):
    """Layers, each called on the result of the one before.

    layers  a list; the first may be a `keras.Input`, or have `input_shape=`: then the weights are made at once,
            else at the first call.

    >>> from tensorsmith import keras
    >>> model = Sequential([keras.Input(shape=(4,)), keras.layers.Dense(2)])
    >>> model.count_params()
    10
    """

    _sequence: list[Layer]
    _entry: InputLayer | None
    _exit: Symbol | None
    # whether the user said what comes in, with an Input: it is saved then, and what comes is made so
    _told: bool

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(trainable=trainable, name=name)
        self.__dict__["_sequence"] = []
        self.__dict__["_entry"], self.__dict__["_told"] = None, False
        self.__dict__["_exit"] = None
        for layer in layers or []:
            self._append(layer)
        self._rebuild()

    def _append(self, layer: Any) -> None:
        if is_drawn(layer) and isinstance(layer._keras_history[0].layer, InputLayer):
            layer = layer._keras_history[0].layer
        if not isinstance(layer, Layer):
            if callable(layer) and not isinstance(layer, type):
                from tensorsmith.keras.layers.wrappers import Lambda

                layer = Lambda(layer)
            else:
                way_out = f" Did you mean {layer.__name__}(...)?" if isinstance(layer, type) else ""
                raise TypeError(f"A Sequential model takes layers; given {layer!r} ({type(layer).__name__}).{way_out}")
        calling.require_constructed(layer)
        if any(layer.name == other.name and layer is not other for other in self._sequence):
            raise ValueError(
                f"All layers of a Sequential model should have unique names: {layer.name!r} is there already. "
                "Give this one another `name=`."
            )
        if isinstance(layer, InputLayer):
            if self._sequence or self._entry is not None:
                raise ValueError("An Input can only stand first in a Sequential model.")
            self.__dict__["_entry"], self.__dict__["_told"] = layer, True
            return
        self._sequence.append(layer)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Puts a layer at the end."""
        self._append(layer)
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the last layer away, and gives it."""
        if not self._sequence:
            raise TypeError(f"The Sequential model {self.name!r} has no layers: there is none to take away.")
        layer = self._sequence.pop()
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        """Draws the layers from the known input shape on, which makes their weights."""
        self.__dict__["_exit"] = None
        self._forget_programs()
        first = self._sequence[0] if self._sequence else None
        if self._entry is None and first is not None:
            shape = first.__dict__.get("_batch_input_shape")
            if shape is not None:
                self._enter(batch_shape=shape)
            elif isinstance(first, Model) and first.built and (ins := getattr(first, "inputs", None)):
                self._enter(type_spec=type_spec_from_value(ins[0]))
        if self._entry is None or not self._sequence:
            self.__dict__["built"] = False
            return
        x = self._entry._inbound_nodes[0].outputs
        for layer in self._sequence:
            x = layer(x)
        self.__dict__["_exit"] = x
        self.__dict__["_build_shapes"] = TensorShape(self._entry.batch_shape)
        self.built = True

    def _enter(self, **what: Any) -> None:
        """Draws what comes in, told as `keras.Input` takes it."""
        self.__dict__["_entry"] = Input(**what)._keras_history[0].layer

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights for inputs of this shape (the batch size first)."""
        if self._entry is None and input_shape is not None:
            self._enter(batch_shape=tuple(input_shape))
            self._rebuild()
        if not self._sequence:
            raise ValueError(f"The Sequential model {self.name!r} has no layers: it cannot be built.")

    def _held(self) -> list[Any]:
        own = [thing for thing in super()._held() if not isinstance(thing, Layer)]
        return [*self.__dict__.get("_sequence", []), *own]

    @property
    def layers(self) -> list[Layer]:
        return list(self._sequence)

    @property
    def inputs(self) -> list[Symbol] | None:
        return None if self._entry is None else [self._entry._inbound_nodes[0].outputs]

    @property
    def outputs(self) -> list[Symbol] | None:
        return None if self._exit is None else [self._exit]

    @property
    def input(self) -> Symbol:
        if self._entry is None:
            raise AttributeError(f"Sequential model {self.name!r} has no input yet: it was not built.")
        return self._entry._inbound_nodes[0].outputs

    @property
    def output(self) -> Symbol:
        if self._exit is None:
            raise AttributeError(f"Sequential model {self.name!r} has no output yet: it was not built.")
        return self._exit

    @property
    def input_shape(self) -> Any:
        return self.input.shape

    @property
    def output_shape(self) -> Any:
        return self.output.shape

    def _first_build(self, args: tuple, kwargs: dict) -> None:
        if self._entry is None and nest.is_composite(args[0]):
            self._enter(type_spec=any_batch(args[0]))
            self._rebuild()
        shape = calling.shapes_of(args[0])
        self.build(TensorShape([None, *tuple(shape)[1:]]))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        entry = self._entry
        if entry is not None and (entry.ragged or entry.sparse):
            inputs = conform(self, entry._inbound_nodes[0].outputs, inputs)
        elif entry is not None and self._told:
            # its sizes are asked by the first layer, which has more to say about them
            inputs = as_number(entry._inbound_nodes[0].outputs, inputs)
        inputs = masks.given(inputs, mask)
        for layer in self._sequence:
            inputs = layer(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": self._dtype.name,
            "layers": [registry.serialize_keras_object(layer) for layer in self._sequence],
        }
        if self._entry is not None and (self._told or self._entry.ragged or self._entry.sparse):
            # a shape alone does not tell it
            config["layers"].insert(0, registry.serialize_keras_object(self._entry))
        if self._entry is not None:
            config["build_input_shape"] = list(self._entry.batch_shape)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        layers = [registry.deserialize_keras_object(entry, custom_objects) for entry in config["layers"]]
        model = cls(layers, name=config.get("name"), trainable=config.get("trainable", True))
        shape = config.get("build_input_shape")
        if shape is not None and not model.built:
            model.build(tuple(shape))
        return model
