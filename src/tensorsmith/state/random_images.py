"""Images changed at random: the same functions with a memory (`random_*`) and from a seed alone (`stateless_random_*`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops import image_colour as colour
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import less, where
from tensorsmith.ops.creation import zeros
from tensorsmith.ops.elementwise import add, multiply, subtract
from tensorsmith.ops.image_files import adjust_jpeg_quality
from tensorsmith.ops.image_framing import as_batch, flip_left_right, flip_up_down
from tensorsmith.ops.image_sampling import distorted_box, image_glimpse
from tensorsmith.ops.indexing import slice_
from tensorsmith.ops.reductions import reduce_max, reduce_mean, reduce_min, reduce_std
from tensorsmith.ops.rounding import floor
from tensorsmith.ops.shaping import reshape, shape, stack
from tensorsmith.ops.sizes import split_sizes
from tensorsmith.state.random_generator import normal, uniform
from tensorsmith.state.random_stateless import stateless_uniform
from tensorsmith.tensor.apply import apply, plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

# draw(shape, low, high, dtype): numbers evenly spread over [low, high)
Draw = Callable[..., Tensor]


def _remembered(seed: Any) -> Draw:
    return lambda shape, low=0, high=None, dtype=dtypes.float32: uniform(shape, low, high, dtype, seed)


def _from(seed: Any) -> Draw:
    return lambda shape, low=0, high=None, dtype=dtypes.float32: stateless_uniform(shape, seed, low, high, dtype)


def _around(who: str, max_delta: Any, most: float | None = None) -> float:
    delta = float(plain(max_delta, "max_delta"))
    if delta < 0:
        raise ValueError(explain(who, "max_delta must not be below 0", {"max_delta": delta}))
    if most is not None and delta > most:
        raise ValueError(explain(who, f"max_delta must be <= {most}", {"max_delta": delta}))
    return delta


def _between(who: str, lower: Any, upper: Any) -> tuple[float, float]:
    low, high = float(plain(lower, "lower")), float(plain(upper, "upper"))
    if high <= low:
        raise ValueError(explain(who, "upper must be > lower", {"lower": low, "upper": high}))
    if low < 0:
        raise ValueError(explain(who, "lower must not be below 0", {"lower": low}))
    return low, high


# ---- colours


def _brightness(image: Any, max_delta: Any, draw: Draw) -> Tensor:
    delta = _around("image.random_brightness", max_delta)
    return colour.adjust_brightness(image, draw([], -delta, delta))


def random_brightness(image: Any, max_delta: Any, seed: Any = None) -> Tensor:
    """`adjust_brightness` by a number from [-max_delta, max_delta).

    >>> import tensorsmith as tf
    >>> tf.image.random_brightness(tf.zeros([2, 2, 3]), 0.2).shape
    TensorShape([2, 2, 3])
    """
    return _brightness(image, max_delta, _remembered(seed))


def stateless_random_brightness(image: Any, max_delta: Any, seed: Any) -> Tensor:
    """`random_brightness` from a seed [2] alone.

    >>> import tensorsmith as tf
    >>> a, b = (tf.image.stateless_random_brightness(tf.zeros([2, 2, 3]), 0.2, seed=[1, 2]) for _ in range(2))
    >>> bool(tf.reduce_all(a == b))
    True
    """
    return _brightness(image, max_delta, _from(seed))


def _contrast(image: Any, lower: Any, upper: Any, draw: Draw) -> Tensor:
    return colour.adjust_contrast(image, draw([], *_between("image.random_contrast", lower, upper)))


def random_contrast(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """`adjust_contrast` by a number from [lower, upper).

    >>> import tensorsmith as tf
    >>> tf.image.random_contrast(tf.zeros([2, 2, 3]), 0.2, 0.5).shape
    TensorShape([2, 2, 3])
    """
    return _contrast(image, lower, upper, _remembered(seed))


def stateless_random_contrast(image: Any, lower: Any, upper: Any, seed: Any) -> Tensor:
    """`random_contrast` from a seed [2] alone."""
    return _contrast(image, lower, upper, _from(seed))


def _hue(image: Any, max_delta: Any, draw: Draw) -> Tensor:
    delta = _around("image.random_hue", max_delta, 0.5)
    return colour.adjust_hue(image, draw([], -delta, delta))


def random_hue(image: Any, max_delta: Any, seed: Any = None) -> Tensor:
    """`adjust_hue` by a number from [-max_delta, max_delta), max_delta at most 0.5.

    >>> import tensorsmith as tf
    >>> tf.image.random_hue(tf.zeros([2, 2, 3]), 0.2).shape
    TensorShape([2, 2, 3])
    """
    return _hue(image, max_delta, _remembered(seed))


def stateless_random_hue(image: Any, max_delta: Any, seed: Any) -> Tensor:
    """`random_hue` from a seed [2] alone."""
    return _hue(image, max_delta, _from(seed))


def _saturation(image: Any, lower: Any, upper: Any, draw: Draw) -> Tensor:
    return colour.adjust_saturation(image, draw([], *_between("image.random_saturation", lower, upper)))


def random_saturation(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """`adjust_saturation` by a number from [lower, upper).

    >>> import tensorsmith as tf
    >>> tf.image.random_saturation(tf.zeros([2, 2, 3]), 0.5, 2.0).shape
    TensorShape([2, 2, 3])
    """
    return _saturation(image, lower, upper, _remembered(seed))


def stateless_random_saturation(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """`random_saturation` from a seed [2] alone."""
    return _saturation(image, lower, upper, _from(seed))


def _jpeg_quality(image: Any, low: Any, high: Any, draw: Draw) -> Tensor:
    who = "image.random_jpeg_quality"
    low, high = int(plain(low, "min_jpeg_quality")), int(plain(high, "max_jpeg_quality"))
    given = {"min_jpeg_quality": low, "max_jpeg_quality": high}
    if min(low, high) < 0 or max(low, high) > 100:
        raise ValueError(explain(who, "qualities are from 0 to 100", given))
    if low >= high:
        raise ValueError(explain(who, "min_jpeg_quality must be less than max_jpeg_quality", given))
    return adjust_jpeg_quality(image, draw([], low, high, dtypes.int32))


def random_jpeg_quality(image: Any, min_jpeg_quality: Any, max_jpeg_quality: Any, seed: Any = None) -> Tensor:
    """`adjust_jpeg_quality` by a number from [min_jpeg_quality, max_jpeg_quality).

    >>> import tensorsmith as tf
    >>> tf.image.random_jpeg_quality(tf.zeros([8, 8, 3]), 50, 90).shape
    TensorShape([8, 8, 3])
    """
    return _jpeg_quality(image, min_jpeg_quality, max_jpeg_quality, _remembered(seed))


def stateless_random_jpeg_quality(image: Any, min_jpeg_quality: Any, max_jpeg_quality: Any, seed: Any) -> Tensor:
    """`random_jpeg_quality` from a seed [2] alone."""
    return _jpeg_quality(image, min_jpeg_quality, max_jpeg_quality, _from(seed))


# ---- places


def _flip(image: Any, flipped: Callable[[Any], Tensor], who: str, draw: Draw) -> Tensor:
    x, single = as_batch(image, who)
    drawn = draw([]) if single else reshape(draw(shape(x)[:1]), [-1, 1, 1, 1])
    image = convert(image)
    return where(less(drawn, 0.5), flipped(image), image)


def random_flip_left_right(image: Any, seed: Any = None) -> Tensor:
    """Each of images [B, H, W, C], or one image [H, W, C], mirrored left to right or not, with even chances.

    >>> import tensorsmith as tf
    >>> tf.image.random_flip_left_right(tf.zeros([4, 2, 3, 1])).shape
    TensorShape([4, 2, 3, 1])
    """
    return _flip(image, flip_left_right, "image.random_flip_left_right", _remembered(seed))


def stateless_random_flip_left_right(image: Any, seed: Any) -> Tensor:
    """`random_flip_left_right` from a seed [2] alone."""
    return _flip(image, flip_left_right, "image.stateless_random_flip_left_right", _from(seed))


def random_flip_up_down(image: Any, seed: Any = None) -> Tensor:
    """Each of images [B, H, W, C], or one image [H, W, C], mirrored upside down or not, with even chances.

    >>> import tensorsmith as tf
    >>> tf.image.random_flip_up_down(tf.zeros([2, 3, 1])).shape
    TensorShape([2, 3, 1])
    """
    return _flip(image, flip_up_down, "image.random_flip_up_down", _remembered(seed))


def stateless_random_flip_up_down(image: Any, seed: Any) -> Tensor:
    """`random_flip_up_down` from a seed [2] alone."""
    return _flip(image, flip_up_down, "image.stateless_random_flip_up_down", _from(seed))


def _crop(value: Any, size: Any, draw: Draw) -> Tensor:
    who = "image.random_crop"
    x = convert(value)
    sizes, parts = split_sizes(size, who)
    if len(sizes) != x.ndim or any(None not in (have, want) and want > have for have, want in zip(x.shape, sizes)):
        raise InvalidArgumentError(
            explain(
                who, "the part must fit into the value", {"value": x.shape, "size": sizes}, "one size for each axis"
            )
        )
    rest = iter(parts)
    wanted = [next(rest) if want is None else want for want in sizes]
    have = shape(x)
    begin = []
    drawn = draw([x.ndim], dtype=dtypes.float64)
    for axis, want in enumerate(wanted):
        room = cast(subtract(have[axis], cast(want, dtypes.int32)), dtypes.float64)
        begin.append(cast(floor(multiply(drawn[axis], add(room, 1.0))), dtypes.int32))
    return slice_(x, stack(begin) if begin else [], wanted)


def random_crop(value: Any, size: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """A part of `size`, a number for each axis, from anywhere in `value`.

    Raises InvalidArgumentError where it does not fit.

    >>> import tensorsmith as tf
    >>> tf.image.random_crop(tf.zeros([4, 5, 3]), [2, 2, 3]).shape
    TensorShape([2, 2, 3])
    """
    return _crop(value, size, _remembered(seed))


def stateless_random_crop(value: Any, size: Any, seed: Any, name: str | None = None) -> Tensor:
    """`random_crop` from a seed [2] alone.

    >>> import tensorsmith as tf
    >>> tf.image.stateless_random_crop(tf.zeros([4, 5, 3]), [2, 2, 3], seed=[1, 2]).shape
    TensorShape([2, 2, 3])
    """
    return _crop(value, size, _from(seed))


class DistortedBox(NamedTuple):
    """What `sample_distorted_bounding_box` gives: for `tf.slice`, and for `tf.image.draw_bounding_boxes`."""

    begin: Tensor
    size: Tensor
    bboxes: Tensor


def _distorted(
    image_size: Any,
    bounding_boxes: Any,
    covered: Any,
    ratios: Any,
    areas: Any,
    attempts: Any,
    use_image: Any,
    draw: Draw,
) -> DistortedBox:
    who = "image.sample_distorted_bounding_box"
    sides, boxes = convert(image_size), cast(bounding_boxes, dtypes.float32)
    if sides.ndim != 1 or sides.shape[0] not in (3, None) or not sides.dtype.is_integer:
        raise InvalidArgumentError(explain(who, "image_size is (height, width, channels)", {"image_size": image_size}))
    if boxes.ndim != 3 or boxes.shape[2] not in (4, None):
        raise InvalidArgumentError(
            explain(who, "bounding boxes have the shape [B, N, 4]", {"bounding_boxes": boxes.shape})
        )
    ranges = []
    for what, given, default in (("aspect_ratio_range", ratios, (0.75, 1.33)), ("area_range", areas, (0.05, 1.0))):
        low, high = plain(default if given is None else given, what)
        if low <= 0 or high <= 0 or low > high or (what == "area_range" and high > 1):
            raise InvalidArgumentError(
                explain(who, f"{what} must be two rising numbers above 0", {what: (low, high)},
                        "areas are at most 1" if what == "area_range" else "")
            )  # fmt: skip
        ranges.append((float(low), float(high)))
    if not 0 <= (share := float(plain(covered, "min_object_covered"))) <= 1:
        raise InvalidArgumentError(
            explain(who, "min_object_covered must be within [0, 1]", {"min_object_covered": share})
        )
    drawn = draw([int(plain(100 if attempts is None else attempts, "max_attempts")), 4], dtype=dtypes.float64)
    settings = {"aspect_ratio_range": ranges[0], "area_range": ranges[1], "use_image": bool(use_image)}
    return DistortedBox(*apply(distorted_box, (sides, boxes, drawn, convert(np.float32(share))), settings))


def sample_distorted_bounding_box(
    image_size: Any, bounding_boxes: Any, seed: Any = 0, min_object_covered: Any = 0.1, aspect_ratio_range: Any = None,
    area_range: Any = None, max_attempts: Any = None, use_image_if_no_bounding_boxes: Any = None, name: str | None = None,
) -> DistortedBox:  # fmt: skip
    """A random part of an image that holds enough of one of its boxes: (begin [3], size [3], the part as box [1, 1, 4]).

    `tf.slice(image, begin, size)` cuts it out; the last of size is -1.

    image_size      (height, width, channels), integers.
    bounding_boxes  [B, N, 4], each [y1, x1, y2, x2] from 0 to 1.
    min_object_covered  the share of at least one box that the part holds.
    aspect_ratio_range  of width / height, by default (0.75, 1.33); area_range: of the image's area, by default (0.05, 1).
    max_attempts    how many parts are tried, by default 100; then it is the whole image.
    use_image_if_no_bounding_boxes  True: without boxes the whole image is one; else InvalidArgumentError.
    seed            0: of the global stream.

    >>> import tensorsmith as tf
    >>> begin, size, box = tf.image.sample_distorted_bounding_box([40, 60, 3], [[[0.2, 0.2, 0.8, 0.8]]])
    >>> box.shape
    TensorShape([1, 1, 4])
    """
    return _distorted(
        image_size, bounding_boxes, min_object_covered, aspect_ratio_range, area_range, max_attempts,
        use_image_if_no_bounding_boxes, _remembered(seed or None),
    )  # fmt: skip


def stateless_sample_distorted_bounding_box(
    image_size: Any, bounding_boxes: Any, seed: Any, min_object_covered: Any = 0.1, aspect_ratio_range: Any = None,
    area_range: Any = None, max_attempts: Any = None, use_image_if_no_bounding_boxes: Any = None, name: str | None = None,
) -> DistortedBox:  # fmt: skip
    """`sample_distorted_bounding_box` from a seed [2] alone."""
    return _distorted(
        image_size, bounding_boxes, min_object_covered, aspect_ratio_range, area_range, max_attempts,
        use_image_if_no_bounding_boxes, _from(seed),
    )  # fmt: skip


def extract_glimpse(
    input: Any, size: Any, offsets: Any, centered: bool = True, normalized: bool = True, noise: str = "uniform",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """A window of `size` (height, width) of each of images [B, H, W, C], float32, at its own offset [B, 2] (y, x).

    normalized  offsets are shares of the image's height and width, else pixels.
    centered    they count from the image's middle, to the window's middle where they are normalized (-1 and 1 are the
                image's edges), to its first pixel where not; else from the image's first pixel to the window's.
    noise       of what lies outside of the image: "uniform" between its extremes, "gaussian" of its mean and deviation,
                "zero".

    >>> import tensorsmith as tf
    >>> image = tf.reshape(tf.range(9.0), [1, 3, 3, 1])
    >>> tf.image.extract_glimpse(image, [2, 2], [[1, 1]], centered=False, normalized=False).numpy()[0, :, :, 0]
    array([[4., 5.],
           [7., 8.]], dtype=float32)
    """
    who = "image.extract_glimpse"
    x, where_to = cast(input, dtypes.float32), cast(offsets, dtypes.float32)
    if x.ndim != 4 or where_to.ndim != 2 or where_to.shape[1] not in (2, None):
        raise InvalidArgumentError(
            explain(who, "shapes do not fit", {"input": x.shape, "offsets": where_to.shape}, "[B, H, W, C] and [B, 2]")
        )
    sizes = plain(size, "size")
    if not isinstance(sizes, tuple) or len(sizes) != 2 or min(sizes) < 1:
        raise InvalidArgumentError(explain(who, "size must be two numbers above 0", {"size": size}))
    if noise not in ("uniform", "gaussian", "zero"):
        raise ValueError(explain(who, "no such noise", {"noise": noise}, "it is 'uniform', 'gaussian' or 'zero'"))
    have = shape(x)
    form = stack([have[0], *sizes, have[3]]) if None in (x.shape[0], x.shape[3]) else [x.shape[0], *sizes, x.shape[3]]
    if noise == "zero":
        filling = zeros(form)
    elif noise == "gaussian":
        filling = add(multiply(normal(form), reduce_std(x)), reduce_mean(x))
    else:
        low = reduce_min(x)
        filling = add(multiply(uniform(form), subtract(reduce_max(x), low)), low)
    settings = {"size": sizes, "centered": bool(centered), "normalized": bool(normalized)}
    return apply(image_glimpse, (x, where_to, filling), settings)
