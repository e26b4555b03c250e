"""Products with circulant and Toeplitz matrices, which are convolutions, by Fourier transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.shapes import broadcast
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import op


def _product_shape(specs: Specs, settings: dict) -> Specs:
    (spectrum, _), (x, dtype) = specs
    batch = broadcast(spectrum[: len(spectrum) - settings["depth"]], x[:-2])
    return [((*batch, *x[-2:]), dtype)]


@op(kinds="fc", same=False, shapes=_product_shape)
def circulant_product(xp, spectrum: Array, x: Array, depth: int = 1):
    """F^-1 (spectrum * F x) along the rows of x [..., n, k], F the Fourier transform over `depth` axes.

    spectrum: [..., n] or, of more axes, [..., n1, n2] with n = n1 * n2. The dtype is that of x: of real x the real part.

    >>> import tensorsmith as tf
    >>> from tensorsmith.ops.circulant import circulant_product
    >>> circulant_product(tf.constant([4.0, 2.0]), tf.constant([[1.0], [0.0]])).numpy()
    array([[3.],
           [1.]], dtype=float32)
    """
    sizes, axes = spectrum.shape[-depth:], tuple(range(-depth, 0))
    # columns before the axes that are transformed
    moved = xp.swapaxes(x, -1, -2).reshape(*x.shape[:-2], x.shape[-1], *sizes)
    spread = spectrum.reshape(*spectrum.shape[:-depth], 1, *sizes)
    found = xp.fft.ifftn(spread * xp.fft.fftn(moved, axes=axes), axes=axes)
    if x.dtype.kind == "f":
        found = found.real
    return xp.swapaxes(found.reshape(*found.shape[:-depth], x.shape[-2]), -1, -2).astype(x.dtype)


@op(kinds="c", shapes=lambda specs, settings: [specs[0]])
def circulant_kernel(xp, spectrum: Array, depth: int = 1):
    """The inverse Fourier transform of a spectrum over its last `depth` axes: the first column of the matrix.

    >>> import tensorsmith as tf
    >>> from tensorsmith.ops.circulant import circulant_kernel
    >>> circulant_kernel(tf.constant([4 + 0j, 2 + 0j])).numpy()
    array([3.+0.j, 1.+0.j])
    """
    return xp.fft.ifftn(spectrum, axes=tuple(range(-depth, 0))).astype(spectrum.dtype)


def _around(xp: Any, col: Any, row: Any, corner: str) -> Any:
    """The values along all diagonals, the main one first, then those below, then those above: [..., 2 n - 1]."""
    batch = np.broadcast_shapes(col.shape[:-1], row.shape[:-1])
    col = xp.broadcast_to(col, (*batch, col.shape[-1]))
    row = xp.broadcast_to(row, (*batch, row.shape[-1]))
    first = (row if corner == "row" else col)[..., :1]
    return xp.concatenate([first, col[..., 1:], row[..., :0:-1]], axis=-1)


def _toeplitz_shape(specs: Specs, settings: dict) -> Specs:
    (col, dtype), (row, _), (x, _) = specs
    return [((*broadcast(broadcast(col[:-1], row[:-1]), x[:-2]), *x[-2:]), dtype)]


@op(kinds="fc", shapes=_toeplitz_shape)
def toeplitz_product(xp, col: Array, row: Array, x: Array, corner: str = "col"):
    """The product of Toeplitz matrices, of first columns and rows [..., n], with matrices x [..., n, k].

    corner: of "col" or "row" the first element stands where both meet.

    >>> from tensorsmith.ops.circulant import toeplitz_product
    >>> toeplitz_product([1.0, 2.0], [1.0, 3.0], [[1.0], [0.0]]).numpy().round(4)
    array([[1.],
           [2.]], dtype=float32)
    """
    around, size = _around(xp, col, row, corner), x.shape[-2]
    # a circulant matrix of twice the size holds the Toeplitz matrix in its corner
    length = 2 * size - 1
    found = xp.fft.ifft(xp.fft.fft(around, axis=-1)[..., None] * xp.fft.fft(x, n=length, axis=-2), axis=-2)[
        ..., :size, :
    ]
    return (found.real if x.dtype.kind == "f" else found).astype(x.dtype)


def _dense_shape(specs: Specs, settings: dict) -> Specs:
    (col, dtype), (row, _) = specs
    return [((*broadcast(col[:-1], row[:-1]), col[-1], row[-1]), dtype)]


@op(kinds="fc", shapes=_dense_shape)
def toeplitz_dense(xp, col: Array, row: Array):
    """Toeplitz matrices [..., n, n], written out.

    >>> from tensorsmith.ops.circulant import toeplitz_dense
    >>> toeplitz_dense([1.0, 2.0], [1.0, 3.0]).numpy()
    array([[1., 3.],
           [2., 1.]], dtype=float32)
    """
    size = col.shape[-1]
    i, j = np.indices((size, size))
    return _around(xp, col, row, "col")[..., (i - j) % (2 * size - 1)]
