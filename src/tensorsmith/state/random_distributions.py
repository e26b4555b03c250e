"""Draws of gamma and Poisson distributions, and seeds made of seeds."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops import random as draws
from tensorsmith.ops.casting import cast
from tensorsmith.ops.elementwise import add, divide
from tensorsmith.ops.random_gamma import random_gamma, random_poisson
from tensorsmith.state.random_generator import generator_of
from tensorsmith.state.random_stateless import Stateless
from tensorsmith.tensor.apply import apply, plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class Algorithm(enum.Enum):
    """Names of counter-based generators; all of them mean Philox here."""

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3


def create_rng_state(seed: Any, alg: Any = Algorithm.PHILOX) -> Tensor:
    """The first state (uint64 [3]) of the stream of a seed, for `tf.random.Generator.from_state`.

    >>> import tensorsmith as tf
    >>> tf.random.create_rng_state(1, "philox").numpy()
    array([1, 0, 0], dtype=uint64)
    """
    return Tensor(np.array([int(plain(seed, "seed")) & (2**64 - 1), 0, 0], np.uint64))


def split(seed: Any, num: int = 2, alg: Any = "auto_select") -> Tensor:
    """`num` new seeds [num, 2] from a seed [2], of its dtype, whose streams have nothing to do with each other.

    >>> import tensorsmith as tf
    >>> tf.random.split([1, 2], 3).shape
    TensorShape([3, 2])
    """
    seed = convert(seed)
    return cast(Stateless(seed)._draw(draws.random_bits, (num, 2), np.dtype("uint64")), seed.dtype)


def fold_in(seed: Any, data: Any, alg: Any = "auto_select") -> Tensor:
    """A new seed [2] from a seed [2] and a whole number, such as that of a step.

    >>> import tensorsmith as tf
    >>> bool(tf.reduce_all(tf.random.fold_in([1, 2], 3) == tf.random.fold_in([1, 2], 4)))
    False
    """
    seed = convert(seed)
    # half of all numbers of draws are for this, so that no draw of the seed itself is met again
    number = add(cast(data, dtypes.uint64), convert(np.uint64(2**63)))
    state = add(Stateless(seed)._state, number * convert(np.array([0, 0, 1], np.uint64)))
    settings = {"sizes": (2,), "dtype": np.dtype("uint64")}
    return cast(apply(draws.random_bits, (state, []), settings), seed.dtype)


def _floats(dtype: Any, who: str) -> np.dtype:
    wanted = dtypes.as_dtype(dtype)
    if not wanted.is_floating:
        raise ValueError(f"{who}: dtype must be a float, not {wanted.name}.")
    return wanted.numpy_dtype


def _before(shape: Any, parameter: Any, who: str) -> tuple[Any, ...]:
    """`shape` and then the parameter's own."""
    sizes = plain(convert(shape), "shape") if not isinstance(shape, (list, tuple)) else tuple(shape)
    sizes = (sizes,) if isinstance(sizes, int) else tuple(sizes)
    if None in parameter.shape:
        raise InvalidArgumentError(
            explain(who, "the sizes of the parameter must be known", {"parameter": tuple(parameter.shape)})
        )
    return (*sizes, *parameter.shape)


def gamma(
    shape: Any, alpha: Any, beta: Any = None, dtype: Any = dtypes.float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Numbers of gamma distributions: `shape` draws for each of alpha (the shape) and beta (the rate, by default 1).

    The result has the shape of `shape` followed by that of alpha and beta, broadcast. Derivatives flow to beta.

    >>> import tensorsmith as tf
    >>> tf.random.gamma([5], [0.5, 1.5]).shape
    TensorShape([5, 2])
    """
    wanted = _floats(dtype, "random.gamma")
    alpha = convert(alpha, None, wanted)
    rate = convert(1.0 if beta is None else beta, None, wanted)
    alpha = add(alpha, rate * 0)
    drawn = generator_of(seed)._draw(random_gamma, _before(shape, alpha, "random.gamma"), wanted, alpha)
    return drawn if beta is None else divide(drawn, rate)


def stateless_gamma(
    shape: Any, seed: Any, alpha: Any, beta: Any = None, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Numbers of gamma distributions from a seed [2] alone; `shape` is that of the result, to which alpha broadcasts.

    >>> import tensorsmith as tf
    >>> tf.random.stateless_gamma([5, 2], [1, 2], [0.5, 1.5]).shape
    TensorShape([5, 2])
    """
    wanted = _floats(dtype, "random.stateless_gamma")
    drawn = Stateless(seed)._draw(random_gamma, shape, wanted, convert(alpha, None, wanted))
    return drawn if beta is None else divide(drawn, convert(beta, None, wanted))


def poisson(shape: Any, lam: Any, dtype: Any = dtypes.float32, seed: Any = None, name: str | None = None) -> Tensor:
    """Numbers of Poisson distributions: `shape` draws for each mean in lam; the result is [*shape, *lam.shape].

    >>> import tensorsmith as tf
    >>> tf.random.poisson([5], [0.5, 20.0]).shape
    TensorShape([5, 2])
    """
    lam = convert(lam)
    return generator_of(seed)._draw(
        random_poisson, _before(shape, lam, "random.poisson"), dtypes.as_dtype(dtype).numpy_dtype, lam
    )


def stateless_poisson(shape: Any, seed: Any, lam: Any, dtype: Any = dtypes.int32, name: str | None = None) -> Tensor:
    """Numbers of Poisson distributions from a seed [2] alone; `shape` is that of the result, to which lam broadcasts.

    >>> import tensorsmith as tf
    >>> tf.random.stateless_poisson([5, 2], [1, 2], [0.5, 20.0]).dtype
    tf.int32
    """
    return Stateless(seed)._draw(random_poisson, shape, dtypes.as_dtype(dtype).numpy_dtype, convert(lam))
