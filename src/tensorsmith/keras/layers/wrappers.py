"""Lambda: any function as a layer."""

from __future__ import annotations

import inspect
from typing import Any

from tensorsmith.function.autograph import in_trace
from tensorsmith.keras import registry
from tensorsmith.keras.layers.base import Layer


class Lambda(Layer):
    """function(inputs, **arguments).

    function      takes the inputs, and `training` if it names it. Weights that it reads must be held elsewhere.
    output_shape  not needed: the shape is found by running the function.

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
        self._given_shape, self._given_mask = output_shape, mask
        try:
            self._takes_training = "training" in inspect.signature(function).parameters
        except (TypeError, ValueError):
            self._takes_training = False

    def call(self, inputs: Any, training: Any = None) -> Any:
        arguments = {**self.arguments, "training": training} if self._takes_training else self.arguments
        return in_trace(self.function)(inputs, **arguments)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "function": registry.serialize_keras_object(self.function)}
        if self.arguments:
            config["arguments"] = self.arguments
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        config = dict(config)
        if not callable(config["function"]):
            config["function"] = registry.deserialize_keras_object(config["function"])
        return cls(**config)
