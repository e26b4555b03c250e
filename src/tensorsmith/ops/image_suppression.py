"""Of boxes that overlap the best one: non-maximum suppression and what is made of it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import greater_equal, where
from tensorsmith.ops.creation import range_, zeros_like
from tensorsmith.ops.elementwise import clip_by_value, exp, maximum, minimum
from tensorsmith.ops.gathering import gather
from tensorsmith.ops.reductions import reduce_sum
from tensorsmith.ops.repeating import pad
from tensorsmith.ops.shaping import broadcast_to, concat, expand_dims, reshape, shape, stack, transpose, unstack
from tensorsmith.ops.sorting import top_k
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, plain, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_INT32 = np.dtype("int32")


def _corners(xp: Any, boxes: Any) -> list[Any]:
    """top, left, bottom, right and area of boxes [..., 4] of which any two opposite corners are given."""
    y1, x1, y2, x2 = (boxes[..., at] for at in range(4))
    top, bottom, left, right = xp.minimum(y1, y2), xp.maximum(y1, y2), xp.minimum(x1, x2), xp.maximum(x1, x2)
    return [top, left, bottom, right, (bottom - top) * (right - left)]


def _overlap(xp: Any, one: list[Any], others: list[Any]) -> Any:
    """The common part of a box and others over what both cover; 0 for one without an area."""
    zero = others[0].dtype.type(0)
    high = xp.maximum(xp.minimum(one[2], others[2]) - xp.maximum(one[0], others[0]), zero)
    wide = xp.maximum(xp.minimum(one[3], others[3]) - xp.maximum(one[1], others[1]), zero)
    common = high * wide
    whole = one[4] + others[4] - common
    some = (one[4] > 0) & (others[4] > 0)
    return xp.where(some, common / xp.where(some, whole, whole.dtype.type(1)), zero)


def _left(xp: Any, scores: Any, like: Any, limit: float, lowest: float, sigma: float) -> Any:
    """Scores after a box was chosen to which the others are `like`: of what is too like, or too low, -inf is left."""
    kind = scores.dtype.type
    if sigma > 0:
        scores = scores * xp.exp(like * like * kind(-0.5 / sigma))
        return xp.where(scores > kind(lowest), scores, kind(-np.inf))
    return xp.where(like > kind(limit), kind(-np.inf), scores)


def _chosen(
    likeness: Any, scores: np.ndarray, count: int, limit: float, lowest: float, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Places and scores of at most `count` boxes, best first; likeness(i, places) of box i to others."""
    places = np.flatnonzero(scores > lowest)
    left = scores[places]
    found, values = [], []
    while len(found) < count and len(places):
        best = int(np.argmax(left))
        found.append(places[best])
        values.append(left[best])
        place = places[best]
        others = np.arange(len(places)) != best
        places, left = places[others], left[others]
        left = _left(np, left, likeness(place, places), limit, lowest, sigma)
        kept = left > -np.inf
        places, left = places[kept], left[kept]
    return np.array(found, _INT32), np.array(values, scores.dtype)


def _of_boxes(boxes: np.ndarray) -> Any:
    corners = _corners(np, boxes)
    return lambda i, places: _overlap(np, [part[i] for part in corners], [part[places] for part in corners])


# ---- of as many as there are: the size of the result hangs on values


def _some(specs: Specs, settings: dict) -> Any:
    return ((None,), _INT32), ((None,), specs[1][1])


@primitive(name="non_max_suppression", kinds="f", eager=True, differentiable=False, shapes=_some)
def _suppression(
    xp, boxes: Array, scores: Array, max_output_size: int, iou_threshold: float = 0.5,
    score_threshold: float = -math.inf, soft_nms_sigma: float = 0.0,
) -> tuple[Array, Array]:  # fmt: skip
    return _chosen(_of_boxes(boxes), scores, max_output_size, iou_threshold, score_threshold, soft_nms_sigma)


@primitive(
    name="non_max_suppression_overlaps",
    kinds="f",
    eager=True,
    differentiable=False,
    shapes=lambda s, k: [((None,), _INT32)],
)
def _suppression_overlaps(
    xp, overlaps: Array, scores: Array, max_output_size: int, overlap_threshold: float = 0.5,
    score_threshold: float = -math.inf,
):  # fmt: skip
    return _chosen(
        lambda i, places: overlaps[places, i], scores, max_output_size, overlap_threshold, score_threshold, 0.0
    )[0]


