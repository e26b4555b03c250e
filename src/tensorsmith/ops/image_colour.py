"""Colours of images: conversions between spaces and dtypes, adjustments."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.casting import cast, identity, saturate_cast
from tensorsmith.ops.creation import ones_like
from tensorsmith.ops.debugging import hold
from tensorsmith.ops.elementwise import add, clip_by_value, divide, floordiv, maximum, multiply, pow, subtract
from tensorsmith.ops.image_framing import at_least_three
from tensorsmith.ops.linalg import tensordot
from tensorsmith.ops.reductions import reduce_max, reduce_mean, reduce_min, reduce_std
from tensorsmith.ops.repeating import repeat
from tensorsmith.ops.rounding import floor
from tensorsmith.ops.shaping import expand_dims, shape, stack, unstack
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

# ---- dtypes


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Tensor:
    """An image in another dtype, its values scaled: floats go from 0 to 1, integers from 0 to their greatest.

        integer -> float    x / greatest
        float -> integer    x * (greatest + 0.5), the fraction cut off
        integer -> integer  times or divided by 2**n, n the difference of the numbers of bits

    saturate  values beyond the range of an integer dtype give its limits.
    Raises AttributeError for dtypes that are neither floats nor integers.

    >>> import tensorsmith as tf
    >>> tf.image.convert_image_dtype(tf.constant([0, 51, 255], tf.uint8), tf.float64).numpy().round(6)
    array([0. , 0.2, 1. ])
    """
    x, wanted = convert(image), dtypes.as_dtype(dtype)
    for what, kind in (("dtype", wanted), ("image", x.dtype)):
        if not kind.is_floating and not kind.is_integer:
            raise AttributeError(
                explain("image.convert_image_dtype", f"{what} is no float and no integer", {what: kind.name})
            )
    if wanted == x.dtype:
        return identity(x)
    to = saturate_cast if saturate else cast
    if x.dtype.is_floating:
        if wanted.is_floating:
            return cast(x, wanted)
        # 65,504 is the greatest float16
        wide = cast(x, dtypes.float32) if x.dtype == dtypes.float16 and wanted.max > 65504 else x
        return to(multiply(wide, wanted.max + 0.5), wanted)
    if wanted.is_floating:
        return multiply(cast(x, wanted), 1.0 / x.dtype.max)
    have, want = int(x.dtype.max), int(wanted.max)
    if have > want:
        return to(floordiv(x, convert((have + 1) // (want + 1), x.dtype)), wanted)
    return multiply(to(x, wanted), convert((want + 1) // (have + 1), wanted))


def _floating(image: Any) -> tuple[Tensor, Any]:
    """An image as float32 (float16 stays), and the dtype that it had."""
    x = convert(image)
    if x.dtype in (dtypes.float16, dtypes.float32):
        return x, x.dtype
    return convert_image_dtype(x, dtypes.float32), x.dtype


# ---- spaces


def _three(image: Any, who: str) -> Tensor:
    """Images [..., 3]; InvalidArgumentError for another number of channels."""
    x = convert(image)
    if not x.ndim or x.shape[-1] not in (3, None):
        raise InvalidArgumentError(explain(who, "an image has 3 channels, on the last axis", {"images": x.shape}))
    return x


def _like(specs: Specs, settings: dict) -> Specs:
    shape, dtype = specs[0]
    if not shape or shape[-1] not in (3, None):
        raise ValueError(f"an image has 3 channels, on the last axis, not the shape {shape}")
    return [(shape, dtype)]


def _checked(xp: Any, x: Any) -> list[Any]:
    if not x.ndim or x.shape[-1] != 3:
        raise ValueError(f"an image has 3 channels, on the last axis, not the shape {tuple(x.shape)}")
    return [x[..., at] for at in range(3)]


@primitive(name="rgb_to_hsv", kinds="f", shapes=_like, quiet=True)
def _rgb_to_hsv(xp, images: Array):
    r, g, b = _checked(xp, images)
    kind = images.dtype.type
    value, least = xp.maximum(xp.maximum(r, g), b), xp.minimum(xp.minimum(r, g), b)
    span = value - least
    # 1 in the place of 0, so that derivatives of what is not taken are numbers
    grey = span == 0
    by = kind(6) * xp.where(grey, kind(1), span)
    hue = xp.where(
        r == value, (g - b) / by, xp.where(g == value, (b - r) / by + kind(2 / 6), (r - g) / by + kind(4 / 6))
    )
    hue = xp.where(hue < 0, hue + kind(1), hue)
    hue = xp.where(grey, kind(0), hue)
    # written so that NaN is kept
    dark = value <= 0
    saturation = xp.where(dark, kind(0), span / xp.where(dark, kind(1), value))
    return xp.stack([hue, saturation, value], axis=-1)


@primitive(name="hsv_to_rgb", kinds="f", shapes=_like)
def _hsv_to_rgb(xp, images: Array):
    hue, saturation, value = _checked(xp, images)
    kind = images.dtype.type
    turn = hue * kind(6)
    parts = [xp.abs(turn - kind(3)) - kind(1), kind(2) - xp.abs(turn - kind(2)), kind(2) - xp.abs(turn - kind(4))]
    pure = xp.stack([xp.clip(part, kind(0), kind(1)) for part in parts], axis=-1)
    return ((kind(1) - saturation)[..., None] + saturation[..., None] * pure) * value[..., None]


def _floats(images: Any) -> Any:
    """A tensor as it is, which must be of floats; anything else as float32."""
    return images if isinstance(images, Tensor) or hasattr(images, "_read") else cast(images, dtypes.float32)


def rgb_to_hsv(images: Any, name: str | None = None) -> Tensor:
    """Red, green, blue [..., 3] as hue, saturation, value, each from 0 to 1: floats.

        value       the greatest of the three
        saturation  (value - least) / value
        hue         where on the circle: 0 red, 1/3 green, 2/3 blue

    >>> import tensorsmith as tf
    >>> tf.image.rgb_to_hsv([[0.0, 0.5, 0.0]]).numpy()
    array([[0.33333334, 1.        , 0.5       ]], dtype=float32)
    """
    return apply(_rgb_to_hsv, (_floats(images),), {})


def hsv_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Hue, saturation, value [..., 3], each from 0 to 1, as red, green, blue: the way back of `rgb_to_hsv`.

    >>> import tensorsmith as tf
    >>> tf.image.hsv_to_rgb([[0.5, 1.0, 0.5]]).numpy()
    array([[0. , 0.5, 0.5]], dtype=float32)
    """
    return apply(_hsv_to_rgb, (_floats(images),), {})


