"""Signals cut into frames that overlap, and put together again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, SizeNotKnownError, explain
from tensorsmith.core.specs import describe
from tensorsmith.ops.sizes import fill_sizes, split_sizes
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import apply, plain, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def whole(value: Any, who: str, what: str) -> tuple[int | None, list[Any]]:
    """A size given as one number: the number, or None and the scalar that holds it.

    Raises InvalidArgumentError for several numbers and for fractions.
    """
    tensor = convert(value)
    if tensor.ndim or not tensor.dtype.is_integer:
        raise InvalidArgumentError(explain(who, f"{what} is no whole number", {what: describe(tensor)}))
    sizes, parts = split_sizes(value if isinstance(value, Symbol) else int(tensor), who)
    return sizes[0], parts


def known_whole(value: Any, who: str, what: str) -> int:
    """A number that must be known while a program is traced, as what is built depends on it."""
    size, parts = whole(value, who, what)
    if size is None:
        raise SizeNotKnownError(
            explain(
                who, f"{what} is not known while the program is traced", {what: describe(parts[0])},
                "it must be a Python number, or a tensor of known value",
            )
        )  # fmt: skip
    return size


# ---- cut


def place(rank: int, axis: int) -> int:
    """The axis counted from 0 up; ValueError where there is none."""
    if not rank:
        raise ValueError("a signal has at least one axis")
    if not -rank <= axis < rank:
        raise ValueError(f"there is no axis {axis} among {rank}")
    return axis % rank


def frame_count(size: int, length: int, step: int, pad_end: bool) -> int:
    """How many frames there are of `size` samples."""
    return -(-size // step) if pad_end else max(0, 1 + (size - length) // step)


def _check_frames(length: Any, step: Any) -> None:
    if (isinstance(length, int) and length < 0) or (isinstance(step, int) and step < 1):
        raise ValueError(f"frames have at least 0 samples and are at least 1 apart, not {length} and {step}")


def _framed_shape(specs: Any, settings: dict) -> Specs:
    shape, dtype = specs[0]
    at = place(len(shape), settings["axis"])
    length, step = settings["frame_length"], settings["frame_step"]
    _check_frames(length, step)
    size, pad_end = shape[at], settings["pad_end"]
    count = None
    if size is not None and step is not None and (pad_end or length is not None):
        count = frame_count(size, length or 0, step, pad_end)
    return [((*shape[:at], count, length, *shape[at + 1 :]), dtype)]


# as many slices XLA takes at once without a loss; of more, their places are gathered
_SLICES = 32


@primitive(name="frame", same=frozenset({"signal", "pad_value"}), shapes=_framed_shape)
def _frame(
    xp, signal: Array, pad_value: Array, parts: Arrays, frame_length: Any, frame_step: Any, pad_end: bool = False,
    axis: int = -1,
):  # fmt: skip
    length, step = fill_sizes((frame_length, frame_step), parts, "frame")
    _check_frames(length, step)
    at = place(signal.ndim, axis)
    count = frame_count(signal.shape[at], length, step, pad_end)
    # the samples from the first one of the first frame to the last one of the last
    wanted = (count - 1) * step + length if count else 0
    missing = max(0, wanted - signal.shape[at])
    if missing:
        more = xp.broadcast_to(pad_value, (*signal.shape[:at], missing, *signal.shape[at + 1 :]))
        signal = xp.concatenate([signal, more], axis=at)
    before = (slice(None),) * at
    signal = signal[(*before, slice(0, wanted))]
    shape = (*signal.shape[:at], count, length, *signal.shape[at + 1 :])
    if not count or not length:
        return xp.reshape(signal[(*before, slice(0, 0))], shape)
    if xp is np:
        strides = signal.strides[at]
        steps = (*signal.strides[:at], strides * step, strides, *signal.strides[at + 1 :])
        return np.lib.stride_tricks.as_strided(signal, shape, steps, writeable=False)
    # frames are made of blocks that stand in all of them as a whole: those with one number in their frames are a slice
    block = math.gcd(length, step)
    if length // block > _SLICES:
        places = np.arange(count)[:, None] * step + np.arange(length)
        return xp.take(signal, places, axis=at)
    blocks = xp.reshape(signal, (*signal.shape[:at], wanted // block, block, *signal.shape[at + 1 :]))
    hop, last = step // block, (count - 1) * (step // block)
    found = [blocks[(*before, slice(i, i + last + 1, hop))] for i in range(length // block)]
    return xp.reshape(xp.stack(found, axis=at + 1), shape)


@public
def frame(
    signal: Any, frame_length: Any, frame_step: Any, pad_end: bool = False, pad_value: Any = 0, axis: Any = -1,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Frames of a signal: each has `frame_length` samples and begins `frame_step` behind the one before.

    signal: [..., samples, ...], samples along `axis` -> [..., frames, frame_length, ...]. There are as many frames as
    fit, 1 + (samples - frame_length) // frame_step; with pad_end one for each step, filled up with `pad_value`.
    Raises InvalidArgumentError for lengths that are no whole numbers, for a step below 1, and for an axis that is not
    there.

    >>> import tensorsmith as tf
    >>> tf.signal.frame([1, 2, 3, 4, 5], 3, 2).numpy()
    array([[1, 2, 3],
           [3, 4, 5]], dtype=int32)
    >>> tf.signal.frame([1, 2, 3, 4, 5], 3, 2, pad_end=True).numpy()
    array([[1, 2, 3],
           [3, 4, 5],
           [5, 0, 0]], dtype=int32)
    """
    signal = convert(signal)
    length, first = whole(frame_length, "frame", "frame_length")
    step, second = whole(frame_step, "frame", "frame_step")
    if not isinstance(pad_value, Tensor) and not hasattr(pad_value, "_read"):
        nothing = {"string": b"", "bool": False}
        pad_value = convert(nothing.get(signal.dtype.name, 0) if pad_value == 0 else pad_value, signal.dtype)
    settings = {"frame_length": length, "frame_step": step, "pad_end": bool(pad_end), "axis": plain(axis, "axis")}
    return apply(_frame, (signal, pad_value, [*first, *second]), settings)


