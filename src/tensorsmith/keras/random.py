"""The public namespace `keras.random`: draws with Keras 3's seeds.

A seed is None (the global generator), a whole number (the same numbers at every call) or a SeedGenerator (other
numbers at every call, the same ones in every run).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.keras import config
from tensorsmith.keras.layers.tracking import Trackable
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import greater_equal, where
from tensorsmith.ops.creation import zeros_like
from tensorsmith.ops.elementwise import multiply
from tensorsmith.ops.shaping import shape as shape_of
from tensorsmith.ops.shaping import transpose
from tensorsmith.state import random_generator, random_stateless
from tensorsmith.tensor.convert import convert

__all__ = [
    "SeedGenerator", "categorical", "dropout", "normal", "randint", "shuffle", "truncated_normal", "uniform",
]  # fmt: skip


class SeedGenerator(Trackable):
    """A stream of draws; as an attribute of a layer, its state is among the layer's variables.

    seed  a whole number; None: another stream in every process, unless `set_random_seed` was called.

    >>> one, two = SeedGenerator(1), SeedGenerator(1)
    >>> bool((normal((3,), seed=one).numpy() == normal((3,), seed=two).numpy()).all())
    True
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if seed is None:
            seed = int(random_generator.numpy_generator().integers(2**31))
        self._seed = seed
        self.name = name or "seed_generator"
        self._generator = random_generator.Generator.from_seed(seed)

    @property
    def state(self) -> Any:
        return self._generator.state

    @property
    def variables(self) -> list[Any]:
        return [self.state]

    def next(self, ordered: bool = True) -> Any:
        """A seed of two whole numbers, another one each time."""
        return cast(self._generator.make_seeds(1)[:, 0], "int32")

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        return cls(**config)


def _source(seed: Any) -> Any:
    """What draws for a seed."""
    if seed is None:
        return random_generator.get_global_generator()
    if isinstance(seed, SeedGenerator):
        return seed._generator
    return None


def _pair(seed: Any) -> Any:
    """A whole number, or what `SeedGenerator.next` gave, as the two words of a stateless draw."""
    return np.array([seed, 0], "int64") if isinstance(seed, (int, np.integer)) else seed


def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers of a normal distribution.

    >>> normal((2, 3), seed=1).shape
    TensorShape([2, 3])
    """
    dtype, source = dtype or config.floatx(), _source(seed)
    if source is None:
        return random_stateless.stateless_normal(shape, _pair(seed), mean, stddev, dtype)
    return source.normal(shape, mean, stddev, dtype)


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers of a normal distribution cut off two standard deviations from the mean."""
    dtype, source = dtype or config.floatx(), _source(seed)
    if source is None:
        return random_stateless.stateless_truncated_normal(shape, _pair(seed), mean, stddev, dtype)
    return source.truncated_normal(shape, mean, stddev, dtype)


def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers evenly spread over [minval, maxval)."""
    dtype, source = dtype or config.floatx(), _source(seed)
    if source is None:
        return random_stateless.stateless_uniform(shape, _pair(seed), minval, maxval, dtype)
    return source.uniform(shape, minval, maxval, dtype)


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    """Whole numbers evenly spread over [minval, maxval)."""
    return uniform(shape, minval, maxval, dtype, seed)


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Class numbers [B, num_samples] drawn with probabilities softmax(logits [B, C])."""
    source = _source(seed)
    if source is None:
        return random_stateless.stateless_categorical(logits, num_samples, _pair(seed), dtype)
    return source.categorical(logits, num_samples, dtype)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """The parts of x along an axis in random order.

    >>> sorted(shuffle([3, 1, 2], seed=1).numpy().tolist())
    [1, 2, 3]
    """
    x, source = convert(x), _source(seed)
    rank = len(x.shape)
    # the axis first, and back
    order = [axis % rank, *(i for i in range(rank) if i != axis % rank)]
    x = transpose(x, order) if axis else x
    mixed = random_stateless.stateless_shuffle(x, _pair(seed)) if source is None else source.shuffle(x)
    return transpose(mixed, [order.index(i) for i in range(rank)]) if axis else mixed


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Each input is 0 with probability `rate`, else inputs / (1 - rate)."""
    inputs = convert(inputs)
    if rate == 0:
        return inputs
    draws = uniform(shape_of(inputs) if noise_shape is None else noise_shape, dtype=inputs.dtype, seed=seed)
    return where(greater_equal(draws, rate), multiply(inputs, 1.0 / (1.0 - rate)), zeros_like(inputs))
