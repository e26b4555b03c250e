"""Random bits from a counter: Philox-4x64-10, the same under NumPy and XLA.

Source: Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3. NumPy holds it in C, which eager
draws use; XLA runs the ten rounds below. Nothing is kept between draws: bits are a function of
(key, draw, place), so a draw in a compiled loop equals the same draw at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
_WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
_U64, _U32 = np.dtype("uint64"), np.dtype("uint32")
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def words(xp: Any, state: Any, blocks: int) -> Any:
    """Four rows of `blocks` random 64-bit words.

    state: uint64 [3], two words of key and the number of the draw.
    """
    if xp is np:
        counter = np.array([0, 0, state[2], 0], _U64)
        raw = np.random.Philox(key=np.asarray(state[:2]), counter=counter).random_raw(4 * blocks)
        return raw.reshape(blocks, 4).T
    from tensorsmith.program.execute import jax

    def turn(_: Any, carried: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        x, key0, key1 = carried
        high0, low0 = _product(_MULTIPLIERS[0], x[0])
        high1, low1 = _product(_MULTIPLIERS[1], x[2])
        x = xp.stack([high1 ^ x[1] ^ key0, low1, high0 ^ x[3] ^ key1, low0])
        return x, key0 + np.uint64(_WEYL[0]), key1 + np.uint64(_WEYL[1])

    # NumPy counts up before it draws: its first block has the number 1
    first, zeros = xp.arange(1, blocks + 1, dtype=_U64), xp.zeros(blocks, _U64)
    x = xp.stack([first, zeros, xp.broadcast_to(state[2], (blocks,)), zeros])
    # a loop and not ten rounds in a row: XLA would compute all of them anew for each of the four rows (12 times slower)
    return jax().lax.fori_loop(0, 10, turn, (x, state[0], state[1]))[0]


def _product(a: int, b: Any) -> tuple[Any, Any]:
    """The high and the low 64 bits of a * b."""
    a_low, a_high = np.uint64(a & 0xFFFFFFFF), np.uint64(a >> 32)
    b_low, b_high = b & _LOW, b >> _HALF
    middle = a_high * b_low + ((a_low * b_low) >> _HALF)
    other = a_low * b_high + (middle & _LOW)
    return a_high * b_high + (middle >> _HALF) + (other >> _HALF), np.uint64(a) * b


def bits64(xp: Any, state: Any, count: int) -> Any:
    """`count` random 64-bit words."""
    # row by row, not block by block: XLA has them so
    return words(xp, state, -(-count // 4)).reshape(-1)[:count]


def bits32(xp: Any, state: Any, count: int) -> Any:
    """`count` random 32-bit words."""
    blocks = -(-count // 8)
    found = words(xp, state, blocks)
    if xp is np:
        # the transpose of (blocks, 8) halves, the low one of each word first
        halves = found.T.reshape(-1).view(_U32)
        return halves.reshape(blocks, 8).T.reshape(-1)[:count]
    return xp.stack([found.astype(_U32), (found >> _HALF).astype(_U32)], 1).reshape(-1)[:count]
