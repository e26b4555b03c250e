"""Strings to bucket numbers by their hash: FarmHash's fingerprint, MurmurHash64A, and SipHash under a key.

The numbers are those of TensorFlow, so that a table of weights trained there is looked up alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.program.op import Array
from tensorsmith.structures.ragged import is_ragged
from tensorsmith.structures.sparse import SparseTensor
from tensorsmith.tensor.apply import op, plain
from tensorsmith.tensor.convert import convert

_INT64 = np.dtype("int64")
_MASK = (1 << 64) - 1


def _word(data: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _turned(value: int, bits: int) -> int:
    """64 bits turned to the right."""
    return (value >> bits | value << (64 - bits)) & _MASK


# ---- FarmHash, the fingerprint of 64 bits (Pike and Alakuijala, 2014)

_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def farm_fingerprint(data: bytes) -> int:
    """The fingerprint of 64 bits of FarmHash, which is the same on all machines."""
    size = len(data)
    if size <= 16:
        return _farm_to_16(data, size)
    if size <= 32:
        return _farm_to_32(data, size)
    if size <= 64:
        return _farm_to_64(data, size)
    return _farm_long(data, size)


def _folded(value: int) -> int:
    return value ^ value >> 47


def _mixed(u: int, v: int, factor: int) -> int:
    a = _folded((u ^ v) * factor & _MASK)
    b = _folded((v ^ a) * factor & _MASK)
    return b * factor & _MASK


def _farm_to_16(data: bytes, size: int) -> int:
    factor = _K2 + size * 2 & _MASK
    if size >= 8:
        a, b = _word(data, 0) + _K2 & _MASK, _word(data, size - 8)
        return _mixed(_turned(b, 37) * factor + a & _MASK, (_turned(a, 25) + b) * factor & _MASK, factor)
    if size >= 4:
        return _mixed(size + (_word(data, 0, 4) << 3) & _MASK, _word(data, size - 4, 4), factor)
    if size:
        y, z = data[0] + (data[size >> 1] << 8), size + (data[size - 1] << 2)
        return _folded((y * _K2 ^ z * _K0) & _MASK) * _K2 & _MASK
    return _K2


def _farm_to_32(data: bytes, size: int) -> int:
    factor = _K2 + size * 2 & _MASK
    a, b = _word(data, 0) * _K1 & _MASK, _word(data, 8)
    c, d = _word(data, size - 8) * factor & _MASK, _word(data, size - 16) * _K2 & _MASK
    first = _turned(a + b & _MASK, 43) + _turned(c, 30) + d
    return _mixed(first & _MASK, a + _turned(b + _K2 & _MASK, 18) + c & _MASK, factor)


def _farm_to_64(data: bytes, size: int) -> int:
    factor = _K2 + size * 2 & _MASK
    a, b = _word(data, 0) * _K2 & _MASK, _word(data, 8)
    c, d = _word(data, size - 8) * factor & _MASK, _word(data, size - 16) * _K2 & _MASK
    y = _turned(a + b & _MASK, 43) + _turned(c, 30) + d & _MASK
    z = _mixed(y, a + _turned(b + _K2 & _MASK, 18) + c & _MASK, factor)
    e, f = _word(data, 16) * factor & _MASK, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * factor & _MASK, (z + _word(data, size - 24)) * factor & _MASK
    first = _turned(e + f & _MASK, 43) + _turned(g, 30) + h
    return _mixed(first & _MASK, e + _turned(f + a & _MASK, 18) + g & _MASK, factor)


def _weak_pair(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_word(data, at + 8 * i) for i in range(4))
    a = a + w & _MASK
    b = _turned(b + a + z & _MASK, 21)
    c = a
    a = a + x + y & _MASK
    return a + z & _MASK, b + _turned(a, 44) + c & _MASK


def _farm_round(data: bytes, at: int, state: tuple, factor: int, weight: int) -> tuple:
    """64 more bytes; `weight` is what the last round, which may overlap the one before, gives to the old state."""
    x, y, z, v, w = state
    x = _turned(x + y + v[0] + _word(data, at + 8) & _MASK, 37) * factor & _MASK
    y = _turned(y + v[1] + _word(data, at + 48) & _MASK, 42) * factor & _MASK
    x ^= w[1] * weight & _MASK
    y = y + v[0] * weight + _word(data, at + 40) & _MASK
    z = _turned(z + w[0] & _MASK, 33) * factor & _MASK
    v = _weak_pair(data, at, v[1] * factor & _MASK, x + w[0] & _MASK)
    w = _weak_pair(data, at + 32, z + w[1] & _MASK, y + _word(data, at + 16) & _MASK)
    return z, y, x, v, w


def _farm_long(data: bytes, size: int) -> int:
    seed = 81
    y = seed * _K1 + 113 & _MASK
    z = _folded(y * _K2 + 113 & _MASK) * _K2 & _MASK
    x = seed * _K2 + _word(data, 0) & _MASK
    state: tuple = (x, y, z, (0, 0), (0, 0))
    rounds, rest = (size - 1) // 64, size - 1 & 63
    for at in range(rounds):
        state = _farm_round(data, at * 64, state, _K1, 1)
    x, y, z, v, w = state
    factor = _K1 + ((z & 0xFF) << 1) & _MASK
    w = (w[0] + rest & _MASK, w[1])
    v = (v[0] + w[0] & _MASK, v[1])
    w = (w[0] + v[0] & _MASK, w[1])
    x, y, z, v, w = _farm_round(data, rounds * 64 + rest - 63, (x, y, z, v, w), factor, 9)
    first = _mixed(v[0], w[0], factor) + _folded(y) * _K0 + z
    return _mixed(first & _MASK, _mixed(v[1], w[1], factor) + x & _MASK, factor)


# ---- MurmurHash64A (Appleby, 2008)


def murmur(data: bytes, seed: int = 0xDECAFCAFFE) -> int:
    """MurmurHash64A."""
    factor, size = 0xC6A4A7935BD1E995, len(data)
    h = seed ^ size * factor & _MASK
    whole = size - size % 8
    for at in range(0, whole, 8):
        k = _word(data, at) * factor & _MASK
        h = (h ^ (k ^ k >> 47) * factor & _MASK) * factor & _MASK
    if size > whole:
        h = (h ^ _word(data, whole)) * factor & _MASK
    h = (h ^ h >> 47) * factor & _MASK
    return h ^ h >> 47


# ---- SipHash-2-4 (Aumasson and Bernstein, 2012)


def siphash(data: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 under a key of two words: who does not know it cannot make strings that collide."""
    size = len(data)
    v0, v1 = 0x736F6D6570736575 ^ key[0], 0x646F72616E646F6D ^ key[1]
    v2, v3 = 0x6C7967656E657261 ^ key[0], 0x7465646279746573 ^ key[1]
    words = [_word(data, at) for at in range(0, size - size % 8, 8)]
    words.append(_word(data, size - size % 8) | (size & 0xFF) << 56)
    for word in words:
        v0, v1, v2, v3 = _sip_rounds(2, v0, v1, v2, v3 ^ word)
        v0 ^= word
    v0, v1, v2, v3 = _sip_rounds(4, v0, v1, v2 ^ 0xFF, v3)
    return v0 ^ v1 ^ v2 ^ v3


