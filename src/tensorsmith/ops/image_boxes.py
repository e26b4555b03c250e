"""Boxes in images: parts cut out and resized, frames drawn. A box is [y1, x1, y2, x2]: 0 and 1 are the middles of the
first and the last pixel."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, OutOfRangeError, explain
from tensorsmith.ops.casting import cast
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, plain, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _crops(specs: Specs, settings: dict) -> Specs:
    (images, dtype), (boxes, _), _ = specs
    return [((boxes[0], *settings["crop_size"], images[3]), dtype)]


def _places(xp: Any, low: Any, high: Any, size: int, count: int) -> Any:
    """Where the `count` pixels of each box [N] stand along an axis of `size` pixels: [N, count]."""
    kind = low.dtype.type
    last = kind(size - 1)
    if count == 1:
        return (kind(0.5) * (low + high) * last)[:, None]
    steps = np.arange(count, dtype=low.dtype)
    return (low * last)[:, None] + steps * ((high - low) * last / kind(count - 1))[:, None]


@primitive(name="crop_and_resize", kinds="fiu", same=frozenset({"image", "boxes"}), shapes=_crops)
def _crop_and_resize(
    xp, image: Array, boxes: Array, box_indices: Array, crop_size: Any, method: str = "bilinear",
    extrapolation_value: float = 0.0,
):  # fmt: skip
    """The part in each box [N, 4] of image `box_indices` [N] of [B, H, W, C]: [N, *crop_size, C]."""
    batch, height, width, _ = image.shape
    if xp is np and box_indices.size and (box_indices.min() < 0 or box_indices.max() >= batch):
        wrong = box_indices[(box_indices < 0) | (box_indices >= batch)].ravel()[0]
        raise OutOfRangeError(
            explain("image.crop_and_resize", "there is no such image", {"box_indices": int(wrong), "images": batch})
        )
    ys = _places(xp, boxes[:, 0], boxes[:, 2], height, crop_size[0])
    xs = _places(xp, boxes[:, 1], boxes[:, 3], width, crop_size[1])
    # NaN is nowhere
    seen = ((ys >= 0) & (ys <= height - 1))[:, :, None] & ((xs >= 0) & (xs <= width - 1))[:, None, :]
    ys, xs = xp.where((ys >= 0) & (ys <= height - 1), ys, 0), xp.where((xs >= 0) & (xs <= width - 1), xs, 0)
    ys, xs = ys.astype(boxes.dtype), xs.astype(boxes.dtype)
    which = box_indices[:, None, None]

    def pixels(rows: Any, columns: Any) -> Any:
        return image[which, rows.astype("int32")[:, :, None], columns.astype("int32")[:, None, :]]

    if method == "nearest":
        # halves go up, as C rounds
        found = pixels(xp.floor(ys + boxes.dtype.type(0.5)), xp.floor(xs + boxes.dtype.type(0.5)))
    else:
        top, left = xp.floor(ys), xp.floor(xs)
        bottom, right = xp.minimum(top + 1, height - 1), xp.minimum(left + 1, width - 1)
        down, across = (ys - top)[:, :, None, None], (xs - left)[:, None, :, None]
        above = pixels(top, left) + (pixels(top, right) - pixels(top, left)) * across
        below = pixels(bottom, left) + (pixels(bottom, right) - pixels(bottom, left)) * across
        found = above + (below - above) * down
    return xp.where(seen[..., None], found, image.dtype.type(extrapolation_value))


def crop_and_resize(
    image: Any, boxes: Any, box_indices: Any, crop_size: Any, method: str = "bilinear", extrapolation_value: float = 0.0,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Parts of images [B, H, W, C], each resized to crop_size (height, width): [N, height, width, C], float32.

    boxes        [N, 4], each [y1, x1, y2, x2] from 0 (the middle of the first pixel) to 1 (of the last one). A box may
                 reach out of the image, and y1 > y2 turns it upside down.
    box_indices  [N]: which image each box is cut from.
    method       "bilinear" or "nearest".
    extrapolation_value  of pixels outside of the image.

    Derivatives flow to the images, and with "bilinear" to the boxes.
    Raises OutOfRangeError for an image that is not there, where it is not compiled.

    >>> import tensorsmith as tf
    >>> image = tf.reshape(tf.range(9.0), [1, 3, 3, 1])
    >>> tf.image.crop_and_resize(image, [[0.0, 0.0, 0.5, 1.0]], [0], [2, 2]).numpy()[0, :, :, 0].tolist()
    [[0.0, 2.0], [3.0, 5.0]]
    """
    who = "image.crop_and_resize"
    if method not in ("bilinear", "nearest"):
        raise ValueError(explain(who, "no such method", {"method": method}, "it is 'bilinear' or 'nearest'"))
    x, frames, which = cast(image, "float32"), cast(boxes, "float32"), convert(box_indices)
    size = plain(crop_size, "crop_size")
    if not isinstance(size, tuple) or len(size) != 2 or min(size) < 1:
        raise InvalidArgumentError(explain(who, "crop_size must be two numbers above 0", {"crop_size": size}))
    if x.ndim != 4 or frames.ndim != 2 or frames.shape[1] not in (4, None) or which.ndim != 1:
        raise InvalidArgumentError(
            explain(
                who, "shapes do not fit", {"image": x.shape, "boxes": frames.shape, "box_indices": which.shape},
                "they are [B, H, W, C], [N, 4] and [N]",
            )
        )  # fmt: skip
    if None not in (frames.shape[0], which.shape[0]) and frames.shape[0] != which.shape[0]:
        raise InvalidArgumentError(
            explain(who, "one index is needed for each box", {"boxes": frames.shape, "box_indices": which.shape})
        )
    settings = {"crop_size": size, "method": method, "extrapolation_value": float(plain(extrapolation_value))}
    return apply(_crop_and_resize, (x, frames, which), settings)