# ---- put together


def _added_shape(specs: Any, settings: dict) -> Specs:
    shape, dtype = specs[0]
    if len(shape) < 2:
        raise ValueError(f"frames have at least 2 axes, not {len(shape)}")
    step = settings["frame_step"]
    if step is not None and step < 1:
        raise ValueError(f"frames are at least 1 sample apart, not {step}")
    *outer, frames, length = shape
    size = None if None in (frames, length, step) else length + step * (frames - 1) if frames else 0
    return [((*outer, size), dtype)]


@primitive(name="overlap_and_add", kinds="fiuc", same=frozenset({"signal"}), shapes=_added_shape)
def _overlap_and_add(xp, signal: Array, parts: Arrays, frame_step: Any):
    (step,) = fill_sizes((frame_step,), parts, "overlap_and_add")
    if signal.ndim < 2 or step < 1:
        _added_shape([(signal.shape, signal.dtype)], {"frame_step": step})
    *outer, frames, length = signal.shape
    size = length + step * (frames - 1)
    if not frames or not length:
        return xp.zeros((*outer, size if frames else 0), signal.dtype)
    if length <= step:
        apart = xp.pad(signal, [(0, 0)] * (signal.ndim - 1) + [(0, step - length)])
        return xp.reshape(apart, (*outer, frames * step))[..., :size]
    # Each frame as segments of one step; those with one number in their frames make a row. With as many zeros behind
    # each row as there are rows, and one place less in a row, row i stands i places further on than the first one.
    rows = -(-length // step)
    full = xp.pad(signal, [(0, 0)] * (signal.ndim - 1) + [(0, rows * step - length)])
    split = xp.swapaxes(xp.reshape(full, (*outer, frames, rows, step)), -2, -3)
    split = xp.pad(split, [(0, 0)] * len(outer) + [(0, 0), (0, rows), (0, 0)])
    flat = xp.reshape(split, (*outer, rows * (frames + rows), step))[..., : rows * (frames + rows - 1), :]
    moved = xp.reshape(flat, (*outer, rows, frames + rows - 1, step))
    total = xp.sum(moved, axis=-3, dtype=signal.dtype)
    return xp.reshape(total, (*outer, (frames + rows - 1) * step))[..., :size]


@public
def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """The sum of frames, each of which begins `frame_step` behind the one before.

    signal: [..., frames, frame_length] -> [..., (frames - 1) * frame_step + frame_length].
    Raises InvalidArgumentError for a step that is no whole number above 0.

    >>> import tensorsmith as tf
    >>> tf.signal.overlap_and_add([[1, 2, 3], [10, 20, 30]], 2).numpy()
    array([ 1,  2, 13, 20, 30], dtype=int32)
    """
    step, parts = whole(frame_step, "overlap_and_add", "frame_step")
    return apply(_overlap_and_add, (signal, parts), {"frame_step": step})
