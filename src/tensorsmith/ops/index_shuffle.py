"""Places in a shuffled order, one by one, without the order: a permutation that is computed where it is asked."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import broadcast
from tensorsmith.ops.repeating import pad
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, plain, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_U64 = np.dtype("uint64")
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mixed(x: Any) -> Any:
    """64 bits of which each hangs on all of x: the end of splitmix64 (Steele, Lea and Flood, 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _bit_length(xp: Any, x: Any) -> Any:
    found = xp.zeros_like(x)
    for step in (32, 16, 8, 4, 2, 1):
        high = (x >> np.uint64(step)) > 0
        found = xp.where(high, found + np.uint64(step), found)
        x = xp.where(high, x >> np.uint64(step), x)
    return found + x


def _spec(specs: Specs, settings: dict) -> Specs:
    (index, dtype), (seed, _), (most, _) = specs
    return [(broadcast(index, seed[:-1], most), dtype)]


@primitive(
    name="random_index_shuffle",
    same=frozenset({"index", "max_index"}),
    kinds="iu",
    differentiable=False,
    shapes=_spec,
    quiet=True,
)
def _random_index_shuffle(xp, index: Array, seed: Array, max_index: Array, rounds: int = 4):
    """The place of `index` in the order that the seed shuffles 0 to max_index into.

    A Feistel network permutes all numbers of as many bits as max_index has; what it takes beyond max_index goes
    through it again until it comes back (Black and Rogaway, 2002, Ciphers with arbitrary finite domains).
    """
    if xp is np and np.any((index > max_index) | (index < 0)):
        raise InvalidArgumentError(
            explain(
                "random_index_shuffle",
                "an index is out of range",
                {"index": index.tolist(), "max_index": max_index.tolist()},
                "it must be from 0 to max_index",
            )
        )
    words = seed.astype(_U64)
    key = _mixed(_mixed(_mixed(words[..., 0] + _GOLDEN) ^ words[..., 1]) ^ words[..., 2])
    shape = np.broadcast_shapes(index.shape, key.shape, max_index.shape)
    most, key, x = (xp.broadcast_to(v.astype(_U64), shape) for v in (max_index, key, index))
    bits = xp.maximum(_bit_length(xp, most), np.uint64(1))
    high = bits >> np.uint64(1)
    low = bits - high
    low_mask, high_mask = (np.uint64(1) << low) - np.uint64(1), (np.uint64(1) << high) - np.uint64(1)

    def permuted(x: Any) -> Any:
        a, b = x >> low, x & low_mask
        for at in range(2 * rounds):
            turn = key + np.uint64((at + 1) * int(_GOLDEN) % 2**64)
            if at % 2:
                a = a ^ (_mixed(b + turn) & high_mask)
            else:
                b = b ^ (_mixed(a + turn) & low_mask)
        return (a << low) | b

    x = permuted(x)
    if xp is np:
        while np.any(x > most):
            x = np.where(x > most, permuted(x), x)
    else:
        from tensorsmith.program.execute import jax

        x = jax().lax.while_loop(lambda x: xp.any(x > most), lambda x: xp.where(x > most, permuted(x), x), x)
    return x.astype(index.dtype)


def _shuffled(index: Any, seed: Tensor, max_index: Any, rounds: Any) -> Tensor:
    index = convert(index, None, max_index.dtype.numpy_dtype if isinstance(max_index, Tensor) else None)
    return apply(_random_index_shuffle, (index, seed, max_index), {"rounds": int(plain(rounds))})


def _seed_of(who: str, seed: Any, words: int) -> Tensor:
    seed = convert(seed)
    if seed.ndim not in (1, 2) or seed.shape[-1] != words:
        raise InvalidArgumentError(
            explain(
                who, f"a seed has {words} words, or each of n indices one [n, {words}]", {"seed": tuple(seed.shape)}
            )
        )
    return seed


def random_index_shuffle(index: Any, seed: Any, max_index: Any, rounds: Any = 4, name: str | None = None) -> Tensor:
    """The place of `index` among 0 to max_index (included), shuffled by a seed [3]: another one for each index.

    index, max_index  integers of one dtype, scalars or [n]; seed [3], or [n, 3].
    Raises InvalidArgumentError for an index beyond max_index (compiled: it is not looked at).

    >>> import tensorsmith as tf
    >>> sorted(tf.random_index_shuffle(tf.range(5), [1, 2, 3], 4).numpy().tolist())
    [0, 1, 2, 3, 4]
    """
    return _shuffled(index, _seed_of("random_index_shuffle", seed, 3), max_index, rounds)


def index_shuffle(index: Any, seed: Any, max_index: Any) -> Tensor:
    """The place of `index` among 0 to max_index (included), shuffled by a seed [2]; no order is kept in memory.

    >>> import tensorsmith as tf
    >>> places = [int(tf.random.experimental.index_shuffle(i, [1, 2], 3)) for i in range(4)]
    >>> sorted(places)
    [0, 1, 2, 3]
    """
    seed = _seed_of("index_shuffle", seed, 2)
    return _shuffled(index, pad(seed, [*[(0, 0)] * (seed.ndim - 1), (0, 1)]), max_index, 4)
