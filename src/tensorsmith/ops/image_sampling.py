"""Which part of an image random numbers point at: distorted boxes, glimpses. The numbers come from above."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import primitive

_FLOAT32 = np.dtype("float32")


def _parts(specs: Specs, settings: dict) -> Any:
    kind = specs[0][1]
    return ((3,), kind), ((3,), kind), ((1, 1, 4), _FLOAT32)


@primitive(name="distorted_box", same=False, differentiable=False, shapes=_parts)
def distorted_box(
    xp, image_size: Array, boxes: Array, draws: Array, min_object_covered: Array, aspect_ratio_range: Any = (0.75, 1.33),
    area_range: Any = (0.05, 1.0), use_image: bool = False,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """(begin, size, box) of the first of several random parts that covers enough of one box; else of the whole image.

    draws [T, 4], from 0 to 1: of each part the aspect ratio, the height among those possible, top and left.
    """
    if xp is np and boxes.size and not ((boxes >= 0) & (boxes <= 1)).all():
        raise InvalidArgumentError(
            explain(
                "image.sample_distorted_bounding_box",
                "boxes are given in numbers from 0 to 1",
                {"bounding_boxes": boxes},
            )
        )
    if xp is np and not use_image and not boxes.size:
        raise InvalidArgumentError(
            explain(
                "image.sample_distorted_bounding_box", "there are no bounding boxes", {"bounding_boxes": boxes.shape},
                way_out="Give use_image_if_no_bounding_boxes=True.",
            )
        )  # fmt: skip
    sides = image_size.astype("float64")
    high, wide = sides[0], sides[1]
    low_area, high_area = (part * (high * wide) for part in area_range)
    ratio = aspect_ratio_range[0] + draws[:, 0] * (aspect_ratio_range[1] - aspect_ratio_range[0])
    # the lowest and the highest part of that form that the areas, and the image, allow
    tallest = xp.rint(xp.sqrt(high_area / ratio))
    too_wide = xp.rint(tallest * ratio) > wide
    narrow = xp.floor((wide + 0.4999999) / ratio)
    tallest = xp.where(too_wide, narrow - (xp.rint(narrow * ratio) > wide), tallest)
    tallest = xp.minimum(tallest, high)
    least = xp.minimum(xp.rint(xp.sqrt(low_area / ratio)), tallest)
    height = least + xp.floor(draws[:, 1] * (tallest - least + 1))
    # a part that is too small or too large by rounding gets another line, or one less
    height = height + (height * xp.rint(height * ratio) < low_area)
    height = height - (height * xp.rint(height * ratio) > high_area)
    width = xp.rint(height * ratio)
    area = height * width
    fits = (area >= low_area) & (area <= high_area) & (width <= wide) & (height <= high) & (width > 0) & (height > 0)
    top = xp.floor(draws[:, 2] * (high - height + 1))
    left = xp.floor(draws[:, 3] * (wide - width + 1))
    frames = boxes.reshape(-1, 4).astype("float64")
    if use_image and not frames.shape[0]:
        frames = np.array([[0.0, 0.0, 1.0, 1.0]])
    scale = xp.stack([high, wide, high, wide])
    edges = xp.trunc(frames * scale)
    whole = (edges[:, 2] - edges[:, 0]) * (edges[:, 3] - edges[:, 1])
    inner = [
        xp.minimum((at + size)[:, None], edges[None, :, axis + 2]) - xp.maximum(at[:, None], edges[None, :, axis])
        for axis, (at, size) in enumerate(((top, height), (left, width)))
    ]
    common = xp.maximum(inner[0], 0) * xp.maximum(inner[1], 0)
    covered = xp.any((common >= min_object_covered.astype("float64") * whole) & (whole >= 1), axis=1)
    good = fits & covered
    if draws.shape[0]:
        first = xp.argmax(good)
        chosen = xp.stack([top[first], left[first], height[first], width[first]])
        found = xp.where(good[first], chosen, xp.stack([high * 0, wide * 0, high, wide]))
    else:
        found = xp.stack([high * 0, wide * 0, high, wide])
    kind = image_size.dtype
    begin = xp.stack([found[0], found[1], found[0] * 0]).astype(kind)
    size = xp.stack([found[2], found[3], found[2] * 0 - 1]).astype(kind)
    box = xp.stack([found[0] / high, found[1] / wide, (found[0] + found[2]) / high, (found[1] + found[3]) / wide])
    return begin, size, box.astype("float32").reshape(1, 1, 4)


def _seen(specs: Specs, settings: dict) -> Specs:
    (batch, _, _, channels), dtype = specs[0]
    return [((batch, *settings["size"], channels), dtype)]


@primitive(name="image_glimpse", kinds="f", same=frozenset({"images", "noise"}), shapes=_seen)
def image_glimpse(
    xp, images: Array, offsets: Array, noise: Array, size: Any, centered: bool = True, normalized: bool = True
):
    """The window of `size` at its own offset [B, 2] of each of images [B, H, W, C]; `noise` [B, *size, C] outside."""
    batch, height, width, _ = images.shape
    places = []
    for axis, (side, length) in enumerate(zip((height, width), size)):
        at = offsets[:, axis].astype("float32")
        if normalized:
            at = at * np.float32(side)
        if centered:
            at = (at - np.float32(length)) / np.float32(2) if normalized else at
            at = at + np.float32(side / 2)
        start = xp.trunc(at).astype("int32")
        places.append(start[:, None] + np.arange(length, dtype="int32"))
    rows, columns = places
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    if not height or not width:
        return noise
    which = np.arange(batch)[:, None, None]
    found = images[which, xp.clip(rows, 0, height - 1)[:, :, None], xp.clip(columns, 0, width - 1)[:, None, :]]
    return xp.where(inside[..., None], found, noise)
