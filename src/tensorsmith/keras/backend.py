"""The public namespace `keras.backend`: Keras 2's small functions, and settings."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import naming
from tensorsmith.core.shapes import TensorShape
from tensorsmith.keras.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from tensorsmith.keras.variable import Variable
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import equal, greater, greater_equal, less, less_equal, not_equal
from tensorsmith.ops.elementwise import abs, exp, log, maximum, minimum, pow, sqrt, square
from tensorsmith.ops.linalg import matmul as dot
from tensorsmith.ops.reductions import reduce_max as max
from tensorsmith.ops.reductions import reduce_mean as mean
from tensorsmith.ops.reductions import reduce_min as min
from tensorsmith.ops.reductions import reduce_sum as sum
from tensorsmith.ops.shaping import concat, expand_dims, reshape, shape, squeeze, transpose
from tensorsmith.ops.shaping import transpose as permute_dimensions

__all__ = [
    "abs", "backend", "batch_flatten", "batch_get_value", "cast", "clear_session", "concatenate", "dot", "epsilon",
    "equal", "exp", "expand_dims", "floatx", "get_uid", "get_value", "greater", "greater_equal", "image_data_format",
    "int_shape", "less", "less_equal", "log", "max", "maximum", "mean", "min", "minimum", "ndim", "not_equal",
    "permute_dimensions", "pow", "reshape", "set_epsilon", "set_floatx", "set_image_data_format", "set_value", "shape",
    "sqrt", "square", "squeeze", "sum", "transpose", "variable",
]  # fmt: skip


def backend() -> str:
    """The name of the engine that runs compiled programs."""
    return "jax"


def clear_session(free_memory: bool = True) -> None:
    """Names of new layers count from the start again. Models that exist stay as they are."""
    naming.forget()


def get_uid(prefix: str = "") -> int:
    """The next number of a prefix."""
    name = naming.unique(prefix)
    return 1 if name == prefix else int(name.rsplit("_", 1)[1]) + 1


def get_value(x: Any) -> Any:
    """The value of a variable or tensor as a NumPy array."""
    return x.numpy() if hasattr(x, "numpy") else np.asarray(x)


def set_value(x: Any, value: Any) -> None:
    """Sets a variable."""
    x.assign(value)


def batch_get_value(tensors: list[Any]) -> list[Any]:
    return [get_value(x) for x in tensors]


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A variable with this value."""
    return Variable(value, dtype=dtype, name=name, constraint=constraint)


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The static shape as a plain tuple."""
    return tuple(TensorShape(x.shape))


def ndim(x: Any) -> int:
    return len(x.shape)


def concatenate(tensors: list[Any], axis: int = -1) -> Any:
    return concat(tensors, axis)


def batch_flatten(x: Any) -> Any:
    """[B, ...] as [B, n]."""
    return reshape(x, (-1, int(np.prod(tuple(x.shape)[1:]))))