@primitive(name="draw_bounding_boxes", kinds="f", same=frozenset({"images", "colors"}), shapes=lambda s, k: [s[0]])
def _draw(xp, images: Array, boxes: Array, colors: Array):
    """images [B, H, W, C] with a line of one pixel around each of boxes [B, N, 4], in the colours [n, C] in turn."""
    _, height, width, channels = images.shape
    count = boxes.shape[1]
    # cut off towards 0, as whole numbers of pixels
    scale = np.array([height - 1, width - 1, height - 1, width - 1], "float32")
    limit = np.float32(2**30)
    edges = xp.clip(xp.nan_to_num(boxes.astype("float32") * scale), -limit, limit).astype("int32")
    top, left, bottom, right = (edges[..., at] for at in range(4))
    drawn = (top <= bottom) & (left <= right)
    rows, columns = np.arange(height), np.arange(width)
    at_row = (rows == top[..., None]) | (rows == bottom[..., None])
    at_column = (columns == left[..., None]) | (columns == right[..., None])
    in_rows = (rows >= top[..., None]) & (rows <= bottom[..., None]) & drawn[..., None]
    in_columns = (columns >= left[..., None]) & (columns <= right[..., None]) & drawn[..., None]
    # the number of the last box that has a line there
    last = xp.full(images.shape[:3], -1, "int32")
    if xp is np:
        for n in range(count):
            line = at_row[:, n, :, None] & in_columns[:, n, None, :] | in_rows[:, n, :, None] & at_column[:, n, None, :]
            last[line] = n
    elif count:
        lines = at_row[..., None] & in_columns[:, :, None, :] | in_rows[..., None] & at_column[:, :, None, :]
        numbers = np.arange(count, dtype="int32")[:, None, None]
        last = xp.max(xp.where(lines, numbers, np.int32(-1)), axis=1)
    paint = colors[:, :channels][xp.maximum(last, 0) % colors.shape[0]]
    return xp.where((last >= 0)[..., None], paint, images)


# yellow, blue, red, lime, purple, olive, maroon, navy, aqua, fuchsia
_COLOURS = (
    (1, 1, 0, 1), (0, 0, 1, 1), (1, 0, 0, 1), (0, 1, 0, 1), (0.5, 0, 0.5, 1), (0.5, 0.5, 0, 1), (0.5, 0, 0, 1),
    (0, 0, 0.5, 1), (0, 1, 1, 1), (1, 0, 1, 1),
)  # fmt: skip


def draw_bounding_boxes(images: Any, boxes: Any, colors: Any = None, name: str | None = None) -> Tensor:
    """Images [B, H, W, C], floats, with a line of one pixel around each of their boxes [B, N, 4].

    boxes   [y1, x1, y2, x2] from 0 (the first pixel) to 1 (the last one). What lies outside of the image is not drawn.
    colors  [n, C or 4], taken in turn; None: ten of their own, white in images of one channel.

    >>> import tensorsmith as tf
    >>> tf.image.draw_bounding_boxes(tf.zeros([1, 4, 4, 1]), [[[0.0, 0.0, 0.7, 1.0]]], [[1.0]]).numpy()[0, :, :, 0]
    array([[1., 1., 1., 1.],
           [1., 0., 0., 1.],
           [1., 1., 1., 1.],
           [0., 0., 0., 0.]], dtype=float32)
    """
    who = "image.draw_bounding_boxes"
    x, frames = convert(images), cast(boxes, "float32")
    if x.ndim != 4 or frames.ndim != 3 or frames.shape[2] not in (4, None):
        raise InvalidArgumentError(
            explain(who, "shapes do not fit", {"images": x.shape, "boxes": frames.shape},
                    "they are [B, H, W, C] and [B, N, 4]")
        )  # fmt: skip
    channels = x.shape[3]
    if channels not in (1, 3, 4):
        raise InvalidArgumentError(explain(who, "images have 1, 3 or 4 channels", {"images": x.shape}))
    table = None if colors is None else cast(colors, x.dtype)
    if table is None or table.shape[0] == 0:
        table = convert(np.ones((1, 4)) if channels == 1 else np.array(_COLOURS), x.dtype)
    if table.ndim != 2 or (table.shape[1] is not None and table.shape[1] < channels):
        raise InvalidArgumentError(
            explain(who, "a colour needs a number for each channel", {"colors": table.shape, "images": x.shape})
        )
    return apply(_draw, (x, frames, table), {})
