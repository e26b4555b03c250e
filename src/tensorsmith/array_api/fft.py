"""The standard's extension of Fourier transforms, `tensorsmith.array_api.fft`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.array_api.array import Array, check_device
from tensorsmith.array_api.data_types import DEFAULT_FLOAT
from tensorsmith.array_api.elementwise import checked
from tensorsmith.array_api.manipulation import place, places
from tensorsmith.array_api.promotion import COMPLEX_OF, tensor_of
from tensorsmith.core import dtypes
from tensorsmith.core.errors import explain
from tensorsmith.ops import fourier
from tensorsmith.ops.casting import cast
from tensorsmith.ops.complex_numbers import conj
from tensorsmith.tensor.tensor import Tensor

__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft", "irfftn", "rfft",
    "rfftfreq", "rfftn",
]  # fmt: skip

# the scale of a transform is that of its inverse, the other way round
_OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _complex(who: str, x: Any) -> Tensor:
    tensor = checked(who, tensor_of(x, who), "floating")
    return cast(tensor, COMPLEX_OF.get(tensor.dtype, tensor.dtype))


def _real(who: str, x: Any) -> Tensor:
    return checked(who, tensor_of(x, who), "real floating")


def _along(who: str, run: Callable[..., Tensor], tensor: Tensor, n: int | None, axis: int, norm: str) -> Array:
    _check_norm(who, norm)
    return Array(run(tensor, None if n is None else [n], [place(who, axis, tensor.ndim)], norm))


def _over(who: str, run: Callable[..., Tensor], tensor: Tensor, s: Any, axes: Any, norm: str) -> Array:
    _check_norm(who, norm)
    if axes is None and s is not None:
        axes = tuple(range(tensor.ndim - len(s), tensor.ndim))
    axes = places(who, axes, tensor.ndim)
    if s is not None:
        if len(s) != len(axes):
            raise ValueError(explain(who, "there must be one size for each axis", {"s": s, "axes": axes}))
        s = [tensor.shape[axis] if size == -1 else size for size, axis in zip(s, axes)]
    return Array(run(tensor, s, list(axes), norm))


def _check_norm(who: str, norm: str) -> None:
    if norm not in _OPPOSITE:
        raise ValueError(explain(who, f"norm is {norm!r}", rule=f"it must be one of {', '.join(_OPPOSITE)}"))


def fft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """The Fourier transform along an axis, cut or filled with zeros to `n`."""
    return _along("fft", fourier.fftnd, _complex("fft", x), n, axis, norm)


def ifft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """The inverse of fft."""
    return _along("ifft", fourier.ifftnd, _complex("ifft", x), n, axis, norm)


def fftn(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Array:
    """The Fourier transform over axes."""
    return _over("fftn", fourier.fftnd, _complex("fftn", x), s, axes, norm)


def ifftn(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Array:
    """The inverse of fftn."""
    return _over("ifftn", fourier.ifftnd, _complex("ifftn", x), s, axes, norm)


def rfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """The first half, n // 2 + 1, of the Fourier transform of real numbers: the rest are its conjugates."""
    return _along("rfft", fourier.rfftnd, _real("rfft", x), n, axis, norm)


def irfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """The inverse of rfft: `n` real numbers, by default twice as many as there are, less two."""
    return _along("irfft", fourier.irfftnd, _complex("irfft", x), n, axis, norm)


def rfftn(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Array:
    """The Fourier transform of real numbers over axes, the last of them halved."""
    return _over("rfftn", fourier.rfftnd, _real("rfftn", x), s, axes, norm)


def irfftn(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Array:
    """The inverse of rfftn."""
    return _over("irfftn", fourier.irfftnd, _complex("irfftn", x), s, axes, norm)


def hfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """The Fourier transform, `n` real numbers, of what is its own conjugate turned around, given as its first half."""
    _check_norm("hfft", norm)
    return _along("hfft", fourier.irfftnd, conj(_complex("hfft", x)), n, axis, _OPPOSITE[norm])


def ihfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """The inverse of hfft."""
    _check_norm("ihfft", norm)
    return Array(conj(_along("ihfft", fourier.rfftnd, _real("ihfft", x), n, axis, _OPPOSITE[norm])._tensor))


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Array:
    """The frequencies of what fft gives for `n` samples at distances `d`."""
    return _frequencies("fftfreq", np.fft.fftfreq(n, d), dtype, device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Array:
    """The frequencies of what rfft gives for `n` samples at distances `d`."""
    return _frequencies("rfftfreq", np.fft.rfftfreq(n, d), dtype, device)


def _frequencies(who: str, numbers: np.ndarray, dtype: Any, device: Any) -> Array:
    check_device(device, who)
    wanted = DEFAULT_FLOAT if dtype is None else dtypes.as_dtype(dtype)
    if not wanted.is_floating:
        raise ValueError(explain(who, f"frequencies are floats, not {wanted.name}"))
    return Array(Tensor(numbers.astype(wanted.numpy_dtype)))


def fftshift(x: Any, /, *, axes: Any = None) -> Array:
    """The frequency 0 in the middle of the axes."""
    tensor = checked("fftshift", tensor_of(x, "fftshift"), "floating")
    return Array(fourier.fftshift(tensor, axes=places("fftshift", axes, tensor.ndim)))


def ifftshift(x: Any, /, *, axes: Any = None) -> Array:
    """The inverse of fftshift."""
    tensor = checked("ifftshift", tensor_of(x, "ifftshift"), "floating")
    return Array(fourier.ifftshift(tensor, axes=places("ifftshift", axes, tensor.ndim)))