# rows are R, G, B and columns Y, I, Q or Y, U, V; then the ways back, as the standards give them
_YIQ = np.array([[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]])
_YUV = np.array([[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]])
_FROM_YIQ = np.array([[1, 1, 1], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]])
_FROM_YUV = np.array([[1, 1, 1], [0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0]])
_GREY = np.array([0.2989, 0.5870, 0.1140])


def _mixed(images: Any, weights: np.ndarray, who: str) -> Tensor:
    x = _three(images, who)
    if not x.dtype.is_floating:
        raise TypeError(
            explain(who, "images must be floats", {"images": x.dtype.name}, way_out="Use tf.image.convert_image_dtype.")
        )
    return tensordot(x, convert(weights, x.dtype), [[x.ndim - 1], [0]])


def rgb_to_yiq(images: Any) -> Tensor:
    """Red, green, blue [..., 3], floats from 0 to 1, as the Y, I and Q of NTSC television.

    >>> import tensorsmith as tf
    >>> tf.image.rgb_to_yiq([[1.0, 0.0, 0.0]]).numpy().round(3)
    array([[0.299, 0.596, 0.212]], dtype=float32)
    """
    return _mixed(images, _YIQ, "image.rgb_to_yiq")


def yiq_to_rgb(images: Any) -> Tensor:
    """The way back of `rgb_to_yiq`.

    >>> import tensorsmith as tf
    >>> tf.image.yiq_to_rgb([[1.0, 0.0, 0.0]]).numpy().round(3)
    array([[1., 1., 1.]], dtype=float32)
    """
    return _mixed(images, _FROM_YIQ, "image.yiq_to_rgb")


def rgb_to_yuv(images: Any) -> Tensor:
    """Red, green, blue [..., 3], floats from 0 to 1, as the Y, U and V of PAL television.

    >>> import tensorsmith as tf
    >>> tf.image.rgb_to_yuv([[1.0, 0.0, 0.0]]).numpy().round(3)
    array([[ 0.299, -0.147,  0.615]], dtype=float32)
    """
    return _mixed(images, _YUV, "image.rgb_to_yuv")


def yuv_to_rgb(images: Any) -> Tensor:
    """The way back of `rgb_to_yuv`.

    >>> import tensorsmith as tf
    >>> tf.image.yuv_to_rgb([[1.0, 0.0, 0.0]]).numpy().round(3)
    array([[1., 1., 1.]], dtype=float32)
    """
    return _mixed(images, _FROM_YUV, "image.yuv_to_rgb")


def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """Red, green, blue [..., 3] as one channel of grey [..., 1]: 0.2989 R + 0.587 G + 0.114 B. The dtype stays.

    >>> import tensorsmith as tf
    >>> tf.image.rgb_to_grayscale([[1.0, 0.0, 0.0]]).numpy()
    array([[0.2989]], dtype=float32)
    """
    x = convert(images)
    grey = _mixed(convert_image_dtype(x, dtypes.float32), _GREY, "image.rgb_to_grayscale")
    return convert_image_dtype(expand_dims(grey, -1), x.dtype)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """One channel [..., 1] three times [..., 3].

    Raises ValueError where the last axis is not of size 1.

    >>> import tensorsmith as tf
    >>> tf.image.grayscale_to_rgb([[1], [2]]).numpy().tolist()
    [[1, 1, 1], [2, 2, 2]]
    """
    x = convert(images)
    if x.ndim < 2 or x.shape[-1] not in (1, None):
        raise ValueError(explain("image.grayscale_to_rgb", "the last axis must have size 1", {"images": x.shape}))
    return repeat(x, 3, axis=-1)


