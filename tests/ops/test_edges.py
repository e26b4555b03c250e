"""What operations take and refuse at their edges: as TensorFlow 2.21 does, by the class of the error too."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

INVALID = tf.errors.InvalidArgumentError
CUBE = tf.reshape(tf.range(24), [2, 3, 4])

REFUSED = {
    "sizes below 0": (lambda: tf.zeros([2, -1]), INVALID),
    "an identity below 0": (lambda: tf.eye(-1), INVALID),
    "a filling that is no scalar": (lambda: tf.fill([2], [1, 2]), INVALID),
    "a range that goes the other way": (lambda: tf.range(5, 0), INVALID),
    "a range that never comes down": (lambda: tf.range(0, 5, -1), INVALID),
    "fractions as classes": (lambda: tf.one_hot([0.0], 2), INVALID),
    "fewer than no classes": (lambda: tf.one_hot([0], -1), INVALID),
    "fractions as places": (lambda: tf.gather([1, 2], [0.5]), INVALID),
    "fractions as places of many axes": (lambda: tf.gather_nd([1, 2], [[0.0]]), INVALID),
    "batches of another size": (lambda: tf.gather(CUBE, [[0, 2]], batch_dims=1), INVALID),
    "batches of another size, by places": (lambda: tf.gather_nd(CUBE, [[0]], batch_dims=1), INVALID),
    "more batch axes than there are": (lambda: tf.gather_nd(CUBE, [0], batch_dims=1), ValueError),
    "a reshape by -2": (lambda: tf.reshape([1, 2], [-2]), INVALID),
    "no axis to take apart": (lambda: tf.unstack(1), ValueError),
    "an axis beyond the last": (lambda: tf.unstack([1], axis=2), ValueError),
    "another number of parts": (lambda: tf.unstack([[1, 2]], num=3), INVALID),
    "no parts": (lambda: tf.split([1, 2], 0), INVALID),
    "parts along no axis": (lambda: tf.split([1, 2], 2, axis=2), INVALID),
    "another number of sizes": (lambda: tf.split([1, 2, 3], [1, 2], num=3), INVALID),
    "a block of fewer axes": (lambda: tf.slice(CUBE, [0, 0], [1, 1]), INVALID),
    "a block of size -2": (lambda: tf.slice(CUBE, [0, 0, 0], [1, 1, -2]), INVALID),
    "axes below 0": (lambda: tf.tensordot([[1.0]], [[1.0]], -1), ValueError),
    "segments of a scalar": (lambda: tf.math.segment_sum(5, 0), INVALID),
    "segment ids of two axes": (lambda: tf.math.segment_max([1, 2], [[0], [1]]), INVALID),
    "too few segment ids": (lambda: tf.math.segment_mean([1.0, 2.0], [0]), INVALID),
    "counts below 0": (lambda: tf.math.bincount([1, -1]), INVALID),
    "a weight for two numbers": (lambda: tf.math.bincount([1, 2], weights=[0.5]), INVALID),
    "predictions that are missing": (lambda: tf.math.confusion_matrix([0, 1], [1]), INVALID),
    "a determinant of no square": (lambda: tf.linalg.det(tf.ones([2, 3])), INVALID),
    "a short diagonal": (lambda: tf.linalg.set_diag([[1, 2], [3, 4]], [9]), INVALID),
    "counting with fractions": (lambda: tf.Variable(1.0).count_up_to(3), INVALID),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what: str) -> None:
    call, kind = REFUSED[what]
    with pytest.raises(kind) as caught:
        call()
    # told by us, and not by NumPy
    assert ": " in str(caught.value)


MIXED = {
    "two floats": lambda: tf.constant(1.0) + tf.constant(1.0, tf.float64),
    "a fraction for an integer": lambda: tf.constant(1) + 1.5,
    "a fraction in a sum": lambda: tf.add_n([[1], [2.0]]),
    "a number for a text": lambda: tf.constant("a") + 1,
    "truth of numbers": lambda: tf.logical_or(1, 0),
    "a mean of truths": lambda: tf.reduce_all([1]),
    "parts of a complex number": lambda: tf.complex(1, 2),
    "a text for a number": lambda: tf.Variable(1.0).assign("a"),
    "a number too large": lambda: tf.constant(300, tf.int8),
    "texts as truths": lambda: tf.constant(np.array(["a", "b"]), tf.float32),
    "parts of a list": lambda: tf.convert_to_tensor([tf.constant(1), tf.constant(1.0)]),
}


@pytest.mark.parametrize("what", MIXED)
def test_dtypes_that_do_not_go_together_are_both_kinds_of_errors(what: str) -> None:
    for kind in (TypeError, ValueError, INVALID):
        with pytest.raises(kind):
            MIXED[what]()


TAKEN = {
    "nothing stacked": (lambda: tf.stack([]), np.zeros(0, "f")),
    "numbers of two kinds stacked": (lambda: tf.stack([1, 2.5]), np.float32([1, 2.5])),
    "rows of two kinds stacked": (lambda: tf.stack([[1], [2.5]], axis=1), np.float32([[1, 2.5]])),
    "truths padded": (lambda: tf.pad([True], [[1, 0]]), [False, True]),
    "texts padded": (lambda: tf.pad(["a"], [[1, 0]]), np.array([b"", b"a"], object)),
    "quotients of floats cut": (lambda: tf.truncatediv([-7.0, 7.0], [2.0, 2.0]), np.float32([-3, 3])),
    "parts of integers": (lambda: tf.math.imag([1, 2]), np.int32([0, 0])),
    "counted floats": (lambda: tf.math.bincount([1.0, 1.0]), np.int32([0, 2])),
    "zeros among truths": (lambda: tf.math.zero_fraction([True, False]), np.float32(0.5)),
    "a class that nobody predicts": (lambda: tf.math.in_top_k([5], [[0.1, 0.9]], 1), [False]),
    "batch axes from behind": (
        lambda: tf.gather(CUBE, [[0, 2], [1, 0]], batch_dims=-1),
        [[[0, 2], [4, 6], [8, 10]], [[13, 12], [17, 16], [21, 20]]],
    ),
    "halves of bfloat16": (lambda: tf.round(tf.constant([0.5, 1.25, -0.75], tf.bfloat16)), [0, 1, -1]),
    "no values for an integer": (lambda: tf.Variable([1], shape=[None]).assign([]), np.zeros(0, "i")),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_is_taken(what: str) -> None:
    call, expected = TAKEN[what]
    found = call()
    np.testing.assert_array_equal(np.asarray(found), expected)
    if isinstance(expected, (np.ndarray, np.generic)) and expected.dtype != object:
        assert found.dtype == expected.dtype
    assert not any(isinstance(text, np.bytes_) for text in np.ravel(found.numpy()))


@pytest.mark.parametrize("wanted", [tf.int8, tf.uint8, tf.int16, tf.uint16, tf.int32])
def test_bfloat16_saturates(wanted: tf.DType) -> None:
    found = tf.saturate_cast(tf.constant([-1e9, -1.5, 0.0, 1e20, np.inf], tf.bfloat16), wanted)
    low = max(wanted.min, -(10**9) // 2**22 * 2**22)
    assert found.numpy().tolist()[1:3] == [max(wanted.min, -1), 0]
    assert found.numpy().tolist()[3:] == [wanted.max, wanted.max]
    assert found.numpy()[0] <= low + 2**22 or found.numpy()[0] == wanted.min


def test_loading_a_variable() -> None:
    v = tf.Variable([1.0, 2.0])
    v.load([3.0, 4.0])
    assert v.numpy().tolist() == [3, 4]
