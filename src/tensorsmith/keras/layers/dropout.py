"""Dropout."""

from __future__ import annotations

from typing import Any

from tensorsmith.keras.layers.base import Layer
from tensorsmith.ops.comparison import greater_equal, where
from tensorsmith.ops.creation import zeros_like
from tensorsmith.ops.elementwise import multiply
from tensorsmith.ops.shaping import shape
from tensorsmith.state import random_generator


class Dropout(Layer):
    """While training, each input is 0 with probability `rate`, else inputs / (1 - rate).

    noise_shape  a shape that broadcasts to the inputs: where it is 1, one draw serves the whole axis.
    seed         draws of its own, repeatable; else from the global generator.
    Source: Srivastava et al. (2014), Dropout: a simple way to prevent neural networks from overfitting.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate <= 1:
            raise ValueError(f"Dropout: rate must be between 0 and 1; given {rate!r}.")
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed
        self._generator = None if seed is None else random_generator.Generator.from_seed(seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return zeros_like(inputs)
        generator = self._generator or random_generator.get_global_generator()
        sizes = shape(inputs) if self.noise_shape is None else self.noise_shape
        if None not in tuple(inputs.shape) and self.noise_shape is None:
            sizes = tuple(inputs.shape)
        draws = generator.uniform(sizes, dtype=inputs.dtype)
        return where(greater_equal(draws, self.rate), multiply(inputs, 1.0 / (1.0 - self.rate)), zeros_like(inputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
