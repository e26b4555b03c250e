"""Cosine transforms of types 1 to 4."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.ops.fourier import transforms
from tensorsmith.ops.frames import place, whole
from tensorsmith.ops.sizes import fill_sizes
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import apply, plain, primitive
from tensorsmith.tensor.tensor import Tensor


def _turns(angles: Any, dtype: Any) -> np.ndarray:
    """exp(-i * angle), in as many digits as `dtype` has."""
    return np.exp(-1j * np.asarray(angles)).astype("complex128" if dtype.itemsize == 8 else "complex64")


def _second(xp: Any, x: Any) -> Any:
    """By one real transform of n values: the even ones, then the odd ones from the last one back."""
    n = x.shape[-1]
    spectrum = transforms(xp, x).rfft(xp.concatenate([x[..., ::2], x[..., 1::2][..., ::-1]], axis=-1), axis=-1)
    turned = spectrum * _turns(np.arange(n // 2 + 1) * (np.pi / (2 * n)), x.dtype)
    # of n - k they are the imaginary parts of k
    return 2 * xp.concatenate([turned.real, -turned.imag[..., 1 : (n + 1) // 2][..., ::-1]], axis=-1)


def _third(xp: Any, x: Any) -> Any:
    """The way back of `_second`, times 2 n."""
    n = x.shape[-1]
    other = xp.concatenate([xp.zeros_like(x[..., :1]), x[..., : (n - 1) // 2 : -1]], axis=-1)
    spectrum = (x[..., : n // 2 + 1] - np.asarray(1j, _turns(0, x.dtype).dtype) * other) * _turns(
        np.arange(n // 2 + 1) * (-np.pi / (2 * n)), x.dtype
    )
    values = n * transforms(xp, x).irfft(spectrum, n=n, axis=-1)
    first, last = values[..., : (n + 1) // 2], values[..., (n + 1) // 2 :][..., ::-1]
    if n % 2:
        last = xp.concatenate([last, xp.zeros_like(first[..., :1])], axis=-1)
    return xp.reshape(xp.stack([first, last], axis=-1), (*x.shape[:-1], -1))[..., :n]


def _fourth(xp: Any, x: Any) -> Any:
    """By a complex transform of half the values; of an odd number of them, as every other one of 2 n of type 2."""
    n = x.shape[-1]
    if n % 2:
        return _second(xp, xp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, n)]))[..., 1::2]
    places = np.arange(n // 2) * (np.pi / n)
    turns = _turns(places + np.pi / (4 * n), x.dtype)
    pairs = x[..., ::2] + np.asarray(1j, turns.dtype) * x[..., ::-2]
    found = transforms(xp, x).fft(pairs * turns, axis=-1) * _turns(places, x.dtype)
    return 2 * xp.reshape(xp.stack([found.real, -found.imag[..., ::-1]], axis=-1), x.shape)


def _transform_shape(specs: Any, settings: dict) -> Specs:
    shape, dtype = specs[0]
    at = place(len(shape), settings["axis"])
    return [((*shape[:at], shape[at] if settings["length"] == -1 else settings["length"], *shape[at + 1 :]), dtype)]


@primitive(name="dct", kinds="f", same=frozenset({"input"}), shapes=_transform_shape)
def _dct(xp, input: Array, parts: Arrays, type: int = 2, length: Any = -1, norm: Any = None, axis: int = -1):
    (n,) = fill_sizes((length,), parts, "dct")
    x = xp.moveaxis(input, place(input.ndim, axis), -1)
    return xp.moveaxis(_along_the_last(xp, x, type, n, norm).astype(input.dtype), -1, axis)


def _along_the_last(xp: Any, x: Any, type: int, n: int, norm: Any) -> Any:
    if n != -1:
        x = x[..., :n]
        x = xp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, n - x.shape[-1])])
    n = x.shape[-1]
    if 0 in x.shape:
        return x
    # scales and turns are not rounded to half floats
    x = x if x.dtype.itemsize >= 4 and x.dtype.kind == "f" else x.astype("float32")
    if type == 1:
        if n < 2:
            raise ValueError(f"type 1 needs at least 2 values, not {n}")
        return transforms(xp, x).rfft(xp.concatenate([x, x[..., -2:0:-1]], axis=-1), axis=-1).real
    scale = np.full(n, np.sqrt(1 / (2 * n)))
    if type in (2, 3):
        scale[0] *= np.sqrt(0.5)
    if type == 3:
        # of the rows of an orthogonal matrix the columns, so the scale comes before: 2 n times that of type 2
        scale[0] *= 2
        x = x * scale.astype(x.dtype) if norm == "ortho" else x
        return _third(xp, x)
    found = _second(xp, x) if type == 2 else _fourth(xp, x)
    return found * scale.astype(x.dtype) if norm == "ortho" else found


def dct(
    input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: str | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The cosine transform along an axis, the last one by default.

        type 1: y[k] = x[0] + (-1)**k x[n-1] + 2 sum of x[t] cos(pi k t / (n - 1)) over 0 < t < n - 1
        type 2: y[k] = 2 sum of x[t] cos(pi k (2 t + 1) / (2 n))
        type 3: y[k] = x[0] + 2 sum of x[t] cos(pi t (2 k + 1) / (2 n)) over t > 0
        type 4: y[k] = 2 sum of x[t] cos(pi (2 k + 1) (2 t + 1) / (4 n))

    input: floats [..., samples] -> the same dtype, [..., n].
    n: to so many samples values are cut, or filled with zeros, first.
    norm: "ortho" scales types 2 to 4 so that their matrices are orthogonal.
    Raises ValueError for another type or norm, for n below 1, and for type 1 with a norm or of one sample.

    >>> import tensorsmith as tf
    >>> tf.signal.dct([1.0, 1.0, 1.0]).numpy().round(4) + 0
    array([6., 0., 0.], dtype=float32)
    """
    return _checked(input, plain(type, "type"), n, axis, norm, "dct")


def idct(
    input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: str | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The cosine transform that undoes the one of this type: type 3 undoes 2, 2 undoes 3, and 1 and 4 themselves.

    With norm="ortho" `idct(dct(x))` is x; without, it is 2 n times x (of type 1, 2 (n - 1) times). See `dct`.

    >>> import tensorsmith as tf
    >>> x = tf.constant([1.0, 2.0, 4.0])
    >>> tf.signal.idct(tf.signal.dct(x, norm="ortho"), norm="ortho").numpy().round(4)
    array([1., 2., 4.], dtype=float32)
    """
    kind = plain(type, "type")
    return _checked(input, {2: 3, 3: 2}.get(kind, kind), n, axis, norm, "idct")


def _checked(input: Any, kind: Any, n: Any, axis: Any, norm: Any, who: str) -> Tensor:
    if kind not in (1, 2, 3, 4):
        raise ValueError(explain(who, "no type of cosine transform", {"type": kind}, "it is 1, 2, 3 or 4"))
    if norm not in (None, "ortho"):
        raise ValueError(explain(who, "no norm", {"norm": norm}, "it is None or 'ortho'"))
    if kind == 1 and norm is not None:
        raise ValueError(explain(who, "type 1 has no norm", {"norm": norm}, "it is None"))
    length, parts = (-1, []) if n is None else whole(n, who, "n")
    if n is not None and length is not None and length < 1:
        raise ValueError(explain(who, "n is below 1", {"n": length}))
    settings = {"type": kind, "length": length, "norm": norm, "axis": plain(axis, "axis")}
    return apply(_dct, (input, parts), settings)
