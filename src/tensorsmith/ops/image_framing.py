"""Images cut, padded, mirrored and turned: pixels change their places and not their values."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops import shaping
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import equal, where
from tensorsmith.ops.debugging import hold
from tensorsmith.ops.elementwise import floordiv, floormod, maximum, minimum
from tensorsmith.ops.repeating import reverse
from tensorsmith.ops.sizes import fill_sizes, split_sizes
from tensorsmith.ops.windows import columns, padded, pads, result_size
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import apply, plain, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def as_batch(images: Any, who: str, what: str = "image") -> tuple[Tensor, bool]:
    """Images [B, H, W, C] of such, or of one [H, W, C]; whether it was one. ValueError for other ranks."""
    x = convert(images)
    if x.ndim not in (3, 4):
        raise ValueError(explain(who, f"{what!r} must have 3 or 4 axes", {what: x.shape}, "[B, H, W, C] or [H, W, C]"))
    return (shaping.expand_dims(x, 0), True) if x.ndim == 3 else (x, False)


def as_given(x: Tensor, single: bool) -> Tensor:
    """The way back of `as_batch`."""
    return shaping.squeeze(x, [0]) if single else x


def at_least_three(image: Any, who: str) -> Tensor:
    """Images [..., H, W, C]; ValueError for fewer axes."""
    x = convert(image)
    if x.ndim < 3:
        raise ValueError(explain(who, "an image has at least 3 axes", {"image": x.shape}, "[..., H, W, C]"))
    return x


def height_width(x: Tensor) -> list[Any]:
    """Height and width: numbers where they are known, scalar tensors where not."""
    known = x.shape[-3:-1]
    if None not in known:
        return list(known)
    found = shaping.shape(x)
    return [found[at - 3] if size is None else size for at, size in enumerate(known)]


def number(value: Any) -> Any:
    """A whole number as int, where it is known."""
    value = value._read() if hasattr(value, "_read") else value
    return value if isinstance(value, Symbol) else int(plain(value, "a number of pixels"))


def _known(*values: Any) -> bool:
    return not any(isinstance(value, Symbol) for value in values)


def _held(who: str, holds: Any, given: dict[str, Any], rule: str) -> None:
    """ValueError unless it holds; where the values are not known yet, a check of the program."""
    if isinstance(holds, Symbol):
        hold(who, holds, {name: convert(value) for name, value in given.items()}, None, rule)
    elif not holds:
        raise ValueError(explain(who, "the frame does not fit", given, rule))


# ---- windows


def _framed(specs: Specs, settings: dict) -> Specs:
    (batch, _, _, channels), dtype = specs[0]
    return [((batch, *settings["sizes"], channels), dtype)]


@primitive(name="image_window", shapes=_framed, same=frozenset({"images"}))
def _window(xp, images: Array, parts: Arrays, begin: Any, sizes: Any):
    """The window of images [B, H, W, C] that begins at `begin` (also outside of them) and has `sizes`; zeros outside."""
    count = sum(size is None for size in sizes)
    lengths = fill_sizes(sizes, parts[:count], "image.crop")
    rest = iter(parts[count:])
    starts = [next(rest) if at is None else at for at in begin]
    for axis, (start, length) in enumerate(zip(starts, lengths), 1):
        images = _along(xp, images, start, length, axis)
    return images


def _along(xp: Any, x: Any, start: Any, length: int, axis: int) -> Any:
    size = x.shape[axis]
    before = (slice(None),) * axis
    if xp is np or isinstance(start, (int, np.ndarray, np.integer)):
        start = int(start)
        low, high = max(start, 0), max(min(start + length, size), 0)
        kept = x[(*before, slice(low, max(high, low)))]
        room = [(0, 0)] * x.ndim
        room[axis] = (min(max(-start, 0), length), 0)
        room[axis] = (room[axis][0], length - kept.shape[axis] - room[axis][0])
        return xp.pad(kept, room) if any(room[axis]) else kept
    # where it begins is known only when the program runs
    places = start + np.arange(length, dtype="int32")
    inside = ((places >= 0) & (places < size)).reshape((-1,) + (1,) * (x.ndim - axis - 1))
    return xp.where(inside, xp.take(x, xp.clip(places, 0, max(size - 1, 0)), axis=axis), xp.zeros((), x.dtype))


def window(x: Tensor, begin: list[Any], sizes: list[Any]) -> Tensor:
    """The window of images [B, H, W, C] that begins at `begin` and has `sizes`, each two numbers or scalar tensors."""
    starts, first = split_sizes(begin, "image.crop")
    lengths, second = split_sizes(sizes, "image.crop")
    return apply(_window, (x, [*second, *first]), {"begin": starts, "sizes": lengths})


def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """The part of images [B, H, W, C] or [H, W, C] that begins at the offsets and has the target size.

    Offsets may be tensors whose values are known only when a traced function runs; target sizes must follow from shapes.
    Raises ValueError where the part does not lie within the image.

    >>> import tensorsmith as tf
    >>> image = tf.reshape(tf.range(9), [3, 3, 1])
    >>> tf.image.crop_to_bounding_box(image, 1, 0, 2, 2).numpy()[..., 0].tolist()
    [[3, 4], [6, 7]]
    """
    who = "image.crop_to_bounding_box"
    x, single = as_batch(image, who)
    top, left, high, wide = map(number, (offset_height, offset_width, target_height, target_width))
    height, width = height_width(x)
    _held(who, top >= 0, {"offset_height": top}, "offset_height must be >= 0")
    _held(who, left >= 0, {"offset_width": left}, "offset_width must be >= 0")
    _held(who, high >= 1, {"target_height": high}, "target_height must be > 0")
    _held(who, wide >= 1, {"target_width": wide}, "target_width must be > 0")
    _held(
        who, height >= high + top, {"height": height, "offset_height": top, "target_height": high},
        "height must be >= target + offset",
    )  # fmt: skip
    _held(
        who, width >= wide + left, {"width": width, "offset_width": left, "target_width": wide},
        "width must be >= target + offset",
    )  # fmt: skip
    return as_given(window(x, [top, left], [high, wide]), single)


def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """Images with rows and columns of zeros around them: they begin at the offsets of a frame of the target size.

    Raises ValueError where the image does not fit into the frame.

    >>> import tensorsmith as tf
    >>> tf.image.pad_to_bounding_box(tf.ones([1, 2, 1]), 1, 0, 2, 3).numpy()[..., 0]
    array([[0., 0., 0.],
           [1., 1., 0.]], dtype=float32)
    """
    who = "image.pad_to_bounding_box"
    x, single = as_batch(image, who)
    top, left, high, wide = map(number, (offset_height, offset_width, target_height, target_width))
    height, width = height_width(x)
    _held(who, top >= 0, {"offset_height": top}, "offset_height must be >= 0")
    _held(who, left >= 0, {"offset_width": left}, "offset_width must be >= 0")
    _held(
        who, wide >= left + width, {"width": width, "offset_width": left, "target_width": wide},
        "width must be <= target - offset",
    )  # fmt: skip
    _held(
        who, high >= top + height, {"height": height, "offset_height": top, "target_height": high},
        "height must be <= target - offset",
    )  # fmt: skip
    return as_given(window(x, [0 - top, 0 - left], [high, wide]), single)


def resize_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """Images cut around their middle, or with zeros around them, so that they have the target size.

    >>> import tensorsmith as tf
    >>> tf.image.resize_with_crop_or_pad(tf.reshape(tf.range(3), [3, 1, 1]), 1, 3).numpy()[..., 0].tolist()
    [[0, 1, 0]]
    """
    who = "image.resize_with_crop_or_pad"
    x, single = as_batch(image, who)
    target = [number(target_height), number(target_width)]
    for side, what in zip(target, ("target_height", "target_width")):
        _held(who, side >= 1, {what: side}, f"{what} must be > 0")
    begin = [_middle(have, wanted) for have, wanted in zip(height_width(x), target)]
    return as_given(window(x, begin, target), single)


def _middle(have: Any, wanted: Any) -> Any:
    """Where a window of `wanted` begins in a line of `have`: half of what is left over, rounded towards the image's start."""
    if _known(have, wanted):
        return (have - wanted) // 2 if have > wanted else -((wanted - have) // 2)
    have, wanted = convert(have, "int32"), convert(wanted, "int32")
    cut = maximum(floordiv(have - wanted, 2), 0)
    return cut + minimum(0 - floordiv(wanted - have, 2), 0)


