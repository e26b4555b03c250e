"""Boxes in images, pixel by pixel and box by box."""

from __future__ import annotations

import math

import numpy as np

from tests.support.spine import Draw, Row

d = Draw(47)
VALUES = "the size of its result hangs on values"


def crops(image, boxes, which, crop_size, method, extrapolation_value):
    height, width = image.shape[1:3]
    out = np.full((len(boxes), *crop_size, image.shape[3]), float(extrapolation_value))
    for k, (y1, x1, y2, x2) in enumerate(boxes):
        ys = np.linspace(y1, y2, crop_size[0]) if crop_size[0] > 1 else [(y1 + y2) / 2]
        xs = np.linspace(x1, x2, crop_size[1]) if crop_size[1] > 1 else [(x1 + x2) / 2]
        for i, y in enumerate(np.array(ys) * (height - 1)):
            for j, x in enumerate(np.array(xs) * (width - 1)):
                if not (0 <= y <= height - 1 and 0 <= x <= width - 1):
                    continue
                picture = image[which[k]]
                if method == "nearest":
                    out[k, i, j] = picture[math.floor(y + 0.5), math.floor(x + 0.5)]
                    continue
                a, b = int(y), int(x)
                out[k, i, j] = 0
                for row, part in ((a, 1 - (y - a)), (min(a + 1, height - 1), y - a)):
                    for column, piece in ((b, 1 - (x - b)), (min(b + 1, width - 1), x - b)):
                        out[k, i, j] += part * piece * picture[row, column]
    return out


def drawn(images, boxes, colors):
    out = np.array(images)
    _, height, width, channels = out.shape
    for b in range(len(out)):
        for n, box in enumerate(boxes[b]):
            top, left, bottom, right = (int(v) for v in np.float32(box) * np.float32([height - 1, width - 1] * 2))
            for i in range(height):
                for j in range(width):
                    inside = top <= i <= bottom and left <= j <= right
                    if inside and (i in (top, bottom) or j in (left, right)):
                        out[b, i, j] = colors[n % len(colors), :channels]
    return out


def share(a, b):
    a, b = ((min(y1, y2), min(x1, x2), max(y1, y2), max(x1, x2)) for y1, x1, y2, x2 in (a, b))
    common = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    whole = sum((y2 - y1) * (x2 - x1) for y1, x1, y2, x2 in (a, b)) - common
    return common / whole if whole > 0 else 0.0


def kept(like, scores, count, limit, lowest, sigma=0.0):
    """Places and scores, each looked for among all that are left."""
    now = {i: s for i, s in enumerate(scores) if s > lowest}
    found = []
    while now and len(found) < count:
        best = max(now, key=lambda i: (now[i], -i))
        found.append((best, now.pop(best)))
        for i in list(now):
            if sigma > 0:
                now[i] *= math.exp(-(like(i, best) ** 2) / (2 * sigma))
                if now[i] <= lowest:
                    del now[i]
            elif like(i, best) > limit:
                del now[i]
    places, values = zip(*found) if found else ((), ())
    return np.array(places, "int32"), np.array(values, scores.dtype)


def best(boxes, scores, max_output_size, iou_threshold, score_threshold, soft_nms_sigma):
    like = lambda i, j: share(boxes[i], boxes[j])  # noqa: E731
    return kept(like, scores, max_output_size, iou_threshold, score_threshold, soft_nms_sigma)


def filled(boxes, scores, count, iou_threshold, score_threshold):
    places, values = np.zeros((len(boxes), count), "int32"), np.zeros((len(boxes), count))
    counts = np.zeros(len(boxes), "int32")
    for row in range(len(boxes)):
        found = best(boxes[row], scores[row], count, iou_threshold, score_threshold, 0.0)
        counts[row] = len(found[0])
        places[row, : counts[row]], values[row, : counts[row]] = found
    return places, values, counts