def _limits(who: str, boxes: Any, scores: Any, max_output_size: Any, limit: Any) -> tuple[Tensor, Tensor, int, float]:
    x, values = convert(boxes), convert(scores)
    if x.ndim != 2 or x.shape[1] not in (4, None) or values.ndim != 1:
        raise InvalidArgumentError(
            explain(who, "shapes do not fit", {"boxes": x.shape, "scores": values.shape}, "they are [N, 4] and [N]")
        )
    if None not in (x.shape[0], values.shape[0]) and x.shape[0] != values.shape[0]:
        raise InvalidArgumentError(
            explain(who, "one score is needed for each box", {"boxes": x.shape, "scores": values.shape})
        )
    return x, values, _count(who, max_output_size), _share(who, limit)


def _count(who: str, max_output_size: Any) -> int:
    count = int(plain(max_output_size, "max_output_size"))
    if count < 0:
        raise InvalidArgumentError(explain(who, "max_output_size is below 0", {"max_output_size": count}))
    return count


def _share(who: str, limit: Any) -> float:
    limit = float(plain(limit, "iou_threshold"))
    if not 0 <= limit <= 1:
        raise InvalidArgumentError(explain(who, "iou_threshold must be in [0, 1]", {"iou_threshold": limit}))
    return limit


def non_max_suppression_with_scores(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5, score_threshold: Any = -math.inf,
    soft_nms_sigma: Any = 0.0, name: str | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(places int32 [M], scores [M]) of the best of boxes [N, 4] that overlap, best first, M at most max_output_size.

    The box with the best score is chosen, then the best one of those that do not overlap it too much, and so on.

    boxes            two opposite corners [y1, x1, y2, x2], in any unit.
    iou_threshold    a box is left out whose common part with a chosen one is a larger share than this of what both cover.
    score_threshold  only boxes with a score above it are chosen.
    soft_nms_sigma   above 0: no box is left out for its share; scores are multiplied by exp(-share**2 / (2 sigma)).

    The number of boxes hangs on values: programs that hold it run on NumPy; `non_max_suppression_padded` is compiled.
    Source: Bodla et al. (2017), Soft-NMS.

    >>> import tensorsmith as tf
    >>> boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.1, 1.0, 1.1], [0.0, 2.0, 1.0, 3.0]]
    >>> places, scores = tf.image.non_max_suppression_with_scores(boxes, [0.9, 0.8, 0.7], 3)
    >>> places.numpy(), scores.numpy()
    (array([0, 2], dtype=int32), array([0.9, 0.7], dtype=float32))
    """
    x, values, count, limit = _limits("image.non_max_suppression", boxes, scores, max_output_size, iou_threshold)
    settings = {
        "max_output_size": count, "iou_threshold": limit, "score_threshold": float(plain(score_threshold)),
        "soft_nms_sigma": float(plain(soft_nms_sigma)),
    }  # fmt: skip
    return tuple(apply(_suppression, (x, values), settings))


def non_max_suppression(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5, score_threshold: Any = -math.inf,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """The places alone of `non_max_suppression_with_scores`, int32 [M].

    >>> import tensorsmith as tf
    >>> boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.1, 1.0, 1.1], [0.0, 2.0, 1.0, 3.0]]
    >>> tf.image.non_max_suppression(boxes, [0.8, 0.9, 0.7], max_output_size=3).numpy()
    array([1, 2], dtype=int32)
    """
    return non_max_suppression_with_scores(boxes, scores, max_output_size, iou_threshold, score_threshold)[0]


def non_max_suppression_overlaps(
    overlaps: Any, scores: Any, max_output_size: Any, overlap_threshold: Any = 0.5, score_threshold: Any = -math.inf,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """`non_max_suppression` of things of which it is known how much each overlaps each: overlaps [N, N], scores [N].

    >>> import tensorsmith as tf
    >>> overlaps = [[1.0, 0.8, 0.0], [0.8, 1.0, 0.1], [0.0, 0.1, 1.0]]
    >>> tf.image.non_max_suppression_overlaps(overlaps, [0.8, 0.9, 0.7], max_output_size=3).numpy()
    array([1, 2], dtype=int32)
    """
    who = "image.non_max_suppression_overlaps"
    x, values = convert(overlaps), convert(scores)
    if (
        x.ndim != 2
        or values.ndim != 1
        or any(None not in (n, values.shape[0]) and n != values.shape[0] for n in x.shape)
    ):
        raise InvalidArgumentError(
            explain(who, "shapes do not fit", {"overlaps": x.shape, "scores": values.shape}, "they are [N, N] and [N]")
        )
    settings = {
        "max_output_size": _count(who, max_output_size), "overlap_threshold": float(plain(overlap_threshold)),
        "score_threshold": float(plain(score_threshold)),
    }  # fmt: skip
    return apply(_suppression_overlaps, (x, values), settings)


# ---- of a number that is known: compiled


class Best(NamedTuple):
    """Places, scores and number of the chosen boxes; behind them are zeros."""

    places: Any
    scores: Any
    count: Any


def _padded_shapes(specs: Specs, settings: dict) -> Any:
    rows, dtype = specs[1]
    found = (rows[0], settings["count"])
    return Best((found, _INT32), (found, dtype), ((rows[0],), _INT32))


@primitive(name="suppressed_boxes", kinds="f", differentiable=False, shapes=_padded_shapes)
def _suppressed(
    xp, boxes: Array, scores: Array, count: int, iou_threshold: float = 0.5, score_threshold: float = -math.inf
) -> tuple[Array, Array, Array]:
    """The chosen of each row of boxes [K, N, 4] with scores [K, N]."""
    rows, size = scores.shape
    if xp is np:
        places, values = np.zeros((rows, count), _INT32), np.zeros((rows, count), scores.dtype)
        counts = np.zeros(rows, _INT32)
        for row in range(rows):
            at, value = _chosen(_of_boxes(boxes[row]), scores[row], count, iou_threshold, score_threshold, 0.0)
            places[row, : len(at)], values[row, : len(at)], counts[row] = at, value, len(at)
        return Best(places, values, counts)
    from tensorsmith.program.execute import jax

    lax, kind = jax().lax, scores.dtype.type
    corners = _corners(xp, boxes)
    none = kind(-np.inf)
    if not size or not count:
        found = xp.zeros((rows, count))
        return Best(found.astype(_INT32), found.astype(scores.dtype), xp.zeros((rows,), _INT32))

    def going(state: Any) -> Any:
        step, left, *_ = state
        return (step < count) & xp.any(left > none)

    def choose(state: Any) -> Any:
        step, left, places, values = state
        best = xp.argmax(left, axis=1)
        value = xp.take_along_axis(left, best[:, None], axis=1)
        one = [xp.take_along_axis(part, best[:, None], axis=1) for part in corners]
        left = _left(xp, left, _overlap(xp, one, corners), iou_threshold, score_threshold, 0.0)
        left = xp.where(np.arange(size) == best[:, None], none, left)
        # of a row without any left: place 0 and -inf
        places = places.at[:, step].set(best.astype(_INT32))
        return step + 1, left, places, values.at[:, step].set(value[:, 0])

    left = xp.where(scores > kind(score_threshold), scores, none)
    empty = xp.zeros((rows, count), _INT32)
    _, _, places, values = lax.while_loop(going, choose, (0, left, empty, xp.full((rows, count), none)))
    there = values > none
    return Best(places, xp.where(there, values, kind(0)), xp.sum(there, axis=1, dtype=_INT32))


def non_max_suppression_padded(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5, score_threshold: Any = -math.inf,
    pad_to_max_output_size: bool = False, name: str | None = None, sorted_input: bool = False,
    canonicalized_coordinates: bool = False, tile_size: int = 512,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(places int32 [..., M], how many of them count [...]) of the best of boxes [..., N, 4]; see `non_max_suppression`.

    pad_to_max_output_size  True: M is max_output_size, zeros behind those that count, and it runs compiled. False: M is
                            how many there are, for boxes [N, 4] only; programs that hold it run on NumPy.
    sorted_input, canonicalized_coordinates, tile_size  promises that help TensorFlow; here they change nothing.

    >>> import tensorsmith as tf
    >>> boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.1, 1.0, 1.1], [0.0, 2.0, 1.0, 3.0]]
    >>> places, valid = tf.image.non_max_suppression_padded(boxes, [0.8, 0.9, 0.7], 4, pad_to_max_output_size=True)
    >>> places.numpy(), valid.numpy().item()
    (array([1, 2, 0, 0], dtype=int32), 2)
    """
    who = "image.non_max_suppression_padded"
    if not pad_to_max_output_size:
        x = convert(boxes)
        if x.ndim != 2:
            raise ValueError(
                explain(who, "boxes of several images cannot have as many results as there are", {"boxes": x.shape},
                        way_out="Give pad_to_max_output_size=True.")
            )  # fmt: skip
        found = non_max_suppression(x, scores, max_output_size, iou_threshold, score_threshold)
        return found, shape(found)[0]
    x, values = convert(boxes), convert(scores)
    if x.ndim < 2 or x.shape[-1] not in (4, None) or values.ndim != x.ndim - 1:
        raise InvalidArgumentError(
            explain(who, "shapes do not fit", {"boxes": x.shape, "scores": values.shape}, "[..., N, 4] and [..., N]")
        )
    count = _count(who, max_output_size)
    outer = shape(values)[:-1]
    size = shape(values)[-1:]
    settings = {
        "count": count, "iou_threshold": _share(who, iou_threshold), "score_threshold": float(plain(score_threshold)),
    }  # fmt: skip
    rows = reshape(x, concat([[-1], size, [4]], 0)), reshape(values, concat([[-1], size], 0))
    best = apply(_suppressed, rows, settings)
    return reshape(best.places, concat([outer, [count]], 0)), reshape(best.count, outer)