def central_crop(image: Any, central_fraction: Any) -> Tensor:
    """The middle of images [B, H, W, C] or [H, W, C]: the given fraction, above 0 and up to 1, of height and width.

    Raises ValueError for a fraction that is not.

    >>> import tensorsmith as tf
    >>> tf.image.central_crop(tf.reshape(tf.range(16), [4, 4, 1]), 0.5).numpy()[..., 0].tolist()
    [[5, 6], [9, 10]]
    """
    who = "image.central_crop"
    x, single = as_batch(image, who)
    if isinstance(central_fraction, Symbol):
        raise InvalidArgumentError(
            explain(who, "the fraction decides the size of the result", {"central_fraction": central_fraction.shape},
                    "it must be known when the function is traced")
        )  # fmt: skip
    fraction = float(plain(central_fraction, "central_fraction"))
    if not 0 < fraction <= 1:
        raise ValueError(explain(who, "central_fraction must be within (0, 1]", {"central_fraction": fraction}))
    begin, sizes = [], []
    for side in height_width(x):
        if _known(side):
            start: Any = int((side - side * fraction) / 2)
        else:
            wide = cast(side, "float64")
            start = cast((wide - wide * fraction) / 2, "int32")
        begin.append(start)
        sizes.append(side - start * 2)
    return as_given(window(x, begin, sizes), single)


# ---- mirrored and turned


def _mirrored(image: Any, axis: int, who: str) -> Tensor:
    x = convert(image)
    as_batch(x, who)
    return reverse(x, [x.ndim + axis])


