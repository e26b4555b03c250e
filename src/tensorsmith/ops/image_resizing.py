"""Images at another size: resize, by eight methods; resize_with_pad."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.casting import cast
from tensorsmith.ops.elementwise import divide, maximum, minimum, multiply, subtract
from tensorsmith.ops.image_framing import as_batch, as_given, height_width, number, pad_to_bounding_box
from tensorsmith.ops.image_weights import METHODS, matrix, taps
from tensorsmith.ops.rounding import floor, round_
from tensorsmith.ops.shaping import stack
from tensorsmith.ops.sizes import fill_sizes, split_sizes
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import apply, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


class ResizeMethod:
    """The names of the methods of `tf.image.resize`."""

    BILINEAR = "bilinear"
    NEAREST_NEIGHBOR = "nearest"
    BICUBIC = "bicubic"
    AREA = "area"
    LANCZOS3 = "lanczos3"
    LANCZOS5 = "lanczos5"
    GAUSSIAN = "gaussian"
    MITCHELLCUBIC = "mitchellcubic"


def _resized(specs: Specs, settings: dict) -> Specs:
    (batch, height, width, channels), dtype = specs[0]
    new_height, new_width = settings["sizes"]
    if 0 in (height, width):
        raise ValueError("an image without pixels cannot be resized")
    return [((batch, new_height, new_width, channels), dtype)]


def _picked(xp: Any, x: Any, after: int, axis: int, method: str, antialias: bool) -> Any:
    """A line's new pixels as a sum of the old ones: each a pick of all lines at once."""
    places, weights = taps(method, x.shape[axis], after, antialias)
    if method == "nearest":
        return xp.take(x, places[:, 0], axis=axis)
    spread = (-1,) + (1,) * (x.ndim - axis - 1)
    weights = weights.astype(x.dtype)
    count = places.shape[1]
    # many picks one by one would make XLA's program long: one pick and one sum
    if xp is not np and count > 8:
        seen = xp.take(x, places.reshape(-1), axis=axis)
        shape = (*x.shape[:axis], after, count, *x.shape[axis + 1 :])
        return xp.sum(seen.reshape(shape) * weights.reshape(after, count, *spread[1:]), axis=axis + 1, dtype=x.dtype)
    found: Any = None
    for at in range(count):
        term = xp.take(x, places[:, at], axis=axis) * weights[:, at].reshape(spread)
        found = term if found is None else found + term
    return found


def _multiplied(xp: Any, x: Any, after: int, axis: int, method: str, antialias: bool) -> Any:
    """The same as a product with a matrix."""
    weights = matrix(method, x.shape[axis], after, antialias).astype(x.dtype)
    return xp.moveaxis(xp.tensordot(x, weights, axes=((axis,), (1,)), precision="highest"), -1, axis)


def _lines(xp: Any, x: Any, after: int, axis: int, method: str, antialias: bool) -> Any:
    if x.shape[axis] == after:
        # every method gives its own middles back, but for those that blur
        places, weights = taps(method, after, after, antialias)
        if not np.any((weights != 0) & (places != np.arange(after)[:, None])):
            return x
    if xp is np or x.dtype.kind not in "f":
        return _picked(xp, x, after, axis, method, antialias)
    from tensorsmith.program.execute import jax

    # forwards picks are 2 to 8 times faster than a product (16 images, 256 x 256: 1.8 ms, not 13); backwards they would be
    # additions one after another (45 ms, not 15)
    @jax().custom_jvp
    def resized(x: Any) -> Any:
        return _picked(xp, x, after, axis, method, antialias)

    @resized.defjvp
    def _(values: Any, tangents: Any) -> Any:
        return resized(values[0]), _multiplied(xp, tangents[0], after, axis, method, antialias)

    return resized(x)


@primitive(name="image_resize", shapes=_resized, same=frozenset({"images"}))
def _resize(xp, images: Array, parts: Arrays, sizes: Any, method: str = "bilinear", antialias: bool = False):
    """images [B, H, W, C] at the sizes (H, W): first along the axis that loses most."""
    found = fill_sizes(sizes, parts, "image.resize")
    if min(found) < 1 or 0 in images.shape[1:3]:
        raise ValueError(f"sizes must be above 0: from {tuple(images.shape[1:3])} to {found}")
    order = sorted((1, 2), key=lambda axis: found[axis - 1] / images.shape[axis])
    for axis in order:
        images = _lines(xp, images, found[axis - 1], axis, method, antialias)
    return images