def _sip_rounds(count: int, v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    for _ in range(count):
        v0, v2 = v0 + v1 & _MASK, v2 + v3 & _MASK
        v1, v3 = _turned(v1, 51) ^ v0, _turned(v3, 48) ^ v2
        v0 = _turned(v0, 32)
        v2, v0 = v2 + v1 & _MASK, v0 + v3 & _MASK
        v1, v3 = _turned(v1, 47) ^ v2, _turned(v3, 43) ^ v0
        v2 = _turned(v2, 32)
    return v0, v1, v2, v3


# ---- the operation


@op(kinds="O", differentiable=False, shapes=lambda specs, settings: [(specs[0][0], _INT64)])
def string_bucket(xp, x: Array, num_buckets=1, kind="fast", key=()):
    """The bucket, from 0 to num_buckets - 1, of each string: its hash modulo their number.

    kind  "fast" (FarmHash), "old" (MurmurHash) or "strong" (SipHash under `key`).
    """
    hashed: Callable[[bytes], int] = {"fast": farm_fingerprint, "old": murmur, "strong": lambda s: siphash(s, key)}[
        kind
    ]
    return np.array([hashed(s) % num_buckets for s in x.reshape(-1)], _INT64).reshape(x.shape)


def _buckets(who: str, input: Any, num_buckets: Any, kind: str, key: tuple[int, ...] = ()) -> Any:
    count = int(num_buckets)
    if count < 1:
        raise InvalidArgumentError(explain(who, "there must be at least one bucket", {"num_buckets": count}))
    if is_ragged(input):
        return input.with_flat_values(_buckets(who, input.flat_values, count, kind, key))
    if isinstance(input, SparseTensor):
        return SparseTensor(input.indices, _buckets(who, input.values, count, kind, key), input.dense_shape)
    return string_bucket(convert(input, "string"), num_buckets=count, kind=kind, key=key)


def to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Any:
    """The bucket (int64) of each string by FarmHash: the same on all machines and in all versions.

    Takes ragged and sparse tensors too. Who can choose the strings can make them collide; see `to_hash_bucket_strong`.

    >>> to_hash_bucket_fast(["Hello", "TensorFlow", "2.x"], 3).numpy()
    array([0, 2, 2])
    """
    return _buckets("strings.to_hash_bucket_fast", input, num_buckets, "fast")


def to_hash_bucket(input: Any, num_buckets: int, name: str | None = None) -> Any:
    """The bucket (int64) of each string by MurmurHash, for models that were trained with it; else `_fast` is better."""
    return _buckets("strings.to_hash_bucket", input, num_buckets, "old")


def to_hash_bucket_strong(input: Any, num_buckets: int, key: Any, name: str | None = None) -> Any:
    """The bucket (int64) of each string by SipHash under a `key` of two integers.

    >>> to_hash_bucket_strong(["Hello", "TF"], 3, [1, 2]).numpy()
    array([2, 0])
    """
    words = tuple(int(word) & _MASK for word in key)
    if len(words) != 2:
        raise InvalidArgumentError(
            explain("strings.to_hash_bucket_strong", "the key must be two integers", {"key": key})
        )
    return _buckets("strings.to_hash_bucket_strong", input, num_buckets, "strong", words)


@op(eager=True, differentiable=False, shapes=lambda specs, settings: [((specs[0][0][0], 8), np.dtype("uint8"))])
def fingerprint_bytes(xp, data: Array):
    """The fingerprint of each row of `data` [B, ...] as 8 bytes, the low one first: [B, 8]."""
    if data.dtype == object:
        marks = np.array([farm_fingerprint(text) for text in data.ravel().tolist()], np.uint64).reshape(data.shape)
        if data.ndim == 1:
            return marks.astype("<u8").view(np.uint8).reshape(-1, 8)
        data = marks
    rows = np.ascontiguousarray(data.astype(data.dtype.newbyteorder("<"), copy=False))
    marks = np.array([farm_fingerprint(row.tobytes()) for row in rows], np.uint64)
    return marks.astype("<u8").view(np.uint8).reshape(-1, 8)


def fingerprint(data: Any, method: str = "farmhash64", name: str | None = None) -> Any:
    """A number of 64 bits for each row of `data` [B, ...], as bytes, uint8 [B, 8]: equal rows have equal ones.

    FarmHash's fingerprint of the row's bytes; of several texts in a row that of their fingerprints. It is the same on all
    machines, and no protection against one who looks for two rows with one fingerprint.
    Raises InvalidArgumentError for a scalar, or another method.

    >>> import tensorsmith as tf
    >>> tf.fingerprint(["abc"]).numpy()
    array([[105, 243, 231, 116, 160, 179, 165,  36]], dtype=uint8)
    """
    data = convert(data)
    if plain(method, "method") not in ("farmhash64", b"farmhash64"):
        raise InvalidArgumentError(explain("fingerprint", "there is no such method", {"method": method}, "farmhash64"))
    if not data.ndim:
        raise InvalidArgumentError(explain("fingerprint", "data must have at least one axis", {"data": ()}))
    return fingerprint_bytes(data)