def flip_left_right(image: Any) -> Tensor:
    """Images [B, H, W, C] or [H, W, C] with the order of their columns turned around.

    >>> import tensorsmith as tf
    >>> tf.image.flip_left_right([[[1], [2]], [[3], [4]]]).numpy()[..., 0].tolist()
    [[2, 1], [4, 3]]
    """
    return _mirrored(image, -2, "image.flip_left_right")


def flip_up_down(image: Any) -> Tensor:
    """Images [B, H, W, C] or [H, W, C] with the order of their rows turned around.

    >>> import tensorsmith as tf
    >>> tf.image.flip_up_down([[[1], [2]], [[3], [4]]]).numpy()[..., 0].tolist()
    [[3, 4], [1, 2]]
    """
    return _mirrored(image, -3, "image.flip_up_down")


def transpose(image: Any, name: str | None = None) -> Tensor:
    """Images [B, H, W, C] or [H, W, C] with rows as columns.

    >>> import tensorsmith as tf
    >>> tf.image.transpose([[[1], [2]], [[3], [4]]]).numpy()[..., 0].tolist()
    [[1, 3], [2, 4]]
    """
    x = convert(image)
    _, single = as_batch(x, "image.transpose")
    return shaping.transpose(x, [1, 0, 2] if single else [0, 2, 1, 3])


def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """Images [B, H, W, C] or [H, W, C] turned `k` times by 90 degrees against the clock.

    Where k is known only when the program runs, images must be square.

    >>> import tensorsmith as tf
    >>> tf.image.rot90([[[1], [2]], [[3], [4]]]).numpy()[..., 0].tolist()
    [[2, 4], [1, 3]]
    """
    x = convert(image)
    as_batch(x, "image.rot90")
    if isinstance(k, Symbol):
        height, width = x.shape[-3:-1]
        if height is None or height != width:
            raise InvalidArgumentError(
                explain("image.rot90", "k decides the shape of the result", {"image": x.shape},
                        "where k is known only when the program runs, height and width must be the same number")
            )  # fmt: skip
        turns = floormod(k, 4)
        found = x
        for count in (1, 2, 3):
            found = where(equal(turns, count), _turned(x, count), found)
        return found
    return _turned(x, int(plain(k, "k")) % 4)


def _turned(x: Tensor, count: int) -> Tensor:
    if count == 1:
        return transpose(flip_left_right(x))
    if count == 2:
        return flip_left_right(flip_up_down(x))
    return flip_left_right(transpose(x)) if count == 3 else x


# ---- patches


def _patched(specs: Specs, settings: dict) -> Specs:
    (batch, height, width, channels), dtype = specs[0]
    plan = zip((height, width), settings["sizes"], settings["strides"], settings["rates"])
    counts = [result_size(have, size, stride, rate, settings["padding"]) for have, size, stride, rate in plan]
    rows, columns_ = settings["sizes"]
    return [((batch, *counts, None if channels is None else rows * columns_ * channels), dtype)]


@primitive(name="extract_patches", shapes=_patched)
def _extract_patches(xp, images: Array, sizes: Any, strides: Any, rates: Any, padding: str = "VALID"):
    """All windows of images [B, H, W, C], each as one row of channels."""
    x = padded(xp, images, pads(images.shape[1:3], sizes, strides, rates, padding))
    found = columns(xp, x, sizes, strides, rates)
    return found.reshape(*found.shape[:3], found.shape[3] * found.shape[4])


def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: str, name: str | None = None) -> Tensor:
    """Windows of images [B, H, W, C]: each the last axis, row after row, of [B, OH, OW, rows * columns * C].

    sizes    [1, rows, columns, 1] of a window.
    strides  [1, rows, columns, 1] from a window to the next.
    rates    [1, rows, columns, 1] from a pixel of a window to the next one.
    padding  "VALID", or "SAME" with zeros around the images.

    >>> import tensorsmith as tf
    >>> image = tf.reshape(tf.range(9), [1, 3, 3, 1])
    >>> tf.image.extract_patches(image, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID").numpy()[0, 0].tolist()
    [[0, 1, 3, 4], [1, 2, 4, 5]]
    """
    who = "image.extract_patches"
    x = convert(images)
    if x.ndim != 4:
        raise InvalidArgumentError(explain(who, "images have four axes", {"images": x.shape}, "[B, H, W, C]"))
    if not isinstance(padding, str) or padding.upper() not in ("VALID", "SAME"):
        raise ValueError(explain(who, "no padding", {"padding": padding}, "it is 'VALID' or 'SAME'"))
    settings: dict[str, Any] = {"padding": padding.upper()}
    for what, given in (("sizes", sizes), ("strides", strides), ("rates", rates)):
        found = tuple(plain(given, what))
        if len(found) != 4 or (found[0], found[3]) != (1, 1) or min(found) < 1:
            raise ValueError(explain(who, f"{what} must be [1, rows, columns, 1]", {what: found}))
        settings[what] = found[1:3]
    return apply(_extract_patches, (x,), settings)
