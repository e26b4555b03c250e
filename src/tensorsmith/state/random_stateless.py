"""Random numbers without a memory: draws from a seed [2] alone, the same ones every time."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops import random as draws
from tensorsmith.ops.casting import cast
from tensorsmith.ops.gathering import gather
from tensorsmith.ops.random_bounded import random_normal_within
from tensorsmith.ops.shaping import concat
from tensorsmith.state.random_generator import (
    checked_sizes,
    draw_binomial,
    draw_normal,
    draw_uniform,
    parameters_of,
)
from tensorsmith.tensor.apply import apply
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


class Stateless:
    """Draws from a seed [2] alone: the same seed, the same numbers, every time."""

    def __init__(self, seed: Any) -> None:
        seed = convert(seed)
        if tuple(seed.shape) != (2,):
            raise InvalidArgumentError(explain("stateless draw", "a seed has shape (2,)", {"seed": seed.shape}))
        if isinstance(seed, Symbol):
            self._state: Any = concat([cast(seed, dtypes.uint64), Tensor(np.zeros(1, np.uint64))], 0)
        else:
            words = np.asarray(seed._array).astype(np.int64).view(np.uint64)
            self._state = Tensor(np.array([words[0], words[1], 0], np.uint64))

    def _draw(self, function: Any, shape: Any, dtype: np.dtype, *values: Any, **settings: Any) -> Tensor:
        sizes, parts = checked_sizes(shape, function.name)
        settings.update(sizes=sizes, dtype=dtype)
        return apply(function, (self._state, *values, parts), settings)


def stateless_uniform(
    shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, name: str | None = None,
    alg: Any = None,
) -> Tensor:  # fmt: skip
    """`uniform` from a seed [2] alone.

    >>> import tensorsmith as tf
    >>> bool(tf.reduce_all(tf.random.stateless_uniform([2], [1, 2]) == tf.random.stateless_uniform([2], [1, 2])))
    True
    """
    return draw_uniform(Stateless(seed), shape, minval, maxval, dtype)


def stateless_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None,
    alg: Any = None,
) -> Tensor:  # fmt: skip
    """`normal` from a seed [2] alone.

    >>> import tensorsmith as tf
    >>> tf.random.stateless_normal([2], seed=[1, 2]).shape
    TensorShape([2])
    """
    return draw_normal(Stateless(seed), draws.random_normal, shape, mean, stddev, dtype)


def stateless_truncated_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None,
    alg: Any = None,
) -> Tensor:  # fmt: skip
    """`truncated_normal` from a seed [2] alone.

    >>> import tensorsmith as tf
    >>> tf.random.stateless_truncated_normal([2], seed=[1, 2]).shape
    TensorShape([2])
    """
    return draw_normal(Stateless(seed), draws.random_truncated_normal, shape, mean, stddev, dtype)


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """`categorical` from a seed [2] alone.

    >>> import tensorsmith as tf
    >>> tf.random.stateless_categorical([[0.0, -1e9]], 2, seed=[1, 2]).numpy()
    array([[0, 0]])
    """
    settings = {"num_samples": int(num_samples), "dtype": dtypes.as_dtype(dtype).numpy_dtype}
    return apply(draws.random_categorical, (Stateless(seed)._state, logits), settings)


def stateless_shuffle(value: Any, seed: Any, alg: Any = None, name: str | None = None) -> Tensor:
    """`shuffle` from a seed [2] alone.

    >>> import tensorsmith as tf
    >>> sorted(tf.random.experimental.stateless_shuffle([2, 1], [0, 1]).numpy().tolist())
    [1, 2]
    """
    value = convert(value)
    return gather(value, apply(draws.random_order, (Stateless(seed)._state, value), {}))


def stateless_binomial(
    shape: Any, seed: Any, counts: Any, probs: Any, output_dtype: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """How many of `counts` independent trials succeed, each with probability `probs`, from a seed [2] alone.

    shape  of the result; it ends with that of counts and probs, broadcast.

    >>> import tensorsmith as tf
    >>> tf.random.stateless_binomial([2], seed=[1, 2], counts=[3.0, 5.0], probs=1.0).numpy()
    array([3, 5], dtype=int32)
    """
    return draw_binomial(Stateless(seed), "stateless_binomial", shape, counts, probs, output_dtype)


def stateless_parameterized_truncated_normal(
    shape: Any, seed: Any, means: Any = 0.0, stddevs: Any = 1.0, minvals: Any = -2.0, maxvals: Any = 2.0,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Numbers of normal distributions, each cut off at bounds of its own, from a seed [2] alone.

    shape             of the result; it ends with that of the parameters, broadcast.
    minvals, maxvals  the bounds themselves, not in deviations; inf for none.

    Raises InvalidArgumentError where a bound is not below the other, or a deviation not above 0 (compiled: NaN).

    >>> import tensorsmith as tf
    >>> x = tf.random.stateless_parameterized_truncated_normal([100], [1, 2], means=5.0, minvals=6.0, maxvals=7.0)
    >>> bool(tf.reduce_all((x >= 6.0) & (x <= 7.0)))
    True
    """
    who = "stateless_parameterized_truncated_normal"
    parameters = parameters_of(who, shape, means, stddevs, minvals, maxvals)
    if not any(isinstance(value, Symbol) for value in parameters):
        _, deviation, low, high = (np.asarray(value) for value in parameters)
        if not (np.all(low < high) and np.all(deviation > 0)):
            raise InvalidArgumentError(
                explain(
                    who,
                    "the parameters fit no distribution",
                    {"stddevs": stddevs, "minvals": minvals, "maxvals": maxvals},
                    "deviations must be above 0, and minvals below maxvals",
                )
            )
    return Stateless(seed)._draw(random_normal_within, shape, parameters[0].dtype.numpy_dtype, *parameters)
