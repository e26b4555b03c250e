"""Lambda: any function as a layer."""

from __future__ import annotations

import inspect
from typing import Any

from tensorsmith.function.autograph import in_trace
from tensorsmith.keras import registry
from tensorsmith.keras.layers.base import Layer


class Lambda(Layer):
    """function(inputs, **arguments).

    function      takes the inputs, and `training` and `mask` if it names them. Weights that it reads must be held elsewhere.
    output_shape  not needed: the shape is found by running the function.
    mask          the mask of the result, or a function of (inputs, mask) that gives it; without it the result has none.

    A named function is saved by its name and must be given to `load_model(custom_objects=...)`; so must a
    lambda, whose text alone is saved: a model file never holds code that runs.

    >>> import tensorsmith as tf
    >>> Lambda(lambda x: tf.exp(x))([0.0]).numpy()
    array([1.], dtype=float32)
    """

    def __init__(
        self, function: Any, output_shape: Any = None, mask: Any = None, arguments: dict | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda takes a function; given {function!r}.")
        self.function = function
        self.arguments = dict(arguments or {})
        self._given_shape, self.mask = output_shape, mask
        self.supports_masking = mask is not None
        try:
            named: Any = inspect.signature(function).parameters
        except (TypeError, ValueError):
            named = ()
        self._takes = [name for name in ("training", "mask") if name in named]

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        told = {"training": training, "mask": mask}
        arguments = {**self.arguments, **{name: told[name] for name in self._takes}}
        return in_trace(self.function)(inputs, **arguments)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return in_trace(self.mask)(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "function": registry.serialize_keras_object(self.function)}
        if self.arguments:
            config["arguments"] = self.arguments
        if self.mask is not None:
            config["mask"] = registry.serialize_keras_object(self.mask)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        config = dict(config)
        if not callable(config["function"]):
            config["function"] = registry.deserialize_keras_object(config["function"])
        if isinstance(config.get("mask"), dict):
            config["mask"] = registry.deserialize_keras_object(config["mask"])
        return cls(**config)