def _size_of(size: Any) -> tuple[Any, list[Any]]:
    """The two sizes as settings and values."""
    refused = None
    if not isinstance(size, (Tensor, np.ndarray)) and not hasattr(size, "_read"):
        parts = list(size) if isinstance(size, (list, tuple)) else [size]
        if not all(
            hasattr(p, "dtype") or (isinstance(p, (int, np.integer)) and not isinstance(p, bool)) for p in parts
        ):
            refused = size
    given = convert(size) if isinstance(size, np.ndarray) or hasattr(size, "_read") else size
    if isinstance(given, Tensor) and not given.dtype.is_integer:
        refused = given
    if refused is not None:
        raise ValueError(explain("image.resize", "'size' must be two whole numbers (height, width)", {"size": refused}))
    sizes, values = split_sizes(given, "image.resize")
    if len(sizes) != 2 or (isinstance(given, Tensor) and given.ndim != 1):
        raise ValueError(explain("image.resize", "'size' must hold 2 numbers: new height, new width", {"size": size}))
    if any(found is not None and found < 1 for found in sizes):
        raise InvalidArgumentError(explain("image.resize", "sizes must be above 0", {"size": sizes}))
    return sizes, values


def resize(
    images: Any,
    size: Any,
    method: Any = ResizeMethod.BILINEAR,
    preserve_aspect_ratio: bool = False,
    antialias: bool = False,
    name: str | None = None,
) -> Tensor:
    """Images [B, H, W, C], or one image [H, W, C], at the size (height, width).

    Pixels are squares with their middles at 0.5, 1.5, ...: new pixel i of n stands at (i + 0.5) * H / n of the old ones.

    method  "bilinear", "nearest", "bicubic" (Keys, a = -0.5), "area" (the mean of what a new pixel covers), "lanczos3",
            "lanczos5", "gaussian", "mitchellcubic"; or a name of `ResizeMethod`.
    preserve_aspect_ratio  size is the most that there may be; the image keeps its form.
    antialias  filters are as wide as the new pixels where those are larger than the old ones; "nearest" and "area" stay.

    The result is float32, for "nearest" of the images' dtype. Derivatives flow to the images.
    Raises ValueError for images of other ranks, a size that is not two whole numbers, an unknown method.

    >>> import tensorsmith as tf
    >>> tf.image.resize([[[0.0], [4.0]]], [1, 4]).numpy()[0, :, 0]
    array([0., 1., 3., 4.], dtype=float32)
    >>> tf.image.resize(tf.zeros([2, 10, 20, 3]), [5, 5], preserve_aspect_ratio=True).shape
    TensorShape([2, 2, 5, 3])
    """
    kind = str(getattr(method, "value", method))
    if kind not in METHODS:
        raise ValueError(
            explain("image.resize", "no such method", {"method": method}, f"it is one of {', '.join(METHODS)}")
        )
    x, single = as_batch(images, "image.resize", "images")
    sizes, values = _size_of(size)
    if preserve_aspect_ratio:
        sizes, values = _in_form(x, sizes, values)
    if kind != "nearest":
        x = cast(x, "float32")
    found = apply(_resize, (x, values), {"sizes": sizes, "method": kind, "antialias": bool(antialias)})
    return as_given(found, single)


def _in_form(x: Tensor, sizes: Any, values: list[Any]) -> tuple[Any, list[Any]]:
    """The greatest sizes within `sizes` that have the form of the images."""
    rest = iter(values)
    wanted = [cast(next(rest) if size is None else size, "float32") for size in sizes]
    have = [cast(side, "float32") for side in height_width(x)]
    scale = minimum(divide(wanted[0], have[0]), divide(wanted[1], have[1]))
    return split_sizes(_as_sizes([cast(round_(multiply(scale, side)), "int32") for side in have]), "image.resize")


def _as_sizes(parts: list[Any]) -> Any:
    return parts if not any(isinstance(part, Symbol) for part in parts) else stack(parts)


def resize_with_pad(
    image: Any, target_height: Any, target_width: Any, method: Any = ResizeMethod.BILINEAR, antialias: bool = False
) -> Tensor:
    """Images at the target size in their own form, in the middle of zeros where that leaves room.

    The result is float32, for "nearest" of the image's dtype. Arguments else as of `resize`.

    >>> import tensorsmith as tf
    >>> tf.image.resize_with_pad(tf.ones([1, 2, 1]), 3, 2).numpy()[..., 0]
    array([[0., 0.],
           [1., 1.],
           [0., 0.]], dtype=float32)
    """
    x, single = as_batch(image, "image.resize_with_pad")
    target = [number(target_height), number(target_width)]
    for side, what in zip(target, ("target_height", "target_width")):
        if isinstance(side, int) and side <= 0:
            raise ValueError(explain("image.resize_with_pad", f"{what} must be above 0", {what: side}))
    have = [cast(side, "float32") for side in height_width(x)]
    wide = [cast(side, "float32") for side in target]
    ratio = maximum(divide(have[1], wide[1]), divide(have[0], wide[0]))
    exact = [divide(side, ratio) for side in have]
    inner = [cast(floor(side), "int32") for side in exact]
    spare = [maximum(cast(floor(divide(subtract(whole, side), 2.0)), "int32"), 0) for whole, side in zip(wide, exact)]
    found = resize(x, _as_sizes(inner), method, antialias=antialias)
    return as_given(pad_to_bounding_box(found, *map(number, spare), *target), single)