# ---- adjustments


def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """An image with `delta` added: of integer images as of floats from 0 to 1, values kept in range.

    >>> import tensorsmith as tf
    >>> tf.image.adjust_brightness(tf.constant([[[100, 250]]], tf.uint8), 0.1).numpy()[0, 0]
    array([125, 255], dtype=uint8)
    """
    x, dtype = _floating(image)
    return convert_image_dtype(add(x, cast(delta, x.dtype)), dtype, saturate=True)


def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """Images [..., H, W, C] with each channel's distance from its mean multiplied: (x - mean) * factor + mean.

    >>> import tensorsmith as tf
    >>> tf.image.adjust_contrast([[[1.0], [3.0]]], 2.0).numpy()[0, :, 0]
    array([0., 4.], dtype=float32)
    """
    x, dtype = _floating(at_least_three(images, "image.adjust_contrast"))
    # in float16 a sum of many pixels would overflow
    wide = cast(x, dtypes.float32)
    mean = reduce_mean(wide, axis=[-3, -2], keepdims=True)
    found = add(multiply(subtract(wide, mean), cast(contrast_factor, dtypes.float32)), mean)
    return convert_image_dtype(cast(found, x.dtype), dtype, saturate=True)


def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """gain * image ** gamma, of integer images as of floats from 0 to 1, values kept in range.

    Raises ValueError for a gamma below 0.

    >>> import tensorsmith as tf
    >>> tf.image.adjust_gamma([[[0.5]]], gamma=2.0).numpy()[0, 0]
    array([0.25], dtype=float32)
    """
    x, dtype = _floating(image)
    power = convert(gamma, None, x.dtype.numpy_dtype)
    if isinstance(power, Symbol):
        hold("image.adjust_gamma", power >= 0, {"gamma": power}, None, "gamma is a real number from 0 up")
    elif not bool((power >= 0).numpy().all()):
        raise ValueError(explain("image.adjust_gamma", "gamma is a real number from 0 up", {"gamma": gamma}))
    found = multiply(cast(gain, x.dtype), pow(x, cast(power, x.dtype)))
    return convert_image_dtype(found, dtype, saturate=True)


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """Images [..., 3] with their hue turned by `delta` of the circle, from -1 to 1.

    Raises ValueError for a delta beyond.

    >>> import tensorsmith as tf
    >>> tf.image.adjust_hue([[[1.0, 0.0, 0.0]]], 0.5).numpy()[0, 0]
    array([0., 1., 1.], dtype=float32)
    """
    x, dtype = _floating(_three(at_least_three(image, "image.adjust_hue"), "image.adjust_hue"))
    by = convert(delta, None, np.dtype("float32"))
    if not isinstance(by, Symbol) and not -1 <= float(by) <= 1:
        raise ValueError(explain("image.adjust_hue", "delta must be within [-1, 1]", {"delta": delta}))
    turned = add(rgb_to_hsv(x)[..., 0], cast(by, x.dtype))
    hue = subtract(turned, floor(turned))
    pure = hsv_to_rgb(stack([hue, ones_like(hue), ones_like(hue)], axis=-1))
    # stretched between the least and the greatest channel, which may be below 0
    low, high = reduce_min(x, axis=-1, keepdims=True), reduce_max(x, axis=-1, keepdims=True)
    return convert_image_dtype(add(low, multiply(subtract(high, low), pure)), dtype)


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """Images [..., 3] with their saturation multiplied, and kept within [0, 1].

    >>> import tensorsmith as tf
    >>> tf.image.adjust_saturation([[[1.0, 0.5, 0.5]]], 2.0).numpy()[0, 0]
    array([1., 0., 0.], dtype=float32)
    """
    x, dtype = _floating(_three(at_least_three(image, "image.adjust_saturation"), "image.adjust_saturation"))
    hue, saturation, value = unstack(rgb_to_hsv(x), 3, axis=-1)
    more = clip_by_value(multiply(saturation, cast(saturation_factor, x.dtype)), 0.0, 1.0)
    return convert_image_dtype(hsv_to_rgb(stack([hue, more, value], axis=-1)), dtype)


def per_image_standardization(image: Any) -> Tensor:
    """Images [..., H, W, C] of mean 0 and deviation 1 each: (x - mean) / max(deviation, 1 / sqrt(H * W * C)), float32.

    >>> import tensorsmith as tf
    >>> tf.image.per_image_standardization([[[1], [3]]]).numpy()[0, :, 0]
    array([-1.,  1.], dtype=float32)
    """
    x = cast(at_least_three(image, "image.per_image_standardization"), dtypes.float32)
    axes = [-3, -2, -1]
    if None in x.shape[-3:]:
        sides = cast(shape(x)[-3:], dtypes.float32)
        least: Any = pow(multiply(multiply(sides[0], sides[1]), sides[2]), -0.5)
    else:
        least = float(max(np.prod(x.shape[-3:]), 1)) ** -0.5
    deviation = reduce_std(x, axis=axes, keepdims=True)
    return divide(subtract(x, reduce_mean(x, axis=axes, keepdims=True)), maximum(deviation, least))
