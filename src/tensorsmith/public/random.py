"""The public namespace `tf.random`."""

from tensorsmith.public import random_experimental as experimental
from tensorsmith.state.random_generator import (
    Generator,
    categorical,
    get_global_generator,
    normal,
    set_global_generator,
    set_seed,
    shuffle,
    stateless_categorical,
    stateless_normal,
    stateless_truncated_normal,
    stateless_uniform,
    truncated_normal,
    uniform,
)

__all__ = [
    "Generator", "categorical", "experimental", "get_global_generator", "normal", "set_global_generator", "set_seed",
    "shuffle", "stateless_categorical", "stateless_normal", "stateless_truncated_normal", "stateless_uniform",
    "truncated_normal", "uniform",
]  # fmt: skip