def distorted(size, boxes, draws, least, aspect_ratio_range, area_range, use_image):
    """Attempt by attempt."""
    high, wide = int(size[0]), int(size[1])
    frames = boxes.reshape(-1, 4) if boxes.size else np.array([[0, 0, 1, 1]])
    frames = np.trunc(frames * [high, wide, high, wide])
    result = (0, 0, high, wide)
    for aspect, rise, y, x in draws:
        ratio = aspect_ratio_range[0] + aspect * (aspect_ratio_range[1] - aspect_ratio_range[0])
        low, most = (part * high * wide for part in area_range)
        tallest = round(math.sqrt(most / ratio))
        if round(tallest * ratio) > wide:
            tallest = int((wide + 0.5 - 1e-7) / ratio)
            tallest -= round(tallest * ratio) > wide
        tallest = min(tallest, high)
        shortest = min(round(math.sqrt(low / ratio)), tallest)
        h = shortest + int(rise * (tallest - shortest + 1))
        h += h * round(h * ratio) < low
        h -= h * round(h * ratio) > most
        w = round(h * ratio)
        if not (low <= h * w <= most and 0 < h <= high and 0 < w <= wide):
            continue
        top, left = int(y * (high - h + 1)), int(x * (wide - w + 1))
        covered = False
        for y1, x1, y2, x2 in frames:
            common = max(0, min(top + h, y2) - max(top, y1)) * max(0, min(left + w, x2) - max(left, x1))
            covered |= (y2 - y1) * (x2 - x1) >= 1 and common >= least * (y2 - y1) * (x2 - x1)
        if covered:
            result = (top, left, h, w)
            break
    top, left, h, w = result
    box = np.array([[[top / high, left / wide, (top + h) / high, (left + w) / wide]]])
    return np.array([top, left, 0]), np.array([h, w, -1]), box


def glimpse(images, offsets, noise, size, centered, normalized):
    out = np.array(noise)
    for b, offset in enumerate(offsets):
        start = []
        for at, side, length in zip(offset, images.shape[1:3], size):
            at = np.float32(at) * side if normalized else at
            if centered:
                at = (at - length) / 2 + side / 2 if normalized else at + side / 2
            start.append(int(at))
        for i in range(size[0]):
            for j in range(size[1]):
                row, column = start[0] + i, start[1] + j
                if 0 <= row < images.shape[1] and 0 <= column < images.shape[2]:
                    out[b, i, j] = images[b, row, column]
    return out


IMAGES = d.normal(2, 4, 5, 2)
PARTS = np.array([[0.1, 0.05, 0.83, 0.94], [0.91, 0.2, -0.15, 1.2], [0.33, 0.4, 0.36, 0.41]], "f")
WHICH = np.array([1, 0, 1], "int32")
corner = d.uniform(0, 0.7, 12, 2)
BOXES = np.concatenate([corner, corner + d.uniform(0.2, 0.5, 12, 2)], 1)
BOXES[::4] = BOXES[::4][:, [2, 3, 0, 1]]
SCORES = d.apart(12) / np.float32(4) + np.float32(0.5)
ROOMS = np.stack([BOXES, BOXES[::-1], BOXES * 3])
RANKS = np.stack([SCORES, SCORES, -SCORES])
LIKE = d.uniform(0, 1, 12, 12)
SIZE = np.array([40, 60, 3], "int32")

