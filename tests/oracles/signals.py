"""Fourier and cosine transforms as sums written out, frames, and what else `keras.ops` has of signals."""

from __future__ import annotations

import numpy as np

from tests.support.spine import Draw, Row, row

d = Draw(41)
X, Y = d.normal(3, 4, 5), d.normal(2, 6)
C = d.complex(3, 4, 5)


def turned(x, parts=(), axes=(-1,), lengths=None, norm="backward", sign=-1):
    """The sum over t of x[t] exp(-2 i pi k t / n), along one axis after the other."""
    axes = range(x.ndim) if axes is None else axes
    for axis, n in zip(axes, lengths or [x.shape[axis] for axis in axes], strict=True):
        rows = np.moveaxis(x, axis, -1)[..., :n]
        t = np.arange(rows.shape[-1])
        matrix = np.exp(sign * 2j * np.pi * np.outer(t, np.arange(n)) / n)
        power = {"backward": 0 if sign < 0 else 1, "forward": 1 if sign < 0 else 0, "ortho": 0.5}[norm]
        x = np.moveaxis(rows @ matrix / n**power, -1, axis)
    return x


def back(x, parts=(), axes=(-1,), lengths=None, norm="backward"):
    return turned(x, (), axes, lengths, norm, 1)


def half(x, parts=(), axes=(-1,), lengths=None, norm="backward"):
    axes = tuple(range(x.ndim)) if axes is None else axes
    whole = turned(x, (), axes, lengths, norm)
    return np.take(whole, np.arange(whole.shape[axes[-1]] // 2 + 1), axes[-1])


def from_half(x, parts=(), axes=(-1,), lengths=None, norm="backward"):
    """Inverse transforms along all axes but the last one named, whose other half is the mirrored conjugate."""
    axes = tuple(range(x.ndim)) if axes is None else axes
    last = axes[-1]
    n = lengths[-1] if lengths else 2 * (x.shape[last] - 1)
    x = back(x, (), axes[:-1], lengths and lengths[:-1], norm) if axes[:-1] else x
    x = np.moveaxis(x, last, -1)[..., : n // 2 + 1]
    x = np.concatenate([x, np.zeros((*x.shape[:-1], n // 2 + 1 - x.shape[-1]))], -1)
    x[..., 0] = x[..., 0].real
    if n % 2 == 0:
        x[..., -1] = x[..., -1].real
    other = np.conj(x[..., 1 : (n + 1) // 2][..., ::-1])
    return back(np.moveaxis(np.concatenate([x, other], -1), -1, last), (), (last,), None, norm).real


def shifted(x, axes=None, way=1):
    for axis in range(x.ndim) if axes is None else np.atleast_1d(axes):
        n = x.shape[axis]
        x = np.take(x, (np.arange(n) - way * (n // 2)) % n if n else np.arange(0), axis)
    return x


def cosines(x, type=2, length=-1, norm=None, axis=-1):
    x = np.moveaxis(x, axis, -1)
    n = x.shape[-1] if length == -1 else length
    x = x[..., :n]
    x = np.concatenate([x, np.zeros((*x.shape[:-1], n - x.shape[-1]))], -1)
    t, k = np.arange(n)[:, None], np.arange(n)
    if type == 1:
        matrix = np.cos(np.pi * k * t / (n - 1)) * np.where((t == 0) | (t == n - 1), 1, 2)
    elif type == 2:
        matrix = 2 * np.cos(np.pi * k * (2 * t + 1) / (2 * n))
    elif type == 3:
        matrix = np.cos(np.pi * t * (2 * k + 1) / (2 * n)) * np.where(t == 0, 1, 2)
    else:
        matrix = 2 * np.cos(np.pi * (2 * k + 1) * (2 * t + 1) / (4 * n))
    if norm == "ortho":
        # what each output, of type 3 each input, is multiplied with, of length 1
        matrix = matrix / np.linalg.norm(matrix, axis=1 if type == 3 else 0, keepdims=True)
    return np.moveaxis(x @ matrix, -1, axis)


def framed(x, fill, parts, frame_length, frame_step, pad_end=False, axis=-1):
    rows = np.moveaxis(x, axis, 0)
    n = len(rows)
    starts = [s for s in range(0, n, frame_step) if pad_end or s + frame_length <= n]
    found = np.array(
        [[rows[s + i] if s + i < n else np.full(rows.shape[1:], fill) for i in range(frame_length)] for s in starts]
    ).reshape(len(starts), frame_length, *rows.shape[1:])
    at = axis % x.ndim
    return np.moveaxis(found, (0, 1), (at, at + 1))


def added(x, parts, frame_step):
    *outer, frames, length = x.shape
    out = np.zeros((*outer, (frames - 1) * frame_step + length if frames else 0), x.dtype)
    for i in range(frames):
        out[..., i * frame_step : i * frame_step + length] += x[..., i, :]
    return out


def correlated(x, y, mode="valid"):
    """From the pairs that stand at each distance."""
    n, m = len(x), len(y)
    full = np.array([sum(x[j + k] * np.conj(y[j]) for j in range(m) if 0 <= j + k < n) for k in range(1 - m, n)])
    low, high = min(n, m), max(n, m)
    wanted = {"full": n + m - 1, "same": high, "valid": high - low + 1}[mode]
    # the middle ones; of an odd rest the earlier one is cut off at the end that the longer vector has first
    start = (n + m - 1 - wanted + (mode == "same" and n < m)) // 2
    return full[start : start + wanted]


def transform(oracle, *inputs, **promises):
    settings = [
        {},
        {"lengths": (7,)},
        {"lengths": (4,), "axes": (1,), "norm": "ortho"},
        {"lengths": (4, 2, 3), "axes": (-1, 0, 1), "norm": "forward"},
        {"axes": None},
    ]
    return row(oracle, *((x, []) for x in inputs), settings=settings, **promises)


FOUR = d.complex(2, 3, 2, 4)
FRAMES = [
    {"frame_length": 3, "frame_step": 2, "axis": axis, "pad_end": end} for axis in (-1, 0) for end in (False, True)
]
FRAMES += [{"frame_length": n, "frame_step": s, "axis": 1, "pad_end": True} for n, s in [(2, 3), (9, 2), (0, 1)]]
FRAMES += [{"frame_length": 9, "frame_step": 2}]
COSINES = [{"type": kind, "norm": norm} for kind in (1, 2, 3, 4) for norm in (None, "ortho") if kind > 1 or not norm]
COSINES += [{"type": kind, "length": n, "axis": a} for kind in (1, 2, 3, 4) for n, a in [(3, -1), (7, 1), (8, 0)]]
PADDED = "what fills up may stand nowhere"

ROWS: dict[str, Row] = {
    "fft": transform(turned, C, FOUR, rtol=1e-5, atol=1e-5),
    "ifft": transform(back, C, FOUR, rtol=1e-5, atol=1e-5),
    "rfft": transform(half, X, dtype=lambda i, s: "complex64" if i[0].dtype == "float32" else "complex128", rtol=1e-5, atol=1e-5),
    "irfft": transform(from_half, C, dtype="float32", rtol=1e-5, atol=1e-5),
    "fftshift": row(lambda x, axes=None: shifted(x, axes), (X,), (Y,), settings=[{}, {"axes": 0}, {"axes": (-1, 0)}]),
    "ifftshift": row(lambda x, axes=None: shifted(x, axes, -1), (X,), settings=[{}, {"axes": 1}, {"axes": (-1, 0)}]),
    "dct": row(lambda x, parts, **settings: cosines(x, **settings), (X, []), (Y, []), settings=COSINES, rtol=1e-5, atol=1e-5),
    "frame": row(framed, (X, np.float32(0.5), []), (d.ints(0, 9, 2, 7), np.int32(-1), []), settings=FRAMES, nan=PADDED),
    "overlap_and_add": row(added, (X, []), (d.ints(0, 9, 4, 6), []), settings=[{"frame_step": n} for n in (1, 2, 5, 7)]),
    "sinc": row(np.sinc, (np.concatenate([d.normal(2, 4), [[0.0, 1e-3, 0.25, 0.24999], [-0.3, 1.0, 2.5, -3.0]]]).astype("float32"),), atol=1e-7),
    "hypot": row(lambda x, y: np.sqrt(x * x + y * y), (X, d.normal(3, 4, 5))),
    "cbrt": row(lambda x: np.sign(x) * np.abs(x) ** (1 / 3), (d.apart(3, 4),)),
    "signbit": row(lambda x: np.copysign(1, x) < 0, (np.concatenate([X[0], [[0.0, -0.0, 1.0, -2.0, 3.0]]]).astype("float32"),), dtype="bool", nan="NaN has a sign, which nobody asked for"),
    "logaddexp2": row(lambda x, y: np.log2(2.0**x + 2.0**y), (X, d.normal(3, 4, 5))),
    "correlate": row(correlated, (d.normal(7), d.normal(3)), (d.normal(4), d.normal(6)), (d.complex(5), d.complex(5)), settings=[{"mode": m} for m in ("full", "same", "valid")], nan="XLA multiplies it with the zeros beside the other vector"),
}  # fmt: skip