class CombinedNonMaxSuppression(NamedTuple):
    """Of each image the best boxes [B, M, 4], their scores and classes [B, M], and how many of them count [B]."""

    nmsed_boxes: Tensor
    nmsed_scores: Tensor
    nmsed_classes: Tensor
    valid_detections: Tensor


def combined_non_max_suppression(
    boxes: Any, scores: Any, max_output_size_per_class: Any, max_total_size: Any, iou_threshold: Any = 0.5,
    score_threshold: Any = -math.inf, pad_per_class: bool = False, clip_boxes: bool = True, name: str | None = None,
) -> CombinedNonMaxSuppression:  # fmt: skip
    """The best boxes of each image: suppression class by class, then the best of all classes, best first.

    boxes   [B, N, q, 4]; q is 1 where all classes share the boxes, else the number of classes.
    scores  [B, N, classes].
    max_output_size_per_class, max_total_size  how many boxes there are at most.
    pad_per_class  False: M is max_total_size. True: no more than max_output_size_per_class * classes.
    clip_boxes     the results are kept within [0, 1].

    Behind the valid boxes are zeros; classes are float32. It runs compiled.

    >>> import tensorsmith as tf
    >>> boxes = tf.reshape(tf.constant([[0.0, 0.0, 1.0, 1.0], [0.0, 0.1, 1.0, 1.0]]), [1, 2, 1, 4])
    >>> best = tf.image.combined_non_max_suppression(boxes, [[[0.9, 0.1], [0.8, 0.3]]], 2, 3)
    >>> best.nmsed_scores.numpy(), best.nmsed_classes.numpy(), best.valid_detections.numpy()
    (array([[0.9, 0.3, 0. ]], dtype=float32), array([[0., 1., 0.]], dtype=float32), array([2], dtype=int32))
    """
    who = "image.combined_non_max_suppression"
    x, values = cast(boxes, "float32"), cast(scores, "float32")
    if x.ndim != 4 or values.ndim != 3 or x.shape[3] not in (4, None):
        raise InvalidArgumentError(
            explain(
                who, "shapes do not fit", {"boxes": x.shape, "scores": values.shape}, "[B, N, q, 4] and [B, N, classes]"
            )
        )
    classes, shared = values.shape[2], x.shape[2]
    if classes is None or shared not in (1, classes):
        raise InvalidArgumentError(
            explain(
                who,
                "there must be one box for all classes, or one for each",
                {"boxes": x.shape, "scores": values.shape},
            )
        )
    each, total = _count(who, max_output_size_per_class), _count(who, max_total_size)
    if min(each, total) < 1:
        raise InvalidArgumentError(
            explain(who, "sizes must be above 0", {"max_output_size_per_class": each, "max_total_size": total})
        )
    sizes = shape(values)
    batch, number = sizes[0], sizes[1]
    # a row for each class of each image
    per_class = transpose(broadcast_to(x, stack([batch, number, classes, 4])), [0, 2, 1, 3])
    rows = reshape(per_class, stack([-1, number, 4])), reshape(transpose(values, [0, 2, 1]), stack([-1, number]))
    settings = {
        "count": each, "iou_threshold": _share(who, iou_threshold), "score_threshold": float(plain(score_threshold)),
    }  # fmt: skip
    best = apply(_suppressed, rows, settings)
    there = greater_equal(expand_dims(best.count, 1), range_(1, each + 1))
    found = reshape(gather(rows[0], best.places, batch_dims=1), stack([batch, classes * each, 4]))
    scored = reshape(where(there, best.scores, -math.inf), stack([batch, classes * each]))
    kept = min(total, classes * each)
    top = top_k(scored, kept)
    taken = gather(found, top.indices, batch_dims=1)
    real = greater_equal(top.values, float(np.finfo("float32").min))
    classes_of = cast(top.indices // each, "float32")
    if clip_boxes:
        taken = clip_by_value(taken, 0.0, 1.0)
    taken = where(expand_dims(real, -1), taken, zeros_like(taken))
    results = [taken, where(real, top.values, 0.0), where(real, classes_of, 0.0)]
    if not pad_per_class and kept < total:
        results = [pad(part, [[0, 0], [0, total - kept], *[[0, 0]] * (part.ndim - 2)]) for part in results]
    return CombinedNonMaxSuppression(*results, reduce_sum(cast(real, "int32"), axis=1))


# of width or height: no box grows more than 62.5 times
_GROWTH = math.log(1000 / 16)


class Proposals(NamedTuple):
    """Regions [B, M, 4] as [y1, x1, y2, x2], and their scores [B, M]; zeros behind them."""

    rois: Tensor
    roi_probabilities: Tensor


def generate_bounding_box_proposals(
    scores: Any, bbox_deltas: Any, image_info: Any, anchors: Any, nms_threshold: Any = 0.7, pre_nms_topn: Any = 6000,
    min_size: Any = 16, post_nms_topn: Any = 300, name: str | None = None,
) -> Proposals:  # fmt: skip
    """The regions that a region proposal network finds worth a look, best first.

    Anchors of the best scores are moved and stretched by their deltas, cut to the image, left out where they are smaller
    than min_size (times the image's scale), and suppressed where they overlap.

    scores       [B, H, W, A].
    bbox_deltas  [B, H, W, 4 * A]: (dy, dx, log of the height's factor, log of the width's factor) for each anchor.
    image_info   [B, 5]: height, width and scale of each image first.
    anchors      [A, 4], or [H, W, A, 4]: boxes [y1, x1, y2, x2] in pixels.

    It runs compiled. Source: Ren et al. (2015), Faster R-CNN.

    >>> import tensorsmith as tf
    >>> found = tf.image.generate_bounding_box_proposals(
    ...     tf.constant([[[[0.9]]]]), tf.zeros([1, 1, 1, 4]), [[50.0, 50.0, 1.0, 0.0, 0.0]], [[0.0, 0.0, 20.0, 60.0]],
    ...     post_nms_topn=1)
    >>> found.rois.numpy()
    array([[[ 0.,  0., 20., 50.]]], dtype=float32)
    """
    who = "image.generate_bounding_box_proposals"
    values, deltas, sides = cast(scores, "float32"), cast(bbox_deltas, "float32"), cast(image_info, "float32")
    frames = cast(anchors, "float32")
    if values.ndim != 4 or deltas.ndim != 4 or sides.ndim != 2 or frames.ndim not in (2, 4) or None in values.shape[1:]:
        raise InvalidArgumentError(
            explain(
                who, "shapes do not fit",
                {"scores": values.shape, "bbox_deltas": deltas.shape, "image_info": sides.shape, "anchors": frames.shape},
                "they are [B, H, W, A], [B, H, W, 4 * A], [B, 5] and [A, 4] or [H, W, A, 4]",
            )
        )  # fmt: skip
    height, width, each = values.shape[1:]
    number = height * width * each
    frames = reshape(broadcast_to(frames, [height, width, each, 4]), [number, 4])
    first = min(int(plain(pre_nms_topn)), number)
    top = top_k(reshape(values, [-1, number]), first)
    dy, dx, dh, dw = unstack(gather(reshape(deltas, [-1, number, 4]), top.indices, batch_dims=1), 4, axis=-1)
    y1, x1, y2, x2 = unstack(gather(frames, top.indices), 4, axis=-1)
    high, wide = y2 - y1, x2 - x1
    middle_y, middle_x = y1 + high * 0.5 + high * dy, x1 + wide * 0.5 + wide * dx
    high, wide = high * exp(minimum(dh, _GROWTH)), wide * exp(minimum(dw, _GROWTH))
    bottom, right = sides[:, 0:1], sides[:, 1:2]
    cut = [
        maximum(minimum(edge, most), 0.0)
        for edge, most in (
            (middle_y - high * 0.5, bottom),
            (middle_x - wide * 0.5, right),
            (middle_y + high * 0.5, bottom),
            (middle_x + wide * 0.5, right),
        )
    ]
    least = minimum(cut[2] - cut[0], cut[3] - cut[1])
    large = greater_equal(least, sides[:, 2:3] * float(plain(min_size)))
    boxes = stack(cut, axis=-1)
    count = _count(who, post_nms_topn)
    settings = {"count": count, "iou_threshold": _share(who, nms_threshold), "score_threshold": -math.inf}
    best = apply(_suppressed, (boxes, where(large, top.values, -math.inf)), settings)
    there = greater_equal(expand_dims(best.count, 1), range_(1, count + 1))
    found = gather(boxes, best.places, batch_dims=1)
    return Proposals(where(expand_dims(there, -1), found, zeros_like(found)), best.scores)