ROWS: dict[str, Row] = {
    "crop_and_resize": Row(
        crops,
        [
            ((IMAGES, PARTS, WHICH), {"crop_size": (2, 3)}),
            ((IMAGES, PARTS, WHICH), {"crop_size": (1, 4), "extrapolation_value": -0.5}),
            ((IMAGES, PARTS, WHICH), {"crop_size": (3, 1), "method": "nearest", "extrapolation_value": 2.0}),
        ],
        smooth=2,
        nan="of a pixel that no box covers",
    ),
    "draw_bounding_boxes": Row(
        drawn,
        [
            ((IMAGES[..., :1], np.stack([BOXES[1:3], BOXES[5:7] - np.float32(0.3)]), d.normal(1, 1)), {}),
            ((d.normal(2, 6, 5, 3), np.stack([BOXES[:7], BOXES[5:]]), d.normal(3, 4)), {}),
        ],
        wide="boxes are float32",
        nan="what is drawn over",
    ),
    "non_max_suppression": Row(
        best,
        [
            ((BOXES, SCORES), {"max_output_size": 12}),
            ((BOXES, SCORES), {"max_output_size": 3, "iou_threshold": 0.1}),
            ((BOXES, SCORES), {"max_output_size": 9, "iou_threshold": 0.2, "score_threshold": 0.1}),
            ((BOXES, SCORES), {"max_output_size": 9, "score_threshold": 0.2, "soft_nms_sigma": 0.3}),
        ],
        dtype=lambda i, s: ("int32", i[0].dtype), compiled=VALUES, nan="a box with NaN overlaps nothing",
    ),
    "non_max_suppression_overlaps": Row(
        lambda like, scores, max_output_size, overlap_threshold, score_threshold: kept(
            lambda i, j: like[i, j], scores, max_output_size, overlap_threshold, score_threshold)[0],
        [
            ((LIKE, SCORES), {"max_output_size": 12}),
            ((LIKE, SCORES), {"max_output_size": 4, "overlap_threshold": 0.8, "score_threshold": 0.0}),
        ],
        dtype="int32", compiled=VALUES,
    ),
    "suppressed_boxes": Row(
        filled,
        [
            ((ROOMS, RANKS), {"count": 8}),
            ((ROOMS, RANKS), {"count": 5, "iou_threshold": 0.1, "score_threshold": 0.2}),
            ((ROOMS[:1], np.full((1, 12), 0.5, "f")), {"count": 12, "iou_threshold": 0.0}),
            # boxes without an area, and all that there are
            ((ROOMS[:2] * np.float32([[[0]], [[1]]]), RANKS[:2]), {"count": 13, "iou_threshold": 1.0}),
        ],
        dtype=lambda i, s: ("int32", i[1].dtype, "int32"), nan="a box with NaN overlaps nothing",
    ),
    "distorted_box": Row(
        distorted,
        [
            ((SIZE, np.stack([BOXES[1:3], BOXES[5:7]]).clip(0, 1), d.uniform(0, 1, 20, 4), np.float32(0.5)), {}),
            ((np.array([40, 60, 3]), BOXES[1:2, None].clip(0, 1), d.uniform(0, 1, 4, 4), np.float32(1.0)),
             {"aspect_ratio_range": (0.5, 2.5), "area_range": (0.2, 0.4)}),
            ((np.array([9, 7, 1], "int32"), np.zeros((1, 0, 4), "f"), d.uniform(0, 1, 5, 4), np.float32(0.1)), {"use_image": True}),
            # the second part is the first that holds the box; a height rounded up, one rounded down; a box of no pixel
            ((SIZE, np.float32([[[0.5, 0.5, 0.75, 0.75]]]), np.float32([[0.5, 0, 0, 0], [0.5, 0.9, 0.5, 0.5]]), np.float32(1)), {}),
            ((SIZE, np.float32([[[0, 0, 1, 1]]]), np.float32([[0.6803866, 0.02708517, 0.2, 0.87]]), np.float32(0)), {}),
            ((np.array([9, 7, 3]), np.float32([[[0, 0, 1, 1]]]), np.float32([[0.13819522, 0.8791475, 0.95, 0.45]]), np.float32(0)),
             {"aspect_ratio_range": (0.5, 2.0), "area_range": (0.3, 0.35)}),
            ((SIZE, np.float32([[[0.5, 0.5, 0.51, 0.51]]]), d.uniform(0, 1, 3, 4), np.float32(0)), {}),
        ],
        dtype=lambda i, s: (i[0].dtype, i[0].dtype, "float32"), gradient="a part is one of many", wide="sizes of other dtypes", nan="draws are numbers",
    ),
    "image_glimpse": Row(
        glimpse,
        [
            ((IMAGES, np.array([[0.3, -0.43], [-0.9, 0.23]], "f"), d.normal(2, 3, 2, 2)), {"size": (3, 2)}),
            ((IMAGES, np.array([[1.2, -0.8], [-3.3, 0.1]], "f"), d.normal(2, 2, 6, 2)), {"size": (2, 6), "normalized": False}),
            ((IMAGES, np.array([[0.6, -0.3], [0.1, 0.9]], "f"), d.normal(2, 3, 2, 2)), {"size": (3, 2), "centered": False}),
        ],
        nan="what the window leaves out",
    ),
}  # fmt: skip
