"""Boxes in images: what the table of operations does not ask."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorsmith as tf
from tests.oracles.image_boxes import BOXES, IMAGES, PARTS, SCORES, WHICH, best, crops, drawn

RNG = np.random.default_rng(9)
WIDE = {"rtol": 1e-5, "atol": 1e-4}
INVALID = tf.errors.InvalidArgumentError


def test_parts_of_whole_numbers_are_floats() -> None:
    whole = (IMAGES * 50).astype("int16")
    found = tf.image.crop_and_resize(whole, PARTS, WHICH, [3, 4], extrapolation_value=-1)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, crops(whole, PARTS, WHICH, (3, 4), "bilinear", -1), **WIDE)


def test_boxes_learn_where_to_look() -> None:
    ramp = np.tile(np.arange(9.0, dtype="float32")[None, :, None, None], (1, 1, 9, 1))
    box = tf.Variable([[0.1, 0.1, 0.9, 0.9]])
    with tf.GradientTape() as tape:
        mean = tf.reduce_mean(tf.image.crop_and_resize(ramp, box, [0], [5, 5]))
    # the mean of a ramp is at the middle of the box: 8 * (y1 + y2) / 2
    np.testing.assert_allclose(tape.gradient(mean, box), [[4, 0, 4, 0]], atol=1e-4)


def test_colours_of_their_own_and_in_turn() -> None:
    boxes = np.stack([BOXES[1:9:2], BOXES[2:6]])
    canvas = np.zeros((2, 9, 8, 3), "float32")
    yellow = tf.image.draw_bounding_boxes(canvas, boxes[:, :1], None).numpy()
    assert set(map(tuple, yellow.reshape(-1, 3))) == {(0, 0, 0), (1, 1, 0)}
    white = tf.image.draw_bounding_boxes(canvas[..., :1], boxes, None).numpy()
    np.testing.assert_array_equal(white, drawn(canvas[..., :1], boxes, np.ones((1, 1))))
    half = tf.image.draw_bounding_boxes(tf.constant(canvas, tf.float16), boxes, np.eye(3))
    assert half.dtype == tf.float16
    np.testing.assert_array_equal(half, drawn(canvas, boxes, np.eye(3)))
    huge = np.array([[[math.nan, -1e30, 1e30, 1e30]]] * 2, "float32")
    assert np.isfinite(tf.image.draw_bounding_boxes(canvas, huge, None).numpy()).all()


def test_the_best_of_boxes_that_overlap() -> None:
    places, scores = best(BOXES, SCORES, 6, 0.3, 0.1, 0.0)
    settings = {"iou_threshold": 0.3, "score_threshold": 0.1}
    found, values = tf.image.non_max_suppression_with_scores(BOXES, SCORES, 6, **settings)
    np.testing.assert_array_equal(found, places)
    np.testing.assert_allclose(values, scores)
    np.testing.assert_array_equal(tf.image.non_max_suppression(BOXES, SCORES, tf.constant(6), **settings), places)
    short, count = tf.image.non_max_suppression_padded(BOXES, SCORES, 6, **settings)
    np.testing.assert_array_equal(short, places)
    assert count.numpy() == len(places)
    filled, count = tf.image.non_max_suppression_padded(BOXES, SCORES, 9, pad_to_max_output_size=True, **settings)
    np.testing.assert_array_equal(filled[: len(places)], places)
    assert (count.numpy(), filled.shape) == (len(places), (9,))
    many = np.stack([[BOXES, BOXES[::-1]]])
    filled, count = tf.image.non_max_suppression_padded(
        many, np.stack([[SCORES, SCORES]]), 6, pad_to_max_output_size=True, **settings
    )
    assert (filled.shape, count.shape) == ((1, 2, 6), (1, 2))
    other, _ = best(BOXES[::-1], SCORES, 6, 0.3, 0.1, 0.0)
    np.testing.assert_array_equal(filled[0, 1, : len(other)], other)
    assert tf.image.non_max_suppression(BOXES[:0], SCORES[:0], 6).shape == (0,)
    # of equal scores the first one is taken; boxes without an area overlap nothing
    np.testing.assert_array_equal(tf.image.non_max_suppression(BOXES[:1].repeat(3, 0) * 0, [0.5] * 3, 9), [0, 1, 2])


def combined(boxes, scores, each, total, limit, lowest, pad_per_class, clip):
    """Image by image, class by class, with lists."""
    rows = []
    for picture, marks in zip(boxes, scores):
        found = []
        for kind in range(marks.shape[1]):
            own = picture[:, kind if picture.shape[1] > 1 else 0]
            places, values = best(own, marks[:, kind], each, limit, lowest, 0.0)
            found += [(value, own[place], kind) for place, value in zip(places, values)]
        rows.append(sorted(found, key=lambda entry: -entry[0])[:total])
    size = min(total, each * scores.shape[2]) if pad_per_class else total
    out = np.zeros((len(rows), size, 4)), np.zeros((len(rows), size)), np.zeros((len(rows), size))
    for at, row in enumerate(rows):
        for n, (value, box, kind) in enumerate(row):
            out[0][at, n], out[1][at, n], out[2][at, n] = box.clip(0, 1) if clip else box, value, kind
    return *out, np.array([len(row) for row in rows])


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize(("each", "total"), [(2, 4), (3, 20), (20, 5)])
def test_the_best_of_all_classes(classes: int, each: int, total: int) -> None:
    boxes = RNG.uniform(-0.2, 1.2, (2, 12, classes, 4)).astype("float32")
    scores = RNG.permutation(72).reshape(2, 12, 3).astype("float32") / 72
    for pad_per_class, clip, lowest in ((False, True, -math.inf), (True, False, 0.4), (False, True, 0.95)):
        given = boxes, scores, each, total, 0.3, lowest, pad_per_class, clip
        right = combined(*given)
        for function in (tf.image.combined_non_max_suppression, tf.function(tf.image.combined_non_max_suppression)):
            found = function(*given)
            for one, other in zip(found, right, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-6)
    assert found.valid_detections.dtype == tf.int32


def test_regions_worth_a_look() -> None:
    scores = RNG.permutation(2 * 3 * 4 * 2).reshape(2, 3, 4, 2).astype("float32") / 48
    deltas = RNG.normal(size=(2, 3, 4, 8)).astype("float32") * 0.3
    scores[0, 0, 0, 0], deltas[0, 0, 0, :4] = 1.0, (0, 0, 9, 0)  # its height would grow 8,000 times: 62.5 is the most
    corner = RNG.uniform(0, 50, (3, 4, 2, 2))
    anchors = np.concatenate([corner, corner + RNG.uniform(10, 40, (3, 4, 2, 2))], -1).astype("float32")
    anchors[0, 0, 0] = [35, 20, 35.5, 50]
    sides = np.array([[70, 90, 1, 0, 0], [60, 60, 1.5, 0, 0]], "float32")
    for frames in (anchors, anchors[0, 0]):
        found = tf.image.generate_bounding_box_proposals(scores, deltas, sides, frames, 0.4, 20, 8, 6)
        whole = np.broadcast_to(frames, (3, 4, 2, 4)).reshape(-1, 4)
        for image in range(2):
            entries = []
            for place in np.argsort(-scores[image].ravel())[:20]:
                dy, dx, dh, dw = deltas[image].reshape(-1, 4)[place]
                y1, x1, y2, x2 = whole[place].astype(float)
                y, x = (y1 + y2) / 2 + dy * (y2 - y1), (x1 + x2) / 2 + dx * (x2 - x1)
                h, w = (y2 - y1) * min(math.exp(dh), 62.5), (x2 - x1) * min(math.exp(dw), 62.5)
                edges = np.array([y - h / 2, x - w / 2, y + h / 2, x + w / 2])
                edges = np.clip(edges, 0, [*sides[image, :2], *sides[image, :2]])
                if min(edges[2:] - edges[:2]) >= 8 * sides[image, 2]:
                    entries.append((edges, scores[image].ravel()[place]))
            boxes, values = (np.array(part) for part in zip(*entries))
            places, _ = best(boxes, values, 6, 0.4, -math.inf, 0.0)
            right = np.zeros((6, 4))
            right[: len(places)] = boxes[places]
            np.testing.assert_allclose(found.rois[image], right, rtol=1e-4, atol=1e-3)
            np.testing.assert_allclose(found.roi_probabilities[image, : len(places)], values[places])


def test_compiled_with_sizes_that_are_known_when_it_runs() -> None:
    unknown = [None, None, None, 2], [None, 4], [None], [None, 4], [None]
    kinds = [tf.float32, tf.float32, tf.int32, tf.float32, tf.float32]

    @tf.function(input_signature=[tf.TensorSpec(shape, kind) for shape, kind in zip(unknown, kinds)])
    def several(images, parts, which, boxes, scores):
        return (
            tf.image.crop_and_resize(images, parts, which, [2, 3]),
            tf.image.non_max_suppression_padded(boxes, scores, 5, 0.3, pad_to_max_output_size=True)[0],
            tf.image.non_max_suppression(boxes, scores, 5, 0.3),
        )

    given = IMAGES, PARTS, WHICH, BOXES, SCORES
    for one, other in zip(several(*given), several.python_function(*map(tf.constant, given)), strict=True):
        np.testing.assert_allclose(one, other, **WIDE)


def test_boxes_that_do_not_fit() -> None:
    crop, draw, nms = tf.image.crop_and_resize, tf.image.draw_bounding_boxes, tf.image.non_max_suppression
    likes, filled = tf.image.non_max_suppression_overlaps, tf.image.non_max_suppression_padded
    regions, canvas = tf.image.generate_bounding_box_proposals, np.zeros((1, 2, 2, 3))
    every = tf.image.combined_non_max_suppression
    boxes, scores = BOXES[None, :, None], np.ones((1, 12, 3), "float32")
    refused = [
        (lambda: crop(IMAGES, PARTS, WHICH + 1, [2, 2]), tf.errors.OutOfRangeError, "there is no such image (box_indices=2"),
        (lambda: crop(IMAGES, PARTS, WHICH[:2], [2, 2]), INVALID, "one index is needed for each box"),
        (lambda: crop(IMAGES, PARTS, WHICH, [2, 0]), INVALID, "crop_size must be two numbers above 0"),
        (lambda: crop(IMAGES[0], PARTS, WHICH, [2, 2]), INVALID, "shapes do not fit"),
        (lambda: crop(IMAGES, PARTS, WHICH, [2, 2], "area"), ValueError, "no such method (method=area)"),
        (lambda: draw(IMAGES, BOXES[None], None), INVALID, "images have 1, 3 or 4 channels"),
        (lambda: draw(IMAGES[..., :1], BOXES, None), INVALID, "shapes do not fit"),
        (lambda: draw(canvas, BOXES[None], [[1.0, 0.0]]), INVALID, "a colour needs a number for each"),
        (lambda: nms(BOXES, SCORES[:5], 3), INVALID, "one score is needed for each box"),
        (lambda: nms(BOXES[:, :3], SCORES, 3), INVALID, "shapes do not fit"),
        (lambda: nms(BOXES, SCORES, -1), INVALID, "max_output_size is below 0"),
        (lambda: nms(BOXES, SCORES, 3, 1.5), INVALID, "iou_threshold must be in [0, 1]"),
        (lambda: likes(np.ones((3, 2)), SCORES[:3], 3), INVALID, "[N, N] and [N]"),
        (lambda: filled(BOXES[None], SCORES[None], 3), ValueError, "Give pad_to_max_output_size=True"),
        (lambda: every(np.concatenate([boxes] * 2, 2), scores, 2, 2), INVALID, "one box for all classes"),
        (lambda: every(boxes, scores, 0, 2), INVALID, "sizes must be above 0"),
        (lambda: every(BOXES, scores, 2, 2), INVALID, "shapes do not fit"),
        (lambda: regions(SCORES, SCORES, SCORES, SCORES), INVALID, "shapes do not fit"),
    ]  # fmt: skip
    for call, kind, text in refused:
        with pytest.raises(kind) as caught:
            call()
        assert text in str(caught.value)
